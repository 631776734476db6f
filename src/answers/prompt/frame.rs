//! The layout of a prompt in rows that fit a terminal. Pure: texts and a width in, rows and the cursor's place out.

use anstyle::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The widest that a tab is drawn.
const TAB: &str = "    ";

/// Texts to draw, one after another. They hold nothing that a terminal acts on, but line breaks and tabs.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    /// Breaks between words.
    Words(String, Style),
    /// Breaks anywhere, and keeps every space.
    Text(String, Style),
    Cursor,
}

/// A row of the terminal.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Texts, each with its style.
    pub(super) texts: Vec<(String, Style)>,
    /// In columns.
    pub(super) width: usize,
}

/// Rows, and where the cursor is: its row and its column.
#[derive(Debug, Default)]
pub(super) struct Laid {
    pub(super) rows: Vec<Row>,
    pub(super) cursor: (usize, usize),
}

impl Frame {
    pub(super) fn words(&mut self, text: impl Into<String>, style: Style) -> &mut Self {
        self.pieces.push(Piece::Words(text.into(), style));
        self
    }

    pub(super) fn text(&mut self, text: impl Into<String>, style: Style) -> &mut Self {
        self.pieces.push(Piece::Text(text.into(), style));
        self
    }

    pub(super) fn cursor(&mut self) -> &mut Self {
        self.pieces.push(Piece::Cursor);
        self
    }

    /// Goes to the start of the next row.
    pub(super) fn line(&mut self) -> &mut Self {
        self.text("\n", Style::new())
    }

    /// Lays it out for a terminal of so many columns. The last one stays free: some terminals wrap as soon as it is filled.
    pub(super) fn lay_out(&self, columns: usize) -> Laid {
        let mut laid = Laid { rows: vec![Row::default()], cursor: (0, 0) };
        let most = columns.saturating_sub(1).max(2);
        for piece in &self.pieces {
            match piece {
                Piece::Words(text, style) => laid.words(text, *style, most),
                Piece::Text(text, style) => laid.text(text, *style, most),
                Piece::Cursor => laid.cursor = (laid.rows.len() - 1, laid.row().width),
            }
        }
        laid
    }
}

impl Laid {
    /// Of rows that are more than fit a terminal, those around the cursor.
    pub(super) fn clipped(mut self, height: usize) -> Self {
        if self.rows.len() > height {
            let start = self.cursor.0.saturating_sub(height / 2).min(self.rows.len() - height);
            self.rows = self.rows.drain(start..start + height).collect();
            self.cursor.0 -= start;
        }
        self
    }

    fn row(&mut self) -> &mut Row {
        if self.rows.is_empty() {
            self.rows.push(Row::default());
        }
        let last = self.rows.len() - 1;
        &mut self.rows[last]
    }

    fn words(&mut self, text: &str, style: Style, most: usize) {
        for token in text.split_inclusive([' ', '\n']) {
            let word = token.trim_end_matches([' ', '\n']);
            let width = word.width();
            let at = self.row().width;
            if at > 0 && at + width > most && width <= most {
                self.rows.push(Row::default());
            }
            self.text(word, style, most);
            match token[word.len()..].chars().next() {
                Some('\n') => self.rows.push(Row::default()),
                // A space at the end of a row is the break itself.
                Some(_) if self.row().width < most => self.text(" ", style, most),
                _ => {}
            }
        }
    }

    fn text(&mut self, text: &str, style: Style, most: usize) {
        for grapheme in text.graphemes(true) {
            let shown = match grapheme {
                "\n" | "\r\n" => {
                    self.rows.push(Row::default());
                    continue;
                }
                "\t" => TAB,
                other => other,
            };
            let width = shown.width();
            if self.row().width + width > most && self.row().width > 0 {
                self.rows.push(Row::default());
            }
            let row = self.row();
            row.width += width;
            match row.texts.last_mut() {
                Some((last, its)) if *its == style => last.push_str(shown),
                _ => row.texts.push((shown.to_owned(), style)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(laid: &Laid) -> Vec<String> {
        laid.rows.iter().map(|row| row.texts.iter().map(|(text, _)| text.as_str()).collect()).collect()
    }

    fn plain() -> Style {
        Style::new()
    }

    #[test]
    fn a_question_breaks_between_words_and_a_value_anywhere() {
        let mut frame = Frame::default();
        frame.words("What is it called? ", plain()).text("my own shop", plain()).cursor().text("!", plain());
        let laid = frame.lay_out(12);
        assert_eq!(rows(&laid), ["What is it ", "called? my ", "own shop!"]);
        assert_eq!(laid.cursor, (2, 8));
    }

    #[test]
    fn a_word_that_fits_no_row_is_broken() {
        let mut frame = Frame::default();
        frame.words("to abcdefghijklm end", plain());
        assert_eq!(rows(&frame.lay_out(7)), ["to abc", "defghi", "jklm ", "end"]);
    }

    #[test]
    fn a_wide_character_is_not_cut_in_two() {
        let mut frame = Frame::default();
        frame.text("a日本語", plain()).cursor();
        let laid = frame.lay_out(5);
        assert_eq!(rows(&laid), ["a日", "本語"]);
        assert_eq!(laid.cursor, (1, 4));
    }

    #[test]
    fn rows_around_the_cursor_are_kept() {
        let mut frame = Frame::default();
        frame.text("1\n2\n3\n4", plain()).cursor().text("\n5\n6", plain());
        let laid = frame.lay_out(10).clipped(3);
        assert_eq!((rows(&laid), laid.cursor), (["3", "4", "5"].map(str::to_owned).to_vec(), (1, 1)));
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_no_text_is_lost(words in "[a-c日 ]{0,40}", text in "[a-c日\u{301} ]{0,40}", columns in 3_usize..50) {
            let mut frame = Frame::default();
            frame.words(&*words, plain()).text(&*text, plain()).cursor();
            let laid = frame.lay_out(columns);
            prop_assert!(laid.rows.iter().all(|row| row.width < columns));
            prop_assert!(laid.cursor.0 < laid.rows.len() && laid.cursor.1 < columns);
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&rows(&laid).concat()), letters(&format!("{words}{text}")));
        }
    }
}
