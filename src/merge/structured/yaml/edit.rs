//! Edits YAML: a document is put together from the parts of two texts.
//!
//! What is as wanted stays as it is, character by character. Comments go with the entry that they belong to; what comes
//! from the other text is written as it is there, and indented as it is here.

use std::collections::HashMap;

use super::Aliases;
use super::parts::{Kind, line_start};
use super::scalar;
use super::source::{Document, Source, Style, View, comment};
use crate::merge::structured::format::Other;
use crate::merge::structured::identity::{self, identify};
use crate::merge::structured::rules::Rules;
use crate::merge::structured::value::{Comments, Node, Value};

/// Makes `text` the document `want`. What it lacks comes from the other side; so does what that side wrote in another way
/// than the base, where `text` did not.
pub(in crate::merge::structured) fn edit(
    text: &str,
    want: &Node,
    Other { side, base }: Other<'_>,
    rules: &Rules<'_>,
    aliases: Aliases,
) -> Option<String> {
    if text.contains('\r') || side.contains('\r') {
        return None;
    }
    let [canvas, side] = [Source::new(text, true, aliases)?, Source::new(side, false, aliases)?];
    let base = base.and_then(|base| Source::new(base, false, aliases));
    let mut editor = Editor { style: canvas.style.or(side.style), rules, keys: Vec::new() };
    let (documents, there) = (canvas.documents()?, side.documents()?);
    let was = base.as_ref().and_then(Source::documents).unwrap_or_default();
    let is_stream = documents.len() > 1;
    let wanted: Vec<&Node> = match (&want.value, is_stream) {
        (Value::List(list), true) => list.items.iter().collect(),
        (_, true) => return None,
        (_, false) => vec![want],
    };
    let is_known = wanted.len() == documents.len() && there.len() == documents.len();
    if !is_known || (is_stream && want.comments != canvas.node.comments) {
        return None;
    }
    // A document that one side moved is known by its name.
    let place = |documents: &[Document<'_>], want: &Node| {
        let name = identity::document(&want.value).filter(|_| is_stream)?;
        documents.iter().position(|one| identity::document(&one.view.node.value).as_ref() == Some(&name))
    };
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for (at, (document, want)) in documents.iter().zip(wanted).enumerate() {
        if place(&documents, want).is_some_and(|place| place != at) {
            return None;
        }
        let head = head(document, want, there.get(at).filter(|_| !is_stream))?;
        out += head;
        let needs_space =
            !head.trim().is_empty() && document.head.trim().is_empty() && !document.view.lead.starts_with('\n');
        out += if needs_space { "\n" } else { "" };
        let other = |documents: &[Document<'_>]| place(documents, want).unwrap_or(at);
        let others = Others { side: view(&there, other(&there)), base: view(&was, other(&was)) };
        out += &editor.document(document.view, want, others)?;
    }
    out += end(&documents, &there, want, is_stream)?;
    if text.ends_with('\n') && !out.ends_with('\n') {
        out.push('\n');
    }
    Some(out)
}

fn view<'s>(documents: &[Document<'s>], at: usize) -> Option<View<'s>> {
    documents.get(at).map(|document| document.view)
}

/// What is above a document.
fn head<'s>(document: &Document<'s>, want: &Node, side: Option<&Document<'s>>) -> Option<&'s str> {
    let has = |document: &&Document<'_>| document.view.node.comments.is_same_above(&want.comments);
    [Some(document), side].into_iter().flatten().find(has).map(|document| document.head)
}

/// What is below the last document.
fn end<'s>(canvas: &[Document<'s>], side: &[Document<'s>], want: &Node, is_stream: bool) -> Option<&'s str> {
    let rest = |documents: &[Document<'s>]| {
        let last = documents.last()?;
        Some((&last.view.node.comments.end, last.view.source.text.get(last.end..)?))
    };
    let own = rest(canvas)?;
    if is_stream || *own.0 == want.comments.end {
        return Some(own.1);
    }
    rest(side).filter(|(comments, _)| **comments == want.comments.end).map(|(_, text)| text)
}

/// The same value in the other texts.
#[derive(Clone, Copy)]
pub(super) struct Others<'s> {
    pub(super) side: Option<View<'s>>,
    pub(super) base: Option<View<'s>>,
}

impl Others<'_> {
    pub(super) const NONE: Self = Self { side: None, base: None };
}

/// Where a value is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// The column of the dash or key before it.
    pub(super) column: usize,
    pub(super) is_item: bool,
    pub(super) in_flow: bool,
}

/// A written value.
pub(super) enum Written {
    /// Behind its dash or key, with the white space before it.
    Inline(String),
    /// On the lines below.
    Block { properties: String, lines: String },
    /// From after its dash on: what is at its column.
    Compact(String, usize),
}

pub(super) struct Editor<'e> {
    pub(super) style: Style,
    pub(super) rules: &'e Rules<'e>,
    pub(super) keys: Vec<String>,
}

impl Editor<'_> {
    /// A document from its first entry on.
    fn document(&mut self, view: View<'_>, want: &Node, others: Others<'_>) -> Option<String> {
        let at = At { column: 0, is_item: false, in_flow: false };
        match self.value(view, want, others, at)? {
            Written::Block { lines, .. } => Some(lines.strip_prefix('\n').map_or(lines.clone(), str::to_owned)),
            Written::Inline(text) if view.part.kind != Kind::Block => {
                let end = view.part.span.end;
                let line = view.source.text[end..].lines().next().unwrap_or_default();
                Some(format!("{}{text}{line}", view.lead))
            }
            _ => None,
        }
    }

    /// A dash or key with its value.
    pub(super) fn entry(&mut self, view: View<'_>, want: &Node, others: Others<'_>, at: At) -> Option<String> {
        let written = self.value(view, want, others, at)?;
        let tail = self.tail(view, want, others.side);
        let head = self.head_of(view, at);
        match written {
            Written::Inline(text) if is_block_scalar(&text) => {
                // Its comment is after its header.
                let (header, lines) = text.split_once('\n')?;
                let header = &header[..header.len() - comment(header).len()];
                let behind: String = want.comments.behind.iter().map(|comment| format!(" {comment}")).collect();
                Some(format!("{head}{header}{behind}\n{lines}"))
            }
            Written::Inline(text) => Some(format!("{head}{text}{tail}")),
            Written::Block { properties, lines } => {
                let space = if properties.is_empty() { "" } else { " " };
                Some(format!("{head}{space}{properties}{tail}{lines}"))
            }
            Written::Compact(text, column) if tail.is_empty() => {
                let space = column.checked_sub(at.column + 1)?;
                Some(format!("{head}{:space$}{text}", ""))
            }
            Written::Compact(..) => None,
        }
    }

    fn head_of<'s>(&self, view: View<'s>, at: At) -> &'s str {
        match view.key {
            None if at.in_flow => "",
            None => "-",
            Some(_) => &view.source.text[view.start..view.open],
        }
    }

    fn tail(&self, view: View<'_>, want: &Node, side: Option<View<'_>>) -> String {
        let behind = &want.comments.behind;
        let has = |view: &View<'_>| view.node.comments.behind == *behind;
        let known = Some(view).filter(has).or(side.filter(has)).map(|view| view.tail.to_owned());
        known
            .filter(|tail| tail.is_empty() == behind.is_empty())
            .unwrap_or_else(|| behind.iter().map(|comment| format!(" {comment}")).collect())
    }

    /// The text of `view`, edited.
    pub(super) fn value(&mut self, view: View<'_>, want: &Node, others: Others<'_>, at: At) -> Option<Written> {
        let is_wanted = want.allows_within(view.node);
        if is_wanted {
            match (others.side, others.base) {
                // Written in another way by the other side alone?
                (Some(side), Some(base)) if base.form() != side.form() => {
                    if view.form() == base.form() && want.allows_within(side.node) {
                        return self.copy(side, at);
                    }
                }
                _ => return self.copy(view, at),
            }
        }
        let is_container = matches!(
            (&view.node.value, &want.value),
            (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_))
        );
        if is_container && let Some(written) = self.container(view, want, others, at) {
            return Some(written);
        }
        // What an alias stands for is edited where its anchor is.
        let is_alias = |other: Option<View<'_>>| other.is_some_and(|other| other.form() == view.form());
        if is_wanted || (view.part.kind == Kind::Alias && is_alias(others.side)) {
            return self.copy(view, at);
        }
        let is_alike = |side: &View<'_>| is_container || want.allows_within(side.node);
        if let Some(side) = others.side.filter(is_alike)
            && let Some(written) = self.value(side, want, Others::NONE, at)
        {
            return Some(written);
        }
        scalar::fresh(view, want, others, at, self.style).map(Written::Inline)
    }

    fn container(&mut self, view: View<'_>, want: &Node, others: Others<'_>, at: At) -> Option<Written> {
        let depth = self.keys.len();
        let written = match view.part.kind {
            Kind::Block if !at.in_flow => self.block(view, want, others, at),
            Kind::Flow => self.flow(view, want, others, at).map(Written::Inline),
            _ => None,
        };
        self.keys.truncate(depth);
        written
    }

    /// The text of `view` as it is, for another place.
    pub(super) fn copy(&mut self, view: View<'_>, at: At) -> Option<Written> {
        let text = view.source.text;
        let span = view.part.span.clone();
        if at.in_flow {
            return scalar::in_flow(view, at, self.style).map(Written::Inline);
        }
        if view.source.is_canvas {
            // A comment after the last entry belongs to that.
            let end = span.end + comment(text[span.end..].lines().next().unwrap_or_default()).len();
            return Some(match view.part.kind {
                Kind::Block if view.is_compact() => {
                    Written::Compact(text[span.start..end].to_owned(), span.start - line_start(text, span.start))
                }
                Kind::Block => Written::Block {
                    properties: view.properties().to_owned(),
                    lines: format!("\n{}{}", view.first_lead(), &text[line_start(text, span.start)..end]),
                },
                _ => Written::Inline(text[view.open..span.end].to_owned()),
            });
        }
        match view.part.kind {
            Kind::Block => self.container(view, view.node, Others::NONE, at),
            _ => Some(Written::Inline(scalar::refit(view, at, self.style))),
        }
    }

    /// What the entries of a container are known by, with the places of each in reverse.
    pub(super) fn index(&self, entries: &[View<'_>]) -> HashMap<String, Vec<usize>> {
        let mut index: HashMap<String, Vec<usize>> = HashMap::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate().rev() {
            index.entry(self.name(entry.key, entry.node)).or_default().push(at);
        }
        index
    }

    pub(super) fn name(&self, key: Option<&str>, node: &Node) -> String {
        let keys = || self.keys.iter().map(String::as_str).collect::<Vec<_>>();
        key.map_or_else(|| identify(&node.value, self.rules.list(&keys()).identity), str::to_owned)
    }
}

/// The entries of a wanted container, with their keys.
pub(super) fn wanted(want: &Node) -> Vec<(Option<&str>, &Node)> {
    match &want.value {
        Value::Map(map) => map.pairs.iter().map(|(key, node)| (Some(key.as_str()), node)).collect(),
        Value::List(list) => list.items.iter().map(|node| (None, node)).collect(),
        Value::Scalar(_) | Value::Text(_) | Value::Any => Vec::new(),
    }
}

/// Whether nothing is above an entry.
pub(super) fn has_none_above(comments: &Comments) -> bool {
    comments.apart.is_empty() && comments.before.is_empty()
}

/// Whether a text after a dash or key is a literal or folded one, after which nothing can be.
fn is_block_scalar(text: &str) -> bool {
    text.trim_start().starts_with(['|', '>'])
        || text
            .trim_start()
            .split_once(' ')
            .is_some_and(|(first, rest)| first.starts_with(['&', '!']) && rest.starts_with(['|', '>']))
}
