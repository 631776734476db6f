//! The order of entries and tables in a TOML document.

use toml_edit::{Item, Table};

use super::value::{Fit, Map, Value};

pub(super) fn place(map: &Map, key: &str) -> Option<usize> {
    map.pairs.get_index_of(key)
}

pub(super) fn is_in_order<'k>(keys: impl Iterator<Item = &'k str>, map: &Map) -> bool {
    map.allows_keys(keys, Fit::Best)
}

pub(super) fn sort(table: &mut Table, map: &Map) {
    if !is_in_order(table.iter().map(|(key, _)| key), map) {
        table.sort_values_by(|one, _, other, _| place(map, one.get()).cmp(&place(map, other.get())));
    }
}

/// Whether tables are printed in the wanted order.
pub(super) fn tables_are_in_order(table: &Table, map: &Map) -> bool {
    let position = |item: &Item| match item {
        Item::Table(table) => table.position(),
        Item::ArrayOfTables(tables) => tables.iter().next().and_then(Table::position),
        Item::None | Item::Value(_) => None,
    };
    let mut last = None;
    map.pairs.keys().filter_map(|key| position(table.get(key)?)).all(|position| {
        let is_after = last.is_none_or(|last| last <= position);
        last = Some(position);
        is_after
    }) || map.order.chains(Fit::Best).is_some()
}

/// Gives all tables positions in the wanted order.
pub(super) fn number(table: &mut Table, map: &Map, next: &mut isize) {
    for (key, node) in &map.pairs {
        match (table.get_mut(key), &node.value) {
            (Some(Item::Table(table)), Value::Map(map)) => {
                *next += 1;
                table.set_position(Some(*next));
                number(table, map, next);
            }
            (Some(Item::ArrayOfTables(tables)), Value::List(list)) => {
                for (table, node) in tables.iter_mut().zip(&list.items) {
                    *next += 1;
                    table.set_position(Some(*next));
                    if let Value::Map(map) = &node.value {
                        number(table, map, next);
                    }
                }
            }
            _ => {}
        }
    }
}

/// A table from another document has its place there, not here.
pub(super) fn forget_position(item: &mut Item) {
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

/// Puts an empty line above each table, where all tables of both sides have one.
pub(super) fn space_tables(text: String, sides: [&str; 2]) -> String {
    let is_spaced = |side: &str| unspaced(side).is_some_and(|places| places.is_empty());
    let places = if sides.into_iter().all(is_spaced) { unspaced(&text) } else { None };
    let mut places = places.unwrap_or_default();
    places.sort_unstable();
    let mut spaced = text;
    places.into_iter().rev().for_each(|at| spaced.insert(at, '\n'));
    spaced
}

/// Where tables, with the comments above them, begin right below something else.
fn unspaced(text: &str) -> Option<Vec<usize>> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut headers = Vec::new();
    headers_of(document.as_table(), &mut headers);
    let is_unspaced = |header: usize| {
        let mut at = text.get(..header)?.rfind('\n').map_or(0, |end| end + 1);
        loop {
            let above = text[..at].strip_suffix('\n')?;
            let start = above.rfind('\n').map_or(0, |end| end + 1);
            match above[start..].trim() {
                "" => return None,
                line if line.starts_with('#') => at = start,
                _ => return Some(at),
            }
        }
    };
    Some(headers.into_iter().filter_map(is_unspaced).collect())
}

fn headers_of(table: &Table, headers: &mut Vec<usize>) {
    let mut add = |table: &Table| {
        headers.extend(table.span().filter(|_| !table.is_dotted() && !table.is_implicit()).map(|span| span.start));
        headers_of(table, headers);
    };
    for (_, item) in table {
        match item {
            Item::Table(table) => add(table),
            Item::ArrayOfTables(tables) => tables.iter().for_each(&mut add),
            Item::None | Item::Value(_) => {}
        }
    }
}
