//! A question of the template, and what counts as an answer to it.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use super::choice::{self, Choice};
use super::condition::Condition;
use super::pattern::{Pattern, TooLong};
use crate::diagnostic::{Facts, did_you_mean, listed};
use crate::spanned::Spanned;

/// A question that the manifest declares under `[placeholders]`.
#[derive(Debug, Clone)]
pub struct Placeholder {
    /// The variable that the answer is bound to.
    pub name: String,
    /// The question as the template's author wrote it.
    pub prompt: String,
    /// The kind of answer that it takes.
    pub kind: Kind,
    /// Whether no message may show an answer.
    pub secret: bool,
    /// The parts that depend on earlier answers.
    pub depends: Depends,
    /// The author's messages about right and wrong answers.
    pub wording: Wording,
    /// Where the manifest declares it, in bytes of its text.
    pub span: Range<usize>,
}

/// The author's messages about answers to a [`Placeholder`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// The message for an answer that does not match `regex`.
    pub invalid: Option<String>,
    /// An answer that does.
    pub example: Option<String>,
}

/// The parts of a [`Placeholder`] that depend on answers to earlier questions.
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

/// The kind of answer that a [`Placeholder`] takes.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `type = "string"`, `"text"` or `"editor"`: free text.
    Text {
        /// How it is asked for.
        input: Input,
        /// Used when nobody answers.
        default: Option<String>,
        /// The pattern that the answer must match.
        regex: Option<Pattern>,
    },
    /// `type = "string"` with `choices`: one of them.
    Choice {
        /// The possible answers, never empty.
        choices: Vec<Choice>,
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
        choices: Vec<Choice>,
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
    /// A list of something else than texts, which only a hook makes. No record has one.
    Nested(Vec<Self>),
}

impl Answer {
    /// The longest text in it, in bytes, and how many things its lists have together.
    #[must_use]
    pub fn sizes(&self) -> [usize; 2] {
        match self {
            Self::Text(text) => [text.len(), 0],
            Self::Bool(_) => [0, 0],
            Self::Array(items) => [items.iter().map(String::len).max().unwrap_or_default(), items.len()],
            Self::Nested(items) => items
                .iter()
                .map(Self::sizes)
                .fold([0, items.len()], |[longest, most], [text, list]| [longest.max(text), most + list]),
        }
    }

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
            Self::Nested(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                f.write_str(&items.join(","))
            }
        }
    }
}

/// Why a given value is not an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Completes "`VALUE` …".
    pub reason: String,
    /// A valid answer.
    pub help: String,
    /// Whether an item of it, which may be shown, is not one of the choices.
    pub is_item: bool,
}

impl Rejection {
    pub(crate) fn new(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: help.into(), is_item: false }
    }

    /// What is to be known of it beside the words.
    #[must_use]
    pub fn about(&self, name: &str, value: &str) -> Option<Facts> {
        self.is_item.then(|| Facts::WrongItem { name: name.to_owned(), value: value.to_owned() })
    }
}

impl Wording {
    /// The help for an answer: in the author's words, or in those derived from the pattern. The pattern comes last.
    fn explained(&self, regex: &Pattern) -> String {
        let words = match &self.invalid {
            Some(invalid) => Some(invalid.trim().trim_end_matches('.').to_owned()),
            None => regex.explained().map(|words| format!("expected {words}")),
        };
        let example = self.example.as_ref().map(|example| format!("for example {example}"));
        let known: Vec<String> = words.into_iter().chain(example).collect();
        match known.join(", ") {
            known if known.is_empty() => format!("give a value that matches the regular expression `{regex}`"),
            known => format!("{known} (pattern: `{regex}`)"),
        }
    }
}

impl Placeholder {
    /// A question that no manifest declares, and on which nothing depends.
    pub fn new(name: impl Into<String>, prompt: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            prompt: prompt.into(),
            kind,
            secret: false,
            depends: Depends::default(),
            wording: Wording::default(),
            span: 0..0,
        }
    }

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
    /// Says why the text is not an answer, and what would be one; nothing of the text itself where it is secret.
    pub fn parse(&self, text: &str) -> Result<Answer, Rejection> {
        match &self.kind {
            Kind::Text { regex: None, .. } => Ok(Answer::Text(text.to_owned())),
            Kind::Text { regex: Some(regex), .. } => match regex.is_match(text) {
                Ok(true) => Ok(Answer::Text(text.to_owned())),
                Ok(false) => Err(Rejection::new(format!("does not match `{regex}`"), self.wording.explained(regex))),
                Err(TooLong) => {
                    Err(Rejection::new(format!("is too long to be compared with `{regex}`"), "give a shorter value"))
                }
            },
            Kind::Choice { choices, .. } if choice::values(choices).any(|choice| choice == text) => {
                Ok(Answer::Text(text.to_owned()))
            }
            Kind::Choice { choices, .. } => Err(self.not_one_of(text, choices, false)),
            Kind::Bool { .. } => match text.to_lowercase().as_str() {
                "true" => Ok(Answer::Bool(true)),
                "false" => Ok(Answer::Bool(false)),
                _ => Err(Rejection::new("is neither `true` nor `false`", "use `true` or `false`")),
            },
            Kind::Array { choices, .. } => {
                let known: HashSet<&str> = choice::values(choices).collect();
                let items: Vec<&str> = text.split(',').filter(|item| !item.is_empty()).collect();
                match items.iter().find(|item| !known.contains(*item)) {
                    Some(item) => Err(self.not_one_of(item, choices, true)),
                    None => Ok(Answer::Array(items.into_iter().map(str::to_owned).collect())),
                }
            }
        }
    }

    fn not_one_of(&self, text: &str, choices: &[Choice], items: bool) -> Rejection {
        if choices.is_empty() {
            let item = if self.secret { String::new() } else { format!(" (`{text}`)") };
            let reason = format!("can have no item{item}: the placeholder has no choices");
            return Rejection::new(reason, "leave it empty, or add `choices` to the placeholder");
        }
        let all = || choice::values(choices);
        let labelled = choices.iter().filter(|_| !self.secret).find(|choice| choice.label.as_deref() == Some(text));
        let near = if self.secret { None } else { did_you_mean(text, all()) };
        Rejection {
            reason: match (items, self.secret) {
                (true, false) => format!("has the item `{text}`, which is not one of the choices"),
                (true, true) => "has an item that is not one of the choices".to_owned(),
                (false, _) => "is not one of the choices".to_owned(),
            },
            help: match (labelled, near) {
                (Some(choice), _) => format!("that is the label of `{0}`: use `{0}`", choice.value),
                (None, Some(near)) => format!("{near} The choices are {}", listed(all())),
                (None, None) => format!("the choices are {}", listed(all())),
            },
            is_item: items && !self.secret,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholder(kind: Kind) -> Placeholder {
        Placeholder::new("x", "?", kind)
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
        let choices: Vec<Choice> = vec!["staging".into(), "prod".into()];
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
