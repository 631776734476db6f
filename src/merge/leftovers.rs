//! What an upgrade left for the user to decide, found without any record of it: markers, and files put beside others.

use super::Base;
use super::draw::has_markers;
use crate::tree::{Entry, RelPath, Tree};

/// A file that the user still has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// It has a conflict between our markers.
    Markers,
    /// It was put beside a file that the template has.
    Beside,
}

/// Every leftover of a project: files with our markers among those that the lock lists or that the user moved, and
/// `NAME.theirs` or `NAME.orig` beside a path that the lock lists.
#[must_use]
pub fn leftovers<'a>(base: &Base, moved_to: impl Fn(&RelPath) -> bool, ours: &'a Tree) -> Vec<(&'a RelPath, Leftover)> {
    let is_listed = |path: &RelPath| base.contains_key(path) || moved_to(path);
    let judge = |path: &RelPath, entry: &Entry| {
        if !base.contains_key(path) && neighbours(path).iter().any(is_listed) {
            return Some(Leftover::Beside);
        }
        let has_markers = matches!(entry, Entry::File { bytes, .. } if is_listed(path) && has_markers(bytes));
        has_markers.then_some(Leftover::Markers)
    };
    ours.iter().filter_map(|(path, entry)| Some((path, judge(path, entry)?))).collect()
}

/// What a file could have been put beside: `NAME` for `NAME.theirs` and `NAME.2.theirs`.
fn neighbours(path: &RelPath) -> Vec<RelPath> {
    let Some(name) = path.as_str().strip_suffix(".theirs").or_else(|| path.as_str().strip_suffix(".orig")) else {
        return Vec::new();
    };
    let numbered = name.rsplit_once('.').filter(|(_, number)| number.parse::<usize>().is_ok_and(|number| number > 1));
    let names = [Some(name), numbered.map(|(name, _)| name)];
    names.into_iter().flatten().filter_map(|name| RelPath::new(name).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::Recorded;

    #[test]
    fn markers_and_side_files_are_found() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let markers = "<<<<<<< yours\na\n=======\nb\n>>>>>>> template 2\n";
        let files = [
            ("a", markers),
            ("a.theirs", ""),
            ("a.2.theirs", ""),
            ("b.orig", ""),
            ("docs.theirs", "the template's own"),
            ("mine.theirs", ""),
            ("mine", markers),
            ("moved", markers),
            ("moved.theirs", ""),
        ];
        let ours: Tree = files.iter().map(|(name, text)| (path(name), Entry::file(text.as_bytes()))).collect();
        let listed = ["a", "b", "docs", "docs.theirs", "was"];
        let base: Base = listed.iter().map(|name| (path(name), Recorded::of(Entry::file(b"".as_slice())))).collect();
        let found = leftovers(&base, |path| path.as_str() == "moved", &ours);
        let found: Vec<_> = found.into_iter().map(|(path, leftover)| (path.as_str(), leftover)).collect();
        use Leftover::{Beside, Markers};
        assert_eq!(
            found,
            [
                ("a", Markers),
                ("a.2.theirs", Beside),
                ("a.theirs", Beside),
                ("b.orig", Beside),
                ("moved", Markers),
                ("moved.theirs", Beside),
            ]
        );
    }
}
