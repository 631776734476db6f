//! A file without a base: in a project without a lock, or where the base is lost.

use super::content;
use super::text::TextMerge;
use crate::plan::Subject;
use crate::tree::RelPath;

/// More conflicts than this in one file help nobody.
const MAX_CONFLICTS: usize = 2;

/// The template's part, put into the project's file.
pub(super) struct Adopted {
    /// The merge; none where the two differ in too many places.
    pub(super) merge: Option<TextMerge<'static>>,
    /// What the user should know.
    pub(super) notes: Vec<Subject>,
}

/// Puts the template's part into the project's file, in the way that fits its name.
pub(super) fn merge(name: &RelPath, ours: &[u8], theirs: &[u8]) -> Adopted {
    let merge = content::merge(name, None, ours, theirs);
    let merge = (merge.conflicts() <= MAX_CONFLICTS).then_some(merge);
    Adopted { merge, notes: Vec::new() }
}
