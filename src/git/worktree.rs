//! What git knows of a work tree's files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{ask, chunks, git, literal, lossy, objects, run};
use crate::diagnostic::Result;

/// Which of `paths`, relative to `directory`, a sparse checkout leaves out.
///
/// # Errors
///
/// When git is missing or fails.
pub fn left_out<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<String>> {
    let wanted: BTreeSet<&str> = paths.into_iter().collect();
    let mut chunks = chunks(wanted.iter().copied());
    // Git holds each file against each of them: of many paths, it is quicker to be told all files.
    if chunks.len() > 1 {
        chunks = vec![Vec::new()];
    }
    let mut found = BTreeSet::new();
    for chunk in chunks {
        let output = run(literal(directory).args(["ls-files", "-t", "-z", "--"]).args(chunk))?;
        let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
        let left_out = lines.filter_map(|line| line.strip_prefix("S ").map(str::to_owned));
        found.extend(left_out.filter(|path| wanted.contains(path.as_str())));
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
