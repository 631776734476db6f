//! Obstacles to an upgrade: conflicts that are left, and changes that git does not hold.

use std::collections::BTreeSet;

use crate::commands::prospect::Prospect;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git::{self, Committed, FileStatus};
use crate::merge::state::{FileState, Leftover, State, judge_all};
use crate::plan::{Changes, effects};
use crate::scope::Scoped;
use crate::tree::{Entry, RelPath, Tree};
use crate::workspace::{self, Leftovers, Unheld};

/// The conflicts of an earlier upgrade or merge. Where the lock has moved on, the plan is empty, but there is nothing to be
/// content with yet; and what they are about must not be merged again.
pub(super) fn unresolved(prospect: &Prospect) -> Result<Vec<Diagnostic>> {
    let Some(project) = &prospect.recorded else { return Ok(Vec::new()) };
    let Leftovers { found, lock } = workspace::leftovers(project, &prospect.ours)?;
    let Scoped { app, repository } = judge_all(&project.bases, &prospect.ours, &found);
    let left = app.into_iter().chain(repository).filter(|file| file.state == State::Conflict);
    let tell = |file: FileState| {
        let problem = not_resolved(file.now.as_ref().unwrap_or(&file.path));
        let beside = file.leftovers.iter().find_map(|leftover| match leftover {
            Leftover::Beside(path) => Some(path),
            Leftover::Unmerged | Leftover::Markers => None,
        });
        match beside {
            Some(path) => {
                problem.help(format!("take what you need from it and remove `{path}`, then run the command again"))
            }
            None => problem,
        }
    };
    // A lock that can be read from both sides is put right by this upgrade.
    let lock = lock.filter(|_| project.merging.is_none());
    Ok(lock.into_iter().chain(left.map(tell)).collect())
}

fn not_resolved(path: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::Uncommitted, format!("`{path}` has an unresolved conflict"))
        .help("resolve it and `git add` the file, then run the command again")
}

/// The project's files that would be replaced or removed and that git does not hold, and what git's index would hold no more.
pub(super) fn unheld(prospect: &Prospect, committed: &Committed, allow_dirty: bool) -> Result<Unheld> {
    let site = &prospect.site;
    let mut touched = touched(&prospect.plan.files.app, &prospect.ours.app, |path| site.in_repository(path.as_str()));
    touched.extend(self::touched(&prospect.plan.files.repository, &prospect.ours.repository, ToString::to_string));
    if site.repository.is_none() {
        return Ok(Unheld { files: touched, staged: Vec::new() });
    }
    let staged = workspace::only_staged(site, &prospect.plan)?;
    let paths: BTreeSet<&str> = touched.iter().chain(&staged).map(|(path, _)| path.as_str()).collect();
    let held = git::status(site.root(), committed, &paths)?;
    let problems = held.iter().filter_map(|(path, held)| match held {
        FileStatus::Unmerged => Some(not_resolved(path)),
        FileStatus::Dirty if !allow_dirty => Some(
            Diagnostic::error(Code::Uncommitted, format!("`{path}` has uncommitted changes"))
                .help("commit or stash them, or pass --allow-dirty to merge with them (a copy is kept)"),
        ),
        FileStatus::Dirty | FileStatus::Nowhere => None,
    });
    let problems: Vec<Diagnostic> = problems.collect();
    touched.retain(|(path, _)| held.contains_key(path));
    if problems.is_empty() { Ok(Unheld { files: touched, staged }) } else { Err(Diagnostics(problems)) }
}

fn touched(changes: &Changes, ours: &Tree, name: impl Fn(&RelPath) -> String) -> Vec<(String, Entry)> {
    let touched = effects(changes).into_iter().filter(|(_, effect)| effect.before.is_some());
    touched.filter_map(|(path, _)| Some((name(path), ours.get(path)?.clone()))).collect()
}
