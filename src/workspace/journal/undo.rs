//! Behind the commit point, when something cannot be done: what was done is undone. That can be repeated, too.

use super::operation::{Kind, Operation, Root as Below, Target};
use super::run::{Aside, Run};
use super::state::{Seen, State, exists, look, state};
use super::swap::Outcome;
use super::way::{spot, unreachable};
use crate::diagnostic::Result;
use crate::plan::Stamp;
use crate::rooted::Spot;
use crate::workspace::disk::Failure;

/// Where what was there is kept when its place is taken.
const BACKUP: &str = "backup";

impl Run<'_> {
    /// Undoes what is done; returns what was edited meanwhile and left.
    pub(super) fn backward(mut self) -> Result<Vec<Aside>> {
        self.is_forward = false;
        let (mut files, mut lock) = self.journal.parts();
        if let Some((staging, _)) = self.staging()? {
            // The app never got to its place: what is there is somebody else's.
            let journal = self.journal;
            for part in [&mut files, &mut lock] {
                part.retain(|(_, operation)| !journal.is_placed(operation));
            }
            self.disk.remove_tree(&staging)?;
        }
        lock.iter().rev().try_for_each(|(n, operation)| self.undo(*n, operation))?;
        self.restore_index()?;
        files.iter().rev().try_for_each(|(n, operation)| self.undo(*n, operation))?;
        // It is undone, whether or not that survives a power cut.
        drop(self.sync());
        Ok(self.aside)
    }

    fn undo(&mut self, n: usize, operation: &Operation) -> Result<()> {
        let target = &operation.target;
        let is_way = self.is_way(target)?;
        match operation.kind {
            // Where somebody has put a file, no directory is missed: what was in it is kept elsewhere.
            Kind::RemoveDir if !is_way || self.see(n, target)? != Seen::Nothing => Ok(()),
            Kind::RemoveDir => self.make_dir(target),
            // Where there is no way, nothing was made.
            Kind::MakeDir | Kind::Put { before: None, .. } if !is_way => Ok(()),
            Kind::MakeDir => self.remove_dir(target),
            Kind::Put { before: Some(_), .. } | Kind::Delete { .. } if !is_way => self.keep(n, target),
            Kind::Put { before, after } => self.undo_put(n, target, before, after),
            Kind::Delete { before } => self.undo_delete(n, target, before),
        }
    }

    fn undo_delete(&mut self, n: usize, target: &Target, before: Stamp) -> Result<()> {
        if let Some(place) = self.place_of(target)? {
            self.settle(n, &place, Some(before), None)?;
        }
        match self.see(n, target)? {
            Seen::Nothing => self.take_back(n, target, None),
            _ => self.keep(n, target),
        }
    }

    fn undo_put(&mut self, n: usize, target: &Target, before: Option<Stamp>, after: Stamp) -> Result<()> {
        let Some(place) = self.place_of(target)? else {
            return if before.is_some() { self.keep(n, target) } else { Ok(()) };
        };
        // What is not put yet may well be there: then it is somebody else's.
        let is_put = self.settle(n, &place, before, Some(after))?;
        match (before, state(self.see(n, target)?, before, Some(after))) {
            (Some(_), State::After) if is_put => self.take_back(n, target, Some(after)),
            (Some(_), State::Neither) if is_put => self.keep(n, target),
            (None, State::After) if is_put => {
                self.touch(target);
                // What somebody has edited in this moment is theirs.
                self.remove(n, &place, after).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// The place of a target; `None` if its directory is gone.
    fn place_of(&mut self, target: &Target) -> Result<Option<Spot>> {
        match self.ways.spot(self.places.way(target)) {
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(unreachable("cannot write", &self.places, target, &failure)),
            Ok(place) => Ok(Some(place)),
        }
    }

    /// Puts back what was at a place, where `expected` is now.
    fn take_back(&mut self, n: usize, target: &Target, expected: Option<Stamp>) -> Result<()> {
        if !exists(&self.txn.kept(n)) {
            return Ok(());
        }
        self.touch(target);
        let place = spot(&self.places, &mut self.ways, target)?;
        match self.restore(n, &place, expected)? {
            Outcome::Done => Ok(()),
            Outcome::Changed => self.keep(n, target),
        }
    }

    /// Keeps what was at a place where somebody has put something else: in `.create-app/backup`, which git ignores.
    fn keep(&mut self, n: usize, target: &Target) -> Result<()> {
        let kept = self.txn.kept(n);
        let failed = |spot: &Spot| {
            let path = spot.path().to_path_buf();
            move |error| Failure::new("cannot read", &path, error)
        };
        let seen = look(&kept).map_err(failed(&kept))?;
        let now = match self.ways.spot(self.places.way(target)) {
            Ok(place) => look(&place).map_err(failed(&place))?,
            Err(_) => Seen::Other,
        };
        if seen == Seen::Nothing || seen == now {
            return Ok(());
        }
        let root = if target.root() == Below::Repository { "repository" } else { "app" };
        let name = format!("{root}-{}", target.path().replace('/', "-"));
        for directory in ["", BACKUP] {
            self.make_dir(&Target::record(directory))?;
        }
        let wanted = Target::record(&format!("{BACKUP}/{name}"));
        let wanted = spot(&self.places, &mut self.ways, &wanted)?;
        let other = self.keep_at(n, &wanted)?;
        self.touch(&Target::record(&format!("{BACKUP}/{name}")));
        self.aside.push(Aside { path: self.places.path(target), other: Some(other.path().to_path_buf()) });
        Ok(())
    }
}
