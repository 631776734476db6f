//! What Liquid says of a failure, as values. Its errors hold only text, so this alone knows their words, and Cargo.toml names the one
//! version of Liquid that has them; each message that something depends on has a test here.

use liquid_core::Error;

use super::loops::TOO_LONG_RANGE;

/// A text that Liquid could not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// What is wrong.
    pub(super) why: Why,
    /// The same in Liquid's words.
    pub(super) reason: String,
    /// Line and column, from 1.
    pub(super) position: Option<(usize, usize)>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// A filter that is not registered.
    UnknownFilter {
        /// Its name.
        name: String,
        /// The names of those that are.
        known: Vec<String>,
    },
    /// A tag that is not registered, or that closes nothing.
    UnknownTag,
    /// A block without an end.
    UnclosedBlock,
    /// Arguments that a filter does not take.
    Arguments,
    /// Something else, by Liquid's grammar.
    Grammar,
}

impl Unread {
    pub(super) fn of(error: &Error) -> Self {
        let text = error.to_string();
        let message = Message::of(&text);
        let reason = text.lines().filter_map(|line| line.trim().strip_prefix("= ")).next_back();
        let reason = reason.unwrap_or(message.title);
        let starts = |words: &[&str]| words.iter().any(|word| reason.starts_with(word));
        let why = if let Some(name) = message.context("requested filter") {
            let known = message.context("available filters").unwrap_or_default().split(", ");
            Why::UnknownFilter { name: name.to_owned(), known: known.map(str::to_owned).collect() }
        } else if reason.contains("Unclosed block") {
            Why::UnclosedBlock
        } else if text.contains("Unknown tag") {
            Why::UnknownTag
        } else if starts(&["Unexpected named argument", "Invalid number of", "Filter"]) {
            Why::Arguments
        } else {
            Why::Grammar
        };
        Self { why, reason: reason.to_owned(), position: position(&text) }
    }

    /// What is wrong, in words that an author knows.
    pub(super) fn words(&self) -> String {
        readable(&self.reason)
    }
}

/// Why Liquid stopped in the middle of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stopped {
    /// A variable that is not defined, of which a field is wanted.
    UnknownVariable(String),
    /// A variable without such a field.
    NoIndex {
        /// The variable, where Liquid names it.
        variable: Option<String>,
        /// The field.
        index: String,
        /// What it has, between commas.
        known: Option<String>,
    },
    /// Another file that should be included.
    NoPartial,
    /// A range of too many numbers.
    TooLongRange,
    /// Something else.
    For {
        /// What it is.
        reason: String,
        /// What it comes from.
        cause: Option<String>,
    },
}

impl Stopped {
    pub(super) fn of(error: &Error) -> Self {
        let text = error.to_string();
        let message = Message::of(&text);
        let context = |key| message.context(key).map(str::to_owned);
        match message.title {
            "Unknown variable" if let Some(name) = context("requested variable") => Self::UnknownVariable(name),
            title if title == TOO_LONG_RANGE => Self::TooLongRange,
            title => match (context("requested index"), context("cause")) {
                (Some(index), _) => {
                    Self::NoIndex { variable: context("variable"), index, known: context("available indexes") }
                }
                (None, None) if title == "Partial does not exist" => Self::NoPartial,
                (None, cause) => Self::For { reason: uncapitalised(title), cause: cause.as_deref().map(uncapitalised) },
            },
        }
    }
}

/// What the message of a panic of the library means.
pub(super) fn panicked(message: &str) -> &str {
    if message.contains("Overflow") { "a number that does not fit into 64 bits" } else { first_line(message) }
}

/// A Liquid error's text, taken apart.
struct Message<'t> {
    title: &'t str,
    context: Vec<(&'t str, &'t str)>,
}

impl<'t> Message<'t> {
    /// Liquid writes `liquid: TITLE`, then `from: …` and `with:` blocks of `key=value` lines.
    fn of(text: &'t str) -> Self {
        let title = first_line(text).trim_start_matches("liquid: ");
        Self { title, context: text.lines().skip(1).filter_map(|line| line.trim().split_once('=')).collect() }
    }

    fn context(&self, key: &str) -> Option<&'t str> {
        self.context.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

/// Line and column of a Pest error: ` --> L:C`.
fn position(error: &str) -> Option<(usize, usize)> {
    let position = error.lines().find_map(|line| line.split_once("--> ").map(|(_, position)| position))?;
    let (line, column) = position.trim().split_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// Pest names its rules; authors know Liquid's words.
fn readable(reason: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("FilterChain", "a value"),
        ("ExpressionEnd", "`}}`"),
        ("TagEnd", "`%}`"),
        ("Identifier", "a name"),
        ("Literal", "a literal"),
        ("Variable", "a variable"),
        ("Filter", "a filter"),
        ("Range", "a range"),
        ("Value", "a value"),
        ("EOI", "the end of the file"),
        ("LiquidFile", "Liquid"),
    ];
    let plain = |word: &str| {
        WORDS.iter().find(|(rule, _)| *rule == word).map_or(word.to_owned(), |(_, plain)| (*plain).to_owned())
    };
    let mut text = String::new();
    for word in reason.trim_end_matches('.').split_inclusive([' ', ',']) {
        let bare = word.trim_end_matches([' ', ',']);
        text.push_str(&plain(bare));
        text.push_str(&word[bare.len()..]);
    }
    uncapitalised(&text)
}

pub(super) fn uncapitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::date::Date;
    use crate::liquid::engine::{Engine, Failure, Purpose};
    use crate::placeholders::Answer;

    fn failure(text: &str) -> Failure {
        let variables = [("name", Answer::Text("shop".into())), ("list", Answer::Array(vec!["a".into()]))];
        let variables: BTreeMap<String, Answer> = variables.map(|(name, answer)| (name.to_owned(), answer)).into();
        let engine = Engine::new(&variables, &BTreeSet::new(), Date::from_unix(0).unwrap());
        engine.render(text, text.len(), Purpose::Place).failure.expect("it fails")
    }

    fn unread(text: &str) -> Unread {
        match failure(text) {
            Failure::Parse(error) => Unread::of(&error),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn stopped(text: &str) -> Stopped {
        match failure(text) {
            Failure::Render(error) => Stopped::of(&error),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_filter_that_is_not_known_is_named_beside_those_that_are() {
        let Why::UnknownFilter { name, known } = unread("{{ name | upcas }}").why else { panic!("a filter") };
        assert_eq!(name, "upcas");
        assert!(["upcase", "snake_case", "rhai"].iter().all(|filter| known.iter().any(|it| it == filter)), "{known:?}");
    }

    #[test]
    fn a_tag_that_is_not_known_has_a_position() {
        let unread = unread("one\n  {% unknown %}");
        assert_eq!((unread.why, unread.position), (Why::UnknownTag, Some((2, 6))));
        assert_eq!(self::unread("{% endif %}").why, Why::UnknownTag);
    }

    #[test]
    fn a_block_without_an_end_is_known() {
        assert_eq!(unread("{% if name %}x").why, Why::UnclosedBlock);
        assert_eq!(unread("{% raw %}x").why, Why::UnclosedBlock);
    }

    #[test]
    fn arguments_that_a_filter_does_not_take_are_known() {
        for (text, words) in [
            ("{{ name | upcase: 1 }}", "invalid number of positional arguments"),
            ("{{ name | append }}", "invalid number of arguments"),
            ("{{ name | upcase: x: 1 }}", "unexpected named argument `x`"),
        ] {
            let unread = unread(text);
            assert_eq!((unread.why.clone(), unread.words().as_str()), (Why::Arguments, words), "{text}");
        }
    }

    #[test]
    fn the_rules_of_the_grammar_have_other_names_for_authors() {
        let texts = [
            "{{ name | }}",
            "{{ }}",
            "{% assign %}",
            "{% if %}{% endif %}",
            "{% for x in %}{% endfor %}",
            "{% cycle %}",
            "{{ name | append: }}",
            "{% for x in (1..) %}{% endfor %}",
        ];
        let words = texts.map(|text| {
            let unread = unread(text);
            assert_eq!(unread.why, Why::Grammar, "{text}");
            unread.words()
        });
        let expected = [
            "expected a name",
            "expected a value",
            "a name expected",
            "a value expected",
            "array or range expected",
            "a name or value expected",
            "expected a name or a value",
            "expected a value",
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn a_variable_that_is_not_known_is_named() {
        assert_eq!(stopped("{{ other.field }}"), Stopped::UnknownVariable("other".into()));
    }

    #[test]
    fn a_field_that_is_not_there_is_named_beside_those_that_are() {
        for (text, variable, index, known) in
            [("{{ list.field }}", "list", "field", "0..0, first, last"), ("{{ name.field }}", "name", "field", "")]
        {
            let expected =
                Stopped::NoIndex { variable: Some(variable.into()), index: index.into(), known: Some(known.into()) };
            assert_eq!(stopped(text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_is_not_included_is_known() {
        assert_eq!(stopped("{% include 'other' %}"), Stopped::NoPartial);
        assert_eq!(stopped("{% render 'other' %}"), Stopped::NoPartial);
    }

    #[test]
    fn a_cause_is_told_beside_the_reason() {
        let expected = Stopped::For { reason: "invalid argument".into(), cause: Some("number expected".into()) };
        assert_eq!(stopped("{{ name | minus: 1 }}"), expected);
        let expected = Stopped::For { reason: "string expected".into(), cause: None };
        assert_eq!(stopped("{{ list | snake_case }}"), expected);
    }

    #[test]
    fn our_own_limit_is_known_again() {
        assert_eq!(stopped("{% for x in (1..9999999) %}{% endfor %}"), Stopped::TooLongRange);
    }

    #[test]
    fn a_number_that_is_too_large_is_a_panic_of_the_library() {
        let Failure::Panicked(message) = failure("{{ 99999999999999999999 }}") else { panic!("a panic") };
        assert_eq!(panicked(&message), "a number that does not fit into 64 bits");
    }
}
