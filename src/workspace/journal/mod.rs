//! Changes that are done whole or not at all, whatever stops the process. docs/architecture.md has the contract:
//!
//! ```text
//! stage    txn: seal, new/N what is put, old/N what is there, journal  (nothing of the project has changed)
//! commit   journal.tmp becomes journal
//! run      delete, rmdir, mkdir, put, git's index, and the lock last; each step can be repeated
//! done     the journal goes, then txn; of an upgrade, txn becomes last, which `upgrade --abort` undoes
//! ```
//!
//! Without a journal, or with one that is incomplete, the change was not decided on: `txn` is removed. With one, it is
//! finished; with `abort` beside it, it is undone.
//!
//! Nothing of it is in the project (`home`), and no journal is believed that was not written here (`mark`).

mod before;
mod busy;
mod home;
mod index;
mod last;
mod mark;
mod operation;
mod pending;
mod run;
mod script;
mod stage;
mod state;
mod state_dir;
mod strangers;
mod swap;
mod text;
mod txn;
mod undo;
mod way;

use std::ffi::OsStr;

pub(super) use before::Before;
pub(super) use busy::Busy;
pub(super) use last::last;
pub(super) use operation::Places;
pub(super) use pending::{Pending, interrupted, pending};
pub use run::Aside;
pub(super) use script::Script;
pub(super) use stage::{Decided, stage};
#[cfg(test)]
pub(super) use state_dir::tests as state_directory;
pub(super) use strangers::{as_warnings, strangers};
pub(super) use text::Index;

use self::run::{Change, Run};
use super::disk::Disk;
use super::site::{Site, prefix_beside};
use super::sync::Synced;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result, Severity};
use crate::lock::DIRECTORY;
use crate::rooted::{Spot, Ways};

/// A journal, read and written again.
#[cfg(fuzzing)]
pub(crate) fn reread(bytes: &[u8]) -> Option<String> {
    text::Journal::parse(bytes).ok().map(|journal| journal.render())
}

/// The outcome of an interrupted change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// It was finished; files that were edited meanwhile were left.
    Finished(Vec<Aside>),
    /// It was undone, as it could not be finished then or now; files that were edited meanwhile were left.
    TakenBack(Vec<Aside>),
    /// It had not been decided on, and nothing of the project had changed.
    Discarded,
}

/// A change that was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// A file that somebody edited at the same moment, and that was left alone.
    pub asides: Vec<Aside>,
    /// Problems after the change was made: no reason to undo it.
    pub warnings: Vec<Diagnostic>,
}

/// Carries out what was staged. What cannot be done is undone, and nothing has changed then.
pub(super) fn carry_out(disk: &Disk, site: &Site, decided: &Decided) -> Result<Done> {
    let Decided { journal, txn, signs } = decided;
    let change = Change { disk, places: Places::new(site), journal, txn, signs };
    match Run::new(change, false).and_then(Run::forward) {
        Ok((asides, unsynced)) => {
            // Often it is only for a moment that something cannot be removed.
            let left = finish(change).or_else(|_| finish(change)).err().map(|problems| left_behind(change, problems));
            let unsynced =
                unsynced.map(|problems| warnings(problems, "the change is made, but a power cut may undo it"));
            Ok(Done { asides, warnings: [unsynced, left].into_iter().flatten().flatten().collect() })
        }
        Err(problems) => Err(give_up(change, problems)),
    }
}

/// The journal stays, so the next command takes the change for one that was interrupted.
fn left_behind(change: Change<'_>, problems: Diagnostics) -> Vec<Diagnostic> {
    let command = change.places.site().command("upgrade");
    warnings(problems, &format!("the change is made; `{command}` removes what is left of its journal"))
}

fn warnings(problems: Diagnostics, help: &str) -> Vec<Diagnostic> {
    let warning = |problem: Diagnostic| Diagnostic { severity: Severity::Warning, ..problem }.help(help);
    problems.0.into_iter().map(warning).collect()
}

/// Undoes everything after an error; should that fail, too, the next command tries again.
fn give_up(change: Change<'_>, mut problems: Diagnostics) -> Diagnostics {
    match take_back(change) {
        Ok(aside) => problems.0.extend(aside.iter().map(edited)),
        Err(more) => {
            let command = change.places.site().command("upgrade");
            let title = "the changes made so far could not be undone, and the project is half changed";
            let help = format!("fix the cause, then run `{command}`, which tries again");
            problems.0.extend(more.0);
            problems.0.push(Diagnostic::error(Code::Interrupted, title).help(help));
        }
    }
    problems
}

fn edited(aside: &Aside) -> Diagnostic {
    let title = format!("`{}` was changed while create-app was running, and was left as it is", aside.path.display());
    let help = aside.other.as_ref().map(|other| format!("what was there before is in `{}`", other.display()));
    Diagnostic::warning(Code::Interrupted, title).maybe_help(help)
}

/// Finishes, undoes or discards a change that was interrupted.
pub(super) fn recover(disk: &Disk, site: &Site, pending: &Pending) -> Result<Recovered> {
    let Some(journal) = &pending.journal else {
        disk.remove_tree(pending.txn.spot())?;
        return Ok(Recovered::Discarded);
    };
    let change = Change { disk, places: Places::new(site), journal, txn: &pending.txn, signs: &[] };
    if state::exists(&pending.txn.abort()) {
        return take_back(change).map(Recovered::TakenBack);
    }
    match Run::new(change, true).and_then(Run::forward) {
        Ok((asides, _unsynced)) => {
            finish(change)?;
            Ok(Recovered::Finished(asides))
        }
        Err(_) => take_back(change).map(Recovered::TakenBack),
    }
}

/// Undoes everything: also in a later run, should this one be interrupted.
fn take_back(change: Change<'_>) -> Result<Vec<Aside>> {
    let Change { disk, journal, txn, places, .. } = change;
    if !state::exists(&txn.abort()) {
        // Where the disk has no room even for this, a later run tries the change once more, which is as good.
        let marked = disk.create_private(&txn.abort(), b"").map_err(Diagnostics::from);
        drop(marked.and_then(|()| stage::sync(disk, journal, &[Synced::Directory(txn.root().clone())])));
    }
    let aside = Run::new(change, true)?.backward()?;
    if journal.made > 0 {
        remove_app(disk, places, journal.made)?;
    }
    forget(change)?;
    Ok(aside)
}

/// Step 8 of what is done: it cannot be interrupted any more. What an upgrade replaced is kept until the next change.
fn finish(change: Change<'_>) -> Result<()> {
    let Change { disk, journal, txn, .. } = change;
    let last = txn.last();
    if state::exists(&last) {
        disk.remove_tree(&last)?;
    }
    // Where it cannot be kept, it cannot be undone, which is no reason to fail.
    if !state::exists(&txn.before()) || disk.rename(txn.spot(), &last).is_err() {
        return forget(change);
    }
    stage::sync(disk, journal, &[Synced::Directory(last.directory())])
}

/// Step 8: without its journal, the change is history.
fn forget(change: Change<'_>) -> Result<()> {
    let Change { disk, journal, txn, .. } = change;
    disk.remove_file(&txn.journal())?;
    stage::sync(disk, journal, &[Synced::Directory(txn.root().clone())])?;
    Ok(disk.remove_tree(txn.spot())?)
}

/// Removes an app that was made by a change that was undone, if nothing else is in it: away with its name in one step, then
/// the rest, and the directories that were made for it.
fn remove_app(disk: &Disk, places: Places<'_>, made: usize) -> Result<()> {
    let root = crate::rooted::Root::open(places.root());
    let mut ways = Ways::new(root.map_err(|error| Diagnostic::io("cannot open", places.root(), &error))?);
    let way = places.app_way();
    let mut above: Vec<Spot> = Vec::new();
    for end in way.match_indices('/').map(|(at, _)| at).rev().take(made.saturating_sub(1)) {
        above.extend(ways.spot(&way[..end]).ok());
    }
    above.reverse();
    if let Ok(app) = ways.spot(&way)
        && state::exists(&app)
    {
        if !holds_only_the_record(&app) {
            return Ok(());
        }
        let away = disk.temporary_dir(&app.directory(), &prefix_beside(&places.site().app))?;
        disk.remove_dir(&away)?;
        disk.rename(&app, &away)?;
        disk.remove_tree(&away)?;
    }
    disk.remove_dirs(&above);
    Ok(())
}

/// Whether nothing is left of an app but the empty directory of its record.
fn holds_only_the_record(app: &Spot) -> bool {
    let Ok(app) = app.open_directory() else { return false };
    let Ok(entries) = app.entries() else { return false };
    let is_empty = |name: &OsStr| {
        let record = app.spot(name).open_directory();
        record.is_ok_and(|record| record.entries().is_ok_and(|entries| entries.is_empty()))
    };
    entries.iter().all(|(name, _)| name == DIRECTORY && is_empty(name))
}
