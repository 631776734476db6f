//! \[edge\] What the user sees: the only place that writes to standard output and standard error.

pub mod check;
pub mod diff;
mod pager;
pub mod plan;
mod progress;

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Code, Diagnostic, Place, Result, Severity, io_reason};
use crate::lock::LockedTemplate;
use crate::terminal::{escape_control, escape_control_except};
pub use progress::Progress;

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
    written(anstream::stdout().lock().write_all(text.as_bytes()))
}

/// Prints a result that may be long: at a terminal through a pager, unless that is `cat`. `pager` is asked only there.
///
/// # Errors
///
/// As [`result`].
pub fn paged(text: &str, pager: impl FnOnce() -> String) -> Result<()> {
    if io::stdout().is_terminal() && pager::show(&fitting(text), &pager()) {
        return Ok(());
    }
    result(text)
}

/// The text as standard output takes it: without colours where the user wants none.
fn fitting(text: &str) -> Cow<'_, str> {
    match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => Cow::Owned(anstream::adapter::strip_str(text).to_string()),
        _ => Cow::Borrowed(text),
    }
}

/// Prints a result that is not for reading: as it is, byte for byte.
///
/// # Errors
///
/// As [`result`].
pub fn bytes(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Prints lines of a result; what a terminal would act on is spelled out.
///
/// # Errors
///
/// As [`result`].
pub fn line(text: &str) -> Result<()> {
    result(&format!("{}\n", escape_control_except(text, &['\n', '\t'])))
}

/// Prints what the parser of the command line has to say, its help and its errors alike.
///
/// # Errors
///
/// As [`result`], where it is a result that was asked for.
pub fn usage(said: &clap::Error) -> Result<()> {
    match said.print() {
        Err(error) if !said.use_stderr() => written(Err(error)),
        _ => Ok(()),
    }
}

fn written(outcome: io::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let title = format!("cannot write to standard output: {}", io_reason(&error));
            Err(Diagnostic::error(Code::Io, title).help("let standard output lead to where there is space").into())
        }
        _ => Ok(()),
    }
}

/// A value as JSON for programs, on lines of its own.
fn json(value: &impl serde::Serialize) -> String {
    // Structs of strings and numbers always serialize.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// A template, as every `--json` shows it.
#[derive(serde::Serialize)]
struct JsonTemplate<'a> {
    source: &'a str,
    branch: Option<&'a str>,
    tag: Option<&'a str>,
    rev: Option<&'a str>,
    subfolder: Option<&'a str>,
    version: Option<&'a str>,
    revision: &'a str,
}

impl<'a> JsonTemplate<'a> {
    fn of(template: &'a LockedTemplate) -> Self {
        let followed = |wanted| template.reference.pair().filter(|(key, _)| *key == wanted).map(|(_, name)| name);
        Self {
            source: &template.source,
            branch: followed("branch"),
            tag: followed("tag"),
            rev: followed("rev"),
            subfolder: template.subfolder.as_deref(),
            version: template.version.as_deref(),
            revision: &template.revision,
        }
    }
}

/// A diagnostic as it is printed, with colours.
pub(crate) fn draw(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let [title, label] = [&diagnostic.title, &diagnostic.label].map(|text| escape_control(text));
    let help = diagnostic.help.as_deref().map(escape_control);
    let place = diagnostic.place.as_deref().map(Excerpt::of);
    let mut group = Group::with_title(level.primary_title(&*title).id(diagnostic.code.as_str()));
    if let Some(Excerpt { file, first_line, text, span }) = &place {
        let mark = AnnotationKind::Primary.span(span.clone());
        let mark = if label.is_empty() { mark } else { mark.label(&*label) };
        group = group.element(Snippet::source(&**text).path(&**file).line_start(*first_line).annotation(mark));
    }
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(&**help));
    }
    Renderer::styled().render(&[group])
}

/// The lines of a place: to draw one, the renderer reads all the text that it gets.
struct Excerpt<'p> {
    file: Cow<'p, str>,
    first_line: usize,
    text: Cow<'p, str>,
    span: Range<usize>,
}

impl<'p> Excerpt<'p> {
    fn of(place: &'p Place) -> Self {
        let Range { start, end } = place.span;
        let from = place.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let to = place.text[end..].find('\n').map_or(place.text.len(), |at| end + at + 1);
        let (text, span) = visible(&place.text[from..to], start - from..end - from);
        Self { file: escape_control(&place.file), first_line: place.line_column().0, text, span }
    }
}

/// The text without the control characters that the renderer lets through, those from U+0080 to U+009F, and where the
/// region is in it then.
fn visible(text: &str, span: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    let acts = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
    if !text.contains(acts) {
        return (Cow::Borrowed(text), span);
    }
    let replace = |part: &str| part.replace(acts, "\u{fffd}");
    let [before, marked, after] = [&text[..span.start], &text[span.clone()], &text[span.end..]].map(replace);
    (Cow::Owned([&*before, &*marked, &*after].concat()), before.len()..before.len() + marked.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_of_the_place_are_drawn_with_their_numbers() {
        let place =
            |text: &'static str, span| Diagnostic::error(Code::LiquidSyntax, "t").at(Place::new("f", text, span), "l");
        let drawn = anstream::adapter::strip_str(&draw(&place("one\ntwo\nthree\n", 4..7))).to_string();
        assert!(drawn.contains(" --> f:2:1") && drawn.contains("2 | two") && !drawn.contains("one"), "{drawn}");
        for text in ["", "\n", "one\n"] {
            assert!(draw(&place(text, text.len()..text.len())).contains('l'));
        }
    }

    #[test]
    fn nothing_in_a_diagnostic_acts_on_the_terminal() {
        let hostile = "a\u{9b}2J\u{1b}[2J\u{202e}\nb";
        let place = Place::new(hostile, "x \u{9b}\u{1b}\u{202e}{{ y }}\n", 8..15);
        let drawn = draw(&Diagnostic::error(Code::LiquidSyntax, hostile).at(place, hostile).help(hostile));
        let drawn = anstream::adapter::strip_str(&drawn).to_string();
        assert_eq!(drawn, escape_control_except(&drawn, &['\n']), "{drawn:?}");
        assert_eq!(drawn.lines().count(), 7, "{drawn}");
        assert!(drawn.contains(":1:6"), "{drawn}");
    }
}
