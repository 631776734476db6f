//! YAML: values through serde_yaml_ng, and the places of entries through saphyr-parser. Nothing edits YAML and keeps its
//! comments, so there is no editor here.

use std::ops::Range;

use indexmap::IndexMap;
use saphyr_parser::{Event, Parser};
use serde::Deserialize as _;
use serde_yaml_ng as yaml;

use super::comments::{Comment, Outline};
use super::value::{Document, List, Map, Node, Value};

/// The parser looks at every open bracket again at each token: how often it may, in a text.
const MAX_LOOKS: usize = 50_000_000;

/// How often the parser could look at an open bracket: all that there are, at all tokens.
fn looks(text: &str) -> usize {
    let count = |characters: &[u8]| text.bytes().filter(|byte| characters.contains(byte)).count();
    count(b"[{").saturating_mul(count(b"[]{},:-?&*!'\"\n"))
}

/// Parses a document, or several: those are a list. Comments are only put into their places `with_places`: that takes another
/// parser.
pub(super) fn parse(text: &str, with_places: bool) -> Option<Document> {
    if looks(text) > MAX_LOOKS {
        return None;
    }
    let documents = yaml::Deserializer::from_str(text).map(yaml::Value::deserialize);
    let documents = documents.collect::<Result<Vec<_>, _>>().ok()?;
    let found = if with_places { places(text, &documents) } else { None };
    let (outline, root, comments) = found.or_else(|| {
        let comments = Scanner::new(text, Vec::new()).comments();
        Some((Outline::default(), stream(&documents)?, comments))
    })?;
    let document = Document::new(text, root, outline, comments);
    Some(Document { is_stream: documents.len() > 1, ..document })
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

/// The documents with the places of their entries; nothing where the two parsers do not agree.
fn places(text: &str, documents: &[yaml::Value]) -> Option<(Outline, Node, Vec<Comment>)> {
    let mut walk = Walk::new(text)?;
    let root = match documents {
        [] => value(&yaml::Value::Null)?,
        [document] => walk.document(document, None)?.0,
        documents => {
            let mut items = Vec::with_capacity(documents.len());
            for (at, document) in documents.iter().enumerate() {
                let start = walk.start()?;
                let entry = walk.outline.entry(None, at, start..start);
                let (value, end) = walk.document(document, Some(entry))?;
                walk.outline.end(entry, end);
                items.push(Node::new(value));
            }
            Value::List(List::new(items))
        }
    };
    let comments = Scanner::new(text, walk.scalars).comments();
    Some((walk.outline, Node::new(root), comments))
}

/// Walks the events of the one parser beside the values of the other.
struct Walk<'t> {
    text: &'t str,
    events: std::iter::Peekable<std::vec::IntoIter<(Event<'t>, Range<usize>)>>,
    outline: Outline,
    scalars: Vec<Range<usize>>,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Option<Self> {
        let mut offsets = Offsets::new(text);
        let mut events = Vec::new();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.ok()?;
            let range = offsets.at(span.start.index())?..offsets.at(span.end.index())?;
            if !matches!(event, Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing) {
                events.push((event, range));
            }
        }
        Some(Self { text, events: events.into_iter().peekable(), outline: Outline::default(), scalars: Vec::new() })
    }

    /// Where the next document's content starts.
    fn start(&mut self) -> Option<usize> {
        let (event, marker) = self.events.peek()?;
        matches!(event, Event::DocumentStart(_)).then_some(marker.end)
    }

    fn document(&mut self, document: &yaml::Value, entry: Option<usize>) -> Option<(Value, usize)> {
        let (Event::DocumentStart(_), _) = self.events.next()? else { return None };
        self.node(document, entry)
    }

    /// The next node, which has `node` as its value, and where it ends.
    fn node(&mut self, node: &yaml::Value, entry: Option<usize>) -> Option<(Value, usize)> {
        if let yaml::Value::Tagged(tagged) = node {
            let from = self.events.peek()?.1.start;
            let number = self.outline.entry(entry, 0, from..from);
            let (inner, end) = self.node(&tagged.value, Some(number))?;
            self.outline.end(number, end);
            return Some((tag(&tagged.tag, Node::new(inner)), end));
        }
        let (event, span) = self.events.next()?;
        match (event, node) {
            (Event::Alias(_), _) => Some((value(node)?, span.end)),
            (Event::Scalar(..), yaml::Value::Sequence(_) | yaml::Value::Mapping(_)) => None,
            (Event::Scalar(..), _) => {
                let end = span.start + self.text.get(span.clone())?.trim_end().len();
                self.scalars.push(span);
                Some((value(node)?, end))
            }
            (Event::SequenceStart(..), yaml::Value::Sequence(list)) => self.list(list, entry, span),
            (Event::MappingStart(..), yaml::Value::Mapping(pairs)) => self.map(pairs, entry, span),
            _ => None,
        }
    }

    fn list(&mut self, list: &[yaml::Value], entry: Option<usize>, start: Range<usize>) -> Option<(Value, usize)> {
        let (mut items, mut end) = (Vec::with_capacity(list.len()), start.end);
        for (at, item) in list.iter().enumerate() {
            let from = self.events.peek()?.1.start;
            let number = self.outline.entry(entry, at, from..from);
            let (value, to) = self.node(item, Some(number))?;
            self.outline.end(number, to);
            items.push(Node::new(value));
            end = to;
        }
        let (Event::SequenceEnd, close) = self.events.next()? else { return None };
        Some((Value::List(List::new(items)), self.close(entry, start, close, end)))
    }

    fn map(&mut self, pairs: &yaml::Mapping, entry: Option<usize>, start: Range<usize>) -> Option<(Value, usize)> {
        let (mut map, mut end) = (IndexMap::with_capacity(pairs.len()), start.end);
        for (at, (key, node)) in pairs.iter().enumerate() {
            let from = self.events.peek()?.1.start;
            self.skip()?;
            let number = self.outline.entry(entry, at, from..from);
            let (value, to) = self.node(node, Some(number))?;
            self.outline.end(number, to);
            map.insert(name(key)?, Node::new(value));
            end = to;
        }
        let (Event::MappingEnd, close) = self.events.next()? else { return None };
        Some((Value::Map(Map::new(map)), self.close(entry, start, close, end)))
    }

    /// The end of a container: behind its bracket, or its last entry.
    fn close(&mut self, entry: Option<usize>, start: Range<usize>, close: Range<usize>, end: usize) -> usize {
        if !self.text[start.start..].starts_with(['[', '{']) {
            return end;
        }
        let bracket = |at: &usize| self.text[*at..].starts_with([']', '}']);
        let end = (end..close.end).find(|at| self.text.is_char_boundary(*at) && bracket(at)).map_or(end, |at| at + 1);
        self.outline.container(entry, start.start..end);
        end
    }

    /// Skips a key.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            let (event, span) = self.events.next()?;
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
                Event::SequenceEnd | Event::MappingEnd => depth = depth.checked_sub(1)?,
                Event::Scalar(..) => self.scalars.push(span),
                _ => {}
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
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
