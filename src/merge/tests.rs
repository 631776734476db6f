//! Tests that the cases of `tests/upgrade/` cannot express: two trees, names that are taken, the text of a plan, and speed.

use super::*;
use crate::lock::{Base, Recorded};
use crate::plan::{Action, Reason, effects};
use crate::spanned::Spanned;
use crate::tree::{Entry, Tree};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(name, text)| (path(name), Entry::file(text.as_bytes().to_vec()))).collect()
}

fn base(tree: &Tree) -> Base {
    tree.iter().map(|(path, entry)| (path.clone(), Recorded::of(entry.clone()))).collect()
}

fn app(bases: &Bases, ours: &Tree, theirs: &Tree, options: &Options) -> Plan {
    let trees = |tree: &Tree| Trees { app: tree.clone(), repository: Tree::new() };
    merge(Some(bases), &trees(ours), &trees(theirs), &Ownership::default(), options)
}

#[test]
fn the_app_and_its_repository_are_merged_apart() {
    const LONG: &str = "1\n2\n3\n4\n";
    let (old_app, old_repository) = (tree(&[("a", LONG), ("x", "x")]), tree(&[("ci.yml", LONG), ("x", "1\n2\n")]));
    let bases =
        Bases { files: Scoped { app: base(&old_app), repository: base(&old_repository) }, moved: BTreeMap::new() };
    let ours =
        Trees { app: tree(&[("b", LONG), ("x", "x")]), repository: tree(&[("shop.yml", LONG), ("y", "1\n2\n")]) };
    let theirs = Trees { app: old_app, repository: tree(&[("ci.yml", "1\n2\n3\n5\n"), ("x", "1\n3\n")]) };
    let ignored = BTreeSet::from([path("b")]);
    let options = Options { ignored: Scoped { repository: ignored, ..Scoped::default() }, ..Options::default() };
    let plan = merge(Some(&bases), &ours, &theirs, &Ownership::default(), &options);
    assert!(plan.files.app.is_empty());
    let changed: Vec<_> = plan.files.repository.iter().map(|(path, change)| (path.as_str(), change.reason)).collect();
    assert_eq!(changed, [("shop.yml", Reason::TemplateChanged), ("y", Reason::TemplateChanged)]);
    // `x` is a path of both trees, and the lock has one table for both.
    assert_eq!(plan.moved, [("a", "b"), ("ci.yml", "shop.yml")].map(|(from, to)| (path(from), path(to))).into());
    let again = Bases { moved: plan.moved, ..bases };
    assert_eq!(again.split_moved().map(|moved| moved.len()), Scoped { app: 1, repository: 1 });
}

#[test]
fn what_is_put_beside_a_file_takes_no_name_that_is_used() {
    let long = "n".repeat(255);
    let binary = |text: &str| tree(&[("a", &format!("\0{text}")), (&long, &format!("\0{text}"))]);
    let mut ours = binary("ours");
    ours.extend(tree(&[("a.theirs/x", "a directory"), ("a.2.theirs", "a file")]));
    let bases = Bases { files: Scoped { app: base(&binary("base")), ..Scoped::default() }, ..Bases::default() };
    let plan = app(&bases, &ours, &binary("theirs"), &Options::default());
    let beside = plan.files.app.values().filter_map(|change| match &change.action {
        Action::Conflict(conflict) => conflict.beside.first().map(|(path, _)| path.to_string()),
        _ => None,
    });
    assert_eq!(beside.collect::<Vec<_>>(), ["a.3.theirs".to_owned(), format!("{}.theirs", &long[..248])]);
    assert!(effects(&plan.files.app).values().all(|effect| effect.before.is_none()));
}

#[test]
fn each_change_has_its_reason() {
    let old = tree(&[("app/bun.lock", "1"), ("gone", "g"), ("kept", "k"), ("old", "1\n2\n3\n"), ("both", "b")]);
    let ours = tree(&[("app/bun.lock", "2"), ("gone", "g"), ("old", "1\n2\n3\n"), ("both", "o")]);
    let theirs = tree(&[("app/bun.lock", "3"), ("kept", "K"), ("new", "1\n2\n3\n"), ("both", "t"), ("added", "a")]);
    let bases = Bases { files: Scoped { app: base(&old), ..Scoped::default() }, ..Bases::default() };
    let plan = app(&bases, &ours, &theirs, &Options::default());
    assert!(plan.has_conflicts() && !plan.is_empty());
    let told = plan.files.app.iter().map(|(path, change)| format!("{path}: {}", change.reason));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "added: new in the template",
            "app/bun.lock: not merged: the package manager updates it",
            "both: you and the template changed the same lines",
            "gone: deleted in the template",
            "kept: still deleted (you removed it; the template changed it)",
            "new: moved in the template",
        ]
    );
}

#[test]
fn without_modes_the_index_gets_those_of_the_base() {
    let executable =
        |text: &str| (path("run"), Entry::File { bytes: text.as_bytes().to_vec().into(), executable: true });
    let bases =
        Bases { files: Scoped { app: base(&[executable("b")].into()), ..Scoped::default() }, ..Bases::default() };
    let options = Options { modes: false, ..Options::default() };
    let plan = app(&bases, &tree(&[("run", "o")]), &[executable("t")].into(), &options);
    let Action::Conflict(conflict) = &plan.files.app[&path("run")].action else { panic!("a conflict") };
    let modes = conflict.stages.as_ref().unwrap().numbered().map(|(_, version)| version.entry.mode().as_str());
    assert_eq!(modes.collect::<Vec<_>>(), ["100755"; 3]);
    assert_eq!(conflict.after.as_ref().unwrap().mode().as_str(), "100644");
}

#[test]
fn blocks_that_are_broken_are_not_replaced_by_the_whole_file() {
    let block = |text: &str| format!("<!-- create-app:begin a -->\n{text}\n<!-- create-app:end a -->\n");
    let ownership = Ownership { blocks: vec![Spanned { value: "*.md".into(), span: 0..0 }], ..Ownership::default() };
    let bases =
        Bases { files: Scoped { app: base(&tree(&[("a.md", &block("1"))])), ..Scoped::default() }, ..Bases::default() };
    let trees = |text: &str| Trees { app: tree(&[("a.md", text)]), repository: Tree::new() };
    let options = Options { style: Style::Theirs, ..Options::default() };
    let ours = trees("mine\n<!-- create-app:begin a -->\n");
    let plan = merge(Some(&bases), &ours, &trees(&block("2")), &ownership, &options);
    assert!(plan.has_conflicts());
}

#[test]
fn many_files_are_merged_in_little_time() {
    let text = |n: usize, edit: &str| {
        let lines: String = (0..40).map(|line| format!("line {line} of file {n}\n")).collect();
        format!("{lines}{edit}")
    };
    let all = |directory: &str, edit: &str| -> Tree {
        let file = |n: usize| {
            let edit = if n.is_multiple_of(10) { edit } else { "" };
            (path(&format!("{directory}/{}/f{n}.ts", n % 50)), Entry::file(text(n, edit).into_bytes()))
        };
        (0..5_000).map(file).collect()
    };
    let bases = Bases { files: Scoped { app: base(&all("src", "")), ..Scoped::default() }, ..Bases::default() };
    let (ours, theirs) = (all("src", ""), all("lib", "edited\n"));
    let start = std::time::Instant::now();
    let plan = app(&bases, &ours, &theirs, &Options::default());
    let moved = plan.files.app.values().filter(|change| matches!(change.action, Action::Move { .. }));
    assert_eq!(moved.count(), 5_000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn many_files_that_are_not_alike_are_compared_within_bounds() {
    let all = |directory: &str| -> Tree {
        let text = |n: usize| (0..40).map(|line| format!("{directory} {line} {n}\n")).collect::<String>();
        let file = |n: usize| (path(&format!("{directory}/{n}.{directory}.ts")), Entry::file(text(n).into_bytes()));
        (0..3_000).map(file).collect()
    };
    let bases = Bases { files: Scoped { app: base(&all("old")), ..Scoped::default() }, ..Bases::default() };
    let start = std::time::Instant::now();
    let plan = app(&bases, &all("old"), &all("new"), &Options::default());
    let count = |reason| plan.files.app.values().filter(|change| change.reason == reason).count();
    assert_eq!([Reason::Added, Reason::TemplateDeleted].map(count), [3_000, 3_000]);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn of_very_many_notes_the_first_are_told_and_the_others_counted() {
    let text = |answer: &str| -> String {
        let block = |n| format!("<!-- create-app:begin b{n} -->\n{answer}\n<!-- create-app:end b{n} -->\n");
        (0..NOTES + 2).map(block).collect()
    };
    let [old, new] = ["x", "y"].map(|answer| tree(&[("a.md", &text(answer))]));
    let bases = Bases { files: Scoped { app: base(&old), ..Scoped::default() }, ..Bases::default() };
    let trees = |app: Tree| Trees { app, repository: Tree::new() };
    let blocks = vec![Spanned { value: "*.md".into(), span: 0..0 }];
    let ownership = Ownership { blocks, ..Ownership::default() };
    let plan = merge(Some(&bases), &trees(tree(&[("a.md", "")])), &trees(new), &ownership, &Options::default());
    let told: Vec<String> = plan.notes.iter().map(|note| note.subject.to_string()).collect();
    assert_eq!((told.len(), told[NOTES].as_str()), (NOTES + 1, "and 2 more like this"));
}
