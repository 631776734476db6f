//! Ctrl-C and its relatives, while something is in hand that would stay behind: a program that was started, a terminal that
//! passes on every key.
//!
//! Whoever holds a `Watch` looks at it from time to time, and ends in order where somebody wants the program to end; `main` lets the
//! signal have its usual effect then. Without a watch, a signal ends the program at once, as ever.

/// A time in which signals are caught.
#[derive(Debug)]
pub(crate) struct Watch(());

impl Watch {
    /// Catches signals until it is dropped.
    pub(crate) fn new() -> Self {
        system::hold();
        Self(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        system::release();
    }
}

/// Whether a signal came that ends the program.
pub(crate) fn is_caught() -> bool {
    system::caught().is_some()
}

/// Ends the process as the signal would have that was caught; does nothing where none was.
pub fn end_as_asked() {
    system::end_as_asked();
}

#[cfg(unix)]
mod system {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, LazyLock, Mutex, PoisonError};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::{flag, low_level};

    /// The signals that end a program, and that it may catch.
    const ENDING: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

    struct Handlers {
        /// How many watches there are.
        held: Mutex<usize>,
        /// Whether there is none.
        is_idle: Arc<AtomicBool>,
        /// The signal that came last; 0 where none did.
        caught: Arc<AtomicUsize>,
    }

    static HANDLERS: LazyLock<Handlers> = LazyLock::new(|| {
        let handlers = Handlers { held: Mutex::new(0), is_idle: Arc::default(), caught: Arc::default() };
        for signal in ENDING.into_iter().filter(|signal| !is_ignored(*signal)) {
            // Where a signal cannot be caught, it ends the program as ever.
            let Ok(_) = flag::register_conditional_default(signal, Arc::clone(&handlers.is_idle)) else { continue };
            let number = usize::try_from(signal).unwrap_or_default();
            drop(flag::register_usize(signal, Arc::clone(&handlers.caught), number));
        }
        handlers
    });

    pub(super) fn hold() {
        let handlers = &*HANDLERS;
        let mut held = handlers.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held += 1;
        handlers.is_idle.store(false, Ordering::SeqCst);
    }

    pub(super) fn release() {
        let handlers = &*HANDLERS;
        let mut held = handlers.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held -= 1;
        // A second signal does not wait for what the first one has ended.
        handlers.is_idle.store(*held == 0, Ordering::SeqCst);
    }

    pub(super) fn caught() -> Option<i32> {
        let signal = LazyLock::get(&HANDLERS)?.caught.load(Ordering::SeqCst);
        i32::try_from(signal).ok().filter(|signal| *signal != 0)
    }

    pub(super) fn end_as_asked() {
        if let Some(signal) = caught() {
            drop(low_level::emulate_default_handler(signal));
        }
    }

    /// Whether the program was started with a signal ignored, as `nohup` does: then it stays ignored.
    fn is_ignored(signal: i32) -> bool {
        let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        mask & (1 << (signal - 1)) != 0
    }
}

/// Elsewhere, a console ends the programs that it has started together with this one.
#[cfg(not(unix))]
mod system {
    pub(super) fn hold() {}

    pub(super) fn release() {}

    pub(super) fn caught() -> Option<i32> {
        None
    }

    pub(super) fn end_as_asked() {}
}
