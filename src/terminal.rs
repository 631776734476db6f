//! Text of others on its way to a terminal: a template's words may not move the cursor, set the title or hide what they say.

use std::borrow::Cow;

/// Escapes every character that a terminal acts on instead of showing it, line breaks and tabs included.
///
/// Borrows the text when there is nothing to escape; escaping twice changes nothing.
#[must_use]
pub fn escape_control(text: &str) -> Cow<'_, str> {
    escape_control_except(text, &[])
}

/// The same, but leaves the characters in `kept` as they are, such as `\n` where several lines are welcome.
#[must_use]
pub fn escape_control_except<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let is_escaped = |c: char| acts(c) && !kept.contains(&c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_escaped(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    Cow::Owned(escaped)
}

/// Control characters, and the bidirectional overrides that make a line read differently from what it holds.
fn acts(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_is_borrowed() {
        assert!(matches!(escape_control("ünï — ✔ 日本"), Cow::Borrowed("ünï — ✔ 日本")));
    }

    #[test]
    fn what_a_terminal_acts_on_is_spelled_out() {
        assert_eq!(escape_control("\x1b]0;title\x07\r\n\t"), r"\u{1b}]0;title\u{7}\r\n\t");
        assert_eq!(escape_control("\u{9b}2J\u{7f}\u{202e}txt"), r"\u{9b}2J\u{7f}\u{202e}txt");
    }

    #[test]
    fn line_breaks_and_tabs_stay_when_asked() {
        assert_eq!(escape_control_except("a\n\tb\x1b", &['\n', '\t']), "a\n\tb\\u{1b}");
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left_and_twice_is_once(text in any::<String>()) {
            let once = escape_control(&text).into_owned();
            prop_assert!(!once.contains(acts));
            prop_assert_eq!(escape_control(&once), once.as_str());
        }
    }
}
