//! Merges of whole trees, compared with `git merge-tree`: edits, deletions, moves, modes, links, files that become directories,
//! and what both sides add.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::oracle;
use super::*;
use crate::lock::Recorded;
use crate::plan::{Action, Trees, applied};
use crate::tree::{Entry, Tree};

/// Where the files of a base are: some of the names are in each other's way.
const BASE: &[&str] = &["a.txt", "b.txt", "d/a.txt", "d/b.txt", "e/x/y.txt", "run.txt", "link"];
/// Where sides add files: in the way of others, or of each other.
const ADDED: &[&str] = &["new.txt", "d/new.txt", "a.txt/inner", "b.txt/inner", "e/x", "d"];
/// Where sides move files to: each file has directories of its own.
const MOVED: &[&str] = &["m", "d/moved"];
/// A file that no side touches, so that its directory does not move as a whole.
const STAYS: &str = "d/stays.txt";

/// The change of a side to a file of the base.
#[derive(Debug, Clone)]
enum Step {
    Keep,
    /// Lines by their number, and what becomes of them.
    Edit(Vec<(usize, u8)>),
    Delete,
    Move(usize, Vec<(usize, u8)>),
    Mode,
}

fn lines() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0..12_usize, 0..6_u8), 1..4)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        14 => Just(Step::Keep),
        5 => lines().prop_map(Step::Edit),
        1 => Just(Step::Delete),
        2 => (0..MOVED.len(), prop_oneof![Just(Vec::new()), lines()]).prop_map(|(to, lines)| Step::Move(to, lines)),
        1 => Just(Step::Mode),
    ]
}

/// A side's changes to each file, and what it adds: where, and which of a few texts.
type Side = (Vec<Step>, Vec<(usize, u8)>);

fn side() -> impl Strategy<Value = Side> {
    (
        prop::collection::vec(step(), BASE.len()),
        prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((0..ADDED.len(), 0..3_u8), 1..3)],
    )
}

/// Where a step takes a file of the base.
fn target(at: usize, step: &Step) -> RelPath {
    match step {
        Step::Move(to, _) => path(&format!("{}/{at}/{}", MOVED[*to], path(BASE[at]).file_name())),
        _ => path(BASE[at]),
    }
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

/// Twelve lines that no other file has.
fn base() -> Tree {
    let text = |name: &str| (0..12).map(|line| format!("line {line} of {name}\n")).collect::<String>();
    let file = |name: &&str| {
        let entry = match *name {
            "link" => Entry::Symlink { target: "a.txt".into() },
            "run.txt" => Entry::File { bytes: text(name).into_bytes().into(), executable: true },
            _ => Entry::file(text(name).into_bytes()),
        };
        (path(name), entry)
    };
    BASE.iter().chain([&STAYS]).map(file).collect()
}

/// The entry with some lines removed, changed or added; the numbers of both sides may meet.
fn edited(entry: &Entry, edits: &[(usize, u8)]) -> Entry {
    let Entry::File { bytes, executable } = entry else {
        return Entry::Symlink { target: format!("to-{}", edits.first().map_or(0, |(_, kind)| *kind)) };
    };
    let text = String::from_utf8_lossy(bytes);
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for (at, kind) in edits {
        match kind {
            0 => lines[*at] = String::new(),
            1 | 2 => lines[*at] = format!("changed {at} to {kind}\n"),
            _ => lines[*at] += &format!("added {kind} at {at}\n"),
        }
    }
    Entry::File { bytes: lines.concat().into_bytes().into(), executable: *executable }
}

fn changed(base: &Tree, (steps, added): &Side) -> Tree {
    let mut tree = base.clone();
    for (at, step) in steps.iter().enumerate() {
        let entry = tree.remove(&path(BASE[at])).unwrap();
        let entry = match (step, entry) {
            (Step::Delete, _) => continue,
            // Nobody can tell a link that was moved and changed from a new one.
            (Step::Move(..), link @ Entry::Symlink { .. }) => link,
            (Step::Edit(edits) | Step::Move(_, edits), entry) if !edits.is_empty() => edited(&entry, edits),
            (Step::Mode, Entry::File { bytes, executable }) => Entry::File { bytes, executable: !executable },
            (_, entry) => entry,
        };
        tree.insert(target(at, step), entry);
    }
    for (at, text) in added {
        let at = path(ADDED[*at]);
        let below = format!("{at}/");
        let stands =
            |known: &RelPath| known.as_str().starts_with(&below) || at.ancestors().any(|it| it == known.as_str());
        tree.retain(|known, _| !stands(known));
        tree.insert(at, Entry::file(format!("new {text}\n").into_bytes()));
    }
    tree
}

/// What git is given instead of our sides and theirs, so that it, too, keeps to our rules: what the user deleted, or made a
/// directory of, stays so, whatever the template did with it; and where both moved a file, it stays in the user's place.
fn for_git([ours, theirs]: [&Tree; 2], [our_steps, their_steps]: [&[Step]; 2]) -> [Tree; 2] {
    let (our_tree, mut their_tree) = (ours.clone(), theirs.clone());
    for (at, name) in BASE.iter().enumerate() {
        let (here, there) = (target(at, &our_steps[at]), target(at, &their_steps[at]));
        let (moved, moved_there) = (here != path(name), there != path(name));
        match (ours.contains_key(&here), theirs.contains_key(&there)) {
            (false, true) => drop(their_tree.remove(&there)),
            (true, true) if moved && moved_there && here != there && !in_the_way(theirs, &here) => {
                let entry = their_tree.remove(&there).unwrap();
                their_tree.insert(here, entry);
            }
            _ => {}
        }
    }
    [our_tree, their_tree]
}

/// Whether a tree has a file where a path needs a directory.
fn in_the_way(tree: &Tree, path: &RelPath) -> bool {
    path.ancestors().any(|above| RelPath::new(above).is_ok_and(|above| tree.contains_key(&above)))
}

fn by_us(base: &Tree, [ours, theirs]: [&Tree; 2]) -> (Plan, Tree) {
    let recorded = |(path, entry): (&RelPath, &Entry)| (path.clone(), Recorded::of(entry.clone()));
    let bases =
        Bases { files: Scoped { app: base.iter().map(recorded).collect(), ..Scoped::default() }, ..Bases::default() };
    let app = |tree: &Tree| Trees { app: tree.clone(), repository: Tree::new() };
    let options = Options { version: "2".into(), ..Options::default() };
    let plan = merge(Some(&bases), &app(ours), &app(theirs), &Ownership::default(), &options);
    let tree = applied(&plan.files.app, ours);
    (plan, tree)
}

/// The paths that a plan's conflicts touch.
fn in_conflict(plan: &Plan) -> BTreeSet<&str> {
    let conflicts = plan.files.app.iter().filter_map(|(path, change)| match &change.action {
        Action::Conflict(conflict) => Some((path, conflict)),
        _ => None,
    });
    let paths = conflicts.flat_map(|(path, conflict)| {
        let from = conflict.before.iter().map(|(from, _)| from);
        std::iter::once(path).chain(from).chain(conflict.beside.iter().map(|(beside, _)| beside))
    });
    paths.map(RelPath::as_str).collect()
}

#[test]
fn git_merge_tree_agrees() {
    if !oracle::is_able() {
        return;
    }
    let base = base();
    let cases = oracle::sample(&(side(), side()), oracle::cases(800));
    let sides: Vec<[Tree; 2]> =
        cases.iter().map(|(ours, theirs)| [changed(&base, ours), changed(&base, theirs)]).collect();
    let given: Vec<[Tree; 2]> = sides
        .iter()
        .zip(&cases)
        .map(|(sides, (ours, theirs))| for_git(sides.each_ref(), [&ours.0, &theirs.0]))
        .collect();
    let by_git = oracle::merge_trees(given.iter().map(|[ours, theirs]| [&base, ours, theirs]), false);
    let mut clean = 0;
    for ((sides, git), steps) in sides.iter().zip(&by_git).zip(&cases) {
        // What the template puts into a directory that the user moved is compared below.
        if !sides[0].contains_key(&path(STAYS)) {
            continue;
        }
        let (plan, tree) = by_us(&base, sides.each_ref());
        // Git names a file that has to stand aside after its commit.
        let name = |path: &str| path.split('~').next().unwrap_or_default().to_owned();
        let ours = in_conflict(&plan);
        let theirs: BTreeSet<String> = git.conflicts.iter().map(|path| name(path)).collect();
        let differs = |path: &&RelPath| tree.get(*path) != git.tree.get(*path);
        assert_eq!(git.is_clean, git.conflicts.is_empty(), "{steps:?}");
        let decided = |path: &&RelPath| !ours.contains(path.as_str()) && !theirs.contains(&name(path.as_str()));
        let different: Vec<&RelPath> = tree.keys().chain(git.tree.keys()).filter(differs).filter(decided).collect();
        assert!(different.is_empty(), "{different:?} of {steps:?}\n{plan:#?}");
        assert_eq!(ours.is_empty(), theirs.is_empty(), "{theirs:?} by git, of {steps:?}\n{plan:#?}");
        clean += usize::from(ours.is_empty());
    }
    assert!((cases.len() / 3..cases.len()).contains(&clean), "{clean} of {} without conflict", cases.len());
}

/// A user's change to a file of a directory: it stays, goes to one of two places, edited or not, or is deleted.
fn of_directory() -> impl Strategy<Value = u8> {
    prop_oneof![1 => Just(0_u8), 6 => Just(1), 2 => Just(2), 2 => Just(3), 1 => Just(4)]
}

#[test]
fn git_agrees_on_directories_that_the_user_moved() {
    if !oracle::is_able() {
        return;
    }
    const FILES: &[&str] = &["d/a.txt", "d/b.txt", "d/s/c.txt", "d/s/d.txt", "d/e.txt"];
    // Git looks only at directories that directly get something new.
    const ADDED: &[&str] = &["d/new.txt", "d/s/new.txt"];
    const NEW: &[&str] = &["d/other.txt", "d/s/other.txt", "d/s/t/new.txt"];
    let text = |name: &str| (0..12).map(|line| format!("line {line} of {name}\n")).collect::<String>();
    let file = |name: &str| (path(name), Entry::file(text(name).into_bytes()));
    let base: Tree = FILES.iter().chain(&["f.txt"]).map(|name| file(name)).collect();
    let strategy =
        (prop::collection::vec(of_directory(), FILES.len()), prop::collection::vec(any::<bool>(), NEW.len() + 1));
    let cases = oracle::sample(&strategy, oracle::cases(300));
    let sides = |(steps, new): &(Vec<u8>, Vec<bool>)| {
        let (mut ours, mut theirs) = (base.clone(), base.clone());
        for (name, step) in FILES.iter().zip(steps).filter(|(_, step)| **step > 0) {
            let entry = ours.remove(&path(name)).unwrap();
            let to = name.replacen('d', if *step == 2 { "q" } else { "p/r" }, 1);
            let entry = if *step == 3 { edited(&entry, &[(3, 1)]) } else { entry };
            drop((*step < 4).then(|| ours.insert(path(&to), entry)));
        }
        let added = NEW.iter().zip(new).filter(|(_, is_new)| **is_new).map(|(name, _)| file(name));
        theirs.extend(added.chain(ADDED.iter().map(|name| file(name))));
        if new[NEW.len()] {
            let moved = theirs.remove(&path("f.txt")).unwrap();
            theirs.insert(path("d/f.txt"), moved);
        }
        [ours, theirs]
    };
    let sides: Vec<[Tree; 2]> = cases.iter().map(sides).collect();
    let by_git = oracle::merge_trees(sides.iter().map(|[ours, theirs]| [&base, ours, theirs]), true);
    let (mut clean, mut followed) = (0, 0);
    for ((sides, git), case) in sides.iter().zip(&by_git).zip(&cases) {
        let (plan, tree) = by_us(&base, sides.each_ref());
        // Where as many files went to one place as to another, git asks; here, what is new stays where the template has it.
        if !git.is_clean {
            continue;
        }
        assert!(!plan.has_conflicts(), "{case:?}\n{plan:#?}");
        assert_eq!(tree, git.tree, "{case:?}\n{plan:#?}");
        clean += 1;
        followed += usize::from(plan.moved.keys().any(|path| !base.contains_key(path)));
    }
    assert!(clean > cases.len() / 2 && followed > cases.len() / 4, "{followed} of {clean} of {}", cases.len());
}
