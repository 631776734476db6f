use super::{drawn, lines, text};
use crate::merge::draw::Style;

const MANIFEST: &str = "\
# The package.
[package]
name = \"shop\" # short
version = \"0.1.0\"

[dependencies]
serde = \"1.0\"

[[bin]]
name = \"shop\"
path = \"src/main.rs\"
";

#[test]
fn both_add_a_dependency_in_one_place() {
    let ours = MANIFEST.replace("\"1.0\"\n", "\"1.0\"\nmine = \"1\"\n");
    let theirs = MANIFEST.replace("\"1.0\"\n", "\"1.0\"\nclap = { version = \"4\" } # new\n");
    let both = MANIFEST.replace("\"1.0\"\n", "\"1.0\"\nmine = \"1\"\nclap = { version = \"4\" } # new\n");
    assert_eq!(drawn("Cargo.toml", MANIFEST, &ours, &theirs), both);
}

#[test]
fn a_bump_finds_its_key_in_a_reordered_file() {
    let ours = lines([
        "[dependencies]",
        "serde = '1.0' # ours",
        "",
        "# The package.",
        "[package]",
        "version = \"0.1.0\"",
        "name = \"shop\" # short",
        "",
        "[[bin]]",
        "path = \"src/main.rs\"",
        "name = \"shop\"",
    ]);
    let theirs = MANIFEST.replace("\"1.0\"", "\"1.1\"").replace("0.1.0", "0.2.0");
    assert_eq!(
        drawn("Cargo.toml", MANIFEST, &ours, &theirs),
        ours.replace("'1.0'", "\"1.1\"").replace("0.1.0", "0.2.0")
    );
}

#[test]
fn a_table_that_both_added_in_different_places_is_there_once() {
    let ours = MANIFEST.replace("[dependencies]\n", "[features]\nmine = []\n\n[dependencies]\n");
    let theirs = MANIFEST.to_owned() + "\n[features]\ndefault = []\n";
    let expected = ours.replace("mine = []\n", "mine = []\ndefault = []\n");
    assert_eq!(drawn("Cargo.toml", MANIFEST, &ours, &theirs), expected);
}

#[test]
fn a_disagreement_is_a_conflict_on_its_key_alone() {
    let ours = MANIFEST.replace("\"1.0\"\n", "\"1.5\"\nmine = \"1\"\n");
    let theirs = MANIFEST.replace("\"1.0\"\n", "\"1.6\"\nclap = \"4\"\n").replace("0.1.0", "0.2.0");
    let conflict =
        "<<<<<<< yours\nserde = \"1.5\"\n=======\nserde = \"1.6\"\n>>>>>>> template 2\nmine = \"1\"\nclap = \"4\"\n";
    let expected = MANIFEST.replace("serde = \"1.0\"\n", conflict).replace("0.1.0", "0.2.0");
    assert_eq!(drawn("Cargo.toml", MANIFEST, &ours, &theirs), expected);
}

#[test]
fn arrays_of_tables_merge_by_name() {
    let ours = MANIFEST.to_owned() + "\n[[bin]]\nname = \"mine\"\n";
    let theirs = MANIFEST.replace("src/main.rs", "src/bin.rs") + "\n[[bin]]\nname = \"tool\"\n";
    let expected =
        MANIFEST.replace("src/main.rs", "src/bin.rs") + "\n[[bin]]\nname = \"mine\"\n\n[[bin]]\nname = \"tool\"\n";
    assert_eq!(drawn("Cargo.toml", MANIFEST, &ours, &theirs), expected);
}

#[test]
fn comments_of_both_sides_are_kept() {
    let ours = MANIFEST.replace("serde =", "# Ours.\nserde =").replace("\"1.0\"", "\"1.0\" # pinned");
    let theirs = MANIFEST.replace("\"1.0\"", "\"1.1\"").replace("# The package.", "# This package.");
    let expected = ours.replace("\"1.0\"", "\"1.1\"").replace("# The package.", "# This package.");
    assert_eq!(drawn("Cargo.toml", MANIFEST, &ours, &theirs), expected);
}

#[test]
fn an_empty_file_and_one_of_comments_are_files_too() {
    let cases =
        [("", "a = 1\n", "b = 2\n", "a = 1\nb = 2\n"), ("# One.\n", "# One.\na = 1\n", "# Two.\n", "# Two.\na = 1\n")];
    for (base, ours, theirs, expected) in cases {
        assert_eq!(drawn("a.toml", base, ours, theirs), expected);
    }
}

#[test]
fn what_cannot_be_parsed_is_text() {
    let cases = [("a = 1\nb = 1\n", "a = 1\na = 2\nb = 1\n", "a = 1\nb = 2\n"), ("a = 1\n", "a = [\n", "a = 2\n")];
    for (base, ours, theirs) in cases {
        assert_eq!(drawn("a.toml", base, ours, theirs), drawn("a.txt", base, ours, theirs));
    }
}

#[test]
fn a_file_that_both_added_merges_by_key() {
    let merged = text("a.toml", None, "[a]\nmine = 1\n", "[a]\ntheirs = 1\n", Style::Merge);
    assert_eq!(merged, "[a]\nmine = 1\ntheirs = 1\n");
}

#[test]
fn inline_tables_and_arrays_merge_by_key() {
    let cases = [
        (
            "[d]\ns = { version = \"1\", features = [\"a\"] }\n",
            "[d]\ns = { version = \"1\", features = [\"a\", \"mine\"] }\n",
            "[d]\ns = { version = \"2\", features = [\"a\"] }\nt = \"1\"\n",
            "[d]\ns = { version = \"2\", features = [\"a\", \"mine\"] }\nt = \"1\"\n",
        ),
        (
            "package.keywords = [\n  \"b\", # B\n  \"a\",\n]\n",
            "package.keywords = [\n  \"b\", # B\n  \"a\",\n  \"mine\", # M\n]\n",
            "package.keywords = [\n  \"b\", # B\n  \"a\",\n  \"new\",\n]\n",
            "package.keywords = [\n  \"b\", # B\n  \"a\",\n  \"mine\", # M\n  \"new\",\n]\n",
        ),
    ];
    for (base, ours, theirs, expected) in cases {
        assert_eq!(drawn("Cargo.toml", base, ours, theirs), expected);
    }
}

#[test]
fn a_comment_that_goes_leaves_the_empty_line_below_it() {
    let base = "one = 1\ntwo = 2\n\n[last]\nx = 1\n";
    let ours = "one = 1\n# Do not raise this.\ntwo = 2\n\n[last]\nx = 1\n";
    let theirs = "two = 2\none = 1\n\n[last]\nx = 1\n";
    let both = "# Do not raise this.\ntwo = 2\none = 1\n\n[last]\nx = 1\n";
    assert_eq!(drawn("a.toml", base, ours, theirs), both);
}
