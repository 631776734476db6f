//! The interactive edge: asks one question at the terminal. Everything is drawn on standard error, so that standard output
//! holds results alone.

mod text;

use std::collections::{BTreeSet, HashMap};
use std::io::{self, IsTerminal as _};

use inquire::error::InquireResult;
use inquire::ui::{RenderConfig, StyleSheet, Styled};
use inquire::{Confirm, InquireError, MultiSelect, Select};

use super::placeholder::{Answer, Input, Kind, Placeholder};
use crate::diagnostic::{self, Code, Diagnostic};
use crate::shell;
use crate::terminal::{escape_control, escape_control_except};

/// Rows that a list of choices takes at most.
const MAX_PAGE: usize = 12;
/// What stands for an answer that is secret, once it is given.
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

/// Asks for one answer, and asks again until it is one that [`Placeholder::parse`] takes, too.
///
/// Enter alone gives the default.
///
/// # Errors
///
/// The user cancelled with Ctrl-C or Esc, or the terminal failed.
pub fn ask(placeholder: &Placeholder) -> diagnostic::Result<Answer> {
    match &placeholder.kind {
        Kind::Text { input: Input::Line, .. } => text::line(placeholder),
        Kind::Text { input: Input::Lines, .. } => text::lines(placeholder, None),
        // An editor keeps copies of what it edits.
        Kind::Text { input: Input::Editor, .. } if placeholder.secret => text::lines(placeholder, None),
        Kind::Text { input: Input::Editor, .. } => text::editor(placeholder),
        Kind::Choice { choices, default } => choice(placeholder, choices, default.as_deref()),
        Kind::Bool { default } if placeholder.secret => text::hidden_yes_or_no(placeholder, *default).map(Answer::Bool),
        Kind::Bool { default } => confirmed(&placeholder.prompt, *default).map(Answer::Bool),
        Kind::Array { choices, default } => some_of(placeholder, choices, default.as_deref()),
    }
    .map_err(|error| {
        let how = if placeholder.secret {
            // Other users of the machine, and the shell's history, see a command line.
            "in a --values-file".to_owned()
        } else {
            format!("-d {}", shell::quoted(&format!("{}=VALUE", placeholder.name)))
        };
        failure(&error).help(format!("an answer given beforehand is not asked for: {how}")).into()
    })
}

/// Asks a question of our own, answered by yes or no.
///
/// # Errors
///
/// The user cancelled with Ctrl-C or Esc, or the terminal failed.
pub fn confirm(question: &str, default: bool) -> diagnostic::Result<bool> {
    confirmed(question, Some(default))
        .map_err(|error| failure(&error).help("run the command again to be asked again").into())
}

/// What is said of an answer that is neither.
const YES_OR_NO: &str = "type y or n";

fn yes_or_no(typed: &str) -> Result<bool, ()> {
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" | "true" => Ok(true),
        "n" | "no" | "false" => Ok(false),
        _ => Err(()),
    }
}

fn confirmed(question: &str, default: Option<bool>) -> InquireResult<bool> {
    let question = shown(question);
    let mut prompt = Confirm::new(&question)
        .with_parser(&yes_or_no)
        .with_error_message(YES_OR_NO)
        .with_formatter(&|yes| if yes { "yes" } else { "no" }.into())
        .with_default_value_formatter(&|yes| if yes { "Y/n" } else { "y/N" }.into())
        .with_placeholder("y/n")
        .with_render_config(theme());
    prompt.default = default;
    if default.is_some() {
        prompt.placeholder = None;
    }
    prompt.prompt()
}

fn choice(placeholder: &Placeholder, choices: &[String], default: Option<&str>) -> InquireResult<Answer> {
    let question = shown(&placeholder.prompt);
    let start = default.and_then(|default| choices.iter().position(|choice| choice == default));
    let mut prompt = Select::new(&question, shown_choices(choices))
        .with_starting_cursor(start.unwrap_or(0))
        .with_page_size(page_size(&question, choices))
        .with_scorer(&|filter, _, shown, index| score(filter, shown, index))
        .with_help_message("↑↓ to move, enter to select, type to filter")
        .with_render_config(theme());
    if placeholder.secret {
        prompt.formatter = &|_| HIDDEN.to_owned();
    }
    let picked = prompt.raw_prompt()?;
    Ok(Answer::Text(choices[picked.index].clone()))
}

fn some_of(placeholder: &Placeholder, choices: &[String], default: Option<&[String]>) -> InquireResult<Answer> {
    if choices.is_empty() {
        return Ok(Answer::Array(Vec::new()));
    }
    let question = shown(&placeholder.prompt);
    let preselected = indices(choices, default.unwrap_or_default());
    let start: Vec<usize> = preselected.iter().copied().collect();
    let mut prompt = MultiSelect::new(&question, shown_choices(choices))
        .with_default(&start)
        .with_page_size(page_size(&question, choices))
        .with_scorer(&|filter, _, shown, index| score(filter, shown, index))
        .with_help_message("↑↓ to move, space to toggle, → all, ← none, enter to accept, type to filter")
        .with_render_config(theme());
    if placeholder.secret {
        prompt.formatter = &|_| HIDDEN.to_owned();
    }
    let picked = prompt.raw_prompt()?;
    let picked: BTreeSet<usize> = picked.into_iter().map(|option| option.index).collect();
    Ok(Answer::Array(match default {
        // The default keeps its own order, so that Enter means what no prompt at all means.
        Some(default) if picked == preselected => default.to_vec(),
        _ => picked.into_iter().map(|index| choices[index].clone()).collect(),
    }))
}

fn indices(choices: &[String], items: &[String]) -> BTreeSet<usize> {
    // Of equal choices, the first is meant.
    let places: HashMap<&str, usize> =
        choices.iter().enumerate().rev().map(|(at, choice)| (choice.as_str(), at)).collect();
    items.iter().filter_map(|item| places.get(item.as_str()).copied()).collect()
}

/// The choices that hold the filter, in any case, in the order of the template.
fn score(filter: &str, shown: &str, index: usize) -> Option<i64> {
    let holds = shown.to_lowercase().contains(&filter.to_lowercase());
    holds.then(|| i64::try_from(index).map_or(i64::MIN, |index| -index))
}

/// How many choices fit on the screen below the question: a list that is taller could not be redrawn in place.
fn page_size(question: &str, choices: &[String]) -> usize {
    let (columns, rows) = terminal_size::terminal_size_of(io::stderr())
        .map_or((80, 24), |(width, height)| (usize::from(width.0.max(1)), usize::from(height.0.max(1))));
    let height = |text: &str, margin: usize| (text.chars().count() + margin).div_ceil(columns).max(1);
    let asked: usize = question.lines().map(|line| height(line, 4)).sum();
    let tallest = choices.iter().map(|choice| height(choice, 6)).max().unwrap_or(1);
    (rows.saturating_sub(asked + 3) / tallest).clamp(1, MAX_PAGE)
}

/// A question, which may have several lines.
fn shown(text: &str) -> String {
    escape_control_except(text.trim_end(), &['\n']).into_owned()
}

fn shown_choices(choices: &[String]) -> Vec<String> {
    choices.iter().map(|choice| escape_control(choice).into_owned()).collect()
}

/// Symbols that say the same with and without colour; the colour follows `NO_COLOR` and its relatives.
fn theme() -> RenderConfig<'static> {
    let plain = anstream::AutoStream::choice(&io::stderr()) == anstream::ColorChoice::Never;
    let mut theme = if plain { RenderConfig::empty() } else { RenderConfig::default_colored() };
    theme.answered_prompt_prefix.content = "✔";
    theme.error_message.prefix.content = "✗";
    theme.canceled_prompt_indicator.content = "(cancelled)";
    theme
}

/// The theme of a list that cannot be chosen from: remarks below a line of text.
fn remarks(theme: RenderConfig<'static>) -> RenderConfig<'static> {
    let prefix = Styled { content: "!", style: theme.error_message.prefix.style };
    RenderConfig {
        highlighted_option_prefix: prefix,
        unhighlighted_option_prefix: prefix,
        option: StyleSheet::empty(),
        selected_option: None,
        ..theme
    }
}

fn failure(error: &InquireError) -> Diagnostic {
    let title = match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            "cancelled; nothing was written".to_owned()
        }
        InquireError::NotTTY => "cannot ask here: standard input is no terminal".to_owned(),
        other => format!("the terminal failed: {other}; nothing was written"),
    };
    Diagnostic::error(Code::PromptCancelled, title)
}
