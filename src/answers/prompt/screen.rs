//! \[edge\] The terminal below the text that is on it: keys in, frames out, all on standard error.

use std::io::{self, Write as _};
use std::time::Duration;

use anstyle::Style;
use crossterm::cursor::{Hide, MoveToColumn, MoveUp, Show};
use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
};
use crossterm::terminal::{Clear, ClearType, disable_raw_mode, enable_raw_mode};
use crossterm::{event, queue};

use super::frame::{Frame, Laid};
use crate::interrupt::{self, Watch};

/// How long a signal may wait while nobody presses a key.
const PAUSE: Duration = Duration::from_millis(100);

/// A person's actions.
#[derive(Debug)]
pub(super) enum Input {
    /// Enter.
    Submit,
    /// Esc, or Shift-Tab.
    Back,
    /// Ctrl-C, or a signal that ends the program.
    Cancel,
    /// Pasted text, with `\n` at the end of its lines.
    Paste(String),
    /// Every other key.
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
}

/// A frame on the terminal that is drawn again and again; whatever becomes of it, the terminal is as it was before.
#[derive(Debug)]
pub(super) struct Screen {
    drawn: Laid,
    /// A signal must not leave the terminal as it is for the questions.
    _watch: Watch,
    has_colours: bool,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        let watch = Watch::new();
        enable_raw_mode()?;
        let screen = Self { drawn: Laid::default(), _watch: watch, has_colours: has_colours() };
        put(|out| queue!(out, EnableBracketedPaste))?;
        Ok(screen)
    }

    /// Draws a frame in the place of the one before.
    pub(super) fn draw(&mut self, frame: &Frame) -> io::Result<()> {
        let (columns, rows) = size();
        let laid = frame.lay_out(columns).clipped(rows);
        let mut out = self.wiped()?;
        self.push(&mut out, &laid)?;
        let below = laid.rows.len() - 1 - laid.cursor.0;
        if below > 0 {
            queue!(out, MoveUp(cells(below)))?;
        }
        queue!(out, MoveToColumn(cells(laid.cursor.1)), Show)?;
        self.drawn = laid;
        put(|stderr| stderr.write_all(&out))
    }

    /// Draws the last frame, which stays. Returns how many rows it takes.
    pub(super) fn close(mut self, frame: &Frame) -> io::Result<usize> {
        let laid = frame.lay_out(size().0);
        let mut out = self.wiped()?;
        self.push(&mut out, &laid)?;
        out.extend(b"\r\n");
        queue!(out, Show)?;
        self.drawn = Laid::default();
        put(|stderr| stderr.write_all(&out)).map(|()| laid.rows.len())
    }

    /// Takes the frame off, and so many rows above it.
    pub(super) fn erase(mut self, above: usize) -> io::Result<()> {
        let mut out = self.wiped()?;
        if above > 0 {
            queue!(out, MoveUp(cells(above)), Clear(ClearType::FromCursorDown))?;
        }
        queue!(out, Show)?;
        self.drawn = Laid::default();
        put(|stderr| stderr.write_all(&out))
    }

    /// Waits for what a person does next.
    pub(super) fn input() -> io::Result<Input> {
        loop {
            if interrupt::is_caught() {
                return Ok(Input::Cancel);
            }
            if !event::poll(PAUSE)? {
                continue;
            }
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => return Ok(meaning(key)),
                Event::Paste(text) => return Ok(Input::Paste(text.replace("\r\n", "\n").replace('\r', "\n"))),
                Event::Resize(..) => return Ok(Input::Resized),
                _ => {}
            }
        }
    }

    /// Moves the cursor to the start of the last frame, and removes it.
    fn wiped(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        queue!(out, Hide, MoveToColumn(0))?;
        // In a terminal that has become narrower, a row may take several.
        let columns = size().0;
        let (row, column) = self.drawn.cursor;
        let above = self.drawn.rows.iter().take(row).map(|row| row.width.div_ceil(columns).max(1)).sum::<usize>();
        let above = above + column / columns;
        if above > 0 {
            queue!(out, MoveUp(cells(above)))?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        Ok(out)
    }

    fn push(&self, out: &mut Vec<u8>, laid: &Laid) -> io::Result<()> {
        for (at, row) in laid.rows.iter().enumerate() {
            if at > 0 {
                out.extend(b"\r\n");
            }
            for (text, style) in &row.texts {
                let style = if self.has_colours { *style } else { Style::new() };
                write!(out, "{style}{text}{style:#}")?;
            }
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The frame of a prompt that failed stays; what comes next begins below it.
        if !self.drawn.rows.is_empty() {
            let below = self.drawn.rows.len() - self.drawn.cursor.0;
            let _gone = put(|out| out.write_all("\r\n".repeat(below).as_bytes()));
        }
        let _gone = put(|out| queue!(out, DisableBracketedPaste, Show));
        let _gone = disable_raw_mode();
    }
}

fn meaning(key: KeyEvent) -> Input {
    let is_control = key.modifiers == KeyModifiers::CONTROL;
    match key.code {
        KeyCode::Enter => Input::Submit,
        KeyCode::Char('j' | 'm') if is_control => Input::Submit,
        KeyCode::Char('c' | 'C') if is_control => Input::Cancel,
        KeyCode::Esc | KeyCode::BackTab => Input::Back,
        _ => Input::Key(key),
    }
}

fn put(write: impl FnOnce(&mut io::StderrLock<'_>) -> io::Result<()>) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    write(&mut stderr)?;
    stderr.flush()
}

fn cells(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Columns and rows of the terminal.
pub(super) fn size() -> (usize, usize) {
    let known = terminal_size::terminal_size_of(io::stderr()).filter(|(columns, rows)| columns.0 > 0 && rows.0 > 0);
    known.map_or((80, 24), |(columns, rows)| (usize::from(columns.0), usize::from(rows.0)))
}

/// Whether colours are wanted: `NO_COLOR` and its relatives say so.
fn has_colours() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}
