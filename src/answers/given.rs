//! Values that were given in advance, in cargo-generate's order of precedence: `-d`, then `--values-file`, then the
//! environment, then the file that the environment names, then the favorite, then cargo-generate's configuration.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::de::DeTable;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Result};
use crate::limits::is_overfull_toml;
use crate::placeholders::Answer;
use crate::shell;

/// A value as it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The value.
    pub value: toml::Value,
    /// Who gave it.
    pub by: Source,
}

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `-d` on the command line.
    Flag,
    /// A values file.
    File(String),
    /// The configuration of cargo-generate, which is for every template.
    Configuration,
    /// An environment variable.
    Environment(String),
    /// The lock of the project.
    Lock,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => f.write_str("-d"),
            Self::File(name) => write!(f, "`{name}`"),
            Self::Configuration => f.write_str("the configuration of cargo-generate"),
            Self::Environment(name) => write!(f, "the environment variable `{name}`"),
            Self::Lock => f.write_str("the lock"),
        }
    }
}

/// Values by the name of their variable.
pub type GivenValues = BTreeMap<String, Given>;

/// The prefix of environment variables that give a value.
const PREFIX: &str = "CARGO_GENERATE_VALUE_";

/// Reads every `KEY=VALUE` as `-d` takes it; a key is a letter, then letters, digits, `-` and `_`.
///
/// # Errors
///
/// Says which of them is not a definition, by its number: what was typed may be a secret.
pub fn definitions(texts: &[String]) -> Result<GivenValues> {
    let refuse = |at: usize| {
        Diagnostic::error(Code::AnswerInvalid, format!("the value of -d number {} is not NAME=VALUE", at + 1))
            .help("write -d NAME=VALUE; a name is a letter, then letters, digits, `-` or `_`")
    };
    let read = |(at, text): (usize, &String)| definition(text).ok_or_else(|| refuse(at).into());
    texts.iter().enumerate().map(read).collect()
}

fn definition(text: &str) -> Option<(String, Given)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end();
    let given = Given { value: toml::Value::String(value.trim_start().to_owned()), by: Source::Flag };
    is_name(name).then(|| (name.to_owned(), given))
}

/// Whether a value can be given for a variable of this name.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The option that gives a value to a variable, as it is typed in a shell; none where only a values file can: `-d` takes the names that
/// cargo-generate takes, and no white space before the value.
#[must_use]
pub fn option(name: &str, value: &Answer) -> Option<String> {
    let is_split = |item: &String| item.is_empty() || item.contains(',');
    let text = match value {
        Answer::Array(items) if items.iter().any(is_split) => return None,
        value => value.to_string(),
    };
    let is_cut = text.starts_with(char::is_whitespace) || text.contains('\0');
    (is_name(name) && !is_cut).then(|| format!("-d {}", shell::word(&format!("{name}={text}"))))
}

/// The option that is to give some value to a variable, with `example` in its place, as it is shown; none where only a values file can.
#[must_use]
pub fn some_option(name: &str, example: &str) -> Option<String> {
    is_name(name).then(|| format!("-d {}", shell::quoted(&format!("{name}={example}"))))
}

/// The value of `--lib` and `--bin`.
#[must_use]
pub fn crate_type(name: &str) -> (String, Given) {
    ("crate_type".to_owned(), Given { value: toml::Value::String(name.to_owned()), by: Source::Flag })
}

/// The values of `CARGO_GENERATE_VALUE_*`: the rest of the name in lower case is the variable's. What is not a name then is
/// left out: an environment is not only there for us.
pub fn environment(variables: impl IntoIterator<Item = (String, String)>) -> GivenValues {
    let given = variables.into_iter().filter_map(|(key, value)| {
        let name = key.strip_prefix(PREFIX)?.to_lowercase();
        is_name(&name).then(|| (name, Given { value: toml::Value::String(value), by: Source::Environment(key) }))
    });
    given.collect()
}

/// The answers of a lock as given values.
pub fn values_of(answers: impl IntoIterator<Item = (String, Answer)>) -> GivenValues {
    fn value(answer: Answer) -> toml::Value {
        match answer {
            Answer::Text(text) => toml::Value::String(text),
            Answer::Bool(value) => toml::Value::Boolean(value),
            Answer::Array(items) => toml::Value::Array(items.into_iter().map(toml::Value::String).collect()),
            Answer::Nested(items) => toml::Value::Array(items.into_iter().map(value).collect()),
        }
    }
    answers.into_iter().map(|(name, answer)| (name, Given { value: value(answer), by: Source::Lock })).collect()
}

/// Reads the text of a values file: TOML with a table `[values]`.
///
/// # Errors
///
/// Says what is wrong, and where; no line of the file is quoted, as it may hold a secret.
pub fn values_file(name: &str, text: &str) -> Result<GivenValues> {
    #[derive(Deserialize)]
    struct File {
        values: Values,
    }
    if is_overfull_toml(text) {
        let place = Place::unquoted(name, text, 0..0);
        return Err(Diagnostic::error(Code::ValuesFile, "the values file is too complex")
            .at(place, "too many keys, tables or arrays")
            .help("keep what the template asks for, and remove the rest")
            .into());
    }
    let refuse = |span: Option<Range<usize>>, reason: &str| {
        Diagnostic::error(Code::ValuesFile, format!("this is not a values file: {reason}"))
            .at(Place::unquoted(name, text, before_value(text, span.map_or(0, |span| span.start))), "")
            .help("write the answers as `name = value` below a line `[values]`")
    };
    // The parser's messages are its own words; those of the deserializer quote values.
    let (document, errors) = DeTable::parse_recoverable(text);
    if let Some(error) = errors.first() {
        return Err(refuse(error.span(), error.message()).into());
    }
    match document.get_ref().get("values") {
        None => return Err(refuse(None, "it has no table `[values]`").into()),
        Some(value) if !value.get_ref().is_table() => {
            return Err(refuse(Some(value.span()), "`values` is not a table").into());
        }
        Some(_) => {}
    }
    let file: File = toml::from_str(text).map_err(|error| refuse(error.span(), "this value cannot be read"))?;
    values(name, text, file.values)
}

/// The start of the value that a place of the file is in: how far into it that is would tell how long it is.
fn before_value(text: &str, at: usize) -> Range<usize> {
    let before = &text[..text.floor_char_boundary(at)];
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let start = before[line..].find('=').map_or(line, |equals| {
        let rest = &before[line + equals + 1..];
        before.len() - rest.trim_start().len()
    });
    start..start
}

/// The table `[values]` of a file.
pub type Values = BTreeMap<toml::Spanned<String>, toml::Value>;

/// Takes the values of a file's table.
///
/// # Errors
///
/// Every key that cannot be a variable's name, and if it is.
pub fn values(file: &str, text: &str, values: Values) -> Result<GivenValues> {
    let by = Source::File(file.to_owned());
    let mut given = GivenValues::new();
    let mut problems = Vec::new();
    for (key, value) in values {
        if is_name(key.get_ref()) {
            given.insert(key.into_inner(), Given { value, by: by.clone() });
            continue;
        }
        let title = format!("`{}` cannot be the name of a value", key.get_ref());
        let place = Place::unquoted(file, text, key.span());
        problems.push(
            Diagnostic::error(Code::ValuesFile, title)
                .at(place, "")
                .help("a name is a letter, then letters, digits, `-` or `_`"),
        );
    }
    problems.sort_by_key(|problem| problem.place.as_ref().map(|place| place.span.start));
    if problems.is_empty() { Ok(given) } else { Err(Diagnostics(problems)) }
}

/// The text of a value, as cargo-generate spells it: arrays between commas. `None` for a table.
#[must_use]
pub fn spell(value: &toml::Value) -> Option<String> {
    use toml::Value;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(value) => Some(value.to_string()),
        Value::Datetime(date) => Some(date.to_string()),
        Value::Array(items) => Some(items.iter().filter_map(spell).collect::<Vec<_>>().join(",")),
        Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_only_named_where_it_gives_the_value() {
        for (name, value, expected) in [
            ("title", Answer::Text("My shop".to_owned()), Some("-d 'title=My shop'")),
            ("title", Answer::Text(String::new()), Some("-d title=")),
            ("title", Answer::Text(" indented".to_owned()), None),
            ("_title", Answer::Text("x".to_owned()), None),
            ("1st", Answer::Text("x".to_owned()), None),
            ("a b", Answer::Text("x".to_owned()), None),
            ("parts", Answer::Array(vec!["a".to_owned(), "b".to_owned()]), Some("-d parts=a,b")),
            ("parts", Answer::Array(vec!["a,b".to_owned()]), None),
            ("parts", Answer::Array(vec!["a".to_owned(), String::new()]), None),
        ] {
            let option = option(name, &value);
            assert_eq!(option.as_deref(), expected, "{name}");
            if let Some(typed) = option {
                let words = shell_words::split(&typed).unwrap();
                let given = definitions(&words[1..]).unwrap();
                assert_eq!(given[name].value, toml::Value::String(value.to_string()));
            }
            assert_eq!(some_option(name, "VALUE").is_some(), is_name(name));
        }
    }

    #[test]
    fn definitions_are_read_like_cargo_generate_does() {
        let text = |definition: &str| match super::definition(definition) {
            Some((name, Given { value: toml::Value::String(value), .. })) => Some((name, value)),
            _ => None,
        };
        let pair = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        assert_eq!(text("a=b"), pair("a", "b"));
        assert_eq!(text("my-key_2 =  b = c "), pair("my-key_2", "b = c "));
        assert_eq!(text("a="), pair("a", ""));
        for bad in ["a", "=b", "1a=b", "_a=b", "a b=c", ""] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_environment_gives_lower_case_names() {
        let names = ["WITH_KV", "", "2nd", "_X", "A B", "A\u{1b}B", "É"].map(|name| format!("{PREFIX}{name}"));
        let others = ["CARGO_GENERATE_VALUES", "PATH"].map(str::to_owned);
        let given = environment(names.into_iter().chain(others).map(|name| (name, "true".to_owned())));
        assert_eq!(given.keys().collect::<Vec<_>>(), ["with_kv"]);
    }

    #[test]
    fn a_values_file_without_its_table_is_refused_with_a_place() {
        let error = values_file("v.toml", "a = 1\n").unwrap_err();
        assert_eq!(error.0[0].code, Code::ValuesFile);
        let error = values_file("v.toml", "[values]\na = = 1\n").unwrap_err();
        assert_eq!(error.0[0].place.as_ref().unwrap().line_column().0, 2);
    }

    #[test]
    fn neither_a_line_nor_a_column_of_a_values_file_says_anything_of_a_value() {
        for wrong in ["'x", "'\u{1}'", "[1, 2", "{ a = ", "{ a = 1, a = 2 }", "x", "99999999999999999999"] {
            let said = |padding: &str| {
                let text = format!("[values]\na = 1\ntoken = {}\n", wrong.replace(['x', '2'], padding));
                let problem = values_file("v.toml", &text).unwrap_err().0.remove(0);
                let place = problem.place.as_ref().unwrap();
                assert_eq!((place.line_column(), place.text.trim()), ((3, 9), ""), "{text}");
                (problem.title, problem.label, problem.help)
            };
            assert_eq!(said("x"), said("hunter"), "{wrong}");
        }
    }

    #[test]
    fn a_key_that_is_no_name_is_refused_where_it_stands() {
        let error = values_file("v.toml", "[values]\nb = 1\n\"\" = 2\n\"a\\u001bb\" = 3\n").unwrap_err();
        let places: Vec<_> = error.0.iter().map(|it| it.place.as_ref().unwrap().line_column()).collect();
        assert_eq!(places, [(3, 1), (4, 1)]);
    }

    #[test]
    fn values_are_spelled_as_answers() {
        let value: toml::Table = toml::from_str("a = [1, [\"b\", true], { c = 1 }]\nd = 3.50").unwrap();
        assert_eq!(spell(&value["a"]).unwrap(), "1,b,true");
        assert_eq!(spell(&value["d"]).unwrap(), "3.5");
    }
}
