//! `create-app upgrade`: the project and its template's newest version become one.

mod obstacles;

use self::obstacles::{unheld, unresolved};
use super::prospect::{self, Prospect};
use super::{Outcome, interrupted, summary};
use crate::cli::UpgradeArgs;
use crate::diagnostic::{Diagnostics, Result};
use crate::report;
use crate::report::plan::Told;
use crate::workspace::{self, Backup, Unmerged};

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
        unresolved: &unresolved,
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
