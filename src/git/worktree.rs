//! What git knows of a work tree's files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::command::{chunks, git, literal};
use super::objects::objects;
use super::repository::Within;
use super::run::{ask, lossy, run};
use crate::diagnostic::Result;

/// Which of `paths`, relative to `directory`, a sparse checkout leaves out.
///
/// # Errors
///
/// When git is missing or fails, and where `directory` is in no repository.
pub fn left_out<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<String>> {
    let within = Within::find(directory)?;
    let wanted: BTreeSet<String> = within.at_root(paths).into_iter().collect();
    let mut chunks: Vec<Vec<&str>> = chunks(wanted.iter().map(String::as_str));
    // Git holds each file against each of them: of many paths, it is quicker to be told all files.
    if chunks.len() > 1 {
        chunks = vec![Vec::new()];
    }
    let mut found = BTreeSet::new();
    for chunk in chunks {
        let output = run(literal(&within.root).args(["ls-files", "-t", "-z", "--"]).args(chunk))?;
        let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
        let left_out = lines.filter_map(|line| line.strip_prefix("S ").map(str::to_owned));
        let left_out = left_out.filter(|path| wanted.contains(path));
        found.extend(left_out.filter_map(|path| within.below(&path).map(str::to_owned)));
    }
    Ok(found)
}

/// Every file below `directory`, relative to it, that is tracked, or neither tracked nor ignored.
///
/// # Errors
///
/// When git is missing or fails, and where `directory` is in no repository.
pub fn files(directory: &Path) -> Result<BTreeSet<String>> {
    let within = Within::find(directory)?;
    let mut list = literal(&within.root);
    list.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"]).args(within.itself());
    let output = run(&mut list)?;
    let paths = output.stdout.split(|byte| *byte == 0).filter_map(|path| str::from_utf8(path).ok());
    Ok(paths.filter_map(|path| within.below(path)).filter(|path| !path.is_empty()).map(str::to_owned).collect())
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

/// Whether executable bits count in the repository with this root.
///
/// # Errors
///
/// When git is missing or fails.
pub fn compares_modes(root: &Path) -> Result<bool> {
    let output = ask(git(root).args(["config", "--type=bool", "--get", "core.fileMode"]), &[])?;
    Ok(lossy(&output.stdout).trim() != "false")
}
