//! One line of input: what is drawn around it, and what its keys do.

use super::buffer::Buffer;
use super::frame::Frame;
use super::screen::{Input, Screen};
use super::{Asked, Escape, FIRST, HIDDEN, Stop, Way, cancelled, shown, style};
use crate::terminal::{escape_control, escape_control_except};

/// A line of input: what it says, and who watches it.
pub(super) struct Line<'a> {
    /// Before the question.
    pub(super) prefix: [&'static str; 2],
    pub(super) question: &'a str,
    /// Shown before the line, and meant by an empty one.
    pub(super) default: Option<&'a str>,
    /// Shown in the line as long as that is empty.
    pub(super) faint: &'a str,
    /// What the line holds at first.
    pub(super) initial: &'a str,
    /// The effect of Enter and other keys.
    pub(super) hint: &'a str,
    /// What is said below the line about what is typed so far.
    pub(super) remark: &'a dyn Fn(&str) -> Option<String>,
    /// Says why a line is not an answer.
    pub(super) check: &'a dyn Fn(&str) -> Result<(), String>,
    /// What stays on the screen of a line.
    pub(super) answered: &'a dyn Fn(&str) -> String,
    /// Whether nothing of what is typed is shown.
    pub(super) is_hidden: bool,
}

impl<'a> Line<'a> {
    /// An empty line that is shown, without a default and a remark.
    pub(super) fn new(question: &'a str, hint: &'a str, check: &'a dyn Fn(&str) -> Result<(), String>) -> Self {
        Self {
            prefix: ["? ", "✔ "],
            question,
            default: None,
            faint: "",
            initial: "",
            hint,
            remark: &|_| None,
            check,
            answered: &|typed| escape_control(typed.trim_end_matches('\n')).into_owned(),
            is_hidden: false,
        }
    }

    /// Returns what was typed: nothing, where the default was accepted.
    pub(super) fn ask(&self, way: &mut Way) -> Asked<String> {
        let mut screen = Screen::open()?;
        let mut buffer = Buffer::new(if self.is_hidden { "" } else { self.initial });
        let mut problem = None;
        loop {
            screen.draw(&self.frame(&buffer, problem.as_deref(), way.escape))?;
            match Screen::input()? {
                Input::Submit => match (self.check)(buffer.text()) {
                    Ok(()) => {
                        let frame = self.last(&(self.answered)(buffer.text()), buffer.text().is_empty());
                        way.rows += screen.close(&frame)?;
                        return Ok(buffer.text().to_owned());
                    }
                    Err(reason) => {
                        problem = Some(reason);
                        // Nobody can correct what is not shown.
                        if self.is_hidden {
                            buffer = Buffer::default();
                        }
                    }
                },
                Input::Back if way.escape == Escape::First => problem = Some(FIRST.to_owned()),
                Input::Back if way.escape == Escape::Back => {
                    screen.erase(way.rows + way.above)?;
                    return Err(Stop::Back);
                }
                Input::Back | Input::Cancel => return self.cancelled(screen),
                Input::Key(key) if is_end(key) && buffer.text().is_empty() => return self.cancelled(screen),
                Input::Paste(text) => {
                    buffer.insert(&text);
                    problem = None;
                }
                Input::Key(key) if buffer.press(key) => problem = None,
                Input::Key(_) | Input::Resized => {}
            }
        }
    }

    fn cancelled<T>(&self, screen: Screen) -> Asked<T> {
        screen.close(&cancelled(self.question))?;
        Err(Stop::Cancelled)
    }

    fn asking(&self, prefix: &str) -> Frame {
        let mut frame = Frame::default();
        frame.text(prefix, style::PREFIX);
        if !self.question.is_empty() {
            frame.words(shown(self.question), style::PLAIN).words(" ", style::PLAIN);
        }
        frame
    }

    fn frame(&self, buffer: &Buffer, problem: Option<&str>, escape: Escape) -> Frame {
        let mut frame = self.asking(self.prefix[0]);
        if let Some(default) = self.default.filter(|default| !default.is_empty()) {
            frame.text(format!("({})", escape_control(default)), style::FAINT).words(" ", style::PLAIN);
        }
        let (before, after) = if self.is_hidden { ("", "") } else { buffer.halves() };
        let typed = |text: &str| escape_control_except(text, &['\n', '\t']).into_owned();
        frame.text(typed(before), style::PLAIN).cursor().text(typed(after), style::PLAIN);
        if buffer.text().is_empty() {
            frame.text(self.faint, style::FAINT);
        }
        let seen = if self.is_hidden { "" } else { buffer.text() };
        let remark = (self.remark)(seen);
        match (problem, &remark) {
            (Some(problem), _) => drop(frame.line().words(format!("✗ {}", escape_control(problem)), style::WRONG)),
            (None, Some(remark)) => drop(frame.line().words(format!("! {}", escape_control(remark)), style::PLAIN)),
            (None, None) => {}
        }
        frame.line().words(format!("[{}, {}]", self.hint, escape.hint()), style::HINT);
        frame
    }

    fn last(&self, answer: &str, is_default: bool) -> Frame {
        let mut frame = self.asking(self.prefix[1]);
        let answer = match self.default {
            _ if self.is_hidden => HIDDEN.into(),
            Some(default) if is_default && answer.is_empty() => escape_control(default),
            _ => answer.into(),
        };
        frame.text(answer, style::ANSWER);
        frame
    }
}

/// Ctrl-D: in an empty line, the end of all input.
pub(super) fn is_end(key: crossterm::event::KeyEvent) -> bool {
    use crossterm::event::{KeyCode, KeyModifiers};
    key.code == KeyCode::Char('d') && key.modifiers == KeyModifiers::CONTROL
}
