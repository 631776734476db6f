//! The render of the last `new` or `upgrade`, as far as it is known.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::contents::is_edited;
use crate::digest::Digest;
use crate::lock::{Lock, Pristine};
use crate::scope::Scoped;
use crate::tree::{Entry, Mode, RelPath};

/// The record of one tree, from the lock and the base.
pub type Base = BTreeMap<RelPath, Recorded>;

/// One file as it was rendered at the last `new` or `upgrade`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its line in the lock.
    pub pristine: Pristine,
    /// The base's version of it: nothing for files that are the app's own, that hold a secret, or whose bytes are lost or
    /// were not needed.
    pub entry: Option<Entry>,
    /// The base's version of a file that depends on a secret: its bytes with markers in place of the secrets.
    pub masked: Option<Bytes>,
}

impl Recorded {
    /// An entry whose bytes are known.
    #[must_use]
    pub fn of(entry: Entry) -> Self {
        let pristine = Pristine {
            mode: entry.mode(),
            digest: Some(Digest::of(entry.bytes())),
            masked: None,
            formatted: None,
            once: false,
            large: false,
        };
        Self { pristine, entry: Some(entry), masked: None }
    }

    /// Whether an entry is known to be what was rendered, but for its mode and the kind of its line endings.
    #[must_use]
    pub fn is_unedited(&self, ours: &Entry) -> bool {
        match &self.entry {
            Some(base) => !is_edited(base, ours),
            None => {
                (ours.mode() == Mode::Symlink) == self.is_symlink()
                    && self.pristine.digest.is_some_and(|digest| Digest::of(ours.bytes()) == digest)
            }
        }
    }

    /// What was rendered, if it was a file and is known.
    #[must_use]
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.entry {
            Some(Entry::File { bytes, .. }) => Some(bytes),
            _ => None,
        }
    }

    /// Whether it was a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.pristine.mode == Mode::Symlink
    }
}

/// The lock and the base of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bases {
    /// The files.
    pub files: Scoped<Base>,
    /// The user's moves that earlier upgrades found.
    pub moved: BTreeMap<RelPath, RelPath>,
}

impl Bases {
    /// The lock's lines with the bytes that `stored`, the decoded base, has for them.
    #[must_use]
    pub fn new(lock: &Lock, stored: &BTreeMap<Digest, Bytes>) -> Self {
        let base = |files: &BTreeMap<RelPath, Pristine>| -> Base {
            let record = |(path, pristine): (&RelPath, &Pristine)| {
                let bytes = pristine.base().and_then(|digest| stored.get(&digest));
                let masked = bytes.filter(|_| pristine.masked.is_some()).cloned();
                let entry = bytes.filter(|_| masked.is_none()).and_then(|bytes| entry(pristine.mode, bytes));
                (path.clone(), Recorded { pristine: *pristine, entry, masked })
            };
            files.iter().map(record).collect()
        };
        Self { files: lock.files.as_ref().map(base), moved: lock.moved.clone() }
    }

    /// The moves, by where their file was.
    pub(crate) fn split_moved(&self) -> Scoped<BTreeMap<RelPath, RelPath>> {
        let (app, repository) = self.moved.clone().into_iter().partition(|(path, _)| self.files.app.contains_key(path));
        Scoped { app, repository }
    }
}

/// The entry that these bytes make.
pub(crate) fn entry(mode: Mode, bytes: &Bytes) -> Option<Entry> {
    match mode {
        Mode::File | Mode::Executable => {
            Some(Entry::File { bytes: bytes.clone(), executable: mode == Mode::Executable })
        }
        // A longer one is not a valid target anywhere, and unlike a file's bytes, it is copied for each line of the lock.
        Mode::Symlink if bytes.len() > 4096 => None,
        Mode::Symlink => String::from_utf8(bytes.to_vec()).ok().map(|target| Entry::Symlink { target }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{Conflicts, LockedTemplate};

    #[test]
    fn the_lines_of_a_lock_get_the_bytes_that_are_stored() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let line = |bytes: &[u8], mode, once| Pristine {
            mode,
            digest: Some(Digest::of(bytes)),
            masked: None,
            formatted: None,
            once,
            large: false,
        };
        let template = LockedTemplate { source: "s".into(), revision: "r".into(), ..LockedTemplate::default() };
        let lock = Lock {
            template,
            app_dir: None,
            date: None,
            answers: BTreeMap::new(),
            files: Scoped {
                app: [
                    (path("a"), line(b"A", Mode::Executable, false)),
                    (path("l"), line(b"to", Mode::Symlink, false)),
                    (path("lost"), line(b"?", Mode::File, false)),
                    (path("own"), line(b"A", Mode::File, true)),
                ]
                .into(),
                repository: [(path("r"), line(b"A", Mode::File, false))].into(),
            },
            moved: [("a", "b"), ("r", "s")].map(|(from, to)| (path(from), path(to))).into(),
            conflicts: Conflicts::default(),
        };
        let stored = [b"A".as_slice(), b"to"].map(|bytes| (Digest::of(bytes), Bytes::from_static(bytes))).into();
        let bases = Bases::new(&lock, &stored);
        let entries: Vec<_> = bases.files.app.values().map(|recorded| recorded.entry.clone()).collect();
        let executable = Entry::File { bytes: "A".into(), executable: true };
        assert_eq!(entries, [Some(executable), Some(Entry::Symlink { target: "to".into() }), None, None]);
        assert_eq!(bases.files.repository.values().next().unwrap().entry, Some(Entry::file(b"A".as_slice())));
        let Scoped { app, repository } = bases.split_moved();
        assert_eq!((app.len(), repository.len()), (1, 1));
    }
}
