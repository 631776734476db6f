//! The steps that replace or remove something of the project's, without losing what was edited in the same moment: what is
//! replaced is set aside first, compared with what was expected there, and put back where it is something else.
//!
//! Where the system can let two files change places in one step, that is how they are replaced: at no moment is there nothing.
//! Elsewhere, the one is renamed and then the other. From another file system, a file is copied beside its place first.
//!
//! Names beside a target, all with the change's token and the operation's number:
//!
//! ```text
//! .NAME.create-app-TOKEN-N       a whole copy of what comes, and then what it replaced
//! .NAME.create-app-TOKEN-N.part  a copy that is not whole
//! .NAME.create-app-TOKEN-N.old   what was there, while it is compared
//! ```

use std::io::ErrorKind;

use super::operation::Kind;
use super::run::{Aside, Run};
use super::state::{SLACK, Seen, Sign, State, beside, exists, free_name, is_same, is_similar, look, state};
use crate::diagnostic::Result;
use crate::plan::Stamp;
use crate::rooted::Spot;
use crate::workspace::disk::{self, Failure, Kept};
use crate::workspace::sync::Synced;

/// The outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done.
    Done,
    /// Something else than was expected is there, and is there still.
    Changed,
}

impl Run<'_> {
    /// Puts what was staged for operation `n` to where `expected` is.
    ///
    /// What is not put yet is either where it was staged or, where that is another file system, whole in `ready` beside its
    /// place: it is put exactly when it is at neither any more.
    pub(super) fn install(&mut self, n: usize, place: &Spot, expected: Option<Stamp>) -> Result<Outcome> {
        let ready = self.ready(n, place);
        let staged = self.txn.staged(n);
        match self.swap(n, &staged, place, expected) {
            // It may have been moved over before.
            Err(failure) if failure.kind() == ErrorKind::CrossesDevices && !exists(&staged) => {}
            Err(failure) if failure.kind() == ErrorKind::CrossesDevices => self.carry_over(n, &staged, place)?,
            Err(failure) if failure.kind() == ErrorKind::NotFound && exists(&ready) => {}
            result => return Ok(result?),
        }
        let outcome = self.swap(n, &ready, place, expected)?;
        if outcome == Outcome::Done && exists(&ready) {
            self.disk.remove_file(&ready)?;
        }
        Ok(outcome)
    }

    /// Puts what was staged beside its place, in which somebody has something else.
    pub(super) fn put_aside(&mut self, n: usize, place: &Spot) -> Result<()> {
        let staged = self.txn.staged(n);
        loop {
            let source = if exists(&staged) { staged.clone() } else { self.ready(n, place) };
            let theirs = free_name(place, ".theirs");
            match self.disk.rename_new(&source, &theirs) {
                Err(failure) if failure.kind() == ErrorKind::AlreadyExists => {}
                Err(failure) if failure.kind() == ErrorKind::CrossesDevices => self.carry_over(n, &source, place)?,
                result => {
                    result?;
                    let (path, other) = (place.path().to_path_buf(), Some(theirs.path().to_path_buf()));
                    self.aside.push(Aside { path, other });
                    return Ok(());
                }
            }
        }
    }

    /// Puts what was kept of operation `n` to where `expected` is. On another file system, it stays where it is as well.
    pub(super) fn restore(&mut self, n: usize, place: &Spot, expected: Option<Stamp>) -> Result<Outcome> {
        let kept = self.txn.kept(n);
        match self.swap(n, &kept, place, expected) {
            Err(failure) if failure.kind() == ErrorKind::CrossesDevices => {}
            result => return Ok(result?),
        }
        self.carry(n, &kept, place)?;
        let ready = self.ready(n, place);
        let outcome = self.swap(n, &ready, place, expected)?;
        if exists(&ready) {
            self.disk.remove_file(&ready)?;
        }
        Ok(outcome)
    }

    /// Moves what was kept of operation `n` to a name that is free: `name` with a suffix.
    pub(super) fn keep_at(&mut self, n: usize, name: &Spot) -> Result<Spot> {
        let kept = self.txn.kept(n);
        let mut source = kept.clone();
        loop {
            let free = free_name(name, ".before");
            match self.disk.rename_new(&source, &free) {
                Err(failure) if failure.kind() == ErrorKind::AlreadyExists => {}
                Err(failure) if failure.kind() == ErrorKind::CrossesDevices => {
                    self.carry(n, &kept, name)?;
                    source = self.ready(n, name);
                }
                result => {
                    result?;
                    return Ok(free);
                }
            }
        }
    }

    /// The name beside a place for what is whole, and will be put there.
    pub(super) fn ready(&self, n: usize, place: &Spot) -> Spot {
        beside(place, &self.token, n, "")
    }

    /// Removes the file or link at `place`, where `expected` is.
    pub(super) fn remove(&mut self, n: usize, place: &Spot, expected: Stamp) -> Result<Outcome> {
        let old = beside(place, &self.token, n, ".old");
        match self.disk.rename(place, &old) {
            Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(Outcome::Done),
            result => result?,
        }
        if self.is_expected(n, &old, expected)? {
            self.disk.remove_file(&old)?;
            return Ok(Outcome::Done);
        }
        self.put_back(&old, place)?;
        Ok(Outcome::Changed)
    }

    /// Whether what was set aside is what was expected.
    fn is_expected(&self, n: usize, spot: &Spot, expected: Stamp) -> disk::Result<bool> {
        match self.unchanged(n, spot) {
            Some(before) => Ok(is_similar(before, expected)),
            None => Ok(is_same(seen(spot)?, expected)),
        }
    }

    /// What was at a target when the change was decided on, where this is that very file and it was not written to since: then it
    /// need not be read again. Whoever finishes what another run began knows nothing of that.
    pub(super) fn unchanged(&self, n: usize, spot: &Spot) -> Option<Stamp> {
        let operation = self.journal.operations.get(n)?;
        let (Kind::Delete { before } | Kind::Put { before: Some(before), .. }) = operation.kind else { return None };
        let sign = (*self.signs.get(n)?)?;
        (sign.is_older(self.sealed) && Sign::of(spot) == Some(sign)).then_some(before)
    }

    /// Lets what is at `from` take the place of `expected`, on one file system. What was there is at `from` then.
    fn swap(&mut self, n: usize, from: &Spot, to: &Spot, expected: Option<Stamp>) -> disk::Result<Outcome> {
        let Some(expected) = expected else {
            return match self.disk.rename_new(from, to) {
                Err(failure) if failure.kind() == ErrorKind::AlreadyExists => Ok(Outcome::Changed),
                result => result.map(|()| Outcome::Done),
            };
        };
        match self.disk.exchange(from, to) {
            Ok(()) => {}
            Err(failure) if failure.kind() == ErrorKind::Unsupported => return self.displace(n, from, to, expected),
            Err(failure) if failure.kind() == ErrorKind::NotFound && exists(from) => return Ok(Outcome::Changed),
            Err(failure) => return Err(failure),
        }
        if self.is_expected(n, from, expected)? {
            return Ok(Outcome::Done);
        }
        self.disk.exchange(from, to)?;
        Ok(Outcome::Changed)
    }

    /// The same where two files cannot change places.
    fn displace(&mut self, n: usize, from: &Spot, to: &Spot, expected: Stamp) -> disk::Result<Outcome> {
        let old = beside(to, &self.token, n, ".old");
        if is_elsewhere(from, to) {
            return Err(Failure::new("cannot write", to.path(), ErrorKind::CrossesDevices));
        }
        match self.disk.rename(to, &old) {
            Err(failure) if failure.kind() == ErrorKind::NotFound && exists(from) => return Ok(Outcome::Changed),
            result => result?,
        }
        if !self.is_expected(n, &old, expected)? {
            self.put_back(&old, to)?;
            return Ok(Outcome::Changed);
        }
        let outcome = match self.disk.rename_new(from, to) {
            Ok(()) => Outcome::Done,
            Err(failure) if failure.kind() == ErrorKind::AlreadyExists => Outcome::Changed,
            Err(failure) => {
                self.put_back(&old, to)?;
                return Err(failure);
            }
        };
        self.disk.remove_file(&old)?;
        Ok(outcome)
    }

    /// Puts an edit back to where it was; where something is again, it stays beside it.
    fn put_back(&mut self, old: &Spot, place: &Spot) -> disk::Result<()> {
        match self.disk.rename_new(old, place) {
            Err(failure) if failure.kind() == ErrorKind::AlreadyExists => self.keep_edit(old, place),
            result => result,
        }
    }

    /// Keeps an edit beside the file that has its place.
    fn keep_edit(&mut self, edit: &Spot, place: &Spot) -> disk::Result<()> {
        loop {
            let kept = free_name(place, ".orig");
            match self.disk.rename_new(edit, &kept) {
                Err(failure) if failure.kind() == ErrorKind::AlreadyExists => {}
                result => {
                    result?;
                    self.aside.push(Aside { path: kept.path().to_path_buf(), other: None });
                    return Ok(());
                }
            }
        }
    }

    /// The same for what is in the journal's directory; a copy on another file system is nobody's open file.
    fn keep_here(&mut self, edit: &Spot, place: &Spot) -> disk::Result<()> {
        match self.keep_edit(edit, place) {
            Err(failure) if failure.kind() == ErrorKind::CrossesDevices => Ok(()),
            result => result,
        }
    }

    /// Copies what comes from another file system to beside its place, whole and synced.
    fn carry(&self, n: usize, from: &Spot, place: &Spot) -> disk::Result<()> {
        let part = beside(place, &self.token, n, ".part");
        if exists(&part) {
            self.disk.remove_file(&part)?;
        }
        if self.disk.copy(from, &part)? == Kept::Copy && self.journal.replaces() {
            self.disk.sync(&[Synced::File(part.clone())])?;
        }
        self.disk.rename(&part, &self.ready(n, place))
    }

    /// The same, and removes it where it comes from.
    fn carry_over(&self, n: usize, from: &Spot, place: &Spot) -> disk::Result<()> {
        self.carry(n, from, place)?;
        self.disk.remove_file(from)
    }

    /// Brings in order what an earlier run has left half done of an operation, so that it can be done, or undone, from
    /// its beginning; returns whether it was put already. What is neither what was there before nor what comes is somebody's
    /// edit.
    pub(super) fn settle(
        &mut self,
        n: usize,
        place: &Spot,
        before: Option<Stamp>,
        after: Option<Stamp>,
    ) -> Result<bool> {
        let [part, old] = [".part", ".old"].map(|suffix| beside(place, &self.token, n, suffix));
        if exists(&part) {
            self.disk.remove_file(&part)?;
        }
        let is_ours = |seen: Seen| [before, after].into_iter().flatten().any(|stamp| is_same(seen, stamp));
        match (seen(&old)?, seen(place)?) {
            (Seen::Nothing, _) => {}
            (_, Seen::Nothing) => self.disk.rename_new(&old, place)?,
            (old_seen, _) if is_ours(old_seen) => self.disk.remove_file(&old)?,
            _ => self.keep_edit(&old, place)?,
        }
        let (staged, ready) = (self.txn.staged(n), self.ready(n, place));
        match (seen(&ready)?, seen(place)?) {
            (found, _) if found == Seen::Nothing || is_ours(found) => {}
            (_, Seen::Nothing) => self.disk.rename_new(&ready, place)?,
            (_, now) if is_ours(now) && self.give_back(&ready, place)? => {}
            _ => self.keep_edit(&ready, place)?,
        }
        if let (Some(_), Some(_)) = (before, after) {
            for (displaced, taker) in [(staged.clone(), State::After), (self.txn.kept(n), State::Before)] {
                let found = seen(&displaced)?;
                if found == Seen::Nothing || is_ours(found) || is_one_file(&displaced, place) {
                    continue;
                }
                match state(seen(place)?, before, after) {
                    now if now == taker => drop(self.give_back(&displaced, place)?),
                    // Somebody has edited both, or it was damaged: who can tell?
                    State::Neither => self.keep_here(&displaced, place)?,
                    State::Before | State::After => {}
                }
            }
        }
        // What is ready is all that there is of what comes, if it was moved over; else it is a copy, or was replaced.
        let is_waiting = |seen: Seen| seen != Seen::Nothing && state(seen, before, after) == State::After;
        let (at_stage, at_place) = (seen(&staged)?, seen(&ready)?);
        let is_moved = at_stage == Seen::Nothing && is_waiting(at_place);
        if at_place != Seen::Nothing && !(is_moved && self.is_forward) {
            self.disk.remove_file(&ready)?;
        }
        Ok(!is_moved
            && (at_stage == Seen::Nothing || before.is_some() && state(at_stage, before, after) == State::Before))
    }

    /// Lets an edit and what has taken its place change places; not where that cannot have been the way in which it did.
    fn give_back(&self, edit: &Spot, place: &Spot) -> Result<bool> {
        match self.disk.exchange(edit, place) {
            Ok(()) => Ok(true),
            Err(failure) if matches!(failure.kind(), ErrorKind::Unsupported | ErrorKind::CrossesDevices) => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Looks again at what was replaced or removed, before it is let go: a program that had such a file open may have written
    /// to it since.
    pub(super) fn look_again(&mut self) -> Result<()> {
        for (n, operation) in self.journal.operations.iter().enumerate() {
            let (Kind::Delete { before } | Kind::Put { before: Some(before), .. }) = operation.kind else { continue };
            let kept = self.txn.kept(n);
            if !may_be_written(&kept, self.sealed) || is_same(seen(&kept)?, before) {
                continue;
            }
            let Ok(place) = self.ways.spot(self.places.way(&operation.target)) else { continue };
            if is_one_file(&kept, &place) {
                continue;
            }
            self.keep_here(&kept, &place)?;
        }
        Ok(())
    }
}

/// The entry at a place.
fn seen(spot: &Spot) -> disk::Result<Seen> {
    look(spot).map_err(|error| Failure::new("cannot read", spot.path(), error))
}

/// Whether something is there that may have been written to since a time, in nanoseconds of the system's clock.
fn may_be_written(spot: &Spot, since: i128) -> bool {
    let Ok(metadata) = spot.metadata() else { return false };
    let modified = metadata.modified().map(cap_std::time::SystemTime::into_std);
    let modified = modified.ok().and_then(|modified| modified.duration_since(std::time::UNIX_EPOCH).ok());
    metadata.is_file() && modified.is_none_or(|modified| modified.as_nanos() as i128 >= since - SLACK)
}

/// Whether two names are of one file.
#[cfg(unix)]
fn is_one_file(a: &Spot, b: &Spot) -> bool {
    use cap_std::fs::MetadataExt as _;
    match (a.metadata(), b.metadata()) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// If the system does not say, two files with the same content are as good as one.
#[cfg(not(unix))]
fn is_one_file(a: &Spot, b: &Spot) -> bool {
    matches!((seen(a), seen(b)), (Ok(a), Ok(b)) if a == b)
}

/// Whether two places are on different file systems, as far as the system tells.
#[cfg(unix)]
fn is_elsewhere(from: &Spot, to: &Spot) -> bool {
    use cap_std::fs::MetadataExt as _;
    let [from, to] = [from, to].map(|spot| spot.directory().dir().dir_metadata().map(|metadata| metadata.dev()).ok());
    from != to
}

#[cfg(not(unix))]
fn is_elsewhere(from: &Spot, to: &Spot) -> bool {
    let volume = |spot: &Spot| spot.path().components().next().map(|first| first.as_os_str().to_owned());
    volume(from) != volume(to)
}
