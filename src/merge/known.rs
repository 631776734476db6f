//! What a merge of one file needs to know besides the file: the template's rules for lists, and what the whole merge may still cost.

use std::cell::Cell;

use crate::manifest::ListRule;
use crate::patterns::Patterns;
use crate::tree::RelPath;

/// The limit of one file that is merged by its contents: the lines and commas of its three versions. Each of them takes some 2 KiB of
/// memory in YAML.
const FILE: u64 = 150_000;
/// The same for all files of a merge.
const ALL: u64 = 4 * FILE;

/// The rules and the limits for the merge of one file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The rules of the template for lists of this file.
    pub lists: &'a [&'a ListRule],
    /// The limit of the cost of all merges together; without it, each has its own limit alone.
    pub(super) left: Option<&'a Cell<u64>>,
}

impl Known<'_> {
    /// Whether three versions may be merged by what they hold; that costs something.
    pub(super) fn affords(self, versions: [&[u8]; 3]) -> bool {
        let entries = |bytes: &[u8]| bytes.iter().filter(|byte| matches!(byte, b'\n' | b',')).count() as u64;
        let cost: u64 = versions.into_iter().map(entries).sum();
        let left = self.left.map_or(FILE, Cell::get);
        let affords = cost <= left.min(FILE);
        if let (Some(all), true) = (self.left, affords) {
            all.set(left - cost);
        }
        affords
    }
}

/// The rules and the limits for all merges of a tree.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    /// The rules with the files that they are for.
    rules: Vec<(Patterns, &'a ListRule)>,
    left: Cell<u64>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(rules: &'a [ListRule]) -> Self {
        let rules = rules.iter().map(|rule| (Patterns::new([rule.file.as_str()]), rule));
        Self { rules: rules.collect(), left: Cell::new(ALL) }
    }

    /// The rules for a file.
    pub(super) fn lists(&self, path: &RelPath) -> Vec<&'a ListRule> {
        self.rules.iter().filter(|(files, _)| files.matches(path.as_str())).map(|(_, rule)| *rule).collect()
    }

    /// The rules and the limits for the merge of a file with these rules for lists.
    pub(super) fn known<'k>(&'k self, lists: &'k [&'k ListRule]) -> Known<'k> {
        Known { lists, left: Some(&self.left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_limit_and_so_have_all_together() {
        let text = ",".repeat(usize::try_from(FILE).unwrap() / 3);
        let versions = [text.as_bytes(); 3];
        assert!(Known::default().affords(versions));
        assert!(!Known::default().affords([b",", versions[0], &[versions[1], versions[2]].concat()]));
        let shared = Shared::new(&[]);
        let afforded = (0..10).filter(|_| shared.known(&[]).affords(versions)).count();
        assert_eq!(afforded, 4);
        assert!(shared.known(&[]).affords([b"a"; 3]));
    }
}
