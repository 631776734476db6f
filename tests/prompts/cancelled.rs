//! A user who changes their mind: nothing is left behind.

use crate::terminal::{CTRL_C, DOWN, ESC, Terminal};

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
fn esc_leaves_nothing_behind() {
    let mut terminal = Terminal::new("several").run();
    terminal.see("? What is it called?");
    terminal.press("sho");
    terminal.see("called? sho");
    terminal.press(ESC);
    terminal.see("cancelled; nothing was written");
    terminal.wrote_nothing();
}
