//! Files that a formatter has gone over on one side merge by key: what comes is, formatted, the base with the edits of both.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::tools::node_tools;
use create_app::merge::content;
use create_app::merge::draw::{Style, draw};
use create_app::merge::known::Known;
use create_app::tree::RelPath;

/// A file, and what each side makes of it: a text, and what takes its place.
struct Case {
    path: &'static str,
    base: &'static str,
    ours: &'static [[&'static str; 2]],
    theirs: &'static [[&'static str; 2]],
}

const CASES: &[Case] = &[
    Case {
        path: ".github/workflows/ci.yml",
        base: "\
# Continuous integration.

name:   \"CI\"
on:
    push: { branches: [ main ] }
    pull_request:
permissions: {}
env: { 'LOG': \"debug\", PORT: '80' }
jobs:
    # The tests.
    test:
        runs-on: ubuntu-latest # the newest
        strategy:
            matrix:
                os: [\"ubuntu-latest\", 'macos-latest']
                python:
                - '3.9'
                - \"3.10\"
        steps:
        -   uses: \"actions/checkout@v4\"
        -   name: 'Test'
            run: |
                npm ci
                npm test
            env: {CI: 'yes', LONG_NAME_OF_A_VARIABLE: 'a long value of it', ANOTHER_LONG_NAME: 'another value'}

        # What comes last.
        - run: >-
            echo this is
            folded
",
        ours: &[
            ["[ main ]", "[ main, dev ]"],
            ["        -   name: 'Test'\n", "        -   uses: ./mine\n        -   name: 'Test'\n"],
            ["npm test\n", "npm test -- --mine\n"],
            ["CI: 'yes'", "CI: 'no'"],
        ],
        theirs: &[
            ["@v4", "@v5"],
            ["    pull_request:\n", "    pull_request:\n    # By hand.\n    workflow_dispatch:\n"],
            ["\"3.10\"\n", "\"3.10\"\n                - '3.11'\n"],
            ["LONG_NAME_OF_A_VARIABLE: 'a long value of it', ", ""],
            ["echo this is\n", "echo this is not\n"],
        ],
    },
    Case {
        path: "compose.yaml",
        base: "\
x-base: &base
    restart:   'always'
    environment: &env
        - A=1
        - 'B=2'
services:
    web:
        <<: *base
        image: \"example/web:1\"
        ports: ['80:80',   \"443:443\"]
        command: [ \"serve\", '--port', \"80\" ]

    # The database.
    db:
        <<: *base
        image: 'postgres:16' # LTS
        environment: *env
        volumes:
            - 'db:/var/lib/postgresql/data'
            - { type: bind, source: ./conf, target: /conf }
volumes: {db: }
",
        ours: &[
            ["web:1", "web:2"],
            ["\"443:443\"", "\"443:443\", '8080:8080'"],
            ["# LTS", "# the one that we know"],
            ["    # The database.\n", "    cache:\n        image: redis\n\n    # The database.\n"],
        ],
        theirs: &[
            ["'always'", "\"no\""],
            ["'B=2'\n", "'B=2'\n        - \"C=3\"\n"],
            ["source: ./conf,", "source: ./conf, read_only: true,"],
            ["volumes: {db: }", "volumes: {db: , data: {}}"],
        ],
    },
];

fn prettier(text: &str, options: &[&str]) -> String {
    let mut command = Command::new("node");
    command.arg(node_tools().join("node_modules/prettier/bin/prettier.cjs"));
    command.args(["--no-config", "--stdin-filepath", "a.yaml"]).args(options);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}");
    String::from_utf8(output.stdout).unwrap()
}

fn edited(base: &str, edits: &[&[[&str; 2]]]) -> String {
    edits.iter().copied().flatten().fold(base.to_owned(), |text, [from, to]| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    })
}

fn merged(path: &str, [base, ours, theirs]: [&str; 3]) -> String {
    let path = RelPath::new(path).unwrap();
    let merged = content::merge(&path, Known::default(), Some(base.as_bytes()), ours.as_bytes(), theirs.as_bytes());
    String::from_utf8(draw(&merged.merge, Style::Merge, "2")).unwrap()
}

fn check(options: &[&str]) {
    for Case { path, base, ours, theirs } in CASES {
        let expected = prettier(&edited(base, &[ours, theirs]), options);
        let [ours, theirs] = [ours, theirs].map(|edits| edited(base, &[edits]));
        let by_user = merged(path, [base, &prettier(&ours, options), &theirs]);
        assert!(!by_user.contains("<<<<<<<"), "{by_user}");
        assert_eq!(prettier(&by_user, options), expected, "of {by_user}");
        let by_template = merged(path, [base, &ours, &prettier(&theirs, options)]);
        assert!(!by_template.contains("<<<<<<<"), "{by_template}");
        assert_eq!(prettier(&by_template, options), expected, "of {by_template}");
    }
}

#[test]
fn a_file_that_one_side_formats_merges_by_key() {
    check(&[]);
}

#[test]
fn so_does_one_that_is_formatted_in_another_way() {
    check(&["--tab-width=4", "--single-quote", "--no-bracket-spacing", "--print-width=40"]);
}
