//! The conflicts that an upgrade or a merge left: what git's index has in conflict, and what the lock says that
//! create-app itself wrote. Other files may have such names, too: `git mergetool` leaves `NAME.orig`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files::Files;
use super::project::Project;
use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::digest::Digest;
use crate::git;
use crate::limits::{Budget, PROJECT};
use crate::lock::Base;
use crate::lock::{Conflicted, DIRECTORY, LOCK, Pristine};
use crate::merge::state::{Found, moved};
use crate::plan::Trees;
use crate::scope::Scoped;
use crate::tree::{Entry, RelPath, Tree};

/// The unresolved conflicts.
#[derive(Debug)]
pub struct Leftovers {
    /// Of the files.
    pub found: Scoped<Found>,
    /// That git has the lock in conflict, if it has.
    pub lock: Option<Diagnostic>,
}

/// The unresolved conflicts; `trees` are the project's files.
///
/// # Errors
///
/// If a directory cannot be read, and when git fails, in a repository.
pub fn leftovers(project: &Project, trees: &Trees) -> Result<Leftovers> {
    let (site, bases) = (&project.site, &project.bases);
    let modes = compares_modes(site);
    let unmerged = site.repository.as_deref().map_or(Ok(BTreeSet::new()), git::unmerged)?;
    let below = |prefix: &str| -> BTreeSet<RelPath> {
        unmerged.iter().filter_map(|path| RelPath::new(path.strip_prefix(prefix)?).ok()).collect()
    };
    let tops: BTreeSet<&str> =
        bases.files.repository.keys().filter_map(|path| path.as_str().split('/').next()).collect();
    let outside =
        below("").into_iter().filter(|path| path.as_str().split('/').next().is_some_and(|top| tops.contains(top)));
    let found = |base: &Base, tree: &Tree, root: &Path, left: &BTreeMap<RelPath, Conflicted>, unmerged| {
        let moved = moved(base, tree, &bases.moved);
        let marked = left.iter().filter(|(_, left)| **left == Conflicted::File).map(|(path, _)| path.clone());
        Ok::<Found, Diagnostics>(Found {
            unmerged,
            marked: marked.collect(),
            beside: beside(root, left)?,
            moved,
            modes,
        })
    };
    let left = &project.lock.conflicts;
    let lock = format!("{DIRECTORY}/{LOCK}");
    Ok(Leftovers {
        found: Scoped {
            app: found(&bases.files.app, &trees.app, &site.app, &left.app, below(&site.in_repository("")))?,
            repository: found(
                &bases.files.repository,
                &trees.repository,
                site.root(),
                &left.repository,
                outside.collect(),
            )?,
        },
        lock: project
            .in_conflict()
            .or_else(|| unmerged.contains(&site.in_repository(&lock)).then(|| not_added(site, &lock))),
    })
}

/// The unchanged files that were put beside others, by those others.
fn beside(root: &Path, left: &BTreeMap<RelPath, Conflicted>) -> Result<BTreeMap<RelPath, RelPath>> {
    let written: BTreeMap<&RelPath, &Pristine> = left
        .iter()
        .filter_map(|(path, left)| match left {
            Conflicted::Beside(pristine) => Some((path, pristine)),
            Conflicted::File => None,
        })
        .collect();
    if written.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (none, held) = (Base::new(), Budget::new(PROJECT));
    let now = Files::open(root, &none, &held)?.at(&written.keys().copied().collect())?;
    let is_there =
        |(path, pristine): &(&RelPath, &Pristine)| now.get(*path).is_some_and(|now| is_as_written(now, pristine));
    let there = written.into_iter().filter(is_there);
    Ok(there.map(|(path, _)| (beside_what(path, left), path.clone())).collect())
}

/// Whether a file is as it was written, but for the kind of its line ends, which git may convert.
fn is_as_written(now: &Entry, pristine: &Pristine) -> bool {
    let Some(digest) = pristine.digest else { return true };
    let bytes = now.bytes();
    let plain =
        || bytes.windows(2).any(|pair| pair == b"\r\n").then(|| String::from_utf8_lossy(bytes).replace("\r\n", "\n"));
    Digest::of(bytes) == digest || plain().is_some_and(|plain| Digest::of(plain.as_bytes()) == digest)
}

/// The file that another one was put beside: `NAME` of `NAME.theirs`, `NAME.2.theirs` or `NAME.orig`. Where the name was too long
/// for that, the file itself.
fn beside_what(path: &RelPath, left: &BTreeMap<RelPath, Conflicted>) -> RelPath {
    let stem = path.as_str().rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
    let numbered = stem.rsplit_once('.').filter(|(_, number)| number.parse::<u32>().is_ok()).map(|(stem, _)| stem);
    let names = numbered.into_iter().chain([stem]).filter_map(|name| RelPath::new(name).ok());
    let mut names = names.collect::<Vec<_>>();
    let known = names.iter().position(|name| left.contains_key(name));
    known.or(names.len().checked_sub(1)).map_or_else(|| path.clone(), |at| names.swap_remove(at))
}

/// Somebody decided, and git does not know.
fn not_added(site: &Site, lock: &str) -> Diagnostic {
    let shown = site.name_of(lock);
    Diagnostic::error(Code::LockInvalid, format!("git still has `{shown}` in conflict, although it is resolved"))
        .help(format!("run `{}`, and commit the merge", site.git_add(&[], lock)))
}

/// Whether executable bits are known here: on Windows, only git's index has them.
#[must_use]
pub fn compares_modes(site: &Site) -> bool {
    cfg!(unix) || site.repository.is_some()
}
