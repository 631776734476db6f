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
