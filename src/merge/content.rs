//! Merges the bytes of one file, by the rule that fits its name.

use super::ending::{Versions, trivial};
use super::text::{self, Side, TextMerge};
use crate::tree::RelPath;

/// Merges three versions of the file at `path`; without a base, what both have in common is the base.
///
/// Trivial cases come out exactly; line ending and final newline are merged apart from the lines. Binary content, sizes,
/// modes and lock files are the caller's.
#[must_use]
pub fn merge(path: &RelPath, base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> TextMerge<'static> {
    if let Some(bytes) = trivial(base, Some(ours), Some(theirs)).flatten() {
        return TextMerge::resolved(side(base, ours, theirs), bytes.to_vec());
    }
    let versions = Versions::new(base.unwrap_or_default(), ours, theirs);
    versions.finish(lines(path, &versions)).into_owned()
}

fn side(base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> Side {
    match (ours == theirs, base == Some(ours)) {
        (true, true) => Side::Base,
        (true, false) => Side::Both,
        (false, true) => Side::Theirs,
        (false, false) => Side::Ours,
    }
}

fn lines<'v>(_path: &RelPath, versions: &'v Versions<'_>) -> TextMerge<'v> {
    text::merge(&versions.base, &versions.ours, &versions.theirs)
}
