//! The paths of an upgrade to commit.

use std::collections::BTreeSet;

use crate::commands::prospect::Prospect;
use crate::diagnostic::Result;
use crate::git;
use crate::lock::{BASE, DIRECTORY};
use crate::plan::{Action, Changes, effects};
use crate::report::plan::ToCommit;
use crate::tree::RelPath;

/// The paths, below the repository's root, that a commit of the upgrade needs: all that changes, and the record. Not what git
/// ignores, nor what was put beside files in conflict. Nothing outside a repository.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked.
pub(super) fn paths(prospect: &Prospect) -> Result<Option<ToCommit>> {
    let site = &prospect.site;
    let Some(root) = site.repository.as_deref() else { return Ok(None) };
    let mut found = Changed::default();
    found.add(&prospect.plan.files.app, |path| site.in_repository(path.as_str()));
    found.add(&prospect.plan.files.repository, ToString::to_string);
    for lock_file in prospect.lock_files() {
        found.stay.insert(lock_file);
    }
    let all = found.stay.iter().chain(&found.go).map(String::as_str).collect();
    let tracked: BTreeSet<String> = git::entries(root, &all)?.into_iter().map(|entry| entry.path).collect();
    let new: Vec<&str> = found.stay.iter().map(String::as_str).filter(|path| !tracked.contains(*path)).collect();
    let ignored = if new.is_empty() { Vec::new() } else { git::check_ignore(root, new)? };
    let ignored: BTreeSet<String> = ignored.into_iter().map(|ignored| ignored.path).collect();
    // Git refuses a path that is neither there nor in its index.
    let mut paths: BTreeSet<String> = found.go.into_iter().filter(|path| tracked.contains(path)).collect();
    paths.extend(found.stay.into_iter().filter(|path| !ignored.contains(path)));
    let base = prospect.record.lock.base();
    let base = base.into_iter().map(|digest| site.in_repository(&format!("{DIRECTORY}/{BASE}/{digest}")));
    let is_left_out = match git::Sparse::of(root)? {
        Some(sparse) => base.chain(paths.iter().cloned()).any(|path| sparse.leaves_out(&path)),
        None => false,
    };
    paths.insert(site.in_repository(DIRECTORY));
    Ok(Some(ToCommit { paths: paths.into_iter().collect(), is_left_out }))
}

#[derive(Default)]
struct Changed {
    /// The entry afterwards.
    stay: BTreeSet<String>,
    /// What is gone afterwards.
    go: BTreeSet<String>,
}

impl Changed {
    fn add(&mut self, changes: &Changes, name: impl Fn(&RelPath) -> String) {
        let mut beside: BTreeSet<&RelPath> = BTreeSet::new();
        for (path, change) in changes {
            let Action::Conflict(conflict) = &change.action else { continue };
            beside.extend(conflict.beside.iter().map(|(path, _)| path));
            match (&conflict.before, &conflict.stages, &conflict.after) {
                (None, None, _) => drop(beside.insert(path)),
                (_, _, None) => drop(self.go.insert(name(path))),
                _ => drop(self.stay.insert(name(path))),
            }
        }
        for (path, effect) in effects(changes) {
            match effect.after {
                Some(_) if beside.contains(path) => {}
                Some(_) => drop(self.stay.insert(name(path))),
                None => drop(self.go.insert(name(path))),
            }
        }
    }
}
