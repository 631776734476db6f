//! Rule 0: which file of one side is which file of another. Everything after it merges one [`Triple`] at a time.
//!
//! A move is looked for only where a path has gone, and every end is used once. In this order: what the template's author
//! declared, a change of case alone, the same content, and then content that is similar enough.

mod pairing;
mod similarity;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::pairing::{Pair, Pairing, affinity};
use self::similarity::Names;
use super::{Base, Recorded};
use crate::lock::Digest;
use crate::manifest::Renamed;
use crate::render::select::Patterns;
use crate::tree::{Entry, RelPath, Tree};

/// Up to this many pairs of equal files, the best of all pairs are taken; beyond, names and then path order decide.
const MAX_EQUAL: usize = 10_000;

/// Declared moves are followed over so many versions.
const MAX_VERSIONS: usize = 100;

/// Everything that tells what moved.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// What the lock lists.
    pub base: &'a Base,
    /// What stands in the project: at the paths that the lock or the template has, and every other file that may be a
    /// file that the user moved.
    pub ours: &'a Tree,
    /// The template's render now.
    pub theirs: &'a Tree,
    /// What the template's author says was moved; directories, too.
    pub declared: &'a [Renamed],
    /// What earlier upgrades found the user to have moved.
    pub moved: &'a BTreeMap<RelPath, RelPath>,
    /// Paths that git ignores: never taken for a file that the user moved.
    pub ignored: &'a BTreeSet<RelPath>,
    /// The template's paths that are the app's own once they are there: such files never leave their place.
    pub once: &'a Patterns,
}

/// One file, wherever each side has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triple<'a> {
    /// As it was rendered at the last `new` or `upgrade`.
    pub base: Option<(&'a RelPath, &'a Recorded)>,
    /// As it stands in the project.
    pub ours: Option<(&'a RelPath, &'a Entry)>,
    /// As it is rendered now.
    pub theirs: Option<(&'a RelPath, &'a Entry)>,
}

impl<'a> Triple<'a> {
    /// Where the file belongs: the user's own place for it, else the template's.
    #[must_use]
    pub fn place(&self) -> Option<&'a RelPath> {
        let (base, ours) = (self.base.map(|(path, _)| path), self.ours.map(|(path, _)| path));
        let theirs = self.theirs.map(|(path, _)| path);
        match ours {
            Some(ours) if base != Some(ours) => Some(ours),
            _ => theirs.or(ours).or(base),
        }
    }
}

/// The files of all sides, matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched<'a> {
    /// One for each file, in path order of the base, then of what is new.
    pub triples: Vec<Triple<'a>>,
    /// What the lock records under `[moved]`: the template's path → the user's.
    pub moved: BTreeMap<RelPath, RelPath>,
}

/// Matches the files of all sides. Equal inputs give equal results.
#[must_use]
pub fn find<'a>(sides: &Sides<'a>) -> Matched<'a> {
    let users = sides.users_moves();
    let templates = sides.templates_moves(&users);
    let ours_of = |path: &'a RelPath| users.target(path).or_else(|| (!users.has_target(path)).then_some(path));
    let theirs_of =
        |path: &'a RelPath| templates.target(path).or_else(|| (!templates.has_target(path)).then_some(path));
    let known = sides.base.iter().map(|(path, recorded)| Triple {
        base: Some((path, recorded)),
        ours: ours_of(path).and_then(|path| sides.ours.get_key_value(path)),
        theirs: theirs_of(path).and_then(|path| sides.theirs.get_key_value(path)),
    });
    let new = sides.theirs.iter().filter(|(path, _)| match sides.base.contains_key(path) {
        true => templates.has_source(path) && !templates.has_target(path),
        false => !templates.has_target(path),
    });
    let new = new.map(|(path, entry)| {
        let claimed = sides.base.contains_key(path) || users.has_target(path);
        let ours = if claimed { None } else { sides.ours.get_key_value(path) };
        Triple { base: None, ours, theirs: Some((path, entry)) }
    });
    let triples: Vec<Triple<'a>> = known.chain(new).collect();
    let moved = triples.iter().filter_map(elsewhere).collect();
    Matched { triples, moved }
}

/// Where the user has the file, if that is not where the template has it.
fn elsewhere(triple: &Triple<'_>) -> Option<(RelPath, RelPath)> {
    let ((path, _), place) = (triple.theirs?, triple.place()?);
    (triple.ours.is_some() && path != place).then(|| (path.clone(), place.clone()))
}

impl<'a> Sides<'a> {
    /// What the user moved: recorded before, or gone from its place and found among the project's other files.
    fn users_moves(&self) -> Pairing<'a> {
        let mut pairing = Pairing::default();
        let recorded = self.moved.iter().filter_map(|(from, to)| {
            let from = self.base.get_key_value(from)?.0;
            let (to, ours) = self.ours.get_key_value(to)?;
            // The template may have got a file of that name since: then the user's is still the one that moved.
            let replaced = self.base.get(to).is_some_and(|known| known.is_unedited(ours));
            (from != to && !replaced).then_some((from, to))
        });
        recorded.for_each(|(from, to)| pairing.add(from, to));
        let gone = |(path, recorded): &(&'a RelPath, &'a Recorded)| {
            let stands = self.ours.contains_key(path) && !pairing.has_target(path);
            !recorded.pristine.once && !stands && !pairing.has_source(path)
        };
        let sources: Vec<_> = self.base.iter().filter(gone).collect();
        if sources.is_empty() {
            return pairing;
        }
        let candidates = self.ours.iter().filter(|(path, _)| {
            let is_free = !self.base.contains_key(path) && !self.ignored.contains(path) && !pairing.has_target(path);
            is_free && !self.is_side_file(path)
        });
        let candidates: Vec<_> = candidates.collect();
        match_files(&mut pairing, &sources, &candidates, Names::SameExtension);
        pairing
    }

    /// Whether an upgrade may have put a file beside another one, such as `NAME.theirs`: then it is still to be decided on.
    fn is_side_file(&self, path: &RelPath) -> bool {
        let text = path.as_str();
        let Some(name) = text.strip_suffix(".theirs").or_else(|| text.strip_suffix(".orig")) else { return false };
        let numbered = name.rsplit_once('.').filter(|(_, number)| number.parse::<u32>().is_ok());
        let mut files =
            numbered.map(|(name, _)| name).into_iter().chain([name]).filter_map(|name| RelPath::new(name).ok());
        files.any(|file| self.base.contains_key(&file) || self.theirs.contains_key(&file))
    }

    /// What the template moved.
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

    /// Files with the same content elsewhere; also ones whose old place the template has filled anew, see
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

    /// Whether a move can be one. A file moves out of a place that is filled anew only if the file there moved in, and
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
        ours.zip(theirs).is_some_and(|(ours, theirs)| !super::is_edited(theirs, ours))
    }
}

/// A path of the base.
type Known<'a> = (&'a RelPath, &'a Recorded);
/// A path of another side.
type Found<'a> = (&'a RelPath, &'a Entry);

/// What the template's author declared, by what is moved: a path, or a directory.
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

fn match_files<'a>(pairing: &mut Pairing<'a>, sources: &[Known<'a>], targets: &[Found<'a>], names: Names) {
    add_case_only(pairing, sources, targets);
    add_equal(pairing, sources, targets, |_| false);
    add_similar(pairing, sources, targets, names);
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
    type Equal<'a> = (Vec<&'a RelPath>, Vec<&'a RelPath>);
    let mut equal: BTreeMap<(bool, Digest), Equal<'a>> = BTreeMap::new();
    for &(path, recorded) in sources.iter().filter(|(path, _)| !pairing.has_source(path)) {
        if let Some(digest) = recorded.pristine.digest {
            equal.entry((recorded.is_symlink(), digest)).or_default().0.push(path);
        }
    }
    if equal.is_empty() {
        return;
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
    for (sources, targets) in equal.into_values() {
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

fn add_similar<'a>(pairing: &mut Pairing<'a>, sources: &[Known<'a>], targets: &[Found<'a>], names: Names) {
    let sources = sources.iter().filter(|(path, _)| !pairing.has_source(path));
    let sources: Vec<_> = sources.filter_map(|(path, recorded)| Some((*path, recorded.entry.as_ref()?))).collect();
    let targets: Vec<_> = targets.iter().filter(|(path, _)| !pairing.has_target(path)).copied().collect();
    pairing.add_best(similarity::pairs(&sources, &targets, names));
}
