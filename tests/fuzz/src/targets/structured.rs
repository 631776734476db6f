//! Merges of JSON, TOML and YAML: a clean merge parses, has the values that one side alone decided, and loses no comment.

use std::collections::{BTreeMap, HashMap};

use create_app::fuzzing;
use create_app::merge::content;
use create_app::merge::draw::{Style, draw};
use create_app::merge::known::Known;
use create_app::merge::text::TextMerge;
use create_app::tree::RelPath;

use crate::versions::first;

type Object = serde_json::Map<String, serde_json::Value>;

/// Names of each format, with and without comments.
const NAMES: &[&str] =
    &["package.json", "a.json", "tsconfig.json", "a.jsonc", "a.json5", ".prettierrc", "a.toml", "a.yml", ".gitignore"];

fn merge(path: &RelPath, base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> TextMerge<'static> {
    content::merge(path, Known::default(), base, ours, theirs).merge
}

pub(crate) fn run(data: &[u8]) {
    let [name, base, ours, theirs] = first(data);
    let Some(name) = NAMES.iter().find(|known| known.as_bytes() == name) else { return };
    let path = RelPath::new(*name).unwrap();
    let merged = merge(&path, Some(base), ours, theirs);
    let one_side =
        [(base, base, theirs, theirs), (base, ours, base, ours), (base, ours, ours, ours), (theirs, ours, ours, ours)];
    for (base, ours, theirs, expected) in one_side {
        assert_eq!(merge(&path, Some(base), ours, theirs).clean().as_deref(), Some(expected), "one side alone decides");
    }
    if is_symmetric(&path, [base, ours, theirs]) {
        let other = merge(&path, Some(base), theirs, ours);
        assert_eq!(merged.is_clean(), other.is_clean(), "a conflict from one side only");
    }
    for merged in [&merged, &merge(&path, None, ours, theirs)] {
        for style in [Style::Merge, Style::Diff3, Style::Ours, Style::Theirs] {
            drop(draw(merged, style, "2"));
        }
    }
    if let [Ok(base), Ok(ours), Ok(theirs)] = [base, ours, theirs].map(std::str::from_utf8) {
        values(&path, [base, ours, theirs], &merged);
    }
}

/// Whether nothing is in the files for which ours counts more than theirs: line endings of several kinds, or documents, because an
/// editor puts what is wanted into ours, and may find no place where theirs would have had one.
fn is_symmetric(path: &RelPath, versions: [&[u8]; 3]) -> bool {
    let texts = versions.map(|version| std::str::from_utf8(version).unwrap_or_default());
    // An empty text is a document without anything, though not every parser takes it for one.
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.trim().is_empty()).collect();
    fuzzing::comments(path, &texts).is_none() && !versions.iter().any(|version| version.contains(&b'\r'))
}

/// What is wanted of a merge of values.
fn values(path: &RelPath, texts: [&str; 3], merged: &TextMerge<'_>) {
    if texts[0].trim().is_empty() || texts[0] == texts[1] || texts[0] == texts[2] || texts[1] == texts[2] {
        return;
    }
    // YAML's parser takes a byte order mark for a column, and the lines below for another document.
    let unmarked = |text| str::strip_prefix(text, '\u{feff}').unwrap_or(text);
    let texts = texts.map(unmarked);
    let (Some(clean), Some(comments)) = (merged.clean(), fuzzing::comments(path, &texts)) else { return };
    let clean = String::from_utf8(clean).unwrap();
    let clean = unmarked(&clean);
    let all = [texts[0], texts[1], texts[2], clean];
    let found = fuzzing::comments(path, &all).unwrap_or_else(|| panic!("a clean merge is not valid: {clean}"));
    no_comment_is_lost(&comments, &found[3], clean);
    let [Some(mut base), Some(mut ours), Some(mut theirs), Some(merged)] = all.map(|text| parse(path, text)) else {
        return;
    };
    rename(&mut base, &mut ours, &mut theirs);
    let [base, ours, theirs, merged] = [base, ours, theirs, merged].map(|value| flat(&value));
    for (place, value) in merged.iter().filter(|(_, value)| value.is_one()) {
        let [base, ours, theirs] = [&base, &ours, &theirs].map(|version| version.get(place));
        let expected = if ours == base { theirs } else { ours };
        assert_eq!(Some(value), expected, "{place} in {clean}");
        assert!(ours == base || theirs == base || ours == theirs, "a disagreement at {place} in {clean}");
    }
    for (place, value) in &ours {
        let lost = base.get(place) != Some(value) && !merged.contains_key(place);
        assert!(!lost || !theirs.contains_key(place), "{place} is lost in {clean}");
    }
}

/// A YAML text with a string of its name for each alias: that gets what a side changes at its anchor, so what it stands for may be
/// what neither side has there.
fn named_aliases(text: &str) -> String {
    let is_edge = |c: char| c.is_whitespace() || ",[]{}".contains(c);
    let named = |word: &str| {
        let bare = word.trim_end_matches(is_edge);
        if bare.starts_with('*') { format!("'{bare}'{}", &word[bare.len()..]) } else { word.to_owned() }
    };
    text.split_inclusive(is_edge).map(named).collect()
}

/// Each comment of ours is there as often as before, unless the template had it and has dropped it.
fn no_comment_is_lost(comments: &[Vec<String>], merged: &[String], text: &str) {
    let count = |comments: &[String]| {
        let mut counts = HashMap::<String, usize>::new();
        comments.iter().for_each(|comment| *counts.entry(comment.clone()).or_default() += 1);
        counts
    };
    let [base, ours, theirs] = [0, 1, 2].map(|version| count(&comments[version]));
    let merged = count(merged);
    for (comment, wanted) in ours {
        let [base, theirs, merged] =
            [&base, &theirs, &merged].map(|counts| counts.get(&comment).copied().unwrap_or_default());
        let wanted = wanted.saturating_sub(base.saturating_sub(theirs));
        assert!(merged >= wanted, "the comment {comment:?} is lost in {text}");
    }
}

/// What is at a place of a document.
#[derive(Debug, Clone, PartialEq)]
enum Leaf {
    /// A scalar that is on one line.
    One(String),
    /// Anything else: lists, empty maps, texts of several lines.
    Other(String),
}

impl Leaf {
    fn is_one(&self) -> bool {
        matches!(self, Self::One(_))
    }
}

/// Gives a key that one side renamed and the other edited its new name in all versions, for the edit is to arrive there. The rule is
/// that of docs/upgrade.md: the value is a map or list that only this key has had.
fn rename(base: &mut serde_json::Value, ours: &mut serde_json::Value, theirs: &mut serde_json::Value) {
    let (Some(base), Some(ours), Some(theirs)) = (base.as_object_mut(), ours.as_object_mut(), theirs.as_object_mut())
    else {
        return;
    };
    let mut renamed = new_names(base, ours, theirs);
    let by_theirs = new_names(base, theirs, ours);
    for (before, after) in &by_theirs {
        move_key(ours, before, after);
    }
    for (before, after) in &renamed {
        move_key(theirs, before, after);
    }
    renamed.extend(by_theirs);
    for (before, after) in &renamed {
        move_key(base, before, after);
    }
    for (key, base) in base {
        if let (Some(ours), Some(theirs)) = (ours.get_mut(key), theirs.get_mut(key)) {
            rename(base, ours, theirs);
        }
    }
}

/// The keys of the base that `side` renamed and `other` edited, each with its new name.
fn new_names(base: &Object, side: &Object, other: &Object) -> Vec<(String, String)> {
    let only = |map: &Object, value| {
        let mut keys = map.iter().filter(|(_, other)| *other == value).map(|(key, _)| key.clone());
        keys.next().filter(|_| keys.next().is_none())
    };
    let is_large = |value: &serde_json::Value| {
        value.as_object().is_some_and(|map| !map.is_empty()) || value.as_array().is_some_and(|list| !list.is_empty())
    };
    let lost = base.iter().filter(|(key, value)| {
        is_large(value) && !side.contains_key(*key) && other.get(*key).is_some_and(|other| other != *value)
    });
    lost.filter_map(|(before, value)| {
        only(base, value)?;
        let after = only(side, value).filter(|name| !base.contains_key(name) && !other.contains_key(name))?;
        Some((before.clone(), after))
    })
    .collect()
}

fn move_key(map: &mut Object, before: &str, after: &str) {
    if let Some(value) = map.remove(before) {
        map.insert(after.to_owned(), value);
    }
}

/// A document, as parsers outside the crate read it.
fn parse(path: &RelPath, text: &str) -> Option<serde_json::Value> {
    match path.as_str().rsplit('.').next()? {
        "json" => serde_json::from_str(text).ok(),
        "toml" => serde_json::to_value(toml::from_str::<toml::Value>(text).ok()?).ok(),
        "yml" => serde_json::to_value(serde_yaml_ng::from_str::<serde_yaml_ng::Value>(&named_aliases(text)).ok()?).ok(),
        _ => None,
    }
}

/// The leaves of a document, by their place.
fn flat(value: &serde_json::Value) -> BTreeMap<String, Leaf> {
    let mut leaves = BTreeMap::new();
    collect(value, String::new(), &mut leaves);
    leaves
}

fn collect(value: &serde_json::Value, place: String, leaves: &mut BTreeMap<String, Leaf>) {
    use serde_json::Value;
    let leaf = match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                collect(value, format!("{place}/{key:?}"), leaves);
            }
            return;
        }
        Value::Object(_) | Value::Array(_) => Leaf::Other(value.to_string()),
        Value::String(text) if text.contains('\n') => Leaf::Other(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Leaf::One(value.to_string()),
    };
    leaves.insert(place, leaf);
}
