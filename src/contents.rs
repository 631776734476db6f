//! What the bytes of a file are, whatever they are for: text or binary, and how its lines end.

use std::borrow::Cow;

use crate::tree::Entry;

/// How the lines of a file end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnding {
    /// `\n`.
    Lf,
    /// `\r\n`.
    CrLf,
    /// `\r`.
    Cr,
}

/// The line endings of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uniform {
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
    pub(crate) fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
            Self::Cr => b"\r",
        }
    }

    /// The ending of the first line that has one.
    #[must_use]
    pub(crate) fn first(bytes: &[u8]) -> Option<Self> {
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
pub(crate) fn uniform(bytes: &[u8]) -> Uniform {
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
pub(crate) fn convert(bytes: &[u8], to: LineEnding) -> Cow<'_, [u8]> {
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
pub(crate) fn same_lines(one: &[u8], other: &[u8]) -> bool {
    // A line that ends in two bytes rather than one is twice as long at most.
    let is_near = one.len() / 2 <= other.len() && other.len() / 2 <= one.len();
    one == other
        || is_near
            && match uniform(other) {
                Uniform::Ending(ending) => *convert(one, ending) == *other,
                Uniform::Any | Uniform::Mixed => false,
            }
}

/// Whether the project's content differs from what was rendered: not by mode, and not by the kind of line ending alone.
#[must_use]
pub(crate) fn is_edited(base: &Entry, ours: &Entry) -> bool {
    match (base, ours) {
        (Entry::File { bytes: base, .. }, Entry::File { bytes: ours, .. }) => !same_lines(base, ours),
        _ => base != ours,
    }
}

/// Whether bytes are binary, as git judges it: by a NUL near the start.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8000).any(|&byte| byte == 0)
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
}
