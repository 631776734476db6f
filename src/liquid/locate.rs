//! Where a render failed. Liquid's errors hold only text, so this works it out, on the failure path only.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use liquid_core::Error;

use super::element::{self, TAGS, words};
use super::engine::{Engine, Failure, Purpose};
use super::github::Known;
use super::loops::TOO_LONG_RANGE;
use super::prose::{Stopped, Unread, Why, first_line, panicked, uncapitalised};
use super::scan::{self, Kind, Scan};
use super::skeleton::{self, Markers};
use crate::diagnostic::{Code, Diagnostic, Place, SHOWN, Severity, did_you_mean};

/// The text that failed.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: Arc<str>,
    pub(crate) scan: &'a Scan,
    /// The secret variable that was looked up before it failed: Liquid's messages may quote its value.
    pub(crate) secret: Option<&'a str>,
}

impl Source<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place::new(self.file, Arc::clone(&self.text), span)
    }

    fn stretch(&self, span: &Range<usize>) -> &str {
        &self.text[span.clone()]
    }

    /// The label in place of Liquid's own words.
    fn hidden(&self) -> Option<String> {
        self.secret.map(|name| format!("the reason is not shown, because it may quote the secret answer `{name}`"))
    }
}

/// Turns a failure of Liquid into a diagnostic with a place.
pub(crate) fn failure(
    engine: &Engine,
    source: &Source<'_>,
    failure: &Failure,
    known: &Known<'_>,
    used: Markers,
) -> Vec<Diagnostic> {
    match failure {
        Failure::Parse(error) => vec![parse_failure(engine, source, error)],
        Failure::Render(error) => render_failure(engine, source, error, known, used),
        Failure::TooLarge(excess) => {
            let span = last_element(engine, source, used);
            let title = format!("`{}` takes too much work: {}", source.file, excess.words());
            vec![Diagnostic::error(Code::TooLarge, title).at(source.place(span), "stopped here").help(excess.help())]
        }
        Failure::Panicked(message) => {
            let span = last_element(engine, source, used);
            vec![
                Diagnostic::error(Code::LiquidRender, "this cannot be rendered")
                    .at(source.place(span), source.hidden().unwrap_or_else(|| panicked(message).to_owned()))
                    .help("write this tag in another way, or exclude the file from rendering in cargo-generate.toml"),
            ]
        }
    }
}

fn parse_failure(engine: &Engine, source: &Source<'_>, error: &Error) -> Diagnostic {
    let unread = Unread::of(error);
    if let Why::UnknownFilter { name, known } = &unread.why {
        return unknown_filter(source, name, known);
    }
    // The skeleton's own lines and columns mean nothing to the author: parse the text itself, with everything that is not Liquid masked.
    let outcome = engine.render(&mask(source), 0, Purpose::Place);
    // Without it, there is no place: the skeleton's own is somewhere else in the text.
    let unread = match &outcome.failure {
        Some(Failure::Parse(error)) => Unread::of(error),
        _ => Unread { position: None, ..unread },
    };
    if unread.why == Why::UnclosedBlock
        && let Some(open) = scan::unclosed(&source.text, source.scan)
    {
        let name = element::tag_name(source.stretch(&open)).unwrap_or("").to_owned();
        return Diagnostic::error(Code::LiquidSyntax, format!("`{name}` is never closed"))
            .at(source.place(open), "opened here")
            .help(format!("close it with `{{% end{name} %}}`"));
    }
    let span = unread.position.and_then(|(line, column)| element_at(source, line, column));
    let span = span.unwrap_or_else(|| source.scan.tags().next().unwrap_or(0..0));
    let stretch = source.stretch(&span);
    let unknown_tag = element::tag_name(stretch).filter(|_| unread.why == Why::UnknownTag);
    let (title, label, help) = match unknown_tag {
        Some(name) if TAGS.contains(&name) => (
            format!("`{name}` closes nothing"),
            "no block is open here".to_owned(),
            "remove it, or open the block".to_owned(),
        ),
        Some(name) => (format!("unknown tag `{name}`"), "not a tag".to_owned(), unknown_tag_help(name)),
        None => ("invalid Liquid syntax".to_owned(), syntax_label(stretch, &unread), syntax_help(stretch)),
    };
    Diagnostic::error(Code::LiquidSyntax, title).at(source.place(span), label).help(help)
}

fn unknown_tag_help(name: &str) -> String {
    did_you_mean(name, TAGS.iter().copied()).unwrap_or_else(|| format!("put literal text between {RAW}"))
}

/// The problem with a tag. Pest tells which rule of its grammar it missed, which helps an author only inside a tag.
fn syntax_label(stretch: &str, unread: &Unread) -> String {
    if element::tag_name(stretch).is_some() || unread.why == Why::Arguments {
        return unread.words();
    }
    "not a Liquid expression".to_owned()
}

fn syntax_help(stretch: &str) -> String {
    // Liquid's grammar takes the beginning of such a name for the literal.
    const LITERALS: &[&str] = &["nil", "null", "true", "false", "empty", "blank"];
    let swallowed =
        |word: &str| LITERALS.iter().find(|literal| word.starts_with(*literal) && word != **literal).copied();
    if stretch.contains('\t') {
        return "use spaces inside a tag: Liquid does not treat a tab as white space".into();
    }
    if element::end_of(stretch, 0).is_none() {
        let close = if stretch.starts_with("{%") { "%}" } else { "}}" };
        return format!("close it with `{close}`, or put literal braces between {RAW}");
    }
    if let Some((word, literal)) = words(stretch).find_map(|(word, _)| Some((word, swallowed(word)?))) {
        return format!("rename `{word}`: Liquid cannot read a name that starts with `{literal}`");
    }
    format!("correct the tag, or put literal text between {RAW}")
}

/// What keeps literal braces from Liquid.
const RAW: &str = "{% raw %} and {% endraw %}";

fn unknown_filter(source: &Source<'_>, filter: &str, known: &[String]) -> Diagnostic {
    let span = source.scan.tags().find_map(|tag| find_filter(&source.text, tag, filter)).unwrap_or(0..0);
    let help = did_you_mean(filter, known.iter().map(String::as_str));
    Diagnostic::error(Code::LiquidSyntax, format!("unknown filter `{filter}`"))
        .at(source.place(span), "not a filter")
        .help(help.unwrap_or_else(|| "docs/compatibility.md lists the filters".to_owned()))
}

fn render_failure(
    engine: &Engine,
    source: &Source<'_>,
    error: &Error,
    known: &Known<'_>,
    used: Markers,
) -> Vec<Diagnostic> {
    let stopped = Stopped::of(error);
    if let Stopped::UnknownVariable(name) = stopped {
        let names = BTreeSet::from([name]);
        let mut found =
            unknown_variables(source.file, &source.text, source.scan, &names, known, Some("its fields cannot be used"));
        found.iter_mut().for_each(|problem| problem.severity = Severity::Error);
        return found;
    }
    let span = last_element(engine, source, used);
    let is_limit = stopped == Stopped::TooLongRange;
    let hidden = source.hidden().filter(|_| !is_limit);
    let plain = || "this cannot be rendered".to_owned();
    let (title, label) = match (hidden, stopped) {
        (Some(hidden), _) => (plain(), hidden),
        (None, Stopped::NoIndex { variable, index, known }) => {
            let variable = variable.as_deref().unwrap_or("it");
            let label = match known {
                Some(indexes) if !indexes.is_empty() => format!("it has {indexes}"),
                _ => "it has no fields".to_owned(),
            };
            (format!("`{variable}` has no `{index}`"), label)
        }
        (None, Stopped::For { reason, cause: Some(cause) }) => (format!("{}: {reason}", plain()), cause),
        (None, Stopped::NoPartial) => {
            ("a template file cannot include another one".to_owned(), "not supported, as in cargo-generate".to_owned())
        }
        (None, Stopped::For { reason, cause: None }) => (plain(), reason),
        (None, Stopped::TooLongRange) => (plain(), uncapitalised(TOO_LONG_RANGE)),
        // Told above.
        (None, Stopped::UnknownVariable(name)) => (plain(), name),
    };
    let code = if is_limit { Code::TooLarge } else { Code::LiquidRender };
    let help = "correct the tag, or exclude the file from rendering in cargo-generate.toml";
    vec![Diagnostic::error(code, title).at(source.place(span), label).help(help)]
}

/// Warnings for unknown variables, each at its first use.
pub(crate) fn unknown_variables(
    file: &str,
    text: &str,
    scan: &Scan,
    unknown: &BTreeSet<String>,
    known: &Known<'_>,
    label: Option<&str>,
) -> Vec<Diagnostic> {
    let text: Arc<str> = text.into();
    let first_uses = first_uses(&text, scan);
    let warning = |name: &String| {
        let used = first_uses.get(name.as_str()).cloned();
        // A name that no tag spells out, such as one with a dot in brackets.
        let span = used.or_else(|| text.find(name).map(|at| at..at + name.len())).unwrap_or(0..0);
        let declared = known.has(name);
        let help = if declared {
            format!("use it between {{% if {name} %}} and {{% endif %}}, or always ask for it")
        } else {
            match known.nearest(name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it under [placeholders] in cargo-generate.toml, or pass it with -d {name}=…"),
            }
        };
        let default = if declared {
            "only asked for under a condition that is false"
        } else {
            "not a placeholder of this template"
        };
        let label = label.unwrap_or(default);
        let title = if declared { format!("`{name}` has no value") } else { format!("unknown variable `{name}`") };
        let place = Place::new(file, Arc::clone(&text), span);
        Diagnostic::warning(Code::UnknownVariable, title).at(place, label).help(help)
    };
    let mut warnings: Vec<Diagnostic> = unknown.iter().take(SHOWN).map(warning).collect();
    if let Some(last) = warnings.last_mut() {
        last.more = unknown.len().saturating_sub(SHOWN);
    }
    warnings
}

/// Which of these names, all of which are `known`, a tag of the text uses as a variable; and what it took to find out, in steps.
pub(crate) fn used<'n>(text: &str, names: &BTreeSet<&'n str>, known: &Known<'_>) -> (BTreeSet<&'n str>, u64) {
    /// At most this many names are searched for one by one, which is faster.
    const FEW: usize = 16;
    if names.len() <= FEW && !names.iter().any(|name| text.contains(name)) {
        return (BTreeSet::new(), 0);
    }
    let scan = scan::scan(text, known);
    let words = scan.tags().flat_map(|tag| words(&text[tag]));
    let variables = words.filter(|(_, before)| !matches!(before, Some('|' | '.'))).map(|(word, _)| word);
    (variables.filter_map(|word| names.get(word).copied()).collect(), scan.effort.steps())
}

/// The names that the tags of a text use as variables and do not bind themselves, each with its region.
pub(crate) fn variables(text: &str, scan: &Scan) -> Vec<(String, Range<usize>)> {
    /// Words of Liquid's grammar.
    const WORDS: &[&str] = &[
        "and",
        "or",
        "contains",
        "in",
        "nil",
        "null",
        "true",
        "false",
        "empty",
        "blank",
        "reversed",
        "forloop",
        "tablerowloop",
        "tablerow",
    ];
    let mut locals = scan::local_names(text);
    let counter = |tag: &'_ str| matches!(element::tag_name(tag), Some("increment" | "decrement"));
    let counters = scan.tags().map(|tag| &text[tag]).filter(|tag| counter(tag));
    locals.extend(counters.filter_map(|tag| Some(words(tag).nth(1)?.0)));
    let mut found = Vec::new();
    for tag in scan.tags() {
        let stretch = &text[tag];
        let name = usize::from(element::tag_name(stretch).is_some());
        for (word, before) in words(stretch).skip(name) {
            let region = offset_in(text, word);
            // `limit: 3`
            let is_argument = text[region.end..].trim_start().starts_with(':');
            let is_variable = !matches!(before, Some('|' | '.')) && !is_argument;
            if is_variable && !WORDS.contains(&word) && !locals.contains(word) {
                found.push((word.to_owned(), region));
            }
        }
    }
    found
}

/// The names that `assign` or `capture` binds before any other tag uses them. Where that is under a condition, the name may be without
/// a value later, and still nobody misspelled it.
pub(crate) fn assigned<'t>(text: &'t str, scan: &Scan) -> BTreeSet<&'t str> {
    let (mut assigned, mut used) = (BTreeSet::new(), BTreeSet::new());
    for tag in scan.tags() {
        let element = &text[tag];
        let binds = matches!(element::tag_name(element), Some("assign" | "capture"));
        let names = words(element).filter(|(_, before)| !matches!(before, Some('|' | '.'))).map(|(word, _)| word);
        // The tag's own name is the first word, the variable that it binds the second one.
        let (mut bound, mut names) = (None, names.skip(usize::from(binds)));
        if binds {
            bound = names.next();
        }
        used.extend(names.filter(|name| !assigned.contains(name)));
        assigned.extend(bound.filter(|name| !used.contains(name)));
    }
    assigned
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
fn last_element(engine: &Engine, source: &Source<'_>, used: Markers) -> Range<usize> {
    let tags: Vec<_> = source.scan.tags().collect();
    let first = tags.first().cloned().unwrap_or(0..0);
    let Some(sentinel) = skeleton::unused_marker(&source.text, used) else { return first };
    let mut instrumented = String::new();
    let mut number = 0;
    for piece in &source.scan.pieces {
        let stretch = source.stretch(&piece.span);
        if piece.kind == Kind::Liquid {
            // Before these a sentinel would be text in a place where Liquid takes none, or belong to another branch.
            if !matches!(element::tag_name(stretch), Some("when" | "else" | "elsif")) {
                instrumented.push_str(&format!("{sentinel}{number}{sentinel}"));
            }
            number += 1;
        }
        if piece.kind == Kind::Verbatim {
            instrumented.push('x');
        } else {
            instrumented.push_str(stretch);
        }
    }
    let outcome = engine.render(&instrumented, source.scan.longest_tag(&source.text), Purpose::Place);
    let last = outcome.text.trim_end().rsplit(sentinel).nth(1).and_then(|number| number.parse::<usize>().ok());
    last.and_then(|last| tags.get(last).cloned()).unwrap_or(first)
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
        let end = if element::end_of(stretch, 0).is_some() { stretch.len() } else { first_line(stretch).len() };
        tag.start..tag.start + end
    };
    Some(tag.map_or(at..at, shorten))
}

/// Where each name is first used as a variable: not inside quotes, not as a filter or a field.
fn first_uses<'t>(text: &'t str, scan: &Scan) -> BTreeMap<&'t str, Range<usize>> {
    let mut uses = BTreeMap::new();
    for tag in scan.tags() {
        for (word, before) in words(&text[tag]) {
            if !matches!(before, Some('|' | '.')) {
                uses.entry(word).or_insert_with(|| offset_in(text, word));
            }
        }
    }
    uses
}

fn find_filter(text: &str, tag: Range<usize>, name: &str) -> Option<Range<usize>> {
    let (word, _) = words(&text[tag]).find(|(word, before)| *word == name && *before == Some('|'))?;
    Some(offset_in(text, word))
}

/// The region of a slice inside the text that it was cut from.
fn offset_in(text: &str, slice: &str) -> Range<usize> {
    let start = slice.as_ptr() as usize - text.as_ptr() as usize;
    start..start + slice.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bound_before_it_is_used_counts_as_assigned() {
        let names = |text: &str| -> Vec<String> {
            let scan = scan::scan(text, &Known::new([]));
            assigned(text, &scan).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(
            names("{% if a %}{%- assign b = c -%}{% endif %}{{ b }}{% capture d %}x{% endcapture %}"),
            ["b", "d"]
        );
        assert!(names("{{ b }}{% assign b = 1 %}").is_empty());
        assert!(names("{% assign b = b | append: 'x' %}").is_empty());
        assert!(names("{% raw %}{% assign b = 1 %}{% endraw %}{% for b in c %}{% endfor %}").is_empty());
        assert_eq!(names("{{ a.b | c }}{% assign b = 1 %}{% assign c = 1 %}"), ["b", "c"]);
    }
}
