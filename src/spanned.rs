//! Strings of a template's manifest that know where they stand.

use std::ops::Range;

/// A string of the manifest and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned {
    /// The value.
    pub value: String,
    /// Its region in bytes of the manifest.
    pub span: Range<usize>,
}

impl Spanned {
    /// The place of a region of the string in the manifest; of all of it, if it has escapes.
    pub(crate) fn inside(&self, manifest: &str, inner: Range<usize>) -> Range<usize> {
        let raw = manifest.get(self.span.clone()).and_then(|raw| raw.find(&self.value));
        raw.map_or_else(|| self.span.clone(), |at| self.span.start + at + inner.start..self.span.start + at + inner.end)
    }
}
