//! Rule 0: which file of one side is which file of another. Everything after it merges one [`Triple`] at a time.
//!
//! A move is looked for only where a path has gone, and every end is used once. In this order: what the template's author
//! declared, a change of case alone, the same content, and then content that is similar enough. What the user moved (`users`)
//! has to be certain: files of their own look like the template's, too. What the template moved is known from its two renders.

mod directories;
mod pairing;
mod similarity;
#[cfg(test)]
mod tests;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use self::directories::Directories;
use self::pairing::{Pair, Pairing, affinity};
use self::similarity::Names;
use crate::contents::is_edited;
use crate::digest::Digest;
use crate::lock::{Base, Recorded};
use crate::manifest::Renamed;
use crate::patterns::Patterns;
use crate::tree::{Entry, RelPath, Tree};

/// Up to this many pairs of equal files, the best of all pairs are taken; beyond, names and then path order decide.
const MAX_EQUAL: usize = 10_000;

/// Declared moves are followed over so many versions.
const MAX_VERSIONS: usize = 100;

/// Everything that tells what moved.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The files in the lock.
    pub base: &'a Base,
    /// What is in the project: at the paths that the lock or the template has, and every other file that may be a
    /// file that the user moved.
    pub ours: &'a Tree,
    /// The template's render now.
    pub theirs: &'a Tree,
    /// The moves that the template's author declares; directories, too.
    pub declared: &'a [Renamed],
    /// The user's moves that earlier upgrades found.
    pub moved: &'a BTreeMap<RelPath, RelPath>,
    /// Paths that git ignores: never taken for a file that the user moved.
    pub ignored: &'a BTreeSet<RelPath>,
    /// The template's paths that are the app's own once they are there: such files never leave their place.
    pub once: &'a Patterns,
}

/// One file, wherever each side has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Triple<'a> {
    /// As it was rendered at the last `new` or `upgrade`.
    pub base: Option<(&'a RelPath, &'a Recorded)>,
    /// As it is in the project.
    pub ours: Option<(&'a RelPath, &'a Entry)>,
    /// As it is rendered now.
    pub theirs: Option<(&'a RelPath, &'a Entry)>,
    /// Where it goes because the user moved the directory that the template has put it in.
    pub followed: Option<&'a RelPath>,
}

impl<'a> Triple<'a> {
    /// Where the file belongs: the user's own place for it, else the template's.
    #[must_use]
    pub fn place(&self) -> Option<&'a RelPath> {
        let (base, ours) = (self.base.map(|(path, _)| path), self.ours.map(|(path, _)| path));
        let theirs = self.theirs.map(|(path, _)| path);
        match ours {
            Some(ours) if base != Some(ours) => Some(ours),
            _ => self.followed.or(theirs).or(ours).or(base),
        }
    }
}

/// The files of all sides, matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched<'a> {
    /// One for each file, in path order of the base, then of what is new.
    pub triples: Vec<Triple<'a>>,
    /// The entries under `[moved]` in the lock: the template's path → the user's.
    pub moved: BTreeMap<RelPath, RelPath>,
}

/// The moves.
#[derive(Debug)]
pub struct Moves<'a> {
    sides: Sides<'a>,
    users: Pairing<'a>,
    templates: Pairing<'a>,
    /// Where files go that the template has put into a directory that the user moved.
    followed: BTreeMap<&'a RelPath, RelPath>,
}

impl<'a> Moves<'a> {
    /// Finds what moved. Equal inputs give equal results.
    #[must_use]
    pub fn find(sides: &Sides<'a>) -> Self {
        let users = sides.users_moves();
        let templates = sides.templates_moves(&users);
        let followed = sides.followed(&users, &templates);
        Self { sides: *sides, users, templates, followed }
    }

    /// Matches the files of all sides.
    #[must_use]
    pub fn matched(&self) -> Matched<'_> {
        let Self { sides, users, templates, followed } = self;
        let ours_of = |path: &'a RelPath| users.target(path).or_else(|| (!users.has_target(path)).then_some(path));
        let theirs_of =
            |path: &'a RelPath| templates.target(path).or_else(|| (!templates.has_target(path)).then_some(path));
        let known = sides.base.iter().map(|(path, recorded)| {
            let theirs = theirs_of(path).and_then(|path| sides.theirs.get_key_value(path));
            Triple {
                base: Some((path, recorded)),
                ours: ours_of(path).and_then(|path| sides.ours.get_key_value(path)),
                theirs,
                followed: theirs.and_then(|(path, _)| followed.get(path)),
            }
        });
        let new = sides.theirs.iter().filter(|(path, _)| match sides.base.contains_key(path) {
            true => templates.has_source(path) && !templates.has_target(path),
            false => !templates.has_target(path),
        });
        let new = new.map(|(path, entry)| {
            let followed = followed.get(path);
            let place = followed.unwrap_or(path);
            let claimed = sides.base.contains_key(place) || users.has_target(place);
            let ours = if claimed { None } else { sides.ours.get_key_value(place) };
            Triple { base: None, ours, theirs: Some((path, entry)), followed }
        });
        let triples: Vec<Triple<'_>> = known.chain(new).collect();
        let moved = triples.iter().filter_map(elsewhere).collect();
        Matched { triples, moved }
    }
}

/// Where the user has the file, or is given it, if that is not where the template has it.
fn elsewhere(triple: &Triple<'_>) -> Option<(RelPath, RelPath)> {
    let ((path, _), place) = (triple.theirs?, triple.place()?);
    let is_there = triple.ours.is_some() || triple.base.is_none();
    (is_there && path != place).then(|| (path.clone(), place.clone()))
}

impl<'a> Sides<'a> {
    /// Where the files go that the template has put into a directory that the user moved: new ones, and those that it moved there
    /// and that the user did not move.
    fn followed(&self, users: &Pairing<'a>, templates: &Pairing<'a>) -> BTreeMap<&'a RelPath, RelPath> {
        let directories = Directories::of(users, self.ours);
        if directories.is_empty() {
            return BTreeMap::new();
        }
        // The template may have moved the same directory elsewhere.
        let back = Directories::of(templates, self.theirs).back(self.base);
        let moved_by_users = |to: &RelPath| templates.source(to).is_some_and(|from| users.has_source(from));
        let new = self.theirs.keys().filter(|path| !self.base.contains_key(path) && !moved_by_users(path));
        let mut followed = BTreeMap::new();
        let mut wanted: BTreeMap<RelPath, usize> = BTreeMap::new();
        for path in new {
            let moved_by_both = || directories.follow(&back.follow(path)?);
            let Some(place) = directories.follow(path).or_else(moved_by_both) else { continue };
            let is_taken = self.base.contains_key(&place)
                || self.theirs.contains_key(&place)
                || users.has_target(&place)
                || templates.has_target(path) && self.ours.contains_key(&place);
            if !is_taken {
                *wanted.entry(place.clone()).or_default() += 1;
                followed.insert(path, place);
            }
        }
        followed.retain(|_, place| wanted.get(place) == Some(&1));
        followed
    }

    /// The template's moves.
    fn templates_moves(&self, users: &Pairing<'a>) -> Pairing<'a> {
        let mut pairing = Pairing::default();
        let gone: Vec<_> = self.base.iter().filter(|(path, _)| !self.theirs.contains_key(path)).collect();
        let new: Vec<_> = self.theirs.iter().filter(|(path, _)| !self.base.contains_key(path)).collect();
        let declared = Declared::new(self.declared);
        let check = |pairing: &mut Pairing<'a>| {
            pairing.retain(|pairing, source, target| self.is_possible(users, pairing, &declared, (source, target)));
        };
        self.declared_moves().into_iter().for_each(|(from, to)| pairing.add(from, to));
        check(&mut pairing);
        add_case_only(&mut pairing, &gone, &new);
        check(&mut pairing);
        self.add_exact(&mut pairing, &gone, &new);
        check(&mut pairing);
        // Where the template now has a file at the place that the user chose, both moved it there.
        let alike =
            gone.iter().filter_map(|(from, _)| Some((*from, self.theirs.get_key_value(users.target(from)?)?.0)));
        let alike = alike.filter(|(_, to)| !self.base.contains_key(to));
        alike.for_each(|(from, to)| pairing.add(from, to));
        add_similar(&mut pairing, &gone, &new, Names::Related);
        check(&mut pairing);
        pairing
    }

    /// The moves under `renamed`, followed over several versions: from a path of the base to one that is new.
    fn declared_moves(&self) -> Vec<(&'a RelPath, &'a RelPath)> {
        let declared = Declared::new(self.declared);
        let moves = self.base.keys().filter_map(|from| {
            let mut path = from.as_str().to_owned();
            // A path can be moved at most once by each line: a circle of lines must end, too.
            for _ in 0..self.declared.len().min(MAX_VERSIONS) {
                let Some(next) = declared.rename(&path) else { break };
                path = next;
                let target = RelPath::new(path.as_str()).ok().and_then(|path| self.theirs.get_key_value(&path));
                if let Some((to, _)) = target.filter(|(to, _)| !self.base.contains_key(to)) {
                    return Some((from, to));
                }
            }
            None
        });
        moves.collect()
    }

    /// Files with the same content elsewhere; also ones whose old place the template has filled again, see
    /// [`Sides::is_possible`].
    fn add_exact(&self, pairing: &mut Pairing<'a>, gone: &[Known<'a>], new: &[Found<'a>]) {
        let changed = self.base.iter().filter_map(|(path, recorded)| {
            let (theirs_path, theirs) = self.theirs.get_key_value(path)?;
            let same = recorded.entry.as_ref().is_none_or(|base| base.bytes() == theirs.bytes());
            (!same).then_some(((path, recorded), (theirs_path, theirs)))
        });
        let (changed, replaced): (Vec<Known<'a>>, Vec<Found<'a>>) = changed.unzip();
        let sources = [gone, &changed].concat();
        let targets = [new, &replaced].concat();
        add_equal(pairing, &sources, &targets, |source| self.theirs.contains_key(source));
    }

    /// Whether a move can be one. A file moves out of a place that is filled again only if the file there moved in, and
    /// into a place that was taken only if the file there moved out: swaps and rotations, unless the user made them too. Where the user has a file of
    /// their own in the new place, nothing is moved onto it.
    fn is_possible(
        &self,
        users: &Pairing<'a>,
        pairing: &Pairing<'a>,
        declared: &Declared<'_>,
        (source, target): (&RelPath, &RelPath),
    ) -> bool {
        let declared = || declared.rename(source.as_str()).is_some();
        let vacated = !self.theirs.contains_key(source) || pairing.has_target(source) || declared();
        let free = if self.base.contains_key(target) {
            self.leaves(pairing, target) && !self.has_theirs(target)
        } else {
            !self.ours.contains_key(target) || users.target(source) == Some(target)
        };
        vacated && free
    }

    /// Whether the file at a path of the base moves away.
    fn leaves(&self, pairing: &Pairing<'a>, path: &RelPath) -> bool {
        let is_own = self.base.get(path).is_some_and(|recorded| recorded.pristine.once);
        pairing.target(path).is_some_and(|target| !is_own && !self.once.matches(target.as_str()))
    }

    /// Whether the project has the template's content at a path: the user has made the same swap.
    fn has_theirs(&self, path: &RelPath) -> bool {
        let [ours, theirs] = [self.ours, self.theirs].map(|tree| tree.get(path));
        ours.zip(theirs).is_some_and(|(ours, theirs)| !is_edited(theirs, ours))
    }
}

/// A path of the base.
type Known<'a> = (&'a RelPath, &'a Recorded);
/// A path of another side.
type Found<'a> = (&'a RelPath, &'a Entry);

/// The author's declared moves, by what is moved: a path, or a directory.
struct Declared<'a>(BTreeMap<&'a str, (usize, &'a str)>);

impl<'a> Declared<'a> {
    fn new(declared: &'a [Renamed]) -> Self {
        let mut lines = BTreeMap::new();
        for (line, renamed) in declared.iter().enumerate() {
            let (from, to) = (renamed.from.trim_end_matches('/'), renamed.to.trim_end_matches('/'));
            lines.entry(from).or_insert((line, to));
        }
        Self(lines)
    }

    /// Where the first line that is about a path takes it: the path itself, or one below a directory.
    fn rename(&self, path: &str) -> Option<String> {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]);
        let lines = above.filter_map(|from| Some((self.0.get(from)?, &path[from.len()..])));
        let ((_, to), rest) = lines.min_by_key(|((line, _), _)| *line)?;
        Some(format!("{to}{rest}"))
    }
}

/// Paths that differ only in case.
fn add_case_only<'a>(pairing: &mut Pairing<'a>, sources: &[Known<'a>], targets: &[Found<'a>]) {
    let folded: BTreeMap<String, &'a RelPath> =
        targets.iter().rev().map(|(path, _)| (path.as_str().to_lowercase(), *path)).collect();
    for (source, _) in sources {
        if let Some(target) = folded.get(&source.as_str().to_lowercase()) {
            pairing.add(source, target);
        }
    }
}

/// Files with the same content, but not empty ones: those are equal by chance. A source that `stays` comes last.
fn add_equal<'a>(
    pairing: &mut Pairing<'a>,
    sources: &[Known<'a>],
    targets: &[Found<'a>],
    stays: impl Fn(&RelPath) -> bool,
) {
    for (sources, targets) in equal(pairing, sources, targets) {
        if sources.len().saturating_mul(targets.len()) > MAX_EQUAL {
            add_in_order(pairing, sources, targets);
            continue;
        }
        let pairs = sources.iter().flat_map(|&source| targets.iter().map(move |&target| (source, target)));
        let rank = |source, target| (usize::from(!stays(source)), affinity(source, target));
        let pairs = pairs.filter(|(source, target)| source != target);
        let pairs = pairs.map(|(source, target)| Pair { source, target, rank: rank(source, target) });
        pairing.add_best(pairs.collect());
    }
}

/// The sources and the targets of one content.
type Equal<'a> = (Vec<&'a RelPath>, Vec<&'a RelPath>);

/// Files with the same content that are not in a pair yet.
fn equal<'a>(pairing: &Pairing<'a>, sources: &[Known<'a>], targets: &[Found<'a>]) -> Vec<Equal<'a>> {
    let mut equal: BTreeMap<(bool, Digest), Equal<'a>> = BTreeMap::new();
    for &(path, recorded) in sources.iter().filter(|(path, _)| !pairing.has_source(path)) {
        if let Some(digest) = recorded.pristine.digest {
            equal.entry((recorded.is_symlink(), digest)).or_default().0.push(path);
        }
    }
    if equal.is_empty() {
        return Vec::new();
    }
    // Digests are made only of what can be equal: of the right size, where the sizes are known.
    let size = |recorded: &Recorded| recorded.entry.as_ref().map(|entry| entry.bytes().len());
    let sizes: Option<BTreeSet<usize>> = sources.iter().map(|(_, recorded)| size(recorded)).collect();
    let may_be_equal = |entry: &Entry| sizes.as_ref().is_none_or(|sizes| sizes.contains(&entry.bytes().len()));
    let free = targets.iter().filter(|(path, entry)| !pairing.has_target(path) && !entry.bytes().is_empty());
    for (path, entry) in free.filter(|(_, entry)| may_be_equal(entry)) {
        let key = (matches!(entry, Entry::Symlink { .. }), Digest::of(entry.bytes()));
        if let Some((_, targets)) = equal.get_mut(&key) {
            targets.push(path);
        }
    }
    equal.into_values().filter(|(_, targets)| !targets.is_empty()).collect()
}

/// Pairs many equal files: those with the same name, then the others, each in path order.
fn add_in_order<'a>(pairing: &mut Pairing<'a>, sources: Vec<&'a RelPath>, targets: Vec<&'a RelPath>) {
    let mut by_name: BTreeMap<&str, Vec<&'a RelPath>> = BTreeMap::new();
    targets.iter().rev().for_each(|target| by_name.entry(target.file_name()).or_default().push(target));
    for source in &sources {
        if let Some(target) = by_name.get_mut(source.file_name()).and_then(Vec::pop) {
            pairing.add(source, target);
        }
    }
    let sources: Vec<_> = sources.into_iter().filter(|source| !pairing.has_source(source)).collect();
    let targets: Vec<_> = targets.into_iter().filter(|target| !pairing.has_target(target)).collect();
    sources.into_iter().zip(targets).for_each(|(source, target)| pairing.add(source, target));
}

fn add_similar<'a>(pairing: &mut Pairing<'a>, sources: &[Known<'a>], targets: &[Found<'a>], names: Names<'_>) {
    let sources = sources.iter().filter(|(path, _)| !pairing.has_source(path));
    let sources: Vec<_> = sources.filter_map(|(path, recorded)| Some((*path, recorded.entry.as_ref()?))).collect();
    let targets: Vec<_> = targets.iter().filter(|(path, _)| !pairing.has_target(path)).copied().collect();
    pairing.add_best(similarity::pairs(&sources, &targets, names));
}
