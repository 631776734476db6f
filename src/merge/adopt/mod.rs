//! A file without a base: in a project without a lock, or where the base is lost.
//!
//! In this order: by key, the union of lines, by outline, and then with the lines in common as the base.

mod inline;
pub(super) mod margins;
mod outline;
mod slots;
#[cfg(test)]
mod tests;

use super::ending::Versions;
use super::known::Known;
use super::structured::{self, File};
use super::text::{Side, TextMerge};
use super::{content, lines};
use crate::plan::Subject;
use crate::tree::RelPath;

/// More conflicts than this in one file help nobody.
const MAX_CONFLICTS: usize = 2;

/// The template's part, put into the project's file.
pub(super) struct Adopted {
    /// The merge; `None` if the two differ in too many places.
    pub(super) merge: Option<TextMerge<'static>>,
    /// Notes for the user.
    pub(super) notes: Vec<Subject>,
}

impl Adopted {
    fn clean(text: Vec<u8>, notes: Vec<Subject>) -> Self {
        Self { merge: Some(TextMerge::resolved(Side::Both, text)), notes }
    }
}

/// Puts the template's part into the project's file, in the way that fits its name. What both have stays the project's.
pub(super) fn merge(name: &RelPath, known: Known<'_>, ours: &[u8], theirs: &[u8]) -> Adopted {
    let versions = Versions::without_base(ours, theirs);
    let by_key = || structured::adopt(File::new(name, known).filter(|file| file.is_affordable(&versions))?, &versions);
    let by_outline = || {
        let [ours, theirs] = [&versions.ours, &versions.theirs].map(|bytes| str::from_utf8(bytes).ok());
        outline::merge(name, ours?, theirs?).map(|(text, notes)| (text.into_bytes(), notes))
    };
    let adopted = if lines::is_line_set(name) { None } else { by_key().or_else(by_outline) };
    match adopted {
        Some((text, notes)) => {
            let needs = |bytes: &[u8]| structured::needs_final_newline(name, bytes);
            let finished = versions.finish_with(TextMerge::resolved(Side::Both, text), needs);
            Adopted::clean(finished.choose(Side::Ours), notes)
        }
        None => {
            let merge = content::merge(name, known, None, ours, theirs).merge;
            Adopted { merge: (merge.conflicts() <= MAX_CONFLICTS).then_some(merge), notes: Vec::new() }
        }
    }
}
