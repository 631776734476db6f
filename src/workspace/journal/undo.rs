//! Behind the commit point, when something cannot be done: what was done is taken back. That can be repeated, too.

use std::path::{Path, PathBuf};

use super::busy::check_directory;
use super::operation::{Kind, Operation, Root, Target};
use super::run::{Aside, Run};
use super::state::{State, beside, exists, free_name, state};
use crate::diagnostic::Result;
use crate::lock::DIRECTORY;
use crate::plan::Stamp;
use crate::workspace::disk::Failure;
use crate::workspace::guard::{Seen, look};

impl Run<'_> {
    /// Takes back what is done; returns what was edited meanwhile and left.
    pub(super) fn backward(mut self) -> Result<Vec<Aside>> {
        let (files, lock) = self.journal.parts();
        lock.iter().rev().try_for_each(|(n, operation)| self.undo(*n, operation))?;
        self.restore_index()?;
        files.iter().rev().try_for_each(|(n, operation)| self.undo(*n, operation))?;
        self.sync()?;
        Ok(self.aside)
    }

    fn undo(&mut self, n: usize, operation: &Operation) -> Result<()> {
        let (target, path) = (&operation.target, self.places.path(&operation.target));
        let is_way = self.is_way(target);
        match operation.kind {
            // Where somebody has put a file, no directory is missed: what was in it is kept elsewhere.
            Kind::RemoveDir if !is_way || exists(&path) => Ok(()),
            Kind::RemoveDir => self.make_dir(target, &path),
            // Where there is no way, nothing was made.
            Kind::MakeDir | Kind::Put { before: None, .. } if !is_way => Ok(()),
            Kind::MakeDir => self.remove_dir(&path),
            Kind::Put { before: Some(_), .. } | Kind::Delete { .. } if !is_way => self.keep(n, target, path),
            Kind::Put { before, after } => self.undo_put(n, target, path, before, after),
            Kind::Delete { .. } if self.see(n, target)? == Seen::Nothing => self.take_back(n, &path),
            Kind::Delete { .. } => self.keep(n, target, path),
        }
    }

    fn undo_put(
        &mut self,
        n: usize,
        target: &Target,
        path: PathBuf,
        before: Option<Stamp>,
        after: Stamp,
    ) -> Result<()> {
        let beside = beside(&path, n);
        // What was staged is still there: so nothing was put, and the same file at its place is somebody else's.
        let staged = exists(&self.txn.staged(n)) || exists(&beside);
        if exists(&beside) {
            self.disk.remove_file(&beside)?;
        }
        let state = state(&self.see(n, target)?, before, Some(after));
        match (before, state) {
            (Some(_), State::After) => self.take_back(n, &path),
            (Some(_), State::Neither) if !staged => self.keep(n, target, path),
            (None, State::After) if !staged => {
                self.touch(&path);
                Ok(self.disk.remove_file(&path)?)
            }
            _ => Ok(()),
        }
    }

    /// Puts back what stood at a path.
    fn take_back(&mut self, n: usize, path: &Path) -> Result<()> {
        let old = self.txn.kept(n);
        if !exists(&old) {
            return Ok(());
        }
        self.touch(path);
        Ok(self.disk.restore(&old, path, &beside(path, n))?)
    }

    /// Keeps what stood at a path where somebody has put something else: in `.create-app/backup`, which git ignores.
    fn keep(&mut self, n: usize, target: &Target, path: PathBuf) -> Result<()> {
        let old = self.txn.kept(n);
        let look = |path: &Path| look(path).map_err(|error| Failure::new("cannot read", path, error));
        if !exists(&old) || look(&old)? == look(&path)? {
            return Ok(());
        }
        let backup = self.places.app().join(DIRECTORY).join("backup");
        check_directory(&backup)?;
        let root = if target.root() == Root::Repository { "repository" } else { "app" };
        let name = format!("{root}-{}", target.path().replace('/', "-"));
        let other = free_name(&backup.join(name), ".before");
        self.disk.create_dirs(&backup)?;
        self.disk.rename(&old, &other)?;
        self.touch(&other);
        self.aside.push(Aside { path, other: Some(other) });
        Ok(())
    }
}
