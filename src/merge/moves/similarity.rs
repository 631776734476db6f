//! How much of one file is found in another: the measure behind moves that changed the file, too.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::directories::{Directories, parent};
use super::pairing::{Pair, affinity};
use crate::limits::{MERGED, PROJECT, TEMPLATE};
use crate::tree::{Entry, RelPath};

/// The least similarity, in per cent, that counts as a move.
const THRESHOLD: usize = 50;
/// Files of fewer lines are like each other by chance.
const MIN_LINES: usize = 3;
/// The most that is spent on comparing, in lines: some 50 ms.
const BUDGET: usize = 20_000_000;

/// The additional cost of a pair, in lines: it is held until all are compared.
const PAIR: usize = 16;
/// The most lines of all files of one side: each takes 16 bytes.
const MAX_LINES: usize = 2_000_000;

/// Which pairs of paths are worth a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names<'d> {
    /// The same extension, the same name but for the extension, or the same directory.
    Related,
    /// The same name but for the extension, or the same directory, wherever that has been moved to.
    Alike(&'d Directories<'d>),
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

/// The name but for the extension.
pub(super) fn stem(path: &RelPath) -> &str {
    split(path).0
}

type Files<'a> = [(&'a RelPath, &'a Entry)];

/// Every pair that is similar enough. Pairs with the same file name are looked at first, then those with the same name but for the
/// extension: when there are too many to compare all, those are the likely ones.
pub(super) fn pairs<'a>(sources: &Files<'a>, targets: &Files<'a>, names: Names<'_>) -> Vec<Pair<'a>> {
    let sources = profiles(sources);
    let targets = profiles(targets);
    let index = Index::new(&targets);
    let mut comparison = Comparison { budget: BUDGET, found: Vec::new() };
    for source in &sources {
        for &at in index.by_name.get(source.path.file_name()).into_iter().flatten() {
            comparison.compare(source, &targets[at]);
            if comparison.budget == 0 {
                return comparison.found;
            }
        }
    }
    for source in &sources {
        let name = source.path.file_name();
        for at in index.of_stem(source.name.0).filter(|&at| targets[at].path.file_name() != name) {
            comparison.compare(source, &targets[at]);
            if comparison.budget == 0 {
                return comparison.found;
            }
        }
    }
    for source in &sources {
        for at in index.others(source.path, names) {
            if targets[at].name.0.to_lowercase() != source.name.0.to_lowercase() {
                comparison.compare(source, &targets[at]);
            }
            if comparison.budget == 0 {
                return comparison.found;
            }
        }
    }
    comparison.found
}

/// Which targets have a name that is worth a comparison: most of many files do not, and looking at each would take longer
/// than all comparisons.
struct Index<'a> {
    by_name: BTreeMap<&'a str, Vec<usize>>,
    by_extension: BTreeMap<Option<&'a str>, Vec<usize>>,
    by_stem: BTreeMap<String, Vec<usize>>,
    by_directory: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(targets: &[Profiled<'a>]) -> Self {
        let mut index = Self {
            by_name: BTreeMap::new(),
            by_extension: BTreeMap::new(),
            by_stem: BTreeMap::new(),
            by_directory: BTreeMap::new(),
        };
        for (at, target) in targets.iter().enumerate() {
            index.by_name.entry(target.path.file_name()).or_default().push(at);
            index.by_extension.entry(target.name.1).or_default().push(at);
            index.by_stem.entry(target.name.0.to_lowercase()).or_default().push(at);
            index.by_directory.entry(parent(target.path)).or_default().push(at);
        }
        index
    }

    /// The targets with a name but for the extension, in order.
    fn of_stem(&self, stem: &str) -> impl Iterator<Item = usize> {
        self.by_stem.get(&stem.to_lowercase()).into_iter().flatten().copied()
    }

    /// The targets that are worth a comparison for anything but their name, in order.
    fn others(&self, source: &RelPath, names: Names<'_>) -> Vec<usize> {
        let by_extension = match names {
            Names::Related => self.by_extension.get(&split(source).1),
            Names::Alike(_) => None,
        };
        let moved = match names {
            Names::Related => None,
            Names::Alike(directories) => directories.target(parent(source)),
        };
        let directories = [Some(parent(source)), moved].into_iter().flatten();
        let by_directory = directories.filter_map(|directory| self.by_directory.get(directory)).flatten();
        let mut found: Vec<usize> = by_directory.chain(by_extension.into_iter().flatten()).copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

struct Profiled<'a> {
    path: &'a RelPath,
    name: Name<'a>,
    profile: Profile,
}

fn profiles<'a>(files: &Files<'a>) -> Vec<Profiled<'a>> {
    let mut room = MAX_LINES;
    // Many lines of a lock can name the same bytes: they are held once, but would be looked at for each.
    let mut bytes = TEMPLATE + PROJECT;
    let regular = files.iter().filter(|(_, entry)| matches!(entry, Entry::File { .. }));
    let fitting = regular.filter(|(_, entry)| {
        let length = entry.bytes().len() as u64;
        if length > MERGED.min(bytes) {
            return false;
        }
        bytes -= length;
        let lines = entry.bytes().iter().filter(|&&byte| byte == b'\n').count() + 1;
        let fits = (MIN_LINES..=room).contains(&lines);
        room -= if fits { lines } else { 0 };
        fits
    });
    let profiled =
        fitting.map(|&(path, entry)| Profiled { path, name: split(path), profile: Profile::of(entry.bytes()) });
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
        let cost = if may_resemble { ours.lines.len() + theirs.lines.len() + PAIR } else { 1 };
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

    fn files(names: impl IntoIterator<Item = String>, text: &str) -> Vec<(RelPath, Entry)> {
        names.into_iter().map(|name| (RelPath::new(name).unwrap(), Entry::file(text.as_bytes().to_vec()))).collect()
    }

    fn pairs_of(sources: &[(RelPath, Entry)], targets: &[(RelPath, Entry)]) -> usize {
        let [sources, targets] =
            [sources, targets].map(|files| files.iter().map(|(path, entry)| (path, entry)).collect::<Vec<_>>());
        pairs(&sources, &targets, Names::Related).len()
    }

    #[test]
    fn as_many_files_as_there_may_be_are_compared_in_the_time_that_is_set() {
        let start = std::time::Instant::now();
        let text = "a\nb\nc\n";
        let same_name = |side: &str| files((0..50_000).map(|n| format!("{side}{n}/index.ts")), text);
        assert!(pairs_of(&same_name("a"), &same_name("b")) < BUDGET / PAIR);
        let other_names = |side: &str| files((0..50_000).map(|n| format!("{side}{n}/{n}.{side}{n}")), text);
        assert_eq!(pairs_of(&other_names("a"), &other_names("b")), 50_000);
        // The likely ones come first.
        let one_directory = |side: &str| files((0..50_000).map(|n| format!("{n:05}.{side}{n}")), text);
        let found = pairs_of(&one_directory("a"), &one_directory("b"));
        assert!((50_001..BUDGET / PAIR).contains(&found), "{found}");
        // All pairs of either would take hours.
        assert!(start.elapsed() < std::time::Duration::from_secs(60), "{:?}", start.elapsed());
    }

    #[test]
    fn files_of_too_many_lines_are_not_compared() {
        let many = files(["a.txt".to_owned()], &"\n".repeat(MAX_LINES));
        assert_eq!(pairs_of(&many, &many), 0);
        let fewer = files(["a.txt".to_owned()], &"\n".repeat(MAX_LINES - 1));
        assert_eq!(pairs_of(&fewer, &fewer), 1);
    }

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
    fn paths_are_related_by_name_extension_or_directory() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let allow = |names: Names<'_>, source: &str, target: &str| {
            let (source, target) = (path(source), path(target));
            let target = Profiled { path: &target, name: split(&target), profile: Profile::of(b"") };
            let index = Index::new(&[target]);
            index.of_stem(stem(&source)).count() + index.others(&source, names).len() > 0
        };
        let none = Directories::default();
        for (source, target, related, alike) in [
            ("a/x.ts", "b/y.ts", true, false),
            ("x.js", "src/X.ts", true, true),
            ("a/x.js", "a/y.ts", true, true),
            ("a/x.js", "b/y.ts", false, false),
            ("a/.env", "b/x.env", false, false),
            ("a/Makefile", "b/.env", true, false),
        ] {
            assert_eq!(allow(Names::Related, source, target), related, "{source} {target}");
            assert_eq!(allow(Names::Alike(&none), source, target), alike, "{source} {target}");
        }
    }
}
