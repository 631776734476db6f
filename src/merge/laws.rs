//! What holds of every upgrade, whatever the trees.

mod documents;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::lock::Recorded;
use crate::manifest::{Ownership, Renamed};
use crate::plan::{Action, Difference, Stamp, Trees, effects};
use crate::spanned::Spanned;
use crate::tree::{Entry, RelPath, Tree};

const PATHS: &[&str] = &[
    "a.txt",
    "b.txt",
    "d/a.txt",
    "d/b",
    "d",
    "e/x/y.txt",
    "e",
    "A.txt",
    "own.md",
    "bun.lock",
    "README.md",
    "l",
    ".env",
    "c.ts",
    ".gitignore",
    ".github/ci.txt",
    ".github/d/a.txt",
];

const LINES: &[&str] = &[
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "# Seven",
    "",
    "<<<<<<< yours",
    "=======",
    "const a = {",
    "  x: 1,",
    "};",
];

fn path() -> impl Strategy<Value = RelPath> {
    proptest::sample::select(PATHS).prop_map(|text| RelPath::new(text).unwrap())
}

/// Lines in a few orders, with one of several line endings, with or without a final one.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let lines = proptest::collection::vec(proptest::sample::select(LINES), 0..8);
    (lines, proptest::sample::select(&["\n", "\n", "\r\n", "\r"][..]), any::<bool>()).prop_map(
        |(lines, ending, last)| {
            let mut text = lines.join(ending);
            if last && !text.is_empty() {
                text.push_str(ending);
            }
            text.into_bytes()
        },
    )
}

fn block() -> impl Strategy<Value = Vec<u8>> {
    (proptest::sample::select(&["a", "b top"][..]), text()).prop_map(|(name, text)| {
        let end = name.split(' ').next().unwrap_or_default();
        let mut out = format!("# H\n<!-- create-app:begin {name} -->\n").into_bytes();
        out.extend(text);
        out.extend(format!("\n<!-- create-app:end {end} -->\n").bytes());
        out
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let file = |(bytes, executable): (Vec<u8>, bool)| Entry::File { bytes: bytes.into(), executable };
    prop_oneof![
        8 => (text(), any::<bool>()).prop_map(file),
        2 => (block(), Just(false)).prop_map(file),
        1 => proptest::collection::vec(any::<u8>(), 0..6).prop_map(Entry::file),
        1 => "[a-c]{1,2}".prop_map(|target| Entry::Symlink { target }),
    ]
}

/// A tree in which nothing is both a file and a directory.
fn tree() -> impl Strategy<Value = Tree> {
    proptest::collection::btree_map(path(), entry(), 0..8).prop_map(possible)
}

fn possible(mut tree: Tree) -> Tree {
    let directories: BTreeSet<String> = tree.keys().flat_map(RelPath::ancestors).map(str::to_owned).collect();
    tree.retain(|path, _| !directories.contains(path.as_str()));
    tree
}

/// A tree that keeps some of another's files, moves some, and changes some.
fn variant(of: Tree, other: Tree, choices: &[u8]) -> Tree {
    let mut out = other.clone();
    for ((path, entry), choice) in of.into_iter().zip(choices) {
        match choice % 5 {
            0 | 1 => drop(out.insert(path, entry)),
            2 => {
                let to = RelPath::new(PATHS[usize::from(choice / 5) % PATHS.len()]).unwrap();
                out.insert(to, entry);
            }
            3 => {
                let mut bytes = entry.bytes().to_vec();
                bytes.extend_from_slice(b"added\n");
                out.insert(path, Entry::file(bytes));
            }
            _ => drop(out.remove(&path)),
        }
    }
    possible(out)
}

/// Base, ours and theirs, shown as text.
#[derive(Clone)]
struct Three([Tree; 3]);

impl std::fmt::Debug for Three {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, tree) in ["base", "ours", "theirs"].iter().zip(&self.0) {
            writeln!(f, "\n{name}:")?;
            for (path, entry) in tree {
                writeln!(f, "  {path} {} {:?}", entry.mode().as_str(), String::from_utf8_lossy(entry.bytes()))?;
            }
        }
        Ok(())
    }
}

fn three() -> impl Strategy<Value = Three> {
    let choices = || proptest::collection::vec(any::<u8>(), 8);
    (tree(), tree(), tree(), choices(), choices()).prop_map(|(base, ours, theirs, our_choices, their_choices)| {
        Three([base.clone(), variant(base.clone(), ours, &our_choices), variant(base, theirs, &their_choices)])
    })
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

/// As in an app below its repository's root: some of the files are the repository's.
fn split(tree: &Tree) -> Trees {
    let (repository, app) = tree.clone().into_iter().partition(|(path, _)| path.as_str().starts_with(".github/"));
    Trees { app, repository }
}

fn bases(tree: &Tree, moved: BTreeMap<RelPath, RelPath>) -> Bases {
    let record = |(path, entry): (&RelPath, &Entry)| {
        let mut recorded = Recorded::of(entry.clone());
        recorded.pristine.once = path.as_str() == "own.md";
        recorded.entry = recorded.entry.filter(|_| !recorded.pristine.once);
        (path.clone(), recorded)
    };
    let Trees { app, repository } = split(tree);
    Bases {
        files: Scoped { app: app.iter().map(record).collect(), repository: repository.iter().map(record).collect() },
        moved,
    }
}

fn options() -> Options {
    Options {
        version: "2".into(),
        ignored: Scoped { app: [RelPath::new(".env").unwrap()].into(), ..Scoped::default() },
        ..Options::default()
    }
}

fn upgrade(bases: Option<&Bases>, ours: &Tree, theirs: &Tree) -> Plan {
    merge(bases, &split(ours), &split(theirs), &ownership(), &options())
}

/// Applies a plan, strictly: it must be based on what is there, and give a tree that can be.
fn apply(plan: &Plan, ours: &Tree) -> Result<Tree, TestCaseError> {
    let mut after = ours.clone();
    for (path, effect) in effects(&plan.files.app).into_iter().chain(effects(&plan.files.repository)) {
        prop_assert_eq!(ours.get(path).map(Stamp::of), effect.before, "{}", path);
        match effect.after {
            Some(entry) => drop(after.insert(path.clone(), entry.clone())),
            None => drop(after.remove(path)),
        }
    }
    prop_assert_eq!(possible(after.clone()), after.clone(), "a file and a directory in one place");
    Ok(after)
}

/// The lines of a tree that are somebody's: not empty ones.
fn lines(tree: &Tree) -> impl Iterator<Item = Vec<u8>> {
    let files = tree.values().filter(|entry| matches!(entry, Entry::File { .. }));
    let lines = files.flat_map(|entry| entry.bytes().split(|byte| b"\r\n".contains(byte)));
    lines.filter(|line| !line.trim_ascii().is_empty()).map(<[u8]>::to_vec)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: oracle::cases(500), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_unchanged_template_changes_nothing(Three([base, ours, _]) in three()) {
        let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &ours, &base);
        prop_assert!(plan.is_empty(), "{:#?}", plan);
        prop_assert!(plan.files.is_empty(), "{:#?}", plan);
    }

    #[test]
    fn an_untouched_project_becomes_the_new_template(base in tree(), theirs in tree()) {
        let (mut base, mut theirs) = (base, theirs);
        // What the app owns after `new` is another law.
        for name in ["own.md", "README.md"].map(|name| RelPath::new(name).unwrap()) {
            base.remove(&name);
            theirs.remove(&name);
        }
        let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &base, &theirs);
        prop_assert!(!plan.has_conflicts(), "{:#?}", plan);
        prop_assert_eq!(apply(&plan, &base)?, theirs);
    }

    #[test]
    fn the_same_change_on_both_sides_is_no_change(Three([base, _, theirs]) in three()) {
        let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &theirs, &theirs);
        prop_assert!(plan.is_empty(), "{:#?}", plan);
    }

    #[test]
    fn a_second_upgrade_does_nothing(Three([base, ours, theirs]) in three()) {
        let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &ours, &theirs);
        let after = apply(&plan, &ours)?;
        let again = upgrade(Some(&bases(&theirs, plan.moved.clone())), &after, &theirs);
        prop_assert!(again.is_empty(), "{:#?}\nand again\n{:#?}", plan, again);
    }

    #[test]
    fn every_line_that_the_user_added_survives(Three([base, ours, theirs]) in three()) {
        let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &ours, &theirs);
        let after = apply(&plan, &ours)?;
        let (known, left): (BTreeSet<_>, BTreeSet<_>) = (lines(&base).collect(), lines(&after).collect());
        for line in lines(&ours).filter(|line| !known.contains(line)) {
            prop_assert!(left.contains(&line), "{:?} is lost: {:#?}", String::from_utf8_lossy(&line), plan);
        }
    }

    #[test]
    fn a_file_that_the_lock_does_not_list_is_never_removed(Three([base, ours, theirs]) in three()) {
        let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &ours, &theirs);
        let after = apply(&plan, &ours)?;
        for path in ours.keys().filter(|path| !base.contains_key(*path) && !after.contains_key(*path)) {
            // It makes way for a directory, and is beside it.
            let is_beside = path.beside("orig").take(9).any(|beside| after.get(&beside) == ours.get(path));
            prop_assert!(is_beside, "{} is gone: {:#?}", path, plan);
        }
    }

    #[test]
    fn an_upgrade_can_follow_another(Three([base, ours, theirs]) in three(), next in tree()) {
        let first = upgrade(Some(&bases(&base, BTreeMap::new())), &ours, &theirs);
        let between = apply(&first, &ours)?;
        let second = upgrade(Some(&bases(&theirs, first.moved.clone())), &between, &next);
        let after = apply(&second, &between)?;
        let known: BTreeSet<_> = lines(&base).chain(lines(&theirs)).collect();
        let left: BTreeSet<_> = lines(&after).collect();
        for line in lines(&ours).filter(|line| !known.contains(line)) {
            prop_assert!(left.contains(&line), "{:?} is lost: {:#?}", String::from_utf8_lossy(&line), second);
        }
        for (path, place) in &second.moved {
            prop_assert!(next.contains_key(path) && after.contains_key(place), "{} > {}", path, place);
        }
    }

    #[test]
    fn equal_inputs_give_equal_plans(Three([base, ours, theirs]) in three()) {
        let bases = bases(&base, BTreeMap::new());
        prop_assert_eq!(upgrade(Some(&bases), &ours, &theirs), upgrade(Some(&bases), &ours, &theirs));
    }

    #[test]
    fn an_ignored_path_never_gets_stages(Three([base, ours, theirs]) in three()) {
        let plan = upgrade(Some(&bases(&base, BTreeMap::new())), &ours, &theirs);
        let change = plan.files.app.get(&RelPath::new(".env").unwrap());
        if let Some(Action::Conflict(conflict)) = change.map(|change| &change.action) {
            prop_assert_eq!(&conflict.stages, &None);
        }
    }

    #[test]
    fn adoption_loses_nothing_and_is_over_after_once(Three([_, ours, theirs]) in three()) {
        let plan = upgrade(None, &ours, &theirs);
        let after = apply(&plan, &ours)?;
        let left: BTreeSet<_> = lines(&after).collect();
        prop_assert!(lines(&ours).all(|line| left.contains(&line)), "{:#?}", plan);
        let again = upgrade(Some(&bases(&theirs, plan.moved.clone())), &after, &theirs);
        prop_assert!(again.is_empty(), "{:#?}\nand again\n{:#?}", plan, again);
    }
}

/// The output of `diff`, applied by git, is what `upgrade` writes, conflicts too: so it is where there are none.
#[cfg(target_os = "linux")] // Elsewhere, some of the paths are the same file.
#[test]
fn a_patch_applied_by_git_is_the_upgrade() {
    let cases = oracle::sample(&three(), oracle::cases(500));
    let place = tempfile::tempdir().unwrap();
    let root = place.path().canonicalize().unwrap().join("all");
    let (mut before, mut expected, mut patch) = (Tree::new(), Tree::new(), Vec::new());
    for (number, Three([base, ours, theirs])) in cases.iter().enumerate() {
        let at = |path: &RelPath| RelPath::new(format!("{number}/{path}")).unwrap();
        let plan = upgrade(Some(&bases(base, BTreeMap::new())), ours, theirs);
        let after = apply(&plan, ours).unwrap();
        before.extend(ours.iter().map(|(path, entry)| (at(path), entry.clone())));
        expected.extend(after.iter().map(|(path, entry)| (at(path), entry.clone())));
        let paths: BTreeSet<&RelPath> = ours.keys().chain(after.keys()).collect();
        for path in paths.into_iter().filter(|path| ours.get(*path) != after.get(*path)) {
            let [before, after] = [ours, &after].map(|tree| tree.get(path));
            let path = at(path);
            patch.extend(crate::plan::patch(&[Difference { from: None, path: path.as_str(), before, after }]));
        }
    }
    crate::workspace::replace_tree(&root, &before).unwrap();
    assert_eq!(crate::git::apply(&root, &patch), Ok(Vec::new()));
    let applied = crate::source::read_tree(&crate::rooted::Root::open(&root).unwrap()).unwrap();
    for (path, entry) in &expected {
        assert_eq!(applied.get(path), Some(entry), "{path}");
    }
    assert_eq!(applied.len(), expected.len());
}
