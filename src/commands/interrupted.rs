//! A run that was killed may have left a change half done: it is finished or undone before anything else.

use std::path::Path;

use super::summary;
use crate::diagnostic::Result;
use crate::report;
use crate::workspace::{self, Held, Recovered, Site};

/// Finishes or undoes what was interrupted, and says so. Returns whether there was something.
///
/// # Errors
///
/// If that cannot be done, or where somebody else is still at it.
pub(super) fn finish(site: &Site) -> Result<bool> {
    let recovered = workspace::recover(site)?;
    let has_written = recovered.is_some();
    tell(site, recovered);
    Ok(has_written)
}

/// The project at a path, to be read only: nothing is written, whatever was interrupted.
///
/// # Errors
///
/// If a change was interrupted, which has to be finished first, or is under way.
pub(super) fn open(path: &Path) -> Result<Site> {
    let site = Site::locate(path)?;
    report::diagnostics(&workspace::refuse_interrupted(&site)?);
    Ok(site)
}

/// A project that is to be changed.
pub(super) struct Opened {
    /// Where it is.
    pub(super) site: Site,
    /// Keeps others from changing it meanwhile. None where there is no directory, and so nothing to hold.
    pub(super) held: Option<Held>,
    /// The outcome of an interrupted change.
    pub(super) recovered: Option<Recovered>,
    /// Whether no project is here: one that was being made, or adopted, was undone.
    pub(super) is_gone: bool,
}

/// The project at a path, which nobody else changes meanwhile; what was interrupted is finished or undone first.
///
/// # Errors
///
/// As [`finish`].
pub(super) fn hold(path: &Path) -> Result<Opened> {
    let site = Site::locate(path)?;
    let (held, recovered) = workspace::hold(&site)?;
    let was_taken_back = matches!(recovered, Some(Recovered::TakenBack(_)));
    tell(&site, recovered.clone());
    Ok(Opened { is_gone: was_taken_back && !site.has_lock(), site, held, recovered })
}

fn tell(site: &Site, recovered: Option<Recovered>) {
    let (what, asides) = match recovered {
        None => return,
        Some(Recovered::Finished(asides)) => ("finished", asides),
        Some(Recovered::TakenBack(asides)) => ("undone", asides),
        Some(Recovered::Discarded) => ("undone", Vec::new()),
    };
    report::status(&format!("An interrupted change of `{}` has been {what}.", site.shown()));
    summary::warn_of_asides(&asides);
}
