//! What the terminal shows, drawn as it comes.

use std::num::NonZero;
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use portable_pty::PtySize;

/// What the terminal shows, drawn by another thread.
pub(crate) struct Display {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser,
    /// Every byte that was drawn.
    bytes: Vec<u8>,
    /// Nothing is drawn any more after it: the program has ended, or takes too long.
    deadline: Instant,
}

impl Display {
    pub(crate) fn new(size: PtySize, deadline: Instant) -> Self {
        let parser = match (NonZero::new(size.rows), NonZero::new(size.cols)) {
            (Some(rows), Some(columns)) => vt100::Parser::new(rows, columns, 0),
            _ => vt100::Parser::default(),
        };
        Self { state: Mutex::new(State { parser, bytes: Vec::new(), deadline }), changed: Condvar::new() }
    }

    pub(crate) fn resize(&self, size: PtySize) {
        let (rows, columns) = (NonZero::new(size.rows).unwrap(), NonZero::new(size.cols).unwrap());
        self.state.lock().unwrap().parser.screen_mut().set_size(rows, columns);
    }

    pub(crate) fn draw(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.parser.process(bytes);
        state.bytes.extend(bytes);
        drop(state);
        self.changed.notify_all();
    }

    pub(crate) fn end(&self, deadline: Instant) {
        let mut state = self.state.lock().unwrap();
        state.deadline = state.deadline.min(deadline);
        drop(state);
        self.changed.notify_all();
    }

    /// Looks at the screen, and at every byte that led to it.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&vt100::Screen, &[u8]) -> T) -> T {
        let state = self.state.lock().unwrap();
        look(state.parser.screen(), &state.bytes)
    }

    /// Waits for the screen to be so, and returns whether it is.
    pub(crate) fn wait(&self, is_so: impl Fn(&vt100::Screen) -> bool) -> bool {
        let mut state = self.state.lock().unwrap();
        loop {
            let left = state.deadline.saturating_duration_since(Instant::now());
            if is_so(state.parser.screen()) || left.is_zero() {
                return is_so(state.parser.screen());
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}
