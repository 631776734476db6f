//! A file that depends on a secret, with a marker in place of the secret: what it says besides can be recorded.
//!
//! Such a text comes from a render with markers for answers, so nothing in it depends on a secret's value.

/// The start and end of a marker: brackets that no template of a file uses by chance.
const OPEN: &str = "⟦secret:";
const CLOSE: char = '⟧';

/// The marker of a secret answer in a masked text.
#[must_use]
pub fn marker(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

/// A part of a masked text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'t> {
    /// What every value has there.
    Text(&'t str),
    /// The value of this secret answer.
    Secret(&'t str),
}

/// The parts of a masked text; there is one text, which may be empty, before and after each secret.
#[must_use]
pub fn parts(masked: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (Vec::new(), masked);
    while let Some((text, behind)) = rest.split_once(OPEN)
        && let Some((name, behind)) = behind.split_once(CLOSE)
    {
        parts.extend([Part::Text(text), Part::Secret(name)]);
        rest = behind;
    }
    parts.push(Part::Text(rest));
    parts
}
