//! Line endings and the final newline: values of their own, merged apart from the lines.
//!
//! A project whose line endings git converts (autocrlf) differs from its template in every line and in none.

use std::borrow::Cow;

use super::text::{self, Region, Side, TextMerge};

/// How the lines of a file end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnding {
    /// `\n`.
    Lf,
    /// `\r\n`.
    CrLf,
    /// `\r`.
    Cr,
}

/// What a file says about its line ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniform {
    /// Every line ends so.
    Ending(LineEnding),
    /// No line ends at all: any line ending would do.
    Any,
    /// Lines end in different ways, or the file is binary.
    Mixed,
}

impl LineEnding {
    /// The ending as bytes.
    #[must_use]
    pub fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
            Self::Cr => b"\r",
        }
    }

    /// The ending of the first line that has one.
    #[must_use]
    pub fn first(bytes: &[u8]) -> Option<Self> {
        let at = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        Some(match &bytes[at..] {
            [b'\r', b'\n', ..] => Self::CrLf,
            [b'\r', ..] => Self::Cr,
            _ => Self::Lf,
        })
    }
}

/// The line ending of all the lines of a file.
#[must_use]
pub fn uniform(bytes: &[u8]) -> Uniform {
    let Some(ending) = LineEnding::first(bytes) else { return Uniform::Any };
    let mut previous = 0;
    let (mut pairs, mut feeds, mut returns) = (0_usize, 0_usize, 0_usize);
    for &byte in bytes {
        match byte {
            0 => return Uniform::Mixed,
            b'\r' => returns += 1,
            b'\n' if previous == b'\r' => {
                pairs += 1;
                feeds += 1;
            }
            b'\n' => feeds += 1,
            _ => {}
        }
        previous = byte;
    }
    let uniform = match ending {
        LineEnding::Lf => returns == 0,
        LineEnding::CrLf => pairs == feeds && pairs == returns,
        LineEnding::Cr => feeds == 0,
    };
    if uniform { Uniform::Ending(ending) } else { Uniform::Mixed }
}

/// `bytes`, whose lines end in a uniform way, with another line ending.
#[must_use]
pub fn convert(bytes: &[u8], to: LineEnding) -> Cow<'_, [u8]> {
    match uniform(bytes) {
        Uniform::Ending(from) if from != to => {
            let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 16);
            let last = from.as_bytes()[from.as_bytes().len() - 1];
            for line in bytes.split_inclusive(|&byte| byte == last) {
                let text = line.strip_suffix(from.as_bytes());
                out.extend_from_slice(text.unwrap_or(line));
                out.extend_from_slice(text.map_or(b"", |_| to.as_bytes()));
            }
            Cow::Owned(out)
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// Whether two files are the same but for their uniform line endings.
#[must_use]
pub fn same_lines(one: &[u8], other: &[u8]) -> bool {
    // A line that ends in two bytes rather than one is twice as long at most.
    let is_near = one.len() / 2 <= other.len() && other.len() / 2 <= one.len();
    one == other
        || is_near
            && match uniform(other) {
                Uniform::Ending(ending) => *convert(one, ending) == *other,
                Uniform::Any | Uniform::Mixed => false,
            }
}

/// The trivial rule: what both agree on, or what one side changed; nothing where they disagree.
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

    #[test]
    fn a_line_ending_is_uniform_or_it_is_not() {
        let cases: [(&[u8], Uniform); 9] = [
            (b"", Uniform::Any),
            (b"a", Uniform::Any),
            (b"a\nb", Uniform::Ending(LineEnding::Lf)),
            (b"a\r\nb\r\n", Uniform::Ending(LineEnding::CrLf)),
            (b"a\rb\r", Uniform::Ending(LineEnding::Cr)),
            (b"a\r\nb\n", Uniform::Mixed),
            (b"a\nb\r", Uniform::Mixed),
            (b"a\r\r\n", Uniform::Mixed),
            (b"\0a\n", Uniform::Mixed),
        ];
        for (bytes, expected) in cases {
            assert_eq!(uniform(bytes), expected, "{:?}", bytes.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_conversion_changes_the_line_endings_alone() {
        assert_eq!(&*convert(b"a\nb", LineEnding::CrLf), b"a\r\nb");
        assert_eq!(&*convert(b"a\r\n\r\n", LineEnding::Lf), b"a\n\n");
        assert_eq!(&*convert(b"a\rb\r", LineEnding::Lf), b"a\nb\n");
        assert_eq!(&*convert(b"a\r\nb\n", LineEnding::Lf), b"a\r\nb\n");
        assert!(same_lines(b"a\r\nb", b"a\nb") && same_lines(b"a", b"a"));
        assert!(!same_lines(b"a\nb\n", b"a\nb") && !same_lines(b"a\r\nb\n", b"a\nb\n"));
    }

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
