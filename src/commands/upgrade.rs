//! `create-app upgrade`: the project and its template's newest version become one.

mod obstacles;

use self::obstacles::{unheld, unresolved};
use super::prospect::{self, Prospect};
use super::{Outcome, interrupted, summary};
use crate::cli::UpgradeArgs;
use crate::diagnostic::{Diagnostics, Result};
use crate::report;
use crate::report::plan::Told;
use crate::workspace::{self, Backup, Findings, Inquiry};

/// Runs `create-app upgrade`.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written.
pub(super) fn run(args: &UpgradeArgs) -> Result<Outcome> {
    let (site, held) =
        if args.dry_run { (interrupted::open(&args.path)?, None) } else { interrupted::hold(&args.path)? };
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
    if let Some(held) = held.filter(|_| changed) {
        apply(held, &prospect, backup.as_ref(), &findings)?;
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
        unresolved: &unresolved,
        secret: prospect.secret.iter().map(String::as_str).collect(),
    };
    if args.json {
        report::result(&report::plan::json("upgrade", &told))?;
    } else if unresolved.is_empty() {
        report::result(&report::plan::human(&told))?;
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
    let asides = held.upgrade(site, &prospect.plan, &prospect.record, backup, stands_on)?;
    summary::warn_of_asides(&asides);
    // The answer that is there already is as good, unless the change has brought other rules.
    let changes_rules = [&prospect.plan.app, &prospect.plan.repository]
        .iter()
        .any(|changes| changes.keys().any(|path| path.file_name() == ".gitignore"));
    if site.repository.is_some() && (changes_rules || !findings.shows_record) {
        report::diagnostics(&summary::ignored(site, &prospect.record));
    }
    Ok(())
}
