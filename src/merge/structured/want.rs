//! The document that a merge must give: a three-way merge of values, with their order and comments.

use std::collections::{BTreeSet, HashMap};

use indexmap::{IndexMap, IndexSet};

use super::identity::{document, identify, tokens};
use super::order::{Arranged, Binding, Slot, arrange};
use super::renames::Renames;
use super::rules::{Kind, Rule, Rules, exclusive_keys};
use super::value::{Comments, Folded, List, Map, Node, Order, Value};
use crate::merge::ending::trivial;
use crate::merge::text::{self, Side};

/// The wanted document, and how many real disagreements there are.
#[derive(Debug, PartialEq)]
pub(super) struct Want {
    /// Nothing if the chosen side has nothing.
    pub(super) node: Option<Node>,
    pub(super) conflicts: Conflicts,
}

/// How often both sides disagree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Conflicts {
    /// On a value.
    pub(super) values: usize,
    /// On the order of entries, where it has a meaning.
    pub(super) orders: usize,
    /// On a comment.
    pub(super) comments: usize,
    /// On the place of what has no order: these are not in question, ours stays.
    pub(super) moves: usize,
}

impl Conflicts {
    pub(super) fn is_none(self) -> bool {
        self.values + self.orders + self.comments == 0
    }
}

/// The versions that are merged, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs<'v> {
    pub(super) rules: &'v Rules<'v>,
    /// Nothing if the document is new on both sides.
    pub(super) base: Option<&'v Node>,
    pub(super) ours: &'v Node,
    pub(super) theirs: &'v Node,
    /// Whether a project without a lock gets what it lacks: then what it has is never in question.
    pub(super) is_adoption: bool,
    /// Whether each is a list of documents.
    pub(super) is_stream: bool,
    /// Whether a list that cannot be judged may be anything; else it is in question as a whole.
    pub(super) takes_any: bool,
}

/// Merges three documents. Where both sides disagree, `side` decides; for [`Side::Both`], entries whose order is not known
/// are all there, in either order.
pub(super) fn want(inputs: Inputs<'_>, side: Side) -> Want {
    let mut merger = Merger { inputs, side, keys: Vec::new(), conflicts: Conflicts::default() };
    let node = merger.merge(inputs.base, Some(inputs.ours), Some(inputs.theirs));
    Want { node, conflicts: merger.conflicts }
}

struct Merger<'v> {
    inputs: Inputs<'v>,
    side: Side,
    /// The keys above the value.
    keys: Vec<&'v str>,
    conflicts: Conflicts,
}

/// The three versions of something; `None` if a version does not have it.
type Three<'v, T> = [Option<&'v T>; 3];

impl<'v> Merger<'v> {
    fn merge(&mut self, base: Option<&'v Node>, ours: Option<&'v Node>, theirs: Option<&'v Node>) -> Option<Node> {
        if let Some(node) = trivial(base, ours, theirs) {
            return node.cloned();
        }
        match (base, ours, theirs) {
            (_, Some(ours), Some(theirs)) => {
                let comments = self.comments(base.map(|base| &base.comments), &ours.comments, &theirs.comments);
                self.loose(base, ours, theirs);
                let is_folded =
                    Folded(base.is_some_and(|base| base.is_folded.0) && ours.is_folded.0 && theirs.is_folded.0);
                let versions = [base.map(|base| &base.value), Some(&ours.value), Some(&theirs.value)];
                let value = self.value(versions, is_folded.0);
                Some(Node { value, comments, is_folded })
            }
            // One side dropped what the other took parts of.
            (Some(base), None, Some(left)) | (Some(base), Some(left), None) if left.is_part_of(base) => None,
            _ => {
                self.conflicts.values += 1;
                choose(self.side, [base, ours, theirs]).cloned()
            }
        }
    }

    fn value(&mut self, [base, ours, theirs]: Three<'v, Value>, is_folded: bool) -> Value {
        let (Some(o), Some(t)) = (ours, theirs) else { return Value::Any };
        if let Some(value) = trivial(base, ours, theirs).flatten() {
            return value.clone();
        }
        match (base, o, t) {
            (None | Some(Value::Map(_)), Value::Map(ours), Value::Map(theirs)) => {
                let base_map = if let Some(Value::Map(base)) = base { Some(base) } else { None };
                if base.is_none() && !self.may_fuse(ours, theirs) {
                    return self.disagree([base, Some(o), Some(t)]);
                }
                self.maps(base_map, ours, theirs).unwrap_or_else(|| self.disagree([base, Some(o), Some(t)]))
            }
            (None | Some(Value::List(_)), Value::List(ours), Value::List(theirs)) => {
                let base_list = if let Some(Value::List(base)) = base { &base.items[..] } else { &[] };
                self.lists([base_list, &ours.items, &theirs.items])
                    .unwrap_or_else(|| self.disagree([base, Some(o), Some(t)]))
            }
            (Some(Value::Text(base)), Value::Text(ours), Value::Text(theirs))
                if [base, ours, theirs].iter().all(|text| text.contains('\n')) =>
            {
                self.texts([base, ours, theirs], is_folded)
            }
            _ => self.disagree([base, Some(o), Some(t)]),
        }
    }

    /// Merges texts line by line, apart from the line feeds at their ends. The paragraphs of folded texts have an empty line
    /// between them where they are written.
    fn texts(&mut self, texts: [&str; 3], is_folded: bool) -> Value {
        let ends = texts.map(|text| &text[text.trim_end_matches('\n').len()..]);
        let line = if is_folded { "\n\0\n" } else { "\n" };
        let [base, ours, theirs] = texts
            .map(|text| text.trim_end_matches('\n').split('\n').map(|one| format!("{one}{line}")).collect::<String>());
        let merge = text::merge(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        let end = trivial(ends[0], ends[1], ends[2]);
        self.conflicts.values += merge.conflicts() + usize::from(end.is_none());
        let end = end.unwrap_or(match self.side {
            Side::Base => ends[0],
            Side::Ours | Side::Both => ends[1],
            Side::Theirs => ends[2],
        });
        let merged = String::from_utf8_lossy(&merge.choose(self.side)).replace(line, "\n");
        Value::Text(merged.trim_end_matches('\n').to_owned() + end)
    }

    fn disagree(&mut self, versions: Three<'_, Value>) -> Value {
        self.conflicts.values += 1;
        choose(self.side, versions).or(versions[1]).cloned().unwrap_or(Value::Any)
    }

    /// Whether two maps that both sides added can be one: where one has all of the other, or their entries do not depend
    /// on each other.
    fn may_fuse(&self, ours: &Map, theirs: &Map) -> bool {
        let has_all = |part: &Map, whole: &Map| {
            let has =
                |(key, node): (&String, &Node)| whole.get(key).is_some_and(|other| other.value.is_same(&node.value));
            part.pairs.iter().all(has)
        };
        self.inputs.base.is_none()
            || self.inputs.rules.is_open_map(&self.keys)
            || has_all(ours, theirs)
            || has_all(theirs, ours)
    }

    /// Nothing, where the order of the keys has a meaning and does not follow, or where keys exclude each other.
    fn maps(&mut self, base: Option<&'v Map>, ours: &'v Map, theirs: &'v Map) -> Option<Value> {
        let renames = Renames::of(base, ours, theirs);
        let mut names = IndexSet::new();
        let mut number = |map: Option<&'v Map>| {
            let keys = map.into_iter().flat_map(|map| map.pairs.keys());
            keys.map(|key| names.insert_full(renames.before(key)).0).collect::<Vec<_>>()
        };
        let tokens = [number(base), number(Some(ours)), number(Some(theirs))];
        let names: Vec<[&str; 2]> = names.into_iter().map(|name| [name, renames.after(name)]).collect();
        let get = |map: &'v Map, [before, after]: [&str; 2]| map.get(before).or_else(|| map.get(after));
        let has_order = self.inputs.rules.is_ordered_map(&self.keys) && !self.inputs.is_adoption;
        let dropped = |token: &usize| has_order && [ours, theirs].iter().all(|side| get(side, names[*token]).is_none());
        let dropped = tokens[0].iter().copied().filter(dropped).collect();
        let arranged = arrange(tokens.each_ref().map(Vec::as_slice), has_order, &dropped);
        if arranged.is_torn {
            return None;
        }
        let rivals = renames.rivals();
        self.conflicts.values += rivals.count;
        self.conflicts.moves += usize::from(arranged.is_moved);
        let sorting = Sorting::of(&tokens, |token| names[token][1].to_lowercase());
        let policy = Policy { has_order, is_map: true, sorting: sorting.as_ref() };
        let (mut pairs, mut places) = (IndexMap::with_capacity(names.len()), HashMap::new());
        for (token, side) in self.chosen(&arranged, policy) {
            let key = names[token][1];
            let versions =
                [base.and_then(|base| base.get(names[token][0])), get(ours, names[token]), get(theirs, names[token])];
            let is_rival = self.side != Side::Both && rivals.keys.contains(key);
            self.keys.push(key);
            let node = match side {
                _ if is_rival => choose(self.side, versions).cloned(),
                Some(side) => choose(side, versions).cloned(),
                None => self.merge(versions[0], versions[1], versions[2]),
            };
            self.keys.pop();
            if let Some(node) = node {
                places.insert(token, pairs.len());
                pairs.insert(key.to_owned(), node);
            }
        }
        let both = |(one, other): &&(&str, &str)| {
            let in_one = |map: &IndexMap<String, Node>| map.contains_key(*one) && map.contains_key(*other);
            in_one(&pairs) && !in_one(&ours.pairs) && !in_one(&theirs.pairs)
        };
        if exclusive_keys().any(|keys| both(&keys)) {
            return None;
        }
        let order = self.order(&arranged, &tokens, &places, policy);
        let former = names.iter().filter(|[before, after]| before != after && pairs.contains_key(*after));
        let former = former.map(|[before, after]| ((*after).to_owned(), (*before).to_owned())).collect();
        Some(Value::Map(Map { pairs, order, former }))
    }

    /// Nothing, where a list is one value, or where both sides moved elements to different places.
    fn lists(&mut self, versions: [&'v [Node]; 3]) -> Option<Value> {
        let rule = self.inputs.rules.list(&self.keys);
        let has_order = match kind(rule, versions) {
            Kind::Single => return None,
            kind => kind == Kind::Sequence && !self.inputs.is_adoption,
        };
        if !rule.is_known && is_mixed(versions) {
            return self.inputs.takes_any.then_some(Value::Any);
        }
        let tokens = match self.inputs.is_stream && self.keys.is_empty() {
            true => documents(versions),
            false => tokens(versions, rule.identity),
        };
        let Some(tokens) = tokens else {
            return self.inputs.takes_any.then_some(Value::Any);
        };
        let at = [0, 1, 2].map(|version: usize| {
            tokens[version].iter().copied().zip(versions[version]).collect::<HashMap<usize, &'v Node>>()
        });
        let in_dispute = |token: &usize| is_disputed(at.each_ref().map(|nodes| nodes.get(token).copied()));
        let disputed = tokens[0].iter().copied().filter(in_dispute).collect();
        let arranged = arrange(tokens.each_ref().map(Vec::as_slice), has_order, &disputed);
        if arranged.is_torn {
            return None;
        }
        self.conflicts.moves += usize::from(arranged.is_moved);
        let key = |token: usize| match at.iter().find_map(|nodes| nodes.get(&token)).map(|node| &node.value) {
            Some(Value::Text(text) | Value::Scalar(text)) => text.to_lowercase(),
            _ => String::new(),
        };
        let is_plain = |node: &Node| matches!(node.value, Value::Text(_) | Value::Scalar(_));
        let sorting = Sorting::of(&tokens, key).filter(|_| versions.iter().all(|list| list.iter().all(is_plain)));
        let policy = Policy { has_order, is_map: false, sorting: sorting.as_ref() };
        let (mut items, mut places) = (Vec::new(), HashMap::new());
        for (token, side) in self.chosen(&arranged, policy) {
            let [base, ours, theirs] = [0, 1, 2].map(|version: usize| at[version].get(&token).copied());
            let node = match side {
                Some(side) => choose(side, [base, ours, theirs]).cloned(),
                None => self.element(base, ours, theirs),
            };
            if let Some(node) = node {
                places.insert(token, items.len());
                items.push(node);
            }
        }
        let order = self.order(&arranged, &tokens, &places, policy);
        Some(Value::List(List { items, order }))
    }

    /// An element that both sides added is one of them, never a mixture.
    fn element(&mut self, base: Option<&'v Node>, ours: Option<&'v Node>, theirs: Option<&'v Node>) -> Option<Node> {
        match (base, ours, theirs) {
            (None, Some(one), Some(other)) if !one.value.is_same(&other.value) && !self.inputs.is_adoption => {
                self.conflicts.values += 1;
                choose(self.side, [base, ours, theirs]).cloned()
            }
            _ => self.merge(base, ours, theirs),
        }
    }

    /// The entries in order. Where a place is in question and a side is chosen, it has what that side has there, as it is:
    /// those entries come with the side.
    fn chosen(&mut self, arranged: &Arranged, policy: Policy<'_>) -> Vec<(usize, Option<Side>)> {
        let mut out = Vec::new();
        for slot in &arranged.slots {
            match slot {
                Slot::One(token) => out.push((*token, None)),
                Slot::Gap { base, ours, theirs, is_replaced } => {
                    self.conflicts.values += usize::from(*is_replaced);
                    self.conflicts.orders += usize::from(policy.has_order && !is_replaced);
                    let decided = Some(self.side).filter(|_| *is_replaced || policy.has_order);
                    let whole = |entries: &[usize]| entries.iter().map(|&token| (token, decided)).collect::<Vec<_>>();
                    match decided {
                        Some(Side::Ours) => out.extend(whole(ours)),
                        Some(Side::Theirs) => out.extend(whole(theirs)),
                        Some(Side::Base) => out.extend(whole(base)),
                        Some(Side::Both) | None => {
                            let mut both: Vec<usize> = ours.iter().chain(theirs).copied().collect();
                            policy.sorting.into_iter().for_each(|sorting| sorting.sort(&mut both));
                            out.extend(both.into_iter().map(|token| (token, None)));
                        }
                    }
                }
            }
        }
        out
    }

    /// The orders in which the entries that are at `places` may be found.
    fn order(
        &self,
        arranged: &Arranged,
        [_, ours, theirs]: &[Vec<usize>; 3],
        places: &HashMap<usize, usize>,
        policy: Policy<'_>,
    ) -> Order {
        let is_sure = || arranged.slots.iter().all(|slot| matches!(slot, Slot::One(_)));
        let is_sorted = policy.sorting.is_some();
        if (is_sorted && !policy.is_map) || (policy.has_order && (self.side != Side::Both || is_sure())) {
            return Order::Exact;
        }
        let chain = |side: &[usize]| side.iter().filter_map(|token| places.get(token).copied()).collect::<Vec<_>>();
        let Binding { ours: by_ours, theirs: by_theirs } = arranged.binding;
        let chains = [(by_ours, ours), (by_theirs, theirs)].into_iter().filter(|(holds, _)| *holds);
        let chains = chains.map(|(_, side)| chain(side)).collect();
        if is_sorted && !is_sure() { Order::Sorted(chains) } else { Order::Chains(chains) }
    }

    fn comments(&mut self, base: Option<&Comments>, ours: &Comments, theirs: &Comments) -> Comments {
        if self.inputs.is_adoption {
            return ours.clone();
        }
        let none = Comments::default();
        let base = base.unwrap_or(&none);
        Comments {
            apart: self.comment(&base.apart, &ours.apart, &theirs.apart),
            before: self.comment(&base.before, &ours.before, &theirs.before),
            behind: self.comment(&base.behind, &ours.behind, &theirs.behind),
            end: self.comment(&base.end, &ours.end, &theirs.end),
        }
    }

    /// A comment between entries that one side changed, where the other has a new entry: it may be about what is before it.
    fn loose(&mut self, base: Option<&Node>, ours: &Node, theirs: &Node) {
        let Some(base) = base.filter(|_| !self.inputs.is_adoption) else { return };
        for (one, other) in [(ours, theirs), (theirs, ours)] {
            let at_end = one.comments.end != base.comments.end && self.ends_in_new(&self.keys, Some(base), other);
            let between = match (&base.value, &one.value, &other.value) {
                (Value::Map(base), Value::Map(one), Value::Map(other)) => {
                    let entries = other.pairs.iter().zip(other.pairs.iter().skip(1));
                    let is_between = |((before, node), (key, _)): &((&String, &Node), (&String, &Node))| {
                        let [was, is] = [base, one].map(|map| map.get(key).map(|node| &node.comments.apart));
                        let keys = [&self.keys[..], &[before.as_str()]].concat();
                        is.is_some_and(|is| was.is_none_or(|was| was != is))
                            && self.ends_in_new(&keys, base.get(before), node)
                    };
                    entries.filter(is_between).count()
                }
                _ => 0,
            };
            self.conflicts.comments += between + usize::from(at_end);
        }
    }

    /// Whether the last entry of what is at `keys` is new, or the last one within that.
    fn ends_in_new(&self, keys: &[&str], base: Option<&Node>, node: &Node) -> bool {
        let Some(base) = base else { return true };
        match (&base.value, &node.value) {
            (Value::Map(base), Value::Map(map)) => map
                .pairs
                .last()
                .is_some_and(|(key, node)| self.ends_in_new(&[keys, &[key.as_str()]].concat(), base.get(key), node)),
            (Value::List(base), Value::List(list)) => list.items.last().is_some_and(|last| {
                let identity = self.inputs.rules.list(keys).identity;
                let known = identify(&last.value, identity);
                !base.items.iter().any(|item| identify(&item.value, identity) == known)
            }),
            _ => false,
        }
    }

    /// Merges the comments in one place, line by line.
    fn comment(&mut self, base: &[String], ours: &[String], theirs: &[String]) -> Vec<String> {
        if let Some(comments) = trivial(base, ours, theirs) {
            return comments.to_vec();
        }
        let [base, ours, theirs] =
            [base, ours, theirs].map(|all| all.iter().map(|comment| format!("{comment}\0\n")).collect::<String>());
        let merge = text::merge(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        self.conflicts.comments += merge.conflicts();
        let chosen =
            String::from_utf8_lossy(&merge.choose(if self.side == Side::Both { Side::Ours } else { self.side }))
                .into_owned();
        chosen.split_terminator("\0\n").map(str::to_owned).collect()
    }
}

fn choose<'c, T>(side: Side, [base, ours, theirs]: Three<'c, T>) -> Option<&'c T> {
    match side {
        Side::Base => base,
        Side::Ours | Side::Both => ours,
        Side::Theirs => theirs,
    }
}

/// Whether the sides disagree on an element of the base if anything new took its place: both dropped it, or one did, and
/// the other changed it.
fn is_disputed([base, ours, theirs]: Three<'_, Node>) -> bool {
    match (base, ours, theirs) {
        (Some(_), None, None) => true,
        (Some(base), Some(left), None) | (Some(base), None, Some(left)) => left != base && !left.is_part_of(base),
        _ => false,
    }
}

/// How entries of both sides in one place are taken.
#[derive(Clone, Copy)]
struct Policy<'s> {
    /// Whether the order of entries has a meaning.
    has_order: bool,
    is_map: bool,
    /// Where all versions are sorted.
    sorting: Option<&'s Sorting>,
}

/// The entries of versions that are all sorted.
struct Sorting(HashMap<usize, String>);

impl Sorting {
    /// Nothing, where a version is not sorted, or too short for its order to say anything.
    fn of(versions: &[Vec<usize>; 3], key: impl Fn(usize) -> String) -> Option<Self> {
        let keys: HashMap<usize, String> = versions.iter().flatten().map(|&token| (token, key(token))).collect();
        let is_sorted = versions.iter().all(|version| version.is_sorted_by_key(|token| keys.get(token)));
        (is_sorted && versions[1].len() > 1 && versions[2].len() > 1).then_some(Self(keys))
    }

    fn sort(&self, tokens: &mut [usize]) {
        tokens.sort_by(|one, other| self.0.get(one).cmp(&self.0.get(other)));
    }
}

/// The documents of a stream are known by their places; by their names, where a side only moved them, or has more of them.
fn documents(versions: [&[Node]; 3]) -> Option<[Vec<usize>; 3]> {
    let names = versions.map(|list| list.iter().map(|node| document(&node.value)).collect::<Option<Vec<_>>>());
    let length = versions[1].len();
    let same = versions[2].len() == length && (versions[0].is_empty() || versions[0].len() == length);
    let by_place = || same.then(|| versions.map(|list| (0..list.len()).collect()));
    let [Some(base), Some(ours), Some(theirs)] = names else { return by_place() };
    let sets = [&base, &ours, &theirs].map(|names| names.iter().collect::<BTreeSet<_>>());
    let is_unique = sets.iter().zip([&base, &ours, &theirs]).all(|(set, names)| set.len() == names.len());
    if !is_unique || (same && (sets[0] != sets[1] || sets[1] != sets[2])) {
        return by_place();
    }
    let mut known = IndexSet::new();
    Some([base, ours, theirs].map(|names| names.into_iter().map(|name| known.insert_full(name).0).collect()))
}

/// What a list is, whose rule does not say it alone.
fn kind(rule: Rule<'_>, versions: [&[Node]; 3]) -> Kind {
    let any = |is: fn(&Value) -> bool| versions.iter().any(|list| list.iter().any(|node| is(&node.value)));
    let is_number = |value: &Value| matches!(value, Value::Scalar(text) if text.parse::<f64>().is_ok());
    let numbers = |list: &&[Node]| !list.is_empty() && list.iter().all(|node| is_number(&node.value));
    match rule.kind {
        Kind::Patterns if any(|value| matches!(value, Value::Text(text) if text.starts_with('!'))) => Kind::Sequence,
        Kind::Patterns => Kind::Set,
        _ if !rule.is_known && versions.iter().any(numbers) => Kind::Single,
        kind => kind,
    }
}

/// Whether a list holds values of different kinds: each may have a meaning by its place.
fn is_mixed(versions: [&[Node]; 3]) -> bool {
    let kind = |value: &Value| match value {
        Value::Map(_) => 0,
        Value::Text(_) => 1,
        value @ Value::Scalar(_) => 2 - i32::from(value.may_be_text()),
        // A name with options: `["name", {}]`.
        Value::List(_) | Value::Any => 1,
    };
    // An alias may be of any kind.
    let is_known = |node: &&Node| !matches!(&node.value, Value::Scalar(text) if text.starts_with('*'));
    let mixed = |list: &[Node]| {
        let mut kinds = list.iter().filter(is_known).map(|node| kind(&node.value));
        kinds.next().is_some_and(|first| kinds.any(|kind| kind != first))
    };
    versions.iter().any(|list| mixed(list))
}
