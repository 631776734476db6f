//! What is said of a wrong answer.

use super::terminal::{ENTER, Terminal};

#[test]
fn the_author_says_what_is_wrong_and_the_pattern_comes_last() {
    let mut terminal = Terminal::new("wording").run();
    terminal.see("! Enter owner/name, for example acme/shop (pattern: `^[a-z-]+/[a-z-]+$`)");
    terminal.press(&format!("shop{ENTER}"));
    terminal.see("✗ `shop` is not accepted: Enter owner/name, for example acme/shop (pattern: `^[a-z-]+/[a-z-]+$`)");
    terminal.press("/acme");
    terminal.see_not("✗");
    terminal.press(ENTER);
    terminal.see("! for example A shop");
    terminal.press("x");
    terminal.see_not("for example A shop");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "shop/acme x\n");
}

#[test]
fn without_the_authors_words_the_pattern_is_explained() {
    let mut terminal = Terminal::new("regex").run();
    let said = "expected a lower-case letter, then any number of lower-case letters, digits or `-`";
    terminal.see(said);
    terminal.press(&format!("9{ENTER}"));
    terminal.see(&format!("✗ `9` is not accepted: {said}"));
    terminal.see("(pattern: `^[a-z][a-z0-9-]*$`)");
    terminal.press(&format!("\x15a9{ENTER}"));
    assert_eq!(terminal.answer(), "a9\n");
}
