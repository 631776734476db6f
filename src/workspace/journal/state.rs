//! How far an operation got, told from what is on the disk.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::operation::Operation;
use crate::digest::Digest;
use crate::plan::Stamp;
use crate::rooted::{Failure as Unreached, Spot, Ways};
use crate::tree::Mode;

/// The entry at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing.
    Nothing,
    /// A file or a link.
    Entry(Stamp),
    /// A directory, or something that cannot be in a template, such as a socket.
    Other,
}

/// Looks at what is there; a link is not followed.
pub(super) fn look(spot: &Spot) -> io::Result<Seen> {
    Ok(look_closely(spot)?.0)
}

/// The same, with what tells later that a file is still as it was seen.
pub(super) fn look_closely(spot: &Spot) -> io::Result<(Seen, Option<Sign>)> {
    let plain = |seen| Ok((seen, None));
    match spot.regular() {
        Ok(file) => {
            let mode = if file.is_executable() { Mode::Executable } else { Mode::File };
            let sign = Sign::of_open(file.metadata());
            Ok((Seen::Entry(Stamp { mode, digest: Digest::read(file.into_file())? }), sign))
        }
        Err(Unreached::Link(_)) => {
            let target = spot.link()?.to_string_lossy().into_owned();
            let target = if cfg!(windows) { target.replace('\\', "/") } else { target };
            plain(Seen::Entry(Stamp { mode: Mode::Symlink, digest: Digest::of(target.as_bytes()) }))
        }
        Err(Unreached::Io(error)) if error.kind() == ErrorKind::NotFound => plain(Seen::Nothing),
        Err(Unreached::Io(error)) => Err(error),
        Err(_) => plain(Seen::Other),
    }
}

/// A file as the system knows it: as long as this is the same, and the time lies back far enough, nobody has written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sign {
    device: u64,
    inode: u64,
    length: u64,
    /// When it was last written to, in nanoseconds.
    modified: i128,
}

impl Sign {
    #[cfg(unix)]
    fn of_open(metadata: &std::fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let modified = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Some(Self { device: metadata.dev(), inode: metadata.ino(), length: metadata.len(), modified })
    }

    /// Of what is at a place now.
    #[cfg(unix)]
    pub(super) fn of(spot: &Spot) -> Option<Self> {
        use cap_std::fs::MetadataExt as _;
        let metadata = spot.metadata().ok().filter(cap_std::fs::Metadata::is_file)?;
        let modified = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Some(Self { device: metadata.dev(), inode: metadata.ino(), length: metadata.len(), modified })
    }

    /// It is not known which file it is.
    #[cfg(not(unix))]
    fn of_open(_metadata: &std::fs::Metadata) -> Option<Self> {
        None
    }

    /// It is not known which file it is.
    #[cfg(not(unix))]
    pub(super) fn of(_spot: &Spot) -> Option<Self> {
        None
    }

    /// Whether another look at the file at this time, in nanoseconds, would have found it written to if it was written to since.
    pub(super) fn is_older(self, time: i128) -> bool {
        self.modified < time - SLACK
    }
}

/// Clocks of file systems lag behind each other, and some count in steps of two seconds: in nanoseconds.
pub(super) const SLACK: i128 = 3_000_000_000;

/// Whether every component of a path is there in exactly this spelling, which a file system that ignores case does not tell
/// by itself.
pub(super) fn is_spelled(ways: &mut Ways, path: &str) -> Result<bool, Unreached> {
    let mut above = "";
    for (at, name) in path.split('/').scan(0, |at, name| Some((std::mem::replace(at, *at + name.len() + 1), name))) {
        let directory = match ways.directory(above) {
            Err(failure) if failure.is_missing() => return Ok(false),
            directory => directory?,
        };
        if !directory.entries()?.iter().any(|(entry, _)| entry == name) {
            return Ok(false);
        }
        above = &path[..at + name.len()];
    }
    Ok(true)
}

/// The operations on different paths that some file systems take for one, such as when only a name's case changes: the old
/// name is removed before the new one is put, and nobody may take the one for the other.
pub(super) fn ambiguous(operations: &[Operation]) -> HashSet<usize> {
    let mut folded: HashMap<_, Vec<usize>> = HashMap::new();
    for (n, operation) in operations.iter().enumerate() {
        folded.entry(operation.target.folded()).or_default().push(n);
    }
    let differ = |same: &Vec<usize>| same.iter().any(|n| operations[*n].target != operations[same[0]].target);
    folded.into_values().filter(differ).flatten().collect()
}

/// How far an operation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Before,
    After,
    Neither,
}

/// Tells the states apart by content and mode, and where that tells nothing, by content alone: some file systems know no
/// executable bit.
pub(super) fn state(seen: Seen, before: Option<Stamp>, after: Option<Stamp>) -> State {
    let Seen::Entry(now) = seen else {
        return match (seen, before, after) {
            (Seen::Nothing, _, None) => State::After,
            (Seen::Nothing, None, _) => State::Before,
            _ => State::Neither,
        };
    };
    let similar = |stamp: Option<Stamp>| stamp.is_some_and(|stamp| is_similar(now, stamp));
    match () {
        () if after == Some(now) => State::After,
        () if before == Some(now) => State::Before,
        () if similar(after) => State::After,
        () if similar(before) => State::Before,
        () => State::Neither,
    }
}

/// Whether two stamps tell of the same content; some file systems know no executable bit.
pub(super) fn is_similar(a: Stamp, b: Stamp) -> bool {
    // Without the privilege to make links, Windows gets a file that holds the target.
    a.digest == b.digest && (cfg!(windows) || (a.mode == Mode::Symlink) == (b.mode == Mode::Symlink))
}

/// Whether what is somewhere has this content.
pub(super) fn is_same(seen: Seen, stamp: Stamp) -> bool {
    matches!(seen, Seen::Entry(now) if is_similar(now, stamp))
}

/// Whether anything is there; what cannot be told may be.
pub(super) fn exists(spot: &Spot) -> bool {
    !matches!(spot.kind(), Ok(None))
}

/// A name beside another one that only this operation of this change uses.
pub(super) fn beside(spot: &Spot, token: &str, n: usize, suffix: &str) -> Spot {
    let name = spot.name().to_string_lossy();
    spot.beside(format!(".{}.create-app-{token}-{n}{suffix}", &name[..name.floor_char_boundary(200)]))
}

/// The name with a suffix, or with the first of suffix2, … that is free.
pub(super) fn free_name(spot: &Spot, suffix: &str) -> Spot {
    const LONGEST: usize = 255;
    let candidate = |n: usize| {
        let number = if n < 2 { String::new() } else { n.to_string() };
        let ending = format!("{suffix}{number}");
        let mut name = shortened(Path::new(spot.name()), LONGEST - ending.len());
        name.push(&ending);
        spot.beside(name)
    };
    (1..).map(candidate).find(|candidate| !exists(candidate)).unwrap_or_else(|| candidate(1))
}

/// A name of at most so many bytes; one that is not text is left as it is.
fn shortened(name: &Path, length: usize) -> OsString {
    match name.to_str() {
        Some(text) if text.len() > length => text[..text.floor_char_boundary(length)].into(),
        _ => name.into(),
    }
}
