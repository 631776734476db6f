use super::{drawn, lines, text};
use crate::merge::draw::Style;
use crate::merge::structured::format::Dialect;
use crate::merge::structured::yaml::Aliases;

const CI: &str = "\
# Continuous integration.
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v3
      - uses: actions/setup-node@v3
        with:
          node-version: 20
      - run: npm ci
      - run: npm test
";

#[test]
fn a_step_between_two_bumped_actions_stays_between_them() {
    let ours =
        CI.replace("      - uses: actions/setup-node", "      - run: echo mine\n      - uses: actions/setup-node");
    let theirs = CI.replace("@v3", "@v4");
    assert_eq!(drawn("ci.yml", CI, &ours, &theirs), ours.replace("@v3", "@v4"));
}

#[test]
fn two_steps_in_one_place_are_a_conflict() {
    let ours = CI.replace("      - run: npm test\n", "      - run: npm test\n      - run: npm run mine\n");
    let theirs = CI.replace("      - run: npm test\n", "      - run: npm test\n      - run: npm run lint\n");
    let conflict = "<<<<<<< yours\n      - run: npm run mine\n=======\n      - run: npm run lint\n>>>>>>> template 2\n";
    assert_eq!(drawn("ci.yml", CI, &ours, &theirs), CI.to_owned() + conflict);
}

#[test]
fn one_place_in_question_leaves_the_others_merged() {
    let file = |path: &str, need: &str, step: &str| {
        format!(
            "on:\n  push:\n    paths:\n      - src/**\n{path}jobs:\n  a:\n    needs:\n      - x\n{need}    steps:\n      - run: a\n{step}"
        )
    };
    let base = file("", "", "");
    let ours = file("      - o/**\n", "      - o\n", "      - run: o\n");
    let theirs = file("      - t/**\n", "      - t\n", "      - run: t\n");
    let conflict = "<<<<<<< yours\n      - run: o\n=======\n      - run: t\n>>>>>>> template 2\n";
    let expected = file("      - o/**\n      - t/**\n", "      - o\n      - t\n", conflict);
    assert_eq!(drawn("ci.yml", &base, &ours, &theirs), expected);
}

#[test]
fn a_named_step_is_still_the_same_step() {
    let ours =
        CI.replace("      - uses: actions/checkout@v3\n", "      - name: Get\n        uses: actions/checkout@v3\n");
    let theirs = CI.replace("npm ci", "npm ci --no-audit").replace("setup-node@v3", "setup-node@v4");
    let merged = drawn("ci.yml", CI, &ours, &theirs);
    assert_eq!(merged, ours.replace("npm ci", "npm ci --no-audit").replace("setup-node@v3", "setup-node@v4"));
}

#[test]
fn a_disagreement_is_a_conflict_on_its_key_alone() {
    let ours = CI.replace("node-version: 20", "node-version: 18").replace("- run: npm ci", "- run: bun ci");
    let theirs = CI.replace("node-version: 20", "node-version: 22").replace("setup-node@v3", "setup-node@v4");
    let conflict =
        "<<<<<<< yours\n          node-version: 18\n=======\n          node-version: 22\n>>>>>>> template 2\n";
    let expected = CI
        .replace("          node-version: 20\n", conflict)
        .replace("- run: npm ci", "- run: bun ci")
        .replace("setup-node@v3", "setup-node@v4");
    assert_eq!(drawn("ci.yml", CI, &ours, &theirs), expected);
}

#[test]
fn comments_of_both_sides_are_kept() {
    let ours = CI.replace("on: push\n", "on: push # Ours.\n").replace("  test:\n", "  # The tests.\n  test:\n");
    let theirs = CI.replace("    runs-on:", "    # Linux only.\n    runs-on:");
    let merged = drawn("ci.yml", CI, &ours, &theirs);
    assert_eq!(merged, ours.replace("    runs-on:", "    # Linux only.\n    runs-on:"));
}

#[test]
fn a_key_added_in_two_places_is_never_there_twice() {
    let ours = CI.replace("on: push\n", "name: Mine\non: push\n");
    let theirs = CI.to_owned() + "name: CI\n";
    let merged = drawn("ci.yml", CI, &ours, &theirs);
    assert!(merged.contains("<<<<<<<") && merged.contains("name: Mine") && merged.contains("name: CI"), "{merged}");
}

#[test]
fn a_script_merges_as_text() {
    let base = lines(["script: |", "  set -e", "  one", "  two", "  three", "other: 1"]);
    let ours = base.replace("  set -e", "  set -eu");
    let theirs = base.replace("  three", "  THREE");
    assert_eq!(drawn("a.yaml", &base, &ours, &theirs), ours.replace("three", "THREE"));
    let merged = drawn("a.yaml", &base, &ours, &base.replace("  set -e", "  set -ex"));
    let conflict = "<<<<<<< yours\n  set -eu\n=======\n  set -ex\n>>>>>>> template 2\n";
    assert_eq!(merged, base.replace("  set -e\n", conflict));
}

#[test]
fn equal_steps_are_not_judged() {
    let base = CI.replace("      - run: npm ci\n", "      - uses: actions/cache@v3\n      - run: npm ci\n");
    let ours = base.replace("      - run: npm test\n", "      - run: npm test\n      - uses: actions/cache@v3\n");
    let theirs = base.replace("checkout@v3", "checkout@v4");
    assert_eq!(drawn("ci.yml", &base, &ours, &theirs), ours.replace("checkout@v3", "checkout@v4"));
}

#[test]
fn an_empty_file_and_one_of_comments_are_files_too() {
    let cases = [
        ("", "a: 1\n", "b: 2\n", "a: 1\nb: 2\n"),
        ("# One.\n", "# One.\na: 1\n", "# Two.\n", "# Two.\na: 1\n"),
        ("# One.\n", "# One.\n# Ours.\n", "# One.\nb: 2\n", "# One.\n# Ours.\nb: 2\n"),
    ];
    for (base, ours, theirs, expected) in cases {
        assert_eq!(drawn("a.yml", base, ours, theirs), expected);
    }
}

#[test]
fn what_cannot_be_parsed_is_text() {
    let cases = [
        ("a: 1\nb: 1\n", "a: 1\na: 2\nb: 1\n", "a: 1\nb: 2\n"),
        ("a: 1\n", "a: [\n", "a: 2\n"),
        ("a: 1\n---\nb: 1\n", "a: 2\n---\nb: 1\n", "a: 1\n---\nb: 2\n"),
    ];
    for (base, ours, theirs) in cases {
        assert_eq!(drawn("a.yml", base, ours, theirs), drawn("a.txt", base, ours, theirs));
    }
}

#[test]
fn a_file_that_both_added_merges_by_key() {
    let merged = text("a.yml", None, "a: 1\nmine: 1\n", "a: 1\ntheirs: 1\n", Style::Merge);
    assert_eq!(merged, "a: 1\nmine: 1\ntheirs: 1\n");
}

const UPLOADS: &str = "      - uses: actions/upload-artifact@v3\n        with:\n          name: x\n";

#[test]
fn equal_steps_that_all_versions_have_are_told_apart_by_their_order() {
    let base = CI.to_owned() + UPLOADS + UPLOADS.replace("name: x", "name: y").as_str();
    let ours = base.replace("      - run: npm ci\n", "      - run: bun ci\n").replace("name: y", "name: mine");
    let theirs = base.replace("@v3", "@v4");
    assert_eq!(drawn("ci.yml", &base, &ours, &theirs), ours.replace("@v3", "@v4"));
}

#[test]
fn a_step_that_the_user_dropped_and_the_template_bumped_is_a_conflict() {
    let base = CI.to_owned() + UPLOADS;
    let theirs = base.replace("@v3", "@v4");
    let bumped = UPLOADS.replace("@v3", "@v4");
    let expected = CI.replace("@v3", "@v4") + "<<<<<<< yours\n=======\n" + bumped.as_str() + ">>>>>>> template 2\n";
    assert_eq!(drawn("ci.yml", &base, CI, &theirs), expected);
}

/// The parser looks at each open bracket again at each token: this would take minutes.
#[test]
fn what_would_take_too_long_to_parse_is_not_parsed() {
    let parses = |text: &str| Dialect::Yaml(Aliases::Values).parse_with(text, true).is_some();
    assert!(parses(&format!("a: {}{}\n", "[".repeat(100), "]".repeat(100))));
    assert!(parses(&"- [a, b]\n".repeat(1_000)));
    assert!(!parses(&format!("a: {}{}\n", "[".repeat(100_000), "]".repeat(100_000))));
    assert!(!parses(&"{a: ".repeat(50_000)));
}

#[test]
fn quotes_around_what_some_readers_take_for_no_text_are_a_change() {
    for (plain, next) in [("0440", "0400"), ("2024-01-01", "2024-06-01"), ("yes", "no"), ("12:30", "13:30")] {
        let base = format!("x:\n  v: {plain}\nk: 1\n");
        let [ours, theirs] = [format!("'{plain}'"), next.to_owned()].map(|value| base.replace(plain, &value));
        let conflict = format!("x:\n<<<<<<< yours\n  v: '{plain}'\n=======\n  v: {next}\n>>>>>>> template 2\nk: 1\n");
        assert_eq!(drawn("a.yml", &base, &ours, &theirs), conflict);
        // What is new is written as it is.
        let deeper = base.replace("  v", "    v");
        assert_eq!(drawn("a.yml", &base, &deeper, &theirs), deeper.replace(plain, next));
        let quoted = base.replace(plain, &format!("\"{plain}\""));
        assert_eq!(drawn("a.yml", &base, &deeper, &quoted), deeper.replace(plain, &format!("\"{plain}\"")));
    }
    // A version of three numbers is a text to everybody.
    let base = "v: 1.2.3\nk: 1\n";
    assert_eq!(drawn("a.yml", base, "v: '1.2.3'\nk: 1\n", "v: 1.2.4\nk: 1\n"), "v: 1.2.4\nk: 1\n");
}

#[test]
fn a_list_of_texts_may_hold_what_some_readers_take_for_something_else() {
    let base = "x:\n  - a\n  - yes\n";
    let merged = drawn("a.yml", base, "x:\n  - mine\n  - a\n  - yes\n", "x: [a, yes, t]\n");
    assert_eq!(merged, "x: [mine, a, yes, t]\n");
}

#[test]
fn the_last_line_feed_of_a_literal_stays() {
    let base = "a: 1\nb: 2\n";
    let theirs = "a: 1\nb: 2\nc: |\n  x\n  y\n";
    assert_eq!(drawn("a.yml", base, "a: 1\nb: 2", theirs), theirs);
    assert_eq!(drawn("a.yml", base, "a: 0\nb: 2", theirs), theirs.replace("a: 1", "a: 0"));
    // One that the user's file lacks is not a part of the user's literal.
    let base = "a: 1\nb: 2\nc: 3\nd: |\n  x\n";
    let ours = base.trim_end();
    assert_eq!(drawn("a.yml", base, ours, &base.replace("a: 1", "a: 2")), ours.replace("a: 1", "a: 2"));
    let merged = drawn("a.yml", base, ours, &format!("{base}e: 1\n"));
    assert_eq!(merged, base.replace('|', "|-") + "e: 1\n");
    // The sides of a conflict have what they have.
    let (base, ours, theirs) = ("a: 1\nb: 2\n", "a: 1\nb: 3", "a: 1\nb: |\n  x\n");
    assert_eq!(text("a.yml", Some(base), ours, theirs, Style::Ours), ours);
    assert_eq!(text("a.yml", Some(base), ours, theirs, Style::Theirs), theirs);
}

#[test]
fn an_alias_is_never_replaced_by_what_it_stands_for() {
    let base = lines(["a:", "  x: 1", "b:", "  x: 2", "mid:", "  y: 1", "d:", "  x: 4"]);
    let ours = base.replace("a:", "a: &env").replace("d:\n  x: 4", "d: *env");
    let theirs = base.replace("b:", "b: &env").replace("y: 1", "y: *env");
    for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
        let merged = drawn("a.yml", &base, ours, theirs);
        assert!(merged.contains("<<<<<<<"), "{merged}");
    }
    // With another name, both are kept, in any layout.
    let theirs = theirs.replace("env", "other");
    let deeper = ours.replace("  ", "    ");
    let merged = deeper.replace("b:", "b: &other").replace("y: 1", "y: *other");
    assert_eq!(drawn("a.yml", &base, &deeper, &theirs), merged);
}

#[test]
fn an_alias_has_what_its_anchor_gets() {
    let base = lines(["a: &e", "  x: 1", "b:", "  y: 2", "c: *e"]);
    let theirs = base.replace("  x: 1\n", "  x: 1\n  w: 2\n");
    // The user's copy, or map with a merge key, is as it is.
    for own in ["c:\n  <<: *e\n  q: 1\n", "c:\n  x: 1\n"] {
        let ours = base.replace("c: *e\n", own);
        assert_eq!(drawn("a.yml", &base, &ours, &theirs), theirs.replace("c: *e\n", own));
    }
    let ours = base.replace("x: 1", "x: 5");
    let theirs = base.clone() + "d: [*e]\n";
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), ours + "d: [*e]\n");
    // An anchor that moves to another value is another one.
    let ours = base.replace("a: &e", "a:").replace("b:", "b: &e");
    assert!(drawn("a.yml", &base, &ours, &theirs).contains("<<<<<<<"));
}

#[test]
fn the_end_of_a_literal_is_merged_apart_from_its_lines() {
    let base = lines(["run: |", "  a", "  b", "  c"]);
    let [ours, theirs] = [base.replace('|', "|-"), base.replace("  c", "  d")];
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), ours.replace("  c", "  d"));
    let deeper = ours.replace("  ", "    ");
    assert_eq!(drawn("a.yml", &base, &deeper, &theirs), deeper.replace("  c", "  d"));
    let theirs = base.replace('|', "|+") + "\n";
    assert!(drawn("a.yml", &base, &ours, &theirs).contains("<<<<<<<"));
}

#[test]
fn a_folded_text_is_merged_by_its_paragraphs() {
    let base = lines(["s: >", "  a", "  b", "", "  c", "  d", "t: 1"]);
    let ours = base.replace("  b", "  B");
    let theirs = base.replace("  c", "  C");
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), ours.replace("  c", "  C"));
    // The lines of each paragraph stay as they are, also where the file is written in another way.
    let deeper = ours.replace("  ", "    ");
    assert_eq!(drawn("a.yml", &base, &deeper, &theirs), deeper.replace("  c", "  C"));
    let theirs = theirs.replace("  a", "  A");
    for layout in [&ours, &deeper] {
        assert_eq!(text("a.yml", Some(&base), layout, &theirs, Style::Ours), layout.replace("  c", "  C"));
    }
    assert_eq!(text("a.yml", Some(&base), &ours, &theirs, Style::Theirs), theirs);
}

#[test]
fn a_document_that_one_side_moved_is_known_by_its_name() {
    let web = "kind: Deployment\nmetadata:\n  name: web\nspec:\n  image: web:1\n  r: 1\n";
    let service = "kind: Service\nmetadata:\n  name: web\nspec:\n  port: 80\n";
    let base = format!("{web}---\n{service}");
    let ours = format!("{service}---\n{web}");
    let bumped = |text: &str| text.replace("web:1", "web:2");
    assert_eq!(drawn("k8s.yaml", &base, &ours, &bumped(&base)), bumped(&ours));
    assert_eq!(drawn("k8s.yaml", &base, &bumped(&base), &ours), bumped(&ours));
    let edited = ours.replace("r: 1", "r: '1' # mine");
    assert_eq!(drawn("k8s.yaml", &base, &edited, &bumped(&base)), bumped(&edited));
    // One that is new moves none of the others.
    let more = format!("kind: Namespace\nmetadata:\n  name: x\n---\n{base}");
    let edited = base.replace("r: 1", "r: 2");
    assert_eq!(drawn("k8s.yaml", &base, &edited, &more), more.replace("r: 1", "r: 2"));
    // A new name is not a move.
    let named = base.replacen("name: web", "name: site", 1);
    assert_eq!(drawn("k8s.yaml", &base, &named, &bumped(&base)), bumped(&named));
}
