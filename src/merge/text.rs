//! The text rule: three versions of a file in, regions out.
//!
//! As git does, changes that overlap or touch are one region, and a region that both sides changed in different ways is
//! a conflict. Bytes go in and the same bytes come out: no encoding is assumed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use similar::DiffOp;

use crate::diff;

/// A merge as a value: concatenated in order, its regions are the merged file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextMerge<'a> {
    /// The regions, in the order of the file. None is empty.
    pub regions: Vec<Region<'a>>,
    /// Whether a file with every conflict decided for ours, and for theirs, may be wrong: then a person has to look.
    pub is_unsure: [bool; 2],
}

/// A part of a merged file: whole lines, each with its line ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Region<'a> {
    /// Agreed on, or changed by one side only.
    Resolved {
        /// Where the bytes come from.
        side: Side,
        /// The merged bytes.
        bytes: Cow<'a, [u8]>,
    },
    /// Changed by both sides, in different ways.
    Conflict {
        /// The last template's version.
        base: Cow<'a, [u8]>,
        /// The project's version.
        ours: Cow<'a, [u8]>,
        /// The new template's version.
        theirs: Cow<'a, [u8]>,
    },
}

/// Where the bytes of a resolved region come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Nobody changed it.
    Base,
    /// Only the project changed it.
    Ours,
    /// Only the template changed it.
    Theirs,
    /// Both made the same change, or both had a part in it.
    Both,
}

/// Merges two changes of `base`, line by line.
///
/// Equal sides, or a side that is still the base, give the other side's bytes exactly. The cost is that of two diffs.
#[must_use]
pub fn merge<'a>(base: &'a [u8], ours: &'a [u8], theirs: &'a [u8]) -> TextMerge<'a> {
    regions(base, ours, theirs, Judgement::Merge)
}

/// The same, but what one side changed is a conflict, too, where its new lines are `doubtful`.
#[must_use]
pub fn merge_but<'a>(
    base: &'a [u8],
    ours: &'a [u8],
    theirs: &'a [u8],
    doubtful: &dyn Fn(&[u8]) -> bool,
) -> TextMerge<'a> {
    regions(base, ours, theirs, Judgement::MergeBut(doubtful))
}

/// Compares two versions: a conflict wherever `ours` and `theirs` differ, whatever `base` has there.
#[must_use]
pub fn compare<'a>(base: &'a [u8], ours: &'a [u8], theirs: &'a [u8]) -> TextMerge<'a> {
    regions(base, ours, theirs, Judgement::Compare)
}

/// The lines that two versions have in common, in order: the base of a file that both sides added.
#[must_use]
pub fn common(ours: &[u8], theirs: &[u8]) -> Vec<u8> {
    let (is_end, mut ids) = (terminator(&[ours, theirs]), HashMap::new());
    let [ours, theirs] = [ours, theirs].map(|bytes| Version::new(bytes, is_end, &mut ids));
    let ops = diff::ops(&ours.ids, &theirs.ids);
    let equal = ops.iter().filter(|op| matches!(op, DiffOp::Equal { .. }));
    equal.flat_map(|op| ours.slice(op.old_range())).copied().collect()
}

impl<'a> TextMerge<'a> {
    /// A merge without conflict: `bytes`, in one region.
    #[must_use]
    pub fn resolved(side: Side, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let mut merge = Self::default();
        merge.push(Region::Resolved { side, bytes: bytes.into() });
        merge
    }

    /// Whether there is no conflict.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.conflicts() == 0
    }

    /// The number of conflicts.
    #[must_use]
    pub fn conflicts(&self) -> usize {
        self.regions.iter().filter(|region| matches!(region, Region::Conflict { .. })).count()
    }

    /// The merged bytes, where there is no conflict.
    #[must_use]
    pub fn clean(&self) -> Option<Vec<u8>> {
        self.is_clean().then(|| self.choose(Side::Ours))
    }

    /// The merged bytes, with every conflict decided for one side ([`Side::Both`]: ours, then theirs).
    #[must_use]
    pub fn choose(&self, side: Side) -> Vec<u8> {
        let mut out = Vec::new();
        for region in &self.regions {
            match (region, side) {
                (Region::Resolved { bytes, .. }, _) => out.extend_from_slice(bytes),
                (Region::Conflict { base, .. }, Side::Base) => out.extend_from_slice(base),
                (Region::Conflict { ours, .. }, Side::Ours) => out.extend_from_slice(ours),
                (Region::Conflict { theirs, .. }, Side::Theirs) => out.extend_from_slice(theirs),
                (Region::Conflict { ours, theirs, .. }, Side::Both) => {
                    out.extend_from_slice(ours);
                    out.extend_from_slice(theirs);
                }
            }
        }
        out
    }

    /// The same merge, holding its own bytes.
    #[must_use]
    pub fn into_owned(self) -> TextMerge<'static> {
        let regions = self.regions.into_iter().map(Region::into_owned).collect();
        TextMerge { regions, is_unsure: self.is_unsure }
    }

    /// Appends another merge.
    pub(crate) fn append(&mut self, other: Self) {
        other.regions.into_iter().for_each(|region| self.push(region));
        for (is_unsure, other) in self.is_unsure.iter_mut().zip(other.is_unsure) {
            *is_unsure |= other;
        }
    }

    /// Appends a region, unless it is empty.
    pub(crate) fn push(&mut self, region: Region<'a>) {
        if !region.is_empty() {
            self.regions.push(region);
        }
    }
}

impl Region<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Resolved { bytes, .. } => bytes.is_empty(),
            Self::Conflict { base, ours, theirs } => base.is_empty() && ours.is_empty() && theirs.is_empty(),
        }
    }

    fn into_owned(self) -> Region<'static> {
        let own = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        match self {
            Self::Resolved { side, bytes } => Region::Resolved { side, bytes: own(bytes) },
            Self::Conflict { base, ours, theirs } => {
                Region::Conflict { base: own(base), ours: own(ours), theirs: own(theirs) }
            }
        }
    }
}

/// The lines of `bytes`, each with its line ending. A lone CR ends a line only where there is no LF at all.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(terminator(&[bytes]))
}

fn terminator(versions: &[&[u8]]) -> impl Fn(&u8) -> bool + Copy + use<> {
    let end = if versions.iter().any(|bytes| bytes.contains(&b'\n')) { b'\n' } else { b'\r' };
    move |&byte| byte == end
}

/// The outcome of a region that one side alone changed.
#[derive(Clone, Copy)]
enum Judgement<'j> {
    Merge,
    MergeBut(&'j dyn Fn(&[u8]) -> bool),
    Compare,
}

impl Judgement<'_> {
    /// Whether the change of one side, to these lines, is taken.
    fn takes(self, lines: &[u8]) -> bool {
        match self {
            Self::Merge => true,
            Self::MergeBut(doubtful) => !doubtful(lines),
            Self::Compare => false,
        }
    }
}

fn regions<'a>(base: &'a [u8], ours: &'a [u8], theirs: &'a [u8], judgement: Judgement<'_>) -> TextMerge<'a> {
    let is_end = terminator(&[base, ours, theirs]);
    let mut ids = HashMap::new();
    let [base, ours, theirs] = [base, ours, theirs].map(|bytes| Version::new(bytes, is_end, &mut ids));
    let mut merge = TextMerge::default();
    let mut cursor = 0;
    let mut ours_edits = Edits::between(&base, &ours);
    let mut theirs_edits = Edits::between(&base, &theirs);
    while let Some(start) = [ours_edits.next_start(), theirs_edits.next_start()].into_iter().flatten().min() {
        merge.push(Region::Resolved { side: Side::Base, bytes: base.slice(cursor..start).into() });
        let [ours_start, theirs_start] = [ours_edits.place(start), theirs_edits.place(start)];
        let mut end = start;
        while ours_edits.take(&mut end) || theirs_edits.take(&mut end) {}
        let changed = Changed {
            base: start..end,
            ours: ours_start..ours_edits.place(end),
            theirs: theirs_start..theirs_edits.place(end),
        };
        changed.judge(&base, &ours, &theirs, judgement, &mut merge);
        cursor = end;
    }
    merge.push(Region::Resolved { side: Side::Base, bytes: base.slice(cursor..base.ids.len()).into() });
    merge
}

/// A version's lines, equal lines with equal numbers.
struct Version<'a> {
    bytes: &'a [u8],
    /// Where each line starts, and where the last one ends.
    starts: Vec<usize>,
    ids: Vec<u32>,
}

impl<'a> Version<'a> {
    fn new(bytes: &'a [u8], is_end: impl Fn(&u8) -> bool, known: &mut HashMap<&'a [u8], u32>) -> Self {
        let (mut starts, mut ids, mut at) = (vec![0], Vec::new(), 0);
        for line in bytes.split_inclusive(is_end) {
            at += line.len();
            starts.push(at);
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            ids.push(*known.entry(line).or_insert(next));
        }
        Self { bytes, starts, ids }
    }

    fn slice(&self, lines: Range<usize>) -> &'a [u8] {
        &self.bytes[self.starts[lines.start]..self.starts[lines.end]]
    }
}

/// One side's changes of the base, walked once from the start.
struct Edits {
    left: std::vec::IntoIter<(Range<usize>, Range<usize>)>,
    /// How many lines of the base, and of the side, are after the changes taken so far.
    behind: (usize, usize),
}

impl Edits {
    fn between(base: &Version<'_>, side: &Version<'_>) -> Self {
        let ops = diff::ops(&base.ids, &side.ids);
        let mut edits: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        for op in ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
            if let Some(last) = edits.last_mut() {
                slide(last, base, side, op.old_range().start);
                if last.0.end == op.old_range().start && last.1.end == op.new_range().start {
                    *last = (last.0.start..op.old_range().end, last.1.start..op.new_range().end);
                    continue;
                }
            }
            edits.push((op.old_range(), op.new_range()));
        }
        if let Some(last) = edits.last_mut() {
            slide(last, base, side, base.ids.len());
        }
        Self { left: edits.into_iter(), behind: (0, 0) }
    }

    fn next_start(&self) -> Option<usize> {
        self.left.as_slice().first().map(|(old, _)| old.start)
    }

    /// The side's line at the base's line `at`, which lies between the changes taken and the next one.
    fn place(&self, at: usize) -> usize {
        at - self.behind.0 + self.behind.1
    }

    /// Takes the next change, where it starts at or before `end`, and moves `end` after it.
    fn take(&mut self, end: &mut usize) -> bool {
        if self.next_start().is_none_or(|start| start > *end) {
            return false;
        }
        if let Some((old, new)) = self.left.next() {
            *end = old.end.max(*end);
            self.behind = (old.end, new.end);
        }
        true
    }
}

/// Moves a pure insertion or deletion among equal lines as far down as it goes before the base's line `next`, as git does:
/// then both sides have the same place for the same change.
fn slide((old, new): &mut (Range<usize>, Range<usize>), base: &Version<'_>, side: &Version<'_>, next: usize) {
    let slides = |old: &Range<usize>, new: &Range<usize>| match (old.is_empty(), new.is_empty()) {
        (true, false) => side.ids[new.start] == side.ids[new.end],
        (false, true) => base.ids[old.start] == base.ids[old.end],
        _ => false,
    };
    while old.end < next && slides(old, new) {
        *old = old.start + 1..old.end + 1;
        *new = new.start + 1..new.end + 1;
    }
}

/// A run of lines that at least one side changed.
struct Changed {
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

impl Changed {
    fn judge<'a>(
        mut self,
        base: &Version<'a>,
        ours: &Version<'a>,
        theirs: &Version<'a>,
        judgement: Judgement<'_>,
        merge: &mut TextMerge<'a>,
    ) {
        let [b, o, t] = [&base.ids[self.base.clone()], &ours.ids[self.ours.clone()], &theirs.ids[self.theirs.clone()]];
        let mut resolved = |side, bytes: &'a [u8]| merge.push(Region::Resolved { side, bytes: bytes.into() });
        if o == t {
            return resolved(Side::Both, ours.slice(self.ours));
        }
        if b == o && judgement.takes(theirs.slice(self.theirs.clone())) {
            return resolved(Side::Theirs, theirs.slice(self.theirs));
        }
        if b == t && judgement.takes(ours.slice(self.ours.clone())) {
            return resolved(Side::Ours, ours.slice(self.ours));
        }
        let same = |pairs: &mut dyn Iterator<Item = (&u32, &u32)>| pairs.take_while(|(o, t)| o == t).count();
        let head = same(&mut o.iter().zip(t));
        let tail = same(&mut o[head..].iter().rev().zip(t[head..].iter().rev()));
        resolved(Side::Both, ours.slice(self.ours.start..self.ours.start + head));
        let after = ours.slice(self.ours.end - tail..self.ours.end);
        self.ours = self.ours.start + head..self.ours.end - tail;
        self.theirs = self.theirs.start + head..self.theirs.end - tail;
        merge.push(Region::Conflict {
            base: base.slice(self.base).into(),
            ours: ours.slice(self.ours).into(),
            theirs: theirs.slice(self.theirs).into(),
        });
        merge.push(Region::Resolved { side: Side::Both, bytes: after.into() });
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
