//! The differences of two sequences of lines. Pure, and equal inputs give equal results: no clock ends the search.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use similar::algorithms::{Capture, Compact, DiffHook as _, NoFinishHook, Replace, diff};
use similar::{Algorithm, DiffOp};

/// The most lines, of both sides, that are compared as a whole. Where hardly any line is unique, the search takes their number
/// times its square root.
const WHOLE: usize = 1 << 16;

/// A line of each side.
type Place = (usize, usize);

/// The edits that turn `old` into `new`.
///
/// Sequences of more lines are compared in parts, so that the time grows with their length: cut where a line that is unique
/// on both sides is the same, and where there is none, anywhere. The result is right in any case, if not always the shortest.
#[must_use]
pub(crate) fn ops<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    let mut found = Compact::new(Replace::new(Capture::new()), old, new);
    for (old_part, new_part) in parts(old, new, WHOLE) {
        let Ok(()) = diff(Algorithm::Patience, &mut NoFinishHook::new(&mut found), old, old_part, new, new_part);
    }
    let Ok(()) = found.finish();
    found.into_inner().into_inner().into_ops()
}

/// Cuts both sequences into parts of at most `whole` lines.
fn parts<T: Eq + Hash>(old: &[T], new: &[T], whole: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let end = (old.len(), new.len());
    let mut cuts = vec![(0, 0)];
    if size((0, 0), end) > whole {
        let (mut start, mut last) = ((0, 0), (0, 0));
        for anchor in anchors(old, new).into_iter().chain([end]) {
            if size(start, anchor) > whole && last != start {
                cuts.push(last);
                start = last;
            }
            if size(start, anchor) > whole {
                cuts.extend(evenly(start, anchor, whole));
                start = anchor;
            }
            last = anchor;
        }
    }
    cuts.push(end);
    cuts.windows(2).map(|cut| (cut[0].0..cut[1].0, cut[0].1..cut[1].1)).collect()
}

fn size(from: Place, to: Place) -> usize {
    to.0 - from.0 + to.1 - from.1
}

/// Cuts after `from`, up to `to`, so that no part has more than `whole` lines.
fn evenly(from: Place, to: Place, whole: usize) -> impl Iterator<Item = Place> {
    let count = size(from, to).div_ceil(whole - 1);
    let cut = move |from: usize, to: usize, n: usize| from + (to - from) * n / count;
    (1..=count).map(move |n| (cut(from.0, to.0, n), cut(from.1, to.1, n)))
}

/// Places where both sides are the same, in order: after what they begin with, at lines that are unique, and before what they
/// end with.
fn anchors<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Place> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let [old_rest, new_rest] = [&old[head..], &new[head..]];
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let [old_end, new_end] = [old.len() - tail, new.len() - tail];
    let unique = longest_rising(&unique(&old[head..old_end], &new[head..new_end]));
    let unique = unique.into_iter().map(|(old, new)| (old + head, new + head));
    [(head, head)].into_iter().chain(unique).chain([(old_end, new_end)]).collect()
}

/// The places of the lines that each side has once, in the order of `old`.
fn unique<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Place> {
    let mut places: HashMap<&T, [Option<Place>; 2]> = HashMap::new();
    for (side, lines) in [old, new].into_iter().enumerate() {
        for (at, line) in lines.iter().enumerate() {
            let place = &mut places.entry(line).or_default()[side];
            // How often it is there, and where.
            *place = Some((place.map_or(1, |(count, _)| count + 1), at));
        }
    }
    let mut unique: Vec<Place> = places
        .into_values()
        .filter_map(|places| match places {
            [Some((1, old)), Some((1, new))] => Some((old, new)),
            _ => None,
        })
        .collect();
    unique.sort_unstable();
    unique
}

/// As many of these places, which are in the order of the first side, as are in the order of the second, too.
fn longest_rising(places: &[Place]) -> Vec<Place> {
    // The best end of a row of each length, and what comes before each place in its row.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(places.len());
    for (at, place) in places.iter().enumerate() {
        let length = ends.partition_point(|&end| places[end].1 < place.1);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut row: Vec<Place> =
        std::iter::successors(ends.last().copied(), |&at| before[at]).map(|at| places[at]).collect();
    row.reverse();
    row
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

    use proptest::prelude::*;
    use similar::capture_diff_slices;

    use super::*;

    thread_local!(static COMPARISONS: Cell<usize> = const { Cell::new(0) });

    /// A line that counts how often it is looked at.
    #[derive(Debug, Clone, Eq)]
    struct Counted(u32);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0 == other.0
        }
    }

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    /// Numbers below `kinds` that look random, and are the same every time.
    fn random(seed: u64, kinds: u32, count: usize) -> Vec<Counted> {
        let mut state = seed;
        let next = std::iter::from_fn(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(state >> 40).ok().map(|number| Counted(number % kinds))
        });
        next.take(count).collect()
    }

    /// Applies operations, which must cover both sides in order.
    fn applied<T: Clone + PartialEq>(ops: &[DiffOp], old: &[T], new: &[T]) -> Vec<T> {
        let (mut at, mut out) = (0, Vec::new());
        for op in ops {
            assert_eq!((op.old_range().start, op.new_range().start), (at, out.len()));
            match op {
                DiffOp::Equal { .. } => out.extend_from_slice(&old[op.old_range()]),
                _ => out.extend_from_slice(&new[op.new_range()]),
            }
            at = op.old_range().end;
        }
        assert_eq!(at, old.len());
        out
    }

    #[test]
    fn the_comparisons_for_a_line_do_not_grow_with_the_number_of_lines() {
        let comparisons = |lines: usize| {
            let [old, new] = [1, 2].map(|seed| random(seed, 676, lines));
            COMPARISONS.set(0);
            let ops = ops(&old, &new);
            let comparisons = COMPARISONS.get() / lines;
            assert!(applied(&ops, &old, &new) == new);
            comparisons
        };
        let [few, many] = [comparisons(WHOLE / 2), comparisons(2 * WHOLE)];
        assert!(many < few + few / 4, "{few} each, then {many}");
    }

    #[test]
    fn long_sequences_are_cut_where_both_are_the_same() {
        let lines = |text: &str| text.chars().collect::<Vec<_>>();
        let (old, new) = (lines("xxxxAyyyyBzzzz"), lines("xxAyyyyyyBzz"));
        let cut: Vec<String> = parts(&old, &new, 12)
            .into_iter()
            .map(|(o, n)| format!("{}/{}", old[o].iter().collect::<String>(), new[n].iter().collect::<String>()))
            .collect();
        assert_eq!(cut, ["xxxx/xx", "Ayyyy/Ayyyyyy", "Bzzzz/Bzz"]);
        assert_eq!(parts(&old, &new, 100).len(), 1);
    }

    proptest! {
        #[test]
        fn short_sequences_are_compared_as_the_library_does(old in "[a-f]{0,40}", new in "[a-f]{0,40}") {
            let expected = capture_diff_slices(Algorithm::Patience, old.as_bytes(), new.as_bytes());
            prop_assert_eq!(ops(old.as_bytes(), new.as_bytes()), expected);
        }

        #[test]
        fn parts_cover_both_sequences_and_none_is_too_long(old in "[a-z]{0,60}", new in "[a-z]{0,60}", whole in 2_usize..30) {
            let mut end = (0, 0);
            for (old, new) in parts(old.as_bytes(), new.as_bytes(), whole) {
                prop_assert_eq!((old.start, new.start), end);
                prop_assert!(old.len() + new.len() <= whole);
                end = (old.end, new.end);
            }
            prop_assert_eq!(end, (old.len(), new.len()));
        }

        #[test]
        fn what_rises_is_a_longest_row(order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle()) {
            let places: Vec<Place> = order.iter().copied().enumerate().collect();
            let row = longest_rising(&places);
            prop_assert!(row.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
            let rises = |subset: &usize| {
                let picked: Vec<usize> = (0..9).filter(|at| subset & (1 << at) != 0).map(|at| order[at]).collect();
                picked.is_sorted().then_some(picked.len())
            };
            prop_assert_eq!(Some(row.len()), (0..1_usize << 9).filter_map(|subset| rises(&subset)).max());
        }
    }
}
