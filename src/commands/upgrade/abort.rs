//! `create-app upgrade --abort`: the last upgrade is undone, as long as nothing was committed since.

use std::path::Path;

use crate::cli::UpgradeArgs;
use crate::commands::{Outcome, interrupted, summary};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::report;
use crate::workspace::{Aborted, Recovered};

/// Undoes the last upgrade of the app at a path. `has_written` becomes true where something was changed, whatever else goes wrong.
///
/// # Errors
///
/// If there is none that can be undone, and whatever stopped it; nothing has changed then.
pub(super) fn run(path: &Path, args: &UpgradeArgs, has_written: &mut bool) -> Result<Outcome> {
    let opened = interrupted::hold(path)?;
    let site = opened.site;
    *has_written |= opened.recovered.is_some();
    if let Some(Recovered::TakenBack(_) | Recovered::Discarded) = opened.recovered {
        // It may have been an upgrade, or the undoing of one.
        report::status("Nothing else was changed. To undo the upgrade before that, run the command again.");
        return Ok(Outcome::Clean);
    }
    let Some(held) = opened.held else {
        let title = format!("there is no directory `{}`", site.shown());
        return Err(Diagnostic::error(Code::LockMissing, title).help("pass the app's directory").into());
    };
    let Aborted { paths, backup, done } = match held.abort(&site) {
        // What was interrupted was the undoing.
        Err(problems) if opened.recovered.is_some() && problems.0.iter().all(|it| it.code == Code::NothingToAbort) => {
            return Ok(Outcome::Clean);
        }
        aborted => aborted?,
    };
    *has_written = true;
    summary::warn_of(&done);
    let shown = site.shown().to_string();
    let printed = match args.json {
        true => report::result(&report::json::aborted(&shown, &paths, backup.as_ref())),
        false => report::summary(&report::plan::aborted(&shown, &paths, backup.as_ref())),
    };
    crate::commands::warn_after_the_fact(printed, "the upgrade was undone");
    Ok(Outcome::Clean)
}
