//! \[edge\] What the user sees: the only place that writes to standard output and standard error.

pub mod check;
pub mod diff;
pub mod plan;

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Result, Severity};
use crate::terminal::escape_control;

/// Prints diagnostics to standard error: coloured on a terminal unless `NO_COLOR` says otherwise, plain elsewhere.
pub fn diagnostics(diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    let mut stderr = anstream::stderr().lock();
    for diagnostic in diagnostics {
        // Nobody is left to tell that standard error is gone.
        drop(writeln!(stderr, "{}\n", draw(diagnostic)));
    }
}

/// Prints a line of status to standard error.
pub fn status(line: &str) {
    drop(writeln!(anstream::stderr().lock(), "{line}"));
}

/// Prints a result to standard output. A reader that has gone away is no error.
///
/// # Errors
///
/// Every other failure, such as a full disk.
pub fn result(text: &str) -> Result<()> {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Diagnostic::io("cannot write to", Path::new("standard output"), &error).into()),
    }
}

/// Prints a result that is not for reading: as it is, byte for byte.
///
/// # Errors
///
/// As [`result`].
pub fn bytes(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Diagnostic::io("cannot write to", Path::new("standard output"), &error).into())
        }
        _ => Ok(()),
    }
}

/// Prints a line of a result.
///
/// # Errors
///
/// As [`result`].
pub fn line(text: &str) -> Result<()> {
    result(&format!("{text}\n"))
}

/// A value as JSON for programs, on lines of its own.
fn json(value: &impl serde::Serialize) -> String {
    // Structs of strings and numbers always serialize.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// Draws what a template, a path or a value may have worded: nothing of it acts on the terminal.
fn draw(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(escape_control(&diagnostic.title)).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    if let Some(place) = &diagnostic.place {
        let mark = AnnotationKind::Primary.span(place.span.clone());
        let label = escape_control(&diagnostic.label);
        let mark = if label.is_empty() { mark } else { mark.label(label) };
        let source = Snippet::source(source(&place.text)).path(escape_control(&place.file));
        group = group.element(source.line_start(1).annotation(mark));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(escape_control(help)));
    }
    Renderer::styled().render(&[group])
}

/// The text of a file. The renderer draws most control characters as symbols, but not those of Latin-1, in which CSI is a
/// single character; their stand-in is as long in bytes, so that spans stay right.
fn source(text: &str) -> Cow<'_, str> {
    let is_c1 = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
    if text.contains(is_c1) { Cow::Owned(text.replace(is_c1, "·")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Place};

    #[test]
    fn nothing_in_a_message_acts_on_the_terminal() {
        let hostile = "\x1b[2J\u{9b}2J\r\u{202e}";
        let text = format!("a\n{hostile} bad\n");
        let at = text.find("bad").unwrap();
        let drawn = draw(
            &Diagnostic::error(Code::Io, hostile)
                .at(Place::new(hostile, text.as_str(), at..at + 3), hostile)
                .help(hostile),
        );
        let plain = anstream::adapter::strip_str(&drawn).to_string();
        assert!(!plain.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{plain:?}");
        // Whatever is left of the escapes in `drawn` is its own colours.
        assert_eq!(drawn.matches("\x1b[2J").count(), 0, "{drawn:?}");
        assert!(plain.contains(r"\u{1b}[2J\u{9b}2J\r\u{202e}"), "{plain}");
    }
}
