//! Merges the bytes of one file, by the rule that fits its name.

use super::ending::{Versions, trivial};
use super::keyed::{self, Lines};
use super::known::Known;
use super::lines;
use super::structured::{self, File};
use super::text::{self, Side, TextMerge};
use crate::tree::RelPath;

/// The merged content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The merge.
    pub merge: TextMerge<'static>,
    /// Whether the template's changes of order or layout were left out, because the project's own are kept.
    pub is_form_kept: bool,
    /// Whether it was too large to be merged by what it holds, and was merged by lines instead.
    pub is_too_large: bool,
}

impl Merged {
    fn text(merge: TextMerge<'_>) -> Self {
        Self { merge: merge.into_owned(), is_form_kept: false, is_too_large: false }
    }
}

/// Merges three versions of the file at `path`; without a base, what both have in common is the base.
///
/// `known` is what there is to know besides. Trivial cases come out exactly; line ending and final newline are merged apart from the lines. Binary content, sizes,
/// modes and lock files are the caller's.
#[must_use]
pub fn merge(path: &RelPath, known: Known<'_>, base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> Merged {
    if let Some(bytes) = trivial(base, Some(ours), Some(theirs)).flatten() {
        return Merged::text(TextMerge::resolved(side(base, ours, theirs), bytes.to_vec()));
    }
    let needs = |bytes: &[u8]| structured::needs_final_newline(path, bytes);
    let versions = match base {
        Some(base) => Versions::with(base, ours, theirs, needs),
        None => Versions::without_base(ours, theirs),
    };
    let merged = by_rule(path, known, base.is_some(), &versions);
    Merged { merge: versions.finish_with(merged.merge, needs).into_owned(), ..merged }
}

fn by_rule(path: &RelPath, known: Known<'_>, has_base: bool, versions: &Versions<'_>) -> Merged {
    if lines::is_line_set(path) {
        return Merged::text(lines::merge(versions));
    }
    let by_lines = || {
        let Versions { base, ours, theirs, .. } = versions;
        Merged::text(match Lines::of(path) {
            Some(kind) => keyed::merge(kind, base, ours, theirs),
            None => text::merge(base, ours, theirs),
        })
    };
    match File::new(path, known) {
        Some(file) if !file.is_affordable(versions) => Merged { is_too_large: true, ..by_lines() },
        file => file.and_then(|file| structured::merge(file, has_base, versions)).unwrap_or_else(by_lines),
    }
}

fn side(base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> Side {
    match (ours == theirs, base == Some(ours)) {
        (true, true) => Side::Base,
        (true, false) => Side::Both,
        (false, true) => Side::Theirs,
        (false, false) => Side::Ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::draw::{Style, draw};

    fn merged(path: &str, base: Option<&str>, ours: &str, theirs: &str) -> String {
        let path = RelPath::new(path).unwrap();
        let merge = merge(&path, Known::default(), base.map(str::as_bytes), ours.as_bytes(), theirs.as_bytes()).merge;
        String::from_utf8(draw(&merge, Style::Merge, "2")).unwrap()
    }

    #[test]
    fn a_trivial_merge_knows_its_side() {
        let path = RelPath::new("a.json").unwrap();
        let cases = [
            (Some("{"), "{", "{", Side::Base),
            (Some("{"), "}", "}", Side::Both),
            (Some("{"), "}", "{", Side::Ours),
            (Some("{"), "{", "}", Side::Theirs),
            (None, "{", "{", Side::Both),
        ];
        for (base, ours, theirs, side) in cases {
            let expected = TextMerge::resolved(side, if side == Side::Theirs { theirs } else { ours }.as_bytes());
            let merged = merge(&path, Known::default(), base.map(str::as_bytes), ours.as_bytes(), theirs.as_bytes());
            assert_eq!(merged.merge, expected);
        }
    }

    #[test]
    fn a_converted_project_takes_the_change_in_its_own_line_endings() {
        assert_eq!(merged("a.txt", Some("a\nb\nc\n"), "A\r\nb\r\nc\r\n", "a\nb\nC\n"), "A\r\nb\r\nC\r\n");
        assert_eq!(merged(".gitignore", Some("a\n"), "a\r\no", "a\nt\n"), "a\r\no\r\nt");
    }

    #[test]
    fn the_base_of_a_file_that_both_added_is_what_they_have_in_common() {
        assert_eq!(merged("a.md", None, "# A\n\nmine\n\nend\n", "# A\n\nend\nmore\n"), "# A\n\nmine\n\nend\nmore\n");
        let conflict = "# A\n<<<<<<< yours\nmine\n=======\nnew\n>>>>>>> template 2\nend\n";
        assert_eq!(merged("a.md", None, "# A\nmine\nend\n", "# A\nnew\nend\n"), conflict);
        assert_eq!(merged(".gitignore", None, "a\nmine\n", "a\nnew\n"), "a\nmine\nnew\n");
    }
}
