//! The refined text merge: inside a conflict, changes of different lines do not conflict, even if they touch.
//!
//! Too bold for plain text. Its result is a candidate, which a structured file's value has to confirm.

use std::borrow::Cow;

use similar::DiffOp;

use super::text::{Region, Side, TextMerge, lines};
use crate::diff;

/// How many pairs of lines are compared at most in one hunk, and in a file.
const PAIRS: (usize, usize) = (2_500, 100_000);
/// How similar two lines must be, at least, for one to be the other's new version.
const SIMILAR: f64 = 0.6;

/// The result of two insertions in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Entries of one line each are sorted; others come as with [`Gap::Ours`].
    Sorted,
    /// Ours come first, unless the others are deeper: then they belong to the line before.
    Ours,
    /// Theirs come first, unless ours are deeper.
    Theirs,
    /// They are a conflict.
    Conflict,
}

impl Gap {
    pub(super) const ALL: [Self; 4] = [Self::Ours, Self::Theirs, Self::Sorted, Self::Conflict];
}

/// Refines every conflict of a merge: lines are paired, one changed line at a time is merged, and of two insertions in one
/// place becomes what `between` says; it is asked for each such place in turn.
///
/// With `commas`, a comma at the end of a line is merged apart from the line.
pub(super) fn refine<'a>(merge: &TextMerge<'a>, between: &mut dyn FnMut() -> Gap, commas: bool) -> TextMerge<'a> {
    let mut refined = TextMerge::default();
    let mut budget = PAIRS.1;
    for (number, region) in merge.regions.iter().enumerate() {
        let Region::Conflict { base, ours, theirs } = region else {
            refined.push(region.clone());
            continue;
        };
        let [base, ours, theirs] = [base, ours, theirs].map(|bytes| lines(bytes).collect::<Vec<_>>());
        let sides = [&ours, &theirs].map(|side| Aligned::new(&base, side, &mut budget));
        let [Some(ours), Some(theirs)] = sides else {
            refined.push(region.clone());
            continue;
        };
        let mut out = Vec::new();
        let apart =
            empty_line(number.checked_sub(1).and_then(|at| merge.regions.get(at)), merge.regions.get(number + 1));
        for at in 0..=base.len() {
            gap(&ours.added[at], &theirs.added[at], between, apart.filter(|_| base.is_empty()), &mut out);
            if let Some(base) = base.get(at) {
                line(base, ours.kept[at], theirs.kept[at], commas, &mut out);
            }
        }
        out.into_iter().for_each(|region| refined.push(region));
    }
    refined
}

/// The empty line that both sides have added around what they added, so that it is there once.
fn empty_line<'r>(before: Option<&'r Region<'_>>, after: Option<&'r Region<'_>>) -> Option<&'r [u8]> {
    let added = |region: Option<&'r Region<'_>>| match region {
        Some(Region::Resolved { side: Side::Both, bytes }) => Some(lines(bytes).collect::<Vec<_>>()),
        _ => None,
    };
    let found =
        [added(before).and_then(|lines| lines.last().copied()), added(after).and_then(|lines| lines.first().copied())];
    found.into_iter().flatten().find(|line| line.trim_ascii().is_empty())
}

/// Between two blocks of several lines comes `apart`, where there is one.
fn gap(
    ours: &[&[u8]],
    theirs: &[&[u8]],
    between: &mut dyn FnMut() -> Gap,
    apart: Option<&[u8]>,
    out: &mut Vec<Region<'static>>,
) {
    let mut first = Gap::Ours;
    if !ours.is_empty() && !theirs.is_empty() && ours != theirs {
        first = between();
        match first {
            Gap::Conflict => return conflict(b"", &ours.concat(), &theirs.concat(), out),
            Gap::Sorted => {
                if let Some(lines) = sorted(ours, theirs) {
                    out.push(Region::Resolved { side: Side::Both, bytes: lines.concat().into() });
                    return;
                }
            }
            Gap::Ours | Gap::Theirs => {}
        }
    }
    let mut resolved = |side, lines: &[&[u8]]| {
        if !lines.is_empty() {
            out.push(Region::Resolved { side, bytes: lines.concat().into() });
        }
    };
    let deeper = indent(theirs).cmp(&indent(ours));
    if ours == theirs {
        return resolved(Side::Both, ours);
    }
    let [(one, first), (other, second)] = if deeper.is_gt() || (deeper.is_eq() && first == Gap::Theirs) {
        [(Side::Theirs, theirs), (Side::Ours, ours)]
    } else {
        [(Side::Ours, ours), (Side::Theirs, theirs)]
    };
    let is_apart = first.len().min(second.len()) > 0 && first.len().max(second.len()) > 1;
    let is_blank = |line: Option<&&[u8]>| line.is_none_or(|line| line.trim_ascii().is_empty());
    resolved(one, first);
    if let Some(line) = apart.filter(|_| is_apart && !is_blank(first.last()) && !is_blank(second.first())) {
        resolved(Side::Both, &[line]);
    }
    resolved(other, second);
}

/// The lines of both sides by what they begin with, each once; `None` if one of them is not an entry of its own.
fn sorted<'l>(ours: &[&'l [u8]], theirs: &[&'l [u8]]) -> Option<Vec<&'l [u8]>> {
    let mut lines: Vec<&[u8]> = ours.to_vec();
    lines.extend(theirs.iter().filter(|line| !ours.contains(line)));
    let level = indent(&lines);
    let ends_open = |line: &[u8]| line.trim_ascii_end().ends_with(b"{") || line.trim_ascii_end().ends_with(b"[");
    let is_entry = |line: &&[u8]| {
        let text = line.trim_ascii();
        indent(&[*line]) == level
            && !text.is_empty()
            && !text.starts_with(b"#")
            && !text.starts_with(b"/")
            && !ends_open(line)
    };
    if !lines.iter().all(is_entry) {
        return None;
    }
    let key = |line: &&[u8]| {
        let line = Line::new(line);
        let text = line.key().unwrap_or(&line.text);
        text.trim_start_matches("- ").trim_matches(['"', '\'', ',']).to_lowercase()
    };
    lines.sort_by_cached_key(key);
    Some(lines)
}

fn indent(lines: &[&[u8]]) -> usize {
    lines.first().map_or(0, |line| line.len() - line.trim_ascii_start().len())
}

fn line(base: &[u8], ours: Option<&[u8]>, theirs: Option<&[u8]>, commas: bool, out: &mut Vec<Region<'static>>) {
    let split = |line| if commas { split_comma(line) } else { (line, false) };
    let (was, comma) = split(base);
    let [o, t] = [ours, theirs].map(|line| line.map(split));
    let (side, body) = match [o, t].map(|line| line.map(|(body, _)| body)) {
        [ours, theirs] if ours == theirs => (Side::Both, ours),
        [ours, theirs] if theirs == Some(was) => (Side::Ours, ours),
        [ours, theirs] if ours == Some(was) => (Side::Theirs, theirs),
        _ => return conflict(base, ours.unwrap_or_default(), theirs.unwrap_or_default(), out),
    };
    let Some(body) = body else { return };
    let [o, t] = [o, t].map(|line| line.map_or(comma, |(_, comma)| comma));
    let comma = if t == comma { o } else { t };
    let ending = base.len() - base.trim_ascii_end().len();
    let comma: &[u8] = if commas && comma { b"," } else { b"" };
    let ending = if commas { &base[base.len() - ending..] } else { b"" };
    out.push(Region::Resolved { side, bytes: Cow::Owned([body, comma, ending].concat()) });
}

fn split_comma(line: &[u8]) -> (&[u8], bool) {
    let line = line.trim_ascii_end();
    match line.strip_suffix(b",") {
        Some(body) => (body, true),
        None => (line, false),
    }
}

/// Appends to the conflict that is just before, if there is one.
fn conflict(base: &[u8], ours: &[u8], theirs: &[u8], out: &mut Vec<Region<'static>>) {
    if let Some(Region::Conflict { base: b, ours: o, theirs: t }) = out.last_mut() {
        b.to_mut().extend_from_slice(base);
        o.to_mut().extend_from_slice(ours);
        t.to_mut().extend_from_slice(theirs);
    } else {
        let own = |bytes: &[u8]| Cow::Owned(bytes.to_vec());
        out.push(Region::Conflict { base: own(base), ours: own(ours), theirs: own(theirs) });
    }
}

/// A side's lines, each at the line of the base that it comes from.
struct Aligned<'l> {
    /// The fate of each line of the base.
    kept: Vec<Option<&'l [u8]>>,
    /// The new lines before each line of the base, and after the last.
    added: Vec<Vec<&'l [u8]>>,
}

impl<'l> Aligned<'l> {
    fn new(base: &[&[u8]], side: &[&'l [u8]], budget: &mut usize) -> Option<Self> {
        let mut aligned = Self { kept: vec![None; base.len()], added: vec![Vec::new(); base.len() + 1] };
        for op in diff::ops(base, side) {
            let (old, new) = (op.old_range(), op.new_range());
            match op {
                DiffOp::Equal { .. } => aligned.keep(old.zip(new), side),
                DiffOp::Delete { .. } => {}
                DiffOp::Insert { .. } => aligned.added[old.start].extend(&side[new]),
                DiffOp::Replace { .. } => {
                    let pairs = pair(&base[old.clone()], &side[new.clone()], budget)?;
                    let (mut place, mut next) = (old.start, new.start);
                    for (old_at, new_at) in pairs {
                        aligned.added[place].extend(&side[next..new.start + new_at]);
                        aligned.kept[old.start + old_at] = Some(side[new.start + new_at]);
                        (place, next) = (old.start + old_at + 1, new.start + new_at + 1);
                    }
                    aligned.added[place].extend(&side[next..new.end]);
                }
            }
        }
        Some(aligned)
    }

    fn keep(&mut self, pairs: impl Iterator<Item = (usize, usize)>, side: &[&'l [u8]]) {
        for (old, new) in pairs {
            self.kept[old] = Some(side[new]);
        }
    }
}

/// Pairs the lines of two versions of a hunk, in order, so that the pairs have the most in common.
fn pair(old: &[&[u8]], new: &[&[u8]], budget: &mut usize) -> Option<Vec<(usize, usize)>> {
    let pairs = old.len() * new.len();
    *budget = budget.checked_sub(pairs).filter(|_| pairs <= PAIRS.0)?;
    let [old_lines, new_lines] = [old, new].map(|lines| lines.iter().map(|line| Line::new(line)).collect::<Vec<_>>());
    let width = new.len() + 1;
    let mut best = vec![0_u32; (old.len() + 1) * width];
    let mut scores = vec![0_u32; pairs];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let score = old_lines[i].score(&new_lines[j]);
            scores[i * new.len() + j] = score;
            let both = if score > 0 { best[(i + 1) * width + j + 1] + score } else { 0 };
            best[i * width + j] = both.max(best[(i + 1) * width + j]).max(best[i * width + j + 1]);
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        let (here, score) = (best[i * width + j], scores[i * new.len() + j]);
        if score > 0 && here == best[(i + 1) * width + j + 1] + score {
            found.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if here == best[(i + 1) * width + j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    Some(found)
}

/// The part of a line that is compared.
struct Line<'l> {
    indent: usize,
    text: Cow<'l, str>,
    key: Option<usize>,
}

impl<'l> Line<'l> {
    fn new(line: &'l [u8]) -> Self {
        let text = line.trim_ascii();
        let key = text.iter().position(|byte| matches!(byte, b':' | b'='));
        Self { indent: indent(&[line]), text: String::from_utf8_lossy(text), key }
    }

    fn key(&self) -> Option<&str> {
        Some(self.text.get(..self.key?)?.trim_end()).filter(|key| !key.is_empty())
    }

    /// How much two lines have in common; 0 where they cannot be a pair.
    fn score(&self, other: &Self) -> u32 {
        let same_key = self.key().is_some() && self.key() == other.key();
        let [short, long] = [self.text.len().min(other.text.len()), self.text.len().max(other.text.len())];
        if self.indent != other.indent || short == 0 || (!same_key && 3 * long > 7 * short) {
            return 0;
        }
        let similarity = if long > 1_000 { 0.0 } else { strsim::sorensen_dice(&self.text, &other.text) };
        let hundredths = (1_u32..=100).take_while(|&n| f64::from(n) <= similarity * 100.0).count();
        let hundredths = u32::try_from(hundredths).unwrap_or_default();
        match (same_key, similarity >= SIMILAR) {
            (true, _) => 100 + hundredths,
            (false, true) => hundredths,
            (false, false) => 0,
        }
    }
}
