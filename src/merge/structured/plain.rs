//! Texts without what parsers and editors do not keep: byte order marks, and line endings other than LF.

use std::borrow::Cow;

use crate::contents::{LineEnding, Uniform, convert, uniform};
use crate::merge::ending::{Versions, trivial};
use crate::merge::text::{Region, Side, TextMerge};

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Three versions of a file as plain text: base, ours, theirs.
pub(super) struct Plain<'v> {
    pub(super) versions: [Cow<'v, [u8]>; 3],
    /// The line ending that all of them had, where it was another than LF.
    ending: Option<LineEnding>,
    /// Whether the merged file begins with a byte order mark.
    has_mark: bool,
}

impl<'v> Plain<'v> {
    pub(super) fn new(versions: &'v Versions<'_>) -> Self {
        let all: [&'v [u8]; 3] = [&versions.base, &versions.ours, &versions.theirs];
        let [base, ours, theirs] = all.map(|bytes| bytes.starts_with(MARK));
        let has_mark = trivial(base, ours, theirs).unwrap_or(ours);
        let all = all.map(|bytes| bytes.strip_prefix(MARK).unwrap_or(bytes));
        let other = |bytes: &&[u8]| match uniform(bytes) {
            Uniform::Ending(ending) if ending != LineEnding::Lf => Some(ending),
            _ => None,
        };
        let ending = other(&all[1]).filter(|ending| {
            all.iter().all(|bytes| matches!(uniform(bytes), Uniform::Any) || uniform(bytes) == Uniform::Ending(*ending))
        });
        let plain = |bytes: &'v [u8]| match ending {
            Some(_) => convert(bytes, LineEnding::Lf),
            None => Cow::Borrowed(bytes),
        };
        Self { versions: all.map(plain), ending, has_mark }
    }

    /// Gives a merge of the plain texts what they lack.
    pub(super) fn finish(&self, merge: TextMerge<'static>) -> TextMerge<'static> {
        let mut finished = TextMerge { is_unsure: merge.is_unsure, ..TextMerge::default() };
        if self.has_mark {
            finished.push(Region::Resolved { side: Side::Both, bytes: MARK.into() });
        }
        let full = |bytes: Cow<'static, [u8]>| match self.ending {
            Some(ending) => Cow::Owned(convert(&bytes, ending).into_owned()),
            None => bytes,
        };
        for region in merge.regions {
            finished.push(match region {
                Region::Resolved { side, bytes } => Region::Resolved { side, bytes: full(bytes) },
                Region::Conflict { base, ours, theirs } => {
                    Region::Conflict { base: full(base), ours: full(ours), theirs: full(theirs) }
                }
            });
        }
        finished
    }
}
