//! Faults on purpose, for tests: a [`super::disk::Disk`] stops before a chosen step, or one of its steps fails. Release
//! builds have none of this.
//!
//! Tests of this crate choose a [`Fuse`]. Tests of the whole program say `CREATE_APP_FAULT=KIND:STEP`; docs/contributing.md
//! lists the kinds.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Something that happens beside a change.
type Hook = Box<dyn Fn() + Send + Sync>;

/// Lets so many steps happen; every later one fails, as nothing more is done by a process that was killed.
pub(super) struct Fuse {
    limit: usize,
    /// One step that fails, while those after it work again.
    fails: Option<(usize, ErrorKind)>,
    /// Whether the process really ends at the limit.
    kills: bool,
    /// An action of somebody else just before a step.
    hook: Option<(usize, Hook)>,
    /// Whether two files can change places in one step.
    exchanges: bool,
    taken: AtomicUsize,
    log: Mutex<Vec<(&'static str, PathBuf)>>,
}

impl fmt::Debug for Fuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fuse").field("limit", &self.limit).field("fails", &self.fails).finish_non_exhaustive()
    }
}

impl Default for Fuse {
    fn default() -> Self {
        if cfg!(test) { Self::after(usize::MAX) } else { Self::from_environment() }
    }
}

impl Fuse {
    /// The process is killed after so many steps.
    pub(super) fn after(limit: usize) -> Self {
        Self {
            limit,
            fails: None,
            kills: false,
            hook: None,
            exchanges: true,
            taken: AtomicUsize::new(0),
            log: Mutex::default(),
        }
    }

    fn from_environment() -> Self {
        let text = std::env::var("CREATE_APP_FAULT").unwrap_or_default();
        let fault = text.split_once(':').and_then(|(kind, step)| Some((kind, step.parse().ok()?)));
        let fails = |step, kind| Self { fails: Some((step, kind)), ..Self::after(usize::MAX) };
        match fault {
            Some(("killed", step)) => Self { kills: true, ..Self::after(step) },
            Some(("full", step)) => fails(step, ErrorKind::StorageFull),
            Some(("denied", step)) => fails(step, ErrorKind::PermissionDenied),
            _ => Self::after(usize::MAX),
        }
    }

    /// Takes a step; `torn` is what a step leaves that is cut in half.
    pub(super) fn step(&self, action: &'static str, path: &Path, torn: impl Fn()) -> io::Result<()> {
        let step = self.taken.fetch_add(1, Ordering::SeqCst);
        if let Some((at, hook)) = &self.hook
            && *at == step
        {
            hook();
        }
        if step == self.limit {
            torn();
            if self.kills {
                std::process::abort();
            }
        }
        if step >= self.limit {
            return Err(io::Error::other("killed"));
        }
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((action, path.to_path_buf()));
        match self.fails {
            Some((at, ErrorKind::StorageFull)) if at == step => {
                torn();
                Err(ErrorKind::StorageFull.into())
            }
            Some((at, kind)) if at == step => Err(kind.into()),
            _ => Ok(()),
        }
    }
}

impl Fuse {
    /// Whether two files can change places in one step, as they cannot on every system.
    pub(super) fn exchanges(&self) -> bool {
        self.exchanges
    }
}

#[cfg(test)]
impl Fuse {
    /// Somebody else does something just before a step.
    pub(super) fn meanwhile(self, at: usize, hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self { hook: Some((at, Box::new(hook))), ..self }
    }

    /// On a system on which two files cannot change places in one step.
    pub(super) fn without_exchange(self) -> Self {
        Self { exchanges: false, ..self }
    }

    /// The disk is full at one step and has room again at the next; the process is killed so many steps later.
    pub(super) fn full(at: usize, killed_after: usize) -> Self {
        let limit = at.saturating_add(1).saturating_add(killed_after);
        Self { fails: Some((at, ErrorKind::StorageFull)), ..Self::after(limit) }
    }

    /// Whether the process was killed.
    pub(super) fn is_burnt(&self) -> bool {
        self.taken.load(Ordering::SeqCst) > self.limit
    }

    /// How many steps were tried.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// The operations, in order.
    pub(super) fn log(&self) -> Vec<(&'static str, PathBuf)> {
        self.log.lock().unwrap().clone()
    }
}
