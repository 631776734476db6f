//! Which directories the user moved: git's rule for renamed directories. A directory in which nothing is left went to where most of
//! its files went, and what the template puts into it goes there, too.

use std::collections::BTreeMap;

use super::pairing::Pairing;
use crate::lock::Base;
use crate::merge::shapes::directories;
use crate::tree::{RelPath, Tree};

/// At most this many directories above a file that moved are looked at.
const LEVELS: usize = 64;

/// Where each directory went that the user moved; `None` if as many of its files went to one place as to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Directories<'a>(BTreeMap<&'a str, Option<&'a str>>);

impl<'a> Directories<'a> {
    /// The directories in which `ours` has nothing any more and whose files moved to one place, or most of them.
    pub(super) fn of(moved: &Pairing<'a>, ours: &Tree) -> Self {
        if moved.is_empty() {
            return Self::default();
        }
        let left = directories(ours.keys());
        let mut counts: BTreeMap<&'a str, BTreeMap<&'a str, usize>> = BTreeMap::new();
        for (source, target) in moved.iter() {
            let (mut from, mut to) = (parent(source), parent(target));
            for _ in 0..LEVELS {
                if from.is_empty() || from == to || left.contains(from) {
                    break;
                }
                *counts.entry(from).or_default().entry(to).or_default() += 1;
                // What is above has moved, too, if only its own name changed.
                let ((from_above, from_name), (to_above, to_name)) = (split(from), split(to));
                if from_name != to_name {
                    break;
                }
                (from, to) = (from_above, to_above);
            }
        }
        let most = |places: BTreeMap<&'a str, usize>| {
            let most = *places.values().max()?;
            let mut best = places.into_iter().filter(|(_, count)| *count == most);
            Some(best.next()?.0).filter(|_| best.next().is_none())
        };
        Self(counts.into_iter().map(|(from, places)| (from, most(places))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same the other way round: from each directory that `base` does not have to the one that became it.
    pub(super) fn back(self, base: &Base) -> Self {
        if self.0.is_empty() {
            return self;
        }
        let known = directories(base.keys());
        let mut back = BTreeMap::new();
        for (from, to) in self.0.into_iter().filter_map(|(from, to)| Some((from, to?))) {
            if !to.is_empty() && !known.contains(to) {
                back.entry(to).and_modify(|from| *from = None).or_insert(Some(from));
            }
        }
        Self(back)
    }

    /// Where a directory went.
    pub(super) fn target(&self, directory: &str) -> Option<&'a str> {
        self.0.get(directory).copied().flatten()
    }

    /// Where a file goes with the innermost directory above it that moved.
    pub(super) fn follow(&self, path: &RelPath) -> Option<RelPath> {
        if self.0.is_empty() {
            return None;
        }
        let (from, to) = path.ancestors().find_map(|above| self.0.get_key_value(above))?;
        let to = (*to)?;
        let rest = path.as_str().get(from.len() + 1..)?;
        let place = if to.is_empty() { rest.to_owned() } else { format!("{to}/{rest}") };
        RelPath::new(place).ok()
    }
}

/// The directory that a file is in; empty for the root.
pub(super) fn parent(path: &RelPath) -> &str {
    path.ancestors().next().unwrap_or_default()
}

/// A directory's own directory, and its name.
fn split(directory: &str) -> (&str, &str) {
    directory.rsplit_once('/').unwrap_or(("", directory))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Entry;

    /// The directories that moved when these files did, of a project that has those files besides.
    fn moved(pairs: &[(&str, &str)], others: &[&str]) -> Vec<String> {
        let path = |text: &&str| RelPath::new(*text).unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(from, to)| (path(from), path(to))).collect();
        let mut pairing = Pairing::default();
        pairs.iter().for_each(|(from, to)| pairing.add(from, to));
        let files = pairs.iter().map(|(_, to)| to.clone()).chain(others.iter().map(path));
        let ours: Tree = files.map(|path| (path, Entry::file(b"".as_slice()))).collect();
        Directories::of(&pairing, &ours)
            .0
            .into_iter()
            .filter_map(|(from, to)| Some(format!("{from} > {}", to?)))
            .collect()
    }

    #[test]
    fn a_directory_goes_where_most_of_its_files_go() {
        assert_eq!(moved(&[("d/a", "e/a"), ("d/b", "e/b"), ("d/c", "f/c")], &[]), ["d > e"]);
        assert_eq!(moved(&[("d/a", "e/a"), ("d/b", "f/b")], &[]), [""; 0]);
        assert_eq!(moved(&[("d/a", "e/a"), ("d/b", "e/b")], &["d/c"]), [""; 0]);
        assert_eq!(moved(&[("a", "e/a"), ("b", "e/b")], &[]), [""; 0]);
    }

    #[test]
    fn directories_above_go_along_where_the_rest_of_the_path_stays() {
        assert_eq!(moved(&[("a/b/c/x", "z/b/c/x")], &[]), ["a > z", "a/b > z/b", "a/b/c > z/b/c"]);
        assert_eq!(moved(&[("a/b/c/x", "z/b/c/x")], &["a/b/y"]), ["a/b/c > z/b/c"]);
        assert_eq!(moved(&[("a/b/x", "z/x")], &[]), ["a/b > z"]);
        assert_eq!(moved(&[("a/b/x", "x")], &[]), ["a/b > "]);
    }
}
