//! JSON and its relatives: values and comments through jsonc-parser.

use indexmap::IndexMap;
use jsonc_parser::ast::{self, ObjectPropName};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::tokens::{Token, TokenAndRange};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

use super::comments::{Comment, Outline};
use super::value::{Document, List, Map, Node, Value};

/// What a JSON file may hold besides JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nothing.
    Strict,
    /// Comments.
    Commented,
    /// Comments and trailing commas.
    Comments,
    /// All of JSON5.
    Json5,
}

impl Dialect {
    pub(super) fn options(self) -> ParseOptions {
        let (comments, json5) = (self != Self::Strict, self == Self::Json5);
        ParseOptions {
            allow_comments: comments,
            allow_loose_object_property_names: json5,
            allow_trailing_commas: matches!(self, Self::Comments | Self::Json5),
            allow_missing_commas: false,
            allow_single_quoted_strings: json5,
            allow_hexadecimal_numbers: json5,
            allow_unary_plus_numbers: json5,
            allow_bare_decimal_point_numbers: json5,
            allow_non_finite_numbers: json5,
            allow_extended_string_escapes: json5,
        }
    }
}

pub(super) const COLLECT: CollectOptions =
    CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };

pub(super) fn parse(text: &str, dialect: Dialect) -> Option<Document> {
    let parsed = parse_to_ast(text, &COLLECT, &dialect.options()).ok()?;
    let comment = |token: TokenAndRange<'_>| match token.token {
        Token::CommentLine(_) | Token::CommentBlock(_) => Comment::new(text, token.range.start..token.range.end),
        _ => None,
    };
    let comments = parsed.tokens.unwrap_or_default().into_iter().filter_map(comment).collect();
    let mut outline = Outline::default();
    let root = Node::new(value(&parsed.value?, None, &mut outline)?);
    Some(Document::new(text, root, outline, comments))
}

fn value(node: &ast::Value<'_>, entry: Option<usize>, outline: &mut Outline) -> Option<Value> {
    Some(match node {
        ast::Value::StringLit(text) => Value::Text(text.value.to_string()),
        ast::Value::NumberLit(number) => Value::Scalar(number.value.to_owned()),
        ast::Value::BooleanLit(boolean) => Value::Scalar(boolean.value.to_string()),
        ast::Value::NullKeyword(_) => Value::Scalar("null".to_owned()),
        ast::Value::Array(array) => {
            outline.container(entry, array.range.start..array.range.end);
            let mut items = Vec::with_capacity(array.elements.len());
            for (at, element) in array.elements.iter().enumerate() {
                let number = outline.entry(entry, at, element.start()..element.end());
                items.push(Node::new(value(element, Some(number), outline)?));
            }
            Value::List(List::new(items))
        }
        ast::Value::Object(object) => {
            outline.container(entry, object.range.start..object.range.end);
            let mut pairs = IndexMap::with_capacity(object.properties.len());
            for (at, property) in object.properties.iter().enumerate() {
                let number = outline.entry(entry, at, property.start()..property.end());
                let node = Node::new(value(&property.value, Some(number), outline)?);
                if pairs.insert(name(&property.name).to_owned(), node).is_some() {
                    return None;
                }
            }
            Value::Map(Map::new(pairs))
        }
    })
}

fn name<'n>(name: &'n ObjectPropName<'_>) -> &'n str {
    match name {
        ObjectPropName::String(name) => &name.value,
        ObjectPropName::Word(name) => name.value,
    }
}

/// Puts a comma between elements that have none, and takes a last one where the dialect has no trailing commas.
pub(super) fn repair_commas(text: &str, dialect: Dialect) -> Option<String> {
    let options = ParseOptions { allow_missing_commas: true, allow_trailing_commas: true, ..dialect.options() };
    let parsed = parse_to_ast(text, &COLLECT, &options).ok()?;
    let tokens = parsed.tokens.unwrap_or_default();
    let commas: Vec<usize> = tokens.iter().filter(|t| t.token == Token::Comma).map(|t| t.range.start).collect();
    let comma = |range: Range| commas.get(commas.partition_point(|&at| at < range.start)).filter(|&&at| at < range.end);
    let mut edits = Vec::new();
    for_each_container(&parsed.value?, &mut |container, elements| {
        for pair in elements.windows(2) {
            if comma(Range { start: pair[0].end, end: pair[1].start }).is_none() {
                edits.push((pair[0].end, ","));
            }
        }
        if let (Some(last), Dialect::Strict | Dialect::Commented) = (elements.last(), dialect)
            && let Some(at) = comma(Range { start: last.end, end: container.end })
        {
            edits.push((*at, ""));
        }
    });
    edits.sort_unstable();
    let (mut out, mut done) = (String::with_capacity(text.len() + edits.len()), 0);
    for (at, comma) in edits {
        out.push_str(text.get(done..at)?);
        out.push_str(comma);
        done = if comma.is_empty() { at + 1 } else { at };
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

fn for_each_container(node: &ast::Value<'_>, visit: &mut impl FnMut(Range, &[Range])) {
    match node {
        ast::Value::Array(array) => {
            visit(array.range, &array.elements.iter().map(|element| element.range()).collect::<Vec<_>>());
            array.elements.iter().for_each(|element| for_each_container(element, visit));
        }
        ast::Value::Object(object) => {
            visit(object.range, &object.properties.iter().map(|property| property.range).collect::<Vec<_>>());
            object.properties.iter().for_each(|property| for_each_container(&property.value, visit));
        }
        _ => {}
    }
}
