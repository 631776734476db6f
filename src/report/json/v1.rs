//! Version 1.

mod check;
mod diff;
mod new;
mod test;
mod upgrade;

use serde::Serialize;

pub use check::check;
pub use diff::diff;
pub use new::made;
pub use test::{Case, tested};
pub use upgrade::{aborted, upgrade};

use crate::diagnostic::{Diagnostic, Severity};
use crate::lock::LockedTemplate;
use crate::scope::Scope;
use crate::terminal::is_hidden;

/// The number of this version.
const FORMAT: u32 = 1;

/// A document, on lines of its own.
fn render(value: &impl Serialize) -> String {
    // Structs of strings and numbers always serialize.
    plain(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// Escapes what a terminal acts on or hides, in the way of JSON: people read it, too. Outside of strings, JSON has nothing of the kind.
fn plain(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) && !c.is_ascii_control() || c == '\u{7f}' {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

/// Where the path of a file begins.
fn root(scope: Scope) -> &'static str {
    match scope {
        Scope::App => "app",
        Scope::Repository => "repository",
    }
}

/// A template.
#[derive(Serialize)]
struct Template<'a> {
    source: &'a str,
    requirement: Option<&'a str>,
    branch: Option<&'a str>,
    tag: Option<&'a str>,
    rev: Option<&'a str>,
    subfolder: Option<&'a str>,
    version: Option<&'a str>,
    revision: &'a str,
}

impl<'a> Template<'a> {
    fn of(template: &'a LockedTemplate) -> Self {
        let followed = |wanted| template.reference.pair().filter(|(key, _)| *key == wanted).map(|(_, name)| name);
        Self {
            source: &template.source,
            requirement: template.reference.requirement(),
            branch: followed("branch"),
            tag: followed("tag"),
            rev: followed("rev"),
            subfolder: template.subfolder.as_deref(),
            version: template.version.as_deref(),
            revision: &template.revision,
        }
    }
}

/// A problem in a document.
#[derive(Serialize)]
struct Problem<'a> {
    code: &'static str,
    name: String,
    severity: &'static str,
    title: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    help: Option<&'a str>,
    /// How many others like it there are, which are not listed.
    #[serde(skip_serializing_if = "is_zero")]
    more: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl<'a> Problem<'a> {
    fn of(problem: &'a Diagnostic) -> Self {
        let position = problem.place.as_ref().map(|place| place.line_column());
        Self {
            code: problem.code.as_str(),
            name: problem.code.name(),
            severity: severity(problem.severity),
            title: &problem.title,
            file: problem.place.as_ref().map(|place| place.file.as_str()),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            help: problem.help.as_deref(),
            more: problem.more,
        }
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A line on standard error.
#[derive(Serialize)]
struct Line<'a> {
    format: u32,
    severity: &'static str,
    code: Option<&'static str>,
    name: Option<&'a str>,
    message: &'a str,
    label: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    help: Option<&'a str>,
    more: usize,
}

impl<'a> Line<'a> {
    fn new(severity: &'static str, message: &'a str) -> Self {
        Self {
            format: FORMAT,
            severity,
            code: None,
            name: None,
            message,
            label: None,
            file: None,
            line: None,
            column: None,
            help: None,
            more: 0,
        }
    }

    fn render(&self) -> String {
        plain(&serde_json::to_string(self).unwrap_or_default()) + "\n"
    }
}

/// A diagnostic as one line.
pub(in crate::report) fn line(diagnostic: &Diagnostic) -> String {
    let Problem { code, name, severity, title, file, line, column, help, more } = Problem::of(diagnostic);
    let label = Some(diagnostic.label.as_str()).filter(|label| !label.is_empty());
    let told = Line {
        code: Some(code),
        name: Some(&name),
        label,
        file,
        line,
        column,
        help,
        more,
        ..Line::new(severity, title)
    };
    told.render()
}

/// Something that is not a problem, as one line: a `note`, or what `--verbose` says, a `debug`.
pub(in crate::report) fn note(severity: &'static str, text: &str) -> String {
    Line::new(severity, text).render()
}

/// The problem of the command line, in one line.
pub(in crate::report) fn usage(text: &str) -> String {
    let text = text.trim();
    Line { name: Some("usage"), ..Line::new("error", text.strip_prefix("error: ").unwrap_or(text)) }.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_it_acts_on_a_terminal_and_it_says_the_same() {
        let text = "a\u{9b}2J \u{202e}txt \u{7f} \u{e0041} \u{1b} \" \\ é 日本";
        let json = render(&text);
        assert!(!json.trim_end().contains(is_hidden), "{json}");
        assert!(json.contains("é 日本"));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
