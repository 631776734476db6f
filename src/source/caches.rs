//! Directories of caches, such as Cargo's `target`: what is in them is not a part of a template, and may be gigabytes.
//!
//! The [specification](https://bford.info/cachedir/) marks them by a file with a signature, so no directory is left out for its name.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;

use crate::rooted::{Kind, Reader};
use crate::tree::{Entry, Tree};

/// The file that marks such a directory.
const TAG: &str = "CACHEDIR.TAG";
/// The start of the file.
const SIGNATURE: &[u8; 43] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// Whether a directory with these entries is one. What cannot be read is none.
pub(super) fn is_cache<'e>(
    reader: &mut Reader<'_>,
    directory: &Path,
    entries: impl IntoIterator<Item = &'e (impl AsRef<OsStr> + 'e, Kind)>,
) -> bool {
    let is_marked = entries.into_iter().any(|(name, kind)| name.as_ref() == TAG && *kind == Kind::File);
    let begins = |reader: &mut Reader<'_>| {
        let mut start = Vec::new();
        let file = reader.regular(&directory.join(TAG)).ok()?.into_file();
        file.take(SIGNATURE.len() as u64).read_to_end(&mut start).ok()?;
        Some(start == SIGNATURE)
    };
    is_marked && begins(reader).unwrap_or_default()
}

/// Takes such directories out of a tree, except for the tree's own root.
pub(super) fn without_caches(mut tree: Tree) -> Tree {
    let tags = tree.iter().filter(|(path, entry)| {
        path.file_name() == TAG && matches!(entry, Entry::File { bytes, .. } if bytes.starts_with(SIGNATURE))
    });
    let caches: Vec<String> = tags.filter_map(|(path, _)| path.ancestors().next().map(|it| format!("{it}/"))).collect();
    if !caches.is_empty() {
        tree.retain(|path, _| !caches.iter().any(|cache| path.as_str().starts_with(cache.as_str())));
    }
    tree
}
