//! A run that was killed may have left a change half done: a project is judged only when it is whole.

use std::path::Path;

use super::summary;
use crate::diagnostic::Result;
use crate::report;
use crate::workspace::{self, Held, Recovered, Site};

/// Finishes or takes back what was interrupted, and says so.
///
/// # Errors
///
/// Where that cannot be done, or where somebody else is still at it.
pub(super) fn finish(site: &Site) -> Result<()> {
    tell(site, workspace::recover(site)?);
    Ok(())
}

/// The project at a path, to be read only.
///
/// # Errors
///
/// As [`finish`].
pub(super) fn open(path: &Path) -> Result<Site> {
    let site = Site::locate(path)?;
    finish(&site)?;
    Ok(site)
}

/// The project at a path, which nobody else changes meanwhile. Where there is no directory, there is nothing to hold.
///
/// # Errors
///
/// As [`finish`].
pub(super) fn hold(path: &Path) -> Result<(Site, Option<Held>)> {
    let site = Site::locate(path)?;
    if !site.app.is_dir() {
        return Ok((site, None));
    }
    let (held, recovered) = workspace::hold(&site)?;
    tell(&site, recovered);
    Ok((site, Some(held)))
}

fn tell(site: &Site, recovered: Option<Recovered>) {
    let (what, asides) = match recovered {
        None => return,
        Some(Recovered::Finished(asides)) => ("finished", asides),
        Some(Recovered::TakenBack(asides)) => ("taken back", asides),
        Some(Recovered::Discarded) => ("taken back", Vec::new()),
    };
    report::status(&format!("A change of `{}` that was interrupted has been {what}.", site.shown()));
    summary::warn_of_asides(&asides);
}
