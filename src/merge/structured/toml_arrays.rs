//! The text of a TOML array: each element with its comments and line breaks.
//!
//! toml_edit keeps what is after an element with the next one. Here it goes with the element that it belongs to, as
//! [`super::comments`] has it, so elements can be moved, removed and replaced.

use toml_edit::{Array, Decor, Value};

use super::value::Comments;

/// An array, taken apart.
pub(super) struct Rows {
    /// The text after the opening bracket, on its line.
    head: String,
    pub(super) rows: Vec<Row>,
    /// The lines between the last element and the closing bracket, without indentation; `None` if that is on the line
    /// of the last element.
    end: Option<Vec<String>>,
    /// The white space before the closing bracket.
    closing: String,
    /// The indentation of the elements that are on lines of their own.
    indent: Option<String>,
    has_trailing_comma: bool,
}

/// An element.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) value: Value,
    /// Comments and empty lines above it, without indentation; `None` if it is on the line of the one before.
    above: Option<Vec<String>>,
    /// The white space before it.
    space: String,
    /// The text after it, on its line: a comment, with the white space before that.
    behind: String,
}

impl Rows {
    /// Nothing, where something is between an element and its comma.
    pub(super) fn of(array: &Array) -> Option<Self> {
        let mut head = String::new();
        let (mut rows, mut indent): (Vec<Row>, Option<String>) = (Vec::with_capacity(array.len()), None);
        let mut before = "";
        for value in array {
            if !before.trim().is_empty() || before.contains('\n') {
                return None;
            }
            let (above, space) = match Gap::of(prefix(value.decor())) {
                Gap::Space(space) => (None, space),
                Gap::Lines { behind, above, indent: own } => {
                    rows.last_mut().map_or(&mut head, |row| &mut row.behind).push_str(behind);
                    indent.get_or_insert_with(|| own.to_owned());
                    (Some(above), own)
                }
            };
            rows.push(Row { value: value.clone(), above, space: space.to_owned(), behind: String::new() });
            before = suffix(value.decor());
        }
        let has_trailing_comma = array.trailing_comma();
        if has_trailing_comma && (!before.trim().is_empty() || before.contains('\n')) {
            return None;
        }
        let last = if has_trailing_comma { "" } else { before };
        let last = last.to_owned() + array.trailing().as_str().unwrap_or_default();
        let (end, closing) = match Gap::of(&last) {
            Gap::Space(space) => (None, space),
            Gap::Lines { behind, above, indent } => {
                rows.last_mut().map_or(&mut head, |row| &mut row.behind).push_str(behind);
                (Some(above), indent)
            }
        };
        let closing = closing.to_owned();
        Some(Self { head, rows, end, closing, indent, has_trailing_comma })
    }

    /// Whether any element, or the closing bracket, is on a line of its own.
    pub(super) fn has_lines(&self) -> bool {
        self.end.is_some() || self.rows.iter().any(|row| row.above.is_some())
    }

    /// The array again. Elements on lines of their own are indented as those of `self` are, else as those of `other`.
    pub(super) fn array(self, other: &Self) -> Array {
        let indent = self.indent.or_else(|| other.indent.clone()).unwrap_or_else(|| "    ".to_owned());
        let lines = |lines: &[String]| lines.iter().map(|line| self::line(line, &indent)).collect::<String>();
        let (mut array, mut behind) = (Array::new(), self.head);
        for row in self.rows {
            let prefix = match row.above {
                Some(above) => format!("{behind}\n{}{indent}", lines(&above)),
                None if !behind.is_empty() => format!("{behind}\n{indent}"),
                None => row.space,
            };
            let mut value = row.value;
            *value.decor_mut() = Decor::new(prefix, "");
            array.push_formatted(value);
            behind = row.behind;
        }
        let last = match self.end {
            Some(end) => format!("{behind}\n{}{}", lines(&end), self.closing),
            None if !behind.is_empty() => format!("{behind}\n"),
            None => self.closing,
        };
        array.set_trailing_comma(self.has_trailing_comma && !array.is_empty());
        array.set_trailing(last);
        array
    }

    /// Takes the lines before the closing bracket from `other`.
    pub(super) fn take_end(&mut self, other: &Self) {
        self.end = other.end.clone();
    }
}

impl Row {
    /// Puts it on a line of its own, or on that of the element before it, as `model` is.
    pub(super) fn lay_out(&mut self, model: &Self) {
        match model.above {
            Some(_) => drop(self.above.get_or_insert_default()),
            None if self.above.as_ref().is_none_or(Vec::is_empty) => {
                (self.above, self.space) = (None, model.space.clone());
            }
            None => {}
        }
    }

    /// Gives it the comments `want`, where it has `have`: as `other`, which has its own, writes them, or on lines of their own.
    pub(super) fn comment(&mut self, have: &Comments, want: &Comments, other: Option<(&Self, &Comments)>) {
        if !have.is_same_above(want) {
            let same = other.filter(|(_, comments)| comments.is_same_above(want));
            self.above = same.and_then(|(row, _)| row.above.clone()).or_else(|| Some(written_above(want)));
        }
        if have.behind != want.behind {
            let same = other.filter(|(_, comments)| comments.behind == want.behind);
            let written = || want.behind.iter().map(|comment| format!("  {comment}")).collect();
            self.behind = same.map_or_else(written, |(row, _)| row.behind.clone());
        }
    }
}

fn written_above(comments: &Comments) -> Vec<String> {
    let apart = if comments.apart.is_empty() { None } else { Some(String::new()) };
    comments.apart.iter().cloned().chain(apart).chain(comments.before.iter().cloned()).collect()
}

fn line(line: &str, indent: &str) -> String {
    if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") }
}

/// The text between two elements, without the comma.
enum Gap<'t> {
    /// White space.
    Space(&'t str),
    /// The end of the first one's line, whole lines, and the indentation of the second one.
    Lines { behind: &'t str, above: Vec<String>, indent: &'t str },
}

impl<'t> Gap<'t> {
    fn of(text: &'t str) -> Self {
        let (Some((behind, _)), Some((rest, indent))) = (text.split_once('\n'), text.rsplit_once('\n')) else {
            return Self::Space(text);
        };
        let above = rest.split('\n').skip(1).map(|line| line.trim().to_owned()).collect();
        Self::Lines { behind: behind.trim_end(), above, indent }
    }
}

pub(super) fn prefix(decor: &Decor) -> &str {
    decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default()
}

pub(super) fn suffix(decor: &Decor) -> &str {
    decor.suffix().and_then(|suffix| suffix.as_str()).unwrap_or_default()
}

/// Gives the elements of an array on one line the white space that those of the old one had.
pub(super) fn space(new: &mut Array, old: &Array) {
    let at = |at: usize| old.get(at).map(|value| prefix(value.decor()).to_owned());
    let (first, others) = (at(0).unwrap_or_default(), at(1).unwrap_or_else(|| " ".to_owned()));
    let last = old.iter().last().map(|value| suffix(value.decor()).to_owned()).unwrap_or_default();
    let length = new.len();
    for (at, value) in new.iter_mut().enumerate() {
        let behind = if at + 1 == length { last.as_str() } else { "" };
        *value.decor_mut() = Decor::new(if at == 0 { first.as_str() } else { others.as_str() }, behind);
    }
}
