//! A question of the template, and what counts as an answer to it.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use super::condition::Condition;
use super::pattern::{Pattern, TooLong};
use crate::diagnostic::{did_you_mean, listed};
use crate::manifest::Spanned;

/// A question that the manifest declares under `[placeholders]`.
#[derive(Debug, Clone)]
pub struct Placeholder {
    /// The variable that the answer is bound to.
    pub name: String,
    /// The question as the template's author wrote it.
    pub prompt: String,
    /// What kind of answer it takes.
    pub kind: Kind,
    /// Whether no message may show an answer.
    pub secret: bool,
    /// What follows from the answers before it.
    pub depends: Depends,
    /// Where the manifest declares it, in bytes of its text.
    pub span: Range<usize>,
}

/// What of a [`Placeholder`] follows from the answers to earlier questions.
#[derive(Debug, Clone, Default)]
pub struct Depends {
    /// Liquid that renders to the default, instead of the one in [`Kind`].
    pub default: Option<Spanned>,
    /// When the question is asked; always, if there is no condition.
    pub when: Option<When>,
}

/// The condition of a question.
#[derive(Debug, Clone)]
pub struct When {
    /// The same, read.
    pub condition: Condition,
    /// As the author wrote it, and where.
    pub expression: Spanned,
}

/// What kind of answer a [`Placeholder`] takes.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `type = "string"`, `"text"` or `"editor"`: free text.
    Text {
        /// How it is asked for.
        input: Input,
        /// Used when nobody answers.
        default: Option<String>,
        /// What the answer must match.
        regex: Option<Pattern>,
    },
    /// `type = "string"` with `choices`: one of them.
    Choice {
        /// The possible answers, never empty.
        choices: Vec<String>,
        /// Used when nobody answers; one of `choices`.
        default: Option<String>,
    },
    /// `type = "bool"`.
    Bool {
        /// Used when nobody answers.
        default: Option<bool>,
    },
    /// `type = "array"`: any number of `choices`.
    Array {
        /// The possible items.
        choices: Vec<String>,
        /// Used when nobody answers.
        default: Option<Vec<String>>,
    },
}

/// How free text is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// In the user's editor.
    Editor,
}

/// The value given to a [`Placeholder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Text, or one of several choices.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// Some of several choices, in the order in which they were given.
    Array(Vec<String>),
}

impl Answer {
    /// A recorded value as the answer that it is; nothing for a value of another type.
    #[must_use]
    pub fn of(value: toml::Value) -> Option<Self> {
        match value {
            toml::Value::String(text) => Some(Self::Text(text)),
            toml::Value::Boolean(value) => Some(Self::Bool(value)),
            toml::Value::Array(items) => {
                let texts = items.into_iter().map(|item| item.as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map(Self::Array)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Answer {
    /// The spelling that `-d` takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Array(items) => f.write_str(&items.join(",")),
        }
    }
}

/// Why a given value is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Completes "`VALUE` …".
    pub reason: String,
    /// What would be one.
    pub help: String,
}

impl Placeholder {
    /// The answer when nobody gives one.
    #[must_use]
    pub fn default(&self) -> Option<Answer> {
        match &self.kind {
            Kind::Text { default, .. } | Kind::Choice { default, .. } => default.clone().map(Answer::Text),
            Kind::Bool { default } => default.map(Answer::Bool),
            Kind::Array { default, .. } => default.clone().map(Answer::Array),
        }
    }

    /// The value of the variable where the question does not apply and has no default.
    #[must_use]
    pub fn empty(&self) -> Answer {
        match &self.kind {
            Kind::Text { .. } | Kind::Choice { .. } => Answer::Text(String::new()),
            Kind::Bool { .. } => Answer::Bool(false),
            Kind::Array { .. } => Answer::Array(Vec::new()),
        }
    }

    /// The same question with another default; an answer of another type is none.
    #[must_use]
    pub fn with_default(&self, answer: Option<Answer>) -> Self {
        let mut changed = self.clone();
        match (&mut changed.kind, answer) {
            (Kind::Text { default, .. } | Kind::Choice { default, .. }, answer) => {
                *default = match answer {
                    Some(Answer::Text(text)) => Some(text),
                    _ => None,
                };
            }
            (Kind::Bool { default }, Some(Answer::Bool(value))) => *default = Some(value),
            (Kind::Bool { default }, _) => *default = None,
            (Kind::Array { default, .. }, Some(Answer::Array(items))) => *default = Some(items),
            (Kind::Array { default, .. }, _) => *default = None,
        }
        changed
    }

    /// Reads an answer as `-d`, the environment and a values file give it: bools in any case, array items between commas.
    ///
    /// # Errors
    ///
    /// Says why the text is no answer, and what would be one; nothing of the text itself where it is secret.
    pub fn parse(&self, text: &str) -> Result<Answer, Rejection> {
        match &self.kind {
            Kind::Text { regex: None, .. } => Ok(Answer::Text(text.to_owned())),
            Kind::Text { regex: Some(regex), .. } => match regex.is_match(text) {
                Ok(true) => Ok(Answer::Text(text.to_owned())),
                Ok(false) => Err(Rejection {
                    reason: format!("does not match `{regex}`"),
                    help: format!("give a value that matches the regular expression `{regex}`"),
                }),
                Err(TooLong) => Err(Rejection {
                    reason: format!("is too long to be compared with `{regex}`"),
                    help: "give a shorter value".to_owned(),
                }),
            },
            Kind::Choice { choices, .. } if choices.iter().any(|choice| choice == text) => {
                Ok(Answer::Text(text.to_owned()))
            }
            Kind::Choice { choices, .. } => Err(self.not_one_of(text, choices, false)),
            Kind::Bool { .. } => match text.to_lowercase().as_str() {
                "true" => Ok(Answer::Bool(true)),
                "false" => Ok(Answer::Bool(false)),
                _ => Err(Rejection {
                    reason: "is neither `true` nor `false`".into(),
                    help: "use `true` or `false`".into(),
                }),
            },
            Kind::Array { choices, .. } => {
                let known: HashSet<&str> = choices.iter().map(String::as_str).collect();
                let items: Vec<&str> = text.split(',').filter(|item| !item.is_empty()).collect();
                match items.iter().find(|item| !known.contains(*item)) {
                    Some(item) => Err(self.not_one_of(item, choices, true)),
                    None => Ok(Answer::Array(items.into_iter().map(str::to_owned).collect())),
                }
            }
        }
    }

    fn not_one_of(&self, text: &str, choices: &[String], items: bool) -> Rejection {
        if choices.is_empty() {
            let item = if self.secret { String::new() } else { format!(" (`{text}`)") };
            let reason = format!("can have no item{item}: the placeholder has no choices");
            return Rejection { reason, help: "leave it empty, or add `choices` to the placeholder".into() };
        }
        let all = || choices.iter().map(String::as_str);
        let near = if self.secret { None } else { did_you_mean(text, all()) };
        Rejection {
            reason: match (items, self.secret) {
                (true, false) => format!("has the item `{text}`, which is not one of the choices"),
                (true, true) => "has an item that is not one of the choices".to_owned(),
                (false, _) => "is not one of the choices".to_owned(),
            },
            help: match near {
                Some(near) => format!("{near} The choices are {}", listed(all())),
                None => format!("the choices are {}", listed(all())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholder(kind: Kind) -> Placeholder {
        Placeholder {
            name: "x".into(),
            prompt: "?".into(),
            kind,
            secret: false,
            depends: Depends::default(),
            span: 0..0,
        }
    }

    #[test]
    fn bools_are_read_in_any_case() {
        let bool = placeholder(Kind::Bool { default: None });
        assert_eq!(bool.parse("True"), Ok(Answer::Bool(true)));
        assert_eq!(bool.parse("FALSE"), Ok(Answer::Bool(false)));
        assert!(bool.parse("yes").is_err());
    }

    #[test]
    fn arrays_are_read_between_commas_and_checked_item_by_item() {
        let array = placeholder(Kind::Array { choices: vec!["a".into(), "b".into()], default: None });
        assert_eq!(array.parse("b,a,"), Ok(Answer::Array(vec!["b".into(), "a".into()])));
        assert_eq!(array.parse(""), Ok(Answer::Array(vec![])));
        assert!(array.parse("a,c").unwrap_err().reason.contains("`c`"));
    }

    #[test]
    fn nothing_of_a_secret_is_in_what_is_said_of_it() {
        let choices = vec!["staging".to_owned(), "prod".to_owned()];
        let digits = Pattern::compile("^[0-9]+$", &Default::default()).unwrap();
        let kinds = [
            Kind::Text { input: Input::Line, default: None, regex: Some(digits) },
            Kind::Choice { choices: choices.clone(), default: None },
            Kind::Bool { default: None },
            Kind::Array { choices, default: None },
            Kind::Array { choices: Vec::new(), default: None },
        ];
        for kind in kinds {
            let said = |text| Placeholder { secret: true, ..placeholder(kind.clone()) }.parse(text).unwrap_err();
            // The nearest choice would say something of it, too.
            assert_eq!(said("hunter2"), said("stagin"), "{kind:?}");
        }
    }

    #[test]
    fn a_wrong_choice_lists_the_choices_and_the_nearest() {
        let choice = placeholder(Kind::Choice { choices: vec!["staging".into(), "prod".into()], default: None });
        let rejection = choice.parse("stagin").unwrap_err();
        assert!(rejection.help.contains("did you mean `staging`?"), "{rejection:?}");
        assert!(rejection.help.contains("`prod`"), "{rejection:?}");
    }
}
