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

/// Merges three versions of a line set. There are no conflicts: each becomes the union of both sides. What one side removed stays
/// removed, wherever the other one has moved it.
pub(super) fn merge(versions: &Versions<'_>) -> TextMerge<'static> {
    let [base, ours, theirs] = without_removed(&versions.base, &versions.ours, &versions.theirs);
    let mut merge = text::merge(&base, &ours, &theirs);
    let everywhere: HashSet<&[u8]> = lines(&ours).filter(|line| is_pattern(line)).collect();
    for region in &mut merge.regions {
        if let Region::Conflict { base, ours, theirs } = region {
            *region = Region::Resolved { side: Side::Both, bytes: union(base, ours, theirs, &everywhere).into() };
        }
    }
    merge.regions.retain(|region| !region.is_empty());
    match merge.clean() {
        Some(merged) if is_set_of(&merged, &ours, &theirs) => merge.into_owned(),
        // A line that one side moved is where the other one has it.
        _ => TextMerge::resolved(Side::Both, union(&base, &ours, &theirs, &everywhere)).into_owned(),
    }
}

/// The three versions, each without the lines of the base that a side removed, and theirs without other forms of such a pattern.
fn without_removed(base: &[u8], ours: &[u8], theirs: &[u8]) -> [Vec<u8>; 3] {
    let [in_base, in_ours, in_theirs] = [base, ours, theirs].map(|bytes| lines(bytes).collect::<HashSet<_>>());
    let by_us: HashSet<&[u8]> = in_base.difference(&in_ours).copied().filter(|line| !is_blank(line)).collect();
    let by_them: HashSet<&[u8]> = in_base.difference(&in_theirs).copied().filter(|line| !is_blank(line)).collect();
    let unwanted: HashSet<&[u8]> = by_us.iter().filter(|line| is_pattern(line)).map(|line| pattern(line)).collect();
    let is_rewritten = |line: &[u8]| {
        is_pattern(line) && !in_base.contains(line) && !in_ours.contains(line) && unwanted.contains(pattern(line))
    };
    let is_unwanted = |line: &[u8]| by_us.contains(line) || is_rewritten(line);
    let filter = |bytes: &[u8], removed: &dyn Fn(&[u8]) -> bool| -> Vec<u8> {
        lines(bytes).filter(|line| !removed(line)).flatten().copied().collect()
    };
    [
        filter(base, &|line| by_us.contains(line) || by_them.contains(line)),
        filter(ours, &|line| by_them.contains(line)),
        filter(theirs, &is_unwanted),
    ]
}

/// What a pattern is about, however it is written: `dist`, `/dist`, `dist/`, `**/dist` and `dist/**` are rewritten into each other.
fn pattern(line: &[u8]) -> &[u8] {
    let mut text = line.trim_ascii();
    if line.starts_with(b"!") {
        return text;
    }
    for start in [&b"**/"[..], b"/"] {
        text = text.strip_prefix(start).unwrap_or(text);
    }
    for end in [&b"/**"[..], b"/*", b"/"] {
        text = text.strip_suffix(end).unwrap_or(text);
    }
    text
}

/// Whether a merge has each pattern that both sides have, and none more often than they do.
fn is_set_of(merged: &[u8], ours: &[u8], theirs: &[u8]) -> bool {
    let count = |bytes| -> HashMap<&[u8], usize> {
        let mut counts = HashMap::new();
        lines(bytes).filter(|line| is_pattern(line)).for_each(|line| *counts.entry(line).or_default() += 1);
        counts
    };
    let (merged, ours, theirs) = (count(merged), count(ours), count(theirs));
    let of = |counts: &HashMap<&[u8], usize>, line: &[u8]| counts.get(line).copied().unwrap_or_default();
    ours.keys().all(|line| !theirs.contains_key(line) || merged.contains_key(line))
        && merged.iter().all(|(line, count)| *count <= of(&ours, line).max(of(&theirs, line)))
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
    // Without exceptions, no order has a meaning but that of the headings: what we have elsewhere takes its followers with it.
    let has_order = exceptions[0] < kept.len() || lines(theirs).any(|line| line.starts_with(b"!"));
    // The new lines that go before each of ours, and after the last. They never go before `floor`.
    let mut new: Vec<Vec<&[u8]>> = vec![Vec::new(); kept.len() + 1];
    let mut floor = 0;
    let mut inserted = HashSet::new();
    for line in lines(theirs) {
        if let Some(&at) = places.get(line) {
            floor = if has_order { floor.max(at + 1) } else { at + 1 };
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
    !is_blank(line) && !line.starts_with(b"#")
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
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
        // What was removed does not come back in another place, nor in another form.
        ["a,b,c,d,", "a,c,d,", "a,c,d,b,", "a,c,d,"],
        ["a,b,c,d,", "a,c,d,", "d,c,b,a,", "d,c,a,"],
        ["a,b,c,d,", "a,c,d,", "# all,b,,# more,a,t,c,d,", "# all,,# more,a,t,c,d,"],
        ["dist,a,", "a,", "/dist/,a,", "a,"],
        ["dist,a,", "a,", "a,**/dist,t,", "a,t,"],
        ["# output,dist,,a,", "a,", "a,,# output,dist,", "a,"],
        ["a,b,c,", "a,c,b,", "a,c,", "a,c,"],
        // Where both rewrite a pattern, it stays as you have it.
        ["dist,a,", "/dist,a,", "dist/,a,", "/dist,a,"],
        ["dist,a,", "/dist,a,", "/dist,a,", "/dist,a,"],
        ["dist,/dist,a,", "/dist,a,", "dist,/dist,a,t,", "/dist,a,t,"],
        // A new line is after the one that it is after in the template, also where both moved the lines.
        ["# 1,a,# 2,b,", "# 1,a,# 2,b,o,", "# 2,b,# 1,a,t,", "# 1,a,t,# 2,b,o,"],
        ["dist,a,b,", "/dist,a,b,", "a,b,dist,", "/dist,a,b,"],
        // Exceptions are patterns of their own.
        ["*.log,!keep.log,", "*.log,", "a,*.log,!keep.log,", "a,*.log,"],
        ["*.log,!keep.log,", "!keep.log,", "a,*.log,!keep.log,", "a,!keep.log,"],
        // What one side moved and the other one kept is there once.
        ["a,b,c,", "b,c,a,o,", "b,a,c,t,", "b,c,a,o,t,"],
        ["a,b,c,d,", "b,c,d,x,", "c,d,y,b,", "b,c,d,x,y,"],
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

    proptest! {
        /// Each pattern is there once, if nobody removed it.
        #[test]
        fn a_merge_is_the_set_that_follows_from_the_three(
            base in lists(), ours in lists(), theirs in lists(),
        ) {
            let [base, ours, theirs] = [base, ours, theirs].map(|lines: Vec<String>| lines);
            let bytes = [&base, &ours, &theirs].map(|lines| lines.concat().into_bytes());
            let versions = Versions::new(&bytes[0], &bytes[1], &bytes[2]);
            let merged = versions.finish(merge(&versions)).clean().unwrap();
            let text = String::from_utf8(merged).unwrap();
            let mut found: Vec<&str> = text.split_inclusive('\n').collect();
            found.sort_unstable();
            let is_kept = |line: &&String| !base.contains(line) || ours.contains(line) && theirs.contains(line);
            let mut wanted: Vec<&str> = ours.iter().chain(&theirs).filter(is_kept).map(String::as_str).collect();
            wanted.sort_unstable();
            wanted.dedup();
            prop_assert_eq!(found, wanted, "{:?} {:?} {:?}", base, ours, theirs);
        }
    }

    fn lists() -> impl Strategy<Value = Vec<String>> {
        let all: Vec<String> = "abcdefgh"
            .chars()
            .map(String::from)
            .chain(["!b", "!e"].map(str::to_owned))
            .map(|line| line + "\n")
            .collect();
        proptest::sample::subsequence(all, 0..8).prop_shuffle()
    }

    /// The same, line by line: what each insertion sees is what those before it have made.
    fn simple_union(base: &[u8], ours: &[u8], theirs: &[u8]) -> Vec<u8> {
        let [in_base, in_theirs] = [base, theirs].map(|bytes| lines(bytes).collect::<HashSet<_>>());
        let dropped = |line: &&[u8]| in_base.contains(line) && !in_theirs.contains(line);
        let mut out: Vec<&[u8]> = lines(ours).filter(|line| !dropped(line)).collect();
        let has_order = out.iter().copied().chain(lines(theirs)).any(|line| line.starts_with(b"!"));
        let (mut floor, mut inserted) = (0, HashSet::new());
        for line in lines(theirs) {
            if inserted.contains(line) {
                // Where the template repeats a new line does not count: its first place does.
            } else if let Some(at) = out.iter().position(|other| *other == line) {
                floor = if has_order { floor.max(at + 1) } else { at + 1 };
            } else if !in_base.contains(line) {
                // Behind what was inserted here before, too.
                let is_new = |other: &&[u8]| inserted.contains(other);
                let here = out[floor..].iter().take_while(|other| is_new(other) || !in_theirs.contains(*other)).count();
                let here = &out[floor..floor + here];
                let exception = here.iter().position(|other| other.starts_with(b"!") && !is_new(other));
                let at = match exception {
                    Some(exception) if !line.starts_with(b"!") => floor + exception,
                    _ => floor + here.len(),
                };
                out.insert(at, line);
                inserted.insert(line);
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
    fn a_new_line_that_the_template_has_twice_is_where_the_first_one_is() {
        assert_eq!(union(b"", b"", b"d\na\nd\nb\n", &HashSet::new()), b"d\na\nb\n");
    }

    #[test]
    fn a_line_set_is_known_by_its_name() {
        for name in [".gitignore", "a/.dockerignore", ".npmignore", ".prettierignore", ".eslintignore"] {
            assert!(is_line_set(&RelPath::new(name).unwrap()), "{name}");
        }
        assert!(!is_line_set(&RelPath::new("ignore").unwrap()) && !is_line_set(&RelPath::new("a.ts").unwrap()));
    }
}
