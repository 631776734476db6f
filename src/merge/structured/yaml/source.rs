//! A parsed YAML text, and views of its parts.

use super::parts::{Kind, Part, are_in_order, line_start};
use super::{Aliases, parse_parts};
use crate::merge::structured::value::{Node, Value};

/// A parsed text.
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    /// The documents, in their order.
    parts: Vec<Part>,
    pub(super) node: Node,
    pub(super) style: Style,
    /// Whether it is the text that is edited.
    pub(super) is_canvas: bool,
}

/// How the collections of a text are indented; `None` if it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// From a key to the keys below it.
    pub(super) step: Option<usize>,
    /// From a key to the dashes below it.
    pub(super) list: Option<usize>,
    /// From a dash to what is after it.
    pub(super) item: Option<usize>,
}

/// A node in a text, with the dash or the key that leads to it.
#[derive(Clone, Copy)]
pub(super) struct View<'s> {
    pub(super) source: &'s Source<'s>,
    pub(super) part: &'s Part,
    pub(super) node: &'s Node,
    pub(super) key: Option<&'s str>,
    pub(super) start: usize,
    /// Behind the dash or the colon.
    pub(super) open: usize,
    pub(super) is_root: bool,
    /// Whether it is in brackets.
    pub(super) in_flow: bool,
    /// The lines above it, since the entry before.
    pub(super) lead: &'s str,
    /// The comment on its line, with the white space before it.
    pub(super) tail: &'s str,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str, is_canvas: bool, aliases: Aliases) -> Option<Self> {
        let (document, parts) = parse_parts(text, aliases)?;
        if !are_in_order(&parts) {
            return None;
        }
        let mut style = Style::default();
        parts.iter().for_each(|part| style.look(text, part));
        Some(Self { text, parts, node: document.root, style, is_canvas })
    }

    /// The documents.
    pub(super) fn documents(&self) -> Option<Vec<Document<'_>>> {
        let is_stream = self.parts.len() > 1;
        let nodes: Vec<&Node> = match &self.node.value {
            Value::List(list) if is_stream => list.items.iter().collect(),
            _ => vec![&self.node],
        };
        let mut from = 0;
        let mut documents = Vec::with_capacity(nodes.len());
        for (part, node) in self.parts.iter().zip(nodes) {
            let document = self.document(part, node, from, is_stream)?;
            from = document.end;
            documents.push(document);
        }
        Some(documents)
    }

    fn document<'s>(&'s self, part: &'s Part, node: &'s Node, from: usize, is_stream: bool) -> Option<Document<'s>> {
        let text = self.text;
        let start = line_start(text, part.span.start);
        let above = text.get(from..start)?;
        let marker = above.rfind("\n---").map(|at| at + 1).or_else(|| above.starts_with("---").then_some(0));
        let own =
            marker.map_or(0, |marker| marker + above[marker..].find('\n').map_or(above.len() - marker, |end| end + 1));
        // The comments of the file are those above its last one; in a stream, they are above the marker.
        let mut left = if is_stream { 0 } else { node.comments.before.len() };
        let lines = above.split_inclusive('\n').take_while(|line| {
            let is_left = left > 0;
            left = left.saturating_sub(usize::from(!comment(line.trim_end()).is_empty()));
            is_left
        });
        let own = own.max(lines.map(str::len).sum());
        let view = View {
            source: self,
            part,
            node,
            key: None,
            start,
            open: start,
            is_root: true,
            in_flow: false,
            lead: &above[own..],
            tail: "",
        };
        let end = part.span.end + text.get(part.span.end..)?.find('\n').unwrap_or(text.len() - part.span.end);
        Some(Document { view, head: &above[..own], end })
    }
}

/// A document in a text.
#[derive(Clone, Copy)]
pub(super) struct Document<'s> {
    /// Its root, with the lines above its first entry.
    pub(super) view: View<'s>,
    /// What is above that.
    pub(super) head: &'s str,
    /// The end of its last line.
    pub(super) end: usize,
}

impl Style {
    fn look(&mut self, text: &str, part: &Part) {
        let column = |at: usize| at - line_start(text, at);
        for place in &part.entries {
            self.look(text, &place.part);
            if part.kind != Kind::Block || place.part.kind != Kind::Block {
                continue;
            }
            let deeper = column(place.part.span.start).checked_sub(column(place.start));
            let is_dash = |at: usize| text[at..].starts_with("- ") || text[at..].starts_with("-\n");
            let known = match (is_dash(place.start), is_dash(place.part.span.start)) {
                (true, _) => &mut self.item,
                (false, true) => &mut self.list,
                (false, false) => &mut self.step,
            };
            *known = known.or(deeper);
        }
    }

    /// The style of a text, with what it does not say from another one.
    pub(super) fn or(self, other: Self) -> Self {
        let step = self.step.or(self.list.filter(|list| *list > 1)).or(other.step);
        // Dashes that are indented are so by a step.
        let list = other.list.map(|list| if list == 0 { 0 } else { step.unwrap_or(list) });
        Self { step, list: self.list.or(list), item: self.item.or(other.item) }
    }

    pub(super) fn step(self) -> usize {
        self.step.unwrap_or(2)
    }

    pub(super) fn list(self) -> usize {
        self.list.unwrap_or_else(|| self.step())
    }

    pub(super) fn item(self) -> usize {
        self.item.unwrap_or(2).max(2)
    }
}

impl<'s> View<'s> {
    /// How the node is written, whatever the margins of its lines.
    pub(super) fn form(self) -> Vec<&'s str> {
        self.source.text[self.part.span.clone()].lines().map(str::trim).collect()
    }

    /// The column of its dash or key.
    pub(super) fn column(self) -> usize {
        self.start - line_start(self.source.text, self.start)
    }

    pub(super) fn is_map(self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Whether it is in block style, and its first entry on the line of its own dash.
    pub(super) fn is_compact(self) -> bool {
        self.part.kind == Kind::Block
            && !self.is_root
            && !self.source.text[self.open..self.part.span.start].contains('\n')
    }

    /// The anchor and the tag of a collection in block style.
    pub(super) fn properties(self) -> &'s str {
        if self.part.kind != Kind::Block || self.is_root || self.is_compact() {
            return "";
        }
        let line = self.source.text[self.open..self.part.span.start].lines().next().unwrap_or_default();
        line[..line.len() - comment(line).len()].trim()
    }

    /// Its entries; `None` if it has none that can be told apart.
    pub(super) fn entries(self) -> Vec<Self> {
        let nodes: Vec<(Option<&'s str>, &'s Node)> = match &self.node.value {
            Value::Map(map) => map.pairs.iter().map(|(key, node)| (Some(key.as_str()), node)).collect(),
            Value::List(list) => list.items.iter().map(|node| (None, node)).collect(),
            Value::Scalar(_) | Value::Text(_) | Value::Any => return Vec::new(),
        };
        if !matches!(self.part.kind, Kind::Block | Kind::Flow) || nodes.len() != self.part.entries.len() {
            return Vec::new();
        }
        let in_flow = self.part.kind == Kind::Flow;
        let mut end = self.open;
        let mut entries = Vec::with_capacity(nodes.len());
        for (place, (key, node)) in self.part.entries.iter().zip(nodes) {
            let mut entry = View {
                source: self.source,
                part: &place.part,
                node,
                key,
                start: place.start,
                open: place.open,
                is_root: false,
                in_flow,
                lead: "",
                tail: "",
            };
            if !in_flow {
                let is_first = entries.is_empty();
                entry.lead = if is_first { self.first_lead() } else { lead(&self.source.text[end..place.start]) };
                entry.tail = entry.tail();
            }
            end = place.part.span.end;
            entries.push(entry);
        }
        entries
    }

    /// The lines above the first entry of a collection in block style.
    pub(super) fn first_lead(self) -> &'s str {
        if self.is_root { self.lead } else { lead(&self.source.text[self.open..self.part.span.start]) }
    }

    fn tail(self) -> &'s str {
        let text = self.source.text;
        let line = match self.part.kind {
            Kind::Block if self.is_compact() => "",
            Kind::Block => text[self.open..self.part.span.start].lines().next().unwrap_or_default(),
            _ => text[self.part.span.end..].lines().next().unwrap_or_default(),
        };
        comment(line)
    }
}

/// The whole lines between an entry and the one before it.
fn lead(gap: &str) -> &str {
    let lines = gap.find('\n').map_or("", |end| &gap[end + 1..]);
    &lines[..lines.rfind('\n').map_or(0, |end| end + 1)]
}

/// The comment at the end of a line without scalars, with the white space before it.
pub(super) fn comment(line: &str) -> &str {
    let starts = |at: &usize| line[..*at].is_empty() || line[..*at].ends_with([' ', '\t']);
    let at = line.match_indices('#').map(|(at, _)| at).find(starts);
    at.map_or("", |at| &line[line[..at].trim_end().len()..])
}
