//! Behind the commit point: the operations are done, or taken back. Both can be repeated from wherever they stopped.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::operation::{Kind, Operation, Places, Target, Txn};
use super::stage::{Guards, sync};
use super::text::Journal;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::Digest;
use crate::plan::Stamp;
use crate::tree::{Entry, Mode};
use crate::workspace::disk::{Disk, Failure};
use crate::workspace::guard::{Seen, is_spelled, look};

/// A file that somebody edited after the change was decided on. It was left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The file.
    pub path: PathBuf,
    /// What would have replaced it; none where it would have been removed.
    pub theirs: Option<PathBuf>,
}

/// Does the operations of a journal, or takes them back.
pub(super) struct Run<'a> {
    disk: &'a Disk,
    places: Places<'a>,
    journal: &'a Journal,
    txn: Txn,
    ambiguous: HashSet<usize>,
    guards: Guards<'a>,
    touched: BTreeSet<PathBuf>,
    aside: Vec<Aside>,
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
        for (n, operation) in self.journal.operations.iter().enumerate() {
            self.redo(n, operation)?;
        }
        self.sync()?;
        Ok(self.aside)
    }

    /// Takes back what is done.
    pub(super) fn backward(mut self) -> Result<()> {
        for (n, operation) in self.journal.operations.iter().enumerate().rev() {
            self.undo(n, operation)?;
        }
        self.sync()
    }

    fn sync(&self) -> Result<()> {
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
                    self.aside.push(Aside { path, theirs: None });
                    Ok(())
                }
            },
            Kind::RemoveDir | Kind::MakeDir => Ok(()),
        }
    }

    fn undo(&mut self, n: usize, operation: &Operation) -> Result<()> {
        let (target, path) = (&operation.target, self.places.path(&operation.target));
        let (old, beside) = (self.txn.kept(n), beside(&path, n));
        match operation.kind {
            // Where there is no way yet, nothing was made.
            Kind::MakeDir | Kind::Put { before: None, .. } if !self.is_way(target) => Ok(()),
            Kind::RemoveDir => self.make_dir(target, &path),
            Kind::MakeDir => self.remove_dir(&path),
            Kind::Put { before, after } => {
                // What was staged is still there: so the same file at its place is somebody else's.
                let staged = exists(&self.txn.staged(n)) || exists(&beside);
                if exists(&beside) {
                    self.disk.remove_file(&beside)?;
                }
                let seen = self.see(n, target)?;
                let done = state(&seen, before, Some(after)) == State::After;
                match before {
                    Some(_) if done && exists(&old) => self.take_back(&old, &path, &beside),
                    None if done && !staged => {
                        self.touch(&path);
                        Ok(self.disk.remove_file(&path)?)
                    }
                    _ => Ok(()),
                }
            }
            Kind::Delete { .. } => match self.see(n, target)? {
                Seen::Nothing if exists(&old) => self.take_back(&old, &path, &beside),
                _ => Ok(()),
            },
        }
    }

    fn is_way(&mut self, target: &Target) -> bool {
        self.guards.check(target, |_| false).is_ok()
    }

    fn see(&mut self, n: usize, target: &Target) -> Result<Seen> {
        self.guards.check(target, |_| false)?;
        see(&self.places, target, self.ambiguous.contains(&n))
    }

    fn put(&mut self, n: usize, path: &Path, after: Stamp) -> Result<()> {
        self.put_at(n, path, path, after)
    }

    fn put_aside(&mut self, n: usize, path: PathBuf, after: Stamp) -> Result<()> {
        let theirs = free_name(&path);
        self.put_at(n, &path, &theirs, after)?;
        self.aside.push(Aside { path, theirs: Some(theirs) });
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

    fn take_back(&mut self, old: &Path, path: &Path, beside: &Path) -> Result<()> {
        self.touch(path);
        Ok(self.disk.restore(old, path, beside)?)
    }

    fn make_dir(&mut self, target: &Target, path: &Path) -> Result<()> {
        self.guards.check(target, |_| false)?;
        self.touch(path);
        Ok(self.disk.ensure_dir(path)?)
    }

    /// Removes a directory if it is empty; there is no harm in one that stays.
    fn remove_dir(&mut self, path: &Path) -> Result<()> {
        use ErrorKind as Kind;
        self.touch(path);
        match self.disk.remove_dir(path) {
            Err(failure) if matches!(failure.error.kind(), Kind::Other | Kind::StorageFull) => Err(failure.into()),
            _ => Ok(()),
        }
    }

    fn touch(&mut self, path: &Path) {
        self.touched.extend(path.parent().map(Path::to_path_buf));
    }
}

/// What stands at a target; in another spelling than this, nothing does, if `exactly` is asked for.
pub(super) fn see(places: &Places<'_>, target: &Target, exactly: bool) -> Result<Seen> {
    let (root, way) = places.way(target);
    if exactly && !is_spelled(root, &way) {
        return Ok(Seen::Nothing);
    }
    let path = places.path(target);
    Ok(look(&path).map_err(|error| Failure::new("cannot read", &path, error))?)
}

/// The operations on paths that some file systems take for one, such as when only a name's case changes: the old name is
/// removed before the new one is put, and nobody may take the one for the other.
pub(super) fn ambiguous(operations: &[Operation]) -> HashSet<usize> {
    let mut folded: HashMap<_, Vec<usize>> = HashMap::new();
    for (n, operation) in operations.iter().enumerate() {
        if let Kind::Delete { .. } | Kind::Put { .. } = operation.kind {
            folded.entry(operation.target.folded()).or_default().push(n);
        }
    }
    folded.into_values().filter(|same| same.len() > 1).flatten().collect()
}

/// How far an operation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    After,
    Neither,
}

/// Tells the states apart by content and mode, and where that tells nothing, by content alone: some file systems know no
/// executable bit.
fn state(seen: &Seen, before: Option<Stamp>, after: Option<Stamp>) -> State {
    let Seen::Entry(entry) = seen else {
        return match (seen, before, after) {
            (Seen::Nothing, _, None) => State::After,
            (Seen::Nothing, None, _) => State::Before,
            _ => State::Neither,
        };
    };
    let now = Stamp::of(entry);
    let similar = |stamp: Option<Stamp>| stamp.is_some_and(|stamp| is_similar(now, stamp));
    match () {
        () if after == Some(now) => State::After,
        () if before == Some(now) => State::Before,
        () if similar(after) => State::After,
        () if similar(before) => State::Before,
        () => State::Neither,
    }
}

fn is_similar(a: Stamp, b: Stamp) -> bool {
    // Without the privilege to make links, Windows gets a file that holds the target.
    a.digest == b.digest && (cfg!(windows) || (a.mode == Mode::Symlink) == (b.mode == Mode::Symlink))
}

fn is_same(seen: &Seen, stamp: Stamp) -> bool {
    matches!(seen, Seen::Entry(entry) if is_similar(Stamp { mode: entry.mode(), digest: digest(entry) }, stamp))
}

fn digest(entry: &Entry) -> Digest {
    Digest::of(entry.bytes())
}

fn exists(path: &Path) -> bool {
    !matches!(path.symlink_metadata(), Err(error) if absent(&error))
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// A name beside `path` that only this operation uses.
fn beside(path: &Path, n: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{}.create-app-{n}", &name[..name.floor_char_boundary(200)]))
}

/// `NAME.theirs`, or the first of `NAME.theirs2`, … that is free.
fn free_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let candidate = |n: usize| {
        let number = if n < 2 { String::new() } else { n.to_string() };
        path.with_file_name(format!("{name}.theirs{number}"))
    };
    (1..).map(candidate).find(|candidate| !exists(candidate)).unwrap_or_else(|| candidate(1))
}
