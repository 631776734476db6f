//! Answers that are chosen: one of several, some of several, yes or no.

use super::terminal::{BACKSPACE, DOWN, END, ENTER, Terminal, UP};

#[test]
fn the_arrows_start_at_the_default() {
    let mut terminal = Terminal::new("choice").run();
    terminal.see("> mysql");
    terminal.press(DOWN);
    terminal.see("> postgres");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "postgres\n");
    terminal.see("✔ Which database? postgres");
}

#[test]
fn typing_filters_the_choices() {
    let mut terminal = Terminal::new("choice").run();
    terminal.see("> mysql");
    terminal.press("SQL");
    terminal.see_not("postgres");
    terminal.see("> sqlite");
    terminal.press("x");
    terminal.see_not("sqlite");
    // Nothing matches: there is nothing to accept, and the question stays.
    terminal.press(&format!("{ENTER}{BACKSPACE}"));
    terminal.see("> sqlite");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "sqlite\n");
}

#[test]
fn many_choices_scroll_and_wrap_around() {
    let mut terminal = Terminal::new("many").rows(12).run();
    terminal.see("> region-100");
    assert!(terminal.contents().lines().count() <= 12);
    terminal.see("? Which region?");
    terminal.press(END);
    terminal.see("> region-200");
    terminal.press(DOWN);
    terminal.see("> region-001");
    terminal.press(UP);
    terminal.see("> region-200");
    terminal.press("17");
    terminal.see("> region-017");
    terminal.press(&format!("{DOWN}{DOWN}"));
    terminal.see("> region-170");
    terminal.see("? Which region? 17");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "region-170\n");
}

#[test]
fn a_yes_or_no_question_shows_its_default_and_insists_on_either() {
    let mut terminal = Terminal::new("bool").run();
    terminal.see("? With documentation? (Y/n)");
    terminal.press(ENTER);
    terminal.see("✔ With documentation? yes");
    terminal.see("? With tests? y/n");
    terminal.press("maybe\r");
    terminal.see("✗ type y or n");
    terminal.press(&format!("{}N\r", BACKSPACE.repeat(5)));
    terminal.see("✔ With tests? no");
    assert_eq!(terminal.answer(), "true false\n");
}

#[test]
fn the_default_of_a_list_is_preselected_and_keeps_its_order() {
    let mut terminal = Terminal::new("array").run();
    terminal.see("[x] docker");
    terminal.see("[x] ci");
    terminal.see("[ ] nix");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "docker|ci\n");
}

#[test]
fn space_toggles_items_even_those_with_a_comma() {
    let mut terminal = Terminal::new("array").run();
    terminal.see("> [x] ci");
    terminal.press(" ");
    terminal.see("> [ ] ci");
    terminal.press(DOWN);
    terminal.see("> [ ] docs, examples");
    terminal.press(" ");
    terminal.see("> [x] docs, examples");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "docs, examples|docker\n");
    terminal.see("✔ Which extras? docs, examples, docker");
}

#[test]
fn a_label_is_shown_and_its_value_is_the_answer() {
    let mut terminal = Terminal::new("labels").run();
    terminal.see(r"> PostgreSQL \u{1b}[2J");
    terminal.see("SQLite, at the edge");
    // By what is shown, or by the answer itself.
    terminal.press("d1");
    terminal.see_not("none");
    terminal.see("> SQLite, at the edge");
    terminal.press(&BACKSPACE.repeat(2));
    terminal.press("edge");
    terminal.see_not("none");
    terminal.press(ENTER);
    terminal.see("✔ Which database? SQLite, at the edge");
    terminal.see("[x] Documentation");
    terminal.press(&format!(" {DOWN}"));
    terminal.press(&format!("{UP} {ENTER}"));
    terminal.wait_for("the label among all answers", |screen| {
        screen.matches("Which database? SQLite, at the edge").count() == 2
            && screen.matches("Which extras? Documentation").count() == 2
    });
    assert_eq!(terminal.answer(), "d1 docs\n");
}
