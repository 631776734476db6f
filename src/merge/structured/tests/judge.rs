//! A judge of structured merges that shares no code with them: documents with lists, order and comments, random edits of
//! both sides, and what must come of them, entry by entry and pair by pair.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::text;
use crate::merge::draw::{Style, has_markers};
use crate::merge::known::Known;
use crate::merge::{content, oracle};
use crate::tree::RelPath;

/// An entry of a document: a scalar, or a list or a map with entries of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// The key, or what the element of a list is.
    name: String,
    /// Nothing in a container, and in the element of a list.
    value: Option<u8>,
    above: Option<String>,
    behind: Option<String>,
    inner: Vec<Self>,
}

/// How a version is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hand {
    format: Format,
    indent: usize,
    /// In YAML: how strings are quoted.
    quotes: &'static str,
    /// In YAML: whether dashes are indented as keys are.
    has_deep_lists: bool,
    /// In YAML: whether lists without comments are on one line.
    has_flow_lists: bool,
}

impl Hand {
    fn plain(format: Format, indent: usize) -> Self {
        Self { format, indent, quotes: "", has_deep_lists: true, has_flow_lists: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jsonc,
    Toml,
    Yaml,
}

impl Format {
    fn path(self) -> &'static str {
        match self {
            Self::Jsonc => "wrangler.jsonc",
            Self::Toml => "wrangler.toml",
            Self::Yaml => "compose.yml",
        }
    }

    /// A list whose order has no meaning in such a file.
    fn set(self) -> &'static str {
        if self == Self::Yaml { "profiles" } else { "compatibility_flags" }
    }

    fn mark(self) -> &'static str {
        if self == Self::Jsonc { "//" } else { "#" }
    }
}

fn scalar(name: &str, value: u8) -> Entry {
    Entry { name: name.into(), value: Some(value), above: None, behind: None, inner: Vec::new() }
}

fn element(name: &str) -> Entry {
    Entry { value: None, ..scalar(name, 0) }
}

fn base(format: Format) -> Vec<Entry> {
    let list =
        |name: &str, items: &[&str]| Entry { inner: items.iter().map(|item| element(item)).collect(), ..element(name) };
    let map =
        |name: &str, keys: &[&str]| Entry { inner: keys.iter().map(|key| scalar(key, 1)).collect(), ..element(name) };
    let mut entries = vec![
        scalar("a", 1),
        scalar("b", 1),
        scalar("c", 1),
        list("plugins", &["p", "n", "q", "m"]),
        scalar("d", 1),
        list(format.set(), &["s", "r", "u"]),
        scalar("e", 1),
        map("vars", &["v", "w", "x"]),
        map("limits", &["y", "z"]),
    ];
    for (at, entry) in entries.iter_mut().enumerate().filter(|(at, _)| at % 2 == 0) {
        entry.above = Some(format!("{} about {at}", format.mark()));
    }
    entries[1].behind = Some(format!("{} behind", format.mark()));
    entries[3].inner[1].above = Some(format!("{} about n", format.mark()));
    entries[7].inner[1].above = Some(format!("{} about w", format.mark()));
    entries
}

/// A change: where, what, and a number for it.
type Edit = (u8, u8, u8);

fn containers(entries: &mut Vec<Entry>, visit: &mut impl FnMut(&mut Vec<Entry>, &str)) {
    for entry in entries.iter_mut().filter(|entry| entry.value.is_none()) {
        visit(&mut entry.inner, &entry.name);
    }
    visit(entries, "");
}

fn is_list(format: Format, name: &str) -> bool {
    name == "plugins" || name == format.set()
}

fn edited(format: Format, entries: &[Entry], edits: &[Edit], who: &str) -> Vec<Entry> {
    let mut entries = entries.to_vec();
    for (number, &(place, what, value)) in edits.iter().enumerate() {
        let mut left = usize::from(place) % 5;
        containers(&mut entries, &mut |container, name| {
            if left == 0 {
                change(format, container, name, what, usize::from(value), &format!("{who}{number}"));
            }
            left = left.wrapping_sub(1);
        });
    }
    entries
}

fn change(format: Format, container: &mut Vec<Entry>, name: &str, what: u8, value: usize, new: &str) {
    if container.len() < 2 {
        return;
    }
    // Tables come last in TOML.
    let scalars = container.iter().take_while(|entry| entry.inner.is_empty() || is_list(format, &entry.name)).count();
    let at = value % scalars.max(1);
    let comment = |text: &str| Some(format!("{} {text} {new}", format.mark()));
    let both = ["same", new][value / 7 % 2];
    match what % 8 {
        0 if !is_list(format, name) && container[at].value.is_some() => {
            container[at].value = Some(2 + u8::try_from(value % 3).unwrap());
        }
        1 if container[at].inner.is_empty() => drop(container.remove(at)),
        2 | 3 if !container.iter().any(|entry| entry.name == both) => {
            let entry =
                if is_list(format, name) { element(both) } else { scalar(both, u8::try_from(value % 3).unwrap()) };
            let above = if what == 3 { comment("for") } else { None };
            container.insert(value % (scalars + 1), Entry { above, ..entry });
        }
        4 => container[at].above = if value.is_multiple_of(3) { None } else { comment("over") },
        5 if container[at].inner.is_empty() => {
            container[at].behind = if value.is_multiple_of(3) { None } else { comment("after") }
        }
        6 if scalars > 1 => {
            let entry = container.remove(at);
            container.insert(value / 3 % scalars, entry);
        }
        _ => {}
    }
}

fn write(hand: Hand, entries: &[Entry]) -> String {
    let mut out = String::new();
    match hand.format {
        Format::Jsonc => {
            out += "{\n";
            json(hand, entries, 1, false, &mut out);
            out += "}\n";
        }
        Format::Toml => toml(hand, entries, &mut out),
        Format::Yaml => yaml(hand, entries, 0, &mut out),
    }
    out
}

fn behind(entry: &Entry) -> String {
    entry.behind.as_ref().map(|comment| format!(" {comment}")).unwrap_or_default()
}

fn json(hand: Hand, entries: &[Entry], depth: usize, in_list: bool, out: &mut String) {
    let margin = " ".repeat(hand.indent * depth);
    for (at, entry) in entries.iter().enumerate() {
        entry.above.iter().for_each(|comment| *out += &format!("{margin}{comment}\n"));
        let comma = if at + 1 < entries.len() { "," } else { "" };
        let name = &entry.name;
        match entry.value {
            Some(value) => *out += &format!("{margin}\"{name}\": {value}{comma}{}\n", behind(entry)),
            None if in_list => *out += &format!("{margin}\"{name}\"{comma}{}\n", behind(entry)),
            None => {
                let [open, close] = if is_list(hand.format, name) { ["[", "]"] } else { ["{", "}"] };
                *out += &format!("{margin}\"{name}\": {open}\n");
                json(hand, &entry.inner, depth + 1, open == "[", out);
                *out += &format!("{margin}{close}{comma}\n");
            }
        }
    }
}

fn toml(hand: Hand, entries: &[Entry], out: &mut String) {
    let margin = " ".repeat(hand.indent);
    for entry in entries {
        entry.above.iter().for_each(|comment| *out += &format!("{comment}\n"));
        let name = &entry.name;
        match entry.value {
            Some(value) => *out += &format!("{name} = {value}{}\n", behind(entry)),
            None if is_list(hand.format, name) => {
                *out += &format!("{name} = [\n");
                for item in &entry.inner {
                    item.above.iter().for_each(|comment| *out += &format!("{margin}{comment}\n"));
                    *out += &format!("{margin}\"{}\",{}\n", item.name, behind(item));
                }
                *out += "]\n";
            }
            None => {
                *out += &format!("[{name}]\n");
                toml(hand, &entry.inner, out);
            }
        }
    }
}

fn yaml(hand: Hand, entries: &[Entry], depth: usize, out: &mut String) {
    let margin = " ".repeat(hand.indent * depth);
    for entry in entries {
        entry.above.iter().for_each(|comment| *out += &format!("{margin}{comment}\n"));
        let (name, q) = (&entry.name, hand.quotes);
        let has_comments = entry.inner.iter().any(|item| item.above.is_some() || item.behind.is_some());
        match entry.value {
            Some(value) => *out += &format!("{margin}{name}: {q}v{value}{q}{}\n", behind(entry)),
            None if is_list(hand.format, name) && hand.has_flow_lists && !has_comments => {
                let items: Vec<String> = entry.inner.iter().map(|item| format!("{q}{}{q}", item.name)).collect();
                *out += &format!("{margin}{name}: [{}]\n", items.join(", "));
            }
            None if is_list(hand.format, name) => {
                *out += &format!("{margin}{name}:\n");
                let margin = " ".repeat(if hand.has_deep_lists { hand.indent } else { 0 });
                for item in &entry.inner {
                    item.above.iter().for_each(|comment| *out += &format!("{margin}{comment}\n"));
                    *out += &format!("{margin}- {q}{}{q}{}\n", item.name, behind(item));
                }
            }
            None => {
                *out += &format!("{margin}{name}:\n");
                yaml(hand, &entry.inner, depth + 1, out);
            }
        }
    }
}

/// What a document says: each entry by its path, in order, with value and comments.
#[derive(Debug, Default)]
struct Facts {
    entries: BTreeMap<String, Fact>,
    order: Vec<String>,
}

impl Facts {
    fn of(entries: &[Entry]) -> Self {
        let mut facts = Self::default();
        facts.add("", entries);
        facts
    }

    fn add(&mut self, prefix: &str, entries: &[Entry]) {
        for entry in entries {
            let path = format!("{prefix}/{}", entry.name);
            self.entries.insert(path.clone(), (entry.value, entry.above.clone(), entry.behind.clone()));
            self.order.push(path.clone());
            self.add(&path, &entry.inner);
        }
    }

    /// Reads a text line by line; what is written here has an entry a line.
    fn read(format: Format, text: &str) -> Result<Self, String> {
        let (mut facts, mut above, mut open): (Self, Vec<&str>, Vec<(usize, String)>) = Default::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (indent, trimmed) = (line.len() - line.trim_start().len(), line.trim());
            if trimmed.starts_with(format.mark()) {
                above.push(trimmed);
                continue;
            }
            let (code, comment) = match trimmed.find(&format!(" {} ", format.mark())) {
                Some(at) => (trimmed[..at].trim_end(), Some(trimmed[at + 1..].to_owned())),
                None => (trimmed, None),
            };
            let code = code.trim_end_matches(',');
            let name = |text: &str| text.trim().trim_start_matches("- ").trim_matches(['"', '\'']).to_owned();
            if matches!(code, "{" | "}" | "]") {
                if code != "{" {
                    open.pop();
                }
                continue;
            }
            if format == Format::Yaml {
                let is_item = code.starts_with("- ");
                open.retain(|(at, _)| *at < indent || (is_item && *at == indent));
            }
            let (key, value, opens) = match (code.split_once([':', '=']), code.strip_prefix('[')) {
                (_, Some(header)) if format == Format::Toml => {
                    open.clear();
                    (name(header.trim_end_matches(']')), None, true)
                }
                (Some((key, value)), _) => match value.trim() {
                    "" | "[" | "{" => (name(key), None, true),
                    "[]" | "{}" => (name(key), None, false),
                    list if format == Format::Yaml && list.starts_with('[') => {
                        let path = format!("/{}", name(key));
                        let fact = (None, (!above.is_empty()).then(|| above.join("\n")), comment);
                        above.clear();
                        let items =
                            list.trim_matches(['[', ']']).split(',').map(|item| format!("{path}/{}", name(item)));
                        facts.order.push(path.clone());
                        for item in items {
                            facts.order.push(item.clone());
                            facts.entries.insert(item, (None, None, None));
                        }
                        facts.entries.insert(path, fact);
                        continue;
                    }
                    number => (
                        name(key),
                        Some(name(number).trim_start_matches('v').parse().map_err(|_| format!("{line:?} in {text}"))?),
                        false,
                    ),
                },
                (None, _) => (name(code), None, false),
            };
            let path = format!("{}/{key}", open.last().map_or("", |(_, path)| path));
            let fact = (value, (!above.is_empty()).then(|| above.join("\n")), comment);
            above.clear();
            if facts.entries.insert(path.clone(), fact).is_some() {
                return Err(format!("{path} is twice in {text}"));
            }
            facts.order.push(path.clone());
            if opens {
                open.push((indent, path));
            }
        }
        if above.is_empty() { Ok(facts) } else { Err(format!("{above:?} is nobody's in {text}")) }
    }

    fn parent(path: &str) -> &str {
        path.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    fn place(&self, path: &str) -> Option<usize> {
        self.order.iter().position(|other| other == path)
    }
}

/// The expected merge of three versions.
#[derive(Debug)]
enum Verdict {
    Conflict(String),
    Clean(Expected),
}

#[derive(Debug)]
struct Expected {
    facts: Facts,
    /// Pairs that are in this order.
    pairs: BTreeSet<(String, String)>,
}

fn pick<T: PartialEq + Clone>(base: &T, ours: &T, theirs: &T) -> Option<T> {
    if ours == theirs || theirs == base {
        return Some(ours.clone());
    }
    (ours == base).then(|| theirs.clone())
}

fn judge([base, ours, theirs]: [&Facts; 3]) -> Verdict {
    let paths: BTreeSet<&String> = [base, ours, theirs].iter().flat_map(|facts| facts.entries.keys()).collect();
    let mut facts = Facts::default();
    for path in &paths {
        let [b, o, t] = [base, ours, theirs].map(|facts| facts.entries.get(*path));
        let merged = match (b, o, t) {
            (_, Some(o), Some(t)) => {
                let none = (None, None, None);
                let known = b.unwrap_or(&none);
                let value = if b.is_none() && o.0 != t.0 { None } else { pick(&known.0, &o.0, &t.0) };
                let parts = (value, pick(&known.1, &o.1, &t.1), pick(&known.2, &o.2, &t.2));
                let (Some(value), Some(above), Some(behind)) = parts else { return Verdict::Conflict((*path).clone()) };
                Some((value, above, behind))
            }
            (None, one, other) => one.or(other).cloned(),
            (Some(b), one, other) => match one.or(other) {
                Some(left) if left != b && !is_less(left, b) => return Verdict::Conflict((*path).clone()),
                _ => None,
            },
        };
        if let Some(merged) = merged {
            facts.entries.insert((*path).clone(), merged);
        }
    }
    match pairs(&paths, [base, ours, theirs], &facts) {
        Ok(pairs) => Verdict::Clean(Expected { facts, pairs }),
        Err(conflict) => Verdict::Conflict(conflict),
    }
}

type Fact = (Option<u8>, Option<String>, Option<String>);

/// Whether an entry has only lost comments.
fn is_less(left: &Fact, base: &Fact) -> bool {
    let less = |left: &Option<String>, base: &Option<String>| left.is_none() || left == base;
    left.0 == base.0 && less(&left.1, &base.1) && less(&left.2, &base.2)
}

/// The pairs of entries of one container whose order follows, by all that is between them.
fn pairs(
    paths: &BTreeSet<&String>,
    [base, ours, theirs]: [&Facts; 3],
    merged: &Facts,
) -> Result<BTreeSet<(String, String)>, String> {
    let mut pairs = BTreeSet::new();
    let is_before = |facts: &Facts, one: &str, other: &str| Some(facts.place(one)? < facts.place(other)?);
    let left: Vec<&String> = paths.iter().copied().filter(|path| merged.entries.contains_key(*path)).collect();
    for one in &left {
        for other in left.iter().filter(|other| *other > one && Facts::parent(other) == Facts::parent(one)) {
            let [b, o, t] = [base, ours, theirs].map(|facts| is_before(facts, one, other));
            let order = match (o, t) {
                (Some(o), Some(t)) if o != t => match b {
                    Some(b) if b == o => Some(t),
                    Some(_) => Some(o),
                    // Both added one of them, each elsewhere.
                    None => None,
                },
                (one, other) => one.or(other),
            };
            let ordered = |is_before: bool| match is_before {
                true => ((**one).clone(), (**other).clone()),
                false => ((**other).clone(), (**one).clone()),
            };
            pairs.extend(order.map(ordered));
        }
    }
    let direct = pairs.clone();
    // What follows from what.
    loop {
        let more: Vec<_> = pairs
            .iter()
            .flat_map(|(a, b)| {
                pairs
                    .range((b.clone(), String::new())..)
                    .take_while(move |(c, _)| c == b)
                    .map(move |(_, d)| (a.clone(), d.clone()))
            })
            .filter(|pair| !pairs.contains(pair))
            .collect();
        if more.is_empty() {
            break;
        }
        pairs.extend(more);
    }
    let sequence = "/plugins";
    let in_sequence: Vec<&String> = merged.entries.keys().filter(|path| Facts::parent(path) == sequence).collect();
    let mut is_torn = false;
    for one in &in_sequence {
        for other in in_sequence.iter().filter(|other| *other > one) {
            let [there, back] = [((**one).clone(), (**other).clone()), ((**other).clone(), (**one).clone())];
            match (pairs.contains(&there), pairs.contains(&back)) {
                (false, false) => return Err(format!("the order of {one} and {other}")),
                // What was moved is not where it was seen beside the other side's new entries.
                (true, true) => is_torn = true,
                _ => {}
            }
        }
    }
    if is_torn {
        pairs = direct.clone();
        pairs
            .retain(|(one, other)| [base, ours, theirs].iter().all(|facts| is_before(facts, one, other) == Some(true)));
    }
    let is_free = |path: &str| !path.starts_with("/plugins/");
    pairs.retain(|(one, _)| !is_free(one));
    // Where order has no meaning, both may have moved something: then it is nobody's.
    let sure = |(one, other): &&(String, String)| is_free(one) && is_sure([base, ours, theirs], one, other);
    pairs.extend(direct.iter().filter(sure).cloned());
    Ok(pairs)
}

/// Whether a pair without a meaning has one order all the same: one side alone, or both, put them so.
fn is_sure([base, ours, theirs]: [&Facts; 3], one: &str, other: &str) -> bool {
    let parent = Facts::parent(one);
    let is_added_twice = |path: &str| {
        !base.entries.contains_key(path) && ours.entries.contains_key(path) && theirs.entries.contains_key(path)
    };
    // What one side added beside an entry that both added goes along with it, to wherever that is.
    let is_new = |path: &str| !base.entries.contains_key(path);
    let beside = |path: &String| Facts::parent(path) == parent && is_added_twice(path);
    let goes_along = (is_new(one) || is_new(other)) && ours.entries.keys().any(beside);
    if is_added_twice(one) || is_added_twice(other) || goes_along {
        return false;
    }
    let order = |facts: &Facts| -> Vec<String> {
        let here = facts.order.iter().filter(|path| Facts::parent(path) == parent);
        here.filter(|path| [base, ours, theirs].iter().all(|facts| facts.entries.contains_key(*path)))
            .cloned()
            .collect()
    };
    let moved = order(ours) != order(base) || order(theirs) != order(base);
    let together = [base, ours, theirs].iter().all(|facts| facts.place(one).is_some() && facts.place(other).is_some());
    let one_moved = (order(ours) != order(base)) != (order(theirs) != order(base));
    let both_have = |facts: &Facts| facts.place(one).is_some() && facts.place(other).is_some();
    (!moved && (both_have(ours) || both_have(theirs))) || (one_moved && together)
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec((0..5_u8, 0..8_u8, any::<u8>()), 1..6)
}

#[derive(Debug, Default)]
struct Tally {
    clean: usize,
    needless: usize,
}

fn run(format: Format, style: impl Fn(u8) -> [Hand; 3]) -> Tally {
    let cases = oracle::sample(&(edits(), edits(), any::<u8>()), oracle::cases(500));
    let mut tally = Tally::default();
    for (ours, theirs, hands) in cases {
        let base = base(format);
        let [ours, theirs] = [(&ours, "o"), (&theirs, "t")].map(|(edits, who)| edited(format, &base, edits, who));
        let [b, o, t] = style(hands);
        let texts = [(&base, b), (&ours, o), (&theirs, t)].map(|(entries, hand)| write(hand, entries));
        let facts = [&base, &ours, &theirs].map(|entries| Facts::of(entries));
        let merged = text(format.path(), Some(&texts[0]), &texts[1], &texts[2], Style::Merge);
        let [base, ours, theirs] = &texts;
        let context = || format!("base\n{base}\nours\n{ours}\ntheirs\n{theirs}\nmerged\n{merged}");
        let verdict = judge(facts.each_ref());
        let is_clean = !has_markers(merged.as_bytes());
        match verdict {
            Verdict::Conflict(why) => assert!(!is_clean, "{why} must be a conflict:\n{}", context()),
            Verdict::Clean(_) if !is_clean => tally.needless += 1,
            Verdict::Clean(expected) => {
                tally.clean += 1;
                // A list that gets a comment is not in brackets any more.
                if b == t && !b.has_flow_lists && !is_reordered(&facts[0], &facts[2]) {
                    assert!(!is_form_kept(format, &texts), "the template wrote nothing in another way:\n{}", context());
                }
                let found = Facts::read(format, &merged).unwrap_or_else(|problem| panic!("{problem}\n{}", context()));
                assert_eq!(found.entries, expected.facts.entries, "{}", context());
                for (one, other) in &expected.pairs {
                    let places = found.place(one).zip(found.place(other));
                    assert!(places.is_none_or(|(one, other)| one < other), "{one} is before {other}:\n{}", context());
                }
            }
        }
    }
    tally
}

/// Whether what both have is in another order.
fn is_reordered(base: &Facts, other: &Facts) -> bool {
    let common = |facts: &Facts| -> Vec<String> {
        let is_in_both = |path: &&String| [base, other].iter().all(|facts| facts.entries.contains_key(*path));
        facts.order.iter().filter(is_in_both).cloned().collect()
    };
    common(base) != common(other)
}

/// Whether the merge says that order or layout of the template was left out.
fn is_form_kept(format: Format, texts: &[String; 3]) -> bool {
    let path = RelPath::new(format.path()).unwrap();
    let [base, ours, theirs] = texts.each_ref().map(String::as_bytes);
    content::merge(&path, Known::default(), Some(base), ours, theirs).is_form_kept
}

/// The most needless conflicts, in 100 clear cases: where both are written alike, and where one is re-indented.
fn check(format: Format, most_needless: [usize; 2]) {
    let styles: [fn(u8) -> [usize; 3]; 2] =
        [|_| [2, 2, 2], |hand| if hand.is_multiple_of(2) { [2, 4, 2] } else { [2, 2, 4] }];
    for (style, most) in styles.into_iter().zip(most_needless) {
        let Tally { clean, needless } = run(format, |hand| style(hand).map(|indent| Hand::plain(format, indent)));
        assert!(needless * 100 <= most * (clean + needless), "{format:?}: {needless} needless, {clean} clean");
    }
}

#[test]
fn jsonc_merges_as_the_judge_says() {
    check(Format::Jsonc, [10, 10]);
}

#[test]
fn toml_merges_as_the_judge_says() {
    check(Format::Toml, [10, 10]);
}

#[test]
fn yaml_merges_as_the_judge_says() {
    check(Format::Yaml, [2, 2]);
}

/// One side is written by another hand: in indentation, quotes, dashes and brackets.
#[test]
fn yaml_of_another_hand_merges_as_the_judge_says() {
    let plain = Hand::plain(Format::Yaml, 2);
    for base in [plain, Hand { has_flow_lists: true, ..plain }, Hand { has_deep_lists: false, ..plain }] {
        let other = |bits: u8| Hand {
            indent: if bits & 2 == 0 { 2 } else { 4 },
            quotes: ["", "'", "\""][usize::from(bits / 4 % 3)],
            has_deep_lists: bits & 16 == 0,
            has_flow_lists: bits & 32 == 0,
            ..plain
        };
        let hands = |bits: u8| if bits & 1 == 0 { [base, other(bits), base] } else { [base, base, other(bits)] };
        let Tally { clean, needless } = run(Format::Yaml, hands);
        assert!(needless * 100 <= 2 * (clean + needless), "{base:?}: {needless} needless, {clean} clean");
    }
}
