//! How long scripts run, and how much memory they take: what a person thinks and a command takes does not count.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long all scripts of a run may take.
const MAX_TIME: Duration = Duration::from_secs(10);
/// How much the process may grow while a script runs, in bytes.
const MAX_GROWTH: u64 = 256 << 20;
/// How often it is looked at, in operations: one may take a millisecond, and make a quarter of a MiB.
const EVERY: u64 = 64;

/// What was spent so far.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The time that scripts before this one took, in microseconds.
    spent: AtomicU64,
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

impl Clock {
    /// Starts a script.
    pub(super) fn start(&self) -> Run {
        self.waited.store(0, Ordering::Relaxed);
        Run { start: Instant::now(), memory: memory() }
    }

    /// Ends it.
    pub(super) fn end(&self, run: &Run) {
        self.spent.fetch_add(self.elapsed(run), Ordering::Relaxed);
    }

    fn elapsed(&self, run: &Run) -> u64 {
        micros(run.start.elapsed()).saturating_sub(self.waited.load(Ordering::Relaxed))
    }

    /// Whether a script has to stop, after so many operations.
    pub(super) fn must_stop(&self, run: &Run, operations: u64) -> bool {
        if !operations.is_multiple_of(EVERY) {
            return false;
        }
        let time = self.spent.load(Ordering::Relaxed) + self.elapsed(run);
        let grown = || Some(memory()?.saturating_sub(run.memory?));
        let is_over = time > micros(MAX_TIME) || grown().is_some_and(|grown| grown > MAX_GROWTH);
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
