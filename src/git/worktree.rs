//! What git knows of a work tree's files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{ask, chunks, git, literal, lossy, objects, run};
use crate::diagnostic::Result;

/// What git holds of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Tracked, and not as the last commit has it.
    Dirty,
    /// In conflict.
    Unmerged,
    /// Not at all: untracked, ignored, another repository's, never committed, or git was told not to look at it.
    Nowhere,
}

/// Which of `paths`, relative to `root` and with `/`, the last commit does not have as they are, and why. All of them are files
/// or links that exist, or are in the index.
///
/// # Errors
///
/// When git is missing or fails, as it does where `root` is in no repository.
pub fn status<'a>(root: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<BTreeMap<String, Held>> {
    const OPTIONS: [&str; 5] = ["--porcelain=v2", "-z", "--branch", "--no-renames", "--untracked-files=no"];
    let mut held = BTreeMap::new();
    for chunk in chunks(paths) {
        let watched = watched(root, &chunk)?;
        let unwatched = chunk.iter().filter(|path| !watched.contains(**path));
        held.extend(unwatched.map(|path| ((*path).to_owned(), Held::Nowhere)));
        let output = run(literal(root).arg("status").args(OPTIONS).arg("--").args(chunk))?;
        let mut has_commit = true;
        for line in output.stdout.split(|byte| *byte == 0).map(lossy) {
            let after = |fields: usize| line.splitn(fields + 1, ' ').nth(fields).unwrap_or_default().to_owned();
            match line.as_bytes().first() {
                Some(b'#') => has_commit &= line != "# branch.oid (initial)",
                Some(b'u') => drop(held.insert(after(10), Held::Unmerged)),
                Some(b'1') => {
                    held.entry(after(8)).or_insert(if has_commit { Held::Dirty } else { Held::Nowhere });
                }
                _ => {}
            }
        }
    }
    Ok(held)
}

/// Which of `paths` are tracked without a flag that hides their changes (`skip-worktree`, `assume-unchanged`).
pub(super) fn watched(root: &Path, paths: &[&str]) -> Result<BTreeSet<String>> {
    let output = run(literal(root).args(["ls-files", "-v", "-z", "--"]).args(paths))?;
    let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
    Ok(lines.filter_map(|line| line.strip_prefix("H ").map(str::to_owned)).collect())
}

/// The paths below `directory`, relative to it, that are in conflict.
///
/// # Errors
///
/// When git is missing or fails.
pub fn unmerged(directory: &Path) -> Result<BTreeSet<String>> {
    let output = run(git(directory).args(["ls-files", "--unmerged", "-z"]))?;
    let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
    Ok(lines.filter_map(|line| line.split_once('\t').map(|(_, path)| path.to_owned())).collect())
}

/// Which of `paths`, relative to `directory`, a sparse checkout leaves out.
///
/// # Errors
///
/// When git is missing or fails.
pub fn left_out<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for chunk in chunks(paths) {
        let output = run(literal(directory).args(["ls-files", "-t", "-z", "--"]).args(chunk))?;
        let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
        found.extend(lines.filter_map(|line| line.strip_prefix("S ").map(str::to_owned)));
    }
    Ok(found)
}

/// Every file below `directory`, relative to it, that is tracked, or neither tracked nor ignored.
///
/// # Errors
///
/// When git is missing or fails.
pub fn files(directory: &Path) -> Result<BTreeSet<String>> {
    let output = run(git(directory).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]))?;
    let paths = output.stdout.split(|byte| *byte == 0).filter_map(|path| String::from_utf8(path.to_vec()).ok());
    Ok(paths.filter(|path| !path.is_empty()).collect())
}

/// The content of files as the index has them; `paths` are relative to `root`, the repository's root. Those that it does not
/// have are left out.
///
/// # Errors
///
/// When git is missing or fails.
pub fn staged(root: &Path, paths: &[&str]) -> Result<BTreeMap<String, Vec<u8>>> {
    let names: Vec<String> = paths.iter().map(|path| format!(":{path}")).collect();
    let contents = objects(root, names.iter().map(String::as_str))?;
    Ok(paths.iter().zip(contents).filter_map(|(path, content)| Some(((*path).to_owned(), content?))).collect())
}

/// Whether executable bits count in the repository of `directory`.
///
/// # Errors
///
/// When git is missing or fails.
pub fn compares_modes(directory: &Path) -> Result<bool> {
    let output = ask(git(directory).args(["config", "--type=bool", "--get", "core.fileMode"]), &[])?;
    Ok(lossy(&output.stdout).trim() != "false")
}
