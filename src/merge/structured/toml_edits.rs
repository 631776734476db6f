//! Edits TOML through toml_edit, which keeps formatting; comments go with the entry that they belong to.

use std::collections::HashMap;

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Key, Table, TableLike};

use super::format::Other;
use super::identity::identify;
use super::rules::Rules;
use super::toml::parse;
use super::toml_arrays::{Rows, prefix, space, suffix};
use super::toml_order::{forget_position, is_in_order, number, place, sort, tables_are_in_order};
use super::value::{List, Map, Node, Value};

/// Makes `text` the document `want`. What it lacks comes from the other side, with its formatting; so does a value that this
/// side wrote in another way than the base, where `text` did not.
pub(super) fn edit(
    text: &str,
    want: &Node,
    Other { side: source, base }: Other<'_>,
    rules: &Rules<'_>,
) -> Option<String> {
    // toml_edit makes all line endings one.
    if text.contains('\r') {
        return None;
    }
    let mut document: DocumentMut = text.parse().ok()?;
    let have = parse(text)?.root;
    let from: DocumentMut = source.parse().ok()?;
    let source_node = parse(source)?.root;
    let Value::Map(map) = &want.value else { return None };
    let mut editor = Editor { rules, keys: Vec::new(), is_torn: false };
    let there = Some(There { item: from.as_item(), node: &source_node });
    let base: Option<DocumentMut> = base.and_then(|base| base.parse().ok());
    let base = base.as_ref().map(|base| base.as_item());
    editor.table(document.as_table_mut(), &have, map, Others { side: there, base })?;
    sort(document.as_table_mut(), map);
    if editor.is_torn || !tables_are_in_order(document.as_table(), map) {
        let mut next = 0;
        number(document.as_table_mut(), map, &mut next);
    }
    if have.comments.end != want.comments.end {
        let trailing = (source_node.comments.end == want.comments.end).then(|| from.trailing().as_str()).flatten()?;
        document.set_trailing(trailing);
    }
    Some(document.to_string())
}

/// The same value in the other texts.
#[derive(Clone, Copy)]
struct Others<'s> {
    side: Option<There<'s>>,
    base: Option<&'s Item>,
}

impl<'s> Others<'s> {
    fn only(side: There<'s>) -> Self {
        Self { side: Some(side), base: None }
    }
}

/// A part of the source.
#[derive(Clone, Copy)]
struct There<'s> {
    item: &'s Item,
    node: &'s Node,
}

impl<'s> There<'s> {
    fn get(self, key: &str) -> Option<(&'s Key, Self)> {
        let (name, item) = self.item.as_table_like()?.get_key_value(key)?;
        let Value::Map(map) = &self.node.value else { return None };
        Some((name, Self { item, node: map.get(key)? }))
    }

    /// Whether it is wanted as it is.
    fn is(self, want: &Node) -> bool {
        want.allows_within(self.node)
    }
}

struct Editor<'e> {
    rules: &'e Rules<'e>,
    keys: Vec<String>,
    /// Whether tables have to be put in order.
    is_torn: bool,
}

impl Editor<'_> {
    fn table(&mut self, ours: &mut dyn TableLike, have: &Node, want: &Map, others: Others<'_>) -> Option<()> {
        let Value::Map(have) = &have.value else { return None };
        let gone: Vec<String> =
            ours.iter().map(|(key, _)| key.to_owned()).filter(|key| want.get(key).is_none()).collect();
        let gone: HashMap<String, Item> =
            gone.into_iter().filter_map(|key| Some((key.clone(), ours.remove(&key)?))).collect();
        let wanted = want;
        for (key, want) in &wanted.pairs {
            self.keys.push(key.clone());
            let before = wanted.before(key);
            let new = others.side.and_then(|side| side.get(key).or_else(|| side.get(before)));
            let base = others.base.and_then(|base| base.as_table_like()?.get(before));
            match have.get(key) {
                Some(have) => {
                    let others = Others { side: new.map(|(_, there)| there), base };
                    let was_value = ours.get(key)?.is_value();
                    self.item(ours.get_mut(key)?, have, want, others)?;
                    if let (true, Some((name, _))) = (ours.get(key)?.is_value() != was_value, new) {
                        // The white space around a key is another one in the header of a table.
                        let item = ours.remove(key)?;
                        ours.entry_format(name).or_insert(item);
                    }
                    if !have.comments.is_same_above(&want.comments) || have.comments.behind != want.comments.behind {
                        comment(ours, key, have, want, new)?;
                    }
                }
                None => {
                    let (name, there) = new?;
                    let mut item = there.item.clone();
                    forget_position(&mut item);
                    if !there.is(want) {
                        // What has another name here may have more than the source.
                        let here = gone.get(before).zip(have.get(before));
                        let here = here.map(|(item, node)| There { item, node });
                        self.item(&mut item, there.node, want, Others::only(here.unwrap_or(there)))?;
                    }
                    ours.entry_format(name).or_insert(item);
                    if !there.node.comments.is_same_above(&want.comments)
                        || there.node.comments.behind != want.comments.behind
                    {
                        comment(ours, key, there.node, want, None)?;
                    }
                }
            }
            self.keys.pop();
        }
        Some(())
    }

    fn item(&mut self, ours: &mut Item, have: &Node, want: &Node, others: Others<'_>) -> Option<()> {
        let source = others.side;
        if want.allows_within(have) {
            if let (Some(ours), Some(base), Some(there)) =
                (ours.as_value_mut(), others.base.and_then(Item::as_value), source.filter(|there| there.is(want)))
                && let Some(new) = there.item.as_value()
                && form(ours) == form(base)
                && form(new) != form(base)
            {
                let decor = ours.decor().clone();
                *ours = new.clone();
                *ours.decor_mut() = decor;
                return Some(());
            }
            if !ours.is_table_like() || ours.is_inline_table() {
                return Some(());
            }
        }
        if let (Value::Map(map), true) = (&want.value, ours.is_table_like()) {
            self.table(ours.as_table_like_mut()?, have, map, others)?;
            if let Some(table) = ours.as_inline_table_mut() {
                tidy(table);
            }
            match ours {
                Item::Table(table) => sort(table, map),
                Item::Value(toml_edit::Value::InlineTable(table))
                    if !is_in_order(table.iter().map(|(key, _)| key), map) =>
                {
                    table.sort_values_by(|one, _, other, _| place(map, one.get()).cmp(&place(map, other.get())));
                }
                _ => {}
            }
            return Some(());
        }
        if let (Value::List(list), Some(tables)) = (&want.value, ours.as_array_of_tables_mut()) {
            return self.tables(tables, have, list, source?);
        }
        if let (Value::List(_), Some(array)) = (&want.value, ours.as_array_mut()) {
            return self.array(array, have, want, source?);
        }
        let source = source.filter(|source| source.is(want))?;
        match (ours.as_value_mut(), source.item.as_value()) {
            (Some(ours), Some(new)) => {
                let decor = ours.decor().clone();
                *ours = new.clone();
                *ours.decor_mut() = decor;
            }
            _ => {
                *ours = source.item.clone();
                forget_position(ours);
            }
        }
        Some(())
    }

    /// The identity of each element.
    fn identities(&self, list: &List) -> Vec<String> {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let identity = self.rules.list(&keys).identity;
        list.items.iter().map(|node| identify(&node.value, identity)).collect()
    }

    fn array(&mut self, ours: &mut Array, have: &Node, want: &Node, source: There<'_>) -> Option<()> {
        let (Value::List(our_list), Value::List(there), Value::List(list)) =
            (&have.value, &source.node.value, &want.value)
        else {
            return None;
        };
        let [our_names, their_names, names] = [our_list, there, list].map(|list| self.identities(list));
        let [our_index, their_index] = [&our_names, &their_names].map(|names| index(names));
        let (mut rows, their_rows) = (Rows::of(ours)?, Rows::of(source.item.as_array()?)?);
        let mut new = Vec::with_capacity(list.items.len());
        for (name, node) in names.iter().zip(&list.items) {
            let get = |index: &HashMap<&str, usize>, rows: &Rows, list: &List| {
                let at = *index.get(name.as_str())?;
                Some((rows.rows.get(at)?.clone(), list.items.get(at)?.clone()))
            };
            let (old, from) = (get(&our_index, &rows, our_list), get(&their_index, &their_rows, there));
            let (mut row, comments) = match (old, &from) {
                (Some((mut row, have)), _) if is_container(node) || have.value == node.value => {
                    let side = from.as_ref().map(|(row, node)| (Item::Value(row.value.clone()), node));
                    let side = side.as_ref().map(|(item, node)| There { item, node });
                    let mut item = Item::Value(row.value);
                    self.item(&mut item, &have, node, Others { side, base: None })?;
                    row.value = item.into_value().ok()?;
                    (row, have.comments)
                }
                (old, Some((theirs, there))) if there.value == node.value => match old {
                    Some((mut row, have)) => {
                        row.value = theirs.value.clone();
                        (row, have.comments)
                    }
                    None => {
                        let mut row = theirs.clone();
                        rows.rows.last().into_iter().for_each(|model| row.lay_out(model));
                        (row, there.comments.clone())
                    }
                },
                _ => return None,
            };
            row.comment(&comments, &node.comments, from.as_ref().map(|(row, node)| (row, &node.comments)));
            new.push(row);
        }
        if have.comments.end != want.comments.end {
            (source.node.comments.end == want.comments.end).then(|| rows.take_end(&their_rows))?;
        }
        let has_lines = rows.has_lines();
        rows.rows = new;
        let mut new = rows.array(&their_rows);
        if !has_lines {
            space(&mut new, ours);
        }
        let decor = ours.decor().clone();
        *ours = new;
        *ours.decor_mut() = decor;
        Some(())
    }

    fn tables(&mut self, ours: &mut ArrayOfTables, have: &Node, want: &List, source: There<'_>) -> Option<()> {
        let (Value::List(have), Value::List(there)) = (&have.value, &source.node.value) else { return None };
        let tables = source.item.as_array_of_tables()?;
        let [our_names, their_names, names] = [have, there, want].map(|list| self.identities(list));
        let [our_index, their_index] = [&our_names, &their_names].map(|names| index(names));
        let mut new: Vec<Table> = Vec::with_capacity(want.items.len());
        let (mut last, mut is_in_order) = (None, true);
        for (name, node) in names.iter().zip(&want.items) {
            let from = their_index
                .get(name.as_str())
                .copied()
                .and_then(|at| Some((Item::Table(tables.get(at)?.clone()), there.items.get(at)?)));
            let from = from.as_ref().map(|(item, node)| There { item, node });
            let mut item = match our_index.get(name.as_str()).copied() {
                Some(at) => {
                    is_in_order &= last.is_none_or(|last| last < at);
                    last = Some(at);
                    let mut item = Item::Table(ours.get(at)?.clone());
                    self.item(&mut item, &have.items[at], node, Others { side: from, base: None })?;
                    item
                }
                None => {
                    let from = from?;
                    let mut item = from.item.clone();
                    self.item(&mut item, from.node, node, Others::only(from))?;
                    forget_position(&mut item);
                    item
                }
            };
            new.push(std::mem::take(item.as_table_mut()?));
        }
        self.is_torn |= !is_in_order;
        *ours = new.into_iter().collect();
        Some(())
    }
}

/// The places of names; of equal ones, the last.
fn index(names: &[String]) -> HashMap<&str, usize> {
    names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect()
}

/// How a value is written, whatever is around it.
fn form(value: &toml_edit::Value) -> String {
    value.to_string().lines().map(str::trim_start).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn is_container(node: &Node) -> bool {
    matches!(node.value, Value::Map(_) | Value::List(_))
}

/// The white space before the brace of an inline table belongs to its last value.
fn tidy(table: &mut InlineTable) {
    let is_blank = |value: &toml_edit::Value| suffix(value.decor()).trim().is_empty();
    let last = table.len().saturating_sub(1);
    let behind = table.iter().map(|(_, value)| suffix(value.decor()).to_owned()).find(|suffix| !suffix.is_empty());
    for (at, (_, value)) in table.iter_mut().enumerate().filter(|(_, (_, value))| is_blank(value)) {
        let suffix = if at == last { behind.as_deref().unwrap_or_default() } else { "" };
        value.decor_mut().set_suffix(suffix.to_owned());
    }
}

/// Gives an entry the wanted comments: as the source has them, or on lines of their own.
fn comment(
    table: &mut dyn TableLike,
    key: &str,
    have: &Node,
    want: &Node,
    source: Option<(&Key, There<'_>)>,
) -> Option<()> {
    let source = source.map(|(name, there)| (name.leaf_decor(), there));
    if !have.comments.is_same_above(&want.comments) {
        let same = source.filter(|(_, there)| there.node.comments.is_same_above(&want.comments));
        let from = same.map(|(decor, there)| match there.item {
            Item::Table(table) => prefix(table.decor()),
            _ => prefix(decor),
        });
        let decor = match table.get_mut(key)? {
            Item::Table(table) if !table.is_dotted() => Some(table.decor_mut().clone()),
            _ => None,
        };
        let old =
            decor.as_ref().map_or_else(|| table.key(key).map(Key::leaf_decor).map(prefix), |decor| Some(prefix(decor)));
        // The comment that goes may be above the blank line, and that stays.
        let old = old.unwrap_or_default();
        let blank = if old.starts_with('\n') || !old.contains("\n\n") { old } else { "\n" };
        let blank: String = blank.chars().take_while(|c| *c == '\n').collect();
        let new: String = match from {
            Some(from) => format!("{blank}{}", from.trim_start_matches('\n')),
            None => {
                let lines = |comments: &[String]| comments.iter().map(|line| format!("{line}\n")).collect::<String>();
                let apart = if want.comments.apart.is_empty() { "" } else { "\n" };
                format!("{blank}{}{apart}{}", lines(&want.comments.apart), lines(&want.comments.before))
            }
        };
        match table.get_mut(key)? {
            Item::Table(table) if !table.is_dotted() => table.decor_mut().set_prefix(new),
            _ => table.key_mut(key)?.leaf_decor_mut().set_prefix(new),
        }
    }
    if have.comments.behind != want.comments.behind {
        let new: String = want.comments.behind.iter().map(|comment| format!(" {comment}")).collect();
        match table.get_mut(key)? {
            Item::Table(table) => table.decor_mut().set_suffix(new),
            Item::Value(value) => value.decor_mut().set_suffix(new),
            Item::None | Item::ArrayOfTables(_) => return None,
        }
    }
    Some(())
}
