//! Merges of whole trees: the laws of every upgrade.

use std::collections::{BTreeMap, BTreeSet};

use create_app::lock::{Bases, Recorded};
use create_app::manifest::{Ownership, Renamed};
use create_app::merge::{Options, merge};
use create_app::plan::{Action, Plan, Stamp, Trees, effects};
use create_app::scope::Scoped;
use create_app::spanned::Spanned;
use create_app::tree::{Entry, RelPath, Tree};

use crate::files::{possible, trees};

/// Files of the side `b` were rendered before, those of `t` are rendered now, and those of `o` are the project's.
pub(crate) fn run(data: &[u8]) {
    let [base, ours, theirs] = trees(data, *b"bot");
    let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &ours, &theirs);
    let after = apply(&plan, &ours);
    let again = upgrade(Some(&bases(&theirs, plan.moved.clone())), &after, &theirs);
    assert!(again.is_empty(), "a second upgrade does something: {plan:#?}\nand again\n{again:#?}");
    // The file may have had another name in the template, one by which its values are merged.
    let (known, left): (BTreeSet<_>, BTreeSet<_>) = (all_lines(base.values()).collect(), lines(&after).collect());
    for line in lines(&ours).filter(|line| !known.contains(line)) {
        assert!(left.contains(&line), "{:?} is lost: {plan:#?}", String::from_utf8_lossy(&line));
    }
    let unchanged = upgrade(Some(&bases(&base, BTreeMap::new())), &ours, &base);
    assert!(unchanged.is_empty(), "an unchanged template changes something: {unchanged:#?}");
    let same = upgrade(Some(&bases(&base, BTreeMap::new())), &theirs, &theirs);
    assert!(same.is_empty(), "the same change on both sides is one: {same:#?}");
    untouched(base, theirs.clone());
    adopted(&ours, &theirs);
}

/// An untouched project becomes what the template renders now.
fn untouched(mut base: Tree, mut theirs: Tree) {
    // What the app owns after `new` is another law.
    for tree in [&mut base, &mut theirs] {
        tree.retain(|path, _| !is_below(path, "own.md") && !is_below(path, "README.md"));
    }
    let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &base, &theirs);
    let ignored = options().ignored;
    if theirs.keys().chain(base.keys()).any(|path| ignored.app.contains(path)) {
        return;
    }
    assert!(!plan.has_conflicts(), "{plan:#?}");
    assert_eq!(apply(&plan, &base), theirs, "{plan:#?}");
}

/// A project without a lock loses nothing, and is adopted once.
fn adopted(ours: &Tree, theirs: &Tree) {
    let plan = upgrade(None, ours, theirs);
    let after = apply(&plan, ours);
    let left: BTreeSet<_> = lines(&after).collect();
    for line in lines(ours) {
        assert!(left.contains(&line), "{:?} is lost: {plan:#?}", String::from_utf8_lossy(&line));
    }
    let again = upgrade(Some(&bases(theirs, plan.moved.clone())), &after, theirs);
    assert!(again.is_empty(), "{plan:#?}\nand again\n{again:#?}");
}

fn ownership() -> Ownership {
    let spanned = |text: &str| Spanned { value: text.into(), span: 0..0 };
    Ownership {
        once: vec![spanned("own.md")],
        blocks: vec![spanned("README.md")],
        renamed: vec![Renamed { from: "a.txt".into(), to: "e/x/y.txt".into() }],
        ..Ownership::default()
    }
}

fn options() -> Options {
    Options {
        version: "2".into(),
        ignored: Scoped { app: [RelPath::new(".env").unwrap()].into(), ..Scoped::default() },
        ..Options::default()
    }
}

/// As in an app below its repository's root: some of the files are the repository's.
fn split(tree: &Tree) -> Trees {
    let is_repository = |path: &RelPath| path.as_str().split('/').next() == Some(".github");
    let (repository, app) = tree.clone().into_iter().partition(|(path, _)| is_repository(path));
    Trees { app, repository }
}

/// Whether a pattern that is a name matches: a directory of that name, too, and so all that is in it.
fn is_below(path: &RelPath, name: &str) -> bool {
    path.as_str().split('/').any(|part| part == name)
}

fn bases(tree: &Tree, moved: BTreeMap<RelPath, RelPath>) -> Bases {
    let record = |(path, entry): (&RelPath, &Entry)| {
        let mut recorded = Recorded::of(entry.clone());
        recorded.pristine.once = is_below(path, "own.md");
        recorded.entry = recorded.entry.filter(|_| !recorded.pristine.once);
        (path.clone(), recorded)
    };
    let Trees { app, repository } = split(tree);
    Bases {
        files: Scoped { app: app.iter().map(record).collect(), repository: repository.iter().map(record).collect() },
        moved,
    }
}

fn upgrade(bases: Option<&Bases>, ours: &Tree, theirs: &Tree) -> Plan {
    merge(bases, &split(ours), &split(theirs), &ownership(), &options())
}

/// Applies a plan, strictly: it must be based on what is there, and give a tree that can be.
fn apply(plan: &Plan, ours: &Tree) -> Tree {
    let mut after = ours.clone();
    for (path, effect) in effects(&plan.files.app).into_iter().chain(effects(&plan.files.repository)) {
        assert_eq!(ours.get(path).map(Stamp::of), effect.before, "{path}");
        match effect.after {
            Some(entry) => drop(after.insert(path.clone(), entry.clone())),
            None => drop(after.remove(path)),
        }
    }
    assert_eq!(possible(after.clone()), after, "a file and a directory in one place: {plan:#?}");
    for (path, change) in &plan.files.app {
        if let (true, Action::Conflict(conflict)) = (options().ignored.app.contains(path), &change.action) {
            assert_eq!(conflict.stages, None, "an ignored path has stages");
        }
    }
    after
}

/// The lines of a tree that are somebody's: not empty ones, and not those of files whose values are merged.
fn lines(tree: &Tree) -> impl Iterator<Item = Vec<u8>> {
    // Another case is another name of the same file, on some systems and so in a merge.
    let is_text = |path: &RelPath| {
        let name = path.as_str().to_lowercase();
        ![".json", ".toml", ".yml", "rc"].iter().any(|end| name.ends_with(end))
    };
    all_lines(tree.iter().filter(move |(path, _)| is_text(path)).map(|(_, entry)| entry))
}

/// The lines of these files that are not empty.
fn all_lines<'t>(entries: impl Iterator<Item = &'t Entry>) -> impl Iterator<Item = Vec<u8>> {
    let files = entries.filter(|entry| matches!(entry, Entry::File { .. }));
    let lines = files.flat_map(|entry| entry.bytes().split(|byte| b"\r\n".contains(byte)));
    lines.filter(|line| !line.trim_ascii().is_empty()).map(<[u8]>::to_vec)
}
