//! Stops the process, as it were, before a chosen step of a [`super::disk::Disk`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lets so many steps happen; every later one fails, as nothing more is done by a process that was killed.
#[derive(Debug)]
pub(super) struct Fuse {
    limit: usize,
    taken: AtomicUsize,
    log: Mutex<Vec<(&'static str, PathBuf)>>,
}

impl Default for Fuse {
    fn default() -> Self {
        Self::after(usize::MAX)
    }
}

impl Fuse {
    pub(super) fn after(limit: usize) -> Self {
        Self { limit, taken: AtomicUsize::new(0), log: Mutex::default() }
    }

    pub(super) fn step(&self, action: &'static str, path: &Path) -> io::Result<()> {
        if self.taken.fetch_add(1, Ordering::SeqCst) >= self.limit {
            return Err(io::Error::other("killed"));
        }
        self.log.lock().unwrap().push((action, path.to_path_buf()));
        Ok(())
    }

    /// Whether the last step is the one that was cut in half.
    pub(super) fn burns_now(&self) -> bool {
        self.taken.load(Ordering::SeqCst) == self.limit + 1
    }

    /// Whether a step was refused.
    pub(super) fn is_burnt(&self) -> bool {
        self.taken.load(Ordering::SeqCst) > self.limit
    }

    /// What was done, in order.
    pub(super) fn log(&self) -> Vec<(&'static str, PathBuf)> {
        self.log.lock().unwrap().clone()
    }
}
