//! A line of text that is being edited, with the keys of readline. Pure: keys in, text and cursor out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation as _;

/// A text and the cursor in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffer {
    text: String,
    /// In bytes, between two characters as a reader sees them.
    cursor: usize,
    /// The text that was cut last, for Ctrl-Y.
    cut: String,
}

impl Buffer {
    /// A text with the cursor at its end.
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len(), cut: String::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text before and after the cursor.
    pub(super) fn halves(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Inserts a text at the cursor.
    pub(super) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        self.settle();
    }

    /// Puts the cursor after the character that it is in: what is typed may join its neighbours, and so may what is left beside something
    /// that was removed.
    fn settle(&mut self) {
        let mut starts = self.text.grapheme_indices(true).map(|(at, _)| at);
        self.cursor = starts.find(|at| *at >= self.cursor).unwrap_or(self.text.len());
    }

    /// Does what readline does for a key. Returns whether the key means anything here.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let is_known = self.change(key);
        self.settle();
        is_known
    }

    fn change(&mut self, key: KeyEvent) -> bool {
        let has = |modifier| key.modifiers.contains(modifier);
        // AltGr is Ctrl and Alt together on Windows: it types.
        let is_typed = has(KeyModifiers::CONTROL) == has(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char(c) if is_typed => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Char(c) if has(KeyModifiers::CONTROL) => return self.control(c.to_ascii_lowercase()),
            KeyCode::Char(c) => return self.alt(c.to_ascii_lowercase()),
            KeyCode::Backspace if !is_typed => self.cut(self.word_before(char::is_alphanumeric), self.cursor),
            KeyCode::Backspace => self.remove(self.before(), self.cursor),
            KeyCode::Delete if !is_typed => self.cut(self.cursor, self.word_after()),
            KeyCode::Delete => self.remove(self.cursor, self.after()),
            KeyCode::Left if !is_typed => self.cursor = self.word_before(char::is_alphanumeric),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right if !is_typed => self.cursor = self.word_after(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn control(&mut self, letter: char) -> bool {
        match letter {
            'a' => self.cursor = 0,
            'b' => self.cursor = self.before(),
            'd' => self.remove(self.cursor, self.after()),
            'e' => self.cursor = self.text.len(),
            'f' => self.cursor = self.after(),
            'h' => self.remove(self.before(), self.cursor),
            'k' => self.cut(self.cursor, self.text.len()),
            'u' => self.cut(0, self.cursor),
            'w' => self.cut(self.word_before(|c| !c.is_whitespace()), self.cursor),
            'y' => {
                let cut = self.cut.clone();
                self.insert(&cut);
            }
            _ => return false,
        }
        true
    }

    fn alt(&mut self, letter: char) -> bool {
        match letter {
            'b' => self.cursor = self.word_before(char::is_alphanumeric),
            'd' => self.cut(self.cursor, self.word_after()),
            'f' => self.cursor = self.word_after(),
            _ => return false,
        }
        true
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.cursor + self.text[self.cursor..].graphemes(true).next().map_or(0, str::len)
    }

    /// The start of the word before the cursor.
    fn word_before(&self, is_in_word: impl Fn(char) -> bool) -> usize {
        let before = self.text[..self.cursor].trim_end_matches(|c| !is_in_word(c));
        before.trim_end_matches(is_in_word).len()
    }

    /// The end of the word after the cursor.
    fn word_after(&self) -> usize {
        let after = self.text[self.cursor..].trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - after.trim_start_matches(char::is_alphanumeric).len()
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn cut(&mut self, from: usize, to: usize) {
        if from < to {
            self.text[from..to].clone_into(&mut self.cut);
            self.remove(from, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;

    fn control(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
    }

    fn alt(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::ALT)
    }

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, NONE)
    }

    /// The text after these keys, with `|` for the cursor.
    fn after(text: &str, keys: &[KeyEvent]) -> String {
        let mut buffer = Buffer::new(text);
        keys.iter().for_each(|key| assert!(buffer.press(*key), "{key:?}"));
        let (before, after) = buffer.halves();
        format!("{before}|{after}")
    }

    #[test]
    fn each_key_does_what_it_does_in_readline() {
        for (keys, expected) in [
            (&[control('a')][..], "|my own-shop"),
            (&[control('a'), control('e')], "my own-shop|"),
            (&[key(KeyCode::Home), key(KeyCode::Right), control('f')], "my| own-shop"),
            (&[key(KeyCode::Left), control('b')], "my own-sh|op"),
            (&[alt('b')], "my own-|shop"),
            (&[alt('b'), alt('b')], "my |own-shop"),
            (&[control('a'), alt('f')], "my| own-shop"),
            (&[control('a'), alt('f'), alt('f')], "my own|-shop"),
            (&[control('w')], "my |"),
            (&[alt('b'), control('u')], "|shop"),
            (&[alt('b'), control('k')], "my own-|"),
            (&[control('u'), control('y'), control('y')], "my own-shopmy own-shop|"),
            (&[control('a'), alt('d')], "| own-shop"),
            (&[KeyEvent::new(KeyCode::Backspace, KeyModifiers::ALT)], "my own-|"),
            (&[control('a'), key(KeyCode::Delete), control('d')], "| own-shop"),
            (&[key(KeyCode::Backspace), control('h')], "my own-sh|"),
            (&[KeyEvent::new(KeyCode::Left, KeyModifiers::CONTROL)], "my own-|shop"),
            (&[key(KeyCode::Home), KeyEvent::new(KeyCode::Right, KeyModifiers::ALT)], "my| own-shop"),
            (&[key(KeyCode::Home), key(KeyCode::End), key(KeyCode::Char('!'))], "my own-shop!|"),
        ] {
            assert_eq!(after("my own-shop", keys), expected, "{keys:?}");
        }
    }

    #[test]
    fn other_keys_type_nothing() {
        for key in [control('g'), alt('x'), key(KeyCode::Tab), key(KeyCode::F(1))] {
            let mut buffer = Buffer::new("a");
            assert!(!buffer.press(key), "{key:?}");
            assert_eq!(buffer.text(), "a");
        }
        let alt_gr = KeyEvent::new(KeyCode::Char('@'), KeyModifiers::CONTROL | KeyModifiers::ALT);
        assert_eq!(after("a", &[alt_gr]), "a@|");
    }

    #[test]
    fn a_character_of_several_is_one() {
        assert_eq!(after("a日e\u{301}", &[key(KeyCode::Backspace)]), "a日|");
        assert_eq!(after("a日e\u{301}", &[key(KeyCode::Left), key(KeyCode::Left)]), "a|日e\u{301}");
    }

    proptest! {
        #[test]
        fn the_cursor_stays_between_characters(text in "\\PC{0,12}", keys in proptest::collection::vec((0_u8..12, any::<char>()), 0..30)) {
            let mut buffer = Buffer::new(&text);
            for (kind, c) in keys {
                let code = match kind {
                    0 => KeyCode::Left,
                    1 => KeyCode::Right,
                    2 => KeyCode::Backspace,
                    3 => KeyCode::Delete,
                    _ => KeyCode::Char(c),
                };
                let modifiers = [NONE, KeyModifiers::CONTROL, KeyModifiers::ALT][usize::from(kind) % 3];
                buffer.press(KeyEvent::new(code, modifiers));
                let ends = buffer.text().grapheme_indices(true).map(|(at, _)| at).chain([buffer.text().len()]);
                prop_assert!(ends.into_iter().any(|at| at == buffer.cursor), "{buffer:?}");
            }
        }
    }
}
