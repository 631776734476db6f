//! The sides of a conflict: in each place, that side's entries as they are.

use proptest::prelude::*;
use serde_json::Value;

use super::{drawn, text};
use crate::merge::draw::{Style, has_markers};

/// An element: its name, and a value.
type Element = (String, u8);

/// What is done to an element of the base, and what is inserted before it.
type Edit = (u8, Option<u8>);

#[derive(Debug, Clone, Copy)]
struct Hand {
    path: &'static str,
    /// Whether elements are maps; else they are texts.
    is_named: bool,
    is_one_line: bool,
}

fn element(name: &str) -> Element {
    (name.to_owned(), 0)
}

fn edited(base: &[Element], edits: &[Edit], who: &str, is_named: bool) -> Vec<Element> {
    let mut out: Vec<Element> = Vec::new();
    for (at, element) in base.iter().map(Some).chain([None]).enumerate() {
        let (what, new) = edits[at];
        match new {
            // Both may add the same.
            Some(0) if !out.iter().any(|(name, _)| name == "same") => out.push(("same".to_owned(), 0)),
            Some(number) if number > 2 => out.push((format!("{who}{at}"), number)),
            _ => {}
        }
        match element {
            Some(_) if what == 0 => {}
            Some((name, _)) if what == 1 && is_named => out.push((name.clone(), who.as_bytes()[0])),
            Some(element) => out.push(element.clone()),
            None => {}
        }
    }
    out
}

fn write(hand: Hand, elements: &[Element]) -> String {
    let is_yaml = hand.path.ends_with("yml");
    let item = |(name, value): &Element| match (hand.is_named, hand.path) {
        (false, _) => format!("\"{name}\""),
        (true, "a.toml") => format!("{{ name = \"{name}\", value = {value} }}"),
        (true, _) => format!("{{ \"name\": \"{name}\", \"value\": {value} }}"),
    };
    let items: Vec<String> = elements.iter().map(item).collect();
    let list = match (hand.is_one_line, is_yaml) {
        _ if items.is_empty() => "[]".to_owned(),
        (true, _) => format!("[{}]", items.join(", ")),
        (false, true) => items.iter().map(|item| format!("\n  - {item}")).collect(),
        (false, false) => format!("[\n    {}\n  ]", items.join(",\n    ")),
    };
    match hand.path {
        "a.toml" => format!("first = 1\nlist = {list}\nlast = 1\n"),
        "a.yml" => format!("first: 1\nlist: {list}\nlast: 1\n"),
        _ => format!("{{\n  \"first\": 1,\n  \"list\": {list},\n  \"last\": 1\n}}\n"),
    }
}

fn read(hand: Hand, text: &str) -> Vec<Element> {
    let value: Value = match hand.path {
        "a.toml" => serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap(),
        "a.yml" => serde_yaml_ng::from_str(text).unwrap(),
        _ => serde_json::from_str(text).unwrap(),
    };
    let element = |value: &Value| match value {
        // A text has no value.
        Value::String(name) => (name.clone(), 0),
        map => (map["name"].as_str().unwrap().to_owned(), u8::try_from(map["value"].as_u64().unwrap()).unwrap()),
    };
    value["list"].as_array().unwrap().iter().map(element).collect()
}

/// The elements between those that are in all of `anchors`.
fn gaps(list: &[Element], anchors: &[&str]) -> Vec<Vec<Element>> {
    let mut gaps = vec![Vec::new()];
    for element in list {
        if anchors.contains(&element.0.as_str()) {
            gaps.push(Vec::new());
        } else if let Some(gap) = gaps.last_mut() {
            gap.push(element.clone());
        }
    }
    gaps
}

/// Whether a side put something new into a place in which the other one did so, too, or on which both disagree.
fn is_in_question([base, ours, theirs]: [&[Element]; 3]) -> bool {
    let has = |list: &[Element], name: &str| list.iter().any(|(known, _)| known == name);
    let is_new = |list: &[Element]| list.iter().any(|(name, _)| !has(base, name));
    let takes_place = |side: &[Element], other: &[Element]| {
        let is_taken = |element: &Element| !has(side, &element.0) && !other.contains(element);
        is_new(side) && base.iter().any(is_taken)
    };
    (is_new(ours) && is_new(theirs)) || takes_place(ours, theirs) || takes_place(theirs, ours)
}

fn hand() -> impl Strategy<Value = Hand> {
    let paths = prop::sample::select(&["a.json", "a.jsonc", "a.toml", "a.yml"][..]);
    (paths, any::<bool>(), any::<bool>()).prop_map(|(path, is_named, is_one_line)| Hand { path, is_named, is_one_line })
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec((0..6_u8, prop::option::weighted(0.3, 0..6_u8)), 6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_side_of_a_conflict_is_what_that_side_has((hand, length, ours, theirs) in (hand(), 1..6_usize, edits(), edits())) {
        let base: Vec<Element> = ["a", "b", "c", "d", "e"][..length].iter().map(|name| element(name)).collect();
        let plain = |list: Vec<Element>| match hand.is_named {
            true => list,
            false => list.into_iter().map(|(name, _)| (name, 0)).collect(),
        };
        let [ours, theirs] = [(&ours, "o"), (&theirs, "t")].map(|(edits, who)| plain(edited(&base, edits, who, hand.is_named)));
        let [b, o, t] = [&base, &ours, &theirs].map(|list| write(hand, list));
        let is_clean = !has_markers(drawn(hand.path, &b, &o, &t).as_bytes());
        let common: Vec<&str> = ours.iter().map(|(name, _)| name.as_str()).filter(|name| theirs.iter().any(|(other, _)| other == name)).collect();
        let same_order = theirs.iter().map(|(name, _)| name.as_str()).filter(|name| common.contains(name)).eq(common.iter().copied());
        for (style, side) in [(Style::Ours, &ours), (Style::Theirs, &theirs)] {
            let merged = text(hand.path, Some(&b), &o, &t, style);
            let found = read(hand, &merged);
            let context = || format!("{style:?}\nbase\n{b}ours\n{o}theirs\n{t}merged\n{merged}");
            if !same_order {
                prop_assert!(!is_clean, "{}", context());
                prop_assert_eq!(&found, side, "{}", context());
                continue;
            }
            let [base, ours, theirs, side, found] = [&base, &ours, &theirs, side, &found].map(|list| gaps(list, &common));
            prop_assert_eq!(found.len(), side.len(), "{}", context());
            // What both dropped has no certain place, where what they share is not all in the base.
            let has_places = base.len() == ours.len();
            for at in (0..ours.len()).filter(|_| has_places) {
                if is_in_question([&base[at], &ours[at], &theirs[at]]) {
                    prop_assert!(!is_clean, "{}", context());
                    prop_assert_eq!(&found[at], &side[at], "{}", context());
                }
            }
        }
    }
}

/// A path, base, ours, theirs.
const CASES: &[[&str; 4]] = &[
    // One side replaces what the other one keeps, and adds to.
    [
        "a.json",
        "{\n  \"extends\": [\"base\"]\n}\n",
        "{\n  \"extends\": [\"base\", \":mine\"]\n}\n",
        "{\n  \"extends\": [\"recommended\"]\n}\n",
    ],
    [
        "a.yml",
        "ports:\n  - containerPort: 80\n",
        "ports:\n  - containerPort: 80\n  - containerPort: 90\n",
        "ports:\n  - containerPort: 80\n    name: http\n",
    ],
    ["a.toml", "m = [[1, 2], [3, 4]]\n", "m = [[1, 5], [3, 4]]\n", "m = [[1, 2], [3, 9]]\n"],
    // One side replaces what the other one changes.
    [
        "ci.yml",
        "steps:\n  - run: x\n  - run: ci\n  - run: test\n",
        "steps:\n  - run: x\n  # - run: ci\n  - run: test\n",
        "steps:\n  - run: x\n  - run: ci\n  - run: test --ci\n",
    ],
    [
        "ci.yml",
        "matrix:\n  include:\n    - os: u\n      node: 20\n",
        "matrix:\n  include:\n    - os: u\n      node: 20\n      extra: 1\n",
        "matrix:\n  include:\n    - os: u\n      node: 22\n",
    ],
];

#[test]
fn what_replaces_an_entry_comes_with_the_side_that_has_it() {
    for [path, base, ours, theirs] in CASES {
        assert!(has_markers(drawn(path, base, ours, theirs).as_bytes()), "{ours}");
        assert_eq!(text(path, Some(base), ours, theirs, Style::Ours), *ours);
        assert_eq!(text(path, Some(base), ours, theirs, Style::Theirs), *theirs);
        assert_eq!(text(path, Some(base), theirs, ours, Style::Ours), *theirs);
    }
}

#[test]
fn a_side_that_is_not_certain_is_not_decided_for() {
    let rest = "x: 1\ny: 1\nz: 1\n";
    let mine = "x: 2\ny: 1\nz: 1\n";
    for [base, ours, theirs] in [
        // One element in two places, and one key, written in a way that no editor knows: the template's lines would have it twice.
        [
            format!("l:\n- [a]\n- [c]\n{rest}"),
            format!("l:\n- [a]\n- [n]\n- [c]\n{mine}"),
            format!("l:\n- [a]\n- [c]\n- [n]\n{rest}"),
        ],
        [format!("b: |\n  t\n{rest}"), format!("n: 1\nb: |\n  t\n{mine}"), format!("b: |\n  t\n{rest}? n\n: 2\n")],
    ] {
        for style in [Style::Theirs, Style::Merge] {
            let merged = text("a.yml", Some(&base), &ours, &theirs, style);
            assert!(merged.contains("<<<<<<<") && merged.contains("x: 2"), "{style:?}\n{merged}");
        }
        assert_eq!(text("a.yml", Some(&base), &ours, &theirs, Style::Ours), ours);
        // A conflict of values is decided as ever.
        let [ours, theirs] = ["2", "3"].map(|value| base.replace("z: 1", &format!("z: {value}")));
        for (style, expected) in [(Style::Ours, &ours), (Style::Theirs, &theirs)] {
            assert_eq!(text("a.yml", Some(&base), &ours, &theirs, style), *expected);
        }
    }
}
