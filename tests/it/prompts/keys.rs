//! The keys that a shell's command line has.

use super::terminal::{ENTER, Terminal};

const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";

/// What the line holds after these keys, in a line that held `my own-shop` and the cursor at its end.
fn after(keys: &[&str]) -> String {
    let mut terminal = Terminal::new("required").run();
    terminal.see("? Who owns it?");
    terminal.press("my own-shop");
    terminal.see("it? my own-shop");
    // An Esc that is followed by something is Alt: so each key comes on its own.
    for key in keys {
        terminal.press(key);
    }
    terminal.press(ENTER);
    terminal.answer().trim_end().to_owned()
}

#[test]
fn the_line_is_edited_with_the_keys_of_readline() {
    for (keys, expected) in [
        (&["\x01", ">"][..], ">my own-shop"),                        // Ctrl-A
        (&["\x01", "\x05", "<"], "my own-shop<"),                    // Ctrl-E
        (&["\x1b[H", ">"], ">my own-shop"),                          // Home
        (&["\x1b[1~", ">"], ">my own-shop"),                         // Home, elsewhere
        (&["\x1b[H", "\x1b[F", "<"], "my own-shop<"),                // End
        (&["\x1b[1~", "\x1b[4~", "<"], "my own-shop<"),              // End, elsewhere
        (&[LEFT, LEFT, "|"], "my own-sh|op"),                        // arrows
        (&["\x01", RIGHT, "|"], "m|y own-shop"),                     // arrows
        (&["\x02", "\x02", "\x06", "|"], "my own-sho|p"),            // Ctrl-B, Ctrl-F
        (&["\x1bb", "|"], "my own-|shop"),                           // Alt-B
        (&["\x01", "\x1bf", "|"], "my| own-shop"),                   // Alt-F
        (&["\x1b[1;5D", "|"], "my own-|shop"),                       // Ctrl-Left
        (&["\x01", "\x1b[1;5C", "|"], "my| own-shop"),               // Ctrl-Right
        (&["\x15", "new"], "new"),                                   // Ctrl-U
        (&["\x1bb", "\x0b", "new"], "my own-new"),                   // Ctrl-K
        (&["\x17", "new"], "my new"),                                // Ctrl-W
        (&["\x17", "\x19", "\x19"], "my own-shopown-shop"),          // Ctrl-Y
        (&["\x01", "\x1bd"], " own-shop"),                           // Alt-D
        (&["\x1b\x7f", "new"], "my own-new"),                        // Alt-Backspace
        (&["\x01", "\x1b[3~", "\x04"], " own-shop"),                 // Delete, Ctrl-D
        (&["\x7f", "\x08"], "my own-sh"),                            // Backspace, Ctrl-H
        (&["\x14", "\x1bx", "\t", "\x1b[11~", "!"], "my own-shop!"), // Ctrl-T, Alt-X, Tab, F1: nothing
    ] {
        assert_eq!(after(keys), expected, "{keys:?}");
    }
}

#[test]
fn a_filter_of_a_list_is_edited_with_them_too() {
    let mut terminal = Terminal::new("choice").run();
    terminal.see("> mysql");
    terminal.press("none");
    terminal.see("> none");
    terminal.see_not("mysql");
    terminal.press("\x15");
    terminal.see("> sqlite");
    terminal.press("\x0e\x0e\x10"); // Ctrl-N, Ctrl-N, Ctrl-P
    terminal.see("> mysql");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "mysql\n");
}

#[test]
fn a_value_and_a_question_that_are_too_long_wrap() {
    let mut terminal = Terminal::new("long").columns(40).run();
    terminal.see("[enter to accept, ctrl-c to cancel]");
    let value = "日本語のとても長い名前".repeat(6);
    terminal.press(&value);
    let joined = |terminal: &Terminal| terminal.contents().replace('\n', "");
    let end = "前[enter";
    terminal.wait_for(&format!("{value} in rows"), |text| text.replace('\n', "").contains(&format!("{value}[enter")));
    assert!(joined(&terminal).contains(end), "{}", terminal.contents());
    // No word of the question is cut.
    for line in ["? What should the shop that you are", "about to make be called, in the"] {
        terminal.see(line);
    }
    // What is typed in the middle, and deleted again, leaves no trace.
    terminal.press("\x01ab日\x05!");
    terminal.wait_for("both ends", |text| text.replace('\n', "").contains(&format!("ab日{value}![enter")));
    terminal.press("\x7f\x01\x1b[3~\x1b[3~\x1b[3~");
    terminal.wait_for("neither", |text| {
        text.replace('\n', "").contains(&format!("use? {value}[enter")) && text.matches("What should").count() == 1
    });
    terminal.press("\x05\x15");
    terminal.see_not("日");
    terminal.press(&format!("{value}{ENTER}"));
    assert_eq!(terminal.answer(), format!("{value}\n"));
    assert!(joined(&terminal).contains(&format!("use? {value}")), "{}", terminal.contents());
    assert_eq!(terminal.contents().matches("✔ What should").count(), 1);
}

#[test]
fn a_terminal_may_change_its_width_meanwhile() {
    let mut terminal = Terminal::new("required").columns(100).run();
    terminal.see("? Who owns it?");
    let value = "abcdefghij".repeat(5);
    terminal.press(&value);
    terminal.see(&value);
    terminal.resize(24, 40);
    terminal.wait_for("two rows", |text| {
        text.matches("Who owns it?").count() == 1 && text.replace('\n', "").contains(&format!("{value}[enter"))
    });
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), format!("{value}\n"));
}
