//! Behind the commit point: the operations are done. That can be repeated from wherever it stopped.

use std::collections::{BTreeSet, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::operation::{Kind, Operation, Places, Target, Txn};
use super::stage::{Guards, sync};
use super::state::{State, ambiguous, beside, exists, free_name, is_same, see, state};
use super::text::Journal;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::plan::Stamp;
use crate::workspace::disk::{Disk, Failure};
use crate::workspace::guard::{Seen, look};

/// A file that somebody edited after the change was decided on. It was left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The file.
    pub path: PathBuf,
    /// Where that is now which belongs in its place; none where that is nothing.
    pub other: Option<PathBuf>,
}

/// Does the operations of a journal, or takes them back.
pub(super) struct Run<'a> {
    pub(super) disk: &'a Disk,
    pub(super) places: Places<'a>,
    pub(super) journal: &'a Journal,
    pub(super) txn: Txn,
    ambiguous: HashSet<usize>,
    guards: Guards<'a>,
    touched: BTreeSet<PathBuf>,
    pub(super) aside: Vec<Aside>,
    /// Whether what was staged may have changed since.
    verify: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(disk: &'a Disk, places: Places<'a>, journal: &'a Journal, verify: bool) -> Self {
        Self {
            disk,
            places,
            journal,
            txn: Txn::below(places.app()),
            ambiguous: ambiguous(&journal.operations),
            guards: Guards::new(&places),
            touched: BTreeSet::new(),
            aside: Vec::new(),
            verify,
        }
    }

    /// Does what is not done yet; returns what was edited meanwhile and left.
    pub(super) fn forward(mut self) -> Result<Vec<Aside>> {
        let (files, lock) = self.journal.parts();
        files.iter().try_for_each(|(n, operation)| self.redo(*n, operation))?;
        self.put_conflicts()?;
        lock.iter().try_for_each(|(n, operation)| self.redo(*n, operation))?;
        self.sync()?;
        Ok(self.aside)
    }

    pub(super) fn sync(&self) -> Result<()> {
        let existing: Vec<&PathBuf> = self.touched.iter().filter(|directory| directory.is_dir()).collect();
        sync(self.disk, self.journal, &existing)
    }

    fn redo(&mut self, n: usize, operation: &Operation) -> Result<()> {
        let (target, path) = (&operation.target, self.places.path(&operation.target));
        match operation.kind {
            // Where there is no way any more, nothing is left to remove: what was put later stands in it.
            Kind::Delete { .. } | Kind::RemoveDir if !self.is_way(target) => return Ok(()),
            Kind::RemoveDir => return self.remove_dir(&path),
            Kind::MakeDir => return self.make_dir(target, &path),
            // Moving what was staged is one step: it is gone exactly when that was done.
            Kind::Put { .. } if !exists(&self.txn.staged(n)) && !exists(&beside(&path, n)) => {
                self.touch(&path);
                return Ok(());
            }
            Kind::Put { .. } | Kind::Delete { .. } => {}
        }
        let seen = self.see(n, target)?;
        match operation.kind {
            Kind::Put { before, after } => match state(&seen, before, Some(after)) {
                State::After => Ok(()),
                State::Before => self.put(n, &path, after),
                State::Neither if target.is_base() => self.put(n, &path, after),
                State::Neither => self.put_aside(n, path, after),
            },
            Kind::Delete { before } => match state(&seen, Some(before), None) {
                State::After => Ok(()),
                State::Before => {
                    self.touch(&path);
                    Ok(self.disk.remove_file(&path)?)
                }
                State::Neither => {
                    self.aside.push(Aside { path, other: None });
                    Ok(())
                }
            },
            Kind::RemoveDir | Kind::MakeDir => Ok(()),
        }
    }

    pub(super) fn is_way(&mut self, target: &Target) -> bool {
        self.guards.check(target, |_| false).is_ok()
    }

    pub(super) fn see(&mut self, n: usize, target: &Target) -> Result<Seen> {
        self.guards.check(target, |_| false)?;
        see(&self.places, target, self.ambiguous.contains(&n))
    }

    fn put(&mut self, n: usize, path: &Path, after: Stamp) -> Result<()> {
        self.put_at(n, path, path, after)
    }

    fn put_aside(&mut self, n: usize, path: PathBuf, after: Stamp) -> Result<()> {
        let theirs = free_name(&path, ".theirs");
        self.put_at(n, &path, &theirs, after)?;
        self.aside.push(Aside { path, other: Some(theirs) });
        Ok(())
    }

    /// Moves what was staged for `path` to `to`, from wherever an earlier run may have left it.
    fn put_at(&mut self, n: usize, path: &Path, to: &Path, after: Stamp) -> Result<()> {
        let (staged, beside) = (self.txn.staged(n), beside(path, n));
        self.touch(path);
        let from = if exists(&staged) { &staged } else { &beside };
        if self.verify {
            self.check_staged(from, after)?;
        }
        if *from == beside {
            return Ok(self.disk.rename(&beside, to)?);
        }
        Ok(self.disk.replace(&staged, to, &beside)?)
    }

    fn check_staged(&self, staged: &Path, after: Stamp) -> Result<()> {
        if is_same(&look(staged).map_err(|error| Failure::new("cannot read", staged, error))?, after) {
            return Ok(());
        }
        let title = format!("`{}` was changed", staged.display());
        Err(Diagnostic::error(Code::Interrupted, title).help("run the command again").into())
    }

    pub(super) fn make_dir(&mut self, target: &Target, path: &Path) -> Result<()> {
        self.guards.check(target, |_| false)?;
        self.touch(path);
        Ok(self.disk.ensure_dir(path)?)
    }

    /// Removes a directory if it is empty; there is no harm in one that stays because somebody uses it.
    pub(super) fn remove_dir(&mut self, path: &Path) -> Result<()> {
        use ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound, PermissionDenied, ResourceBusy};
        self.touch(path);
        match self.disk.remove_dir(path).map_err(|failure| (failure.error.kind(), failure)) {
            Err((DirectoryNotEmpty | NotADirectory | NotFound | PermissionDenied | ResourceBusy, _)) => Ok(()),
            result => Ok(result.map_err(|(_, failure)| failure)?),
        }
    }

    pub(super) fn touch(&mut self, path: &Path) {
        self.touched.extend(path.parent().map(Path::to_path_buf));
    }
}
