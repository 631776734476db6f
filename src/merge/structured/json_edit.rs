//! Edits JSON and its relatives: a document is put together from the parts of two texts.
//!
//! What is as wanted stays as it is, character by character. Comments go with the entry that they belong to.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use jsonc_parser::ast::{self, Value as Ast};
use jsonc_parser::common::Ranged;
use jsonc_parser::parse_to_ast;
use jsonc_parser::tokens::Token;

use super::format::Other;
use super::identity::identify;
use super::json::{COLLECT, Dialect, parse};
use super::rules::Rules;
use super::value::{Comments, Node, Value};
use crate::merge::adopt::margins::{Margins, margin};

/// Makes `text` the document `want`. What it lacks comes from the other side, indented as `text` is; so does what that side
/// wrote in another way than the base, where `text` did not.
pub(super) fn edit(
    text: &str,
    dialect: Dialect,
    want: &Node,
    Other { side: source, base }: Other<'_>,
    rules: &Rules<'_>,
) -> Option<String> {
    let lines = [text, source].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let unit = lines[0].iter().chain(&lines[1]).map(|line| margin(line)).find(|margin| !margin.is_empty());
    let mut editor = Editor {
        margins: Margins::new(&lines[0], &lines[1]),
        unit: Margins::step(&lines[0]).or(unit).unwrap_or("  "),
        trailing_commas: matches!(dialect, Dialect::Comments | Dialect::Json5),
        rules,
        keys: Vec::new(),
    };
    let [ours, theirs] = [Source::new(text, dialect)?, Source::new(source, dialect)?];
    let [our_root, their_root] = [ours.root()?, theirs.root()?];
    let base = base.and_then(|base| Source::new(base, dialect));
    let others = Others { side: Some(their_root), base: base.as_ref().and_then(Source::root) };
    let value = editor.value(our_root, want, others)?;
    let roots = [our_root, their_root];
    let root = |take: fn(&Node) -> &Vec<String>| roots.into_iter().find(|root| take(root.node) == take(want));
    let head = root(|node| &node.comments.before)?;
    let tail = root(|node| &node.comments.end)?;
    let (head, tail) = (&head.source.text[..head.ast.start()], &tail.source.text[tail.ast.end()..]);
    Some(format!("{head}{value}{tail}"))
}

/// A parsed text.
struct Source<'t> {
    text: &'t str,
    ast: Option<Ast<'t>>,
    node: Node,
    /// Where its lines start.
    lines: Vec<usize>,
    commas: Vec<usize>,
    comments: Vec<Range<usize>>,
}

/// A value in a text.
#[derive(Clone, Copy)]
struct Part<'s, 't> {
    source: &'s Source<'t>,
    ast: &'s Ast<'t>,
    node: &'s Node,
}

/// The same value in the other texts.
#[derive(Clone, Copy)]
struct Others<'s, 't> {
    side: Option<Part<'s, 't>>,
    base: Option<Part<'s, 't>>,
}

impl<'t> Source<'t> {
    fn new(text: &'t str, dialect: Dialect) -> Option<Self> {
        let parsed = parse_to_ast(text, &COLLECT, &dialect.options()).ok()?;
        let (mut commas, mut comments) = (Vec::new(), Vec::new());
        for token in parsed.tokens.unwrap_or_default() {
            match token.token {
                Token::Comma => commas.push(token.range.start),
                Token::CommentLine(_) | Token::CommentBlock(_) => comments.push(token.range.start..token.range.end),
                _ => {}
            }
        }
        let lines = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Some(Self { text, ast: parsed.value, node: parse(text, dialect)?.root, lines, commas, comments })
    }

    fn root(&self) -> Option<Part<'_, 't>> {
        Some(Part { source: self, ast: self.ast.as_ref()?, node: &self.node })
    }

    fn comma(&self, range: Range<usize>) -> Option<usize> {
        let at = self.commas.partition_point(|&at| at < range.start);
        self.commas.get(at).copied().filter(|&at| at < range.end)
    }

    /// The end of the last comment that begins in a range.
    fn last_comment(&self, range: Range<usize>) -> Option<usize> {
        let at = self.comments.partition_point(|comment| comment.start < range.end);
        let comment = self.comments.get(at.checked_sub(1)?)?;
        (comment.start >= range.start).then_some(comment.end)
    }

    /// The white space before the first character of the line of `at`.
    fn margin(&self, at: usize) -> &'t str {
        // All of a large document may be on one line.
        let start = self.lines.partition_point(|&start| start <= at).checked_sub(1).map_or(0, |line| self.lines[line]);
        margin(&self.text[start..])
    }
}

impl<'s, 't> Part<'s, 't> {
    fn text(self) -> &'t str {
        &self.source.text[self.ast.start()..self.ast.end()]
    }

    /// Its text without the margins of its lines.
    fn form(self) -> Vec<&'t str> {
        self.text().lines().map(str::trim_start).collect()
    }

    fn entries(self) -> Vec<Entry<'s, 't>> {
        let entry = |range: Range<usize>, key: Option<String>, ast, node| Entry {
            range,
            key,
            part: Part { source: self.source, ast, node },
            lead: "",
            tail: "",
        };
        let mut entries: Vec<Entry<'s, 't>> = match (self.ast, &self.node.value) {
            (Ast::Array(array), Value::List(list)) => {
                let elements = array.elements.iter().zip(&list.items);
                elements.map(|(ast, node)| entry(ast.start()..ast.end(), None, ast, node)).collect()
            }
            (Ast::Object(object), Value::Map(map)) => {
                let properties = object.properties.iter().zip(&map.pairs);
                let pair = |(property, (key, node)): (&'s ast::ObjectProp<'t>, (&'s String, &'s Node))| {
                    entry(property.start()..property.end(), Some(key.clone()), &property.value, node)
                };
                properties.map(pair).collect()
            }
            _ => Vec::new(),
        };
        for at in 1..entries.len() {
            let gap = entries[at - 1].range.end..entries[at].range.start;
            let (tail, lead) = self.split(gap);
            entries[at - 1].tail = tail;
            entries[at].lead = lead;
        }
        entries
    }

    /// What is between two entries: what belongs to the line of the first, and what is before the second; without the comma.
    fn split(self, gap: Range<usize>) -> (&'t str, &'t str) {
        let text = self.source.text;
        let from = self.source.comma(gap.clone()).map_or(gap.start, |comma| comma + 1);
        let line_end = text[from..gap.end].find('\n').map_or(gap.end, |end| from + end);
        let tail_end = self.source.last_comment(from..line_end).unwrap_or(from);
        (&text[from..tail_end.min(gap.end)], &text[tail_end.min(gap.end)..gap.end])
    }
}

/// An entry of a container, with what is around it.
struct Entry<'s, 't> {
    range: Range<usize>,
    key: Option<String>,
    part: Part<'s, 't>,
    /// White space and comments before it.
    lead: &'t str,
    /// The comment after it, with the white space before that.
    tail: &'t str,
}

impl<'t> Entry<'_, 't> {
    /// The key with the colon and the white space around it.
    fn head(&self) -> &'t str {
        &self.part.source.text[self.range.start..self.part.ast.start()]
    }
}

/// How the entries of a container are laid out.
struct Layout<'t> {
    /// The margin of entries; `None` if they are on one line.
    margin: Option<String>,
    /// Whether entries that were on one line get lines of their own.
    is_spread: bool,
    /// The text before the first entry, and before the others, on one line.
    leads: [&'t str; 2],
}

struct Editor<'e> {
    margins: Margins<'e>,
    unit: &'e str,
    trailing_commas: bool,
    rules: &'e Rules<'e>,
    keys: Vec<String>,
}

impl Editor<'_> {
    /// The text of `part`, edited.
    fn value(&mut self, part: Part<'_, '_>, want: &Node, others: Others<'_, '_>) -> Option<String> {
        let to = part.source.margin(part.ast.start());
        let is_wanted = want.allows_within(part.node);
        if is_wanted {
            // Written in another way by the other side alone?
            let forms = [others.base, others.side].map(|other| other.map(Part::form));
            match (forms, others.side) {
                ([Some(base), Some(other)], Some(side)) if base != other => {
                    if part.form() == base && want.allows_within(side.node) {
                        return Some(self.fit(side.text(), side.source.margin(side.ast.start()), to));
                    }
                }
                _ => return Some(part.text().to_owned()),
            }
        }
        let is_container = matches!(
            (&part.node.value, &want.value),
            (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_))
        );
        if is_container && let Some(text) = self.container(part, want, others) {
            return Some(text);
        }
        if is_wanted {
            return Some(part.text().to_owned());
        }
        if let Some(side) = others.side {
            let text = self.value(side, want, Others { side: None, base: None })?;
            return Some(self.fit(&text, side.source.margin(side.ast.start()), to));
        }
        fresh(&want.value, to, self.unit)
    }

    fn fit(&self, text: &str, from: &str, to: &str) -> String {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (first, rest) = lines.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        format!("{first}{}", self.margins.fit(rest, from, to))
    }

    /// Nothing, where the container is empty, and so does not say how its entries are to be laid out.
    fn container(&mut self, part: Part<'_, '_>, want: &Node, others: Others<'_, '_>) -> Option<String> {
        let entries = part.entries();
        let (open, close) = (part.ast.start() + 1, part.ast.end() - 1);
        let (first, last) = (entries.first()?, entries.last()?);
        let text = part.source.text;
        // A comment after the bracket is the container's own.
        let (opening, first_lead) = part.split(open..first.range.start);
        let had_comma = part.source.comma(last.range.end..close).is_some();
        let (last_tail, closing) = part.split(last.range.end..close);
        let leads = entries.iter().skip(1).map(|entry| entry.lead);
        let newline = std::iter::once(first_lead).chain(leads.clone()).find(|lead| lead.contains('\n'));
        let layout = Layout {
            margin: newline.map(|lead| margin(&lead[lead.rfind('\n').map_or(0, |at| at + 1)..]).to_owned()),
            is_spread: false,
            leads: [first_lead, leads.clone().next().unwrap_or(" ")],
        };
        let wanted = wanted(want);
        let [there, was] = [others.side, others.base].map(|part| part.map(Part::entries).unwrap_or_default());
        let names: Vec<String> = wanted.iter().map(|(key, node)| self.name(*key, node)).collect();
        let [index, there_index, was_index] = [&entries, &there, &was].map(|entries| self.index(entries));
        let is_new = |(name, _): &(&String, &(Option<&str>, &Node))| !index.contains_key(*name);
        let mut new = names.iter().zip(&wanted).filter(is_new).peekable();
        // Where all of it is on one line in the other versions, too, what is new fits there.
        let fits = |(_, (_, node)): (&String, &(Option<&str>, &Node))| node.comments == Comments::default();
        let is_line = |other: Option<Part<'_, '_>>| other.is_some_and(|other| !other.text().contains('\n'));
        let is_spread = layout.margin.is_none()
            && matches!(part.ast, Ast::Object(_))
            && new.peek().is_some()
            && !(is_line(others.side) && is_line(others.base) && new.all(fits));
        let outer = part.source.margin(part.ast.start());
        let layout = match is_spread {
            true => Layout { margin: Some(format!("{outer}{}", self.unit)), is_spread, ..layout },
            false => layout,
        };
        let mut out = text[open - 1..open].to_owned() + opening;
        let mut used = vec![false; entries.len()];
        for (at, (key, node)) in wanted.iter().enumerate() {
            self.keys.extend(key.map(str::to_owned));
            let get = |index: &HashMap<String, Option<usize>>, name: &str| index.get(name).copied().flatten();
            let before = want.before(*key).unwrap_or(&names[at]);
            let find = |index: &HashMap<_, _>| get(index, &names[at]).or_else(|| get(index, before));
            let found = get(&index, &names[at]).filter(|&at| !std::mem::replace(&mut used[at], true));
            let (from, before) = (find(&there_index).map(|at| &there[at]), find(&was_index).map(|at| &was[at]));
            let entry = found.map(|at| &entries[at]);
            let body = match entry {
                Some(entry) => {
                    let others = Others { side: from.map(|from| from.part), base: before.map(|before| before.part) };
                    let value = self.value(entry.part, node, others)?;
                    format!("{}{value}", entry.head())
                }
                None => self.new_entry(from, *key, node, &layout)?,
            };
            let lead = match found {
                Some(0) if entries[0].part.node.comments.is_same_above(&node.comments) => layout.kept(first_lead, at),
                Some(found) if entries[found].part.node.comments.is_same_above(&node.comments) => {
                    layout.kept(entries[found].lead, at)
                }
                _ => layout.lead(&node.comments, at)?.into(),
            };
            let tail = match found {
                Some(found) if entries[found].part.node.comments.behind == node.comments.behind => {
                    if found + 1 == entries.len() { last_tail.into() } else { Cow::Borrowed(entries[found].tail) }
                }
                _ => layout.tail(&node.comments.behind)?.into(),
            };
            out += &lead;
            out += &body;
            if at + 1 < wanted.len() || (had_comma && self.trailing_commas) {
                out.push(',');
            }
            out += &tail;
            self.keys.truncate(self.keys.len() - usize::from(key.is_some()));
        }
        if wanted.is_empty() && want.comments.end.is_empty() {
            return Some(out + &text[close..=close]);
        }
        if layout.is_spread && want.comments.end.is_empty() {
            out += "\n";
            out += outer;
        } else if part.node.comments.end == want.comments.end {
            out += closing;
        } else {
            let margin = layout.margin.as_ref()?;
            want.comments.end.iter().for_each(|comment| out += &own_line(comment, margin));
            out += "\n";
            out += part.source.margin(close);
        }
        Some(out + &text[close..=close])
    }

    /// What the entries of a container are known by; nothing for elements of one identity.
    fn index(&self, entries: &[Entry<'_, '_>]) -> HashMap<String, Option<usize>> {
        let mut index = HashMap::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            let name = self.name(entry.key.as_deref(), entry.part.node);
            index.entry(name).and_modify(|known| *known = None).or_insert(Some(at));
        }
        index
    }

    fn name(&self, key: Option<&str>, node: &Node) -> String {
        let keys = || self.keys.iter().map(String::as_str).collect::<Vec<_>>();
        key.map_or_else(|| identify(&node.value, self.rules.list(&keys()).identity), str::to_owned)
    }

    /// An entry that the container does not have, in the way of the source or, where that does not have it, in a plain way.
    fn new_entry(
        &mut self,
        from: Option<&Entry<'_, '_>>,
        key: Option<&str>,
        node: &Node,
        layout: &Layout<'_>,
    ) -> Option<String> {
        let plain = |margin: Option<&str>| {
            let value = match margin {
                Some(margin) => fresh(&node.value, margin, self.unit)?,
                None => inline(&node.value)?,
            };
            let key = match key {
                Some(key) => format!("{}: ", serde_json::to_string(key).ok()?),
                None => String::new(),
            };
            has_no_comments(&node.value).then(|| format!("{key}{value}"))
        };
        let Some(from) = from else { return plain(layout.margin.as_deref()) };
        let text = format!("{}{}", from.head(), self.value(from.part, node, Others { side: None, base: None })?);
        match &layout.margin {
            Some(margin) => Some(self.fit(&text, from.part.source.margin(from.range.start), margin)),
            None if text.contains('\n') => plain(None),
            None => Some(text),
        }
    }
}

/// The entries of a wanted container, with their keys.
fn wanted(want: &Node) -> Vec<(Option<&str>, &Node)> {
    match &want.value {
        Value::Map(map) => map.pairs.iter().map(|(key, node)| (Some(key.as_str()), node)).collect(),
        Value::List(list) => list.items.iter().map(|node| (None, node)).collect(),
        Value::Scalar(_) | Value::Text(_) | Value::Any => Vec::new(),
    }
}

impl Layout<'_> {
    /// The text before an entry that has its comments already, at its new place.
    fn kept<'l>(&'l self, lead: &'l str, at: usize) -> Cow<'l, str> {
        match &self.margin {
            Some(margin) if self.is_spread => format!("\n{margin}").into(),
            _ if lead.contains('\n') => lead.into(),
            _ => self.leads[at.min(1)].into(),
        }
    }

    /// The text before an entry with such comments above it.
    fn lead(&self, comments: &Comments, at: usize) -> Option<String> {
        match &self.margin {
            Some(margin) => {
                let lines = |comments: &[String]| -> String {
                    comments.iter().map(|comment| own_line(comment, margin)).collect()
                };
                let apart = if comments.apart.is_empty() { "" } else { "\n" };
                Some(format!("{}{apart}{}\n{margin}", lines(&comments.apart), lines(&comments.before)))
            }
            None => (comments.apart.is_empty() && comments.before.is_empty()).then(|| self.leads[at.min(1)].to_owned()),
        }
    }

    /// The text after an entry with such comments on its line.
    fn tail(&self, comments: &[String]) -> Option<String> {
        if comments.is_empty() {
            return Some(String::new());
        }
        self.margin.as_ref()?;
        Some(comments.iter().map(|comment| format!(" {comment}")).collect())
    }
}

/// A comment on lines of its own; those of a block are aligned.
fn own_line(comment: &str, margin: &str) -> String {
    let line = |line: &str| format!("\n{margin}{}{line}", if line.starts_with('*') { " " } else { "" });
    comment.lines().map(line).collect()
}

fn has_no_comments(value: &Value) -> bool {
    let mut none = true;
    Node::new(value.clone()).each_comment(&mut |_| none = false);
    none
}

/// A value whose form no text has.
fn fresh(value: &Value, margin: &str, unit: &str) -> Option<String> {
    let node = Node::new(value.clone());
    let entries = wanted(&node);
    if entries.is_empty() {
        return inline(value);
    }
    if !has_no_comments(value) {
        return None;
    }
    let deeper = format!("{margin}{unit}");
    let entry = |(key, node): &(Option<&str>, &Node)| {
        let value = fresh(&node.value, &deeper, unit)?;
        Some(match key {
            Some(key) => format!("\n{deeper}{}: {value}", serde_json::to_string(key).ok()?),
            None => format!("\n{deeper}{value}"),
        })
    };
    let entries = entries.iter().map(entry).collect::<Option<Vec<_>>>()?.join(",");
    let [open, close] = brackets(value);
    Some(format!("{open}{entries}\n{margin}{close}"))
}

fn inline(value: &Value) -> Option<String> {
    let entries = |entries: Vec<(Option<&str>, &Node)>| {
        let entry = |(key, node): (Option<&str>, &Node)| {
            let value = inline(&node.value)?;
            Some(match key {
                Some(key) => format!("{}: {value}", serde_json::to_string(key).ok()?),
                None => value,
            })
        };
        Some(entries.into_iter().map(entry).collect::<Option<Vec<_>>>()?.join(", "))
    };
    match value {
        Value::Scalar(text) => Some(text.clone()),
        Value::Text(text) => serde_json::to_string(text).ok(),
        Value::Map(map) if map.pairs.is_empty() => Some("{}".to_owned()),
        Value::Map(_) => Some(format!("{{ {} }}", entries(wanted(&Node::new(value.clone())))?)),
        Value::List(_) => Some(format!("[{}]", entries(wanted(&Node::new(value.clone())))?)),
        Value::Any => None,
    }
}

fn brackets(value: &Value) -> [&'static str; 2] {
    if matches!(value, Value::Map(_)) { ["{", "}"] } else { ["[", "]"] }
}
