//! Keys of a map that a side has renamed: another key has their value now.

use std::collections::{HashMap, HashSet};

use super::value::{Map, Node, Value};

/// How many pairs of keys are compared at most in one map.
const PAIRS: usize = 100_000;

/// The renamed keys of three versions of a map.
#[derive(Debug, Default)]
pub(super) struct Renames<'v> {
    /// Nothing if the map is new on both sides.
    base: Option<&'v Map>,
    sides: Option<[&'v Map; 2]>,
    /// The new name of each key that one side renamed and the other edited.
    after: HashMap<&'v str, &'v str>,
    /// The same the other way round.
    before: HashMap<&'v str, &'v str>,
}

/// Keys that a merged map takes from one side alone: each replaces another.
#[derive(Debug, Default)]
pub(super) struct Rivals<'v> {
    pub(super) keys: HashSet<&'v str>,
    /// How many keys both sides have renamed, each to another name.
    pub(super) count: usize,
}

impl<'v> Renames<'v> {
    /// Finds the keys that one side renamed and the other edited: the value is a map or list that no other key had or has.
    pub(super) fn of(base: Option<&'v Map>, ours: &'v Map, theirs: &'v Map) -> Self {
        let mut renames = Self { base, sides: Some([ours, theirs]), ..Self::default() };
        let Some(base) = base else { return renames };
        for (side, other) in [(ours, theirs), (theirs, ours)] {
            let is_edited = |(key, node): &(&'v String, &'v Node)| {
                side.get(key).is_none() && other.get(key).is_some_and(|other| other != *node) && is_large(&node.value)
            };
            let edited: Vec<_> = base.pairs.iter().filter(is_edited).collect();
            if edited.is_empty() || edited.len() * (base.pairs.len() + side.pairs.len()) > PAIRS {
                continue;
            }
            for (key, node) in edited {
                let same = |map: &'v Map| {
                    let mut same = map.pairs.iter().filter(|(_, other)| other.value.is_same(&node.value));
                    Some(same.next()?.0.as_str()).filter(|_| same.next().is_none())
                };
                let is_new = |name: &&str| base.get(name).is_none() && other.get(name).is_none();
                if let (Some(_), Some(name)) = (same(base), same(side).filter(is_new)) {
                    renames.after.insert(key, name);
                    renames.before.insert(name, key);
                }
            }
        }
        renames
    }

    /// The base's name for a key of any version.
    pub(super) fn before(&self, key: &'v str) -> &'v str {
        self.before.get(key).copied().unwrap_or(key)
    }

    /// The merged map's name for a key of the base.
    pub(super) fn after(&self, key: &'v str) -> &'v str {
        self.after.get(key).copied().unwrap_or(key)
    }

    /// Keys that both sides have renamed or replaced, each by another one, and those that one side renamed in a way that is
    /// not certain while the other edited them.
    pub(super) fn rivals(&self) -> Rivals<'v> {
        let mut rivals = Rivals::default();
        let (Some(base), Some([ours, theirs])) = (self.base, self.sides) else { return rivals };
        let lost: Vec<_> = base.pairs.iter().filter(|(key, node)| self.is_lost(key, node)).collect();
        if lost.is_empty() {
            return rivals;
        }
        let new = |side: &'v Map, other: &'v Map| -> Vec<(&'v str, &'v Node)> {
            let is_new =
                |key: &str| base.get(key).is_none() && other.get(key).is_none() && !self.before.contains_key(key);
            side.pairs.iter().map(|(key, node)| (key.as_str(), node)).filter(|(key, _)| is_new(key)).collect()
        };
        let [new_ours, new_theirs] = [new(ours, theirs), new(theirs, ours)];
        let is_large = lost.len() * (new_ours.len() + new_theirs.len()) > PAIRS;
        if is_large {
            let mut are_rivals = [false; 2];
            for (key, _) in lost {
                let found = match (ours.get(key), theirs.get(key)) {
                    (None, None) if new_ours.is_empty() || new_theirs.is_empty() => continue,
                    (None, None) => {
                        rivals.count += 1;
                        [true; 2]
                    }
                    (None, Some(_)) => [!new_ours.is_empty(), false],
                    _ => [false, !new_theirs.is_empty()],
                };
                if found != [false; 2] {
                    rivals.keys.insert(key);
                }
                are_rivals = [are_rivals[0] | found[0], are_rivals[1] | found[1]];
            }
            for (new, are_rivals) in [new_ours, new_theirs].into_iter().zip(are_rivals) {
                rivals.keys.extend(new.into_iter().filter(|_| are_rivals).map(|(key, _)| key));
            }
            return rivals;
        }
        // One key went and one came: whatever its value, that is a replacement.
        let is_pair = |side: &Map, new: &[_]| {
            new.len() == 1 && base.pairs.keys().filter(|key| side.get(key).is_none()).take(2).count() == 1
        };
        let [ours_pair, theirs_pair] = [is_pair(ours, &new_ours), is_pair(theirs, &new_theirs)];
        for (key, node) in lost {
            let alike = |new: &[(&'v str, &'v Node)], is_pair: bool| -> Vec<&'v str> {
                let is_alike = |other: &Node| is_pair || is_alike(&node.value, &other.value);
                new.iter().filter(|(_, other)| is_alike(other)).map(|(key, _)| *key).collect()
            };
            let found = match (ours.get(key), theirs.get(key)) {
                (None, None) => {
                    let is_pair = ours_pair && theirs_pair;
                    let both = [alike(&new_ours, is_pair), alike(&new_theirs, is_pair)];
                    if both.iter().any(Vec::is_empty) {
                        continue;
                    }
                    rivals.count += 1;
                    both.concat()
                }
                (None, Some(_)) => alike(&new_ours, ours_pair),
                _ => alike(&new_theirs, theirs_pair),
            };
            if !found.is_empty() {
                rivals.keys.insert(key);
                rivals.keys.extend(found);
            }
        }
        rivals
    }

    /// Whether both sides dropped a key, or one did and the other edited it.
    fn is_lost(&self, key: &str, node: &Node) -> bool {
        let Some([ours, theirs]) = self.sides else { return false };
        match (ours.get(key), theirs.get(key)) {
            (None, None) => true,
            (Some(left), None) | (None, Some(left)) => {
                left != node && !left.is_part_of(node) && !self.after.contains_key(key)
            }
            _ => false,
        }
    }
}

/// Whether a value says enough for its name not to matter.
fn is_large(value: &Value) -> bool {
    match value {
        Value::Map(map) => !map.pairs.is_empty(),
        Value::List(list) => !list.items.is_empty(),
        Value::Scalar(_) | Value::Text(_) | Value::Any => false,
    }
}

/// Whether `new` may be what became of `old`: at least half of it is the same.
fn is_alike(old: &Value, new: &Value) -> bool {
    let (same, all) = match (old, new) {
        (Value::Map(old), Value::Map(new)) => {
            let is_same =
                |(key, node): &(&String, &Node)| new.get(key).is_some_and(|other| other.value.is_same(&node.value));
            (old.pairs.iter().filter(is_same).count(), old.pairs.len().max(new.pairs.len()))
        }
        (Value::List(old), Value::List(new)) => {
            let known: HashSet<String> = old.items.iter().map(|node| node.value.canonical()).collect();
            let is_same = |node: &&Node| known.contains(&node.value.canonical());
            (new.items.iter().filter(is_same).count(), old.items.len().max(new.items.len()))
        }
        (Value::Text(old), Value::Text(new)) => (usize::from(old == new), 1),
        _ => (0, 1),
    };
    same > 0 && 2 * same >= all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::structured::format::{Dialect, Format};

    fn map(text: &str) -> Map {
        match Format::Json
            .dialects()
            .iter()
            .find_map(|dialect: &Dialect| dialect.parse(text))
            .map(|document| document.root.value)
        {
            Some(Value::Map(map)) => map,
            _ => Map::default(),
        }
    }

    #[test]
    fn a_renamed_key_is_known_by_a_value_that_no_other_has() {
        let cases = [
            // Base, ours, theirs, the old and the new name.
            [r#"{"a": [1]}"#, r#"{"b": [1]}"#, r#"{"a": [2]}"#, "a b"],
            [r#"{"a": [1]}"#, r#"{"a": [2]}"#, r#"{"b": [1]}"#, "a b"],
            [r#"{"a": [1]}"#, r#"{"b": [1]}"#, r#"{"a": [1]}"#, ""],
            [r#"{"a": [1]}"#, r#"{"b": [3]}"#, r#"{"a": [2]}"#, ""],
            [r#"{"a": [1]}"#, r#"{"b": [1], "c": [1]}"#, r#"{"a": [2]}"#, ""],
            [r#"{"a": [1], "c": [1]}"#, r#"{"b": [1], "c": [2]}"#, r#"{"a": [2], "c": [1]}"#, ""],
            [r#"{"a": 1}"#, r#"{"b": 1}"#, r#"{"a": 2}"#, ""],
            [r#"{"a": {}}"#, r#"{"b": {}}"#, r#"{"a": [2]}"#, ""],
        ];
        for [base, ours, theirs, expected] in cases {
            let [b, o, t] = [base, ours, theirs].map(map);
            let renames = Renames::of(Some(&b), &o, &t);
            let found: Vec<String> = renames.after.iter().map(|(old, new)| format!("{old} {new}")).collect();
            assert_eq!(found.join(", "), expected, "{base} {ours} {theirs}");
        }
    }

    #[test]
    fn of_two_names_for_one_key_a_map_has_one() {
        let cases = [
            // Base, ours, theirs, the keys in question, and how many of them both renamed or replaced.
            (r#"{"a": [1]}"#, r#"{"b": [1]}"#, r#"{"c": [1]}"#, "a b c", 1),
            (r#"{"a": "x"}"#, r#"{"b": "x"}"#, r#"{"c": "x"}"#, "a b c", 1),
            (r#"{"a": true}"#, r#"{"b": true}"#, r#"{"c": true}"#, "a b c", 1),
            (r#"{"a": 1}"#, r#"{"b": 2}"#, r#"{"c": 3}"#, "a b c", 1),
            (r#"{"a": true}"#, r#"{"b": true, "d": true}"#, r#"{"c": true}"#, "", 0),
            (r#"{"a": 1}"#, r#"{"b": 2}"#, r#"{"a": 3}"#, "a b", 0),
            (r#"{"a": [1, 2]}"#, r#"{"b": [1, 3]}"#, r#"{"c": [2, 1]}"#, "a b c", 1),
            (r#"{"a": [1]}"#, r#"{"b": [1]}"#, r#"{"b": [1]}"#, "", 0),
            (r#"{"a": [1]}"#, r#"{"b": [1], "d": 1}"#, r#"{"c": [2]}"#, "", 0),
            (r#"{"a": [1, 2]}"#, r#"{"b": [1, 3]}"#, r#"{"a": [1, 4]}"#, "a b", 0),
            (r#"{"a": [1]}"#, r#"{"b": [1]}"#, r#"{"a": [2]}"#, "", 0),
        ];
        for (base, ours, theirs, expected, count) in cases {
            let [b, o, t] = [base, ours, theirs].map(map);
            let renames = Renames::of(Some(&b), &o, &t);
            let rivals = renames.rivals();
            let mut keys: Vec<&str> = rivals.keys.into_iter().collect();
            keys.sort_unstable();
            assert_eq!((keys.join(" ").as_str(), rivals.count), (expected, count), "{base} {ours} {theirs}");
        }
    }
}
