//! The way back: to the question before, and to any answer in the end.

use super::terminal::{CTRL_C, DOWN, ENTER, ESC, SHIFT_TAB, Terminal};

#[test]
fn esc_goes_back_to_the_question_before_with_its_answer() {
    for back in [ESC, SHIFT_TAB] {
        let mut terminal = Terminal::new("steps").run();
        terminal.see("? What is it called?");
        terminal.press(&format!("shop{ENTER}"));
        terminal.see("✔ What is it called? shop");
        terminal.see("> sqlite");
        terminal.see("type to filter, esc or shift-tab to go back]");
        terminal.press(back);
        terminal.see("? What is it called? shop");
        // It is asked in its place, not once more below.
        assert!(!terminal.contents().contains('✔'), "{}", terminal.contents());
        terminal.press(&format!("s{ENTER}"));
        terminal.see("✔ What is it called? shops");
        terminal.see("> sqlite");
        terminal.press(&format!("{DOWN}{ENTER}"));
        terminal.see("? Its name? (shops-db)");
        terminal.press(back);
        terminal.see("> mysql");
        terminal.press(ENTER);
        terminal.see("? Its name? (shops-db)");
        terminal.press(ENTER);
        assert_eq!(terminal.answer(), "shops mysql shops-db\n");
    }
}

#[test]
fn all_answers_are_shown_before_anything_is_written_and_one_can_be_changed() {
    let mut terminal = Terminal::new("steps").run();
    terminal.see("? What is it called?");
    terminal.press(&format!("shop{ENTER}"));
    terminal.see("> sqlite");
    terminal.press(&format!("{DOWN}{ENTER}"));
    terminal.see("? Its name? (shop-db)");
    terminal.press(ENTER);
    terminal.see("? Create the project with these answers?");
    terminal.see_all(&["> Yes", "  What is it called? shop", "  Which database? mysql", "  Its name? shop-db"]);
    assert!(!terminal.work().join("project").exists());
    // The answer that others depend on: they are asked again.
    terminal.press(&format!("{DOWN}{DOWN}"));
    terminal.see("> Which database? mysql");
    terminal.press(ENTER);
    terminal.see("> mysql");
    terminal.press(&format!("{DOWN}{DOWN}{ENTER}"));
    terminal.see("  Which database? none");
    terminal.see_not("  Its name?");
    assert_eq!(terminal.answer(), "shop none \n");
    terminal.see("✔ Create the project with these answers? yes");
}

#[test]
fn esc_goes_back_from_there_as_well_and_ctrl_c_cancels() {
    let mut terminal = Terminal::new("string").run();
    terminal.see("? What is it called? (My shop)");
    terminal.press(ENTER);
    terminal.see("> Yes");
    terminal.press(ESC);
    terminal.see("? What is it called? (My shop)");
    terminal.press(&format!("Other{ENTER}"));
    terminal.see("  What is it called? Other");
    terminal.press(CTRL_C);
    terminal.see("cancelled; nothing was written");
    terminal.see("to keep the answers that you gave, add -d title=Other");
    terminal.wrote_nothing();
}

#[test]
fn secrets_are_hidden_among_the_answers_and_can_be_kept() {
    let mut terminal = Terminal::new("secret").run();
    terminal.see("? Which PIN?");
    terminal.press(&format!("1379{ENTER}"));
    terminal.see("? Which token?");
    terminal.press(ESC);
    terminal.see("[enter alone keeps your answer, ctrl-c to cancel]");
    terminal.press(ENTER);
    terminal.see("? Which token?");
    terminal.press(&format!("swordfish{ENTER}"));
    terminal.see_all(&["  Which PIN? ********", "  Which token? ********"]);
    assert_eq!(terminal.answer(), "1379 swordfish\n");
    terminal.was_never_shown("1379");
    terminal.was_never_shown("sword");
}

#[test]
fn a_text_and_a_yes_or_no_come_back_too() {
    let mut terminal = Terminal::new("kinds").run();
    terminal.see("? With tests? ");
    terminal.press(&format!("y{ENTER}"));
    terminal.see("> [ ] ci");
    terminal.press(" ");
    terminal.see("> [x] ci");
    terminal.press(ENTER);
    terminal.see("? What is it about?");
    terminal.type_line("One");
    terminal.type_line("two");
    terminal.press(ESC);
    // The lines that were typed so far go with their question.
    terminal.see("> [x] ci");
    terminal.see_not("What is it about?");
    terminal.press(ESC);
    terminal.see("? With tests? (Y/n)");
    assert!(!terminal.contents().contains('✔'), "{}", terminal.contents());
    terminal.press(ENTER);
    terminal.see("> [x] ci");
    terminal.press(ENTER);
    terminal.see("? What is it about?");
    terminal.type_line("One");
    terminal.type_line("");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "true ci [One]\n");
}
