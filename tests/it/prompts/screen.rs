//! What reaches the terminal, and what does not.

use super::terminal::{BACKSPACE, ENTER, Terminal};

#[test]
fn what_a_template_says_cannot_act_on_the_terminal() {
    let mut terminal = Terminal::new("hostile").run();
    terminal.see(r"? \u{1b}]0;owned\u{7}\u{1b}[2JWhat is it");
    terminal.see(r"called? (a\u{9b}31mb)");
    terminal.press("b");
    terminal.see(r"! expected a text that contains `\u{1b}` or `a` (pattern: `[a\u{1b}]`)");
    terminal.press(&format!("{BACKSPACE}{ENTER}"));
    terminal.see(r"called? a\u{9b}31mb");
    terminal.see(r"? Which\r\u{202e} kind?");
    terminal.see(r"> li\u{1b}[1Ab");
    terminal.see(r"  bin\u{8}\u{8}\u{8}");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "a\u{9b}31mb li\u{1b}[1Ab\n");
    terminal.was_never_sent(b'\x07');
}

#[test]
fn neither_can_what_is_said_about_its_questions() {
    let mut terminal = Terminal::new("hostile").argument("--silent").run();
    terminal.wrote_nothing();
    terminal.see(r"-d $'kind=li\x1b[1Ab|bin\x08\x08\x08'");
    terminal.see(r"Which\r\u{202e} kind?");
    terminal.was_never_sent(b'\x08');
}

#[test]
fn standard_output_stays_clean() {
    let mut terminal = Terminal::new("choice").shell("exec \"$0\" \"$@\" >../stdout.txt").run();
    terminal.see("> mysql");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "mysql\n");
    let stdout = std::fs::read_to_string(terminal.work().join("../stdout.txt")).unwrap();
    assert!(!stdout.contains("Which database?"), "{stdout}");
    assert!(!stdout.contains('\x1b'), "{stdout:?}");
}

#[test]
fn colour_is_used_unless_the_user_wants_none() {
    for (name, value, coloured) in [("NO_COLOR", "", true), ("NO_COLOR", "1", false), ("CLICOLOR", "0", false)] {
        let mut terminal = Terminal::new("choice").env(name, value).run();
        terminal.see("> mysql");
        assert_eq!(terminal.is_coloured(), coloured, "{name}={value}");
        terminal.press(ENTER);
        assert_eq!(terminal.answer(), "mysql\n");
        terminal.see("✔ Which database? mysql");
        assert_eq!(terminal.is_coloured(), coloured, "{name}={value}");
    }
}

#[test]
fn a_terminal_of_unknown_size_is_no_obstacle() {
    let mut terminal = Terminal::new("choice").rows(0).run();
    terminal.see("> mysql");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "mysql\n");
}
