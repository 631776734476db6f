//! Where the parts of a YAML text are: nodes, and the keys and dashes that lead to them.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

/// Where a node is in its text.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    /// From its anchor or tag to its end; a collection in block style starts at its first entry.
    pub(super) span: Range<usize>,
    pub(super) entries: Vec<Place>,
}

/// How a node is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is there.
    Empty,
    Scalar(ScalarStyle),
    Alias,
    /// A collection in brackets.
    Flow,
    /// A collection whose entries are told by their columns.
    Block,
    /// What is only ever taken as a whole: tagged nodes, explicit keys, pairs without braces.
    Odd,
}

/// Where an entry of a collection is.
#[derive(Debug)]
pub(super) struct Place {
    /// The dash, or the key; in a list with brackets, the element.
    pub(super) start: usize,
    /// Behind the dash or the colon.
    pub(super) open: usize,
    pub(super) part: Part,
}

impl Part {
    pub(super) fn leaf(kind: Kind, span: Range<usize>) -> Self {
        Self { kind, span, entries: Vec::new() }
    }

    /// A collection in block style, or one that has to be taken as a whole where its entries are not in one column.
    pub(super) fn block(text: &str, start: usize, entries: Vec<Place>, end: usize) -> Self {
        let start = entries.first().map_or(start, |first| first.start);
        let column = |place: &Place| place.start - line_start(text, place.start);
        let is_blank =
            |place: &Place| text[line_start(text, place.start)..place.start].bytes().all(|byte| byte == b' ');
        let first = entries.first().map(column);
        let is_even = entries.iter().skip(1).all(|place| Some(column(place)) == first && is_blank(place));
        let is_led = entries.first().is_some_and(|place| {
            text[line_start(text, place.start)..place.start].bytes().all(|byte| matches!(byte, b' ' | b'-'))
        });
        let has_heads = entries.iter().all(|place| place.open > place.start);
        let kind = if is_even && is_led && has_heads { Kind::Block } else { Kind::Odd };
        Self { kind, span: start..end, entries }
    }

    /// A collection in brackets.
    pub(super) fn flow(span: Range<usize>, entries: Vec<Place>, is_map: bool) -> Self {
        let is_plain =
            entries.iter().all(|place| place.part.kind != Kind::Odd && (!is_map || place.open > place.start));
        Self { kind: if is_plain { Kind::Flow } else { Kind::Odd }, span, entries }
    }
}

/// Where the line of `at` starts.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Behind the colon of a key that ends at `end`.
pub(super) fn behind_colon(text: &str, end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    let colon = end + rest.len() - rest.trim_start_matches([' ', '\t']).len();
    text[colon..].starts_with(':').then_some(colon + 1)
}

/// The question mark before a key.
pub(super) fn question(text: &str, key: usize) -> Option<usize> {
    let line = text[line_start(text, key)..key].trim_end();
    let start = line_start(text, key) + line.len().checked_sub(1)?;
    line.ends_with('?').then_some(start)
}

/// The dash of the next element of a list in block style, at or after `from`.
pub(super) fn dash(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let content = at + rest.len() - rest.trim_start_matches([' ', '\t', '\n']).len();
        match text.as_bytes().get(content)? {
            b'-' => return Some(content),
            // A comment, or an anchor or a tag on the line of the key.
            b'#' | b'&' | b'!' => at = content + text[content..].find('\n')? + 1,
            _ => return None,
        }
    }
}

/// Behind the bracket that follows, over a last comma and comments.
pub(super) fn bracket(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let next = at + rest.len() - rest.trim_start_matches([' ', '\t', '\n', ',']).len();
        match text.as_bytes().get(next)? {
            b']' | b'}' => return Some(next + 1),
            b'#' => at = next + text[next..].find('\n')? + 1,
            _ => return None,
        }
    }
}

/// Whether parts are in their order, each within what is around it.
pub(super) fn are_in_order(parts: &[Part]) -> bool {
    parts.iter().all(Part::is_in_order) && parts.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start)
}

impl Part {
    fn is_in_order(&self) -> bool {
        let is_right = |place: &Place| {
            let span = &place.part.span;
            place.start <= place.open && place.open <= span.start && span.start <= span.end && place.part.is_in_order()
        };
        let places = self.entries.iter();
        places.clone().all(is_right)
            && places.clone().zip(places.clone().skip(1)).all(|(one, next)| one.part.span.end <= next.start)
            && self.entries.first().is_none_or(|first| self.span.start <= first.start)
            && self.entries.last().is_none_or(|last| last.part.span.end <= self.span.end)
    }
}

/// Where a scalar starts, after `at`: the parser leaves out the header of a literal.
pub(super) fn start(text: &str, span: &Range<usize>, style: ScalarStyle, at: usize) -> Option<usize> {
    let has_properties = text.get(span.start..)?.starts_with(['&', '!']);
    if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) || has_properties {
        return Some(span.start);
    }
    let rest = text.get(at..)?.trim_start();
    rest.starts_with(['|', '>']).then_some(text.len() - rest.len())
}

/// Where a scalar ends: the parser counts what is after a quote, and below a literal, as a part of it.
pub(super) fn end(text: &str, span: Range<usize>, style: ScalarStyle) -> Option<usize> {
    let written = text.get(span.clone())?;
    let length = match style {
        ScalarStyle::Plain => written.trim_end().len(),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            let open = properties(written);
            let quote = *written.as_bytes().get(open)?;
            open + 1 + closing(written.as_bytes().get(open + 1..)?, quote)? + 1
        }
        // The empty lines below it belong to it.
        ScalarStyle::Literal | ScalarStyle::Folded if is_kept(written) => {
            written.strip_suffix('\n').unwrap_or(written).len()
        }
        ScalarStyle::Literal | ScalarStyle::Folded => written.trim_end().len(),
    };
    Some(span.start + length)
}

fn is_kept(written: &str) -> bool {
    let header = written[properties(written)..].lines().next().unwrap_or_default();
    header.chars().take(3).any(|c| c == '+')
}

/// The length of anchor and tag, with the white space after them.
pub(super) fn properties(written: &str) -> usize {
    let mut rest = written;
    while rest.starts_with(['&', '!']) {
        rest = &rest[rest.find(char::is_whitespace).unwrap_or(rest.len())..];
        rest = rest.trim_start();
        while rest.starts_with('#') {
            rest = rest[rest.find('\n').unwrap_or(rest.len())..].trim_start();
        }
    }
    written.len() - rest.len()
}

/// Where the quote is that ends a scalar.
fn closing(inside: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        match *inside.get(at)? {
            b'\\' if quote == b'"' => at += 2,
            byte if byte == quote && quote == b'\'' && inside.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
}
