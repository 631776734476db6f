//! Rule 1: content, mode and line ending are values of their own, and most files end here.

use std::borrow::Cow;

use super::ending::trivial;
use super::moves::Triple;
use crate::tree::{Entry, Mode};

/// A file's base, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// The template had no such file.
    New,
    /// It was rendered, but nobody knows what it was.
    Lost,
    /// As it was rendered.
    Known(Cow<'a, Entry>),
}

impl Origin<'_> {
    pub(super) fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Known(entry) => Some(entry),
            Self::New | Self::Lost => None,
        }
    }
}

/// The base of a file: what is stored, else whichever side still has the digest that the lock names.
pub(super) fn origin<'a>(triple: &Triple<'a>) -> Origin<'a> {
    let Some((_, recorded)) = triple.base else { return Origin::New };
    if let Some(entry) = &recorded.entry {
        return Origin::Known(Cow::Borrowed(entry));
    }
    let sides = [triple.ours, triple.theirs].into_iter().flatten();
    match sides.map(|(_, entry)| entry).find(|entry| recorded.is_unedited(entry)) {
        Some(entry) => Origin::Known(Cow::Owned(with_mode(entry, recorded.pristine.mode))),
        None => Origin::Lost,
    }
}

/// Whether the file is executable in the merge: without a base, if either side says so.
pub(super) fn executable(base: Option<Mode>, ours: &Entry, theirs: &Entry, compare: bool) -> bool {
    let [ours, theirs] = [ours, theirs].map(|entry| entry.mode() == Mode::Executable);
    match base.map(|base| base == Mode::Executable) {
        _ if !compare => ours,
        Some(base) => trivial(base, ours, theirs).unwrap_or(ours),
        None => ours || theirs,
    }
}

/// The entry with another mode; a link stays a link.
pub(super) fn with_mode(entry: &Entry, mode: Mode) -> Entry {
    match entry {
        Entry::File { bytes, .. } => Entry::File { bytes: bytes.clone(), executable: mode == Mode::Executable },
        Entry::Symlink { .. } => entry.clone(),
    }
}
