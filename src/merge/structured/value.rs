//! The common model of the structured formats: a document as a tree of values, each with its comments.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::comments::{Comment, Outline};

/// The value of a document, whatever its format. Two are equal where the order of their keys and all comments are, too.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Null, a boolean, a number or a date, as a text that equal values share.
    Scalar(String),
    /// A string.
    Text(String),
    /// A list.
    List(List),
    /// A map.
    Map(Map),
    /// In a wanted value: a list that cannot be judged.
    Any,
}

/// A value with the comments that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) comments: Comments,
    /// Whether it is a folded text of YAML.
    pub(super) is_folded: Folded,
}

/// How a value is written, whatever it is: all are equal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Folded(pub(super) bool);

impl PartialEq for Folded {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The comments of an entry of a map or a list, with their markers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Comments {
    /// Above it, and apart from it by an empty line: right below what is before it.
    pub(super) apart: Vec<String>,
    /// On the lines above.
    pub(super) before: Vec<String>,
    /// Behind it, on its line.
    pub(super) behind: Vec<String>,
    /// Inside it, after its last entry.
    pub(super) end: Vec<String>,
}

/// A list, and in what order its elements may be found.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    pub(super) items: Vec<Node>,
    pub(super) order: Order,
}

/// A map in the order of its keys, and in what other order they may be found.
#[derive(Debug, Clone, Default)]
pub(super) struct Map {
    pub(super) pairs: IndexMap<String, Node>,
    pub(super) order: Order,
    /// Of a wanted map: what keys were called before one side renamed them.
    pub(super) former: BTreeMap<String, String>,
}

/// The order of the entries of a wanted value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// As they are.
    #[default]
    Exact,
    /// Any in which each of these runs of entries keeps its order.
    Chains(Vec<Vec<usize>>),
    /// The same, but better as they are: sorted.
    Sorted(Vec<Vec<usize>>),
}

impl Order {
    /// The runs of entries that keep their order; `None` if all of them do.
    pub(super) fn chains(&self, fit: Fit) -> Option<&[Vec<usize>]> {
        match self {
            Self::Exact => None,
            Self::Sorted(_) if fit == Fit::Best => None,
            Self::Chains(chains) | Self::Sorted(chains) => Some(chains),
        }
    }
}

/// The requirements for a document besides its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The order of entries; comments may be anywhere.
    Order,
    /// The order of entries, and each comment with what it belongs to.
    Comments,
    /// The same, and sorted where it was sorted.
    Best,
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.pairs.len() == other.pairs.len() && self.pairs.iter().eq(&other.pairs)
    }
}

impl Comments {
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        [&self.apart, &self.before, &self.behind, &self.end].into_iter().flatten()
    }

    /// Whether the lines above it are those of `other`.
    pub(super) fn is_same_above(&self, other: &Self) -> bool {
        self.apart == other.apart && self.before == other.before
    }

    fn is_part_of(&self, whole: &Self) -> bool {
        let part = |part: &[String], whole: &[String]| part.iter().all(|comment| whole.contains(comment));
        part(&self.apart, &whole.apart)
            && part(&self.before, &whole.before)
            && part(&self.behind, &whole.behind)
            && part(&self.end, &whole.end)
    }
}

impl Node {
    pub(super) fn new(value: Value) -> Self {
        Self { value, comments: Comments::default(), is_folded: Folded::default() }
    }

    /// The name of a key of a wanted map before one side renamed it.
    pub(super) fn before<'k>(&'k self, key: Option<&'k str>) -> Option<&'k str> {
        match &self.value {
            Value::Map(map) => key.map(|key| map.before(key)),
            _ => None,
        }
    }

    /// Whether `self`, a wanted value, allows `found`.
    pub(super) fn allows(&self, found: &Self, fit: Fit) -> bool {
        (fit == Fit::Order || self.comments == found.comments || self.value == Value::Any)
            && self.value.allows(&found.value, fit)
    }

    /// Whether `found` has what is wanted within it, whatever the comments around it.
    pub(super) fn allows_within(&self, found: &Self) -> bool {
        self.comments.end == found.comments.end && self.value.allows(&found.value, Fit::Best)
    }

    /// Whether it is what is left of `whole` when parts of it are taken away.
    pub(super) fn is_part_of(&self, whole: &Self) -> bool {
        self.comments.is_part_of(&whole.comments) && self.value.is_part_of(&whole.value)
    }

    /// Every comment of the document, in the order of its entries.
    pub(super) fn each_comment<'n>(&'n self, visit: &mut impl FnMut(&'n String)) {
        self.comments.all().for_each(&mut *visit);
        match &self.value {
            Value::List(list) => list.items.iter().for_each(|node| node.each_comment(visit)),
            Value::Map(map) => map.pairs.values().for_each(|node| node.each_comment(visit)),
            Value::Scalar(_) | Value::Text(_) | Value::Any => {}
        }
    }
}

impl List {
    pub(super) fn new(items: Vec<Node>) -> Self {
        Self { items, order: Order::Exact }
    }

    fn allows(&self, found: &Self, fit: Fit) -> bool {
        let (wanted, found) = (&self.items, &found.items);
        if wanted.len() != found.len() {
            return false;
        }
        let allows = |(wanted, found): (&Node, &Node)| wanted.allows(found, fit);
        let Some(chains) = self.order.chains(fit) else { return wanted.iter().zip(found).all(allows) };
        if wanted.len() > PERMUTED {
            return wanted.iter().zip(found).all(allows);
        }
        let mut places = vec![None; wanted.len()];
        for (place, found) in found.iter().enumerate() {
            let free = |at: &usize| places[*at].is_none() && wanted[*at].allows(found, fit);
            let Some(at) = (place..wanted.len()).chain(0..place).find(free) else { return false };
            places[at] = Some(place);
        }
        in_order(chains, |at| places.get(at).copied().flatten())
    }
}

/// Longer lists are looked for in the wanted order alone.
const PERMUTED: usize = 1_000;

impl Map {
    pub(super) fn new(pairs: IndexMap<String, Node>) -> Self {
        Self { pairs, order: Order::Exact, former: BTreeMap::new() }
    }

    /// The name of a key before one side renamed it.
    pub(super) fn before<'k>(&'k self, key: &'k str) -> &'k str {
        self.former.get(key).map_or(key, String::as_str)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.pairs.get(key)
    }

    fn allows(&self, found: &Self, fit: Fit) -> bool {
        let allows = |(key, wanted): (&String, &Node)| found.get(key).is_some_and(|found| wanted.allows(found, fit));
        if self.pairs.len() != found.pairs.len() || !self.pairs.iter().all(allows) {
            return false;
        }
        self.allows_keys(found.pairs.keys().map(String::as_str), fit)
    }

    /// Whether all of its keys are in an order that is allowed.
    pub(super) fn allows_keys<'k>(&self, found: impl Iterator<Item = &'k str>, fit: Fit) -> bool {
        match self.order.chains(fit) {
            None => found.eq(self.pairs.keys().map(String::as_str)),
            Some(chains) => {
                let mut places = vec![None; self.pairs.len()];
                for (place, key) in found.enumerate() {
                    if let Some(at) = self.pairs.get_index_of(key) {
                        places[at] = Some(place);
                    }
                }
                in_order(chains, |at| places.get(at).copied().flatten())
            }
        }
    }
}

fn in_order(chains: &[Vec<usize>], place: impl Fn(usize) -> Option<usize>) -> bool {
    chains.iter().all(|chain| chain.iter().map(|&at| place(at)).is_sorted())
}

impl Value {
    /// The same for the value alone.
    pub(super) fn allows(&self, found: &Self, fit: Fit) -> bool {
        match (self, found) {
            (Self::Any, _) => true,
            (Self::List(wanted), Self::List(found)) => wanted.allows(found, fit),
            (Self::Map(wanted), Self::Map(found)) => wanted.allows(found, fit),
            _ => self == found,
        }
    }

    /// Whether it is a scalar without quotes that may be a text to some readers: `yes`, or a date.
    pub(super) fn may_be_text(&self) -> bool {
        let is_sure = |text: &str| matches!(text, "null" | "true" | "false") || text.parse::<f64>().is_ok();
        matches!(self, Self::Scalar(text) if !is_sure(text))
    }

    /// A text that equal values share, whatever the order of their keys, and their comments.
    pub(super) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut String) {
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Text(text) => out.push_str(&format!("{text:?}")),
            Self::List(list) => {
                out.push('[');
                for node in &list.items {
                    node.value.write_canonical(out);
                    out.push(',');
                }
                out.push(']');
            }
            Self::Map(map) => {
                let mut keys: Vec<&String> = map.pairs.keys().collect();
                keys.sort_unstable();
                out.push('{');
                for key in keys {
                    out.push_str(&format!("{key:?}:"));
                    map.get(key).into_iter().for_each(|node| node.value.write_canonical(out));
                    out.push(',');
                }
                out.push('}');
            }
            Self::Any => out.push('?'),
        }
    }

    /// Whether both have the same content: in maps, the order of keys does not count, and comments never do.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(one), Self::List(other)) => {
                let same = |(one, other): (&Node, &Node)| one.value.is_same(&other.value);
                one.items.len() == other.items.len() && one.items.iter().zip(&other.items).all(same)
            }
            (Self::Map(one), Self::Map(other)) => {
                let same =
                    |(key, one): (&String, &Node)| other.get(key).is_some_and(|other| one.value.is_same(&other.value));
                one.pairs.len() == other.pairs.len() && one.pairs.iter().all(same)
            }
            _ => self == other,
        }
    }

    /// The keys that have different values in the two maps; lists are merged, and never named. Keys below others are
    /// joined with dots.
    pub(super) fn differences(&self, other: &Self) -> Vec<Difference> {
        match (self, other) {
            (Self::Map(one), Self::Map(other)) => {
                let both = one.pairs.iter().filter_map(|(key, node)| Some((key, node, other.get(key)?)));
                let both = both.map(|(key, one, other)| (key, one.value.differences(&other.value)));
                both.flat_map(|(key, below)| below.into_iter().map(move |below| below.within(key))).collect()
            }
            (Self::List(_), Self::List(_)) => Vec::new(),
            _ if self == other => Vec::new(),
            (_, Self::Scalar(theirs) | Self::Text(theirs)) => {
                vec![Difference { key: String::new(), theirs: theirs.clone() }]
            }
            _ => vec![Difference::default()],
        }
    }

    fn is_part_of(&self, whole: &Self) -> bool {
        match (self, whole) {
            (Self::Map(part), Self::Map(whole)) => {
                part.pairs.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| part.is_part_of(whole)))
            }
            (Self::List(part), Self::List(whole)) => {
                let mut whole = whole.items.iter();
                part.items
                    .iter()
                    .all(|part| whole.any(|whole| part.is_part_of(whole) && part.value.is_same(&whole.value)))
            }
            _ => self == whole,
        }
    }

    /// The keys that the other map has and this one has not; below others, joined with dots.
    pub(super) fn lacks(&self, other: &Self) -> Vec<String> {
        let (Self::Map(one), Self::Map(other)) = (self, other) else { return Vec::new() };
        let none = Self::Map(Map::default());
        let all = other.pairs.iter().flat_map(|(key, theirs)| {
            let below = one.get(key).map_or(&none, |ours| &ours.value).lacks(&theirs.value);
            match one.get(key) {
                None if below.is_empty() => vec![key.clone()],
                _ => below.into_iter().map(|below| format!("{key}.{below}")).collect(),
            }
        });
        all.collect()
    }

    /// Whether every part of it is known.
    pub(super) fn is_judged(&self) -> bool {
        match self {
            Self::Scalar(_) | Self::Text(_) => true,
            Self::List(list) => list.items.iter().all(|node| node.value.is_judged()),
            Self::Map(map) => map.pairs.values().all(|node| node.value.is_judged()),
            Self::Any => false,
        }
    }
}

/// A key that has a different value in each of two documents.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// The key; below others, joined with dots.
    pub(super) key: String,
    /// The other document's value, where it is neither a map nor a list.
    pub(super) theirs: String,
}

impl Difference {
    fn within(self, above: &str) -> Self {
        let key = if self.key.is_empty() { above.to_owned() } else { format!("{above}.{}", self.key) };
        Self { key, ..self }
    }
}

/// A document: its value with the comments at their places, and the texts of all of them.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    pub(super) comments: Vec<String>,
    /// The aliases of YAML, where they are values, with the places that they are in.
    pub(super) aliases: Vec<String>,
    /// Where each anchor of YAML is.
    pub(super) anchors: BTreeMap<String, u64>,
    /// Whether it is a list of several documents.
    pub(super) is_stream: bool,
    /// Where its entries are in the text.
    pub(super) outline: Outline,
}

impl Document {
    /// A document whose comments are still to be put into their places.
    pub(super) fn new(text: &str, mut root: Node, outline: Outline, found: Vec<Comment>) -> Self {
        let comments = found.iter().map(|comment| comment.text.clone()).collect();
        let outline = outline.attach(text, found, &mut root);
        Self { root, comments, aliases: Vec::new(), anchors: BTreeMap::new(), is_stream: false, outline }
    }
}
