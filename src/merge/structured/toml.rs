//! TOML: values through toml_edit, comments through toml_parser.

use indexmap::IndexMap;
use toml_edit::{Item, Key, Table, TableLike};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::comments::{Comment, NOWHERE, Outline};
use super::value::{Document, List, Map, Node, Value};
use crate::limits;

pub(super) fn parse(text: &str) -> Option<Document> {
    // The parser takes hundreds of bytes for each table that a few bytes name.
    if limits::is_overfull_toml(text) {
        return None;
    }
    let document = toml_edit::Document::parse(text).ok()?;
    let source = Source::new(text);
    let comments = source.lex().filter(|token| token.kind() == TokenKind::Comment);
    let comments = comments.filter_map(|token| Comment::new(text, token.span().start()..token.span().end()));
    let comments = comments.collect();
    let mut outline = Outline::default();
    let root = Node::new(Value::Map(table(document.as_table(), None, &mut outline)?));
    Some(Document::new(text, root, outline, comments))
}

fn table(table: &dyn TableLike, parent: Option<usize>, outline: &mut Outline) -> Option<Map> {
    let mut pairs = IndexMap::with_capacity(table.len());
    for (key, node) in table.iter().filter(|(_, item)| !item.is_none()) {
        let key_span = table.key(key).and_then(Key::span);
        let span = match (node, key_span.or(node.span())) {
            (Item::Table(table), _) if !table.is_dotted() => table.span(),
            (Item::ArrayOfTables(_), _) => None,
            (_, Some(key)) => Some(key.start..node.span().map_or(key.end, |value| value.end)),
            (_, None) => None,
        };
        let number = outline.entry(parent, pairs.len(), span.unwrap_or(NOWHERE..NOWHERE));
        pairs.insert(key.to_owned(), Node::new(item(node, number, outline)?));
    }
    Some(Map::new(pairs))
}

fn item(item: &Item, entry: usize, outline: &mut Outline) -> Option<Value> {
    match item {
        Item::None => None,
        Item::Value(value) => self::value(value, entry, outline),
        Item::Table(table) => Some(Value::Map(self::table(table, Some(entry), outline)?)),
        Item::ArrayOfTables(tables) => {
            let table = |(at, table): (usize, &Table)| {
                let number = outline.entry(Some(entry), at, table.span().unwrap_or(NOWHERE..NOWHERE));
                Some(Node::new(Value::Map(self::table(table, Some(number), outline)?)))
            };
            Some(Value::List(List::new(tables.iter().enumerate().map(table).collect::<Option<_>>()?)))
        }
    }
}

fn value(value: &toml_edit::Value, entry: usize, outline: &mut Outline) -> Option<Value> {
    use toml_edit::Value as Toml;
    Some(match value {
        Toml::String(text) => Value::Text(text.value().clone()),
        Toml::Integer(number) => Value::Scalar(number.value().to_string()),
        Toml::Float(number) => Value::Scalar(format!("{:?}", number.value())),
        Toml::Boolean(boolean) => Value::Scalar(boolean.value().to_string()),
        Toml::Datetime(date) => Value::Scalar(date.value().to_string()),
        Toml::Array(array) => {
            array.span().into_iter().for_each(|span| outline.container(Some(entry), span));
            let element = |(at, element): (usize, &toml_edit::Value)| {
                let number = outline.entry(Some(entry), at, element.span().unwrap_or(NOWHERE..NOWHERE));
                Some(Node::new(self::value(element, number, outline)?))
            };
            Value::List(List::new(array.iter().enumerate().map(element).collect::<Option<_>>()?))
        }
        Toml::InlineTable(table) => {
            table.span().into_iter().for_each(|span| outline.container(Some(entry), span));
            Value::Map(self::table(table, Some(entry), outline)?)
        }
    })
}
