//! Line endings and the final newline: values of their own, merged apart from the lines.
//!
//! A project whose line endings git converts (autocrlf) differs from its template in every line and in none.

use std::borrow::Cow;

use super::text::{self, Region, Side, TextMerge};
use crate::contents::{LineEnding, Uniform, convert, uniform};

/// The trivial rule: what both agree on, or what one side changed; `None` if they disagree.
#[must_use]
pub fn trivial<T: PartialEq>(base: T, ours: T, theirs: T) -> Option<T> {
    if ours == theirs || base == theirs {
        Some(ours)
    } else if base == ours {
        Some(theirs)
    } else {
        None
    }
}

/// Three versions of a file with the merged line ending, and each with a final newline: only their lines differ.
#[derive(Debug)]
pub struct Versions<'a> {
    /// The last template's.
    pub base: Cow<'a, [u8]>,
    /// The project's.
    pub ours: Cow<'a, [u8]>,
    /// The new template's.
    pub theirs: Cow<'a, [u8]>,
    /// Whether the merged file is to have no final newline, though these versions have one.
    is_unfinished: bool,
}

impl<'a> Versions<'a> {
    /// Merges line ending and final newline, and gives the three versions the result.
    ///
    /// Where a version mixes its line endings, they belong to the lines. Where ours and theirs have changed to different
    /// ones, ours stays.
    #[must_use]
    pub fn new(base: &'a [u8], ours: &'a [u8], theirs: &'a [u8]) -> Self {
        Self::with(base, ours, theirs, |_| false)
    }

    /// The same for a format in which the final newline may have a meaning: `needs` says whether it has in a text, which has
    /// one or not. Where it has in a version that lacks it, it belongs to the lines.
    #[must_use]
    pub fn with(base: &'a [u8], ours: &'a [u8], theirs: &'a [u8], needs: impl Fn(&[u8]) -> bool) -> Self {
        let ending = merged_ending(uniform(base), uniform(ours), uniform(theirs));
        let [base, ours, theirs] = [base, ours, theirs].map(|bytes| match ending {
            Some(ending) => convert(bytes, ending),
            None => Cow::Borrowed(bytes),
        });
        let mut versions = Self { base, ours, theirs, is_unfinished: false };
        versions.complete(ending, needs);
        versions
    }

    /// The same for a file that both sides added: what they have in common is the base.
    #[must_use]
    pub fn without_base(ours: &'a [u8], theirs: &'a [u8]) -> Self {
        // With theirs as the base, ours decides line ending and final newline.
        let mut versions = Self::new(theirs, ours, theirs);
        versions.base = Cow::Owned(text::common(&versions.ours, &versions.theirs));
        versions
    }

    /// Gives every version that is not empty a final newline, unless all of them lack it.
    fn complete(&mut self, ending: Option<LineEnding>, needs: impl Fn(&[u8]) -> bool) {
        let complete = |bytes: &[u8]| bytes.last().map(|last| matches!(last, b'\n' | b'\r'));
        let is_value = |bytes: &[u8]| complete(bytes) == Some(false) && needs(bytes);
        if [&self.base, &self.ours, &self.theirs].into_iter().any(|bytes| is_value(bytes)) {
            return;
        }
        let [base, ours, theirs] = [complete(&self.base), complete(&self.ours), complete(&self.theirs)];
        if [base, ours, theirs].into_iter().flatten().all(|complete| complete) {
            return;
        }
        let ending = ending.or_else(|| LineEnding::first(&self.ours)).or_else(|| LineEnding::first(&self.theirs));
        let ending = ending.unwrap_or(LineEnding::Lf).as_bytes();
        for (bytes, complete) in [(&mut self.base, base), (&mut self.ours, ours), (&mut self.theirs, theirs)] {
            if complete == Some(false) {
                bytes.to_mut().extend_from_slice(ending);
            }
        }
        // An empty version has no say. Of two that disagree about a new text, neither wins: it is as texts usually are.
        let [ours, theirs] = [ours.or(base).or(theirs), theirs.or(base).or(ours)];
        let merged = if base.is_some() { trivial(base, ours, theirs) } else { Some(ours).filter(|_| ours == theirs) };
        self.is_unfinished = merged.flatten() == Some(false);
    }

    /// Turns the merge of these versions into the merge of the files: without the final newline, where the file has none.
    #[must_use]
    pub fn finish<'m>(&self, merge: TextMerge<'m>) -> TextMerge<'m> {
        self.finish_with(merge, |_| false)
    }

    /// The same; a side whose text `needs` its final newline keeps it.
    #[must_use]
    pub fn finish_with<'m>(&self, mut merge: TextMerge<'m>, needs: impl Fn(&[u8]) -> bool) -> TextMerge<'m> {
        if !self.is_unfinished {
            return merge;
        }
        let is_needed = [Side::Base, Side::Ours, Side::Theirs].map(|side| needs(&merge.choose(side)));
        match merge.regions.last_mut() {
            Some(Region::Resolved { bytes, .. }) if !is_needed[1] && !is_needed[2] => strip(bytes),
            Some(Region::Conflict { base, ours, theirs }) => {
                let sides = [base, ours, theirs].into_iter().zip(is_needed).filter(|(_, is_needed)| !is_needed);
                sides.for_each(|(bytes, _)| strip(bytes));
            }
            Some(Region::Resolved { .. }) | None => {}
        }
        let last = merge.regions.pop();
        last.into_iter().for_each(|region| merge.push(region));
        merge
    }
}

fn merged_ending(base: Uniform, ours: Uniform, theirs: Uniform) -> Option<LineEnding> {
    let known = |version| match version {
        Uniform::Ending(ending) => Some(ending),
        Uniform::Any | Uniform::Mixed => None,
    };
    if [base, ours, theirs].contains(&Uniform::Mixed) {
        return None;
    }
    let base = known(base).or(known(ours)).or(known(theirs))?;
    let ours = known(ours).unwrap_or(base);
    Some(trivial(base, ours, known(theirs).unwrap_or(base)).unwrap_or(ours))
}

/// Takes the line ending from the last line. Where a file mixes them, it may be another one than that of the first line.
fn strip(bytes: &mut Cow<'_, [u8]>) {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let length = text.strip_suffix(b"\r").unwrap_or(text).len();
    match bytes {
        Cow::Borrowed(bytes) => *bytes = &bytes[..length],
        Cow::Owned(bytes) => bytes.truncate(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base, ours, theirs, and the clean merge.
    const CASES: &[[&str; 4]] = &[
        ["a\nb\nc\n", "a\r\nb\r\nc\r\n", "a\nb\nC\n", "a\r\nb\r\nC\r\n"],
        ["a\nb\nc\n", "A\nb\nc\n", "a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n"],
        ["a\nb\nc\n", "A\r\nb\r\nc\r\n", "a\rb\rC\r", "A\r\nb\r\nC\r\n"],
        ["a\nb\nc\n", "a\nb\nc", "a\nb\nc\nd\n", "a\nb\nc\nd"],
        // The last line ends in another way than the first one; that is all of its ending.
        ["a\nb\nc\n", "a\nb\nc", "a\nb\nc\nd\r\n", "a\nb\nc\nd"],
        ["a\r\nb\r\nc\r\n", "a\r\nb\r\nc", "a\r\nb\r\nc\r\nd\n", "a\r\nb\r\nc\r\nd"],
        ["a\nb\nc", "A\nb\nc", "a\nb\nc\n", "A\nb\nc\n"],
        ["a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"],
        ["a\nb\nc", "a\nb\nc\n", "A\nb\nc", "A\nb\nc\n"],
        ["a\nb", "", "a\nb", ""],
        ["", "a\r\n", "", "a\r\n"],
        ["a", "a\r\nb\r\n", "a", "a\r\nb\r\n"],
    ];

    #[test]
    fn neither_side_decides_about_the_final_newline_of_what_both_added() {
        for (ours, theirs) in [("{\n\n", "{"), ("{", "{\n\n"), ("a\nb", "a\n"), ("a\n", "a\nb")] {
            let versions = Versions::new(b"", ours.as_bytes(), theirs.as_bytes());
            let merge = versions.finish(text::merge(&versions.base, &versions.ours, &versions.theirs));
            assert!(!merge.is_clean(), "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn line_ending_and_final_newline_are_merged_apart_from_the_lines() {
        for case in CASES {
            let [base, ours, theirs, expected] = case.map(str::as_bytes);
            let versions = Versions::new(base, ours, theirs);
            let merge = versions.finish(text::merge(&versions.base, &versions.ours, &versions.theirs));
            let merged = merge.clean().map(|bytes| bytes.escape_ascii().to_string());
            assert_eq!(merged, Some(expected.escape_ascii().to_string()), "{case:?}");
        }
    }
}
