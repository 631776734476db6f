//! Secret answers: nothing of what is typed is shown.

use super::terminal::{CTRL_C, DOWN, ENTER, Terminal};

#[test]
fn a_secret_line_is_not_shown_and_is_checked_all_the_same() {
    let mut terminal = Terminal::new("secret").run();
    terminal.see("? Which PIN?");
    terminal.press(&format!("hunter2{ENTER}"));
    terminal.see("✗ the answer does not match `^[0-9]{4}$`");
    terminal.press(&format!("1379{ENTER}"));
    terminal.see_all(&[
        "✔ Which PIN? ********",
        "? Which token?",
        "[enter alone takes the default, esc or shift-tab to go back]",
    ]);
    terminal.press(&format!("swordfish{ENTER}"));
    assert_eq!(terminal.answer(), "1379 swordfish\n");
    for typed in ["hun", "137", "sword"] {
        terminal.was_never_shown(typed);
    }
}

#[test]
fn enter_accepts_the_default_of_a_secret() {
    let mut terminal = Terminal::new("secret").argument("-d").argument("pin=1379").run();
    terminal.see("? Which token?");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "1379 none\n");
}

#[test]
fn a_secret_text_is_typed_at_the_terminal_and_in_no_editor() {
    let mut terminal = Terminal::new("secret-text").env("EDITOR", "no-such-editor").run();
    terminal.see("? Which key?");
    terminal.paste("BEGIN\nhunter2\n");
    terminal.press(&format!("{ENTER}{ENTER}{ENTER}"));
    terminal.see("the text does not match `END$`");
    terminal.paste("BEGIN\nhunter2\nEND\n");
    terminal.press(&format!("{ENTER}{ENTER}"));
    assert_eq!(terminal.answer(), "[BEGIN\nhunter2\nEND]\n");
    terminal.was_never_shown("hun");
    terminal.was_never_shown("BEGIN");
}

#[test]
fn a_secret_yes_or_no_is_not_shown() {
    let mut terminal = Terminal::new("secret-bool").run();
    terminal.see("? As admin?");
    terminal.press(&format!("maybe{ENTER}"));
    terminal.see("✗ type y or n");
    terminal.press(&format!("YES{ENTER}"));
    assert_eq!(terminal.answer(), "true\n");
    terminal.see("✔ As admin? ********");
    terminal.was_never_shown("YES");
    let mut terminal = Terminal::new("secret-bool").run();
    terminal.see("? As admin?");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "false\n");
}

#[test]
fn a_secret_choice_does_not_stay_on_the_screen() {
    let mut terminal = Terminal::new("secret-choice").run();
    terminal.see("> silver");
    terminal.press(&format!("{DOWN}{ENTER}"));
    terminal.see("✔ Which tier? ********");
    terminal.see("> [ ] read");
    terminal.press(&format!(" {ENTER}"));
    assert_eq!(terminal.answer(), "gold read\n");
    terminal.see_not("gold");
    terminal.see_all(&["✔ Which tier? ********", "✔ Which scopes? ********"]);
}

#[test]
fn a_cancelled_secret_is_not_shown_and_the_help_keeps_it_off_the_command_line() {
    let mut terminal = Terminal::new("secret").run();
    terminal.see("? Which PIN?");
    terminal.press(&format!("hunter2{CTRL_C}"));
    assert_eq!(terminal.exit(), 2);
    terminal.see("run the command again to answer the questions, or pass the answers in a --values-file");
    terminal.was_never_shown("hun");
}
