//! A list to choose from: one of its entries, or some.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthStr as _;

use super::buffer::Buffer;
use super::frame::Frame;
use super::line::is_end;
use super::screen::{Input, Screen, size};
use super::{Asked, Escape, FIRST, HIDDEN, Stop, Way, cancelled, shown, style};
use crate::terminal::escape_control_except;

/// Rows that a list takes at most.
const MAX_PAGE: usize = 12;

/// A list, and what is said about it.
pub(super) struct List<'a> {
    pub(super) question: &'a str,
    /// The entries as they are shown.
    pub(super) labels: Vec<String>,
    /// The answers that they stand for, which are looked through as well.
    pub(super) values: Vec<&'a str>,
    /// The entry that the cursor is on at first.
    pub(super) start: usize,
    /// The hint that explains the keys.
    pub(super) hint: &'a str,
    /// Whether what was chosen does not stay on the screen.
    pub(super) is_secret: bool,
}

/// Where a person is in a list.
#[derive(Default)]
struct State {
    filter: Buffer,
    /// The entries that hold the filter.
    found: Vec<usize>,
    /// The place in `found`.
    cursor: usize,
    /// The entries that are chosen, where several can be.
    chosen: Option<BTreeSet<usize>>,
}

impl List<'_> {
    /// Asks for one entry; returns its index.
    pub(super) fn one(&self, way: &mut Way) -> Asked<usize> {
        let (screen, state) = self.ask(None, way)?;
        // Nothing is submitted without an entry.
        let picked = state.found[state.cursor];
        way.rows += screen.close(&self.last(&self.labels[picked]))?;
        Ok(picked)
    }

    /// The same, but leaves nothing on the screen unless the first entry was chosen.
    pub(super) fn one_or_first(&self, first: &str, way: &mut Way) -> Asked<usize> {
        let (screen, state) = self.ask(None, way)?;
        match state.found[state.cursor] {
            0 => way.rows += screen.close(&self.last(first))?,
            _ => screen.erase(0)?,
        }
        Ok(state.found[state.cursor])
    }

    /// Asks for any number of entries; returns their indices.
    pub(super) fn some(&self, chosen: BTreeSet<usize>, way: &mut Way) -> Asked<BTreeSet<usize>> {
        let (screen, state) = self.ask(Some(chosen), way)?;
        let chosen = state.chosen.unwrap_or_default();
        let labels: Vec<&str> = chosen.iter().map(|index| self.labels[*index].as_str()).collect();
        way.rows += screen.close(&self.last(&labels.join(", ")))?;
        Ok(chosen)
    }

    fn ask(&self, chosen: Option<BTreeSet<usize>>, way: &Way) -> Asked<(Screen, State)> {
        let mut screen = Screen::open()?;
        let found = (0..self.labels.len()).collect();
        let mut state = State { filter: Buffer::default(), found, cursor: self.start, chosen };
        let mut remark = None;
        loop {
            screen.draw(&self.frame(&state, way.escape, remark.take()))?;
            match Screen::input()? {
                Input::Submit if state.chosen.is_some() || !state.found.is_empty() => return Ok((screen, state)),
                Input::Back if way.escape == Escape::First => remark = Some(FIRST),
                Input::Back if way.escape == Escape::Back => {
                    screen.erase(way.rows + way.above)?;
                    return Err(Stop::Back);
                }
                Input::Back | Input::Cancel => return self.cancelled(screen),
                Input::Key(key) if is_end(key) && state.filter.text().is_empty() => return self.cancelled(screen),
                Input::Key(key) => self.press(key, &mut state),
                Input::Paste(text) => {
                    state.filter.insert(text.lines().next().unwrap_or_default());
                    self.filter(&mut state);
                }
                Input::Submit | Input::Resized => {}
            }
        }
    }

    fn cancelled<T>(&self, screen: Screen) -> Asked<T> {
        screen.close(&cancelled(self.question))?;
        Err(Stop::Cancelled)
    }

    fn press(&self, key: KeyEvent, state: &mut State) {
        let is_control = key.modifiers == KeyModifiers::CONTROL;
        let last = state.found.len().saturating_sub(1);
        let page = self.page();
        match key.code {
            KeyCode::Up => state.cursor = state.cursor.checked_sub(1).unwrap_or(last),
            KeyCode::Char('p') if is_control => state.cursor = state.cursor.checked_sub(1).unwrap_or(last),
            KeyCode::Down => state.cursor = if state.cursor >= last { 0 } else { state.cursor + 1 },
            KeyCode::Char('n') if is_control => state.cursor = if state.cursor >= last { 0 } else { state.cursor + 1 },
            KeyCode::PageUp => state.cursor = state.cursor.saturating_sub(page),
            KeyCode::PageDown => state.cursor = (state.cursor + page).min(last),
            KeyCode::Home => state.cursor = 0,
            KeyCode::End => state.cursor = last,
            code => match (&mut state.chosen, code) {
                (Some(chosen), KeyCode::Char(' ')) => {
                    if let Some(&at) = state.found.get(state.cursor)
                        && !chosen.remove(&at)
                    {
                        chosen.insert(at);
                    }
                }
                (Some(chosen), KeyCode::Right) => chosen.extend(&state.found),
                (Some(chosen), KeyCode::Left) => chosen.retain(|at| !state.found.contains(at)),
                _ => {
                    if state.filter.press(key) {
                        self.filter(state);
                    }
                }
            },
        }
    }

    /// The entries that hold the filter, in any case, in their order.
    fn filter(&self, state: &mut State) {
        let filter = state.filter.text().to_lowercase();
        let contains = |text: &str| text.to_lowercase().contains(&filter);
        let holds =
            |at: &usize| contains(&self.labels[*at]) || self.values.get(*at).is_some_and(|value| contains(value));
        let found: Vec<usize> = (0..self.labels.len()).filter(holds).collect();
        if found != state.found {
            state.found = found;
            state.cursor = 0;
        }
    }

    fn frame(&self, state: &State, escape: Escape, remark: Option<&str>) -> Frame {
        let mut frame = Frame::default();
        frame.text("? ", style::PREFIX).words(shown(self.question), style::PLAIN).words(" ", style::PLAIN);
        let (before, after) = state.filter.halves();
        let typed = |text: &str| escape_control_except(text, &[]).into_owned();
        frame.text(typed(before), style::PLAIN).cursor().text(typed(after), style::PLAIN);
        let page = self.page();
        let total = state.found.len();
        let start = state.cursor.saturating_sub(page / 2).min(total.saturating_sub(page));
        for (place, &at) in state.found.iter().enumerate().skip(start).take(page) {
            let is_here = place == state.cursor;
            let mark = match () {
                () if is_here => "> ",
                () if place == start && start > 0 => "^ ",
                () if place + 1 == start + page && place + 1 < total => "v ",
                () => "  ",
            };
            let style = if is_here { style::ANSWER } else { style::PLAIN };
            frame.line().text(mark, style);
            if let Some(chosen) = &state.chosen {
                frame.text(if chosen.contains(&at) { "[x] " } else { "[ ] " }, style);
            }
            frame.text(self.labels[at].as_str(), style);
        }
        if let Some(remark) = remark {
            frame.line().words(format!("✗ {remark}"), style::WRONG);
        }
        frame.line().words(format!("[{}, {}]", self.hint, escape.hint()), style::HINT);
        frame
    }

    fn last(&self, answer: &str) -> Frame {
        let mut frame = Frame::default();
        frame.text("✔ ", style::PREFIX).words(shown(self.question), style::PLAIN).words(" ", style::PLAIN);
        frame.words(if self.is_secret { HIDDEN } else { answer }, style::ANSWER);
        frame
    }

    /// How many entries fit on the screen below the question: a list that is taller could not be redrawn in place.
    fn page(&self) -> usize {
        let (columns, rows) = size();
        let most = columns.saturating_sub(1).max(2);
        let height = |text: &str, margin: usize| (text.width() + margin).div_ceil(most).max(1);
        // A row that breaks between words may hold half of what it could.
        let asked: usize = shown(self.question).lines().map(|line| height(line, 4)).sum();
        let hint = height(self.hint, 40) + 1;
        let tallest = self.labels.iter().map(|label| height(label, 6)).max().unwrap_or(1);
        (rows.saturating_sub(asked + hint) / tallest).clamp(1, MAX_PAGE)
    }
}
