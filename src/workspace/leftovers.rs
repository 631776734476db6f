//! What an upgrade or a merge left for the user to decide, found without any state: in git's index, and beside the files.

use std::collections::BTreeSet;
use std::path::Path;

use super::project::Project;
use super::{ours, site::Site};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git;
use crate::lock::{DIRECTORY, LOCK};
use crate::merge::Base;
use crate::merge::state::{Found, moved};
use crate::plan::Trees;
use crate::tree::{RelPath, Tree};

/// What is left to decide.
#[derive(Debug)]
pub struct Left {
    /// Below the app.
    pub app: Found,
    /// Below the repository's root.
    pub repository: Found,
    /// That git has the lock in conflict, if it has.
    pub lock: Option<Diagnostic>,
}

/// What is left to decide; `trees` are the project's files.
///
/// # Errors
///
/// Where a directory cannot be read, and when git fails, in a repository.
pub fn leftovers(project: &Project, trees: &Trees) -> Result<Left> {
    let (site, bases) = (&project.site, &project.bases);
    let modes = differ_in_mode(&bases.app, &trees.app) || differ_in_mode(&bases.repository, &trees.repository);
    let modes = modes && compares_modes(site)?;
    let unmerged = site.repository.as_deref().map_or(Ok(BTreeSet::new()), git::unmerged)?;
    let below = |prefix: &str| -> BTreeSet<RelPath> {
        unmerged.iter().filter_map(|path| RelPath::new(path.strip_prefix(prefix)?).ok()).collect()
    };
    let tops: BTreeSet<&str> = bases.repository.keys().filter_map(|path| path.as_str().split('/').next()).collect();
    let outside =
        below("").into_iter().filter(|path| path.as_str().split('/').next().is_some_and(|top| tops.contains(top)));
    let found = |base: &Base, tree: &Tree, root: &Path, unmerged: BTreeSet<RelPath>| {
        let moved = moved(base, tree, &bases.moved);
        let paths: BTreeSet<&RelPath> = base.keys().chain(moved.values()).collect();
        Ok::<Found, Diagnostics>(Found { unmerged, beside: ours::beside(root, &paths)?, moved, modes })
    };
    let lock = format!("{DIRECTORY}/{LOCK}");
    Ok(Left {
        app: found(&bases.app, &trees.app, &site.app, below(&site.in_repository("")))?,
        repository: found(&bases.repository, &trees.repository, site.root(), outside.collect())?,
        lock: project
            .in_conflict()
            .or_else(|| unmerged.contains(&site.in_repository(&lock)).then(|| not_added(&site.name_of(&lock)))),
    })
}

/// Somebody decided, and git does not know.
fn not_added(lock: &str) -> Diagnostic {
    Diagnostic::error(Code::LockInvalid, format!("git still has `{lock}` in conflict, although it is decided"))
        .help("`git add` it, and commit the merge")
}

fn differ_in_mode(base: &Base, ours: &Tree) -> bool {
    base.iter().any(|(path, recorded)| ours.get(path).is_some_and(|entry| entry.mode() != recorded.pristine.mode))
}

/// Whether executable bits count here: not on Windows, nor where git's `core.fileMode` is false.
///
/// # Errors
///
/// When git fails, in a repository.
pub fn compares_modes(site: &Site) -> Result<bool> {
    match &site.repository {
        Some(root) if cfg!(unix) => git::compares_modes(root),
        _ => Ok(cfg!(unix)),
    }
}
