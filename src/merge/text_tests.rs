use proptest::prelude::*;

use super::*;
use crate::merge::oracle;

/// Conflicts as `<base|ours|theirs>`, line ends as `,`.
fn sketch(merge: &TextMerge<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "~").replace('\r', "^").replace('\n', ",");
    let regions = merge.regions.iter().map(|region| match region {
        Region::Resolved { bytes, .. } => text(bytes),
        Region::Conflict { base, ours, theirs } => format!("<{}|{}|{}>", text(base), text(ours), text(theirs)),
    });
    regions.collect()
}

fn bytes(sketch: &str) -> Vec<u8> {
    sketch.replace('~', "\r\n").replace('^', "\r").replace(',', "\n").into_bytes()
}

fn merged(base: &str, ours: &str, theirs: &str) -> String {
    sketch(&merge(&bytes(base), &bytes(ours), &bytes(theirs)))
}

/// Base, ours, theirs, and the merge.
const CASES: &[[&str; 4]] = &[
    ["", "", "", ""],
    ["a,b,c,", "a,b,c,", "a,b,c,", "a,b,c,"],
    ["a,b,c,", "A,b,c,", "a,b,C,", "A,b,C,"],
    ["a,b,c,", "a,X,c,", "a,X,c,", "a,X,c,"],
    ["a,b,c,", "a,O,c,", "a,T,c,", "a,<b,|O,|T,>c,"],
    // Changes that touch are a conflict, as in git; what both changed alike is none.
    ["a,b,", "A,b,", "a,B,", "<a,b,|A,b,|a,B,>"],
    ["a,b,c,", "a,1,O,2,c,", "a,1,T,2,c,", "a,1,<b,|O,|T,>2,c,"],
    // Insertions and deletions.
    ["a,b,", "a,x,b,", "a,b,y,", "a,x,b,y,"],
    ["a,b,", "a,x,b,", "a,y,b,", "a,<|x,|y,>b,"],
    ["a,b,", "a,x,b,", "a,x,y,b,", "a,x,<||y,>b,"],
    ["a,b,c,d,e,", "a,c,d,e,", "a,b,c,d,", "a,c,d,"],
    ["a,b,c,", "a,c,", "a,B,c,", "a,<b,||B,>c,"],
    ["", "x,", "y,", "<|x,|y,>"],
    ["a,", "", "a,", ""],
    ["a,", "", "b,", "<a,||b,>"],
    // Repeated blocks: the unique lines are the anchors.
    ["f{,1,},g{,2,},", "f{,1,},h{,3,},g{,2,},", "f{,1,},g{,4,},", "f{,1,},h{,3,},g{,4,},"],
    ["},},},", "},},},x,", "y,},},},", "y,},},},x,"],
    // Line endings and the final newline belong to the lines here.
    ["a~b~", "a~B~", "a~b~c~", "a~<b~|B~|b~c~>"],
    ["a~b~c~", "A~b~c~", "a~b~C~", "A~b~C~"],
    ["a^b^c^", "A^b^c^", "a^b^C^", "A^b^C^"],
    ["a^x,b,c,", "a^x,B,c,", "a^y,b,c,", "<a^x,b,|a^x,B,|a^y,b,>c,"],
    ["a,b,c", "A,b,c", "a,b,c,", "A,b,c,"],
    ["a,b", "a,b,", "a,b,c,", "a,b,<b||c,>"],
    ["a,b", "a,O", "a,T", "a,<b|O|T>"],
];

#[test]
fn changes_merge_as_the_table_says() {
    for [base, ours, theirs, expected] in CASES {
        assert_eq!(merged(base, ours, theirs), *expected, "base {base:?} ours {ours:?} theirs {theirs:?}");
    }
}

#[test]
fn every_region_knows_its_side() {
    let merge = merge(b"a\nb\nc\nd\ne\nf\n", b"A\nb\nc\nd\nE\nf\n", b"a\nb\nC\nd\nE\nf\n");
    let sides = merge.regions.iter().filter_map(|region| match region {
        Region::Resolved { side, .. } => Some(*side),
        Region::Conflict { .. } => None,
    });
    use Side::{Base, Both, Ours, Theirs};
    assert_eq!(sides.collect::<Vec<_>>(), [Ours, Base, Theirs, Base, Both, Base]);
}

#[test]
fn bytes_of_any_encoding_come_out_as_they_went_in() {
    let merge = merge(b"\xff\xfe\nb\nc\n", b"\xff\xfe\nb\n\x80c\n", b"\xe9\nb\nc\n");
    assert_eq!(merge.clean().unwrap(), b"\xe9\nb\n\x80c\n");
}

#[test]
fn a_comparison_decides_for_no_side() {
    let compare = |base, ours, theirs| sketch(&compare(base, ours, theirs));
    assert_eq!(compare(b"a\nb\n", b"a\nb\n", b"a\nT\n"), "a,<b,|b,|T,>");
    assert_eq!(compare(b"a\nb\n", b"A\nb\n", b"A\nb\n"), "A,b,");
}

/// A file of few different lines, so that they repeat.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![4 => "[a-e]{1,2}\n", 1 => "\\}\n", 1 => "\n", 1 => "[a-c]\r\n"];
    (prop::collection::vec(line, 0..16), "[a-c]{0,1}")
        .prop_map(|(lines, last)| (lines.concat() + last.as_str()).into_bytes())
}

/// An edited copy: some lines dropped, changed or added.
fn edited(base: &[u8]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let lines: Vec<Vec<u8>> = lines(base).map(<[u8]>::to_vec).collect();
    let edits = prop::collection::vec((0..=lines.len(), 0..3_u8, "[a-z]{1,2}\n"), 0..4);
    edits.prop_map(move |edits| {
        let mut lines = lines.clone();
        for (at, kind, text) in edits {
            let at = at.min(lines.len());
            match kind {
                0 => lines.insert(at, text.into_bytes()),
                1 if at < lines.len() => lines[at] = text.into_bytes(),
                _ if at < lines.len() => drop(lines.remove(at)),
                _ => {}
            }
        }
        lines.concat()
    })
}

fn versions() -> impl Strategy<Value = (Vec<u8>, Vec<u8>, Vec<u8>)> {
    file().prop_flat_map(|base| {
        let (ours, theirs) = (edited(&base), edited(&base));
        (Just(base), ours, theirs)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_side_alone_decides((base, ours, theirs) in versions()) {
        prop_assert_eq!(merge(&base, &base, &theirs).clean(), Some(theirs.clone()));
        prop_assert_eq!(merge(&base, &ours, &base).clean(), Some(ours.clone()));
        prop_assert_eq!(merge(&base, &ours, &ours).clean(), Some(ours.clone()));
        prop_assert_eq!(merge(&theirs, &ours, &ours).clean(), Some(ours));
    }

    #[test]
    fn a_conflict_is_one_from_either_side((base, ours, theirs) in versions()) {
        let [one, other] = [merge(&base, &ours, &theirs), merge(&base, &theirs, &ours)];
        prop_assert_eq!(one.conflicts(), other.conflicts());
        prop_assert_eq!(one.choose(Side::Theirs), other.choose(Side::Ours));
        prop_assert_eq!(one.choose(Side::Ours), other.choose(Side::Theirs));
    }

    #[test]
    fn every_line_that_the_user_added_survives((base, ours, theirs) in versions()) {
        let survives = merge(&base, &ours, &theirs).choose(Side::Both);
        let count = |bytes: &[u8], wanted: &[u8]| lines(bytes).filter(|line| line.trim_ascii_end() == wanted).count();
        for line in lines(&ours).map(<[u8]>::trim_ascii_end) {
            let added = count(&ours, line) > count(&base, line);
            prop_assert!(!added || count(&survives, line) > 0, "{:?}", line.escape_ascii().to_string());
        }
    }

    #[test]
    fn any_bytes_can_be_merged_and_compared(
        base in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60),
        ours in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60),
        theirs in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60),
    ) {
        prop_assert_eq!(compare(&base, &ours, &theirs).choose(Side::Ours), ours.clone());
        prop_assert_eq!(compare(&base, &ours, &theirs).choose(Side::Theirs), theirs.clone());
        prop_assert!(merge(&base, &ours, &theirs).regions.iter().all(|region| !region.is_empty()));
    }
}

/// Whether a merge is one: there is a way to align both sides with the base in which each change of one side meets lines that
/// the other has left alone, or changed alike, no two changes touch, and all of them together give the merged text.
///
/// Tries every alignment, so it is for short texts.
fn is_merge(base: &[u8], ours: &[u8], theirs: &[u8], merged: &[u8]) -> bool {
    let [base, ours, theirs, merged] = [base, ours, theirs, merged].map(|text| lines(text).collect::<Vec<_>>());
    let mut seen = std::collections::HashSet::new();
    // How many lines of each text are explained, and whose change the last of them are.
    let mut open = vec![([0; 4], None)];
    while let Some((at, change)) = open.pop() {
        if !seen.insert((at, change.map(|side| side as u8))) {
            continue;
        }
        let [b, o, t, m] =
            [(&base, at[0]), (&ours, at[1]), (&theirs, at[2]), (&merged, at[3])].map(|(it, at)| it.get(at));
        if [b, o, t, m] == [None; 4] {
            return true;
        }
        let mut step = |takes: [usize; 4], change| {
            open.push((std::array::from_fn(|text| at[text] + takes[text]), change));
        };
        let same = |lines: &[Option<&&[u8]>]| lines[0].is_some() && lines.iter().all(|line| *line == lines[0]);
        if same(&[b, o, t, m]) {
            step([1, 1, 1, 1], None);
        }
        // A side drops a line, or adds one; the other one has what the base has.
        let steps = [
            (Side::Ours, same(&[b, t]), [1, 0, 1, 0]),
            (Side::Ours, same(&[o, m]), [0, 1, 0, 1]),
            (Side::Theirs, same(&[b, o]), [1, 1, 0, 0]),
            (Side::Theirs, same(&[t, m]), [0, 0, 1, 1]),
            (Side::Both, b.is_some(), [1, 0, 0, 0]),
            (Side::Both, same(&[o, t, m]), [0, 1, 1, 1]),
        ];
        for (side, possible, takes) in steps {
            if possible && change.is_none_or(|change| change == side) {
                step(takes, Some(side));
            }
        }
    }
    false
}

#[test]
fn what_is_a_merge_is_told_from_what_is_none() {
    let is_merge = |texts: [&str; 4]| {
        let [base, ours, theirs, merged] = texts.map(bytes);
        is_merge(&base, &ours, &theirs, &merged)
    };
    for [base, ours, theirs, merged] in CASES.iter().filter(|case| !case[3].contains('<')) {
        assert!(is_merge([base, ours, theirs, merged]), "{base} {ours} {theirs}");
    }
    let lost = ["a,b,c,", "A,b,c,", "a,b,C,", "A,b,c,"];
    let kept = ["a,b,c,", "b,c,", "a,b,C,", "a,b,C,"];
    let touching = ["a,b,", "A,b,", "a,B,", "A,B,"];
    let twice = ["a,b,", "a,x,b,", "a,x,b,", "a,x,x,b,"];
    let invented = ["a,", "a,", "a,", "a,b,"];
    for case in [lost, kept, touching, twice, invented] {
        assert!(!is_merge(case), "{case:?}");
    }
}

/// Whether there is more than one way to see what a side has changed: a line is there twice, or two lines changed places.
fn is_ambiguous(base: &[u8], side: &[u8]) -> bool {
    let [base, side] = [base, side].map(|text| lines(text).collect::<Vec<_>>());
    let repeats = |text: &[&[u8]]| (1..text.len()).any(|at| text[..at].contains(&text[at]));
    let places: Vec<usize> = base.iter().filter_map(|line| side.iter().position(|other| other == line)).collect();
    repeats(&base) || repeats(&side) || !places.is_sorted()
}

/// Ours is a merge, by some alignment, wherever it has no conflict. Where it has one that git does not have, or the other way
/// round, there is more than one alignment; and that is rare.
#[test]
fn git_merge_file_agrees() {
    if !oracle::is_able() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let cases: Vec<[Vec<u8>; 3]> =
        oracle::sample(&versions(), oracle::cases(3_000)).into_iter().map(|(b, o, t)| [b, o, t]).collect();
    let mut conflicts = 0;
    for (at, (versions, by_git)) in cases.iter().zip(oracle::merge_files(&cases)).enumerate() {
        let [base, ours, theirs] = versions.each_ref().map(Vec::as_slice);
        if at < 32 {
            let by_merge_file = oracle::merge_file(dir.path(), "histogram", [base, ours, theirs]);
            assert_eq!(by_git, by_merge_file, "git merges trees as it merges files");
        }
        let merged = merge(base, ours, theirs).clean();
        let explained = match &merged {
            Some(merged) => is_merge(base, ours, theirs, merged),
            None => true,
        } && (merged == by_git || is_ambiguous(base, ours) || is_ambiguous(base, theirs));
        conflicts += usize::from(merged.is_none() && by_git.is_some());
        let [base, ours, theirs] = [base, ours, theirs].map(String::from_utf8_lossy);
        assert!(explained, "base {base:?} ours {ours:?} theirs {theirs:?} by git {by_git:?}");
    }
    assert!(conflicts <= 2 + cases.len() / 200, "{conflicts} conflicts that git does not have, of {}", cases.len());
}
