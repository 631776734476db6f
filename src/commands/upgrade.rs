//! `create-app upgrade`: merges the template's newest version into the project.

mod abort;
mod commit;
mod obstacles;

use std::path::Path;

use self::obstacles::{unheld, unresolved};
use super::interrupted::Opened;
use super::prospect::{self, Prospect};
use super::{Outcome, interrupted, summary};
use crate::answers::prompt;
use crate::cli::UpgradeArgs;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::report;
use crate::report::plan::Told;
use crate::trace;
use crate::workspace::{self, Backup, Findings, Inquiry, Site, Unheld};

/// Runs `create-app upgrade`. A path that cannot be upgraded does not keep the others from it.
///
/// # Errors
///
/// Everything that stopped it, if nothing was written for any of the paths.
pub(super) fn run(args: &UpgradeArgs) -> Result<Outcome> {
    let (mut outcome, mut failures, mut has_written) = (Outcome::Clean, Vec::new(), false);
    for (n, path) in args.paths.iter().enumerate() {
        if n > 0 && !args.json {
            // If it fails, the next output says so.
            drop(report::summary("\n"));
        }
        match if args.abort { abort::run(path, args, &mut has_written) } else { upgrade(path, args, &mut has_written) }
        {
            Ok(Outcome::Differences) => outcome = Outcome::Differences,
            Ok(Outcome::Clean) => {}
            Err(problems) => failures.extend(problems.0),
        }
    }
    let ended = if failures.is_empty() { Ok(outcome) } else { Err(Diagnostics(failures)) };
    super::concluded(ended, has_written)
}

/// Upgrades the project at a path. `has_written` becomes true where something was changed, whatever else goes wrong.
fn upgrade(path: &Path, args: &UpgradeArgs, has_written: &mut bool) -> Result<Outcome> {
    let opened = if args.dry_run {
        Opened { site: interrupted::open(path)?, held: None, recovered: None, is_gone: false }
    } else {
        interrupted::hold(path)?
    };
    let Opened { site, held, recovered, is_gone } = opened;
    *has_written |= recovered.is_some();
    // A new project that was undone is not to be adopted instead.
    if is_gone {
        report::status("There is no project here to upgrade: run the command that was interrupted again.");
        return Ok(Outcome::Clean);
    }
    // While a person thinks about an answer, git's state may change.
    let inquiry = (!prospect::may_ask(&args.render)).then(|| Inquiry::start(&site));
    let Ready { prospect, unresolved, findings, unheld } = prepare(&site, args, inquiry)?;
    let changed = !prospect.is_empty();
    let backup = workspace::backup(&prospect.site, unheld);
    // That git cannot be asked is no reason not to upgrade.
    let to_commit = if changed { commit::paths(&prospect).unwrap_or_default() } else { None };
    let told = Told {
        shown: prospect.site.shown().to_string(),
        given: prospect.site.given(),
        app_dir: prospect.site.app_dir.as_ref(),
        before: prospect.before(),
        made_from: prospect.made_from(),
        lock: &prospect.record.lock,
        plan: &prospect.plan,
        backup: backup.as_ref(),
        changed,
        to_commit: to_commit.as_ref(),
        unresolved: &unresolved,
        secret: prospect.secret.iter().map(String::as_str).collect(),
        inferred: prospect.still_inferred(),
        is_downgrade: prospect.downgrade.is_some(),
        own_lock_files: &prospect.own_lock_files,
        migrated: &prospect.migrated,
    };
    let held = held.filter(|_| changed);
    if held.is_some() && prospect.is_adopted && prospect::may_ask(&args.render) {
        report::status(&report::plan::human(&told));
        if !prompt::confirm("Adopt this project as described above?", false)? {
            report::status("Nothing was written.");
            return Ok(Outcome::Differences);
        }
    }
    if held.is_some()
        && !args.allow_downgrade
        && let Some([new, old]) = &prospect.downgrade
        && !prompt::confirm(&format!("This is a downgrade, from {old} to {new}. Go back to it?"), false)?
    {
        report::status("Nothing was written.");
        return Ok(Outcome::Differences);
    }
    let is_written = held.is_some();
    if let Some(held) = held {
        apply(held, &prospect, backup.as_ref(), &findings)?;
        *has_written = true;
    }
    let printed = match args.json {
        true => report::result(&report::json::upgrade(&told)),
        false if unresolved.is_empty() => report::summary(&report::plan::human(&told)),
        false => Ok(()),
    };
    if is_written {
        super::warn_after_the_fact(printed, "the upgrade is complete");
    } else {
        printed?;
    }
    report::diagnostics(&unresolved);
    report::diagnostics(prospect.mixed.as_slice());
    prospect.say_what_to_commit();
    if args.dry_run {
        report::status("This was a dry run: nothing was written.");
    }
    Ok(if prospect.plan.has_conflicts() || !unresolved.is_empty() { Outcome::Differences } else { Outcome::Clean })
}

/// What is known before anything is changed.
struct Ready {
    prospect: Prospect,
    /// The conflicts that an earlier upgrade or merge left.
    unresolved: Vec<Diagnostic>,
    findings: Findings,
    unheld: Unheld,
}

/// Looks at everything that may keep the upgrade from being done. Where git left the lock in conflict, and something else is in the
/// way, the lock alone is put right.
fn prepare(site: &Site, args: &UpgradeArgs, inquiry: Option<Inquiry>) -> Result<Ready> {
    use Code::{AnswerMissing, NotCheckedOut, RevisionUnknown, SourceUnreachable, TemplateNotFound, Uncommitted};
    let can_wait = [AnswerMissing, NotCheckedOut, RevisionUnknown, SourceUnreachable, TemplateNotFound, Uncommitted];
    let problems = match prepare_all(site, args, inquiry) {
        Err(problems) if problems.0.iter().all(|problem| can_wait.contains(&problem.code)) => problems,
        ready => return ready,
    };
    let Ok(Some(prospect)) = prospect::lock_alone(site.clone(), &args.render) else { return Err(problems) };
    super::warn_after_the_fact(
        Err(problems),
        "only the lock was merged: commit the merge, then run `create-app upgrade` again",
    );
    let (findings, unheld) = (Findings::default(), Unheld::default());
    Ok(Ready { prospect, unresolved: Vec::new(), findings, unheld })
}

fn prepare_all(site: &Site, args: &UpgradeArgs, inquiry: Option<Inquiry>) -> Result<Ready> {
    let prospect = prospect::find(site.clone(), &args.render, Some(&args.commands))?;
    let unresolved = unresolved(&prospect)?;
    if !unresolved.is_empty() && !prospect.is_empty() {
        return Err(Diagnostics(unresolved));
    }
    refuse_downgrade(&prospect, args)?;
    if prospect.is_adopted {
        workspace::refuse_unsettled(&prospect.site, args.allow_dirty)?;
    }
    let findings = inquiry.map_or_else(Findings::default, Inquiry::end);
    let unheld = unheld(&prospect, &findings.committed, args.allow_dirty)?;
    Ok(Ready { prospect, unresolved, findings, unheld })
}

/// Refuses to go back to an older template where nobody can be asked and nobody said so.
fn refuse_downgrade(prospect: &Prospect, args: &UpgradeArgs) -> Result<()> {
    let is_allowed = args.allow_downgrade || prospect.is_empty() || prospect::may_ask(&args.render);
    match &prospect.downgrade {
        Some([new, old]) if !is_allowed => {
            let title = format!("this would be a downgrade: the template is at {new}, the project at {old}");
            let help = "to go back to the older version, pass --allow-downgrade";
            Err(Diagnostic::error(Code::Downgrade, title).help(help).into())
        }
        _ => Ok(()),
    }
}

/// Changes the project, and says what else there is to know.
fn apply(held: workspace::Held, prospect: &Prospect, backup: Option<&Backup>, findings: &Findings) -> Result<()> {
    let stands_on = prospect.on_record().map(|project| project.lock_digest);
    let site = &prospect.site;
    let progress = report::Progress::of_files(prospect.record.lock.files.app.len(), site.shown());
    progress.step("writing");
    let _stage = trace::stage("writing");
    let done = held.upgrade(site, &prospect.plan, &prospect.record, &prospect.lent, backup, stands_on)?;
    drop(progress);
    summary::warn_of(&done);
    // The answer that is there already is as good, unless the change has brought other rules.
    let changes_rules = [&prospect.plan.files.app, &prospect.plan.files.repository]
        .iter()
        .any(|changes| changes.keys().any(|path| path.file_name() == ".gitignore"));
    if site.repository.is_some() && (changes_rules || !findings.shows_record) {
        report::diagnostics(&summary::ignored(site, &prospect.record));
    }
    Ok(())
}
