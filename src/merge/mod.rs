//! Base, ours and theirs in, a plan out: pure.

pub mod moves;

use std::collections::BTreeMap;

use crate::lock::{Digest, Pristine};
use crate::tree::{Entry, Mode, RelPath};

/// What the lock and the base know of one tree.
pub type Base = BTreeMap<RelPath, Recorded>;

/// One file as it was rendered at the last `new` or `upgrade`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its line in the lock.
    pub pristine: Pristine,
    /// What the base holds of it: nothing for files that are the app's own, that hold a secret, or whose bytes are lost.
    pub entry: Option<Entry>,
}

impl Recorded {
    /// An entry whose bytes are known.
    #[must_use]
    pub fn of(entry: Entry) -> Self {
        let pristine = Pristine { mode: entry.mode(), digest: Some(Digest::of(entry.bytes())), once: false };
        Self { pristine, entry: Some(entry) }
    }

    /// Whether it was a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.pristine.mode == Mode::Symlink
    }
}
