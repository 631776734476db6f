//! `${{ … }}` of GitHub Actions: which of them are Liquid, and which are left as they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::element;

/// The variables that a template can mean, and whether each is a scalar.
#[derive(Debug, Clone)]
pub struct Known<'a>(BTreeMap<&'a str, bool>);

impl<'a> Known<'a> {
    /// Names, each with whether it is a scalar: text or a bool.
    pub fn new(names: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        Self(names.into_iter().collect())
    }

    /// These names, too; what a file binds itself may be anything.
    pub(super) fn with_locals(&self, names: &BTreeSet<&'a str>) -> Self {
        let mut known = self.clone();
        known.0.extend(names.iter().map(|&name| (name, false)));
        known
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.keys().copied()
    }
}

/// A `${{ … }}` that is left as it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Left {
    /// Where it ends.
    pub(super) end: usize,
    /// The Liquid outputs inside it, outside quoted text.
    pub(super) outputs: Vec<Range<usize>>,
}

/// Decides on the `{{` at `start`, which follows a `$`: `None` means that it is Liquid.
///
/// It is left alone when its first token is neither a string nor a known variable, or is a scalar that is used like an
/// object or a function. A string first is Liquid if the whole is a Liquid expression (`${{ '{{' }}` is a common escape).
pub(super) fn left_alone(text: &str, start: usize, known: &Known<'_>) -> Option<Left> {
    let inner_start = start + 2;
    let inner = &text[inner_start..];
    if inner.starts_with('-') {
        return None;
    }
    let first = inner.trim_start();
    let leave = if first.starts_with(['\'', '"']) {
        let end = element::end_of(text, start);
        !end.is_some_and(|end| super::engine::is_output(&text[start..end]))
    } else {
        let end = first.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(first.len());
        let scalar_misused = |scalar: bool| scalar && first[end..].starts_with(['.', '[', '(']);
        end == 0 || known.0.get(&first[..end]).is_none_or(|&scalar| scalar_misused(scalar))
    };
    if leave { extent(text, inner_start) } else { None }
}

/// Finds the end of an expression of GitHub Actions and the outputs inside it.
fn extent(text: &str, inner_start: usize) -> Option<Left> {
    let bytes = text.as_bytes();
    let mut outputs = Vec::new();
    let mut at = inner_start;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at += 1 + bytes[at + 1..].iter().position(|&byte| byte == quote)? + 1,
            b'{' if bytes[at..].starts_with(b"{{") => {
                let end = element::end_of(text, at)?;
                outputs.push(at..end);
                at = end;
            }
            b'}' if bytes[at..].starts_with(b"}}") => return Some(Left { end: at + 2, outputs }),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that is left alone and the outputs inside it, or nothing.
    fn left(text: &str) -> Option<(&str, Vec<&str>)> {
        let known = Known::new([("name", true), ("list", false)]);
        let start = text.find("{{").unwrap();
        let left = left_alone(text, start, &known)?;
        Some((&text[start - 1..left.end], left.outputs.into_iter().map(|output| &text[output]).collect()))
    }

    #[test]
    fn expressions_of_github_are_left() {
        for text in [
            "${{ github.sha }}",
            "${{secrets.TOKEN}}",
            "${{ !cancelled() }}",
            "${{ (github.ref == 'refs/heads/main') }}",
            "${{ format('{{0}}', github.sha) }}",
            "${{ hashFiles('**/*.lock') }}",
            "${{ 1 + 1 }}",
            "${{ 'a' == b }}",
            "${{ name.first }}",
            "${{ name[0] }}",
            "${{ name('x') }}",
            "${{\n  matrix.os\n}}",
        ] {
            assert_eq!(left(text), Some((text, vec![])), "{text}");
        }
    }

    #[test]
    fn liquid_is_liquid() {
        for text in [
            "${{ name }}",
            "${{name | upcase}}",
            "${{ list.first }}",
            "${{ '{{' }}",
            "${{ \"{{ x }}\" }}",
            "${{- github.sha }}",
        ] {
            assert_eq!(left(text), None, "{text}");
        }
    }

    #[test]
    fn an_output_inside_is_rendered_unless_it_is_quoted() {
        assert_eq!(left("${{ secrets.{{ name }}_T }}"), Some(("${{ secrets.{{ name }}_T }}", vec!["{{ name }}"])));
        assert_eq!(left("${{ f('{{ name }}') }}"), Some(("${{ f('{{ name }}') }}", vec![])));
    }
}
