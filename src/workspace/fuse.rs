//! Stops the process, as it were, before a chosen step of a [`super::disk::Disk`], or lets one step fail.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lets so many steps happen; every later one fails, as nothing more is done by a process that was killed.
#[derive(Debug)]
pub(super) struct Fuse {
    limit: usize,
    full_at: Option<usize>,
    taken: AtomicUsize,
    log: Mutex<Vec<(&'static str, PathBuf)>>,
}

impl Default for Fuse {
    fn default() -> Self {
        Self::after(usize::MAX)
    }
}

impl Fuse {
    /// The process is killed after so many steps.
    pub(super) fn after(limit: usize) -> Self {
        Self { limit, full_at: None, taken: AtomicUsize::new(0), log: Mutex::default() }
    }

    /// The disk is full at one step and has room again at the next; the process is killed so many steps later.
    pub(super) fn full(at: usize, killed_after: usize) -> Self {
        Self { full_at: Some(at), ..Self::after(at.saturating_add(1).saturating_add(killed_after)) }
    }

    pub(super) fn step(&self, action: &'static str, path: &Path) -> io::Result<()> {
        let step = self.taken.fetch_add(1, Ordering::SeqCst);
        if step >= self.limit {
            return Err(io::Error::other("killed"));
        }
        self.log.lock().unwrap().push((action, path.to_path_buf()));
        if self.full_at == Some(step) {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Whether the last step is the one that was cut in half.
    pub(super) fn burns_now(&self) -> bool {
        let taken = self.taken.load(Ordering::SeqCst);
        taken == self.limit.saturating_add(1) || self.full_at.is_some_and(|at| taken == at + 1)
    }

    /// Whether the process was killed.
    pub(super) fn is_burnt(&self) -> bool {
        self.taken.load(Ordering::SeqCst) > self.limit
    }

    /// How many steps were tried.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// What was done, in order.
    pub(super) fn log(&self) -> Vec<(&'static str, PathBuf)> {
        self.log.lock().unwrap().clone()
    }
}
