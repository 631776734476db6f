//! Answers of one line, and their rules.

use super::terminal::{BACKSPACE, DOWN, ENTER, Terminal};

#[test]
fn enter_accepts_the_default_that_is_shown() {
    let mut terminal = Terminal::new("string").run();
    terminal.see("? What is it called? (My shop)");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "My shop\n");
    terminal.see("✔ What is it called? My shop");
}

#[test]
fn what_is_typed_replaces_the_default() {
    let mut terminal = Terminal::new("string").run();
    terminal.see("(My shop)");
    terminal.press("Ünï 日本");
    terminal.see("(My shop) Ünï 日本");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "Ünï 日本\n");
}

#[test]
fn a_pasted_line_end_is_no_part_of_a_one_line_answer() {
    let mut terminal = Terminal::new("string").run();
    terminal.see("(My shop)");
    terminal.paste("one\ntwo\n");
    terminal.see("two");
    terminal.press(ENTER);
    terminal.see(r"✗ `one\ntwo\n` has several lines");
    terminal.press(&format!("{}{ENTER}", BACKSPACE.repeat(4)));
    assert_eq!(terminal.answer(), "one\n");
}

#[test]
fn a_rule_is_shown_until_it_is_met_and_holds_the_submission_back() {
    let rule = "expected a lower-case letter, then any number of lower-case letters, digits or `-`";
    let mut terminal = Terminal::new("regex").run();
    terminal.see("? Which slug?");
    terminal.see(&format!("! {rule}"));
    terminal.press("my");
    terminal.see("Which slug? my");
    terminal.see_not(rule);
    terminal.press(" Shop");
    terminal.see("Which slug? my Shop");
    terminal.see(rule);
    terminal.press(ENTER);
    terminal.see(&format!("✗ `my Shop` is not accepted: {rule}"));
    terminal.see("(pattern: `^[a-z][a-z0-9-]*$`)");
    terminal.press(&format!("{}-shop", BACKSPACE.repeat(5)));
    terminal.see("Which slug? my-shop");
    terminal.see_not(rule);
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "my-shop\n");
}

#[test]
fn the_rule_below_the_line_cannot_be_chosen_as_the_answer() {
    let mut terminal = Terminal::new("unanchored").run();
    terminal.see("! expected a text that contains a digit (pattern: `[0-9]`)");
    terminal.press("x");
    terminal.see("version? x");
    terminal.press(&format!("{DOWN}\t{ENTER}"));
    terminal.see("✗ `x` is not accepted: expected a text that contains a digit (pattern: `[0-9]`)");
    terminal.press("7y");
    terminal.see("version? x7y");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "x7y\n");
}

#[test]
fn a_question_without_a_default_needs_an_answer() {
    let mut terminal = Terminal::new("required").run();
    terminal.see("? Who owns it?");
    terminal.press(ENTER);
    terminal.see("an empty answer is not an answer");
    terminal.press("Ann");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "Ann\n");
}

#[test]
fn an_empty_answer_is_one_where_its_rule_allows_it() {
    let mut terminal = Terminal::new("optional").run();
    terminal.see("? Any remark?");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[]\n");
}
