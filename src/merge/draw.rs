//! Draws a merge as the bytes of a file: conflicts between markers, or decided for one side.

use std::collections::BTreeSet;

use super::text::{Region, Side, TextMerge, lines};
use crate::contents::LineEnding;

/// The label of the project's side.
pub const OURS: &str = "yours";
/// The label of the base, in [`Style::Diff3`].
pub const BASE: &str = "base";
/// The label of the template's side, followed by its version.
pub const THEIRS: &str = "template";

/// The length of a marker, unless the file has lines that look like one.
const LENGTH: usize = 7;

/// How conflicts are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Both sides between markers.
    #[default]
    Merge,
    /// Write the base as well.
    Diff3,
    /// The project's side, without markers, where that is certain to be right.
    Ours,
    /// Take the template's side, likewise.
    Theirs,
}

/// The bytes to write for a merge.
///
/// `version` is the template's, for the label; it may be empty. Markers end as the file's lines do, and are longer where the
/// file has lines that look like markers.
#[must_use]
pub fn draw(merge: &TextMerge<'_>, style: Style, version: &str) -> Vec<u8> {
    match (decided(merge, style), merge.clean()) {
        (Some(side), _) => merge.choose(side),
        (None, Some(bytes)) => bytes,
        (None, None) => with_markers(merge, style, version),
    }
}

/// The side that conflicts are decided for; `None` if they are not.
#[must_use]
pub fn decided(merge: &TextMerge<'_>, style: Style) -> Option<Side> {
    let [ours, theirs] = merge.is_unsure;
    match style {
        Style::Ours if !ours => Some(Side::Ours),
        Style::Theirs if !theirs => Some(Side::Theirs),
        _ => None,
    }
}

/// Whether a file still has a conflict between markers that [`draw`] has drawn.
#[must_use]
pub fn has_markers(bytes: &[u8]) -> bool {
    // Inside of a conflict there may be what is left of another one, with markers of another length.
    let mut open = BTreeSet::new();
    lines(bytes).any(|line| {
        let Some((b'<' | b'>', length)) = marker(line) else { return false };
        let label = line[length..].trim_ascii();
        if line[0] == b'<' && label == OURS.as_bytes() {
            open.insert(length);
        }
        let theirs = label.strip_prefix(THEIRS.as_bytes()).is_some_and(|rest| rest.first().is_none_or(|&b| b == b' '));
        line[0] == b'>' && open.contains(&length) && theirs
    })
}

fn with_markers(merge: &TextMerge<'_>, style: Style, version: &str) -> Vec<u8> {
    let version: String = version.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let theirs_label = format!("{THEIRS} {version}");
    let mut pen = Pen { out: Vec::new(), ending: ending(merge), length: length(merge) };
    for region in &merge.regions {
        match region {
            Region::Resolved { bytes, .. } => pen.out.extend_from_slice(bytes),
            Region::Conflict { base, ours, theirs } => {
                pen.marker(b'<', OURS);
                pen.out.extend_from_slice(ours);
                if style == Style::Diff3 {
                    pen.marker(b'|', BASE);
                    pen.out.extend_from_slice(base);
                }
                pen.marker(b'=', "");
                pen.out.extend_from_slice(theirs);
                pen.marker(b'>', theirs_label.trim_end());
                if [ours, theirs].iter().all(|side| side.last().is_some_and(|&last| !pen.is_end(last))) {
                    pen.out.truncate(pen.out.len() - pen.ending.as_bytes().len());
                }
            }
        }
    }
    pen.out
}

struct Pen {
    out: Vec<u8>,
    ending: LineEnding,
    length: usize,
}

impl Pen {
    /// Draws a marker on a line of its own.
    fn marker(&mut self, character: u8, label: &str) {
        if self.out.last().is_some_and(|&last| !self.is_end(last)) {
            self.out.extend_from_slice(self.ending.as_bytes());
        }
        self.out.resize(self.out.len() + self.length, character);
        if !label.is_empty() {
            self.out.push(b' ');
            self.out.extend_from_slice(label.as_bytes());
        }
        self.out.extend_from_slice(self.ending.as_bytes());
    }

    fn is_end(&self, byte: u8) -> bool {
        self.ending.as_bytes().last() == Some(&byte)
    }
}

fn parts<'m>(merge: &'m TextMerge<'_>) -> impl Iterator<Item = &'m [u8]> {
    merge.regions.iter().flat_map(|region| match region {
        Region::Resolved { bytes, .. } => [&**bytes, b"", b""],
        Region::Conflict { base, ours, theirs } => [&**ours, theirs, base],
    })
}

/// The ending of the first line; a lone CR only where there is no LF at all, because it ends no line elsewhere.
fn ending(merge: &TextMerge<'_>) -> LineEnding {
    match parts(merge).find_map(LineEnding::first).unwrap_or(LineEnding::Lf) {
        LineEnding::Cr if parts(merge).any(|part| part.contains(&b'\n')) => LineEnding::Lf,
        ending => ending,
    }
}

/// A length that no marker-like line of the file has.
fn length(merge: &TextMerge<'_>) -> usize {
    let (mut longest, mut separators) = (LENGTH - 1, BTreeSet::new());
    for (character, length) in parts(merge).flat_map(lines).filter_map(marker) {
        if character == b'=' {
            separators.insert(length);
        } else {
            longest = longest.max(length);
        }
    }
    (longest + 1..).find(|length| !separators.contains(length)).unwrap_or(LENGTH)
}

/// The character and length of a line that looks like a marker.
fn marker(line: &[u8]) -> Option<(u8, usize)> {
    let character = *line.first().filter(|first| b"<|=>".contains(first))?;
    let length = line.iter().take_while(|&&byte| byte == character).count();
    let ends = line.get(length).is_none_or(u8::is_ascii_whitespace);
    (length >= LENGTH && ends).then_some((character, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::text::merge;

    fn drawn(base: &str, ours: &str, theirs: &str, style: Style) -> String {
        let bytes = draw(&merge(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()), style, "3.1.0");
        assert_eq!(has_markers(&bytes), matches!(style, Style::Merge | Style::Diff3));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_conflict_is_drawn_in_every_style() {
        let draw = |style| drawn("a\nb\n", "a\nO\n", "a\nT\n", style);
        assert_eq!(draw(Style::Merge), "a\n<<<<<<< yours\nO\n=======\nT\n>>>>>>> template 3.1.0\n");
        assert_eq!(draw(Style::Diff3), "a\n<<<<<<< yours\nO\n||||||| base\nb\n=======\nT\n>>>>>>> template 3.1.0\n");
        assert_eq!(draw(Style::Ours), "a\nO\n");
        assert_eq!(draw(Style::Theirs), "a\nT\n");
    }

    #[test]
    fn markers_end_as_the_lines_of_the_file_do() {
        assert_eq!(
            drawn("a\r\nb\r\n", "a\r\nO\r\n", "a\r\nT\r\n", Style::Merge),
            "a\r\n<<<<<<< yours\r\nO\r\n=======\r\nT\r\n>>>>>>> template 3.1.0\r\n"
        );
        assert_eq!(
            drawn("a\rb\r", "a\rO\r", "a\rT\r", Style::Merge),
            "a\r<<<<<<< yours\rO\r=======\rT\r>>>>>>> template 3.1.0\r"
        );
    }

    #[test]
    fn a_lone_carriage_return_ends_no_marker_where_lines_end_otherwise() {
        let mixed = "<<<<<<< yours\na\rb\n=======\nT\n>>>>>>> template 3.1.0\n";
        assert_eq!(drawn("a\n", "a\rb\n", "T\n", Style::Merge), mixed);
        let unfinished = "a\n<<<<<<< yours\nO\r\n=======\nT\n>>>>>>> template 3.1.0";
        assert_eq!(drawn("a\nb", "a\nO\r", "a\nT", Style::Merge), unfinished);
    }

    #[test]
    fn a_file_without_a_final_newline_is_drawn_without_one() {
        assert_eq!(drawn("b", "O", "T", Style::Merge), "<<<<<<< yours\nO\n=======\nT\n>>>>>>> template 3.1.0");
        assert_eq!(drawn("b", "O", "T\n", Style::Merge), "<<<<<<< yours\nO\n=======\nT\n>>>>>>> template 3.1.0\n");
        assert_eq!(drawn("b\n", "", "T\n", Style::Merge), "<<<<<<< yours\n=======\nT\n>>>>>>> template 3.1.0\n");
    }

    #[test]
    fn markers_are_longer_where_the_file_has_marker_like_lines() {
        let ours = "<<<<<<< HEAD\nx\n=======\n>>>>>>> main\nO\n";
        let text = drawn("<<<<<<< HEAD\nx\n=======\n>>>>>>> main\nb\n", ours, "T\n", Style::Merge);
        assert_eq!(text, format!("<<<<<<<< yours\n{ours}========\nT\n>>>>>>>> template 3.1.0\n"));
        let heading = drawn("Title\n=======\nb\n", "Title\n=======\nO\n", "Title\n=======\nT\n", Style::Merge);
        assert!(heading.contains("\n<<<<<<<< yours\nO\n========\nT\n>>>>>>>> "));
        let long = drawn("==========\nb\n", "==========\nO\n", "==========\nT\n", Style::Merge);
        assert!(long.contains("\n<<<<<<< yours\n"));
    }

    #[test]
    fn only_our_own_markers_are_leftovers() {
        assert!(!has_markers(b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n"));
        assert!(!has_markers(b"<<<<<<< yours\na\n"));
        assert!(has_markers(b"<<<<<<<< yours\r\na\r\n========\r\nb\r\n>>>>>>>> template\r\n"));
        let inside = "<<<<<<< yours\nx\n";
        let text = drawn("b\n", inside, "T\n", Style::Merge);
        assert_eq!(text, format!("<<<<<<<< yours\n{inside}========\nT\n>>>>>>>> template 3.1.0\n"));
        assert!(drawn(inside, "O\n", "T\n", Style::Diff3).contains(inside));
    }

    #[test]
    fn a_label_stays_on_its_line() {
        let bytes = draw(&merge(b"b\n", b"O\n", b"T\n"), Style::Merge, "1\n2\u{1b}");
        assert!(bytes.ends_with(b">>>>>>> template 1 2\n"));
    }
}
