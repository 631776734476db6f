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

const ARRAY: &str = "\
[project]
dependencies = [
    # Web.
    \"fastapi>=0.100\",
    \"httpx\",  # client
    # Data.
    \"pydantic>=2\",
]
";

/// An edit of a text: what is replaced, by what.
type Edit<'e> = (&'e str, &'e str);

const DATA: &str = "    # Data.\n    \"pydantic>=2\",\n";
const WEB: &str = "    # Web.\n    \"fastapi>=0.100\",\n";
const CLIENT: &str = "    \"httpx\",  # client\n";

fn put(text: &str, edits: &[Edit<'_>]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} in {text}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn an_element_of_an_array_moves_with_its_comments() {
    let head = "dependencies = [\n";
    let cases: [(&[Edit<'_>], &[Edit<'_>]); 7] = [
        // One side moves it, and the other edits it or a comment of it.
        (&[(DATA, ""), (head, &format!("{head}{DATA}"))], &[("pydantic>=2", "pydantic>=2.5")]),
        (&[(CLIENT, ""), (head, &format!("{head}{CLIENT}"))], &[("# client", "# http")]),
        (&[(WEB, ""), (DATA, &format!("{DATA}{WEB}"))], &[("# Web.", "# The web.")]),
        (&[(CLIENT, ""), (DATA, &format!("{DATA}{CLIENT}"))], &[("# client", "# http"), ("# Data.", "# Models.")]),
        // One side indents the array in another way.
        (
            &[
                ("    \"pydantic", "  \"pydantic"),
                ("    # Data", "  # Data"),
                ("    \"httpx", "  \"httpx"),
                ("    # Web", "  # Web"),
                ("    \"fastapi", "  \"fastapi"),
            ],
            &[("\"httpx\"", "\"httpx>=0.27\""), ("# client", "# http")],
        ),
        // One side takes the comments away.
        (
            &[("    # Web.\n", ""), ("  # client", "")],
            &[("fastapi>=0.100", "fastapi>=0.110"), ("pydantic>=2", "pydantic>=2.5")],
        ),
        (
            &[(CLIENT, ""), ("    # Data", "    # A data")],
            &[("pydantic>=2", "pydantic>=2.5"), ("fastapi>=0.100", "fastapi>=0.110")],
        ),
    ];
    for (one, other) in cases {
        let [ours, theirs] = [one, other].map(|edits| put(ARRAY, edits));
        let both = put(&ours, other);
        assert_eq!(drawn("pyproject.toml", ARRAY, &ours, &theirs), both);
        assert_eq!(drawn("pyproject.toml", ARRAY, &theirs, &ours), both);
    }
}

#[test]
fn a_new_element_of_an_array_is_indented_as_the_others() {
    let ours = ARRAY.replace("    ", "  ");
    let theirs = put(ARRAY, &[("2\",\n]", "2\",\n    # New.\n    \"new\",  # new\n]")]);
    assert_eq!(drawn("pyproject.toml", ARRAY, &ours, &theirs), theirs.replace("    ", "  "));
    assert_eq!(drawn("pyproject.toml", ARRAY, &theirs, &ours), theirs.replace("    ", "  "));
}

#[test]
fn a_removed_element_of_an_array_with_an_edited_comment_is_a_conflict_with_both_sides() {
    for (gone, edit) in [(DATA, ("# Data.", "# Models.")), (CLIENT, ("# client", "# http"))] {
        let [ours, theirs] = [(gone, ""), edit].map(|edit| put(ARRAY, &[edit]));
        for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
            assert!(drawn("pyproject.toml", ARRAY, ours, theirs).contains("<<<<<<<"));
            assert_eq!(&text("pyproject.toml", Some(ARRAY), ours, theirs, Style::Ours), ours);
            assert_eq!(&text("pyproject.toml", Some(ARRAY), ours, theirs, Style::Theirs), theirs);
        }
    }
}

#[test]
fn a_table_below_a_renamed_one_has_the_new_name() {
    let base = "[env.staging]\nname = \"a\"\nroute = \"b\"\n\n[env.prod]\nname = \"c\"\n";
    let vars = "route = \"b\"\n\n[env.staging.vars]\nX = \"1\"\n";
    let renamed = base.replace("[env.staging]", "[env.preview]");
    let added = base.replace("route = \"b\"\n", vars);
    let both = added.replace("env.staging", "env.preview");
    assert_eq!(drawn("wrangler.toml", base, &renamed, &added), both);
    assert_eq!(drawn("wrangler.toml", base, &added, &renamed), both);
    // With another edit of each.
    let ours = renamed.replace("\"c\"", "\"mine\"");
    let theirs = added.replace("route = \"b\"", "route = \"d\"");
    let both = both.replace("\"c\"", "\"mine\"").replace("route = \"b\"", "route = \"d\"");
    assert_eq!(drawn("wrangler.toml", base, &ours, &theirs), both);
    assert_eq!(drawn("wrangler.toml", base, &theirs, &ours), both);
}

#[test]
fn tables_of_both_sides_in_one_place_have_an_empty_line_between_them() {
    let [mine, new] = ["\n[mine]\na = 1\n", "\n[new]\nb = 1\n"];
    let base = "[one]\nx = 1\n";
    assert_eq!(drawn("a.toml", base, &format!("{base}{mine}"), &format!("{base}{new}")), format!("{base}{mine}{new}"));
    // The same comment above both, and a table that goes from between two.
    let [ours, theirs] = [mine, new].map(|table| format!("{base}\n# Added.{table}"));
    assert_eq!(drawn("a.toml", base, &ours, &theirs), format!("{ours}\n# Added.{new}"));
    let staging = "[a]\nx = 1\n\n[b.vars]\ny = 1\n\n[b.limits]\nz = 1\n\n[c]\nw = 1\n";
    let [ours, theirs] = [staging.replace("[b.", "[d."), staging.replace("[b.limits]\nz = 1\n\n", "")];
    assert_eq!(drawn("a.toml", staging, &ours, &theirs), theirs.replace("[b.", "[d."));
    let last = "\n[last]\ny = 1\n";
    let [ours, theirs] = [mine, new].map(|table| format!("{base}{table}{last}"));
    assert_eq!(drawn("a.toml", &format!("{base}{last}"), &ours, &theirs), format!("{base}{mine}{new}{last}"));
}

#[test]
fn a_value_that_becomes_a_table_has_a_header_without_its_white_space() {
    let [ours, theirs] = ["a = 1\nb = 3\nc = 4\n", "b = 2\n\n[a]\nx = 1\n"];
    let both = "b = 3\nc = 4\n\n[a]\nx = 1\n";
    assert_eq!(drawn("a.toml", "a = 1\nb = 2\n", ours, theirs), both);
    assert_eq!(drawn("a.toml", "a = 1\nb = 2\n", theirs, ours), both);
}

#[test]
fn an_edited_last_element_is_not_a_new_one_to_the_comment_below_it() {
    let base = "[project]\ndependencies = [\n  \"a\",\n  # end\n]\n";
    let [ours, theirs] = [base.replace("\"a\"", "\"a>=1\""), base.replace("# end", "# the end")];
    let both = ours.replace("# end", "# the end");
    assert_eq!(drawn("pyproject.toml", base, &ours, &theirs), both);
    assert_eq!(drawn("pyproject.toml", base, &theirs, &ours), both);
}
