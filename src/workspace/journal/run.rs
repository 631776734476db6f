//! Behind the commit point: the operations are done. That can be repeated from wherever it stopped.
//!
//! The way to each target is found again for each step, and what a step replaces or removes is compared with what was
//! there when the change was decided on (`swap`): an edit in the same moment is not lost.

use std::collections::{BTreeSet, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::operation::{Kind, Operation, Places, Target};
use super::stage::{see, sync};
use super::state::{Seen, Sign, State, ambiguous, exists, is_same, look, state};
use super::swap::Outcome;
use super::text::Journal;
use super::txn::Txn;
use super::way::spot;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::plan::Stamp;
use crate::rooted::{Access, Failure as Unreached, Root, Spot, Ways};
use crate::workspace::disk::{Disk, Failure};
use crate::workspace::sync::Synced;

/// A file that somebody edited after the change was decided on. It was left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The file.
    pub path: PathBuf,
    /// Where that is now which belongs in its place; `None` if that is nothing.
    pub other: Option<PathBuf>,
}

/// A change that is decided on, with all that it takes to carry it out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) disk: &'a Disk,
    pub(super) places: Places<'a>,
    pub(super) journal: &'a Journal,
    pub(super) txn: &'a Txn,
    /// The targets' files as they were last seen, by operation; empty where nobody has looked yet.
    pub(super) signs: &'a [Option<Sign>],
}

/// Does the operations of a journal, or undoes them.
pub(super) struct Run<'a> {
    pub(super) disk: &'a Disk,
    pub(super) places: Places<'a>,
    pub(super) journal: &'a Journal,
    pub(super) txn: &'a Txn,
    pub(super) signs: &'a [Option<Sign>],
    pub(super) ways: Ways,
    /// For the names that are used beside targets.
    pub(super) token: String,
    ambiguous: HashSet<usize>,
    /// Directories below the root in which names change.
    touched: BTreeSet<String>,
    pub(super) aside: Vec<Aside>,
    /// The time of the last change of the seal, in nanoseconds.
    pub(super) sealed: i128,
    /// Whether an earlier run may have begun, and what was staged may have changed since.
    verify: bool,
    /// Whether the operations are done, and not undone.
    pub(super) is_forward: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(change: Change<'a>, verify: bool) -> Result<Self> {
        let Change { disk, places, journal, txn, signs } = change;
        let root = Root::open(places.root());
        let root = root.map_err(|error| Diagnostic::io("cannot open", places.root(), &error))?;
        Ok(Self {
            disk,
            places,
            journal,
            txn,
            signs,
            ways: Ways::new(root),
            token: journal.token(),
            ambiguous: ambiguous(&journal.operations),
            touched: BTreeSet::new(),
            sealed: journal.bond.as_ref().and_then(|bond| bond.seal.time()).unwrap_or_default(),
            aside: Vec::new(),
            verify,
            is_forward: true,
        })
    }

    /// Does what is not done yet; returns what was edited meanwhile and left, and why it is not certain that all of it survives a
    /// power cut.
    pub(super) fn forward(mut self) -> Result<(Vec<Aside>, Option<Diagnostics>)> {
        self.place()?;
        let (files, lock) = self.journal.parts();
        files.iter().try_for_each(|(n, operation)| self.redo(*n, operation))?;
        self.put_conflicts()?;
        lock.iter().try_for_each(|(n, operation)| self.redo(*n, operation))?;
        let unsynced = self.sync().err();
        self.look_again()?;
        Ok((self.aside, unsynced))
    }

    /// Moves an app that was built beside its place there; that is one step.
    fn place(&mut self) -> Result<()> {
        match self.staging()? {
            Some((staging, place)) => Ok(self.disk.rename_new(&staging, &place)?),
            None => Ok(()),
        }
    }

    /// Where the app was built, if it is still there, and its place.
    pub(super) fn staging(&mut self) -> Result<Option<(Spot, Spot)>> {
        let Some(staging) = &self.journal.staging else { return Ok(None) };
        let app = self.places.app_way();
        let place = self.ways.spot(&app).map_err(|failure| failure.diagnostic("cannot write", Path::new(&app)))?;
        let staging = place.beside(staging);
        Ok(exists(&staging).then_some((staging, place)))
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        let mut directories = Vec::new();
        for directory in &self.touched {
            match self.ways.directory(directory) {
                Ok(root) => directories.push(Synced::Directory(root)),
                // It has gone since, and its names with it.
                Err(Unreached::Io(error)) if error.kind() != ErrorKind::NotFound => {
                    return Err(Failure::new("cannot open", &self.places.root().join(directory), error).into());
                }
                Err(_) => {}
            }
        }
        sync(self.disk, self.journal, &directories)
    }

    fn redo(&mut self, n: usize, operation: &Operation) -> Result<()> {
        let target = &operation.target;
        match operation.kind {
            // Where there is no way any more, nothing is left to remove: what was put later is in it.
            Kind::Delete { .. } | Kind::RemoveDir if !self.is_way(target)? => Ok(()),
            Kind::RemoveDir => self.remove_dir(target),
            Kind::MakeDir => self.make_dir(target),
            Kind::Put { before, after } => self.redo_put(n, target, before, after),
            Kind::Delete { before } => self.redo_delete(n, target, before),
        }
    }

    fn redo_put(&mut self, n: usize, target: &Target, before: Option<Stamp>, after: Stamp) -> Result<()> {
        self.touch(target);
        if self.journal.is_placed_at(n) {
            return Ok(());
        }
        let place = spot(&self.places, &mut self.ways, target)?;
        if self.verify {
            if self.settle(n, &place, before, Some(after))? {
                return Ok(());
            }
            self.check_staged(n, &place, after)?;
        }
        let seen = self.see_at(n, target, &place)?;
        let expected = match state(seen, before, Some(after)) {
            State::After => return Ok(()),
            State::Before => before,
            State::Neither if target.is_base() => match seen {
                Seen::Entry(wrong) => Some(wrong),
                Seen::Nothing | Seen::Other => None,
            },
            State::Neither => return self.put_aside(n, &place),
        };
        match self.install(n, &place, expected)? {
            Outcome::Done => Ok(()),
            Outcome::Changed => self.put_aside(n, &place),
        }
    }

    fn redo_delete(&mut self, n: usize, target: &Target, before: Stamp) -> Result<()> {
        let left = |path| Aside { path, other: None };
        let place = match self.ways.spot(self.places.way(target)) {
            Err(failure) if failure.is_missing() => return Ok(()),
            Err(failure) => return Err(super::way::unreachable("cannot remove", &self.places, target, &failure)),
            Ok(place) => place,
        };
        if self.verify {
            self.settle(n, &place, Some(before), None)?;
        }
        match state(self.see_at(n, target, &place)?, Some(before), None) {
            State::After => Ok(()),
            State::Before => {
                self.touch(target);
                if self.remove(n, &place, before)? == Outcome::Changed {
                    self.aside.push(left(place.path().to_path_buf()));
                }
                Ok(())
            }
            State::Neither => {
                self.aside.push(left(place.path().to_path_buf()));
                Ok(())
            }
        }
    }

    /// Checks that what is to be put is what was staged.
    fn check_staged(&self, n: usize, place: &Spot, after: Stamp) -> Result<()> {
        let staged = self.txn.staged(n);
        let staged = if exists(&staged) { staged } else { self.ready(n, place) };
        let seen = look(&staged).map_err(|error| Failure::new("cannot read", staged.path(), error))?;
        if is_same(seen, after) {
            return Ok(());
        }
        let title = format!("`{}` was changed", staged.path().display());
        Err(Diagnostic::error(Code::Interrupted, title).help("run the command again").into())
    }

    /// Whether nothing but directories, or nothing at all, is on the way to a target.
    pub(super) fn is_way(&mut self, target: &Target) -> Result<bool> {
        match self.ways.spot(self.places.way(target)) {
            Ok(_) => Ok(true),
            Err(Unreached::Link(_) | Unreached::NotADirectory(..)) => Ok(false),
            Err(Unreached::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(failure) => Err(super::way::unreachable("cannot write", &self.places, target, &failure)),
        }
    }

    /// The entry at a target whose place is known.
    fn see_at(&mut self, n: usize, target: &Target, place: &Spot) -> Result<Seen> {
        if self.ambiguous.contains(&n) {
            return self.see(n, target);
        }
        match self.unchanged(n, place) {
            Some(before) => Ok(Seen::Entry(before)),
            None => Ok(look(place).map_err(|error| Failure::new("cannot read", place.path(), error))?),
        }
    }

    pub(super) fn see(&mut self, n: usize, target: &Target) -> Result<Seen> {
        see(&self.places, &mut self.ways, target, self.ambiguous.contains(&n), |_| false)
    }

    pub(super) fn make_dir(&mut self, target: &Target) -> Result<()> {
        self.touch(target);
        let place = spot(&self.places, &mut self.ways, target)?;
        Ok(self.disk.ensure_dir(&place, Access::Usual)?)
    }

    /// Removes a directory if it is empty; there is no harm in one that stays because somebody uses it.
    pub(super) fn remove_dir(&mut self, target: &Target) -> Result<()> {
        use ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound, PermissionDenied, ResourceBusy};
        self.touch(target);
        let Ok(place) = self.ways.spot(self.places.way(target)) else { return Ok(()) };
        match self.disk.remove_dir(&place).map_err(|failure| (failure.kind(), failure)) {
            Err((DirectoryNotEmpty | NotADirectory | NotFound | PermissionDenied | ResourceBusy, _)) => Ok(()),
            result => Ok(result.map_err(|(_, failure)| failure)?),
        }
    }

    pub(super) fn touch(&mut self, target: &Target) {
        let way = self.places.way(target);
        self.touched.insert(way.rsplit_once('/').map_or("", |(above, _)| above).to_owned());
    }
}
