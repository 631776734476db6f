//! Laws, over random edits of random documents.

use crate::merge::known::Known;
use indexmap::IndexMap;
use proptest::prelude::*;

use super::super::format::Dialect;
use super::super::value::Value;
use super::text;
use crate::merge::content;
use crate::merge::draw::{Style, has_markers};
use crate::merge::oracle;
use crate::merge::structured::Format;
use crate::tree::RelPath;

const PATHS: &[&str] = &["a.json", "a.jsonc", "a.toml", "a.yml", ".gitignore", "a.txt"];

/// A document of scalars, lists and maps, small enough for changes to meet.
#[derive(Debug, Clone)]
enum Node {
    Scalar(u8),
    List(Vec<u8>),
    /// Maps with a name.
    Steps(Vec<(String, u8)>),
    Map(Vec<(String, Self)>),
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        3 => (0..4_u8).prop_map(Node::Scalar),
        1 => prop::collection::vec(0..5_u8, 0..4).prop_map(Node::List),
        1 => prop::collection::vec(("[a-d]", 0..3_u8), 1..5).prop_map(Node::Steps),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| map(inner).boxed())
}

fn map(inner: impl Strategy<Value = Node>) -> impl Strategy<Value = Node> {
    prop::collection::btree_map("[a-f]", inner, 0..5).prop_map(|map| Node::Map(map.into_iter().collect()))
}

/// A change of one place: by its number, the new value; nothing removes it.
type Edit = (usize, Option<Node>, String);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec((0..12_usize, prop::option::weighted(0.8, node()), "[a-h]"), 0..4)
}

fn edited(root: &Node, edits: &[Edit]) -> Node {
    let mut root = root.clone();
    for (at, new, key) in edits {
        let mut left = *at;
        edit(&mut root, &mut left, new.as_ref(), key);
    }
    root
}

fn edit(node: &mut Node, left: &mut usize, new: Option<&Node>, key: &str) {
    let Node::Map(pairs) = node else { return };
    let mut at = 0;
    while at < pairs.len() {
        if *left == 0 {
            *left = usize::MAX;
            let has_key = pairs.iter().any(|(known, _)| known == key);
            match new {
                None => drop(pairs.remove(at)),
                Some(new) if has_key => pairs[at].1 = new.clone(),
                Some(new) => pairs.insert(at, (key.to_owned(), new.clone())),
            }
            return;
        }
        *left -= 1;
        edit(&mut pairs[at].1, left, new, key);
        at += 1;
    }
}

fn write(path: &str, node: &Node) -> String {
    match path.rsplit('.').next() {
        Some("json" | "jsonc") => json(path, node, 0) + "\n",
        Some("toml") => toml(node, ""),
        _ => yaml(node, 0),
    }
}

fn json(path: &str, node: &Node, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    match node {
        Node::Scalar(number) => number.to_string(),
        Node::List(list) => format!("{list:?}"),
        Node::Steps(steps) => {
            let steps = steps.iter().map(|(name, value)| match path {
                "a.toml" => format!("{{ name = \"{name}\", value = {value} }}"),
                _ => format!("{indent}{{ \"name\": \"{name}\", \"value\": {value} }}"),
            });
            format!("[\n{}\n{}]", steps.collect::<Vec<_>>().join(",\n"), "  ".repeat(depth))
        }
        Node::Map(pairs) if pairs.is_empty() => "{}".to_owned(),
        Node::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, node)| format!("{indent}\"{key}\": {}", json(path, node, depth + 1)));
            format!("{{\n{}\n{}}}", pairs.collect::<Vec<_>>().join(",\n"), "  ".repeat(depth))
        }
    }
}

fn toml(node: &Node, prefix: &str) -> String {
    let Node::Map(pairs) = node else { return String::new() };
    let mut out = String::new();
    for (key, node) in pairs.iter().filter(|(_, node)| !matches!(node, Node::Map(_))) {
        out += &format!("{key} = {}\n", json("a.toml", node, 0));
    }
    for (key, node) in pairs.iter().filter(|(_, node)| matches!(node, Node::Map(_))) {
        let name = format!("{prefix}{key}");
        out += &format!("\n[{name}]\n{}", toml(node, &format!("{name}.")));
    }
    out
}

fn yaml(node: &Node, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match node {
        Node::Scalar(number) => format!(" {number}\n"),
        Node::List(list) if !list.is_empty() => {
            "\n".to_owned() + list.iter().map(|item| format!("{indent}- {item}\n")).collect::<String>().as_str()
        }
        Node::List(_) => " []\n".to_owned(),
        Node::Steps(steps) => {
            let step = |(name, value): &(String, u8)| format!("{indent}- name: {name}\n{indent}  value: {value}\n");
            "\n".to_owned() + steps.iter().map(step).collect::<String>().as_str()
        }
        Node::Map(pairs) if pairs.is_empty() => " {}\n".to_owned(),
        Node::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, node)| format!("{indent}{key}:{}", yaml(node, depth + 1)));
            (if depth == 0 { "" } else { "\n" }).to_owned() + pairs.collect::<String>().as_str()
        }
    }
}

/// A path, base, ours and theirs.
pub(in crate::merge) fn versions() -> impl Strategy<Value = (&'static str, String, String, String)> {
    let root = map(node()).prop_filter("not empty", |node| !matches!(node, Node::Map(pairs) if pairs.is_empty()));
    (prop::sample::select(PATHS), root, edits(), edits()).prop_map(|(path, root, ours, theirs)| {
        let [ours, theirs] = [edited(&root, &ours), edited(&root, &theirs)];
        (path, write(path, &root), write(path, &ours), write(path, &theirs))
    })
}

fn parse(path: &str, text: &str) -> Option<Value> {
    let dialects = Format::of(&RelPath::new(path).unwrap())?.dialects();
    let document = dialects.iter().find_map(|dialect: &Dialect| dialect.parse(text))?;
    Some(document.root.value)
}

/// The places where a side has changed a scalar, and to what: one path a line.
fn leaves(value: &Value, path: &str, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Map(map) if !map.pairs.is_empty() => {
            map.pairs.iter().for_each(|(key, node)| leaves(&node.value, &format!("{path}/{key}"), out));
        }
        value => out.push((path.to_owned(), value.clone())),
    }
}

fn flat(value: &Value) -> IndexMap<String, Value> {
    let mut out = Vec::new();
    leaves(value, "", &mut out);
    out.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_side_alone_decides((path, base, ours, theirs) in versions()) {
        let merged = |base: &str, ours: &str, theirs: &str| text(path, Some(base), ours, theirs, Style::Merge);
        prop_assert_eq!(merged(&base, &base, &theirs), theirs.clone());
        prop_assert_eq!(merged(&base, &ours, &base), ours.clone());
        prop_assert_eq!(merged(&base, &ours, &ours), ours.clone());
        prop_assert_eq!(text(path, None, &ours, &ours, Style::Merge), ours);
    }

    #[test]
    fn a_clean_merge_parses_and_has_what_only_one_side_changed((path, base, ours, theirs) in versions()) {
        let merged = text(path, Some(&base), &ours, &theirs, Style::Merge);
        let parsed = [&base, &ours, &theirs].map(|text| parse(path, text));
        if let ([Some(base), Some(ours), Some(theirs)], false) = (parsed, has_markers(merged.as_bytes())) {
            let merged_value = parse(path, &merged);
            prop_assert!(merged_value.is_some(), "{}", merged);
            let [base, ours, theirs, merged_value] = [base, ours, theirs, merged_value.unwrap()].map(|value| flat(&value));
            for (place, value) in merged_value.iter().filter(|(_, value)| !matches!(value, Value::List(_) | Value::Map(_))) {
                let [b, o, t] = [&base, &ours, &theirs].map(|version| version.get(place));
                let expected = if o == b { t } else { o };
                prop_assert_eq!(Some(value), expected, "{} in {}", place, merged);
                prop_assert!(o == b || t == b || o == t, "{} in {}", place, merged);
            }
            for (place, value) in &ours {
                let lost = base.get(place) != Some(value) && !merged_value.contains_key(place);
                prop_assert!(!lost || theirs.get(place).is_none(), "{} lost in {}", place, merged);
            }
        }
    }

    #[test]
    fn every_line_that_the_user_added_survives((path, base, ours, theirs) in versions()) {
        let merged = text(path, Some(&base), &ours, &theirs, Style::Merge);
        let body = |line: &str| line.trim().trim_end_matches(',').to_owned();
        let added = |line: &&str| !base.lines().any(|known| body(known) == body(line));
        // What the user emptied may be filled by the template.
        for line in ours.lines().filter(added).filter(|line| !body(line).ends_with(['}', ']'])) {
            prop_assert!(merged.lines().any(|kept| body(kept) == body(line)), "{:?} lost in {}", line, merged);
        }
    }

    #[test]
    fn a_conflict_is_one_from_either_side((path, base, ours, theirs) in versions()) {
        let [one, other] = [(&ours, &theirs), (&theirs, &ours)].map(|(ours, theirs)| {
            let path = RelPath::new(path).unwrap();
            content::merge(&path, Known::default(), Some(base.as_bytes()), ours.as_bytes(), theirs.as_bytes()).merge.is_clean()
        });
        prop_assert_eq!(one, other);
    }

    #[test]
    fn any_text_can_be_merged(
        path in prop::sample::select(PATHS),
        base in "[-a\\[\\]{}:=\"', #\n]{0,30}",
        ours in "[-a\\[\\]{}:=\"', #\n]{0,30}",
        theirs in "[-a\\[\\]{}:=\"', #\n]{0,30}",
    ) {
        for style in [Style::Merge, Style::Diff3, Style::Ours, Style::Theirs] {
            text(path, Some(&base), &ours, &theirs, style);
            text(path, None, &ours, &theirs, style);
        }
    }
}

/// Where git merges cleanly to another value, its text is not valid; a conflict that git does not see is one of values.
#[test]
fn git_is_never_right_where_we_are_wrong() {
    if !oracle::is_able() {
        return;
    }
    let cases = oracle::sample(&versions(), oracle::cases(2_000));
    let bytes = |(_, base, ours, theirs): &(_, String, String, String)| {
        [base, ours, theirs].map(|text| text.clone().into_bytes())
    };
    let by_git = oracle::merge_files(&cases.iter().map(bytes).collect::<Vec<_>>());
    for ((path, base, ours, theirs), by_git) in cases.iter().zip(by_git) {
        let merged = text(path, Some(base), ours, theirs, Style::Merge);
        if let (Some(by_git), false) = (by_git, has_markers(merged.as_bytes())) {
            let by_git = String::from_utf8_lossy(&by_git);
            let value = parse(path, &by_git);
            let classified = by_git == merged || value.is_none() || value == parse(path, &merged);
            assert!(classified, "{path}: {by_git} by git, {merged} by us, of {base} and {ours} and {theirs}");
        }
    }
}
