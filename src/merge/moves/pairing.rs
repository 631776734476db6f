//! Which source goes to which target, when every end is used once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::tree::RelPath;

/// A possible move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair<'a> {
    pub(super) source: &'a RelPath,
    pub(super) target: &'a RelPath,
    /// Likeness in per cent, then how alike the paths are: the greatest is taken first.
    pub(super) rank: (usize, Affinity),
}

/// The same file name; then the components in common at the paths' starts; then those at their ends.
pub(super) type Affinity = (bool, usize, usize);

/// How alike two paths are.
pub(super) fn affinity<'p>(source: &'p RelPath, target: &'p RelPath) -> Affinity {
    let parts = |path: &'p RelPath| -> Vec<&'p str> { path.as_str().split('/').collect() };
    let (source_parts, target_parts) = (parts(source), parts(target));
    let shorter = source_parts.len().min(target_parts.len()).saturating_sub(1);
    let equal = |(a, b): &(&&str, &&str)| a == b;
    let start = source_parts.iter().zip(&target_parts).take(shorter).take_while(equal).count();
    let end = source_parts.iter().rev().zip(target_parts.iter().rev()).take_while(equal).count();
    (source.file_name() == target.file_name(), start, end)
}

/// The moves that were found: source → target, each end once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pairing<'a> {
    targets: BTreeMap<&'a RelPath, &'a RelPath>,
    sources: BTreeMap<&'a RelPath, &'a RelPath>,
}

impl<'a> Pairing<'a> {
    /// Adds a pair, unless one of its ends is used already.
    pub(super) fn add(&mut self, source: &'a RelPath, target: &'a RelPath) {
        if !self.has_source(source) && !self.has_target(target) {
            self.targets.insert(source, target);
            self.sources.insert(target, source);
        }
    }

    /// Adds the best pairs of some: by rank, then in path order.
    pub(super) fn add_best(&mut self, mut pairs: Vec<Pair<'a>>) {
        pairs.sort_by_key(|pair| (Reverse(pair.rank), pair.source, pair.target));
        pairs.into_iter().for_each(|pair| self.add(pair.source, pair.target));
    }

    /// Where a source goes.
    pub(super) fn target(&self, source: &RelPath) -> Option<&'a RelPath> {
        self.targets.get(source).copied()
    }

    /// The new content of a target.
    pub(super) fn source(&self, target: &RelPath) -> Option<&'a RelPath> {
        self.sources.get(target).copied()
    }

    /// Every pair.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a RelPath, &'a RelPath)> {
        self.targets.iter().map(|(source, target)| (*source, *target))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    pub(super) fn has_source(&self, source: &RelPath) -> bool {
        self.targets.contains_key(source)
    }

    pub(super) fn has_target(&self, target: &RelPath) -> bool {
        self.sources.contains_key(target)
    }

    /// Drops every pair that is refused, until none is: a pair may be allowed only because of another one, which leaves the
    /// place that it takes, or takes the place that it leaves. So only these two are looked at again.
    pub(super) fn retain(&mut self, allow: impl Fn(&Self, &'a RelPath, &'a RelPath) -> bool) {
        let mut open: Vec<&'a RelPath> = self.targets.keys().copied().collect();
        while let Some(source) = open.pop() {
            let Some(target) = self.target(source).filter(|target| !allow(self, source, target)) else { continue };
            self.targets.remove(source);
            self.sources.remove(target);
            open.extend(self.targets.get_key_value(target).map(|(source, _)| *source));
            open.extend(self.source(source));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_alike_by_name_then_by_directory() {
        let affinity = |a: &str, b: &str| affinity(&RelPath::new(a).unwrap(), &RelPath::new(b).unwrap());
        assert!(affinity("a/x", "b/x") > affinity("a/x", "a/y"));
        assert!(affinity("a/b/x", "a/b/c/x") > affinity("a/b/x", "a/c/x"));
        assert!(affinity("a/n/x", "b/n/x") > affinity("a/n/x", "b/m/x"));
    }

    #[test]
    fn a_chain_of_moves_falls_in_as_many_steps_as_it_is_long() {
        let paths: Vec<RelPath> = (0..2000).map(|n| RelPath::new(format!("{n:04}")).unwrap()).collect();
        let mut pairing = Pairing::default();
        paths.windows(2).for_each(|pair| pairing.add(&pair[0], &pair[1]));
        pairing.add(&paths[1999], &paths[1999]);
        let asked = std::cell::Cell::new(0);
        // Each is allowed only if the file in its new place moves on, and the last one never is.
        pairing.retain(|pairing, source, target| {
            asked.set(asked.get() + 1);
            source != target && pairing.has_source(target)
        });
        assert_eq!(pairing, Pairing::default());
        assert!(asked.get() <= 3 * paths.len(), "{}", asked.get());
    }

    #[test]
    fn each_end_is_used_once() {
        let paths: Vec<RelPath> = ["a", "b", "c"].map(|path| RelPath::new(path).unwrap()).into();
        let rank = |likeness| (likeness, (false, 0, 0));
        let mut pairing = Pairing::default();
        pairing.add_best(vec![
            Pair { source: &paths[0], target: &paths[1], rank: rank(60) },
            Pair { source: &paths[0], target: &paths[2], rank: rank(90) },
            Pair { source: &paths[1], target: &paths[2], rank: rank(80) },
        ]);
        assert_eq!(pairing.target(&paths[0]), Some(&paths[2]));
        assert_eq!(pairing.target(&paths[1]), None);
    }
}
