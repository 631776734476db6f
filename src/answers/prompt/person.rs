//! The person at the terminal, through a whole interview.

use super::list::List;
use super::{Escape, HIDDEN, Stop, Way, failure, option, question};
use crate::answers::interview::{Answered, Person, Question, Reply, Verdict};
use crate::diagnostic::Result;
use crate::placeholders::choice::Choice;
use crate::placeholders::{Answer, Kind, Placeholder};
use crate::terminal::beginning;

/// At most this much of an answer is shown again, in bytes.
const MAX_ANSWER: usize = 200;
/// The longest list of options that repeats all answers, in bytes.
const MAX_OPTIONS: usize = 1_000;

/// Somebody who reads the questions on the terminal.
#[derive(Debug, Default)]
pub struct AtTerminal {
    /// How many rows each answered question takes, of the last ones that nothing else is between or below.
    rows: Vec<usize>,
}

impl Person for AtTerminal {
    fn ask(&mut self, question: &Question<'_>) -> Result<Reply> {
        let escape = if question.answered.is_empty() { Escape::First } else { Escape::Back };
        let mut way = Way { escape, rows: 0, above: self.rows.last().copied().unwrap_or(0) };
        match self::question(question.placeholder, question.draft, &mut way) {
            Ok(answer) => {
                self.rows.push(way.rows);
                Ok(Reply::Answer(answer))
            }
            Err(Stop::Back) => {
                self.rows.pop();
                Ok(Reply::Back)
            }
            Err(stop) => {
                let skip = option(question.placeholder, None);
                Err(failure(&stop).help(how_to_go_on(question.answered, skip)).into())
            }
        }
    }

    fn review(&mut self, title: &str, answered: &[Answered]) -> Result<Verdict> {
        let mut labels = vec!["Yes".to_owned()];
        labels.extend(answered.iter().map(shown));
        let list = List {
            question: title,
            labels,
            values: Vec::new(),
            start: 0,
            hint: "enter to accept, or select an answer to change it",
            is_secret: false,
        };
        let mut way = Way { escape: Escape::Back, rows: 0, above: self.rows.last().copied().unwrap_or(0) };
        match list.one_or_first("yes", &mut way) {
            Ok(0) => Ok(Verdict::Accepted),
            Ok(entry) => {
                self.rows.clear();
                Ok(Verdict::Change(entry - 1))
            }
            Err(Stop::Back) => {
                self.rows.pop();
                Ok(Verdict::Back)
            }
            Err(stop) => Err(failure(&stop).help(how_to_go_on(answered, None)).into()),
        }
    }
}

/// A question and its answer in one line.
fn shown(answered: &Answered) -> String {
    let Answered { placeholder, answer } = answered;
    let answer = match answer {
        _ if placeholder.secret => HIDDEN.into(),
        Answer::Bool(true) => "yes".into(),
        Answer::Bool(false) => "no".into(),
        Answer::Array(items) if items.is_empty() => "none".into(),
        Answer::Array(items) => {
            let labels: Vec<&str> = items.iter().map(|item| label(placeholder, item)).collect();
            beginning(&labels.join(", "), MAX_ANSWER).into_owned()
        }
        Answer::Text(text) if text.is_empty() => "(empty)".into(),
        Answer::Text(text) => beginning(label(placeholder, text), MAX_ANSWER).into_owned(),
        answer @ Answer::Nested(_) => beginning(&answer.to_string(), MAX_ANSWER).into_owned(),
    };
    let question = placeholder.prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{} {answer}", beginning(&question, MAX_ANSWER))
}

/// What its question showed for an answer.
fn label<'a>(placeholder: &'a Placeholder, value: &'a str) -> &'a str {
    let (Kind::Choice { choices, .. } | Kind::Array { choices, .. }) = &placeholder.kind else { return value };
    choices.iter().find(|choice| choice.value == value).map_or(value, Choice::shown)
}

/// How not to lose what was answered so far; without that, how not to be asked the next time.
fn how_to_go_on(answered: &[Answered], skip: Option<String>) -> String {
    let given = answered.iter().filter(|it| !it.placeholder.secret);
    // Some of them alone would not keep the answers.
    let options: Option<Vec<String>> = given.map(|it| option(&it.placeholder, Some(&it.answer))).collect();
    let options = options.unwrap_or_default().join(" ");
    match skip {
        _ if !options.is_empty() && options.len() <= MAX_OPTIONS => {
            format!("run the command again; to keep the answers that you gave, add {options}")
        }
        Some(skip) => format!("run the command again to answer the questions; to skip this one, add {skip}"),
        None => "run the command again to answer the questions, or pass the answers in a --values-file".to_owned(),
    }
}
