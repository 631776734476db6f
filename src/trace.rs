//! A trace of a run, for finding faults: passed to a listener, if there is one, as it happens.
//!
//! It never contains an answer, or credentials of an address.

use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::credentials::hidden;
use crate::shell;
use crate::terminal::beginning;

/// At most this much of a line is reported, in bytes: git is given thousands of paths at a time.
const MAX_LINE: usize = 4_000;

static LISTENER: OnceLock<fn(&str)> = OnceLock::new();

/// Tells everything from now on to `listener`, a line at a time.
pub(crate) fn listen(listener: fn(&str)) {
    LISTENER.get_or_init(|| listener);
}

/// Tells a line, which is only made if somebody listens.
pub(crate) fn say(line: impl FnOnce() -> String) {
    say_without(&[], line);
}

/// The same, without these secrets.
pub(crate) fn say_without(secrets: &[String], line: impl FnOnce() -> String) {
    if let Some(listener) = LISTENER.get() {
        listener(&beginning(&hidden(&line(), secrets), MAX_LINE));
    }
}

/// A program that runs, and is told of when it has ended.
pub(crate) struct Run(Option<Instant>);

/// Begins to measure a program.
pub(crate) fn run() -> Run {
    Run(LISTENER.get().map(|_| Instant::now()))
}

impl Run {
    /// Tells the command, how it ended, how long it took, and where it ran.
    pub(crate) fn ended(self, command: &Command, status: ExitStatus, secrets: &[String]) {
        let Some(start) = self.0 else { return };
        say_without(secrets, || {
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            // The parts are hidden one by one as well: quotes would otherwise hide where an address begins.
            let words: Vec<String> =
                words.map(|word| shell::word(&hidden(&word.to_string_lossy(), secrets)).into_owned()).collect();
            let place = command.get_current_dir().map(|place| format!(", in {}", place.display())).unwrap_or_default();
            let code = status.code().map_or("stopped".to_owned(), |code| format!("exit code {code}"));
            format!("{} ({code}, {}{place})", words.join(" "), shown(start.elapsed()))
        });
    }
}

/// A stage of a command, which is told of when it is dropped.
pub(crate) struct Stage(&'static str, Option<Instant>);

/// Begins a stage.
#[must_use]
pub(crate) fn stage(name: &'static str) -> Stage {
    Stage(name, LISTENER.get().map(|_| Instant::now()))
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(start) = self.1 {
            say(|| format!("{} took {}", self.0, shown(start.elapsed())));
        }
    }
}

fn shown(time: Duration) -> String {
    format!("{}.{:01} ms", time.as_millis(), time.as_micros() % 1_000 / 100)
}
