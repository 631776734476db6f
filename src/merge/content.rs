//! Merges the bytes of one file, by the rule that fits its name.

use super::ending::{Versions, trivial};
use super::lines;
use super::structured::{self, Format};
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
    let versions = match base {
        Some(base) => Versions::new(base, ours, theirs),
        None => Versions::without_base(ours, theirs),
    };
    versions.finish(by_rule(path, base.is_some(), &versions)).into_owned()
}

fn by_rule<'v>(path: &RelPath, has_base: bool, versions: &'v Versions<'_>) -> TextMerge<'v> {
    if lines::is_line_set(path) {
        return lines::merge(versions);
    }
    let merge = Format::of(path).and_then(|format| structured::merge(format, has_base, versions));
    merge.unwrap_or_else(|| text::merge(&versions.base, &versions.ours, &versions.theirs))
}

fn side(base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> Side {
    match (ours == theirs, base == Some(ours)) {
        (true, true) => Side::Base,
        (true, false) => Side::Both,
        (false, true) => Side::Theirs,
        (false, false) => Side::Ours,
    }
}
