//! How much of one file is found in another: the measure behind moves that changed the file, too.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::pairing::{Pair, affinity};
use crate::tree::{Entry, RelPath};

/// The least similarity, in per cent, that counts as a move.
const THRESHOLD: usize = 50;
/// Files of fewer lines are like each other by chance.
const MIN_LINES: usize = 3;
/// The most that is spent on comparing, in lines: some 50 ms.
const BUDGET: usize = 20_000_000;

/// Which pairs of names are worth a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The same extension, or the same name but for the extension.
    Related,
    /// The same extension.
    SameExtension,
}

impl Names {
    fn allow(self, source: &RelPath, target: &RelPath) -> bool {
        let ((source_stem, source_extension), (target_stem, target_extension)) = (split(source), split(target));
        source_extension == target_extension || (self == Self::Related && source_stem == target_stem)
    }
}

/// The name before its last dot, and the extension after it; a leading dot begins no extension.
fn split(path: &RelPath) -> (&str, Option<&str>) {
    let name = path.file_name();
    match name.rfind('.') {
        Some(at) if at > 0 => (&name[..at], Some(&name[at + 1..])),
        _ => (name, None),
    }
}

type Files<'a> = [(&'a RelPath, &'a Entry)];

/// Every pair that is similar enough, best first by its rank. Pairs with the same file name are looked at first: when
/// there are too many to compare all, those are the likely ones.
pub(super) fn pairs<'a>(sources: &Files<'a>, targets: &Files<'a>, names: Names) -> Vec<Pair<'a>> {
    let sources = profiles(sources);
    let targets = profiles(targets);
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (path, _)) in targets.iter().enumerate() {
        by_name.entry(path.file_name()).or_default().push(at);
    }
    let mut comparison = Comparison { budget: BUDGET, found: Vec::new() };
    for source in &sources {
        let same_name = by_name.get(source.0.file_name()).into_iter().flatten();
        same_name.for_each(|&at| comparison.compare(source, &targets[at]));
    }
    for source in &sources {
        let others = targets.iter().filter(|target| target.0.file_name() != source.0.file_name());
        others.filter(|target| names.allow(source.0, target.0)).for_each(|target| comparison.compare(source, target));
    }
    comparison.found
}

type Profiled<'a> = (&'a RelPath, Profile);

fn profiles<'a>(files: &Files<'a>) -> Vec<Profiled<'a>> {
    let regular = files.iter().filter(|(_, entry)| matches!(entry, Entry::File { .. }));
    let profiled = regular.map(|&(path, entry)| (path, Profile::of(entry.bytes())));
    profiled.filter(|(_, profile)| profile.lines.len() >= MIN_LINES).collect()
}

struct Comparison<'a> {
    budget: usize,
    found: Vec<Pair<'a>>,
}

impl<'a> Comparison<'a> {
    fn compare(&mut self, (source, ours): &Profiled<'a>, (target, theirs): &Profiled<'a>) {
        let lines = if ours.may_resemble(theirs) { ours.lines.len() + theirs.lines.len() } else { 1 };
        if self.budget < lines {
            self.budget = 0;
            return;
        }
        self.budget -= lines;
        if lines == 1 {
            return;
        }
        let likeness = ours.likeness(theirs);
        if likeness >= THRESHOLD {
            self.found.push(Pair { source, target, rank: (likeness, affinity(source, target)) });
        }
    }
}

/// The lines of a file, as hashes with lengths, sorted. The kind of line ending does not count.
struct Profile {
    lines: Vec<(u64, usize)>,
    size: usize,
}

impl Profile {
    fn of(bytes: &[u8]) -> Self {
        let mut lines: Vec<(u64, usize)> = bytes.split_inclusive(|&byte| byte == b'\n').map(line).collect();
        lines.sort_unstable();
        Self { size: lines.iter().map(|(_, length)| length).sum(), lines }
    }

    fn may_resemble(&self, other: &Self) -> bool {
        self.size.min(other.size) * 100 >= self.size.max(other.size) * THRESHOLD
    }

    /// The share of the larger file that the other one has too, in per cent of its bytes.
    fn likeness(&self, other: &Self) -> usize {
        let (mut ours, mut theirs) = (self.lines.iter().peekable(), other.lines.iter().peekable());
        let mut common = 0;
        while let (Some(our), Some(their)) = (ours.peek(), theirs.peek()) {
            match our.cmp(their) {
                std::cmp::Ordering::Less => drop(ours.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    common += our.1;
                    ours.next();
                    theirs.next();
                }
            }
        }
        common * 100 / self.size.max(other.size).max(1)
    }
}

fn line(line: &[u8]) -> (u64, usize) {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    (hasher.finish(), text.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(a: &str, b: &str) -> usize {
        Profile::of(a.as_bytes()).likeness(&Profile::of(b.as_bytes()))
    }

    #[test]
    fn likeness_is_the_common_share_of_the_larger_file() {
        assert_eq!(likeness("a\nb\nc\nd\n", "a\nb\nc\nd\n"), 100);
        assert_eq!(likeness("a\nb\nc\nd\n", "d\nc\nx\ny\n"), 50);
        assert_eq!(likeness("a\nb\nc\n", "a\r\nb\r\nc\r\n"), 100);
        assert_eq!(likeness("a\nb\n", "a\nb\nc\nd\n"), 50);
        assert_eq!(likeness("a\na\na\n", "a\nb\nc\n"), 33);
        assert_eq!(likeness("", ""), 0);
    }

    #[test]
    fn names_are_related_by_extension_or_by_stem() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let allow = |names: Names, a: &str, b: &str| names.allow(&path(a), &path(b));
        assert!(allow(Names::SameExtension, "a/x.ts", "b/y.ts"));
        assert!(!allow(Names::SameExtension, "x.js", "x.ts"));
        assert!(allow(Names::Related, "x.js", "src/x.ts"));
        assert!(!allow(Names::Related, "x.js", "y.ts"));
        assert!(allow(Names::SameExtension, "Makefile", ".env"));
        assert!(!allow(Names::Related, ".env", "x.env"));
    }
}
