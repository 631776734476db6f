//! What differs between what is expected and what came out, for a person.

use std::collections::BTreeSet;

use similar::TextDiff;

use crate::tree::{Entry, RelPath, Tree};

/// A patch from the expected tree to the one that was made: by `verb`, such as "rendered".
pub(super) fn of_trees(expected: &Tree, made: &Tree, verb: &str) -> String {
    let paths: BTreeSet<&RelPath> = expected.keys().chain(made.keys()).collect();
    paths.into_iter().map(|path| of_entries(path, expected.get(path), made.get(path), verb)).collect()
}

fn of_entries(path: &RelPath, expected: Option<&Entry>, made: Option<&Entry>, verb: &str) -> String {
    match (expected, made) {
        (Some(_), None) => format!("missing: {path}\n"),
        (None, Some(_)) => format!("unexpected: {path}\n"),
        (Some(expected), Some(made)) if expected.mode() != made.mode() => {
            format!("mode: {path} is {}, expected {}\n", made.mode().as_str(), expected.mode().as_str())
        }
        (Some(expected), Some(made)) => {
            of_bytes(expected.bytes(), made.bytes(), [format!("expected/{path}"), format!("{verb}/{path}")])
        }
        (None, None) => String::new(),
    }
}

/// A patch between two versions of a file, with the names of both.
pub(super) fn of_bytes(expected: &[u8], made: &[u8], [old, new]: [String; 2]) -> String {
    if expected == made {
        return String::new();
    }
    let diff = TextDiff::from_lines(expected, made);
    let mut patch = Vec::new();
    // Writing to memory cannot fail.
    diff.unified_diff().header(&old, &new).to_writer(&mut patch).unwrap_or_default();
    String::from_utf8_lossy(&patch).into_owned()
}
