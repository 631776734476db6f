//! How long scripts run, and how much memory they take: the time of a person and of a command does not count.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long all scripts of a run may take.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How much the process may grow while scripts run, in bytes.
const MAX_GROWTH: u64 = 128 << 20;
/// How often time and memory are looked at, in operations: one may take a millisecond, and make a quarter of a MiB.
const EVERY: [u64; 2] = [4, 64];

/// The time and memory that were used so far.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The time that scripts before this one took, in microseconds.
    spent: AtomicU64,
    /// How much the process grew while they ran, in bytes.
    grown: AtomicU64,
    /// The time in which the script that runs now has waited.
    waited: AtomicU64,
    /// Whether a limit was passed.
    pub(super) is_over: AtomicBool,
}

/// A script that runs.
#[derive(Debug)]
pub(super) struct Run {
    start: Instant,
    memory: Option<u64>,
}

impl Run {
    /// How much the process has grown since the script began, where the system says so.
    fn growth(&self) -> u64 {
        self.memory.and_then(|before| Some(memory()?.saturating_sub(before))).unwrap_or_default()
    }
}

impl Clock {
    /// Starts a script.
    pub(super) fn start(&self) -> Run {
        self.waited.store(0, Ordering::Relaxed);
        Run { start: Instant::now(), memory: memory() }
    }

    /// Ends it.
    pub(super) fn end(&self, run: &Run) {
        self.spent.fetch_add(self.elapsed(run), Ordering::Relaxed);
        self.grown.fetch_add(run.growth(), Ordering::Relaxed);
    }

    /// How long the scripts took that have ended, in microseconds.
    pub(super) fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    fn elapsed(&self, run: &Run) -> u64 {
        micros(run.start.elapsed()).saturating_sub(self.waited.load(Ordering::Relaxed))
    }

    /// Whether a script has to stop, after so many operations.
    pub(super) fn must_stop(&self, run: &Run, operations: u64) -> bool {
        if !operations.is_multiple_of(EVERY[0]) {
            return false;
        }
        let time = self.spent.load(Ordering::Relaxed) + self.elapsed(run);
        let is_large = || self.grown.load(Ordering::Relaxed) + run.growth() > MAX_GROWTH;
        let is_over = time > micros(MAX_TIME) || operations.is_multiple_of(EVERY[1]) && is_large();
        self.is_over.fetch_or(is_over, Ordering::Relaxed);
        is_over
    }

    /// Does something that takes its own time.
    pub(super) fn waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = wait();
        self.waited.fetch_add(micros(start.elapsed()), Ordering::Relaxed);
        result
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// How much memory the process holds, in bytes, where the system says so. Elsewhere, the limits of Rhai alone have to do.
#[cfg(target_os = "linux")]
fn memory() -> Option<u64> {
    let text = fs_err::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<u64> {
    None
}
