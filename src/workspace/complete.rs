//! The large files of the base: they are read once it is known which are needed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::project::Project;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::digest::Digest;
use crate::limits::{MERGED, PROJECT};
use crate::lock::Pristine;
use crate::lock::{Base, Recorded, entry};
use crate::plan::Trees;
use crate::tree::{Entry, RelPath, Tree};

/// The purpose of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// To say whether a file was edited.
    ToJudge,
    /// To merge it, or to show what differs.
    ToMerge,
}

/// Completes what is known of the base, now that the project's files are known: a large file that was not edited is what was
/// rendered, and the others are read.
///
/// # Errors
///
/// If the base cannot be read, or if more is needed than can be held.
pub fn complete(project: &mut Project, ours: &Trees, needed: Needed) -> Result<()> {
    let moved = project.bases.moved.clone();
    let sides = project.bases.files.as_mut().zip(ours.as_ref());
    let mut found: BTreeMap<Digest, Bytes> = BTreeMap::new();
    for (_, (base, ours)) in sides {
        let open = open(base, &project.room.large);
        let lengths: BTreeSet<u64> = open.iter().map(|(_, _, length)| *length).collect();
        found.extend(by_digest(ours, &lengths));
        for (path, pristine, length) in open {
            let Some(digest) = pristine.bytes() else { continue };
            let place = Some(&path).filter(|path| ours.contains_key(path)).or_else(|| moved.get(&path));
            let now = place.and_then(|place| ours.get(place));
            let bytes = match found.get(&digest) {
                Some(bytes) => bytes.clone(),
                None if is_needed(needed, length, now) => {
                    if !project.room.held.take(length) {
                        return Err(too_much(&path, length).into());
                    }
                    project.folder.bytes(digest, length)?
                }
                None => continue,
            };
            if let Some(recorded) = base.get_mut(&path) {
                recorded.entry = entry(pristine.mode, &bytes);
            }
            found.insert(digest, bytes);
        }
    }
    Ok(())
}

/// The files whose bytes are in the base and were not read.
fn open(base: &Base, large: &BTreeMap<Digest, u64>) -> Vec<(RelPath, Pristine, u64)> {
    if large.is_empty() {
        return Vec::new();
    }
    let open = base.iter().filter(|(_, recorded)| recorded.entry.is_none());
    let length = |recorded: &Recorded| large.get(&recorded.pristine.bytes()?).copied();
    open.filter_map(|(path, recorded)| Some((path.clone(), recorded.pristine, length(recorded)?))).collect()
}

/// The project's files of these lengths, by their digests.
fn by_digest(ours: &Tree, lengths: &BTreeSet<u64>) -> BTreeMap<Digest, Bytes> {
    let files = ours.values().filter_map(|entry| match entry {
        Entry::File { bytes, .. } if lengths.contains(&(bytes.len() as u64)) => Some(bytes),
        _ => None,
    });
    files.map(|bytes| (Digest::of(bytes), bytes.clone())).collect()
}

/// Whether the bytes of a file that was edited, or has gone, can change what is said of it.
fn is_needed(needed: Needed, length: u64, now: Option<&Entry>) -> bool {
    match now {
        _ if needed == Needed::ToMerge => true,
        // Other line endings make a text twice as long at most.
        Some(now) => {
            let now = now.bytes().len() as u64;
            length <= now.saturating_mul(2) && now <= length.saturating_mul(2)
        }
        // Larger files are not looked for where they were edited.
        None => length <= MERGED,
    }
}

fn too_much(path: &RelPath, length: u64) -> Diagnostic {
    let title = format!(
        "the base of `{path}` has {} MiB: with it, this project would take more than {} MiB of memory",
        length >> 20,
        PROJECT >> 20
    );
    let help = "upgrade the large files by hand: replace them with the template's, then run the command again";
    Diagnostic::error(Code::TooMuch, title).help(help)
}
