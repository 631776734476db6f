//! Hostile YAML.

use std::time::Instant;

use proptest::prelude::*;

use super::drawn;

/// Pieces of YAML, put together in any way.
const PIECES: &[&str] = &[
    "a: ", "b:", "- ", "? ", ": ", "[", "]", "{", "}", ", ", "&a ", "*a", "!t ", "!!str ", "| ", "|+", ">-", "|2",
    "\n", "\n  ", "\n    ", "\n", "'", "\"", "''", "\\", " # c", "#", "---", "...", "~", "é", "x", "1", "<<: ", "\t",
    "%", "--- ", "@", "\r\n",
];

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

/// A valid text with something odd in it.
fn odd_text() -> impl Strategy<Value = String> {
    let value = prop::sample::select(&[
        "1",
        "'a' # c",
        "\"b\\\"#\" # d",
        "[x, 'y']",
        "[\n    x, # c\n    y\n  ]",
        "{a: 1, b}",
        "|\n    l\n    m",
        "|+\n    l\n\n",
        ">-\n    f\n    g",
        "&n 1",
        "&n\n    k: 1",
        "*n",
        "!t v",
        "!t\n    k: 1",
        "",
        "# c\n    - é\n    - y: 1 # d\n      z: [q]",
        "\n  - a\n  # c\n  -\n    b: 1\n  - - c\n    - d",
        "\n    ? k\n    : v",
        "[a: 1, ? b]",
        "'multi\n    line'",
        "plain\n    text",
        "- ",
        "~",
        "<<",
        "|2\n      x",
        "&n |\n    t",
        "!!binary |\n    aGk=",
    ]);
    prop::collection::vec(("[a-e]", value), 1..5).prop_map(|pairs| {
        let mut seen = Vec::new();
        let lines = pairs.into_iter().filter(|(key, _)| {
            !seen.contains(key) && {
                seen.push(key.clone());
                true
            }
        });
        lines.map(|(key, value)| format!("{key}: {value}\n").replace(": \n  -", ":\n  -")).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_looks_like_yaml_breaks_a_merge([base, ours, theirs] in [any_text(), any_text(), any_text()]) {
        drawn("a.yml", &base, &ours, &theirs);
    }

    #[test]
    fn odd_yaml_merges_or_conflicts([base, ours, theirs] in [odd_text(), odd_text(), odd_text()]) {
        drawn("a.yml", &base, &ours, &theirs);
        let deeper = |text: &str| format!("r:\n{}", text.lines().map(|line| format!("  {line}\n")).collect::<String>());
        drawn("a.yml", &deeper(&base), &deeper(&ours), &deeper(&theirs));
    }
}

#[test]
fn deep_and_wide_files_take_no_more_than_their_size() {
    let deep = |value: &str| {
        let keys: String = (0..100).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
        format!("{keys}{:100}{value}", "")
    };
    let wide = |value: &str| (0..20_000).map(|at| format!("k{at}: {value}\n")).collect::<String>();
    let aliases = |value: &str| format!("a: &a {{x: {value}}}\nc: [*a, *a]\n");
    let start = Instant::now();
    for write in [&deep as &dyn Fn(&str) -> String, &wide, &aliases] {
        let ours = write("[x, o]").replace("    ", "     ");
        drawn("a.yml", &write("[x]"), &ours, &write("[x, t]"));
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// Each doubles the one before.
#[test]
fn aliases_that_multiply_are_not_read() {
    let bomb: String = (1..40).map(|at| format!("a{at}: &a{at} [*a{}, *a{}]\n", at - 1, at - 1)).collect();
    let bomb = format!("a0: &a0 x\n{bomb}");
    let merged = drawn("a.yml", &bomb, &bomb.replace("a0 x", "a0 o"), &bomb.replace("a0 x", "a0 t"));
    assert!(merged.contains("<<<<<<<"), "{}", merged.len());
}
