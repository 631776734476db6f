//! A copy of the project's files for commands, and the files that a command left.

use std::collections::BTreeSet;
use std::path::Path;

use super::files::Files;
use super::ours::project_files;
use super::site::Site;
use super::walk;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git;
use crate::limits::Budget;
use crate::lock::Base;
use crate::rooted::{Kind, Reader, Root};
use crate::tree::{RelPath, Tree};

/// The most that is copied, in bytes: three times as much is held while a command runs.
const COPIED: u64 = 64 << 20;

/// The app's own files: without links, what git ignores, other apps, other repositories, and the record, which has paths of its own.
///
/// # Errors
///
/// Unreadable files, and more than the limit.
pub fn copied(site: &Site) -> Result<Tree> {
    let root = Root::open(&site.app).map_err(|error| Diagnostic::io("cannot read", &site.app, &error))?;
    let mut reader = Reader::new(&root);
    let mut is_file = |path: &RelPath| matches!(reader.stat(Path::new(path.as_str())), Ok(Some((Kind::File, _))));
    let files: Vec<RelPath> = project_files(site)?.into_iter().filter(|path| is_file(path)).collect();
    read(&site.app, files.iter()).map_err(|problems| {
        if problems.0.iter().any(|problem| problem.code != Code::TooMuch) {
            return problems;
        }
        let title = format!(
            "the project's files are larger than {} MiB in total: commands cannot run in a copy of them",
            COPIED >> 20
        );
        let help = "run `create-app upgrade --silent`, which runs no command, and run the command yourself afterwards";
        Diagnostic::error(Code::TooMuch, title).help(help).into()
    })
}

/// The files that a command left in a directory that held the files `before`. What git ignores is not among them; where there is no
/// repository, the ignore files of the directory count.
///
/// # Errors
///
/// Why they cannot be files of the project, as the rest of a sentence that begins with the command.
pub fn left(site: Option<&Site>, directory: &Path, before: &Tree) -> std::result::Result<Tree, String> {
    let unreadable = |problems: Diagnostics| {
        let titles: Vec<String> = problems.0.into_iter().take(1).map(|problem| problem.title).collect();
        format!("left files that cannot be read: {}", titles.join(", "))
    };
    let known: BTreeSet<&str> = before.keys().map(RelPath::as_str).collect();
    let found = walk::files(directory).map_err(unreadable)?;
    let mut new: Vec<String> = found.into_iter().filter(|path| !known.contains(path.as_str())).collect();
    if let Some(site) = site.filter(|site| site.repository.is_some()) {
        let ignored = git::check_ignore(&site.app, new.iter().map(String::as_str)).map_err(unreadable)?;
        let ignored: BTreeSet<String> = ignored.into_iter().map(|ignored| ignored.path).collect();
        new.retain(|path| !ignored.contains(path));
    }
    let root = Root::open(directory).map_err(|error| format!("left a directory that cannot be read: {error}"))?;
    let mut reader = Reader::new(&root);
    let mut files = BTreeSet::new();
    for path in &new {
        let path = RelPath::new(path.as_str()).map_err(|reason| format!("left `{path}`, which {reason}"))?;
        match reader.stat(Path::new(path.as_str())) {
            Ok(Some((Kind::File, _))) => files.insert(path),
            _ => return Err(format!("left `{path}`, which is not a regular file")),
        };
    }
    for path in before.keys() {
        match reader.stat(Path::new(path.as_str())) {
            Ok(Some((Kind::File, _))) => drop(files.insert(path.clone())),
            Ok(Some((Kind::Directory, _)) | None) | Err(_) => {}
            Ok(Some(_)) => return Err(format!("left `{path}`, which is not a regular file")),
        }
    }
    read(directory, files.iter()).map_err(unreadable)
}

fn read<'p>(directory: &Path, paths: impl Iterator<Item = &'p RelPath>) -> Result<Tree> {
    let (none, held) = (Base::new(), Budget::new(COPIED));
    Files::open(directory, &none, &held)?.in_place(paths)
}
