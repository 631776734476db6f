//! Answers of several lines: typed, pasted, or written in an editor.

use super::terminal::{BACKSPACE, ENTER, MORE_LINES, Terminal, cases};

#[test]
fn a_text_has_several_lines_and_two_empty_ones_end_it() {
    let mut terminal = Terminal::new("text").run();
    terminal.see("? What is it about?");
    terminal.type_line("A place");
    terminal.type_line("");
    terminal.type_line("for all");
    terminal.type_line("");
    terminal.press(ENTER);
    // Refused as a whole: the lines come back, one by one, to be fixed.
    terminal.see("! the text does not match `shop`");
    terminal.see("? What is it about? A place");
    terminal.type_line(&format!("{}shop", BACKSPACE.repeat(5)));
    terminal.see("✔ What is it about? A shop");
    terminal.type_line("");
    terminal.type_line(".");
    terminal.type_line("");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[A shop\n\nfor all.]\n");
}

#[test]
fn a_pasted_text_keeps_its_lines() {
    let mut terminal = Terminal::new("text").run();
    terminal.see("? What is it about?");
    terminal.paste("A shop.\n\n\n\tFor everybody.\n");
    terminal.see("For everybody.");
    terminal.press(ENTER);
    terminal.see_all(&["✔ What is it about? A shop.", MORE_LINES]);
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[A shop.\n\n\n\tFor everybody.]\n");
}

#[test]
fn enter_accepts_the_default_of_a_text() {
    let mut terminal = Terminal::new("text-default").run();
    terminal.see(r"? What is it about? (A shop.\nFor everybody.)");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[A shop.\nFor everybody.]\n");
}

#[test]
fn the_editor_is_the_users_own_and_its_text_is_checked() {
    let script = cases().join("editor.sh");
    let mut terminal = Terminal::new("editor").env("VISUAL", &format!("sh '{}' --wait", script.display())).run();
    terminal.see("? Release notes? [(e) to open sh, (enter) to submit]");
    terminal.see("[default: Nothing yet.]");
    terminal.press("e");
    terminal.press(ENTER);
    terminal.see("✗ the text does not match `[.!]$`");
    terminal.press("e");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[First line\n\nThe end.]\n");
    terminal.see("✔ Release notes? First line (and 2 more lines)");
}

#[test]
fn the_editor_need_not_be_opened_for_the_default() {
    let mut terminal = Terminal::new("editor").env("EDITOR", "no-such-editor").run();
    terminal.see("? Release notes? [(e) to open no-such-editor");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[Nothing yet.]\n");
}

#[test]
fn an_editor_that_cannot_be_run_costs_no_answer() {
    let mut terminal = Terminal::new("editor").env("EDITOR", "no-such-editor").run();
    terminal.see("(e) to open no-such-editor");
    terminal.press("e");
    terminal.see("! cannot edit with `no-such-editor`: no such file or directory; VISUAL and EDITOR name the editor");
    terminal.type_line("Typed here.");
    terminal.type_line("");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[Typed here.]\n");
}
