//! How far something has come that takes long: one line on standard error, at a terminal only, gone when it is done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::escape_control;

/// A line that is there until it is dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Says what is being done.
    #[must_use]
    pub fn new(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{prefix}  {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(escape_control(what).into_owned());
        // Nothing moves by itself: git may be asking for a password on the next line.
        bar.tick();
        Self(bar)
    }

    /// Says how far it has come.
    pub fn step(&self, line: &str) {
        if line.is_empty() {
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
