//! \[edge\] What the user sees: the only place that writes to standard output and standard error.

use std::io::{self, Write as _};
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Result, Severity};

/// Prints diagnostics to standard error: coloured on a terminal unless `NO_COLOR` says otherwise, plain elsewhere.
pub fn diagnostics(diagnostics: &[Diagnostic]) {
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

/// Prints a line of a result.
///
/// # Errors
///
/// As [`result`].
pub fn line(text: &str) -> Result<()> {
    result(&format!("{text}\n"))
}

fn draw(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.title.as_str()).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    if let Some(place) = &diagnostic.place {
        let mark = AnnotationKind::Primary.span(place.span.clone());
        let mark = if diagnostic.label.is_empty() { mark } else { mark.label(diagnostic.label.as_str()) };
        group = group.element(Snippet::source(&*place.text).path(place.file.as_str()).line_start(1).annotation(mark));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    Renderer::styled().render(&[group])
}
