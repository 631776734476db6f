//! Where a render failed. Liquid's errors hold only text, so this works it out, on the failure path only.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::engine::{Engine, Failure};
use super::github::Known;
use super::scan::{self, Kind, Scan};
use super::skeleton;
use crate::diagnostic::{Code, Diagnostic, Place, did_you_mean, nearest};

/// The text that failed.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: Arc<str>,
    pub(super) scan: &'a Scan,
}

impl Source<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place::new(self.file, Arc::clone(&self.text), span)
    }

    fn stretch(&self, span: &Range<usize>) -> &str {
        &self.text[span.clone()]
    }
}

/// Turns a failure of Liquid into a diagnostic with a place.
pub(super) fn failure(
    engine: &Engine,
    source: &Source<'_>,
    failure: &Failure,
    known: &Known<'_>,
    values: &str,
) -> Vec<Diagnostic> {
    match failure {
        Failure::Parse(error) => vec![parse_failure(engine, source, &error.to_string())],
        Failure::Render(error) => render_failure(engine, source, &Message::of(&error.to_string()), known, values),
        Failure::TooLarge(what) => {
            let span = last_element(engine, source, values);
            let title = format!("`{}` is too much work: {what}", source.file);
            vec![
                Diagnostic::error(Code::TooLarge, title)
                    .at(source.place(span), "stopped here")
                    .help("bound the loop; a template may not exhaust the machine it runs on"),
            ]
        }
        Failure::Panicked(message) => {
            let span = last_element(engine, source, values);
            vec![
                Diagnostic::error(Code::LiquidRender, "this cannot be rendered")
                    .at(source.place(span), first_line(message))
                    .help("write this tag in another way, or exclude the file from rendering in cargo-generate.toml"),
            ]
        }
    }
}

/// A Liquid error's text, taken apart.
struct Message {
    title: String,
    context: Vec<(String, String)>,
}

impl Message {
    /// Liquid writes `liquid: TITLE`, then `from: …` and `with:` blocks of `key=value` lines.
    fn of(text: &str) -> Self {
        let title = first_line(text).trim_start_matches("liquid: ").to_owned();
        let pairs = text.lines().skip(1).filter_map(|line| line.trim().split_once('='));
        Self { title, context: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect() }
    }

    fn context(&self, key: &str) -> Option<&str> {
        self.context.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

fn parse_failure(engine: &Engine, source: &Source<'_>, error: &str) -> Diagnostic {
    let message = Message::of(error);
    if let Some(filter) = message.context("requested filter") {
        return unknown_filter(source, filter, message.context("available filters").unwrap_or(""));
    }
    // The skeleton's own lines and columns mean nothing to the author: parse the text itself, with what is no Liquid masked.
    let outcome = engine.render(&mask(source), false);
    let text = match &outcome.failure {
        Some(Failure::Parse(error)) => error.to_string(),
        _ => error.to_owned(),
    };
    let span = pest_position(&text).and_then(|(line, column)| element_at(source, line, column));
    let reason =
        text.lines().filter_map(|line| line.trim().strip_prefix("= ")).next_back().unwrap_or(&message.title).to_owned();
    let span = span.unwrap_or_else(|| source.scan.tags().next().unwrap_or(0..0));
    let stretch = source.stretch(&span);
    let title = match scan::tag_name(stretch) {
        Some(name) if reason.contains("Unknown tag") || text.contains("Unknown tag") => format!("unknown tag `{name}`"),
        _ if reason.contains("Unclosed block") => "a block is never closed".to_owned(),
        _ => "invalid Liquid syntax".to_owned(),
    };
    let help = syntax_help(stretch, &reason);
    Diagnostic::error(Code::LiquidSyntax, title).at(source.place(span), readable(&reason)).help(help)
}

/// Pest names its rules; authors know Liquid's words.
fn readable(reason: &str) -> String {
    let words = [
        ("FilterChain", "a value"),
        ("ExpressionEnd", "`}}`"),
        ("TagEnd", "`%}`"),
        ("ExpressionStart", "`{{`"),
        ("TagStart", "`{%`"),
        ("Identifier", "a name"),
        ("Literal", "a literal"),
        ("Variable", "a variable"),
        ("Filter", "a filter"),
        ("Range", "a range"),
        ("Value", "a value"),
        ("EOI", "the end of the file"),
        ("Element", "text"),
        ("Raw", "text"),
        ("TagInner", "a tag"),
        ("ExpressionInner", "a value"),
    ];
    let name = |word: &str| {
        words.iter().find(|(rule, _)| *rule == word).map_or_else(|| word.to_owned(), |(_, plain)| (*plain).to_owned())
    };
    let mut text = String::new();
    for word in reason.split_inclusive([' ', ',']) {
        let bare = word.trim_end_matches([' ', ',']);
        text.push_str(&name(bare));
        text.push_str(&word[bare.len()..]);
    }
    text
}

fn syntax_help(stretch: &str, reason: &str) -> String {
    if reason.contains("Unclosed block") {
        return "close the block with its end tag".into();
    }
    if stretch.contains('\t') {
        return "use spaces inside a tag: Liquid does not take a tab for white space".into();
    }
    if scan::end_of(stretch, 0).is_none() {
        let close = if stretch.starts_with("{{") { "}}" } else { "%}" };
        return format!("close it with `{close}`, or put literal braces between {{% raw %}} and {{% endraw %}}");
    }
    match scan::tag_name(stretch) {
        Some(name) if TAGS.contains(&name) => "it has no block to belong to here: remove it, or open the block".into(),
        Some(name) if reason.contains("Unknown tag") => did_you_mean(name, TAGS.iter().copied())
            .unwrap_or_else(|| "put literal text between {% raw %} and {% endraw %}".into()),
        _ => "mend the tag, or put literal text between {% raw %} and {% endraw %}".into(),
    }
}

const TAGS: &[&str] = &[
    "assign",
    "break",
    "capture",
    "case",
    "comment",
    "continue",
    "cycle",
    "decrement",
    "else",
    "elsif",
    "endcapture",
    "endcase",
    "endcomment",
    "endfor",
    "endif",
    "endraw",
    "endtablerow",
    "endunless",
    "for",
    "if",
    "ifchanged",
    "increment",
    "raw",
    "tablerow",
    "unless",
    "when",
];

fn unknown_filter(source: &Source<'_>, filter: &str, available: &str) -> Diagnostic {
    let span = source.scan.tags().find_map(|tag| find_filter(&source.text, tag, filter)).unwrap_or(0..0);
    let (code, help) = if filter == "rhai" {
        (Code::Unsupported, Some("create-app does not run Rhai scripts as filters".to_owned()))
    } else {
        let known: Vec<&str> = available.split(", ").collect();
        let help = did_you_mean(filter, known.iter().copied());
        (Code::LiquidSyntax, help.or_else(|| Some("docs/compatibility.md lists the filters".to_owned())))
    };
    Diagnostic::error(code, format!("unknown filter `{filter}`"))
        .at(source.place(span), "not a filter")
        .maybe_help(help)
}

fn render_failure(
    engine: &Engine,
    source: &Source<'_>,
    message: &Message,
    known: &Known<'_>,
    values: &str,
) -> Vec<Diagnostic> {
    if let Some(name) = message.context("requested variable").filter(|_| message.title == "Unknown variable") {
        let names = BTreeSet::from([name.to_owned()]);
        let mut found =
            unknown_variables(source.file, &source.text, source.scan, &names, known, Some("its fields cannot be used"));
        found.iter_mut().for_each(|problem| problem.severity = crate::diagnostic::Severity::Error);
        return found;
    }
    let span = last_element(engine, source, values);
    let (mut title, mut label) =
        (format!("this fails: {}", message.title.to_lowercase()), message.title.to_lowercase());
    if let Some(index) = message.context("requested index") {
        let variable = message.context("variable").unwrap_or("it");
        title = format!("`{variable}` has no `{index}`");
        label = match message.context("available indexes") {
            Some(indexes) if !indexes.is_empty() => format!("it has {indexes}"),
            _ => "it has no fields".into(),
        };
    } else if let Some(cause) = message.context("cause") {
        label = cause.to_owned();
    }
    let help = "mend the tag, or exclude the file from rendering in cargo-generate.toml";
    vec![Diagnostic::error(Code::LiquidRender, title).at(source.place(span), label).help(help)]
}

/// Warnings for unknown variables, each at its first use.
pub(super) fn unknown_variables(
    file: &str,
    text: &str,
    scan: &Scan,
    unknown: &BTreeSet<String>,
    known: &Known<'_>,
    label: Option<&str>,
) -> Vec<Diagnostic> {
    let text: Arc<str> = text.into();
    let warning = |name: &String| {
        let span = scan.tags().find_map(|tag| find_name(&text, tag, name)).unwrap_or(0..0);
        let help = nearest(name, known.names()).map_or_else(
            || format!("declare it under [placeholders] in cargo-generate.toml, or give it with -d {name}=…"),
            |near| format!("did you mean `{near}`?"),
        );
        let label = label.unwrap_or("not a placeholder of this template");
        let place = Place::new(file, Arc::clone(&text), span);
        Diagnostic::warning(Code::UnknownVariable, format!("unknown variable `{name}`")).at(place, label).help(help)
    };
    unknown.iter().map(warning).collect()
}

/// The text with everything that is not Liquid's own blotted out, character by character.
fn mask(source: &Source<'_>) -> String {
    let pieces = source.scan.pieces.iter().map(|piece| {
        let stretch = source.stretch(&piece.span);
        if piece.kind == Kind::Verbatim {
            stretch.chars().map(|c| if c == '\n' { c } else { 'x' }).collect()
        } else {
            stretch.to_owned()
        }
    });
    pieces.collect()
}

/// The element that Liquid was at when it stopped: the last one whose sentinel was written.
fn last_element(engine: &Engine, source: &Source<'_>, values: &str) -> Range<usize> {
    let tags: Vec<_> = source.scan.tags().collect();
    let first = tags.first().cloned().unwrap_or(0..0);
    let Some(sentinel) = skeleton::unused_marker(&source.text, values) else { return first };
    let mut instrumented = String::new();
    let mut number = 0;
    for piece in &source.scan.pieces {
        let stretch = source.stretch(&piece.span);
        if piece.kind == Kind::Liquid {
            // Before these a sentinel would be text in a place where Liquid takes none, or belong to another branch.
            if !matches!(scan::tag_name(stretch), Some("when" | "else" | "elsif")) {
                instrumented.push_str(&format!("{sentinel}{number}{sentinel}"));
            }
            if let Some(guard) = skeleton::range_guard(stretch) {
                instrumented.push_str(&guard);
            }
            number += 1;
        }
        if piece.kind == Kind::Verbatim {
            instrumented.push('x');
        } else {
            instrumented.push_str(stretch);
        }
    }
    let outcome = engine.render(&instrumented, false);
    let last = outcome.text.trim_end().rsplit(sentinel).nth(1).and_then(|number| number.parse::<usize>().ok());
    last.and_then(|last| tags.get(last).cloned()).unwrap_or(first)
}

/// Line and column of a Pest error: ` --> L:C`.
fn pest_position(error: &str) -> Option<(usize, usize)> {
    let position = error.lines().find_map(|line| line.split_once("--> ").map(|(_, position)| position))?;
    let (line, column) = position.trim().split_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// The element at a line and column, or the point itself where none is.
fn element_at(source: &Source<'_>, line: usize, column: usize) -> Option<Range<usize>> {
    let start: usize = source.text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let at =
        start + source.text[start..].char_indices().nth(column - 1).map_or(source.text.len() - start, |(at, _)| at);
    let tag = source.scan.tags().find(|tag| tag.contains(&at));
    // An unclosed tag runs to the end of the file: its first line is enough to show.
    let shorten = |tag: Range<usize>| {
        let stretch = source.stretch(&tag);
        let end = if scan::end_of(stretch, 0).is_some() { stretch.len() } else { first_line(stretch).len() };
        tag.start..tag.start + end
    };
    Some(tag.map_or(at..at, shorten))
}

/// Where a tag uses a name as a variable: not inside quotes, not as a filter or a field.
fn find_name(text: &str, tag: Range<usize>, name: &str) -> Option<Range<usize>> {
    words(&text[tag.clone()])
        .filter(|(word, before)| *word == name && !matches!(before, Some('|' | '.')))
        .map(|(word, _)| word)
        .next()
        .map(|word| offset_in(text, word))
        .or_else(|| text[tag.clone()].find(name).map(|at| tag.start + at..tag.start + at + name.len()))
        .filter(|span| tag.contains(&span.start))
}

fn find_filter(text: &str, tag: Range<usize>, name: &str) -> Option<Range<usize>> {
    let (word, _) = words(&text[tag]).find(|(word, before)| *word == name && *before == Some('|'))?;
    Some(offset_in(text, word))
}

/// The identifiers of a tag outside quotes, each with the last character before it that is no white space.
fn words(element: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    let mut rest = element;
    let mut before = None;
    std::iter::from_fn(move || {
        loop {
            let c = rest.chars().next()?;
            if c.is_ascii_alphabetic() || c == '_' {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
                let word = rest[..end].trim_end_matches('-');
                let found = (word, before);
                before = Some('a');
                rest = &rest[word.len()..];
                return Some(found);
            }
            let skip = match c {
                '"' | '\'' => rest[1..].find(c).map_or(rest.len(), |end| end + 2),
                _ => c.len_utf8(),
            };
            if !c.is_whitespace() {
                before = Some(c);
            }
            rest = &rest[skip..];
        }
    })
}

/// The region of a slice inside the text that it was cut from.
fn offset_in(text: &str, slice: &str) -> Range<usize> {
    let start = slice.as_ptr() as usize - text.as_ptr() as usize;
    start..start + slice.len()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}
