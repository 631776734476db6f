//! Cases that only the editor can merge: YAML that one side writes in another style.

use super::{drawn, lines};

const CI: &str = "\
# Continuous integration.
name: CI
on:
  push:
    branches: [main]
  pull_request:

env:
  NODE: '20'

jobs:
  # The tests.
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v3
      - name: Node
        uses: actions/setup-node@v3
        with:
          node-version: 20 # LTS
      - run: |
          npm ci
          npm test

  lint:
    runs-on: ubuntu-latest
    steps:
      - run: npm run lint
";

/// What a formatter with four spaces and double quotes makes of it.
fn reformatted(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let margin = line.len() - line.trim_start().len();
        format!("{}{}\n", " ".repeat(margin), line.trim_start()).replace('\'', "\"")
    });
    lines.collect()
}

#[test]
fn both_add_to_a_list_in_brackets() {
    let ours = CI.replace("[main]", "[main, dev]");
    let theirs = CI.replace("[main]", "[main, release]");
    assert_eq!(drawn(".github/workflows/ci.yml", CI, &ours, &theirs), CI.replace("[main]", "[main, dev, release]"));
}

#[test]
fn brackets_on_one_side_and_dashes_on_the_other_are_one_list() {
    let ours = CI.replace("    branches: [main]\n", "    branches:\n      - main\n      - dev\n");
    let theirs = CI.replace("[main]", "[main, 'release/*']");
    let merged = ours.replace("      - dev\n", "      - dev\n      - 'release/*'\n");
    assert_eq!(drawn("ci.yml", CI, &ours, &theirs), merged);
    let merged = CI.replace("[main]", "[main, dev, \"a,b\"]");
    let theirs = ours.replace("dev", "\"a,b\"");
    assert_eq!(drawn("ci.yml", CI, &CI.replace("[main]", "[main, dev]"), &theirs), merged);
}

#[test]
fn what_comes_is_indented_as_the_users_file_is() {
    let base = lines(["a:", "  b:", "    - x: 1", "      y: 2", "  c: 1"]);
    let ours = lines(["a:", "    b:", "    -   x: 1", "        y: 3", "    c: 1"]);
    let theirs =
        base.replace("  c: 1\n", "  c: 2\n  d:\n    - e:\n        f: |\n          one\n            two\n      g: 1\n");
    let merged = lines([
        "a:",
        "    b:",
        "    -   x: 1",
        "        y: 3",
        "    c: 2",
        "    d:",
        "    -   e:",
        "            f: |",
        "                one",
        "                  two",
        "        g: 1",
    ]);
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), merged);
}

#[test]
fn a_requoted_file_takes_what_is_new_as_the_template_wrote_it() {
    let base = lines(["version: '3'", "on: 'yes'", "x: 'a'", "z: 'b'"]);
    let ours = lines(["version: \"3\"", "on: \"yes\"", "x: \"mine\"", "z: \"b\""]);
    let theirs = lines(["version: '3'", "on: 'no'", "x: 'a'", "y: on", "z: 'b'", "w: '3.10'"]);
    let merged = lines(["version: \"3\"", "on: 'no'", "x: \"mine\"", "y: on", "z: \"b\"", "w: '3.10'"]);
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), merged);
}

#[test]
fn a_sorted_file_merges_by_key() {
    let base = lines(["# The z.", "z: 1", "b: [1, 2]", "", "# The a.", "a:", "  y: 1", "  x: 1"]);
    let ours = lines(["# The a.", "a:", "  x: 1", "  y: 1", "b: [1, 2]", "# The z.", "z: 2"]);
    let theirs = base.replace("  y: 1\n", "  y: 2\n").replace("z: 1", "z: 1 # one") + "n: 1\n";
    let merged = lines(["# The a.", "a:", "  x: 1", "  y: 2", "n: 1", "b: [1, 2]", "# The z.", "z: 2 # one"]);
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), merged);
}

#[test]
fn a_pinned_action_with_a_comment_gets_its_new_input() {
    let ours = CI.replace("uses: actions/checkout@v3", "uses: actions/checkout@v3 # pinned");
    let theirs = CI.replace(
        "      - uses: actions/checkout@v3\n",
        "      - uses: actions/checkout@v3\n        with:\n          fetch-depth: 0\n",
    );
    let merged = theirs.replace("checkout@v3\n", "checkout@v3 # pinned\n");
    assert_eq!(drawn("ci.yml", CI, &ours, &theirs), merged);
}

#[test]
fn a_literal_is_merged_line_by_line_in_its_own_margin() {
    let base = lines(["a: |", "  one", "  two", "  three", "b: 1"]);
    let ours = lines(["a: |", "    ONE", "    two", "    three", "b: 1"]);
    let theirs = base.replace("three", "THREE");
    let merged = lines(["a: |", "    ONE", "    two", "    THREE", "b: 1"]);
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), merged);
}

#[test]
fn anchors_aliases_and_merge_keys_stay() {
    let base = lines([
        "x-base: &base",
        "  image: a",
        "  restart: always",
        "services:",
        "  web:",
        "    <<: *base",
        "    ports: ['80:80']",
        "  db:",
        "    <<: *base",
    ]);
    let ours = base.replace("image: a", "image: \"mine\"").replace("['80:80']", "[\"80:80\", \"81:81\"]");
    let theirs = base.replace("always", "'no'").replace("['80:80']", "['80:80', '82:82']") + "    user: me\n";
    let merged = ours.replace("always", "'no'").replace("\"81:81\"", "\"81:81\", '82:82'") + "    user: me\n";
    assert_eq!(drawn("compose.yml", &base, &ours, &theirs), merged);
}

#[test]
fn documents_are_merged_one_by_one() {
    let base = lines(["# One.", "---", "a: [1]", "b: x", "---", "# Two.", "c: [x]", "...", "---", "d: 1"]);
    let ours = base.replace("b: x", "b: \"x\"").replace("[x]", "[x, o]").replace("d: 1", "d: 2");
    let theirs = base.replace("b: x", "b: y\nnew: 1").replace("[x]", "[x] # c").replace("d: 1", "d: 1\ne: 1");
    let merged = lines([
        "# One.",
        "---",
        "a: [1]",
        "b: y",
        "new: 1",
        "---",
        "# Two.",
        "c: [x, o] # c",
        "...",
        "---",
        "d: 2",
        "e: 1",
    ]);
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), merged);
}

#[test]
fn a_list_that_is_not_judged_is_the_only_conflict() {
    let base = lines(["a:", "  - x: 1", "  - x: 1", "  - y", "b: [p]", "c: 1"]);
    let ours = base.replace("  - y\n", "  - o\n").replace("[p]", "[p, o] # mine").replace("c: 1", "c: 2");
    let theirs = base.replace("  - y\n", "  - t\n").replace("b: [p]", "b:\n  - p").replace("c: 1", "c: 1\nd: 1");
    let merged = drawn("a.yml", &base, &ours, &theirs);
    let expected = lines([
        "a:",
        "  - x: 1",
        "  - x: 1",
        "<<<<<<< yours",
        "  - o",
        "=======",
        "  - t",
        ">>>>>>> template 2",
        "b: [p, o] # mine",
        "c: 2",
        "d: 1",
    ]);
    assert_eq!(merged, expected);
}

#[test]
fn a_new_job_comes_with_its_comments_and_the_empty_line_above_it() {
    let ours = reformatted(&CI.replace("node-version: 20", "node-version: 22"));
    let theirs = CI.to_owned() + "\n  # Ships.\n  deploy:\n    needs: [test, lint]\n    runs-on: ubuntu-latest\n";
    let added = "\n  # Ships.\n  deploy:\n    needs: [test, lint]\n    runs-on: ubuntu-latest\n";
    assert_eq!(drawn("ci.yml", CI, &ours, &theirs), ours + added);
}

#[test]
fn a_comment_behind_a_quoted_text_is_kept() {
    let base = lines(["a: 'x' # about a", "b: 1"]);
    let ours = lines(["a: \"x\" # about a, mine", "b: 1"]);
    let theirs = lines(["a: 'y' # about a", "b: 2"]);
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), lines(["a: 'y' # about a, mine", "b: 2"]));
}

#[test]
fn values_on_lines_of_their_own_and_odd_spaces_are_read() {
    let base = lines(["a:", "  'long text'", "b :   1", "? c", ": 1", "d: {x: 1,y: 2}", "e: !Ref X", "f:", "g: ~"]);
    let ours = base.replace("b :   1", "b :   2").replace("{x: 1,y: 2}", "{x: 1,y: 3}").replace("f:", "f: # none");
    let theirs = base.replace("'long text'", "\"text\"").replace("y: 2", "y: 2, z: {}").replace("!Ref X", "!Ref Y");
    let merged = ours.replace("'long text'", "\"text\"").replace("y: 3", "y: 3,z: {}").replace("!Ref X", "!Ref Y");
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), merged);
}

#[test]
fn a_number_is_what_is_written() {
    let base = lines(["on:", "  python: 3.1", "  x: 1"]);
    let theirs = base.replace("3.1", "3.10");
    let ours = base.replace("3.1", "'3.1'").replace("x: 1", "x: 2");
    assert!(drawn("a.yml", &base, &ours, &theirs).contains("<<<<<<<"));
    let ours = base.replace("  ", "    ").replace("x: 1", "x: 2");
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), ours.replace("3.1", "3.10"));
}

#[test]
fn a_list_in_brackets_may_have_lines_and_a_last_comma() {
    let base =
        lines(["a:", "  {", "    x: 'a',", "    y: 1,", "  }", "b: [", "    p,", "    q,", "  ]", "c: { x: 1, }"]);
    let ours = base.replace("x: 'a'", "x: \"a\"").replace("    q,", "    q,\n    o,").replace("{ x: 1, }", "{ x: 2, }");
    let theirs = base.replace("y: 1", "y: 2").replace("    p,", "    p,\n    t,").replace("x: 1, }", "x: 1, z: 3, }");
    let merged = ours.replace("y: 1", "y: 2").replace("    p,", "    p,\n    t,").replace("x: 2, }", "x: 2, z: 3, }");
    assert_eq!(drawn("a.yml", &base, &ours, &theirs), merged);
}

#[test]
fn an_anchor_that_one_side_removed_does_not_come_back() {
    let base = "x: &base\n  a: 1\nservices:\n  web:\n    <<: *base\n    image: w\n  db:\n    image: d\n";
    let ours = base.replace(" &base", "").replace("    <<: *base\n", "");
    let theirs = base.replace("    image: d\n", "    image: d\n  c:\n    <<: *base\n    image: c\n");
    for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
        assert!(drawn("compose.yaml", base, ours, theirs).contains("<<<<<<<"));
    }
    // Nobody needs it.
    let theirs = base.replace("image: d", "image: e");
    assert_eq!(drawn("compose.yaml", base, &ours, &theirs), ours.replace("image: d", "image: e"));
    assert_eq!(drawn("compose.yaml", base, &theirs, &ours), ours.replace("image: d", "image: e"));
}

#[test]
fn a_comment_behind_the_last_entry_of_something_unchanged_is_kept() {
    for rest in ["x:\n  - run: z # all\n", "x:\n  - run: z # all\ny: 1\n", "x:\n  run: z # all\n", "x:\n  - z # all\n"]
    {
        let [base, ours, theirs, both] =
            ["[a, b]", "[a, b, c]", "[b]", "[b, c]"].map(|axis| format!("os: {axis}\n{rest}"));
        let [base, ours, theirs, both] = [base, ours, theirs, both]
            .map(|text| format!("runs-on: q\nmatrix:\n  {}", text.replace('\n', "\n  ").trim_end()) + "\n");
        let path = "ci.yml";
        assert_eq!(drawn(path, &base, &ours, &theirs), both);
        assert_eq!(drawn(path, &base, &theirs, &ours), both);
    }
}
