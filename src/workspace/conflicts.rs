//! The conflicts of a plan, as git's index gets them, and what only the index can keep.

use std::collections::BTreeSet;

use super::disk::Disk;
use super::journal::Index;
use super::lent;
use super::site::Site;
use crate::diagnostic::Result;
use crate::git::{self, Indexed};
use crate::plan::{Action, Changes, Plan, Stages};
use crate::tree::{Entry, Mode, RelPath};

/// A path in conflict, below the repository's root.
struct Conflicted<'a> {
    path: String,
    /// The path that the project's file leaves, where it is another one.
    from: Option<String>,
    stages: &'a Stages,
}

/// The index's entries for the paths in conflict, and what it will hold; the versions are stored as git's objects, which
/// nothing names yet. Nothing of it outside a repository, nor where `.git`, or a link in it, may lead to somebody else's: then the
/// marks in the files are all that there is.
///
/// # Errors
///
/// When git is missing or fails.
pub(super) fn index(disk: &Disk, site: &Site, plan: &Plan) -> Result<Index> {
    if !site.repository.as_deref().is_some_and(git::may_write) {
        return Ok(Index::default());
    }
    let conflicts = conflicted(site, plan);
    let before = git::indexed(site.root(), &paths(&conflicts))?;
    let mut after = Vec::new();
    for conflict in &conflicts {
        disk.step("cannot store objects in", site.root())?;
        let versions = conflict.stages.numbered().map(|(stage, version)| (stage, &version.entry));
        after.extend(git::store(site.root(), &conflict.path, versions)?);
    }
    let mut index = Index { before, after };
    add_kinds(disk, site, plan, &mut index)?;
    index.before.sort();
    index.after.sort();
    Ok(index)
}

/// Adds what the disk cannot keep of a file: that it is executable, or that it is a link. Its content stays as it is staged.
fn add_kinds(disk: &Disk, site: &Site, plan: &Plan, index: &mut Index) -> Result<()> {
    let found = lent::only_in_index(site, plan)?;
    if found.is_empty() {
        return Ok(());
    }
    let before = git::indexed(site.root(), &found.iter().map(|(path, _)| path.as_str()).collect())?;
    for (path, entry) in found {
        let known: Vec<&Indexed> = before.iter().filter(|it| it.path == path).collect();
        let mode = entry.mode();
        let after = match known[..] {
            // Git's index has files and links of one path as it has other changes of the content.
            [one] if one.stage == 0 && mode != Mode::Symlink && one.mode.starts_with("100") => {
                Indexed { mode: mode.as_str().to_owned(), ..one.clone() }
            }
            // Of a file that is not executable, git knows by itself.
            [] if mode == Mode::File => continue,
            [] => stored(disk, site, &path, &entry)?,
            [one] if one.stage == 0 => stored(disk, site, &path, &entry)?,
            // It is in conflict.
            _ => continue,
        };
        index.before.extend(known.into_iter().cloned());
        index.after.push(after);
    }
    Ok(())
}

fn stored(disk: &Disk, site: &Site, path: &str, entry: &Entry) -> Result<Indexed> {
    disk.step("cannot store objects in", site.root())?;
    git::store_entry(site.root(), path, entry)
}

/// The versions of files that only the index has, and that a plan's conflicts put others in place of: by their paths below the
/// repository's root. None outside a repository.
///
/// # Errors
///
/// When git is missing or fails.
pub fn only_staged(site: &Site, plan: &Plan) -> Result<Vec<(String, Entry)>> {
    if site.repository.is_none() {
        return Ok(Vec::new());
    }
    git::only_staged(site.root(), &paths(&conflicted(site, plan)))
}

fn conflicted<'a>(site: &Site, plan: &'a Plan) -> Vec<Conflicted<'a>> {
    let mut conflicts = of(&plan.files.app, |path| site.in_repository(path.as_str()));
    conflicts.extend(of(&plan.files.repository, ToString::to_string));
    conflicts
}

/// Every path whose entries in the index change.
fn paths<'a>(conflicts: &'a [Conflicted<'_>]) -> BTreeSet<&'a str> {
    conflicts.iter().flat_map(|it| it.from.iter().chain([&it.path])).map(String::as_str).collect()
}

fn of(changes: &Changes, name: impl Fn(&RelPath) -> String) -> Vec<Conflicted<'_>> {
    let conflicted = changes.iter().filter_map(|(path, change)| {
        let Action::Conflict(conflict) = &change.action else { return None };
        let from = conflict.before.as_ref().map(|(from, _)| from).filter(|from| *from != path);
        Some(Conflicted { path: name(path), from: from.map(&name), stages: conflict.stages.as_ref()? })
    });
    conflicted.collect()
}
