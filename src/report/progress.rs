//! Progress of something that takes long: one line on standard error, only at a terminal, removed when it is done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::escape_control;

/// From so many files on, a line says what is done with them.
const MANY: usize = 1_000;

/// A line that is there until it is dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Says what is being done.
    #[must_use]
    pub fn new(what: &str) -> Self {
        if super::is_quiet() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{prefix}  {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(escape_control(what).into_owned());
        // Nothing moves by itself: git may be asking for a password on the next line.
        bar.tick();
        Self(bar)
    }

    /// Says that something with so many files is being done, where that takes long enough to be noticed.
    #[must_use]
    pub fn of_files(count: usize, what: impl std::fmt::Display) -> Self {
        if count < MANY {
            return Self(ProgressBar::hidden());
        }
        Self::new(&format!("{what} ({} files)", super::grouped(count)))
    }

    /// Says how far it has come.
    pub fn step(&self, line: &str) {
        if line.is_empty() || self.0.is_hidden() {
            return;
        }
        if self.0.is_finished() {
            self.0.reset();
        }
        self.0.set_message(escape_control(line).into_owned());
    }

    /// Makes room for something else; the next step brings it back.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
