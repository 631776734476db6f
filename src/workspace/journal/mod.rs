//! Changes that are done whole or not at all, whatever stops the process. docs/architecture.md has the contract:
//!
//! ```text
//! stage    .create-app/txn: new/N what is put, old/N what stood there, journal  (nothing of the project has changed)
//! commit   journal.tmp becomes journal
//! run      delete, rmdir, mkdir, put, git's index, and the lock last; each step can be repeated
//! done     the journal goes, then txn
//! ```
//!
//! Without a journal, or with one that is incomplete, the change was not decided on: `txn` is removed. With one, it is
//! finished; with `abort` beside it, it is taken back.

mod busy;
mod index;
mod operation;
mod run;
mod script;
mod stage;
mod state;
mod text;
mod undo;

use std::path::Path;

pub(super) use busy::Busy;
pub(super) use operation::Places;
pub use run::Aside;
pub(super) use script::Script;
pub(super) use stage::stage;
pub(super) use text::{Index, Journal};

use self::operation::Txn;
use self::run::Run;
use self::text::JournalError;
use super::disk::{Disk, Item};
use super::site::{Site, prefix_beside};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::lock::{DIRECTORY, LOCK};
use crate::tree::Mode;

/// A journal, read and written again.
#[cfg(fuzzing)]
pub(crate) fn reread(bytes: &[u8]) -> Option<String> {
    Journal::parse(bytes).ok().map(|journal| journal.render())
}

/// What became of a change that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// It was finished; files that were edited meanwhile were left.
    Finished(Vec<Aside>),
    /// It was taken back, as it could not be finished then or now; files that were edited meanwhile were left.
    TakenBack(Vec<Aside>),
    /// It had not been decided on, and nothing of the project had changed.
    Discarded,
}

/// Carries out what was staged. What cannot be done is taken back, and nothing has changed then.
pub(super) fn carry_out(disk: &Disk, places: Places<'_>, journal: &Journal, busy: Busy) -> Result<Vec<Aside>> {
    match Run::new(disk, places, journal, false).forward() {
        Ok(aside) => {
            // The change is done. Should its traces stay, the next command finds that out and removes them.
            drop(forget(disk, places, journal));
            Ok(aside)
        }
        Err(problems) => Err(give_up(disk, places, journal, Some(busy), problems)),
    }
}

/// Takes everything back after an error; should that fail, too, the next command tries again.
pub(super) fn give_up(
    disk: &Disk,
    places: Places<'_>,
    journal: &Journal,
    busy: Option<Busy>,
    mut problems: Diagnostics,
) -> Diagnostics {
    match take_back(disk, places, journal, busy) {
        Ok(aside) => problems.0.extend(aside.iter().map(edited)),
        Err(more) => {
            let title = "what was already changed could not be taken back; the next create-app command will try again";
            let help = "mend the cause, then run any create-app command here";
            problems.0.extend(more.0);
            problems.0.push(Diagnostic::error(Code::Interrupted, title).help(help));
        }
    }
    problems
}

fn edited(aside: &Aside) -> Diagnostic {
    let title = format!("`{}` was changed while create-app was at work, and was left as it is", aside.path.display());
    let help = aside.other.as_ref().map(|other| format!("what stood there before is in `{}`", other.display()));
    Diagnostic::warning(Code::Interrupted, title).maybe_help(help)
}

/// Whether a change was interrupted in the project at `app`, or before there was one: two looks at the disk.
pub(super) fn is_pending(app: &Path) -> bool {
    let stands = |name: &str| app.join(DIRECTORY).join(name).symlink_metadata().is_ok();
    stands("txn") || (stands("busy") && !stands(LOCK))
}

/// Whether a change of the project at `app`, which is held, was interrupted.
pub(super) fn is_under_way(app: &Path) -> bool {
    Txn::below(app).path().symlink_metadata().is_ok()
}

/// Finishes, takes back or discards a change that was interrupted.
pub(super) fn recover(disk: &Disk, site: &Site, busy: Busy) -> Result<Recovered> {
    let places = Places::new(&site.app, site);
    let txn = Txn::below(&site.app);
    for directory in [txn.path(), &txn.staged_dir(), &txn.kept_dir()] {
        busy::check_directory(directory)?;
    }
    let Some(journal) = read(&txn)? else {
        disk.remove_tree(txn.path())?;
        return Ok(Recovered::Discarded);
    };
    if journal.app_dir != site.app_dir() {
        return Err(moved(&journal, site));
    }
    if txn.abort().symlink_metadata().is_ok() {
        return take_back(disk, places, &journal, Some(busy)).map(Recovered::TakenBack);
    }
    match Run::new(disk, places, &journal, true).forward() {
        Ok(aside) => {
            forget(disk, places, &journal)?;
            Ok(Recovered::Finished(aside))
        }
        Err(_) => take_back(disk, places, &journal, Some(busy)).map(Recovered::TakenBack),
    }
}

fn read(txn: &Txn) -> Result<Option<Journal>> {
    let path = txn.journal();
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| Diagnostic::io("cannot read", &path, &error))?,
    };
    match Journal::parse(&bytes) {
        Ok(journal) => Ok(Some(journal)),
        Err(JournalError::Incomplete) => Ok(None),
        Err(error @ (JournalError::Version | JournalError::Line(_))) => {
            let title = format!("a change of this project was interrupted, and its journal {error}");
            let help = format!("finish it with the version that began it, or remove `{}`", txn.path().display());
            Err(Diagnostic::error(Code::Interrupted, title).help(help).into())
        }
    }
}

fn moved(journal: &Journal, site: &Site) -> Diagnostics {
    let (then, now) = (&journal.app_dir, site.app_dir());
    let title = "a change of this project was interrupted, and the project was moved since";
    let help = format!("move it from `{now}` back to `{then}` of its repository, and run the command again");
    Diagnostic::error(Code::Interrupted, title).help(help).into()
}

/// Takes everything back: also in a later run, should this one be interrupted.
fn take_back(disk: &Disk, places: Places<'_>, journal: &Journal, busy: Option<Busy>) -> Result<Vec<Aside>> {
    let txn = Txn::below(places.app());
    if txn.abort().symlink_metadata().is_err() {
        // Where the disk has no room even for this, a later run tries the change once more, which is as good.
        let marked = disk.create(&Item { path: txn.abort(), bytes: b"", mode: Mode::File });
        drop(marked.map_err(Diagnostics::from).and_then(|()| stage::sync(disk, journal, &[txn.path()])));
    }
    let aside = Run::new(disk, places, journal, true).backward()?;
    if journal.made > 0 && holds_only_the_record(places.app()) {
        remove_app(disk, places.app(), journal.made, busy)?;
    } else {
        forget(disk, places, journal)?;
    }
    Ok(aside)
}

/// Step 8: without its journal, the change is history.
fn forget(disk: &Disk, places: Places<'_>, journal: &Journal) -> Result<()> {
    let txn = Txn::below(places.app());
    disk.remove_file(&txn.journal())?;
    stage::sync(disk, journal, &[txn.path()])?;
    Ok(disk.remove_tree(txn.path())?)
}

/// Whether nothing is left of an app but what its own change needed.
fn holds_only_the_record(app: &Path) -> bool {
    let only = |directory: &Path, names: &[&str]| {
        std::fs::read_dir(directory).is_ok_and(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| names.iter().any(|name| entry.file_name() == *name)))
        })
    };
    only(app, &[DIRECTORY]) && only(&app.join(DIRECTORY), &["txn", "busy"])
}

/// Removes an app that was made by the change that was taken back: away with its name in one step, then the rest.
fn remove_app(disk: &Disk, app: &Path, made: usize, busy: Option<Busy>) -> Result<()> {
    let parent = app.parent().unwrap_or(app);
    let away = disk.temporary_dir(parent, &prefix_beside(app))?;
    disk.remove_dir(&away)?;
    disk.rename(app, &away)?;
    // Some file systems keep what is open, and with it the directory that it is in.
    drop(busy);
    disk.remove_tree(&away)?;
    let parents: Vec<_> = app.ancestors().skip(1).take(made - 1).map(Path::to_path_buf).collect();
    disk.remove_dirs(&parents.into_iter().rev().collect::<Vec<_>>());
    Ok(())
}
