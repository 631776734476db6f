//! YAML: values through serde_yaml_ng, and the places of entries through saphyr-parser.

mod block;
mod edit;
mod flow;
mod parts;
mod scalar;
mod source;
mod words;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use indexmap::IndexMap;
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde::Deserialize as _;
use serde_yaml_ng as yaml;

use super::comments::{Comment, Outline};
use super::value::{Document, Folded, List, Map, Node, Value};
pub(super) use edit::edit;
use parts::{Kind, Part, Place};

/// The parser looks at every open bracket again at each token: how often it may, in a text.
const MAX_LOOKS: usize = 50_000_000;

/// How often the parser could look at an open bracket: all that there are, at all tokens.
fn looks(text: &str) -> usize {
    let count = |characters: &[u8]| text.bytes().filter(|byte| characters.contains(byte)).count();
    count(b"[{").saturating_mul(count(b"[]{},:-?&*!'\"\n"))
}

/// The meaning of an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aliases {
    /// The name of an anchor, whatever that holds. No name is given twice in a text.
    Names,
    /// What the anchor holds.
    Values,
}

/// Parses a document, or several: those are a list. Comments are only put into their places `with_places`: that takes another
/// parser. So do aliases that are names.
pub(super) fn parse(text: &str, with_places: bool, aliases: Aliases) -> Option<Document> {
    let documents = documents(text)?;
    let found = if with_places { places(text, &documents, aliases) } else { None };
    match found {
        Some(found) if aliases == Aliases::Names && found.anchors.is_none() => None,
        Some(found) => Some(found.document(text, documents.len()).0),
        None => {
            let comments = Scanner::new(text, Vec::new()).comments();
            let document = Document::new(text, stream(&documents)?, Outline::default(), comments);
            Some(Document { is_stream: documents.len() > 1, ..document })
        }
    }
}

/// Parses a text and finds where each document is in it; `None` if the two parsers do not agree.
fn parse_parts(text: &str, aliases: Aliases) -> Option<(Document, Vec<Part>)> {
    let documents = documents(text)?;
    Some(places(text, &documents, aliases)?.document(text, documents.len()))
}

/// Whether the last line feed of a text, which has it or not, is a part of a value: of a literal at its end.
pub(super) fn needs_final_newline(text: &str) -> bool {
    let bare = text.strip_suffix('\n').or_else(|| text.strip_suffix('\r')).unwrap_or(text);
    let bare = bare.strip_suffix('\r').unwrap_or(bare);
    text.contains(['|', '>']) && documents(bare) != documents(&format!("{bare}\n"))
}

/// Whether a text can be parsed in time.
pub(super) fn is_affordable(text: &str) -> bool {
    looks(text) <= MAX_LOOKS
}

fn documents(text: &str) -> Option<Vec<yaml::Value>> {
    if !is_affordable(text) {
        return None;
    }
    yaml::Deserializer::from_str(text).map(yaml::Value::deserialize).collect::<Result<_, _>>().ok()
}

/// The documents without the places of their entries.
fn stream(documents: &[yaml::Value]) -> Option<Node> {
    Some(Node::new(match documents {
        [] => value(&yaml::Value::Null)?,
        [document] => value(document)?,
        documents => {
            Value::List(List::new(documents.iter().map(|one| value(one).map(Node::new)).collect::<Option<_>>()?))
        }
    }))
}

/// The result of a walk.
struct Found {
    outline: Outline,
    root: Value,
    comments: Vec<Comment>,
    aliases: Vec<String>,
    /// Where each anchor is; `None` if a name is given twice.
    anchors: Option<BTreeMap<String, u64>>,
    parts: Vec<Part>,
}

impl Found {
    fn document(self, text: &str, documents: usize) -> (Document, Vec<Part>) {
        let document = Document::new(text, Node::new(self.root), self.outline, self.comments);
        let anchors = self.anchors.unwrap_or_default();
        (Document { is_stream: documents > 1, aliases: self.aliases, anchors, ..document }, self.parts)
    }
}

/// The documents with the places of their entries; `None` if the two parsers do not agree.
fn places(text: &str, documents: &[yaml::Value], aliases: Aliases) -> Option<Found> {
    let mut walk = Walk::new(text, aliases)?;
    let mut parts = Vec::with_capacity(documents.len());
    let root = match documents {
        [] => value(&yaml::Value::Null)?,
        [document] => {
            let (value, part) = walk.document(document, None)?;
            parts.push(part);
            value
        }
        documents => {
            let mut items = Vec::with_capacity(documents.len());
            for (at, document) in documents.iter().enumerate() {
                let start = walk.start()?;
                let entry = walk.outline.entry(None, at, start..start);
                let (value, part) = walk.document(document, Some(entry))?;
                walk.outline.end(entry, part.span.end);
                parts.push(part);
                items.push(Node::new(value));
            }
            Value::List(List::new(items))
        }
    };
    let comments = Scanner::new(text, walk.scalars).comments();
    Some(Found { outline: walk.outline, root, comments, aliases: walk.aliases, anchors: walk.anchors, parts })
}

/// Walks the events of the one parser beside the values of the other.
struct Walk<'t> {
    text: &'t str,
    events: std::iter::Peekable<std::vec::IntoIter<(Event<'t>, Range<usize>)>>,
    outline: Outline,
    scalars: Vec<Range<usize>>,
    /// How many brackets are open.
    depth: usize,
    mode: Aliases,
    aliases: Vec<String>,
    anchors: Option<BTreeMap<String, u64>>,
    /// A digest of the keys above the node, for each of them.
    path: Vec<u64>,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str, mode: Aliases) -> Option<Self> {
        let mut offsets = Offsets::new(text);
        let mut events = Vec::new();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.ok()?;
            let range = offsets.at(span.start.index())?..offsets.at(span.end.index())?;
            if !matches!(event, Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing) {
                events.push((event, range));
            }
        }
        let events = events.into_iter().peekable();
        Some(Self {
            text,
            events,
            outline: Outline::default(),
            scalars: Vec::new(),
            depth: 0,
            mode,
            aliases: Vec::new(),
            anchors: Some(BTreeMap::new()),
            path: Vec::new(),
        })
    }

    /// Where the next document's content starts.
    fn start(&mut self) -> Option<usize> {
        let (event, marker) = self.events.peek()?;
        matches!(event, Event::DocumentStart(_)).then_some(marker.end)
    }

    fn document(&mut self, document: &yaml::Value, entry: Option<usize>) -> Option<(Value, Part)> {
        let (Event::DocumentStart(_), marker) = self.events.next()? else { return None };
        self.node(document, entry, marker.end)
    }

    /// The next node, which has `node` as its value, and where it is: at `at`, where it is empty.
    fn node(&mut self, node: &yaml::Value, entry: Option<usize>, at: usize) -> Option<(Value, Part)> {
        if let yaml::Value::Tagged(tagged) = node {
            let from = self.events.peek()?.1.start;
            let number = self.outline.entry(entry, 0, from..from);
            let (inner, part) = self.node(&tagged.value, Some(number), at)?;
            self.outline.end(number, part.span.end);
            return Some((
                tag(&tagged.tag, Node::new(inner)),
                Part::leaf(Kind::Odd, from.min(part.span.start)..part.span.end),
            ));
        }
        let (event, span) = self.events.next()?;
        self.anchor(&event, &span, at);
        match (event, node) {
            (Event::Alias(_), _) => {
                let name = self.text.get(span.clone())?.trim();
                let value = match self.mode {
                    Aliases::Names => Value::Scalar(name.to_owned()),
                    Aliases::Values => {
                        self.aliases.push(format!("{name} {:x}", self.place()));
                        value(node)?
                    }
                };
                Some((value, Part::leaf(Kind::Alias, span)))
            }
            (Event::Scalar(..), yaml::Value::Sequence(_) | yaml::Value::Mapping(_)) => None,
            (Event::Scalar(text, style, _, tag), _) => {
                // A plain scalar is never empty: nothing is there, or an anchor or a tag alone.
                if style == ScalarStyle::Plain && text.is_empty() {
                    let has_properties = self.text[span.start..].starts_with(['&', '!']) && span.end > span.start;
                    let part =
                        if has_properties { Part::leaf(Kind::Odd, span) } else { Part::leaf(Kind::Empty, at..at) };
                    return Some((value(node)?, part));
                }
                let start = parts::start(self.text, &span, style, at)?;
                let end = parts::end(self.text, start..span.end, style)?;
                // A comment after the header of a literal is a comment.
                self.scalars.push(span.start..end);
                // `3.10` and `3.1` are one number, and two versions; `yes` and `'yes'` are one text, or none.
                let is_own = style == ScalarStyle::Plain
                    && (node.is_number() || (node.is_string() && tag.is_none() && words::is_ambiguous(&text)));
                let value = if is_own { Value::Scalar(text.into_owned()) } else { value(node)? };
                Some((value, Part::leaf(Kind::Scalar(style), start..end)))
            }
            (Event::SequenceStart(..), yaml::Value::Sequence(list)) => self.list(list, entry, span, at),
            (Event::MappingStart(..), yaml::Value::Mapping(pairs)) => self.map(pairs, entry, span),
            _ => None,
        }
    }

    fn list(
        &mut self,
        list: &[yaml::Value],
        entry: Option<usize>,
        start: Range<usize>,
        at: usize,
    ) -> Option<(Value, Part)> {
        let is_flow = self.opens(&start, '[');
        self.depth += usize::from(is_flow);
        let (mut items, mut places, mut end) = (Vec::with_capacity(list.len()), Vec::with_capacity(list.len()), at);
        for (at, item) in list.iter().enumerate() {
            let from = self.events.peek()?.1.start;
            let dash = if is_flow { None } else { parts::dash(self.text, end) };
            let (from, open) = dash.map_or((from, from), |dash| (dash, dash + 1));
            let number = self.outline.entry(entry, at, from..from);
            let (value, part) = self.node(item, Some(number), open)?;
            end = part.span.end;
            self.outline.end(number, end);
            places.push(Place { start: from, open, part });
            items.push(written(value, &places));
        }
        let (Event::SequenceEnd, close) = self.events.next()? else { return None };
        let part = match is_flow {
            true => Part::flow(self.close(entry, start, close)?, places, false),
            false => self.block(start.start, places, end),
        };
        Some((Value::List(List::new(items)), part))
    }

    fn map(&mut self, pairs: &yaml::Mapping, entry: Option<usize>, start: Range<usize>) -> Option<(Value, Part)> {
        let is_flow = self.opens(&start, '{');
        self.depth += usize::from(is_flow);
        let (mut map, mut places, mut end) =
            (IndexMap::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()), start.start);
        for (at, (key, node)) in pairs.iter().enumerate() {
            let from = self.events.peek()?.1.start;
            let key_end = self.skip()?;
            let open = parts::behind_colon(self.text, key_end).unwrap_or(from);
            let number = self.outline.entry(entry, at, from..from);
            let name = name(key)?;
            self.path.push(self.place_of(&name));
            let (value, part) = self.node(node, Some(number), open.max(key_end))?;
            self.path.pop();
            end = part.span.end;
            self.outline.end(number, end);
            // Within brackets, to look for one would read the line up to each key, and the line may hold all keys.
            let question = if self.depth == 0 { parts::question(self.text, from) } else { None };
            places.push(match question {
                Some(start) => Place { start, open: start + 1, part: Part::leaf(Kind::Odd, from..end) },
                None => Place { start: from, open, part },
            });
            map.insert(name, written(value, &places));
        }
        let (Event::MappingEnd, close) = self.events.next()? else { return None };
        let part = match is_flow {
            true => Part::flow(self.close(entry, start, close)?, places, true),
            false => self.block(start.start, places, end),
        };
        Some((Value::Map(Map::new(map)), part))
    }

    fn place(&self) -> u64 {
        self.path.last().copied().unwrap_or_default()
    }

    /// Below the node, the place of `key`.
    fn place_of(&self, key: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.place(), key).hash(&mut hasher);
        hasher.finish()
    }

    /// Takes note of the anchor of a node.
    fn anchor(&mut self, event: &Event<'_>, span: &Range<usize>, at: usize) {
        let (Event::Scalar(_, _, 1.., _) | Event::SequenceStart(1.., _) | Event::MappingStart(1.., _)) = event else {
            return;
        };
        if self.mode == Aliases::Values {
            return;
        }
        // The parser leaves out what is before a collection in block style, or before the header of a literal.
        let name = [span.start, at].into_iter().find_map(|from| anchor_name(self.text.get(from..)?.trim_start()));
        let place = self.place();
        let is_new = match (&mut self.anchors, name) {
            (Some(anchors), Some(name)) => anchors.insert(format!("*{name}"), place).is_none(),
            _ => false,
        };
        if !is_new {
            self.anchors = None;
        }
    }

    /// Whether a collection is in brackets.
    fn opens(&self, start: &Range<usize>, bracket: char) -> bool {
        self.text.get(start.start..).is_some_and(|rest| rest[parts::properties(rest)..].starts_with(bracket))
    }

    /// The end of a collection in brackets; the parser counts what is after them as a part of it.
    fn close(&mut self, entry: Option<usize>, start: Range<usize>, close: Range<usize>) -> Option<Range<usize>> {
        self.depth -= 1;
        let span = start.start..parts::bracket(self.text, close.start)?;
        self.outline.container(entry, span.clone());
        Some(span)
    }

    fn block(&self, start: usize, places: Vec<Place>, end: usize) -> Part {
        match self.depth {
            0 => Part::block(self.text, start, places, end),
            _ => Part::leaf(Kind::Odd, start..end),
        }
    }

    /// Skips a key, and returns its end.
    fn skip(&mut self) -> Option<usize> {
        let mut depth = 0_usize;
        loop {
            let (event, span) = self.events.next()?;
            let mut end = span.end;
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
                Event::SequenceEnd | Event::MappingEnd => depth = depth.checked_sub(1)?,
                Event::Scalar(_, style, ..) => {
                    end = parts::end(self.text, span.clone(), style)?;
                    self.scalars.push(span.start..end);
                }
                _ => {}
            }
            if depth == 0 {
                return Some(end);
            }
        }
    }
}

/// The name of the anchor that a text begins with, after a tag and comments.
fn anchor_name(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        match rest.as_bytes().first()? {
            b'&' => return rest[1..].split(|c: char| c.is_whitespace() || ",[]{}".contains(c)).next(),
            b'!' => rest = rest[rest.find(char::is_whitespace)?..].trim_start(),
            b'#' => rest = rest[rest.find('\n')?..].trim_start(),
            _ => return None,
        }
    }
}

/// The node of the last of some places.
fn written(value: Value, places: &[Place]) -> Node {
    let kind = places.last().map(|place| place.part.kind);
    Node { is_folded: Folded(kind == Some(Kind::Scalar(ScalarStyle::Folded))), ..Node::new(value) }
}

/// Byte offsets of numbers of characters, fast where each is near the one before.
struct Offsets<'t> {
    text: &'t str,
    is_ascii: bool,
    /// The number and offset asked for last.
    last: (usize, usize),
}

impl<'t> Offsets<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, is_ascii: text.is_ascii(), last: (0, 0) }
    }

    fn at(&mut self, characters: usize) -> Option<usize> {
        if self.is_ascii {
            return (characters <= self.text.len()).then_some(characters);
        }
        let (mut number, mut offset) = self.last;
        while number < characters {
            offset += self.text[offset..].chars().next()?.len_utf8();
            number += 1;
        }
        while number > characters {
            offset -= self.text[..offset].chars().next_back()?.len_utf8();
            number -= 1;
        }
        self.last = (number, offset);
        Some(offset)
    }
}

/// Finds the comments between scalars.
struct Scanner<'t> {
    text: &'t str,
    scalars: std::iter::Peekable<std::vec::IntoIter<Range<usize>>>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str, scalars: Vec<Range<usize>>) -> Self {
        Self { text, scalars: scalars.into_iter().peekable() }
    }

    fn comments(mut self) -> Vec<Comment> {
        let (mut found, mut from) = (Vec::new(), 0);
        for (at, _) in self.text.match_indices('#') {
            while self.scalars.next_if(|scalar| scalar.end <= at).is_some() {}
            let inside = self.scalars.peek().is_some_and(|scalar| scalar.contains(&at));
            if at < from || inside || !(at == 0 || self.text[..at].ends_with([' ', '\t', '\n', '\r'])) {
                continue;
            }
            from = self.text[at..].find(['\n', '\r']).map_or(self.text.len(), |end| at + end);
            found.extend(Comment::new(self.text, at..from));
        }
        found
    }
}

fn value(node: &yaml::Value) -> Option<Value> {
    Some(match node {
        yaml::Value::Null => Value::Scalar("null".to_owned()),
        yaml::Value::Bool(boolean) => Value::Scalar(boolean.to_string()),
        yaml::Value::Number(number) => Value::Scalar(number.to_string()),
        yaml::Value::String(text) => Value::Text(text.clone()),
        yaml::Value::Sequence(list) => {
            Value::List(List::new(list.iter().map(|item| value(item).map(Node::new)).collect::<Option<_>>()?))
        }
        yaml::Value::Mapping(pairs) => {
            let mut map = IndexMap::with_capacity(pairs.len());
            for (key, node) in pairs {
                map.insert(name(key)?, Node::new(value(node)?));
            }
            Value::Map(Map::new(map))
        }
        yaml::Value::Tagged(tagged) => tag(&tagged.tag, Node::new(value(&tagged.value)?)),
    })
}

fn tag(tag: &yaml::value::Tag, node: Node) -> Value {
    Value::Map(Map::new(IndexMap::from_iter([(format!("\0{tag}"), node)])))
}

/// A key as text; one that is not a string begins with a character that YAML does not have.
fn name(key: &yaml::Value) -> Option<String> {
    match value(key)? {
        Value::Text(text) => Some(text),
        other => Some(format!("\0{}", other.canonical())),
    }
}
