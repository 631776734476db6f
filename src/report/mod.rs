//! \[edge\] What the user sees: the only place that writes to standard output and standard error.

pub mod check;
pub mod diff;
pub mod json;
mod pager;
pub mod plan;
mod progress;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Padding, Renderer, Snippet};

use crate::cli::Colour;
use crate::diagnostic::{Code, Diagnostic, Place, Result, SHOWN, Severity, io_reason};
use crate::terminal::{beginning, escape_control, escape_control_except, is_hidden};
pub use progress::Progress;

/// Prints diagnostics to standard error: coloured on a terminal unless `NO_COLOR` says otherwise, plain elsewhere.
pub fn diagnostics(diagnostics: &[Diagnostic]) {
    let mut told = Told::default();
    told.tell(diagnostics);
    told.finish();
}

/// Diagnostics that are printed as they come, so that none is held: of each kind the first, and in the end how many more there
/// are.
#[derive(Debug, Default)]
pub struct Told {
    /// How many there are of each kind, and how many of them are not shown.
    kinds: BTreeMap<(Severity, Code), [usize; 2]>,
}

impl Told {
    /// Prints those that are among the first of their kind.
    pub fn tell(&mut self, diagnostics: &[Diagnostic]) {
        print(self.shown(diagnostics).map(drawn));
    }

    /// Prints how many more there are.
    pub fn finish(self) {
        print(self.more());
    }

    fn shown<'d>(&mut self, diagnostics: &'d [Diagnostic]) -> impl Iterator<Item = &'d Diagnostic> {
        diagnostics.iter().filter(|diagnostic| {
            let [count, hidden] = self.kinds.entry((diagnostic.severity, diagnostic.code)).or_default();
            *count += 1;
            *hidden += diagnostic.more + usize::from(*count > SHOWN);
            *count <= SHOWN
        })
    }

    fn more(self) -> impl Iterator<Item = String> {
        let hidden = self.kinds.into_iter().filter(|(_, [_, hidden])| *hidden > 0);
        hidden.map(|((severity, code), [_, hidden])| {
            let title = format!("and {} more like this", grouped(hidden));
            drawn(&Diagnostic { severity, more: hidden, ..Diagnostic::error(code, title) })
        })
    }
}

/// Whether reporting is off for now.
static MUTED: AtomicBool = AtomicBool::new(false);

/// Runs one of many attempts, without reporting anything.
pub fn muted<T>(work: impl FnOnce() -> T) -> T {
    MUTED.store(true, Ordering::Relaxed);
    let done = work();
    MUTED.store(false, Ordering::Relaxed);
    done
}

fn print(mut texts: impl Iterator<Item = String>) {
    if MUTED.load(Ordering::Relaxed) {
        return;
    }
    let mut stderr = anstream::stderr().lock();
    // Nobody is left to tell that standard error is gone.
    let _gone: io::Result<()> = texts.try_for_each(|text| stderr.write_all(text.as_bytes()));
}

/// A diagnostic as it is printed: for a person, or a line for programs.
fn drawn(diagnostic: &Diagnostic) -> String {
    if is_json() { json::line(diagnostic) } else { draw(diagnostic) + "\n\n" }
}

/// A number with a comma between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Whether only warnings and errors are printed, and what is for programs.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Whether all that is printed is for programs.
static JSON: AtomicBool = AtomicBool::new(false);

/// Sets whether what is printed is for programs: results, and on standard error one diagnostic a line.
pub fn for_programs(json: bool) {
    JSON.store(json, Ordering::Relaxed);
}

fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Sets how much is printed, and when colours are used.
pub fn configure(quiet: bool, colour: Colour) {
    QUIET.store(quiet, Ordering::Relaxed);
    match colour {
        Colour::Auto => anstream::ColorChoice::Auto,
        Colour::Always => anstream::ColorChoice::Always,
        Colour::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Whether the user asked for colours, at a terminal or not.
#[must_use]
pub fn wants_colours() -> bool {
    anstream::ColorChoice::global() == anstream::ColorChoice::Always
}

/// Prints a line of status to standard error.
pub fn status(line: &str) {
    if is_quiet() || MUTED.load(Ordering::Relaxed) {
        return;
    }
    let text = if is_json() { json::note("note", line) } else { format!("{line}\n") };
    drop(anstream::stderr().lock().write_all(text.as_bytes()));
}

/// Prints a line of what `--verbose` asks for to standard error. What a terminal would act on is spelled out already.
pub fn trace(line: &str) {
    let text = if is_json() { json::note("debug", line) } else { format!("debug: {line}\n") };
    drop(anstream::stderr().lock().write_all(text.as_bytes()));
}

/// Prints a result to standard output. A reader that has gone away is not an error.
///
/// # Errors
///
/// Every other failure, such as a full disk.
pub fn result(text: &str) -> Result<()> {
    written(anstream::stdout().lock().write_all(text.as_bytes()))
}

/// Prints a result for a person.
///
/// # Errors
///
/// As [`result`].
pub fn summary(text: &str) -> Result<()> {
    if is_quiet() { Ok(()) } else { result(text) }
}

/// Prints the line that cargo-generate ends with: to standard error, where it has it today, and to standard output, where it had it
/// before. Where both are one, or a person reads both, once.
///
/// # Errors
///
/// As [`result`].
pub fn closing(text: &str) -> Result<()> {
    let text = format!("{}\n", escape_control(text));
    drop(anstream::stderr().lock().write_all(text.as_bytes()));
    if io::stdout().is_terminal() || streams_are_one() { Ok(()) } else { result(&text) }
}

/// Prints the last line of a run that failed.
pub fn failure(line: &str) {
    drop(writeln!(anstream::stderr().lock(), "{}", escape_control(line)));
}

/// Whether standard output and standard error lead to the same file.
#[cfg(unix)]
fn streams_are_one() -> bool {
    let places = [rustix::fs::fstat(io::stdout()), rustix::fs::fstat(io::stderr())];
    matches!(places, [Ok(one), Ok(other)] if (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// A test prints nothing.
#[cfg(not(unix))]
fn streams_are_one() -> bool {
    false
}

/// Prints a result that may be long: at a terminal through a pager, unless that is `cat`. `pager` is asked only there.
///
/// # Errors
///
/// As [`result`].
pub fn paged(text: &str, pager: impl FnOnce() -> String) -> Result<()> {
    if is_quiet() {
        return Ok(());
    }
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

/// Prints a piece of a patch, byte for byte.
///
/// # Errors
///
/// As [`result`].
pub fn patch(bytes: &[u8]) -> Result<()> {
    if is_quiet() { Ok(()) } else { self::bytes(bytes) }
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
    summary(&format!("{}\n", escape_control_except(text, &['\n', '\t'])))
}

/// Prints what the parser of the command line has to say, its help and its errors alike.
///
/// # Errors
///
/// As [`result`], if it is a result that was asked for.
pub fn usage(said: &clap::Error) -> Result<()> {
    if is_json() && said.use_stderr() {
        drop(anstream::stderr().lock().write_all(json::usage(&said.render().to_string()).as_bytes()));
        return Ok(());
    }
    match said.print() {
        Err(error) if !said.use_stderr() => written(Err(error)),
        _ => Ok(()),
    }
}

fn written(outcome: io::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let title = format!("cannot write to standard output: {}", io_reason(&error));
            Err(Diagnostic::error(Code::Io, title).help("redirect the output to a disk with free space").into())
        }
        _ => Ok(()),
    }
}

/// A diagnostic as it is printed, with colours.
pub(crate) fn draw(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let [title, label] = [&diagnostic.title, &diagnostic.label].map(|text| beginning(text, MAX_TEXT));
    let help = diagnostic.help.as_deref().map(|help| beginning(help, MAX_TEXT));
    let place = diagnostic.place.as_deref();
    let excerpt = place.filter(|place| place.quoted).map(Excerpt::of);
    let mut group = Group::with_title(level.primary_title(&*title).id(diagnostic.code.as_str()));
    if let Some(Excerpt { file, line, column, text, span }) = &excerpt {
        let mark = AnnotationKind::Primary.span(span.clone());
        let mark = if label.is_empty() { mark } else { mark.label(&*label) };
        let snippet = Snippet::source(&**text).line_start(*line).annotation(mark);
        group = match column {
            None => group.element(snippet.path(&**file)),
            // The renderer counts from where its text begins.
            Some(column) => group.element(Origin::path(&**file).line(*line).char_column(*column)).element(snippet),
        };
    }
    if let Some(place) = place.filter(|place| !place.quoted) {
        let (line, column) = place.line_column();
        group =
            group.element(Origin::path(escape_control(&place.file)).line(line).char_column(column)).element(Padding);
    }
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(&**help));
    }
    Renderer::styled().render(&[group])
}

/// At most this much of a text is shown, in bytes: it may be all of a file.
const MAX_TEXT: usize = 2_000;

/// The lines of a place: to draw one, the renderer reads all the text that it gets.
struct Excerpt<'p> {
    file: Cow<'p, str>,
    line: usize,
    /// The region's column, where the text does not begin at the start of its line.
    column: Option<usize>,
    text: Cow<'p, str>,
    span: Range<usize>,
}

impl<'p> Excerpt<'p> {
    fn of(place: &'p Place) -> Self {
        let (shown, is_line) = place.shown();
        let (line, column) = place.line_column();
        let span = place.span.start - shown.start..place.span.end.min(shown.end) - shown.start;
        let (excerpt, span) = visible(&place.text[shown], span);
        let file = escape_control(&place.file);
        Self { file, line, column: (!is_line).then_some(column), text: excerpt, span }
    }
}

/// The text without the characters that act, or that nobody would see, and that the renderer lets through; and where the region is in
/// it then. Each is replaced by one, so that the columns stay right.
fn visible(text: &str, span: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    let is_replaced = |c: char| !c.is_ascii() && is_hidden(c);
    if !text.contains(is_replaced) {
        return (Cow::Borrowed(text), span);
    }
    let replace = |part: &str| part.replace(is_replaced, "\u{fffd}");
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

    fn plain(diagnostic: &Diagnostic) -> String {
        anstream::adapter::strip_str(&draw(diagnostic)).to_string()
    }

    #[test]
    fn of_a_long_line_what_is_around_the_region_is_drawn() {
        let text = format!("one\n{}{{{{ x }}}}{}\nthree", "a".repeat(1 << 20), "ü".repeat(1 << 20));
        let start = 4 + (1 << 20);
        let drawn = plain(&Diagnostic::error(Code::LiquidSyntax, "t").at(Place::new("f", text, start..start + 7), "l"));
        assert!(drawn.len() < 2_000 && drawn.contains(&format!("--> f:2:{}", (1 << 20) + 1)), "{drawn}");
        assert!(drawn.contains("aaa{{ x }}üüü") && drawn.contains("^^^^^^^ l") && !drawn.contains("one"), "{drawn}");
        let open = format!("{{{{ x{}", " y\n".repeat(1 << 20));
        let drawn = plain(&Diagnostic::error(Code::LiquidSyntax, "t").at(Place::new("f", &*open, 0..open.len()), "l"));
        assert!(drawn.len() < 20_000 && drawn.contains("--> f:1:1") && drawn.contains("{{ x y"), "{drawn}");
    }

    #[test]
    fn a_place_that_holds_less_is_drawn_the_same() {
        let line = "ü{{ x }} and more\n".repeat(1 << 14);
        let long_line = format!("one\n{}{{{{ x }}}}{}\nthree", "ü".repeat(1 << 20), "a".repeat(1 << 20));
        let [x, end] = [line.len() / 2 / 19 * 19, line.len()];
        let places =
            [(&*line, x + 2..x + 9), (&*line, x + 2..x + 60), (&*line, 0..0), (&*line, 0..end), (&*line, end..end)];
        let long = 4 + (2 << 20);
        for (text, span) in places.into_iter().chain([(&*long_line, long..long + 7), (&*long_line, 4..long)]) {
            let place = Place::new("f", text, span);
            let mut shrunk = place.clone();
            shrunk.shrink();
            assert!(shrunk.text.len() <= 4_000);
            let [whole, shrunk] = [place, shrunk].map(|it| plain(&Diagnostic::error(Code::Io, "t").at(it, "l")));
            assert_eq!(shrunk, whole);
        }
    }

    #[test]
    fn of_a_long_text_the_beginning_is_drawn() {
        let long = "ü".repeat(1 << 20);
        let drawn = plain(&Diagnostic::error(Code::Io, &*long).help(&*long));
        assert!(drawn.len() < 3 * MAX_TEXT && drawn.contains("üüü…"), "{drawn}");
    }

    #[test]
    fn the_first_of_a_kind_are_drawn_and_the_others_are_counted() {
        let mut problems: Vec<_> = (0..2_000).map(|n| Diagnostic::warning(Code::Io, format!("number {n}"))).collect();
        problems[5].more = 1_000_000;
        problems.push(Diagnostic::error(Code::Git, "git"));
        // They may come in parts.
        let mut told = Told::default();
        let (some, others) = problems.split_at(1_000);
        let mut drawn: Vec<String> = told.shown(some).map(draw).collect();
        drawn.extend(told.shown(others).map(draw));
        drawn.extend(told.more());
        let drawn: Vec<String> = drawn.iter().map(|text| anstream::adapter::strip_str(text).to_string()).collect();
        assert_eq!(drawn.len(), SHOWN + 2);
        assert!(drawn[SHOWN - 1].contains("number 19") && drawn[SHOWN].starts_with("error[P004]: git"));
        assert_eq!(drawn[SHOWN + 1].trim_end(), "warning[P003]: and 1,001,980 more like this");
    }

    #[test]
    fn nothing_in_a_diagnostic_acts_on_the_terminal() {
        let hostile = "a\u{9b}2J\u{1b}[2J\u{202e}\u{200b}\u{e0041}\nb";
        let place = Place::new(hostile, "x \u{9b}\u{1b}\u{202e}{{ y\u{200d}\u{2060} }}\n", 8..21);
        let drawn = draw(&Diagnostic::error(Code::LiquidSyntax, hostile).at(place, hostile).help(hostile));
        let drawn = anstream::adapter::strip_str(&drawn).to_string();
        assert_eq!(drawn, escape_control_except(&drawn, &['\n']), "{drawn:?}");
        assert_eq!(drawn.lines().count(), 7, "{drawn}");
        assert!(drawn.contains(":1:6"), "{drawn}");
    }
}
