//! A user who changes their mind: nothing is left behind.

use super::terminal::{CTRL_C, DOWN, ESC, Terminal};

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let mut terminal = Terminal::new("several").run();
    terminal.see("? What is it called?");
    terminal.press("shop\r");
    terminal.see("> sqlite");
    terminal.press(DOWN);
    terminal.see("> mysql");
    assert!(terminal.has_another_mode(), "keys are read one by one");
    terminal.press(CTRL_C);
    terminal.see("cancelled; nothing was written");
    terminal.see("A005");
    terminal.wrote_nothing();
}

#[test]
fn ctrl_c_says_how_to_go_on() {
    let mut terminal = Terminal::new("several").run();
    terminal.see("? What is it called?");
    terminal.press(CTRL_C);
    terminal.wrote_nothing();
    terminal.see("run the command again to answer the questions; to skip this one, add -d 'title=VALUE'");
    let mut terminal = Terminal::new("several").run();
    terminal.see("? What is it called?");
    terminal.press("My shop\r");
    terminal.see("> sqlite");
    terminal.press("\r");
    terminal.see("? With documentation?");
    terminal.press(CTRL_C);
    terminal.wrote_nothing();
    terminal.see("to keep the answers that you gave, add -d 'title=My shop' -d database=sqlite");
}

#[test]
fn so_does_ctrl_d_in_an_empty_line() {
    let mut terminal = Terminal::new("several").run();
    terminal.see("? What is it called?");
    terminal.press("ab\x01\x04");
    terminal.see("called? b");
    terminal.press("\x04");
    terminal.see_not("called? b");
    terminal.press("\x04");
    terminal.wrote_nothing();
    terminal.see("cancelled; nothing was written");
}

#[test]
fn esc_at_the_first_question_is_no_way_out() {
    let mut terminal = Terminal::new("several").run();
    terminal.see("[enter to accept, ctrl-c to cancel]");
    terminal.press("sho");
    terminal.see("called? sho");
    terminal.press(ESC);
    terminal.see("✗ this is the first question; ctrl-c cancels");
    terminal.press("p");
    terminal.see_not("✗");
    terminal.see("called? shop");
    terminal.press(CTRL_C);
    terminal.wrote_nothing();
}

#[test]
fn a_program_that_is_to_end_leaves_the_terminal_as_it_was() {
    for keys in ["", "shop\r"] {
        let mut terminal = Terminal::new("several").run();
        terminal.see("? What is it called?");
        terminal.press(keys);
        terminal.see(if keys.is_empty() { "called?" } else { "> sqlite" });
        terminal.terminate();
        assert_ne!(terminal.exit(), 0);
        terminal.see("cancelled; nothing was written");
        assert!(std::fs::read_dir(terminal.work()).unwrap().next().is_none());
    }
}
