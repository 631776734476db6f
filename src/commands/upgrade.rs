//! `create-app upgrade`: the project and its template's newest version become one.

use super::prospect::{self, Prospect};
use super::{Outcome, interrupted, summary};
use crate::cli::UpgradeArgs;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git::{self, Held};
use crate::merge::state::{FileState, Leftover, State, judge};
use crate::plan::{Changes, effects};
use crate::report;
use crate::report::plan::Told;
use crate::tree::{Entry, RelPath, Tree};
use crate::workspace::{self, Backup, Left, Unmerged};

/// Runs `create-app upgrade`.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written.
pub(super) fn run(args: &UpgradeArgs) -> Result<Outcome> {
    let (site, held) =
        if args.dry_run { (interrupted::open(&args.path)?, None) } else { interrupted::hold(&args.path)? };
    let unmerged = Unmerged::ask(&site);
    let prospect = prospect::find(site, &args.render)?;
    let changed = !prospect.is_empty();
    let unresolved = unresolved(&prospect, unmerged)?;
    if !unresolved.is_empty() && changed {
        return Err(Diagnostics(unresolved));
    }
    if !unresolved.is_empty() {
        report::diagnostics(&unresolved);
        return Ok(Outcome::Differences);
    }
    let backup = workspace::backup(&prospect.site, unheld(&prospect, args.allow_dirty)?);
    if let Some(held) = held.filter(|_| changed) {
        apply(held, &prospect, backup.as_ref())?;
    }
    let told = Told {
        shown: prospect.site.shown().to_string(),
        app_dir: prospect.site.app_dir.as_ref(),
        in_git: prospect.site.repository.is_some(),
        before: prospect.recorded.as_ref().map(|project| &project.lock),
        lock: &prospect.record.lock,
        plan: &prospect.plan,
        backup: backup.as_ref(),
        changed,
    };
    report::result(&if args.json { report::plan::json("upgrade", &told) } else { report::plan::human(&told) })?;
    if args.dry_run {
        report::status("This was a dry run: nothing was written.");
    }
    Ok(if prospect.plan.has_conflicts() { Outcome::Differences } else { Outcome::Clean })
}

/// The conflicts of an earlier upgrade or merge. Where the lock has moved on, the plan is empty, but there is nothing to be
/// content with yet; and what they are about must not be merged again.
fn unresolved(prospect: &Prospect, unmerged: Unmerged) -> Result<Vec<Diagnostic>> {
    let Some(project) = &prospect.recorded else { return Ok(Vec::new()) };
    let Left { app, repository, lock } = workspace::leftovers(project, &prospect.ours, unmerged)?;
    let app = judge(&project.bases.app, &prospect.ours.app, &app);
    let repository = judge(&project.bases.repository, &prospect.ours.repository, &repository);
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
    Ok(lock.into_iter().chain(left.map(tell)).collect())
}

fn not_resolved(path: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::Uncommitted, format!("`{path}` has a conflict that is not resolved"))
        .help("resolve it and `git add` the file, then run the command again")
}

/// The project's files that would be replaced or removed and that git does not hold, by their paths below the root.
fn unheld(prospect: &Prospect, allow_dirty: bool) -> Result<Vec<(String, Entry)>> {
    let site = &prospect.site;
    let mut touched = touched(&prospect.plan.app, &prospect.ours.app, |path| site.in_repository(path.as_str()));
    touched.extend(self::touched(&prospect.plan.repository, &prospect.ours.repository, ToString::to_string));
    if site.repository.is_none() {
        return Ok(touched);
    }
    let held = git::status(site.root(), touched.iter().map(|(path, _)| path.as_str()))?;
    let problems = held.iter().filter_map(|(path, held)| match held {
        Held::Unmerged => Some(not_resolved(path)),
        Held::Dirty if !allow_dirty => Some(
            Diagnostic::error(Code::Uncommitted, format!("`{path}` has changes that are not committed"))
                .help("commit or stash them, or give --allow-dirty to merge with them (a copy is kept)"),
        ),
        Held::Dirty | Held::Nowhere => None,
    });
    let problems: Vec<Diagnostic> = problems.collect();
    touched.retain(|(path, _)| held.contains_key(path));
    if problems.is_empty() { Ok(touched) } else { Err(Diagnostics(problems)) }
}

fn touched(changes: &Changes, ours: &Tree, name: impl Fn(&RelPath) -> String) -> Vec<(String, Entry)> {
    let touched = effects(changes).into_iter().filter(|(_, effect)| effect.before.is_some());
    touched.filter_map(|(path, _)| Some((name(path), ours.get(path)?.clone()))).collect()
}

/// Changes the project, and says what else there is to know.
fn apply(held: workspace::Held, prospect: &Prospect, backup: Option<&Backup>) -> Result<()> {
    let stands_on = prospect.recorded.as_ref().map(|project| project.lock_digest);
    let site = &prospect.site;
    // Git looks for rules while the project is changed, unless that may change them.
    let ask = || site.repository.iter().flat_map(|_| summary::ignored(site, &prospect.record)).collect::<Vec<_>>();
    let changes_rules = [&prospect.plan.app, &prospect.plan.repository]
        .iter()
        .any(|changes| changes.keys().any(|path| path.file_name() == ".gitignore"));
    let (asides, ignored) = std::thread::scope(|scope| {
        let asked = (!changes_rules).then(|| scope.spawn(ask));
        let asides = held.upgrade(site, &prospect.plan, &prospect.record, backup, stands_on);
        (asides, asked.map(|asked| asked.join().unwrap_or_default()))
    });
    summary::warn_of_asides(&asides?);
    report::diagnostics(&ignored.unwrap_or_else(ask));
    Ok(())
}
