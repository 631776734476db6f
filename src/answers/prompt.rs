//! \[edge\] The questions at the terminal. Everything is drawn on standard error, so that standard output holds results alone.

mod buffer;
mod editor;
mod frame;
mod line;
mod list;
mod person;
mod screen;
mod text;

use std::collections::{BTreeSet, HashMap};
use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};

use self::frame::Frame;
use self::line::Line;
use self::list::List;
pub use self::person::AtTerminal;
use super::given;
use crate::diagnostic::{self, Code, Diagnostic};
use crate::placeholders::choice::{Choice, values};
use crate::placeholders::{Answer, Input, Kind, Placeholder};
use crate::terminal::{escape_control, escape_control_except};

/// The text in place of a secret answer.
const HIDDEN: &str = "********";

/// Whether a person may be there all the same: where input or messages are a terminal's.
#[must_use]
pub fn is_watched() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}

/// Whether somebody can be asked: standard input and standard error are a terminal that can move its cursor.
#[must_use]
pub fn possible() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdin().is_terminal() && io::stderr().is_terminal() && !dumb
}

/// The effect of Esc and Shift-Tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// They go back to the previous question.
    Back,
    /// Nothing: this is the first question.
    First,
    /// They cancel, as Ctrl-C does: a question that is on its own.
    Cancel,
}

impl Escape {
    /// The end of every hint.
    fn hint(self) -> &'static str {
        match self {
            Self::Back => "esc or shift-tab to go back",
            Self::First => "ctrl-c to cancel",
            Self::Cancel => "esc to cancel",
        }
    }
}

/// The hint after Esc at the first question.
const FIRST: &str = "this is the first question; ctrl-c cancels";

/// The way from one question to the others.
#[derive(Debug)]
struct Way {
    escape: Escape,
    /// How many rows of the terminal the answered question takes.
    rows: usize,
    /// How many rows go as well when the user goes back: those of the question before.
    above: usize,
}

impl Way {
    /// Of a question that is on its own.
    fn alone() -> Self {
        Self { escape: Escape::Cancel, rows: 0, above: 0 }
    }
}

/// Why a question has no answer.
#[derive(Debug)]
enum Stop {
    /// The user goes back to the previous question.
    Back,
    Cancelled,
    Terminal(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Terminal(error)
    }
}

type Asked<T> = Result<T, Stop>;

/// Asks a question that is on its own, and asks again until the answer is one that [`Placeholder::parse`] takes, too.
///
/// Enter alone gives the default.
///
/// # Errors
///
/// The user cancelled with Ctrl-C or Esc, or the terminal failed.
pub fn ask(placeholder: &Placeholder) -> diagnostic::Result<Answer> {
    question(placeholder, None, &mut Way::alone()).map_err(|stop| {
        let skip = match option(placeholder, None) {
            Some(option) => format!("add {option}"),
            None => "put its answer in a --values-file".to_owned(),
        };
        let help = format!("run the command again to answer the questions again; to skip this one, {skip}");
        failure(&stop).help(help).into()
    })
}

/// Asks for one answer. `draft` is the one that was given before.
fn question(placeholder: &Placeholder, draft: Option<&Answer>, way: &mut Way) -> Asked<Answer> {
    match &placeholder.kind {
        Kind::Text { input: Input::Line, .. } => text::line(placeholder, draft, way),
        Kind::Text { input: Input::Lines, .. } => text::lines(placeholder, draft, None, way),
        // An editor keeps copies of what it edits.
        Kind::Text { input: Input::Editor, .. } if placeholder.secret => text::lines(placeholder, draft, None, way),
        Kind::Text { input: Input::Editor, .. } => editor::edited(placeholder, draft, way),
        Kind::Choice { choices, default } => {
            let start = draft.and_then(as_text).or(default.as_deref());
            one_of(placeholder, choices, start, way)
        }
        Kind::Bool { default } if placeholder.secret => {
            text::hidden_yes_or_no(placeholder, draft.and_then(as_bool), *default, way).map(Answer::Bool)
        }
        Kind::Bool { default } => {
            let default = draft.and_then(as_bool).or(*default);
            confirmed(&placeholder.prompt, default, way).map(Answer::Bool)
        }
        Kind::Array { choices, default } => some_of(placeholder, choices, default.as_deref(), draft, way),
    }
}

/// Asks a question of our own, answered by yes or no.
///
/// # Errors
///
/// The user cancelled with Ctrl-C or Esc, or the terminal failed.
pub fn confirm(question: &str, default: bool) -> diagnostic::Result<bool> {
    confirmed(question, Some(default), &mut Way::alone())
        .map_err(|stop| failure(&stop).help("run the command again to answer the questions again").into())
}

/// The message for an answer that is neither.
const YES_OR_NO: &str = "type y or n";

fn yes_or_no(typed: &str) -> Option<bool> {
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" | "true" => Some(true),
        "n" | "no" | "false" => Some(false),
        _ => None,
    }
}

fn confirmed(question: &str, default: Option<bool>, way: &mut Way) -> Asked<bool> {
    let read = |typed: &str| if typed.trim().is_empty() { default } else { yes_or_no(typed) };
    let check = |typed: &str| read(typed).map(drop).ok_or_else(|| YES_OR_NO.to_owned());
    let line = Line {
        default: default.map(|yes| if yes { "Y/n" } else { "y/N" }),
        faint: default.map_or("y/n", |_| ""),
        answered: &|typed| if read(typed) == Some(true) { "yes".to_owned() } else { "no".to_owned() },
        ..Line::new(question, "y or n, then enter", &check)
    };
    let typed = line.ask(way)?;
    // The check has seen it.
    Ok(read(&typed).unwrap_or_default())
}

fn one_of(placeholder: &Placeholder, choices: &[Choice], start: Option<&str>, way: &mut Way) -> Asked<Answer> {
    let start = start.and_then(|start| choices.iter().position(|choice| choice.value == start));
    let list = List {
        question: &placeholder.prompt,
        labels: labels(choices),
        values: values(choices).collect(),
        start: start.unwrap_or(0),
        hint: "↑↓ to move, enter to select, type to filter",
        is_secret: placeholder.secret,
    };
    let picked = list.one(way)?;
    Ok(Answer::Text(choices[picked].value.clone()))
}

fn some_of(
    placeholder: &Placeholder,
    choices: &[Choice],
    default: Option<&[String]>,
    draft: Option<&Answer>,
    way: &mut Way,
) -> Asked<Answer> {
    if choices.is_empty() {
        return Ok(Answer::Array(Vec::new()));
    }
    let draft = match draft {
        Some(Answer::Array(items)) => Some(&items[..]),
        _ => None,
    };
    let list = List {
        question: &placeholder.prompt,
        labels: labels(choices),
        values: values(choices).collect(),
        start: 0,
        hint: "↑↓ to move, space to toggle, → all, ← none, enter to accept, type to filter",
        is_secret: placeholder.secret,
    };
    let picked = list.some(indices(choices, draft.or(default).unwrap_or_default()), way)?;
    // The default keeps its own order, so that Enter means what no prompt at all means.
    let as_it_was = [draft, default].into_iter().flatten().find(|items| indices(choices, items) == picked);
    Ok(Answer::Array(match as_it_was {
        Some(items) => items.to_vec(),
        None => picked.into_iter().map(|index| choices[index].value.clone()).collect(),
    }))
}

fn indices(choices: &[Choice], items: &[String]) -> BTreeSet<usize> {
    // Of equal choices, the first is meant.
    let places: HashMap<&str, usize> =
        choices.iter().enumerate().rev().map(|(at, choice)| (choice.value.as_str(), at)).collect();
    items.iter().filter_map(|item| places.get(item.as_str()).copied()).collect()
}

/// What a list shows of its choices: the same number of texts, in the same order.
fn labels(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(|choice| escape_control(choice.shown()).into_owned()).collect()
}

fn as_text(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Text(text) => Some(text),
        _ => None,
    }
}

fn as_bool(answer: &Answer) -> Option<bool> {
    match answer {
        Answer::Bool(value) => Some(*value),
        _ => None,
    }
}

/// A question, which may have several lines.
fn shown(text: &str) -> String {
    escape_control_except(text.trim_end(), &['\n']).into_owned()
}

/// The option that gives an answer in advance: this one, or some value. None where a command line cannot say it, or must not: other
/// users of the machine, and the shell's history, see it.
fn option(placeholder: &Placeholder, answer: Option<&Answer>) -> Option<String> {
    match answer {
        _ if placeholder.secret => None,
        None => given::some_option(&placeholder.name, "VALUE"),
        Some(answer) => given::option(&placeholder.name, answer),
    }
}

fn failure(stop: &Stop) -> Diagnostic {
    let title = match stop {
        Stop::Back | Stop::Cancelled => "cancelled; nothing was written".to_owned(),
        Stop::Terminal(error) => {
            format!("the terminal failed: {}; nothing was written", diagnostic::io_reason(error))
        }
    };
    Diagnostic::error(Code::PromptCancelled, title)
}

/// The draft of a cancelled question.
fn cancelled(question: &str) -> Frame {
    let mut frame = Frame::default();
    frame.text("? ", style::PREFIX).words(shown(question), style::PLAIN).words(" (cancelled)", style::WRONG);
    frame
}

/// The colours; what they say is said by words and symbols as well.
mod style {
    use super::{AnsiColor, Style};

    pub(super) const PLAIN: Style = Style::new();
    pub(super) const PREFIX: Style = AnsiColor::Green.on_default();
    pub(super) const ANSWER: Style = AnsiColor::Cyan.on_default();
    pub(super) const FAINT: Style = AnsiColor::BrightBlack.on_default();
    pub(super) const HINT: Style = AnsiColor::Cyan.on_default();
    pub(super) const WRONG: Style = AnsiColor::Red.on_default();
}
