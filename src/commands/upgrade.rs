//! `create-app upgrade`: the project and its template's newest version become one.

mod abort;
mod commit;
mod obstacles;

use std::path::Path;

use self::obstacles::{unheld, unresolved};
use super::interrupted::Opened;
use super::prospect::{self, Prospect};
use super::{Outcome, interrupted, summary};
use crate::cli::UpgradeArgs;
use crate::diagnostic::{Diagnostics, Result};
use crate::report;
use crate::report::plan::Told;
use crate::workspace::{self, Backup, Findings, Inquiry};

/// Runs `create-app upgrade`. A path that cannot be upgraded does not keep the others from it.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written there.
pub(super) fn run(args: &UpgradeArgs) -> Result<Outcome> {
    let (mut outcome, mut failures) = (Outcome::Clean, Vec::new());
    for (n, path) in args.paths.iter().enumerate() {
        if n > 0 && !args.json {
            // Should it fail, what is printed next says so.
            drop(report::summary("\n"));
        }
        match if args.abort { abort::run(path, args) } else { upgrade(path, args) } {
            Ok(Outcome::Differences) => outcome = Outcome::Differences,
            Ok(Outcome::Clean) => {}
            Err(problems) => failures.extend(problems.0),
        }
    }
    if failures.is_empty() { Ok(outcome) } else { Err(Diagnostics(failures)) }
}

fn upgrade(path: &Path, args: &UpgradeArgs) -> Result<Outcome> {
    let opened = if args.dry_run {
        Opened { site: interrupted::open(path)?, held: None, recovered: None, is_gone: false }
    } else {
        interrupted::hold(path)?
    };
    let Opened { site, held, is_gone, .. } = opened;
    // A new project that was taken back is not to be adopted instead.
    if is_gone {
        report::status("There is no project here to upgrade: run the command that was interrupted again.");
        return Ok(Outcome::Clean);
    }
    // While a person thinks about an answer, git may get to know better.
    let inquiry = (!prospect::may_ask(&args.render)).then(|| Inquiry::start(&site));
    let prospect = prospect::find(site, &args.render)?;
    let changed = !prospect.is_empty();
    let unresolved = unresolved(&prospect)?;
    if !unresolved.is_empty() && changed {
        return Err(Diagnostics(unresolved));
    }
    let findings = inquiry.map_or_else(Findings::default, Inquiry::end);
    let unheld = unheld(&prospect, &findings.committed, args.allow_dirty)?;
    let backup = workspace::backup(&prospect.site, unheld);
    // That git cannot be asked is no reason not to upgrade.
    let to_commit = if changed { commit::paths(&prospect).unwrap_or_default() } else { None };
    let held = held.filter(|_| changed);
    let is_written = held.is_some();
    if let Some(held) = held {
        apply(held, &prospect, backup.as_ref(), &findings)?;
    }
    let told = Told {
        shown: prospect.site.shown().to_string(),
        app_dir: prospect.site.app_dir.as_ref(),
        before: prospect.recorded.as_ref().map(|project| &project.lock),
        lock: &prospect.record.lock,
        plan: &prospect.plan,
        backup: backup.as_ref(),
        changed,
        to_commit: to_commit.as_deref(),
        unresolved: &unresolved,
        secret: prospect.secret.iter().map(String::as_str).collect(),
    };
    let printed = match args.json {
        true => report::result(&report::plan::json("upgrade", &told)),
        false if unresolved.is_empty() => report::summary(&report::plan::human(&told)),
        false => Ok(()),
    };
    if is_written {
        super::warn_after_the_fact(printed, "the upgrade is complete");
    } else {
        printed?;
    }
    report::diagnostics(&unresolved);
    if args.dry_run {
        report::status("This was a dry run: nothing was written.");
    }
    Ok(if prospect.plan.has_conflicts() || !unresolved.is_empty() { Outcome::Differences } else { Outcome::Clean })
}

/// Changes the project, and says what else there is to know.
fn apply(held: workspace::Held, prospect: &Prospect, backup: Option<&Backup>, findings: &Findings) -> Result<()> {
    let stands_on = prospect.recorded.as_ref().map(|project| project.lock_digest);
    let site = &prospect.site;
    let progress = report::Progress::of_files(prospect.record.lock.files.len(), site.shown());
    progress.step("writing");
    let done = held.upgrade(site, &prospect.plan, &prospect.record, &prospect.lent, backup, stands_on)?;
    drop(progress);
    summary::warn_of(&done);
    // The answer that is there already is as good, unless the change has brought other rules.
    let changes_rules = [&prospect.plan.app, &prospect.plan.repository]
        .iter()
        .any(|changes| changes.keys().any(|path| path.file_name() == ".gitignore"));
    if site.repository.is_some() && (changes_rules || !findings.shows_record) {
        report::diagnostics(&summary::ignored(site, &prospect.record));
    }
    Ok(())
}
