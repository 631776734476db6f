//! Untrusted text for a terminal: it must not move the cursor, set the title or hide anything.

use std::borrow::Cow;

/// Escapes every [hidden](is_hidden) character, line breaks and tabs included.
///
/// Borrows the text when there is nothing to escape; escaping twice changes nothing.
#[must_use]
pub(crate) fn escape_control(text: &str) -> Cow<'_, str> {
    escape_control_except(text, &[])
}

/// The same, but leaves the characters in `kept` as they are, such as `\n` where several lines are welcome.
#[must_use]
pub(crate) fn escape_control_except<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let is_escaped = |c: char| (is_hidden(c) || is_variation(c)) && !kept.contains(&c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut before = None;
    for c in text.chars() {
        let shows = is_variation(c) && before.is_some_and(is_symbol);
        if is_escaped(c) && !shows {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
        before = Some(c);
    }
    Cow::Owned(escaped)
}

/// The beginning of a text, escaped, and `…` where that is not all of it: what a stranger wrote may be megabytes. `most` is in bytes, before
/// they are escaped.
#[must_use]
pub(crate) fn beginning(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return escape_control(text);
    }
    Cow::Owned(format!("{}…", escape_control(&text[..text.floor_char_boundary(most)])))
}

/// Whether a terminal acts on a character, or shows nothing of it: control characters; those that change the order in which the others
/// read; and those that Unicode calls ignorable, with which two texts look the same that are not.
#[must_use]
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'  | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The characters that show a symbol as text, or in colour. They show nothing elsewhere.
fn is_variation(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

fn is_symbol(c: char) -> bool {
    !c.is_ascii() && !c.is_alphanumeric() && !is_hidden(c) && !is_variation(c)
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
    fn what_hides_or_reorders_text_is_spelled_out() {
        for c in "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}\u{2060}\u{206f}\u{feff}\u{ad}\u{e0001}\u{e0041}\u{e0100}\u{3164}".chars() {
            assert_eq!(escape_control(&format!("a{c}b")), format!("a\\u{{{:x}}}b", u32::from(c)));
        }
        assert_eq!(
            escape_control("⚠\u{fe0f} ok a\u{fe0f} \u{fe0f}\u{fe0f}"),
            "⚠\u{fe0f} ok a\\u{fe0f} \\u{fe0f}\\u{fe0f}"
        );
    }

    #[test]
    fn line_breaks_and_tabs_stay_when_asked() {
        assert_eq!(escape_control_except("a\n\tb\x1b", &['\n', '\t']), "a\n\tb\\u{1b}");
    }

    #[test]
    fn of_a_long_text_the_beginning_is_shown() {
        assert_eq!(beginning("a\tb", 3), r"a\tb");
        assert_eq!(beginning("a\tbc", 3), r"a\tb…");
        assert_eq!(beginning("aüb", 2), "a…");
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left_and_twice_is_once(text in any::<String>()) {
            let once = escape_control(&text).into_owned();
            prop_assert!(!once.contains(is_hidden));
            prop_assert_eq!(escape_control(&once), once.as_str());
        }
    }
}
