//! Git's knowledge of a work tree's files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::command::{chunks, git, literal};
use super::index_file;
use super::objects::objects;
use super::repository::Within;
use super::run::{ask, lossy, run};
use super::special::check_ignore_files;
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
    check_ignore_files(&within.root, within.itself())?;
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

/// The files of the index that are more than plain ones, by their paths below the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Executable files.
    pub executables: BTreeSet<String>,
    /// Symbolic links.
    pub links: BTreeSet<String>,
    /// Submodules: directories whose files belong to another repository.
    pub submodules: BTreeSet<String>,
}

/// What kinds of files the index of the repository with this root has.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked.
pub fn kinds(root: &Path) -> Result<Kinds> {
    let found = index_file::special(root).map_or_else(|| special_by_git(root), Ok)?;
    let mut kinds = Kinds::default();
    for (path, mode) in found {
        match mode {
            0o100_755 => drop(kinds.executables.insert(path)),
            0o120_000 => drop(kinds.links.insert(path)),
            0o160_000 => drop(kinds.submodules.insert(path)),
            _ => {}
        }
    }
    Ok(kinds)
}

fn special_by_git(root: &Path) -> Result<Vec<(String, u32)>> {
    let output = run(git(root).args(["ls-files", "--stage", "-z"]))?;
    let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
    let read = |line: String| {
        let (head, path) = line.split_once('\t')?;
        let mode = u32::from_str_radix(head.split(' ').next()?, 8).ok()?;
        head.ends_with(" 0").then(|| (path.to_owned(), mode))
    };
    Ok(lines.filter_map(read).collect())
}

/// What the file system of a work tree keeps of a file, by git's settings. What it does not keep is in the index alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Executable bits (`core.fileMode`).
    pub modes: bool,
    /// Symbolic links (`core.symlinks`): elsewhere, a link is a text file that holds its target.
    pub links: bool,
}

/// The properties of files that the work tree with this root keeps.
///
/// # Errors
///
/// When git is missing or fails.
pub fn disk(root: &Path) -> Result<Disk> {
    let pattern = "^core\\.(filemode|symlinks)$";
    let output = ask(git(root).args(["config", "--type=bool", "--get-regexp", pattern]), &[])?;
    // The last one of a name decides.
    let is_on = |key: &str| {
        let text = lossy(&output.stdout);
        let mut values = text.lines().rev().filter_map(|line| line.split_once(' ')).filter(|(name, _)| *name == key);
        values.next().is_none_or(|(_, value)| value != "false")
    };
    Ok(Disk { modes: is_on("core.filemode"), links: is_on("core.symlinks") })
}
