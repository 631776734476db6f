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
    fn allow(self, source: Name<'_>, target: Name<'_>) -> bool {
        source.1 == target.1 || (self == Self::Related && source.0 == target.0)
    }
}

/// The name before its last dot, and the extension after it; a leading dot begins no extension.
type Name<'a> = (&'a str, Option<&'a str>);

fn split(path: &RelPath) -> Name<'_> {
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
    for (at, target) in targets.iter().enumerate() {
        by_name.entry(target.path.file_name()).or_default().push(at);
    }
    let mut comparison = Comparison { budget: BUDGET, found: Vec::new() };
    for source in &sources {
        let same_name = by_name.get(source.path.file_name()).into_iter().flatten();
        same_name.for_each(|&at| comparison.compare(source, &targets[at]));
    }
    for source in &sources {
        let others = targets.iter().filter(|target| target.path.file_name() != source.path.file_name());
        others
            .filter(|target| names.allow(source.name, target.name))
            .for_each(|target| comparison.compare(source, target));
        if comparison.budget == 0 {
            break;
        }
    }
    comparison.found
}

struct Profiled<'a> {
    path: &'a RelPath,
    name: Name<'a>,
    profile: Profile,
}

fn profiles<'a>(files: &Files<'a>) -> Vec<Profiled<'a>> {
    let regular = files.iter().filter(|(_, entry)| matches!(entry, Entry::File { .. }));
    let profiled =
        regular.map(|&(path, entry)| Profiled { path, name: split(path), profile: Profile::of(entry.bytes()) });
    profiled.filter(|file| file.profile.lines.len() >= MIN_LINES).collect()
}

struct Comparison<'a> {
    budget: usize,
    found: Vec<Pair<'a>>,
}

impl<'a> Comparison<'a> {
    fn compare(&mut self, source: &Profiled<'a>, target: &Profiled<'a>) {
        let (ours, theirs) = (&source.profile, &target.profile);
        let may_resemble = ours.may_resemble(theirs);
        let cost = if may_resemble { ours.lines.len() + theirs.lines.len() } else { 1 };
        if self.budget < cost {
            self.budget = 0;
            return;
        }
        self.budget -= cost;
        let likeness = if may_resemble { ours.likeness(theirs) } else { 0 };
        if likeness >= THRESHOLD {
            let rank = (likeness, affinity(source.path, target.path));
            self.found.push(Pair { source: source.path, target: target.path, rank });
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
        let allow = |names: Names, a: &str, b: &str| names.allow(split(&path(a)), split(&path(b)));
        assert!(allow(Names::SameExtension, "a/x.ts", "b/y.ts"));
        assert!(!allow(Names::SameExtension, "x.js", "x.ts"));
        assert!(allow(Names::Related, "x.js", "src/x.ts"));
        assert!(!allow(Names::Related, "x.js", "y.ts"));
        assert!(allow(Names::SameExtension, "Makefile", ".env"));
        assert!(!allow(Names::Related, ".env", "x.env"));
    }
}
