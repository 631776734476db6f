//! JSON and its relatives: values, comments and edits through jsonc-parser.

use jsonc_parser::ast::{self, ObjectPropName};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};
use jsonc_parser::tokens::{Token, TokenAndRange};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

use super::value::{Document, Map, Value};

/// What a JSON file may hold besides JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nothing.
    Strict,
    /// Comments and trailing commas.
    Comments,
    /// All of JSON5.
    Json5,
}

impl Dialect {
    fn options(self) -> ParseOptions {
        let (comments, json5) = (self != Self::Strict, self == Self::Json5);
        ParseOptions {
            allow_comments: comments,
            allow_loose_object_property_names: json5,
            allow_trailing_commas: comments,
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

const COLLECT: CollectOptions = CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };

pub(super) fn parse(text: &str, dialect: Dialect) -> Option<Document> {
    let parsed = parse_to_ast(text, &COLLECT, &dialect.options()).ok()?;
    let comment = |token: TokenAndRange<'_>| match token.token {
        Token::CommentLine(text) | Token::CommentBlock(text) => Some(text.trim().to_owned()),
        _ => None,
    };
    let comments = parsed.tokens.unwrap_or_default().into_iter().filter_map(comment).collect();
    Some(Document { value: value(&parsed.value?)?, comments })
}

fn value(node: &ast::Value<'_>) -> Option<Value> {
    Some(match node {
        ast::Value::StringLit(text) => Value::Text(text.value.to_string()),
        ast::Value::NumberLit(number) => Value::Scalar(number.value.to_owned()),
        ast::Value::BooleanLit(boolean) => Value::Scalar(boolean.value.to_string()),
        ast::Value::NullKeyword(_) => Value::Scalar("null".to_owned()),
        ast::Value::Array(array) => Value::List(array.elements.iter().map(value).collect::<Option<_>>()?),
        ast::Value::Object(object) => {
            let mut map = Map::with_capacity(object.properties.len());
            for property in &object.properties {
                if map.insert(name(&property.name).to_owned(), value(&property.value)?).is_some() {
                    return None;
                }
            }
            Value::Map(map)
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
pub(super) fn mend_commas(text: &str, dialect: Dialect) -> Option<String> {
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
        if let (Some(last), Dialect::Strict) = (elements.last(), dialect)
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

/// Gives the document `text`, whose value is `have`, the value `want`, and leaves everything else as it is.
pub(super) fn edit(text: &str, dialect: Dialect, have: &Value, want: &Value) -> Option<String> {
    let root = CstRootNode::parse(text, &dialect.options()).ok()?;
    let mut editor = Editor { changes: EDITED_BYTES / text.len().max(1) };
    editor.node(&root.value()?, have, want)?;
    Some(root.to_string())
}

/// The bytes that all changes of one document may cost: each of them walks the container that it is in.
const EDITED_BYTES: usize = 20_000_000;

struct Editor {
    /// How many changes may still be made.
    changes: usize,
}

impl Editor {
    fn node(&mut self, node: &CstNode, have: &Value, want: &Value) -> Option<()> {
        match (have, want) {
            _ if have == want => {}
            (Value::Map(have), Value::Map(want)) => self.object(&node.as_object()?, have, want)?,
            (Value::List(have), Value::List(want)) => self.array(&node.as_array()?, have, want)?,
            _ => drop(replace(node.clone(), self.input(want)?)?),
        }
        Some(())
    }

    fn object(&mut self, object: &CstObject, have: &Map, want: &Map) -> Option<()> {
        for property in object.properties() {
            let name = property.decoded_name()?;
            match (have.get(&name)?, want.get(&name)) {
                (_, None) => {
                    self.change()?;
                    property.remove();
                }
                (have, Some(want)) if have == want => {}
                (have, Some(want)) => self.node(&property.value()?, have, want)?,
            }
        }
        let kept = have.keys().filter(|name| want.contains_key(*name)).count();
        let new = want.iter().enumerate().filter(|(_, (name, _))| !have.contains_key(*name));
        for (length, (at, (name, value))) in (kept..).zip(new) {
            object.insert(at.min(length), name, self.input(value)?);
        }
        Some(())
    }

    /// Edits elements in place where there are as many as before; else takes and inserts whole elements.
    fn array(&mut self, array: &CstArray, have: &[Value], want: &[Value]) -> Option<()> {
        let mut elements = array.elements().into_iter().zip(have);
        if have.len() == want.len() {
            return elements.zip(want).try_for_each(|((element, have), want)| self.node(&element, have, want));
        }
        let mut at = 0;
        elements.try_for_each(|(element, have)| {
            let Some(new) = want[at..].iter().position(|want| want == have) else {
                self.change()?;
                element.remove();
                return Some(());
            };
            for value in &want[at..at + new] {
                tidy(&array.insert(at, self.input(value)?));
                at += 1;
            }
            at += 1;
            Some(())
        })?;
        for value in &want[at..] {
            array.append(self.input(value)?);
        }
        Some(())
    }

    fn change(&mut self) -> Option<()> {
        self.changes = self.changes.checked_sub(1)?;
        Some(())
    }

    fn input(&mut self, value: &Value) -> Option<CstInputValue> {
        self.change()?;
        input(value)
    }
}

/// Takes one of the two spaces that an insertion into an array on one line leaves behind.
fn tidy(inserted: &CstNode) {
    let mut after = inserted.next_siblings().skip_while(CstNode::is_comma);
    if let (Some(one), Some(other)) = (after.next(), after.next())
        && let (true, Some(other)) = (one.is_whitespace(), other.as_whitespace())
    {
        other.remove();
    }
}

fn replace(node: CstNode, value: CstInputValue) -> Option<CstNode> {
    if let Some(node) = node.as_object() {
        node.replace_with(value)
    } else if let Some(node) = node.as_array() {
        node.replace_with(value)
    } else if let Some(node) = node.as_string_lit() {
        node.replace_with(value)
    } else if let Some(node) = node.as_number_lit() {
        node.replace_with(value)
    } else if let Some(node) = node.as_boolean_lit() {
        node.replace_with(value)
    } else if let Some(node) = node.as_null_keyword() {
        node.replace_with(value)
    } else {
        node.as_word_lit()?.replace_with(value)
    }
}

fn input(value: &Value) -> Option<CstInputValue> {
    Some(match value {
        Value::Text(text) => CstInputValue::String(text.clone()),
        Value::Scalar(scalar) => match scalar.as_str() {
            "null" => CstInputValue::Null,
            "true" => CstInputValue::Bool(true),
            "false" => CstInputValue::Bool(false),
            number => CstInputValue::Number(number.to_owned()),
        },
        Value::List(list) => CstInputValue::Array(list.iter().map(input).collect::<Option<_>>()?),
        Value::Map(map) => {
            let pair = |(key, value): (&String, &Value)| Some((key.clone(), input(value)?));
            CstInputValue::Object(map.iter().map(pair).collect::<Option<_>>()?)
        }
        Value::Any => return None,
    })
}
