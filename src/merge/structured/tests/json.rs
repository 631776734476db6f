use super::{drawn, lines, text};
use crate::merge::draw::Style;

const PACKAGE: &str = r#"{
  "name": "shop",
  "scripts": {
    "build": "tsc"
  },
  "dependencies": {
    "hono": "4.0.0"
  }
}
"#;

fn replaced(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// Our changes of the package, the template's, and the changes of both.
#[test]
fn a_package_merges_by_key() {
    let cases: &[[&[(&str, &str)]; 3]] = &[
        // Both add a dependency in one place.
        [
            &[("\"4.0.0\"", "\"4.0.0\",\n    \"mine\": \"1.0.0\"")],
            &[("\"4.0.0\"", "\"4.0.0\",\n    \"zod\": \"3.0.0\"")],
            &[("\"4.0.0\"", "\"4.0.0\",\n    \"mine\": \"1.0.0\",\n    \"zod\": \"3.0.0\"")],
        ],
        // One adds what is beside the other's bump.
        [
            &[("\"4.0.0\"", "\"4.0.0\",\n    \"mine\": \"1.0.0\"")],
            &[("\"4.0.0\"", "\"4.1.0\"")],
            &[("\"4.0.0\"", "\"4.1.0\",\n    \"mine\": \"1.0.0\"")],
        ],
        // Both add the same, and something else.
        [
            &[("\"tsc\"", "\"tsc\",\n    \"lint\": \"l\",\n    \"mine\": \"m\"")],
            &[("\"tsc\"", "\"tsc\",\n    \"lint\": \"l\",\n    \"test\": \"t\"")],
            &[("\"tsc\"", "\"tsc\",\n    \"lint\": \"l\",\n    \"mine\": \"m\",\n    \"test\": \"t\"")],
        ],
        // Neighbouring keys.
        [
            &[("\"shop\"", "\"store\"")],
            &[("\"scripts\": {", "\"type\": \"module\",\n  \"scripts\": {")],
            &[("\"shop\"", "\"store\""), ("\"scripts\": {", "\"type\": \"module\",\n  \"scripts\": {")],
        ],
        // The template drops what is beside our addition.
        [
            &[("\"4.0.0\"", "\"4.0.0\",\n    \"mine\": \"1.0.0\"")],
            &[("\n    \"hono\": \"4.0.0\"\n  ", "")],
            &[("    \"hono\": \"4.0.0\"", "    \"mine\": \"1.0.0\"")],
        ],
    ];
    for [ours, theirs, both] in cases {
        let [ours, theirs, both] = [ours, theirs, both].map(|changes| replaced(PACKAGE, changes));
        assert_eq!(drawn("package.json", PACKAGE, &ours, &theirs), both);
    }
}

#[test]
fn our_order_and_formatting_stay() {
    let ours = "{\n\t\"dependencies\": { \"hono\": \"4.0.0\" },\n\t\"scripts\": {\n\t\t\"build\": \"tsc\"\n\t},\n\t\"name\": \"shop\"\n}\n";
    let theirs = replaced(PACKAGE, &[("4.0.0", "4.1.0"), ("\"tsc\"", "\"tsc\",\n    \"test\": \"vitest\"")]);
    let expected = "{\n\t\"dependencies\": { \"hono\": \"4.1.0\" },\n\t\"scripts\": {\n\t\t\"build\": \"tsc\",\n\t\t\"test\": \"vitest\"\n\t},\n\t\"name\": \"shop\"\n}\n";
    assert_eq!(drawn("package.json", PACKAGE, ours, &theirs), expected);
}

#[test]
fn any_indentation_is_kept() {
    for indent in ["\t", "    ", "   "] {
        let ours = PACKAGE.replace("  ", indent).replace("shop", "store");
        let theirs = replaced(PACKAGE, &[("\"4.0.0\"", "\"4.0.0\",\n    \"zod\": \"3.0.0\"")]);
        let expected = theirs.replace("  ", indent).replace("shop", "store");
        assert_eq!(drawn("package.json", PACKAGE, &ours, &theirs), expected);
    }
}

#[test]
fn a_disagreement_is_a_conflict_on_its_key_alone() {
    let ours = replaced(PACKAGE, &[("4.0.0\"", "4.0.5\",\n    \"mine\": \"1.0.0\"")]);
    let theirs = replaced(PACKAGE, &[("4.0.0\"", "4.1.0\",\n    \"zod\": \"3.0.0\""), ("tsc", "tsc -b")]);
    let expected = replaced(
        PACKAGE,
        &[
            ("tsc", "tsc -b"),
            (
                "    \"hono\": \"4.0.0\"\n",
                "<<<<<<< yours\n    \"hono\": \"4.0.5\",\n=======\n    \"hono\": \"4.1.0\",\n>>>>>>> template 2\n    \"mine\": \"1.0.0\",\n    \"zod\": \"3.0.0\"\n",
            ),
        ],
    );
    assert_eq!(drawn("package.json", PACKAGE, &ours, &theirs), expected);
    let base = text("package.json", Some(PACKAGE), &ours, &theirs, Style::Diff3);
    assert!(base.contains("||||||| base\n    \"hono\": \"4.0.0\""), "{base}");
}

#[test]
fn a_disagreement_in_a_reordered_file_is_a_conflict_on_its_key_alone() {
    let ours = "{\n  \"dependencies\": {\n    \"hono\": \"5.0.0\"\n  },\n  \"scripts\": {\n    \"build\": \"tsc\"\n  },\n  \"name\": \"shop\"\n}\n";
    let theirs = replaced(PACKAGE, &[("4.0.0", "4.1.0"), ("tsc", "tsc -b")]);
    let expected = replaced(
        ours,
        &[
            ("tsc", "tsc -b"),
            (
                "    \"hono\": \"5.0.0\"\n",
                "<<<<<<< yours\n    \"hono\": \"5.0.0\"\n=======\n    \"hono\": \"4.1.0\"\n>>>>>>> template 2\n",
            ),
        ],
    );
    assert_eq!(drawn("package.json", PACKAGE, ours, &theirs), expected);
}

#[test]
fn a_key_that_one_side_dropped_and_the_other_changed_is_a_conflict() {
    let ours = replaced(PACKAGE, &[("\n    \"build\": \"tsc\"\n  ", "")]);
    let theirs = replaced(PACKAGE, &[("tsc", "tsc -b")]);
    let merged = drawn("package.json", PACKAGE, &ours, &theirs);
    assert_eq!(merged.matches("<<<<<<<").count(), 1, "{merged}");
    assert!(merged.contains("tsc -b") && merged.contains("\"hono\": \"4.0.0\""), "{merged}");
}

#[test]
fn the_same_key_added_in_two_places_is_there_once() {
    let ours = replaced(PACKAGE, &[("  \"name\"", "  \"type\": \"module\",\n  \"name\"")]);
    let theirs = replaced(PACKAGE, &[("\"4.0.0\"\n  }\n", "\"4.0.0\"\n  },\n  \"type\": \"module\"\n")]);
    assert_eq!(drawn("package.json", PACKAGE, &ours, &theirs), ours);
}

const TSCONFIG: &str = "{\n  // How we compile.\n  \"compilerOptions\": {\n    \"strict\": true, /* always */\n    \"lib\": [\"es2022\"],\n  },\n  \"include\": [\n    \"src\",\n    \"tests\",\n  ],\n}\n";

#[test]
fn comments_and_trailing_commas_of_jsonc_stay() {
    let ours = replaced(
        TSCONFIG,
        &[
            ("\"strict\": true", "\"strict\": false"),
            ("    \"tests\",", "    // Ours.\n    \"tests\",\n    \"bench\","),
        ],
    );
    let theirs = replaced(
        TSCONFIG,
        &[
            ("[\"es2022\"],", "[\"es2023\"],\n    \"noEmit\": true, // New."),
            ("\"tests\",", "\"tests\",\n    \"e2e\","),
        ],
    );
    let expected = replaced(
        &ours,
        &[
            ("[\"es2022\"],", "[\"es2023\"],\n    \"noEmit\": true, // New."),
            ("\"bench\",", "\"bench\",\n    \"e2e\","),
        ],
    );
    assert_eq!(drawn("tsconfig.json", TSCONFIG, &ours, &theirs), expected);
}

#[test]
fn a_comment_that_the_template_changed_changes() {
    let ours = replaced(TSCONFIG, &[("[\"es2022\"]", "[\"es2023\"]")]);
    let theirs = replaced(TSCONFIG, &[("// How we compile.", "// How to compile.")]);
    let expected = replaced(&ours, &[("// How we compile.", "// How to compile.")]);
    assert_eq!(drawn("tsconfig.json", TSCONFIG, &ours, &theirs), expected);
}

#[test]
fn lists_merge_by_the_identity_of_their_elements() {
    let cases = [
        ("abc", "abcd", "0abc", "0abcd"),
        ("abc", "ac", "abcd", "acd"),
        // Moved: what the other side added goes where only one place is left.
        ("abc", "cba", "abcd", "cbad"),
    ];
    for [base, ours, theirs, expected] in cases.map(<[&str; 4]>::from) {
        let list = |text: &str| {
            format!("{{\"list\": [{}]}}\n", text.chars().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(", "))
        };
        let [base, ours, theirs, expected] = [base, ours, theirs, expected].map(list);
        assert_eq!(drawn("a.json", &base, &ours, &theirs), expected);
    }
    let cases = [(
        "[{\"id\": 1, \"a\": 1}, {\"id\": 2, \"a\": 1}]",
        "[{\"id\": 2, \"a\": 1}, {\"id\": 1, \"a\": 1}]",
        "[{\"id\": 1, \"a\": 2}, {\"id\": 2, \"a\": 1}]",
        "[{\"id\": 2, \"a\": 1}, {\"id\": 1, \"a\": 2}]",
    )];
    for (base, ours, theirs, expected) in cases {
        let [base, ours, theirs, expected] =
            [base, ours, theirs, expected].map(|list| format!("{{\"list\": {list}}}\n"));
        assert_eq!(drawn("a.json", &base, &ours, &theirs), expected);
    }
}

#[test]
fn two_insertions_in_one_place_of_an_ordered_list_are_a_conflict() {
    for (ours, theirs) in
        [("[\"a\", \"o\", \"b\"]", "[\"a\", \"t\", \"b\"]"), ("[\"b\", \"a\"]", "[\"a\", \"t\", \"b\"]")]
    {
        let [base, ours, theirs] = ["[\"a\", \"b\"]", ours, theirs].map(|list| format!("{{\n  \"list\": {list}\n}}\n"));
        let merged = drawn("a.json", &base, &ours, &theirs);
        assert!(merged.contains("<<<<<<<"), "{merged}");
    }
}

#[test]
fn both_sides_of_a_set_are_kept_sorted_where_it_was_sorted() {
    let cases = [
        (
            "[\"dist\", \"src\"]",
            "[\"dist\", \"mine\", \"src\"]",
            "[\"dist\", \"lib\", \"src\"]",
            "[\"dist\", \"lib\", \"mine\", \"src\"]",
        ),
        (
            "[\"src\", \"dist\"]",
            "[\"src\", \"mine\", \"dist\"]",
            "[\"src\", \"lib\", \"dist\"]",
            "[\"src\", \"mine\", \"lib\", \"dist\"]",
        ),
    ];
    for case in cases.map(<[&str; 4]>::from) {
        let [base, ours, theirs, expected] = case.map(|list| format!("{{\n  \"files\": {list}\n}}\n"));
        assert_eq!(drawn("package.json", &base, &ours, &theirs), expected);
        let lines = |text: &str| text.replace('[', "[\n    ").replace(", ", ",\n    ").replace(']', "\n  ]");
        let [base, ours, theirs, expected] = [base, ours, theirs, expected].map(|text| lines(&text));
        assert_eq!(drawn("package.json", &base, &ours, &theirs), expected);
    }
}

#[test]
fn a_list_of_numbers_is_one_value() {
    let file = |list: &str| format!("{{\n  \"range\": [\n{list}  ]\n}}\n");
    let [base, ours, theirs] =
        ["    1,\n    2,\n    3\n", "    0,\n    2,\n    3\n", "    1,\n    2,\n    4\n"].map(file);
    assert!(drawn("a.json", &base, &ours, &theirs).contains("<<<<<<<"));
    assert_eq!(drawn("a.json", &base, &ours, &base), ours);
}

#[test]
fn an_element_that_both_replaced_is_a_conflict() {
    for (ours, theirs) in [("[\"es2021\"]", "[\"es2022\"]"), ("[]", "[\"es2022\"]"), ("[\"es2021\", \"dom\"]", "[]")] {
        let [base, ours, theirs] = ["[\"es2020\"]", ours, theirs].map(|list| format!("{{\n  \"lib\": {list}\n}}\n"));
        let merged = drawn("a.json", &base, &ours, &theirs);
        assert!(merged.contains("<<<<<<<"), "{merged}");
    }
}

#[test]
fn equal_elements_are_not_judged() {
    let list = |lines: &str| format!("{{\n  \"args\": [\n{lines}  ]\n}}\n");
    let base = list("    \"-x\",\n    \"a\",\n    \"b\",\n    \"c\"\n");
    let ours = list("    \"-x\",\n    \"a\",\n    \"-x\",\n    \"b\",\n    \"c\"\n");
    let theirs = list("    \"-x\",\n    \"a\",\n    \"b\",\n    \"C\"\n");
    let expected = list("    \"-x\",\n    \"a\",\n    \"-x\",\n    \"b\",\n    \"C\"\n");
    assert_eq!(drawn("a.json", &base, &ours, &theirs), expected);
    let theirs = list("    \"-x\",\n    \"a\",\n    \"-y\",\n    \"b\",\n    \"c\"\n");
    assert!(drawn("a.json", &base, &ours, &theirs).contains("<<<<<<<"));
}

#[test]
fn a_file_that_both_added_merges_by_key() {
    let ours = lines(["{", "  \"name\": \"mine\",", "  \"a\": 1", "}"]);
    let theirs = lines(["{", "  \"name\": \"mine\",", "  \"b\": 2", "}"]);
    let merged = text("a.json", None, &ours, &theirs, Style::Merge);
    assert_eq!(merged, lines(["{", "  \"name\": \"mine\",", "  \"a\": 1,", "  \"b\": 2", "}"]));
    let merged = text("a.json", None, &ours, &theirs.replace("mine", "new"), Style::Ours);
    assert_eq!(merged, lines(["{", "  \"name\": \"mine\",", "  \"a\": 1,", "  \"b\": 2", "}"]));
}

#[test]
fn what_cannot_be_parsed_is_text() {
    let cases = [
        // A key that is there twice.
        (
            "{\n\"a\": 1,\n\"b\": 1\n}\n",
            "{\n\"a\": 2,\n\"a\": 1,\n\"b\": 1\n}\n",
            "{\n\"a\": 1,\n\"b\": 1,\n\"c\": 1\n}\n",
        ),
        // Broken by the user.
        ("{\n\"a\": 1\n}\n", "{\n\"a\": 1\n", "{\n\"a\": 2\n}\n"),
        ("", "{\n\"a\": 1\n}\n", "{\n"),
    ];
    for (base, ours, theirs) in cases {
        assert_eq!(drawn("a.json", base, ours, theirs), drawn("a.txt", base, ours, theirs));
    }
}

#[test]
fn line_endings_and_the_final_newline_are_ours() {
    let ours = PACKAGE.trim_end().replace('\n', "\r\n").replace("shop", "store");
    let theirs = replaced(PACKAGE, &[("4.0.0\"", "4.0.0\",\n    \"zod\": \"3.0.0\"")]);
    let expected = theirs.trim_end().replace('\n', "\r\n").replace("shop", "store");
    assert_eq!(drawn("package.json", PACKAGE, &ours, &theirs), expected);
}

#[test]
fn a_map_on_one_line_on_all_sides_stays_on_one_line() {
    let base = "{\n  \"a\": [\n    { \"id\": \"1\", \"k\": 1 }, // first\n    { \"id\": \"2\" }\n  ]\n}\n";
    let ours = base.replace("\"k\": 1", "\"k\": 2");
    let theirs = base.replace("\"k\": 1", "\"k\": 1, \"new\": [1]");
    assert_eq!(drawn("wrangler.jsonc", base, &ours, &theirs), base.replace("\"k\": 1", "\"k\": 2, \"new\": [1]"));
    assert_eq!(drawn("wrangler.jsonc", base, &theirs, &ours), base.replace("\"k\": 1", "\"k\": 2, \"new\": [1]"));
}
