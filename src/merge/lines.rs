//! The rule for sets of lines, such as `.gitignore`: what both sides added is kept, ours first.

use std::collections::{HashMap, HashSet};

use super::ending::Versions;
use super::text::{self, Region, Side, TextMerge, lines};
use crate::tree::RelPath;

/// Whether the file at `path` is a set of patterns, one a line.
pub(super) fn is_line_set(path: &RelPath) -> bool {
    let name = path.file_name();
    name.starts_with('.') && name.ends_with("ignore")
}

/// Merges three versions of a line set. There are no conflicts: each becomes the union of both sides.
pub(super) fn merge<'v>(versions: &'v Versions<'_>) -> TextMerge<'v> {
    let mut merge = text::merge(&versions.base, &versions.ours, &versions.theirs);
    let everywhere: HashSet<&[u8]> = lines(&versions.ours).filter(|line| is_pattern(line)).collect();
    for region in &mut merge.regions {
        if let Region::Conflict { base, ours, theirs } = region {
            *region = Region::Resolved { side: Side::Both, bytes: union(base, ours, theirs, &everywhere).into() };
        }
    }
    merge.regions.retain(|region| !region.is_empty());
    merge
}

/// Our lines but those that the template dropped, and the template's new ones: each run of them after its predecessor and what
/// we added there. A pattern never comes after our own exceptions, nor an exception before the template's patterns.
fn union(base: &[u8], ours: &[u8], theirs: &[u8], everywhere: &HashSet<&[u8]>) -> Vec<u8> {
    let [in_base, in_theirs] = [base, theirs].map(|bytes| lines(bytes).collect::<HashSet<_>>());
    let dropped = |line: &&[u8]| in_base.contains(line) && !in_theirs.contains(line);
    let kept: Vec<&[u8]> = lines(ours).filter(|line| !dropped(line)).collect();
    // Of equal lines, the first counts.
    let places: HashMap<&[u8], usize> = kept.iter().enumerate().rev().map(|(at, line)| (*line, at)).collect();
    // At and after each line: the first that is the template's, too, and the first exception.
    let (mut common, mut exceptions) = (vec![kept.len(); kept.len() + 1], vec![kept.len(); kept.len() + 1]);
    for (at, line) in kept.iter().enumerate().rev() {
        common[at] = if in_theirs.contains(line) { at } else { common[at + 1] };
        exceptions[at] = if line.starts_with(b"!") { at } else { exceptions[at + 1] };
    }
    // The new lines that go before each of ours, and after the last. They never go before `floor`.
    let mut new: Vec<Vec<&[u8]>> = vec![Vec::new(); kept.len() + 1];
    let mut floor = 0;
    let mut inserted = HashSet::new();
    for line in lines(theirs) {
        if let Some(&at) = places.get(line) {
            floor = floor.max(at + 1);
        } else if !in_base.contains(line) && !everywhere.contains(line) && inserted.insert(line) {
            let behind = common[floor];
            floor = if line.starts_with(b"!") { behind } else { behind.min(exceptions[floor]) };
            new[floor].push(line);
        }
    }
    let last = new.pop().unwrap_or_default();
    new.into_iter()
        .zip(kept)
        .flat_map(|(new, line)| new.into_iter().chain([line]))
        .chain(last)
        .flatten()
        .copied()
        .collect()
}

fn is_pattern(line: &[u8]) -> bool {
    !line.trim_ascii().is_empty() && !line.starts_with(b"#")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Base, ours, theirs, and the merge; `,` ends a line.
    const CASES: &[[&str; 4]] = &[
        ["a,", "a,o,", "a,t,", "a,o,t,"],
        ["a,", "a,x,o,", "a,x,t,", "a,x,o,t,"],
        ["a,b,", "a,o,b,", "a,t,b,", "a,o,t,b,"],
        ["a,b,c,", "a,o,c,", "a,b,t,c,", "a,o,t,c,"],
        ["a,b,", "a,b,o,", "a,t,", "a,o,t,"],
        ["", "o,", "t,", "o,t,"],
        // What ours has elsewhere is not added again.
        ["a,b,", "dist,a,b,o,", "a,b,dist,t,", "dist,a,b,o,t,"],
        // Exceptions stay after the patterns that they except from.
        ["a,", "a,*.log,!keep.log,", "a,*.tmp,", "a,*.log,*.tmp,!keep.log,"],
        ["a,", "a,o,", "a,*.log,!keep.log,", "a,o,*.log,!keep.log,"],
        ["a,", "a,!mine,", "a,*.log,!keep.log,", "a,*.log,!mine,!keep.log,"],
        ["a,*.log,", "a,*.log,o,", "a,*.log,!keep.log,", "a,*.log,o,!keep.log,"],
        // Where the text merges, the text decides.
        ["a,b,c,", "A,b,c,", "a,b,C,", "A,b,C,"],
        ["a,", "", "a,", ""],
        ["a,", "", "t,", "t,"],
    ];

    #[test]
    fn a_conflict_becomes_the_union() {
        for case in CASES {
            let [base, ours, theirs, expected] = case.map(|text| text.replace(',', "\n").into_bytes());
            let versions = Versions::new(&base, &ours, &theirs);
            let merged = versions.finish(merge(&versions)).clean().unwrap();
            let merged = String::from_utf8_lossy(&merged);
            assert_eq!(merged, String::from_utf8_lossy(&expected), "{case:?}");
        }
    }

    /// The same, line by line: what each insertion sees is what those before it have made.
    fn simple_union(base: &[u8], ours: &[u8], theirs: &[u8]) -> Vec<u8> {
        let [in_base, in_theirs] = [base, theirs].map(|bytes| lines(bytes).collect::<HashSet<_>>());
        let dropped = |line: &&[u8]| in_base.contains(line) && !in_theirs.contains(line);
        let mut out: Vec<&[u8]> = lines(ours).filter(|line| !dropped(line)).collect();
        let mut floor = 0;
        for line in lines(theirs) {
            if let Some(at) = out.iter().position(|other| *other == line) {
                floor = floor.max(at + 1);
            } else if !in_base.contains(line) {
                let ours_here = out[floor..].iter().take_while(|other| !in_theirs.contains(*other)).count();
                let exception = out[floor..floor + ours_here].iter().position(|other| other.starts_with(b"!"));
                let at = match exception {
                    Some(exception) if !line.starts_with(b"!") => floor + exception,
                    _ => floor + ours_here,
                };
                out.insert(at, line);
                floor = at + 1;
            }
        }
        out.concat()
    }

    proptest! {
        #[test]
        fn the_union_is_that_of_one_line_after_the_other(
            base in "(!?[a-f]\n){0,6}", ours in "(!?[a-f]\n){0,12}", theirs in "(!?[a-h]\n){0,12}",
        ) {
            let [base, ours, theirs] = [&base, &ours, &theirs].map(|text| text.as_bytes());
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            let union = text(union(base, ours, theirs, &HashSet::new()));
            prop_assert_eq!(union, text(simple_union(base, ours, theirs)));
        }
    }

    #[test]
    fn a_line_set_is_known_by_its_name() {
        for name in [".gitignore", "a/.dockerignore", ".npmignore", ".prettierignore", ".eslintignore"] {
            assert!(is_line_set(&RelPath::new(name).unwrap()), "{name}");
        }
        assert!(!is_line_set(&RelPath::new("ignore").unwrap()) && !is_line_set(&RelPath::new("a.ts").unwrap()));
    }
}
