//! The value that a merged document must have: a three-way merge of values.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::identity::tokens;
use super::value::{Map, Value};
use crate::merge::ending::trivial;
use crate::merge::text::{self, Side};

/// The wanted value, and how many real disagreements there are.
#[derive(Debug, PartialEq)]
pub(super) struct Want {
    /// Nothing where the chosen side has nothing.
    pub(super) value: Option<Value>,
    pub(super) conflicts: usize,
}

/// Merges three values: maps by key, lists by the identity of their elements, long strings as text. Where both sides
/// disagree, the value is that of `side`.
pub(super) fn want(base: Option<&Value>, ours: &Value, theirs: &Value, side: Side) -> Want {
    let mut merger = Merger { side, conflicts: 0 };
    let value = merger.merge(base, Some(ours), Some(theirs));
    Want { value, conflicts: merger.conflicts }
}

struct Merger {
    side: Side,
    conflicts: usize,
}

impl Merger {
    fn merge(&mut self, base: Option<&Value>, ours: Option<&Value>, theirs: Option<&Value>) -> Option<Value> {
        if let Some(value) = trivial(base, ours, theirs) {
            return value.cloned();
        }
        match (base, ours, theirs) {
            (None | Some(Value::Map(_)), Some(Value::Map(ours)), Some(Value::Map(theirs))) => {
                let base = if let Some(Value::Map(base)) = base { Some(base) } else { None };
                Some(self.maps(base, ours, theirs))
            }
            (None | Some(Value::List(_)), Some(Value::List(o)), Some(Value::List(t))) => {
                let list = if let Some(Value::List(base)) = base { &base[..] } else { &[] };
                match tokens([list, o, t]) {
                    None => Some(Value::Any),
                    Some(tokens) => match self.lists([list, o, t], &tokens) {
                        Some(list) => Some(Value::List(list)),
                        None => self.disagree(base, ours, theirs),
                    },
                }
            }
            (Some(Value::Text(base)), Some(Value::Text(ours)), Some(Value::Text(theirs)))
                if [base, ours, theirs].iter().all(|text| text.contains('\n')) =>
            {
                let merge = text::merge(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
                self.conflicts += merge.conflicts();
                Some(Value::Text(String::from_utf8_lossy(&merge.choose(self.side)).into_owned()))
            }
            // One side dropped what the other took parts of.
            (Some(base), None, Some(left)) | (Some(base), Some(left), None) if left.is_part_of(base) => None,
            _ => self.disagree(base, ours, theirs),
        }
    }

    fn disagree(&mut self, base: Option<&Value>, ours: Option<&Value>, theirs: Option<&Value>) -> Option<Value> {
        self.conflicts += 1;
        match self.side {
            Side::Base => base.cloned(),
            Side::Ours | Side::Both => ours.cloned(),
            Side::Theirs => theirs.cloned(),
        }
    }

    fn maps(&mut self, base: Option<&Map>, ours: &Map, theirs: &Map) -> Value {
        let keys = weave(&ours.keys().collect::<Vec<_>>(), &theirs.keys().collect::<Vec<_>>(), Gap::OursFirst);
        let mut map = Map::with_capacity(keys.len());
        for key in keys {
            let value = self.merge(base.and_then(|base| base.get(key)), ours.get(key), theirs.get(key));
            if let Some(value) = value {
                map.insert(key.clone(), value);
            }
        }
        Value::Map(map)
    }

    /// Nothing, where both sides put different things in the place of one element, or moved elements to different places.
    fn lists(&mut self, versions: [&[Value]; 3], tokens: &[Vec<usize>; 3]) -> Option<Vec<Value>> {
        let [base, ours, theirs] = tokens;
        let order = order(base, ours, theirs)?;
        let places = [0, 1, 2].map(|version: usize| {
            let places = tokens[version].iter().zip(versions[version]);
            places.map(|(&token, value)| (token, value)).collect::<HashMap<_, _>>()
        });
        let element = |token| self.merge(at(&places[0], token), at(&places[1], token), at(&places[2], token));
        Some(order.iter().filter_map(element).collect())
    }
}

fn at<'v>(places: &HashMap<usize, &'v Value>, token: &usize) -> Option<&'v Value> {
    places.get(token).copied()
}

/// The order of the merged list, with the elements that one side dropped.
fn order(base: &[usize], ours: &[usize], theirs: &[usize]) -> Option<Vec<usize>> {
    let [ours_gaps, theirs_gaps] = [Gaps::new(base, ours), Gaps::new(base, theirs)];
    let replaced = |token: &usize| match (ours_gaps.at(*token), theirs_gaps.at(*token)) {
        (Some(ours), Some(theirs)) => ours != theirs,
        _ => false,
    };
    if base.iter().any(replaced) {
        return None;
    }
    let [in_base, in_ours, in_theirs] = [base, ours, theirs].map(|tokens| tokens.iter().collect::<HashSet<_>>());
    let common = |token: &&usize| in_base.contains(token) && in_ours.contains(token) && in_theirs.contains(token);
    let [b, o, t] = [base, ours, theirs].map(|tokens| tokens.iter().filter(common).collect::<Vec<_>>());
    if o == t || b == t {
        Some(weave(ours, theirs, Gap::OursFirst))
    } else if b == o {
        Some(weave(theirs, ours, Gap::TheirsFirst))
    } else {
        None
    }
}

/// What a side has put into the gaps that it made in the base.
struct Gaps {
    /// The gap of each element that the side dropped.
    dropped: HashMap<usize, usize>,
    /// The new elements of each gap.
    new: HashMap<usize, Vec<usize>>,
}

impl Gaps {
    fn new(base: &[usize], side: &[usize]) -> Self {
        let mut gaps = Self { dropped: HashMap::new(), new: HashMap::new() };
        let [in_base, in_side] = [base, side].map(|tokens| tokens.iter().collect::<HashSet<_>>());
        let mut kept = 0;
        for token in base {
            if in_side.contains(token) {
                kept += 1;
            } else {
                gaps.dropped.insert(*token, kept);
            }
        }
        kept = 0;
        for token in side {
            if in_base.contains(token) {
                kept += 1;
            } else {
                gaps.new.entry(kept).or_default().push(*token);
            }
        }
        gaps
    }

    /// What stands in the place of an element that the side dropped.
    fn at(&self, token: usize) -> Option<&[usize]> {
        let gap = self.dropped.get(&token)?;
        Some(self.new.get(gap).map_or(&[], Vec::as_slice))
    }
}

/// Whose new elements come first where both sides have some.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    OursFirst,
    TheirsFirst,
}

/// The elements of `ours` in their order; those that only `theirs` has come after their predecessor there.
pub(super) fn weave<T: Copy + Eq + Hash>(ours: &[T], theirs: &[T], gap: Gap) -> Vec<T> {
    let [in_ours, in_theirs] = [ours, theirs].map(|all| all.iter().copied().collect::<HashSet<_>>());
    let (mut added, mut anchor) = (HashMap::<Option<T>, Vec<T>>::new(), None);
    for &element in theirs {
        if in_ours.contains(&element) {
            anchor = Some(element);
        } else {
            added.entry(anchor).or_default().push(element);
        }
    }
    let mut out = Vec::with_capacity(ours.len() + theirs.len());
    let mut after = |anchor: Option<T>, out: &mut Vec<T>| out.extend(added.remove(&anchor).unwrap_or_default());
    anchor = None;
    for &element in ours {
        if gap == Gap::TheirsFirst {
            after(anchor, &mut out);
        }
        if in_theirs.contains(&element) {
            after(anchor, &mut out);
            anchor = Some(element);
        }
        out.push(element);
    }
    after(anchor, &mut out);
    out
}
