//! `create-app upgrade`: the project and its template's newest version become one.

use super::prospect::{self, Prospect};
use super::{Outcome, summary};
use crate::cli::UpgradeArgs;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git::{self, Held, Unmerged};
use crate::merge::state::{FileState, State, judge};
use crate::plan::{Action, Changes, effects};
use crate::report;
use crate::report::plan::Told;
use crate::tree::{Entry, RelPath, Tree};
use crate::workspace::{self, Backup};

/// Runs `create-app upgrade`.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written.
pub(super) fn run(args: &UpgradeArgs) -> Result<Outcome> {
    let prospect = prospect::find(&args.path, &args.render)?;
    let backup = workspace::backup(&prospect.site, unheld(&prospect, args.allow_dirty)?);
    let told = Told {
        shown: prospect.site.shown().to_string(),
        app_dir: prospect.site.app_dir.as_ref(),
        before: prospect.recorded.as_ref().map(|project| &project.lock.template),
        lock: &prospect.record.lock,
        plan: &prospect.plan,
        backup: backup.as_ref(),
        changed: !prospect.is_empty(),
    };
    if !told.changed {
        let left = left_to_resolve(&prospect)?;
        if !left.is_empty() {
            report::diagnostics(&left);
            return Ok(Outcome::Differences);
        }
    }
    if told.changed && !args.dry_run {
        apply(&prospect, backup.as_ref())?;
    }
    report::result(&if args.json { report::plan::json("upgrade", &told) } else { report::plan::human(&told) })?;
    if args.dry_run {
        report::status("This was a dry run: nothing was written.");
    }
    Ok(if prospect.plan.has_conflicts() { Outcome::Differences } else { Outcome::Clean })
}

/// The conflicts of an earlier upgrade: the lock has moved on, but there is nothing to be content with yet.
fn left_to_resolve(prospect: &Prospect) -> Result<Vec<Diagnostic>> {
    let Some(project) = &prospect.recorded else { return Ok(Vec::new()) };
    let [app, repository] = workspace::leftovers(project, &prospect.ours)?;
    let app = judge(&project.bases.app, &prospect.ours.app, &app);
    let repository = judge(&project.bases.repository, &prospect.ours.repository, &repository);
    let left = app.into_iter().chain(repository).filter(|file| file.state == State::Conflict);
    let tell = |file: FileState| {
        Diagnostic::error(Code::Uncommitted, format!("`{}` has a conflict that is not resolved", file.path))
            .help("resolve it and `git add` the file, then run the command again")
    };
    Ok(left.map(tell).collect())
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
        Held::Unmerged => Some(
            Diagnostic::error(Code::Uncommitted, format!("`{path}` has a conflict that is not resolved"))
                .help("resolve it and `git add` the file, then run the command again"),
        ),
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

/// Keeps what git does not hold, changes the project, and tells git of the conflicts.
fn apply(prospect: &Prospect, backup: Option<&Backup>) -> Result<()> {
    let site = &prospect.site;
    let conflicts = conflicts(prospect);
    let conflicts: Vec<Unmerged<'_>> = conflicts.iter().map(Conflicted::for_git).collect();
    let lines = if site.repository.is_some() { git::store(site.root(), &conflicts)? } else { Vec::new() };
    backup.map(|backup| workspace::keep(site, backup)).transpose()?;
    let stands_on = prospect.recorded.as_ref().map(|project| project.lock_digest);
    let asides = workspace::upgrade(site, &prospect.plan, &prospect.record, stands_on)?;
    summary::warn_of_asides(&asides);
    if let Err(problems) = git::mark_conflicts(site.root(), &lines) {
        let warn = |problem: Diagnostic| {
            let title = format!("git does not know of the conflicts, the files do: {}", problem.title);
            Diagnostic::warning(problem.code, title).help("resolve them in the files, then commit")
        };
        report::diagnostics(&problems.0.into_iter().map(warn).collect::<Vec<_>>());
    }
    if site.repository.is_some() {
        summary::warn_of_ignored(site, &prospect.record);
    }
    Ok(())
}

/// A conflict for git's index, by its paths below the repository's root.
struct Conflicted<'a> {
    path: String,
    from: Option<String>,
    stages: &'a crate::plan::Stages,
}

impl Conflicted<'_> {
    fn for_git(&self) -> Unmerged<'_> {
        Unmerged { path: &self.path, from: self.from.as_deref(), stages: self.stages }
    }
}

fn conflicts(prospect: &Prospect) -> Vec<Conflicted<'_>> {
    let site = &prospect.site;
    let app = prospect.plan.app.iter().map(|(path, change)| (true, path, change));
    let all = app.chain(prospect.plan.repository.iter().map(|(path, change)| (false, path, change)));
    let conflicted = all.filter_map(|(app, path, change)| {
        let Action::Conflict(conflict) = &change.action else { return None };
        let name = |path: &RelPath| if app { site.in_repository(path.as_str()) } else { path.to_string() };
        let from = conflict.before.as_ref().map(|(from, _)| from).filter(|from| *from != path);
        Some(Conflicted { path: name(path), from: from.map(name), stages: conflict.stages.as_ref()? })
    });
    conflicted.collect()
}
