use crate::merge::known::Known;
use proptest::prelude::*;

use super::*;
use crate::merge::draw::{Style, draw};

fn block(name: &str, text: &str) -> String {
    format!("<!-- create-app:begin {name} -->\n{text}<!-- create-app:end {} -->\n", name.trim_end_matches(" top"))
}

fn merged(base: Option<&str>, ours: &str, theirs: &str) -> Merged {
    let path = RelPath::new("README.md").unwrap();
    merge(&path, Known::default(), base.map(str::as_bytes), ours.as_bytes(), theirs.as_bytes()).unwrap()
}

fn text(base: Option<&str>, ours: &str, theirs: &str) -> String {
    String::from_utf8(draw(&merged(base, ours, theirs).merge, Style::Merge, "2")).unwrap()
}

#[test]
fn a_block_is_merged_and_every_other_byte_is_left_alone() {
    let base = format!("# T\nintro\n{}", block("a", "1\n2\n3\n4\n5\n"));
    let theirs = format!("# Other\nnew intro\n{}more\n", block("a", "1\n2\n3\n4\nfive\n"));
    let ours = format!("mine  \n{}\tend", block("a", "one\n2\n3\n4\n5\n"));
    assert_eq!(text(Some(&base), &ours, &theirs), format!("mine  \n{}\tend", block("a", "one\n2\n3\n4\nfive\n")));
}

#[test]
fn a_conflict_stays_within_its_block() {
    let [base, ours, theirs] = ["1\n", "mine\n", "2\n"].map(|text| format!("x\n{}y\n", block("a", text)));
    let expected = format!("x\n{}y\n", block("a", "<<<<<<< yours\nmine\n=======\n2\n>>>>>>> template 2\n"));
    assert_eq!(text(Some(&base), &ours, &theirs), expected);
    let merged = merged(Some(&base), &ours.replace("x\n", "z\n"), &theirs.replace("y\n", "w\n"));
    assert_eq!(String::from_utf8(merged.base).unwrap(), base.replace("x\n", "z\n"));
    assert_eq!(String::from_utf8(merged.theirs).unwrap(), theirs.replace("x\n", "z\n"));
}

#[test]
fn the_project_keeps_its_line_ending() {
    let base = format!("x\n{}", block("a", "1\n"));
    let theirs = format!("x\n{}{}", block("a", "2\n"), block("b", "3\n"));
    let ours = base.replace('\n', "\r\n");
    let expected = format!("x\n{}\n{}", block("a", "2\n"), block("b", "3\n")).replace('\n', "\r\n");
    assert_eq!(text(Some(&base), &ours, &theirs), expected);
}

#[test]
fn a_new_block_goes_to_the_end_or_after_the_first_heading() {
    let end = block("e", "E\n");
    let top = block("t top", "T\n");
    let theirs = format!("# T\n{top}{end}");
    let cases = [
        ("# Mine\n\nText\n", format!("# Mine\n\n{top}\nText\n\n{end}")),
        ("# Mine\nText", format!("# Mine\n\n{top}\nText\n\n{end}")),
        ("Mine\n====\n\nText\n\n", format!("Mine\n====\n\n{top}\nText\n\n{end}")),
        ("<h1>\n x</h1>\nText\n", format!("<h1>\n x</h1>\n\n{top}\nText\n\n{end}")),
        ("Text\n", format!("{top}\nText\n\n{end}")),
        ("---\n# a: b\n---\nText\n", format!("---\n# a: b\n---\n\n{top}\nText\n\n{end}")),
        ("```sh\n# no heading\n```\n## Yes\n", format!("```sh\n# no heading\n```\n## Yes\n\n{top}\n{end}")),
    ];
    for (ours, expected) in cases {
        assert_eq!(text(Some(""), ours, &theirs), expected, "{ours}");
        assert_eq!(text(None, ours, &theirs), expected, "{ours}");
    }
}

#[test]
fn a_heading_within_a_block_is_none() {
    let ours = format!("{}# Mine\nx\n", block("a", "# A\n"));
    let theirs = format!("{}{}", block("a", "# A\n"), block("t top", "T\n"));
    let expected = format!("{}# Mine\n\n{}\nx\n", block("a", "# A\n"), block("t top", "T\n"));
    assert_eq!(text(Some(&block("a", "# A\n")), &ours, &theirs), expected);
}

#[test]
fn a_block_goes_below_the_interpreters_line() {
    let path = RelPath::new("run.sh").unwrap();
    let theirs = b"# create-app:begin a top\nset -e\n# create-app:end a\n";
    let merged = merge(&path, Known::default(), None, b"#!/bin/sh\necho\n", theirs).unwrap().merge.clean().unwrap();
    let expected = "#!/bin/sh\n\n# create-app:begin a top\nset -e\n# create-app:end a\n\necho\n";
    assert_eq!(String::from_utf8(merged).unwrap(), expected);
}

#[test]
fn several_new_blocks_keep_the_templates_order() {
    let theirs = format!("{}{}", block("b", "B\n"), block("a", "A\n"));
    assert_eq!(text(Some(""), "x\n", &theirs), format!("x\n\n{}\n{}", block("b", "B\n"), block("a", "A\n")));
    assert_eq!(text(Some(""), "", &theirs), format!("{}\n{}", block("b", "B\n"), block("a", "A\n")));
}

#[test]
fn a_block_that_the_user_removed_stays_removed() {
    let [base, theirs] = ["1\n", "2\n"].map(|text| block("a", text));
    let result = merged(Some(&base), "mine\n", &theirs);
    assert_eq!((result.merge.clean().unwrap(), result.removed), (b"mine\n".to_vec(), vec!["a".to_owned()]));
    assert!(merged(Some(&base), "mine\n", &base).removed.is_empty());
}

#[test]
fn a_block_that_the_template_removed_goes_unless_it_was_edited() {
    let base = format!("x\n{}y\n", block("a", "1\n"));
    assert_eq!(text(Some(&base), &base, "x\n"), "x\ny\n");
    let ours = format!("x\n{}y\n", block("a", "mine\n"));
    let expected = format!("x\n<<<<<<< yours\n{}=======\n>>>>>>> template 2\ny\n", block("a", "mine\n"));
    assert_eq!(text(Some(&base), &ours, "x\n"), expected);
}

#[test]
fn a_block_of_the_users_own_stays() {
    let ours = format!("{}x\n", block("mine", "1\n"));
    assert_eq!(text(Some("x\n"), &ours, "y\n"), ours);
}

#[test]
fn a_block_that_both_added_is_merged_without_a_base() {
    let ours = block("a", "1\n2\n");
    assert_eq!(text(Some(""), &ours, &ours), ours);
    assert!(!merged(Some(""), &ours, &block("a", "3\n")).merge.is_clean());
}

#[test]
fn nothing_is_guessed() {
    let path = RelPath::new("a.md").unwrap();
    let broken = b"<!-- create-app:begin a -->\n".as_slice();
    for [base, ours, theirs] in [[broken, b"", b""], [b"", broken, b""], [b"", b"", broken]] {
        assert_eq!(merge(&path, Known::default(), Some(base), ours, theirs), Err(BlockProblem::Unbalanced { line: 1 }));
    }
}

#[test]
fn very_many_blocks_take_no_longer_each() {
    let blocks = |name: &str, text: &str| -> String {
        (0..20_000).map(|n| block(&name.replace('#', &n.to_string()), &format!("{text}{n}\n"))).collect()
    };
    let [base, ours, theirs] = ["x", "mine", "y"].map(|text| blocks("b#", text));
    let conflicts =
        |start: std::time::Instant, merged: &Merged| (merged.merge.conflicts(), start.elapsed().as_secs() < 10);
    let start = std::time::Instant::now();
    assert_eq!(conflicts(start, &merged(Some(&base), &ours, &theirs)), (20_000, true));
    // None of them has a heading: each line is held against the blocks.
    assert_eq!(conflicts(start, &merged(Some(""), &ours, &blocks("new# top", "y"))), (0, true));
    assert_eq!(merged(Some(&base), "", &theirs).removed.len(), 20_000);
}

proptest! {
    /// Whatever the template does to its blocks: what is outside the project's blocks stays, and in order.
    #[test]
    fn every_byte_outside_of_blocks_survives(
        outside in proptest::collection::vec("[a-z# \n]{0,8}", 3),
        texts in proptest::collection::vec("[xy]\n", 6),
        has in proptest::collection::vec(any::<bool>(), 6),
    ) {
        let side = |n: usize, outside: &[String]| {
            let part = |name, at: usize| if has[at] { block(name, &texts[at]) } else { String::new() };
            format!("{}\n{}{}\n{}{}\n", outside[0], part("a", n), outside[1], part("b top", n + 1), outside[2])
        };
        let nothing = vec![String::new(); 3];
        let (base, ours, theirs) = (side(0, &nothing), side(2, &outside), side(4, &nothing));
        let merged = merged(Some(&base), &ours, &theirs);
        let text = String::from_utf8(merged.merge.choose(Side::Ours)).unwrap();
        let mut rest = text.as_str();
        for line in outside.iter().flat_map(|part| part.lines()) {
            let at = rest.find(line);
            prop_assert!(at.is_some(), "{line:?} in {text:?}");
            rest = &rest[at.unwrap() + line.len()..];
        }
    }
}
