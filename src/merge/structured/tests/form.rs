//! The form of a text, besides its values: order, layout, quotes.

use super::drawn;
use crate::merge::content;
use crate::merge::known::Known;
use crate::tree::RelPath;

/// Path, base, ours, theirs, and the merge.
type Case = [&'static str; 5];

#[test]
fn the_layout_of_one_side_arrives_in_the_other() {
    let cases: &[Case] = &[
        // The template re-indents; the user has a change, and the other way round.
        [
            "a.json",
            "{\n  \"a\": 1,\n  \"b\": 1\n}\n",
            "{\n  \"a\": 2,\n  \"b\": 1\n}\n",
            "{\n\t\"a\": 1,\n\t\"b\": 1\n}\n",
            "{\n\t\"a\": 2,\n\t\"b\": 1\n}\n",
        ],
        [
            "a.json",
            "{\n  \"a\": 1,\n  \"b\": 1\n}\n",
            "{\n\t\"a\": 1,\n\t\"b\": 1\n}\n",
            "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 1\n  }\n}\n",
            "{\n\t\"a\": 1,\n\t\"b\": {\n\t\t\"c\": 1\n\t}\n}\n",
        ],
        // A list that the template broke into lines, in a file that the user sorted.
        [
            "a.json",
            "{\n  \"b\": 1,\n  \"a\": [\"x\", \"y\"]\n}\n",
            "{\n  \"a\": [\"x\", \"y\"],\n  \"b\": 1\n}\n",
            "{\n  \"b\": 2,\n  \"a\": [\n    \"x\",\n    \"y\"\n  ]\n}\n",
            "{\n  \"a\": [\n    \"x\",\n    \"y\"\n  ],\n  \"b\": 2\n}\n",
        ],
        ["a.toml", "b = '1'\na = '1'\n", "a = '1'\nb = '1'\n", "b = \"1\"\na = '2'\n", "a = '2'\nb = \"1\"\n"],
        // New comments, in the user's order and indentation.
        [
            "a.jsonc",
            "{\n  \"b\": 1,\n  \"a\": 1\n}\n",
            "{\n    \"a\": 1,\n    \"b\": 1\n}\n",
            "{\n  // The b.\n  \"b\": 1, // one\n  \"a\": 1\n}\n",
            "{\n    \"a\": 1,\n    // The b.\n    \"b\": 1 // one\n}\n",
        ],
    ];
    for [path, base, ours, theirs, expected] in cases {
        assert_eq!(drawn(path, base, ours, theirs), *expected, "{ours} and {theirs}");
    }
}

#[test]
fn what_is_left_out_is_told() {
    let told = |path: &str, base: &str, ours: &str, theirs: &str| {
        let path = RelPath::new(path).unwrap();
        let merged = content::merge(&path, Known::default(), Some(base.as_bytes()), ours.as_bytes(), theirs.as_bytes());
        assert!(merged.merge.is_clean(), "{ours} and {theirs}");
        merged.is_form_kept
    };
    let base = "{\n  \"a\": 1,\n  \"b\": 1,\n  \"c\": 1\n}\n";
    let [ours, theirs] = ["    ", "\t"].map(|margin| base.replace("  ", margin));
    assert!(told("a.json", base, &ours, &theirs));
    let [ours, theirs] =
        ["{\n  \"b\": 1,\n  \"a\": 1,\n  \"c\": 1\n}\n", "{\n  \"a\": 1,\n  \"c\": 1,\n  \"b\": 2\n}\n"];
    assert!(told("a.json", base, ours, theirs));
    assert!(!told("a.json", base, &base.replace("1,", "2,"), &base.replace("\"a\": 1", "\"a\": 2")));
    assert!(!told("a.json", base, &base.replace("  ", "\t"), &base.replace("\"c\": 1", "\"c\": 2")));
}

#[test]
fn a_comment_below_the_last_entry_is_in_question_where_the_other_side_adds_one() {
    let cases: &[[&str; 4]] = &[
        ["a.toml", "[a]\nx = 1\n\n[b]\n", "[a]\nx = 1\n# x = 2 is slow\n\n[b]\n", "[a]\nx = 1\nz = 3\n\n[b]\n"],
        ["a.yml", "a:\n  x: 1\n\nb: 1\n", "a:\n  x: 1\n  # x: 2 is slow\n\nb: 1\n", "a:\n  x: 1\n  z: 3\n\nb: 1\n"],
        [
            "a.jsonc",
            "{\n  \"x\": 1\n}\n",
            "{\n  \"x\": 1\n  // \"x\": 2 is slow\n}\n",
            "{\n  \"x\": 1,\n  \"z\": 3\n}\n",
        ],
    ];
    for [path, base, ours, theirs] in cases {
        for (ours, theirs) in [(ours, theirs), (theirs, ours)] {
            let merged = drawn(path, base, ours, theirs);
            assert!(merged.contains("<<<<<<<"), "{merged}");
        }
    }
    // One that was there is not.
    let base = "{\n  \"x\": 1\n  // more?\n}\n";
    let [ours, theirs] = ["o", "t"].map(|key| base.replace("1\n", &format!("1,\n  \"{key}\": 1\n")));
    let expected = "{\n  \"x\": 1,\n  \"o\": 1,\n  \"t\": 1\n  // more?\n}\n";
    assert_eq!(drawn("a.jsonc", base, &ours, &theirs), expected);
}

#[test]
fn an_inline_table_is_closed_as_it_was() {
    let base = "a = { version = \"1\", features = [\"x\"] }\n";
    let ours = base.replace("\"x\"", "\"x\", \"o\"");
    let theirs = base.replace("[\"x\"] }", "[\"x\", \"t\"], optional = true }");
    let merged = drawn("Cargo.toml", base, &ours, &theirs);
    assert_eq!(merged, "a = { version = \"1\", features = [\"x\", \"o\", \"t\"], optional = true }\n");
}

#[test]
fn there_is_a_trailing_comma_only_where_a_version_has_some() {
    let list = |items: &str| format!("{{\n  \"list\": [\n{items}  ]\n}}\n");
    let base = list("    \"a\",\n    \"b\",\n    \"c\"\n");
    let ours = list("    \"a\",\n    \"b\", // mine\n    \"c\"\n");
    let theirs = list("    \"c\",\n    \"a\",\n    \"b\"\n");
    let merged = drawn("a.jsonc", &base, &ours, &theirs);
    assert_eq!(merged, list("    \"c\",\n    \"a\",\n    \"b\" // mine\n"));
}

#[test]
fn a_layout_that_only_the_template_changed_arrives_or_is_told() {
    let told = |path: &str, base: &str, ours: &str, theirs: &str| {
        let path = RelPath::new(path).unwrap();
        let merged = content::merge(&path, Known::default(), Some(base.as_bytes()), ours.as_bytes(), theirs.as_bytes());
        assert!(merged.merge.is_clean(), "{ours} and {theirs}");
        (String::from_utf8(merged.merge.clean().unwrap()).unwrap(), merged.is_form_kept)
    };
    let left_out: &[[&str; 5]] = &[
        // An inline table becomes a section, while the user edits it.
        [
            "Cargo.toml",
            "[d]\nx = { a = 1, b = 1 }\ny = 1\n",
            "[d]\nx = { a = 1, b = 2 }\ny = 1\n",
            "[d]\ny = 1\n\n[d.x]\na = 1\nb = 1\n",
            "x = { a = 1, b = 2 }",
        ],
        // Another quote of a key or value, and other spaces, on a line that the user changed.
        ["a.toml", "K = 1\nL = 1\n", "K = 2\nL = 1\n", "\"K\" = 1\nL = 1\n", "K = 2"],
        ["a.toml", "K = \"a\"\nL = 1\n", "K = \"b\"\nL = 1\n", "K = 'a'\nL = 1\n", "K = \"b\""],
        ["a.toml", "K=1\nL = 1\n", "K=2\nL = 1\n", "K = 1\nL = 1\n", "K=2"],
        [
            "a.json",
            "{\n  \"k\":1,\n  \"l\": 1\n}\n",
            "{\n  \"k\":2,\n  \"l\": 1\n}\n",
            "{\n  \"k\": 1,\n  \"l\": 1\n}\n",
            "\"k\":2",
        ],
        ["a.yml", "k: a\nl: 1\n", "k: b\nl: 1\n", "k: 'a'\nl: 1\n", "k: b"],
    ];
    for [path, base, ours, theirs, expected] in left_out {
        let (merged, is_told) = told(path, base, ours, theirs);
        assert!(merged.contains(expected) && is_told, "{is_told} {ours} and {theirs}:\n{merged}");
    }
    // What arrives is not reported, nor what the template did not do.
    let arrives: &[[&str; 4]] = &[
        // Dashes that only the template re-indents, in a list that the user adds to.
        ["a.yml", "k:\n- a\n- b\nl: 1\n", "k:\n- a\n- b\n- c\nl: 1\n", "k:\n  - a\n  - b\nl: 1\n"],
        ["a.toml", "K=1\nL = 1\n", "K=1\nL = 2\n", "K = 1\nL = 1\n"],
        ["a.toml", "b=1\na = 1\n", "a = 1\nb=1\n", "b = 1\na = 2\n"],
        [
            "a.json",
            "{\n  \"b\": 1,\n  \"a\": [\"x\"]\n}\n",
            "{\n  \"a\": [\"x\"],\n  \"b\": 1\n}\n",
            "{\n  \"b\": 2,\n  \"a\": [\n    \"x\"\n  ]\n}\n",
        ],
        [
            "a.json",
            "{\n  \"a\": 1\n}\n",
            "{\n    \"a\": 1\n}\n",
            "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [1]\n  }\n}\n",
        ],
        ["a.yml", "k: [a, b]\nl: 1\n", "k: [a, b, c]\nl: 1\n", "k: [z, a, b]\nl: 1\n"],
        ["a.yml", "k:\n  - a\n", "k:\n- a\n", "k:\n  - a\n  - b\n"],
    ];
    for [path, base, ours, theirs] in arrives {
        let (merged, is_told) = told(path, base, ours, theirs);
        assert!(!is_told, "{ours} and {theirs}:\n{merged}");
    }
}
