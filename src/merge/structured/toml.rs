//! TOML: values and edits through toml_edit, comments through toml_parser.

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::value::{Document, Map, Value};

pub(super) fn parse(text: &str) -> Option<Document> {
    let document: DocumentMut = text.parse().ok()?;
    let source = Source::new(text);
    let comments = source.lex().filter(|token| token.kind() == TokenKind::Comment);
    let comments = comments.filter_map(|token| Some(source.get(token)?.as_str().trim_end().to_owned()));
    Some(Document { value: table(document.as_table())?, comments: comments.collect() })
}

fn table(table: &dyn TableLike) -> Option<Value> {
    let pairs = table.iter().filter(|(_, item)| !item.is_none());
    Some(Value::Map(pairs.map(|(key, item)| Some((key.to_owned(), self::item(item)?))).collect::<Option<Map>>()?))
}

fn item(item: &Item) -> Option<Value> {
    match item {
        Item::None => None,
        Item::Value(value) => self::value(value),
        Item::Table(table) => self::table(table),
        Item::ArrayOfTables(tables) => {
            Some(Value::List(tables.iter().map(|table| self::table(table)).collect::<Option<_>>()?))
        }
    }
}

fn value(value: &toml_edit::Value) -> Option<Value> {
    use toml_edit::Value as Toml;
    Some(match value {
        Toml::String(text) => Value::Text(text.value().clone()),
        Toml::Integer(number) => Value::Scalar(number.value().to_string()),
        Toml::Float(number) => Value::Scalar(format!("{:?}", number.value())),
        Toml::Boolean(boolean) => Value::Scalar(boolean.value().to_string()),
        Toml::Datetime(date) => Value::Scalar(date.value().to_string()),
        Toml::Array(array) => Value::List(array.iter().map(self::value).collect::<Option<_>>()?),
        Toml::InlineTable(table) => self::table(table)?,
    })
}

/// Gives the document `text` the value `want`, and leaves everything else as it is. What is new comes from `source`, a
/// document that has it, with its formatting and comments.
pub(super) fn edit(text: &str, want: &Value, source: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let source: DocumentMut = source.parse().ok()?;
    let Value::Map(want) = want else { return None };
    edit_table(document.as_table_mut(), want, Some(source.as_table()))?;
    Some(document.to_string())
}

fn edit_table(ours: &mut dyn TableLike, want: &Map, source: Option<&dyn TableLike>) -> Option<()> {
    let gone: Vec<String> = ours.iter().map(|(key, _)| key.to_owned()).filter(|key| !want.contains_key(key)).collect();
    for key in gone {
        ours.remove(&key);
    }
    for (key, want) in want {
        let new = source.and_then(|source| source.get_key_value(key));
        match ours.get_mut(key) {
            Some(ours) => edit_item(ours, want, new.map(|(_, item)| item))?,
            None => {
                let (key, item) = new.filter(|(_, new)| item(new).as_ref() == Some(want))?;
                let mut item = item.clone();
                forget_position(&mut item);
                ours.entry_format(key).or_insert(item);
            }
        }
    }
    Some(())
}

fn edit_item(ours: &mut Item, want: &Value, source: Option<&Item>) -> Option<()> {
    if item(ours).as_ref() == Some(want) {
        return Some(());
    }
    if let (Value::Map(want), true) = (want, ours.is_table_like()) {
        return edit_table(ours.as_table_like_mut()?, want, source.and_then(Item::as_table_like));
    }
    if let (Value::List(want), Some(tables)) = (want, ours.as_array_of_tables_mut()) {
        return edit_tables(tables, want, source?.as_array_of_tables()?);
    }
    if let (Value::List(want), Some(array)) = (want, ours.as_array_mut()) {
        return edit_array(array, want, source?.as_array()?);
    }
    let source = source.filter(|source| item(source).as_ref() == Some(want))?;
    match (ours.as_value_mut(), source.as_value()) {
        (Some(ours), Some(new)) => {
            let decor = ours.decor().clone();
            *ours = new.clone();
            *ours.decor_mut() = decor;
        }
        _ => {
            *ours = source.clone();
            forget_position(ours);
        }
    }
    Some(())
}

fn edit_array(ours: &mut Array, want: &[Value], source: &Array) -> Option<()> {
    for (at, wanted) in want.iter().enumerate() {
        let kept = (at..ours.len()).find(|&at| ours.get(at).and_then(value).as_ref() == Some(wanted));
        if let Some(kept) = kept.filter(|&kept| (at..kept).all(|at| !holds(want, ours.get(at).and_then(value)))) {
            (at..kept).for_each(|_| drop(ours.remove(at)));
        } else {
            let mut new = source.iter().find(|element| value(element).as_ref() == Some(wanted))?.clone();
            let model = ours.get(at).or_else(|| ours.get(at.checked_sub(1)?));
            if let Some(model) = model {
                *new.decor_mut() = toml_edit::Decor::new(model.decor().prefix().cloned().unwrap_or_default(), "");
            }
            ours.insert_formatted(at, new);
        }
    }
    while ours.len() > want.len() {
        drop(ours.remove(want.len()));
    }
    Some(())
}

fn holds(want: &[Value], value: Option<Value>) -> bool {
    value.is_some_and(|value| want.contains(&value))
}

fn edit_tables(ours: &mut ArrayOfTables, want: &[Value], source: &ArrayOfTables) -> Option<()> {
    let find = |tables: &ArrayOfTables, wanted: &Value| {
        tables.iter().find(|candidate| table(*candidate).as_ref() == Some(wanted)).cloned()
    };
    let new = |wanted: &Value| {
        let mut new = find(source, wanted)?;
        forget_table_position(&mut new);
        Some(new)
    };
    let tables = want.iter().map(|wanted| find(ours, wanted).or_else(|| new(wanted)));
    let tables: ArrayOfTables = tables.collect::<Option<Vec<Table>>>()?.into_iter().collect();
    *ours = tables;
    Some(())
}

/// A table from another document has its place there, not here.
fn forget_position(item: &mut Item) {
    match item {
        Item::Table(table) => forget_table_position(table),
        Item::ArrayOfTables(tables) => tables.iter_mut().for_each(forget_table_position),
        Item::None | Item::Value(_) => {}
    }
}

fn forget_table_position(table: &mut Table) {
    table.set_position(None);
    table.iter_mut().for_each(|(_, item)| forget_position(item));
}
