//! What the user moved. A file of their own may equal one of the template's that they deleted, such as a licence: a pair is a move
//! only where it is likely, by name or by directory, and no other pair is about as likely. Everything else counts as deleted.

use std::collections::{BTreeMap, BTreeSet};

use super::directories::{Directories, parent};
use super::pairing::Pairing;
use super::similarity::{self, Names, stem};
use super::{Found, Known, MAX_EQUAL, Sides, add_case_only, equal};
use crate::lock::Recorded;
use crate::tree::{Entry, RelPath};

/// The weights of an equal name, an equal directory, each further component from the end, and the exact place in a moved directory, in per
/// cent of likeness.
const NAME: usize = 20;
const DIRECTORY: usize = 20;
const COMPONENT: usize = 10;
const PLACE: usize = 60;
/// A pair is certain if it is better than every other one of its ends by this much.
const MARGIN: usize = 10;

impl<'a> Sides<'a> {
    /// The user's moves: recorded before, or gone from its place and found among the project's other files.
    pub(super) fn users_moves(&self) -> Pairing<'a> {
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
            let is_there = self.ours.contains_key(path) && !pairing.has_target(path);
            !recorded.pristine.once && !is_there && !pairing.has_source(path)
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
        add_case_only(&mut pairing, &sources, &candidates);
        let before = Directories::of(&pairing, self.ours);
        add_certain(&mut pairing, &sources, &candidates, &before);
        // Where a directory as a whole went tells more of the files that could have gone to several places.
        let after = Directories::of(&pairing, self.ours);
        if after != before {
            add_certain(&mut pairing, &sources, &candidates, &after);
        }
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
}

/// Adds the pairs that are certain, of what is in none yet.
fn add_certain<'a>(
    pairing: &mut Pairing<'a>,
    sources: &[Known<'a>],
    targets: &[Found<'a>],
    directories: &Directories<'a>,
) {
    let mut choice = Choice::default();
    for (sources, targets) in equal(pairing, sources, targets) {
        choice.equal(pairing, &sources, &targets, directories);
    }
    let open = |path: &RelPath| !choice.unclear.contains(path);
    let sources = sources.iter().filter(|(path, _)| !pairing.has_source(path) && open(path));
    let sources: Vec<_> = sources.filter_map(|(path, recorded)| Some((*path, recorded.entry.as_ref()?))).collect();
    let targets = targets.iter().filter(|(path, _)| !pairing.has_target(path) && open(path));
    let targets: Vec<(&RelPath, &Entry)> = targets.copied().collect();
    let similar = similarity::pairs(&sources, &targets, Names::Alike(directories)).into_iter();
    let similar = similar.filter_map(|pair| {
        let score = pair.rank.0 + weight(pair.source, pair.target, directories)?;
        Some(Scored { score, source: pair.source, target: pair.target })
    });
    choice.of(pairing, similar.collect());
}

/// How likely a pair is by its paths; `None` if neither name nor directory are alike.
fn weight(source: &RelPath, target: &RelPath, directories: &Directories<'_>) -> Option<usize> {
    let (from, to) = (parent(source), parent(target));
    let is_moved = directories.target(from) == Some(to);
    let is_name = stem(source).to_lowercase() == stem(target).to_lowercase();
    let is_directory = from == to || is_moved;
    if !is_name && !is_directory {
        return None;
    }
    let [source_parts, target_parts] = [source, target].map(|path| path.as_str().rsplit('/'));
    let end = source_parts.zip(target_parts).take(4).take_while(|(a, b)| a == b).count();
    let is_place = is_moved && source.file_name() == target.file_name();
    let each = [(is_name, NAME), (is_directory, DIRECTORY), (is_place, PLACE)];
    Some(each.iter().filter(|(is, _)| *is).map(|(_, weight)| weight).sum::<usize>() + end * COMPONENT)
}

struct Scored<'a> {
    score: usize,
    source: &'a RelPath,
    target: &'a RelPath,
}

/// The ends of pairs, none of them certain.
#[derive(Default)]
struct Choice<'a> {
    unclear: BTreeSet<&'a RelPath>,
}

impl<'a> Choice<'a> {
    /// Files of one content. Where there are more copies than files that have gone, nobody knows which one was moved.
    fn equal(
        &mut self,
        pairing: &mut Pairing<'a>,
        sources: &[&'a RelPath],
        targets: &[&'a RelPath],
        directories: &Directories<'a>,
    ) {
        let there: BTreeSet<&'a RelPath> = targets.iter().copied().collect();
        for source in sources {
            let place = directories.follow(source);
            if let Some(target) = place.and_then(|place| there.get(&place).copied()) {
                pairing.add(source, target);
            }
        }
        let sources: Vec<_> = sources.iter().copied().filter(|source| !pairing.has_source(source)).collect();
        let targets: Vec<_> = targets.iter().copied().filter(|target| !pairing.has_target(target)).collect();
        if sources.len().saturating_mul(targets.len()) > MAX_EQUAL {
            self.unclear.extend(sources.into_iter().chain(targets));
            return;
        }
        let pairs = sources.iter().flat_map(|&source| targets.iter().map(move |&target| (source, target)));
        let pairs = pairs.filter_map(|(source, target)| {
            Some(Scored { score: 100 + weight(source, target, directories)?, source, target })
        });
        let pairs: Vec<_> = pairs.collect();
        let ends = |end: fn(&Scored<'a>) -> &'a RelPath| pairs.iter().map(end).collect::<BTreeSet<_>>();
        let (from, to) = (ends(|pair| pair.source), ends(|pair| pair.target));
        if to.len() > from.len() {
            self.unclear.extend(from.into_iter().chain(to));
        } else {
            self.of(pairing, pairs);
        }
    }

    /// Takes the best pairs first. Where another pair of one of its ends is nearly as good, neither is taken.
    fn of(&mut self, pairing: &mut Pairing<'a>, mut pairs: Vec<Scored<'a>>) {
        pairs.sort_by(|a, b| (b.score, a.source, a.target).cmp(&(a.score, b.source, b.target)));
        let (mut of_source, mut of_target): (BTreeMap<_, Vec<usize>>, BTreeMap<_, Vec<usize>>) = Default::default();
        for (at, pair) in pairs.iter().enumerate() {
            of_source.entry(pair.source).or_default().push(at);
            of_target.entry(pair.target).or_default().push(at);
        }
        for (at, pair) in pairs.iter().enumerate() {
            let is_open = |pair: &Scored<'a>| !pairing.has_source(pair.source) && !pairing.has_target(pair.target);
            if !is_open(pair) || self.unclear.contains(pair.source) || self.unclear.contains(pair.target) {
                continue;
            }
            let rivals = of_source.get(pair.source).into_iter().chain(of_target.get(pair.target)).flatten();
            let mut rivals = rivals.filter(|rival| **rival != at).map(|rival| &pairs[*rival]);
            // Each end is looked at once: then it is in a pair, or unclear.
            if rivals.any(|rival| is_open(rival) && rival.score + MARGIN > pair.score) {
                self.unclear.extend([pair.source, pair.target]);
            } else {
                pairing.add(pair.source, pair.target);
            }
        }
    }
}
