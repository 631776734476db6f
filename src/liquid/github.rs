//! `${{ … }}` of GitHub Actions: which of them are Liquid, and which are left as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::element;
use crate::diagnostic::nearest;

/// The variables that a template can mean, and whether each is a scalar.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    scalars: BTreeMap<&'a str, bool>,
    /// How often [`Known::nearest`] was asked.
    asked: AtomicUsize,
}

impl<'a> Known<'a> {
    /// So often, the name that was meant is searched for.
    const SEARCHES: usize = 200;

    /// Names, each with whether it is a scalar: text or a bool.
    pub(crate) fn new(names: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        Self { scalars: names.into_iter().collect(), asked: AtomicUsize::new(0) }
    }

    /// Whether it is one of the names.
    #[must_use]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.scalars.contains_key(name)
    }

    /// The name that was meant, where it is near enough, and where this was not asked too often already.
    pub(crate) fn nearest(&self, name: &str) -> Option<&'a str> {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= Self::SEARCHES {
            return None;
        }
        nearest(name, self.scalars.keys().copied())
    }
}

/// The same, with what a text binds itself: that may be anything.
#[derive(Debug)]
pub(crate) struct Bound<'k> {
    pub(crate) known: &'k Known<'k>,
    pub(crate) locals: &'k BTreeSet<&'k str>,
}

impl Bound<'_> {
    /// Whether a name is that of a scalar; `None` if it means nothing.
    fn is_scalar(&self, name: &str) -> Option<bool> {
        if self.locals.contains(name) { Some(false) } else { self.known.scalars.get(name).copied() }
    }
}

/// What it has taken to judge the expressions of a text, besides reading it once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Bytes that were read in vain.
    pub(crate) bytes: usize,
    /// Expressions that were parsed.
    pub(crate) parsed: usize,
}

impl Effort {
    const MAX_BYTES: usize = 16 << 20;
    const MAX_PARSED: usize = 4_096;
    /// The cost to parse an expression, in steps.
    const PARSED_STEPS: usize = 100;

    /// Whether it is more than a text may take.
    pub(crate) fn is_too_much(self) -> bool {
        self.bytes > Self::MAX_BYTES || self.parsed > Self::MAX_PARSED
    }

    /// The same in steps.
    pub(crate) fn steps(self) -> u64 {
        (self.bytes / 64 + self.parsed * Self::PARSED_STEPS) as u64
    }
}

/// The longest expression that GitHub takes, in bytes.
const LONGEST: usize = 21_000;

/// A `${{ … }}` that is left as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Where it ends.
    pub(crate) end: usize,
    /// The Liquid outputs inside it, outside quoted text.
    pub(crate) outputs: Vec<Range<usize>>,
}

/// Decides on the `{{` at `start`, which follows a `$`: `None` means that it is Liquid.
///
/// It is left alone when its first token is neither a string nor a known variable, or is a scalar that is used like an
/// object or a function. A string first is Liquid if the whole is a Liquid expression (`${{ '{{' }}` is a common escape).
pub(crate) fn left_alone(text: &str, start: usize, bound: &Bound<'_>, effort: &mut Effort) -> Option<Left> {
    let inner_start = start + 2;
    let inner = &text[inner_start..];
    if inner.starts_with('-') {
        return None;
    }
    let first = inner.trim_start();
    let leave = if first.starts_with(['\'', '"']) {
        let end = element::end_of(text, start).filter(|end| end - start <= LONGEST);
        effort.parsed += 1;
        !end.is_some_and(|end| super::engine::is_output(&text[start..end]))
    } else {
        let end = first.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(first.len());
        let scalar_misused = |scalar: bool| scalar && first[end..].starts_with(['.', '[', '(']);
        end == 0 || bound.is_scalar(&first[..end]).is_none_or(scalar_misused)
    };
    if leave { extent(text, inner_start, effort) } else { None }
}

/// Finds the end of an expression of GitHub Actions and the outputs inside it.
fn extent(text: &str, inner_start: usize, effort: &mut Effort) -> Option<Left> {
    let text = &text[..text.floor_char_boundary(inner_start + LONGEST)];
    let bytes = text.as_bytes();
    let mut outputs = Vec::new();
    let mut at = inner_start;
    let mut find = || {
        while at < bytes.len() {
            match bytes[at] {
                quote @ (b'"' | b'\'') => at += 1 + bytes[at + 1..].iter().position(|&byte| byte == quote)? + 1,
                b'{' if bytes[at..].starts_with(b"{{") => {
                    let end = element::end_of(text, at)?;
                    outputs.push(at..end);
                    at = end;
                }
                b'}' if bytes[at..].starts_with(b"}}") => return Some(at + 2),
                _ => at += 1,
            }
        }
        None
    };
    let Some(end) = find() else {
        effort.bytes += bytes.len() - inner_start;
        return None;
    };
    Some(Left { end, outputs })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that is left alone and the outputs inside it, or nothing.
    fn left(text: &str) -> Option<(&str, Vec<&str>)> {
        let known = Known::new([("name", true), ("list", false)]);
        let start = text.find("{{").unwrap();
        let bound = Bound { known: &known, locals: &BTreeSet::new() };
        let left = left_alone(text, start, &bound, &mut Effort::default())?;
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
