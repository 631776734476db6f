//! Scalars, and other values that are taken as a whole.

use std::collections::HashMap;

use saphyr_parser::ScalarStyle;
use serde_yaml_ng as yaml;

use super::edit::{At, Others, wanted};
use super::parts::Kind;
use super::source::{Style, View};
use crate::merge::structured::value::{Node, Value};

/// The text of a value of the other text, for another place: its further lines are indented as those here.
pub(super) fn refit(view: View<'_>, at: At, style: Style) -> String {
    let text = &view.source.text[view.part.span.clone()];
    if text.is_empty() {
        return String::new();
    }
    let from = view.column();
    let their_step = view.source.style.or(style).step();
    let deeper = |margin: usize| match margin.checked_sub(from) {
        Some(deeper) => at.column + deeper / their_step * style.step() + deeper % their_step,
        None => margin,
    };
    // The lines of a literal keep their distances.
    let first = text.lines().skip(1).find(|line| !line.trim().is_empty()).map(margin);
    let is_literal = matches!(view.part.kind, Kind::Scalar(ScalarStyle::Literal | ScalarStyle::Folded));
    let has_indicator = text.lines().next().is_some_and(|header| header.contains(|c: char| c.is_ascii_digit()));
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        let own = margin(line);
        let fitted = match first {
            _ if number == 0 || line.trim().is_empty() => own,
            Some(_) if is_literal && has_indicator => (own + at.column).saturating_sub(from),
            Some(first) if is_literal => (own + deeper(first)).saturating_sub(first),
            _ => deeper(own),
        };
        out += if number == 0 { " " } else { "\n" };
        if number > 0 {
            out.extend(std::iter::repeat_n(' ', fitted));
        }
        out += &line[own..];
    }
    out
}

fn margin(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// A value within brackets: as it is written, where it can be.
pub(super) fn in_flow(view: View<'_>, at: At, style: Style) -> Option<String> {
    let text = &view.source.text[view.part.span.clone()];
    let margin = if view.key.is_some() { " " } else { "" };
    if view.source.is_canvas && view.in_flow {
        let open = if view.key.is_some() { view.open } else { view.part.span.start };
        return Some(view.source.text[open..view.part.span.end].to_owned());
    }
    let is_safe = match view.part.kind {
        Kind::Scalar(ScalarStyle::Plain) => view.in_flow || !text.contains([',', '[', ']', '{', '}']),
        Kind::Scalar(ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) | Kind::Alias => true,
        Kind::Scalar(_) | Kind::Block | Kind::Odd => false,
        Kind::Empty | Kind::Flow => view.in_flow || view.part.kind == Kind::Flow,
    };
    if is_safe && !text.contains('\n') {
        return Some(if text.is_empty() { String::new() } else { format!("{margin}{text}") });
    }
    if is_safe && view.part.kind != Kind::Flow {
        return Some(refit(view, at, style))
            .map(|text| if margin.is_empty() { text.trim_start().to_owned() } else { text });
    }
    Some(format!("{margin}{}", inline(view.node)?))
}

/// A value that neither text has: a merged text, or an empty collection.
pub(super) fn fresh(view: View<'_>, want: &Node, others: Others<'_>, at: At, style: Style) -> Option<String> {
    let margin = if at.in_flow && view.key.is_none() { "" } else { " " };
    let is_literal = view.part.kind == Kind::Scalar(ScalarStyle::Literal);
    match &want.value {
        Value::Text(text) if text.contains('\n') && !at.in_flow && want.is_folded.0 => {
            folded(view, text, others, at, style)
        }
        Value::Text(text) if (text.contains('\n') || is_literal) && !at.in_flow => literal(view, text, at, style),
        Value::Map(map) if !map.pairs.is_empty() => None,
        Value::List(list) if !list.items.is_empty() => None,
        _ => Some(format!("{margin}{}", inline(want)?)),
    }
}

/// A text as a literal, with the margin of the one that it replaces.
fn literal(view: View<'_>, text: &str, at: At, style: Style) -> Option<String> {
    block(view, '|', text, at, style)
}

/// A text as a folded one: each paragraph that a version has is broken into lines as it is there.
fn folded(view: View<'_>, text: &str, others: Others<'_>, at: At, style: Style) -> Option<String> {
    let mut known = HashMap::new();
    for version in [Some(view), others.side, others.base].into_iter().flatten() {
        for lines in paragraphs(&version.source.text[version.part.span.clone()]) {
            known.entry(lines.join(" ")).or_insert(lines);
        }
    }
    let body = text.trim_end_matches('\n');
    // Lines that are indented more than others, and empty ones, are folded in ways of their own.
    if body.split('\n').any(|line| line.is_empty() || line.starts_with([' ', '\t'])) {
        return None;
    }
    let paragraph = |line: &str| known.get(line).map_or_else(|| line.to_owned(), |lines: &Vec<&str>| lines.join("\n"));
    let body = body.split('\n').map(paragraph).collect::<Vec<_>>().join("\n\n");
    block(view, '>', &(body + &text[text.trim_end_matches('\n').len()..]), at, style)
}

/// The lines of each paragraph of a folded text.
fn paragraphs(written: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = written.lines().skip(1).map(str::trim).collect();
    lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty()).map(<[_]>::to_vec).collect()
}

/// A block scalar with these lines, with the margin of the one that it replaces.
fn block(view: View<'_>, mark: char, text: &str, at: At, style: Style) -> Option<String> {
    let lines = text.trim_end_matches('\n');
    let is_plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if lines.starts_with([' ', '\n', '\t']) || lines.is_empty() || !text.chars().all(is_plain) {
        return None;
    }
    let chomping = match text.len() - lines.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let known = view.source.text[view.part.span.clone()].lines().skip(1).find(|line| !line.trim().is_empty());
    let is_literal = matches!(view.part.kind, Kind::Scalar(ScalarStyle::Literal | ScalarStyle::Folded));
    let known = known.filter(|_| is_literal && view.source.is_canvas).map(margin);
    let column = known.unwrap_or(at.column + if at.is_item { style.item() } else { style.step() });
    let mut out = format!(" {mark}{chomping}");
    let all = if chomping == "+" { text.strip_suffix('\n').unwrap_or(text) } else { lines };
    for line in all.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', column));
            out += line;
        }
    }
    Some(out)
}

/// A value on one line.
fn inline(node: &Node) -> Option<String> {
    if node.comments != crate::merge::structured::value::Comments::default() {
        return None;
    }
    let entries = |node: &Node| {
        let entry = |(key, node): (Option<&str>, &Node)| {
            let value = inline(node)?;
            Some(match key {
                Some(key) => format!("{}: {value}", quoted(key)?),
                None => value,
            })
        };
        Some(wanted(node).into_iter().map(entry).collect::<Option<Vec<_>>>()?.join(", "))
    };
    match &node.value {
        Value::Scalar(text) => Some(text.clone()),
        Value::Text(text) => quoted(text),
        Value::Map(map) if map.pairs.is_empty() => Some("{}".to_owned()),
        Value::Map(map) if map.pairs.keys().any(|key| key.starts_with('\0')) => None,
        Value::Map(_) => Some(format!("{{ {} }}", entries(node)?)),
        Value::List(_) => Some(format!("[{}]", entries(node)?)),
        Value::Any => None,
    }
}

/// A text without quotes where every reader takes it for a text, and with quotes elsewhere.
fn quoted(text: &str) -> Option<String> {
    const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(is_word)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && matches!(yaml::from_str(text), Ok(yaml::Value::String(_)));
    if is_plain { Some(text.to_owned()) } else { serde_json::to_string(text).ok() }
}
