//! Where nobody is asked: what is missing is said at once.

use super::terminal::{Terminal, cases};
use crate::support::command::create_app;

#[test]
fn without_a_terminal_every_missing_answer_is_listed_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let output = create_app()
        .args(["new", "project", "--vcs", "none", "--path"])
        .arg(cases().join("several"))
        .current_dir(&directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_lists_missing(&stderr);
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn nobody_is_asked_where_the_question_would_not_be_seen() {
    let mut terminal = Terminal::new("several").shell("exec \"$0\" \"$@\" 2>../stderr.txt").run();
    terminal.wrote_nothing();
    let stderr = terminal.work().join("../stderr.txt");
    assert_lists_missing(&std::fs::read_to_string(stderr).unwrap());
    assert!(!terminal.contents().contains("What is it called?"));
}

#[test]
fn nobody_is_asked_at_a_terminal_that_cannot_draw() {
    let mut terminal = Terminal::new("several").env("TERM", "dumb").run();
    terminal.wrote_nothing();
    assert_lists_missing(&terminal.contents());
}

#[test]
fn silent_never_asks() {
    let mut terminal = Terminal::new("several").argument("--silent").run();
    terminal.wrote_nothing();
    assert_lists_missing(&terminal.contents());
}

#[test]
fn silent_takes_the_defaults() {
    let mut terminal = Terminal::new("array").argument("--silent").run();
    assert_eq!(terminal.made(), "docker|ci\n");
    assert!(!terminal.contents().contains("Which extras?"));
}

/// The answers that have no default, each with how to give it; and not the one that has.
fn assert_lists_missing(message: &str) {
    for name in ["title", "database", "extras"] {
        assert!(message.contains(&format!("-d '{name}=")), "{name} is not listed in\n{message}");
    }
    assert!(!message.contains("-d 'docs="), "docs has a default:\n{message}");
}
