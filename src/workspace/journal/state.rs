//! How far an operation got, told from what stands on the disk.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::operation::{Operation, Places, Target};
use crate::diagnostic::Result;
use crate::plan::Stamp;
use crate::tree::Mode;
use crate::workspace::disk::Failure;
use crate::workspace::guard::{Seen, is_spelled, look};

/// What stands at a target; in another spelling than this, nothing does, if `exactly` is asked for.
pub(super) fn see(places: &Places<'_>, target: &Target, exactly: bool) -> Result<Seen> {
    let (root, way) = places.way(target);
    if exactly && !is_spelled(root, &way) {
        return Ok(Seen::Nothing);
    }
    let path = places.path(target);
    Ok(look(&path).map_err(|error| Failure::new("cannot read", &path, error))?)
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
pub(super) fn state(seen: &Seen, before: Option<Stamp>, after: Option<Stamp>) -> State {
    let Seen::Entry(entry) = seen else {
        return match (seen, before, after) {
            (Seen::Nothing, _, None) => State::After,
            (Seen::Nothing, None, _) => State::Before,
            _ => State::Neither,
        };
    };
    let now = Stamp::of(entry);
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

/// Whether what stands somewhere has this content.
pub(super) fn is_same(seen: &Seen, stamp: Stamp) -> bool {
    matches!(seen, Seen::Entry(entry) if is_similar(Stamp::of(entry), stamp))
}

pub(super) fn exists(path: &Path) -> bool {
    let absent = [ErrorKind::NotFound, ErrorKind::NotADirectory];
    !matches!(path.symlink_metadata(), Err(error) if absent.contains(&error.kind()))
}

/// A name beside `path` that only this operation uses.
pub(super) fn beside(path: &Path, n: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{}.create-app-{n}", &name[..name.floor_char_boundary(200)]))
}

/// `path` with a suffix, or with the first of suffix2, … that makes a name which is free.
pub(super) fn free_name(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let candidate = |n: usize| {
        let number = if n < 2 { String::new() } else { n.to_string() };
        path.with_file_name(format!("{name}{suffix}{number}"))
    };
    (1..).map(candidate).find(|candidate| !exists(candidate)).unwrap_or_else(|| candidate(1))
}
