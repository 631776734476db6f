//! Each sentence of rule 0.

use proptest::prelude::*;

use super::*;

const LONG: &str = "one\ntwo\nthree\nfour\nfive\nsix\n";
const EDITED: &str = "one\ntwo\nthree\nfour\nfive\nSEVEN\n";
const OTHER: &str = "alpha\nbeta\ngamma\ndelta\n";

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(name, text)| (path(name), Entry::file(text.as_bytes().to_vec()))).collect()
}

/// Three sides and what was said of moves.
#[derive(Debug)]
struct Case {
    base: Base,
    ours: Tree,
    theirs: Tree,
    declared: Vec<Renamed>,
    moved: BTreeMap<RelPath, RelPath>,
    ignored: BTreeSet<RelPath>,
    once: Patterns,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            base: Base::new(),
            ours: Tree::new(),
            theirs: Tree::new(),
            declared: Vec::new(),
            moved: BTreeMap::new(),
            ignored: BTreeSet::new(),
            once: Patterns::new([]),
        }
    }
}

impl Case {
    fn new(base: &[(&str, &str)], ours: &[(&str, &str)], theirs: &[(&str, &str)]) -> Self {
        let base = tree(base).into_iter().map(|(path, entry)| (path, Recorded::of(entry))).collect();
        Self { base, ours: tree(ours), theirs: tree(theirs), ..Self::default() }
    }

    /// A template that moved something, under an unedited project.
    fn template(base: &[(&str, &str)], theirs: &[(&str, &str)]) -> Self {
        Self::new(base, base, theirs)
    }

    /// A user who moved something, under an unchanged template.
    fn user(base: &[(&str, &str)], ours: &[(&str, &str)]) -> Self {
        Self::new(base, ours, base)
    }

    fn declare(mut self, from: &str, to: &str) -> Self {
        self.declared.push(Renamed { from: from.into(), to: to.into() });
        self
    }

    fn sides(&self) -> Sides<'_> {
        let Self { base, ours, theirs, declared, moved, ignored, once } = self;
        Sides { base, ours, theirs, declared, moved, ignored, once }
    }

    /// Each triple as `base ours theirs`, `-` for none.
    fn found(&self) -> Vec<String> {
        let name = |path: Option<&RelPath>| path.map_or("-", RelPath::as_str).to_owned();
        let line = |triple: &Triple<'_>| {
            let base = name(triple.base.map(|(path, _)| path));
            let ours = name(triple.ours.map(|(path, _)| path));
            format!("{base} {ours} {}", name(triple.theirs.map(|(path, _)| path)))
        };
        Moves::find(&self.sides()).matched().triples.iter().map(line).collect()
    }

    fn moved(&self) -> Vec<String> {
        Moves::find(&self.sides()).matched().moved.iter().map(|(from, to)| format!("{from} > {to}")).collect()
    }
}

#[test]
fn what_did_not_move_is_matched_by_its_path() {
    let case = Case::new(&[("a", "1"), ("b", "1")], &[("a", "2"), ("x", "9")], &[("a", "1"), ("c", "3")]);
    assert_eq!(case.found(), ["a a a", "b - -", "- - c"]);
    assert!(case.moved().is_empty());
}

#[test]
fn a_declared_move_counts_whatever_the_content() {
    let case = Case::template(&[("run.sh", "x")], &[("bin/run", OTHER)]);
    assert_eq!(case.found(), ["run.sh run.sh -", "- - bin/run"]);
    assert_eq!(case.declare("run.sh", "bin/run").found(), ["run.sh run.sh bin/run"]);
}

#[test]
fn a_declared_directory_moves_everything_below_it() {
    let case = Case::template(&[("lib/a", "1"), ("lib/b/c", "2"), ("libx", "3")], &[("src/a", "7"), ("src/b/c", "8")]);
    assert_eq!(case.declare("lib/", "src").found(), ["lib/a lib/a src/a", "lib/b/c lib/b/c src/b/c", "libx libx -"]);
}

#[test]
fn declared_moves_of_several_versions_are_followed_and_circles_end() {
    let case = Case::template(&[("a", "1")], &[("c", "9")]).declare("a", "b").declare("b", "c");
    assert_eq!(case.found(), ["a a c"]);
    let case = Case::template(&[("a", "1")], &[("c", "9")]).declare("a", "b").declare("b", "a");
    assert_eq!(case.found(), ["a a -", "- - c"]);
    let case = Case::template(&[("a", "1")], &[("a", "1")]).declare("a", "a/../../x").declare("", "y");
    assert_eq!(case.found(), ["a a a"]);
}

#[test]
fn a_declared_move_that_was_made_already_is_over() {
    let case = Case::template(&[("b", LONG)], &[("b", LONG), ("a", OTHER)]).declare("a", "b");
    assert_eq!(case.found(), ["b b b", "- - a"]);
}

#[test]
fn a_declared_source_may_be_filled_anew() {
    let case = Case::template(&[("a", LONG)], &[("a", OTHER), ("b", EDITED)]).declare("a", "b");
    assert_eq!(case.found(), ["a a b", "- - a"]);
}

#[test]
fn the_template_moved_the_same_content() {
    let case = Case::template(&[("old/a.txt", "x"), ("keep", "k")], &[("new/b.md", "x"), ("keep", "k")]);
    assert_eq!(case.found(), ["keep keep keep", "old/a.txt old/a.txt new/b.md"]);
}

#[test]
fn the_template_moved_similar_content() {
    assert_eq!(Case::template(&[("a.ts", LONG)], &[("b.ts", EDITED)]).found(), ["a.ts a.ts b.ts"]);
    assert_eq!(Case::template(&[("a.ts", LONG)], &[("b.ts", OTHER)]).found(), ["a.ts a.ts -", "- - b.ts"]);
    assert_eq!(Case::template(&[("a.js", LONG)], &[("a.ts", EDITED)]).found(), ["a.js a.js a.ts"]);
    assert_eq!(Case::template(&[("a.js", LONG)], &[("b.ts", EDITED)]).found(), ["a.js a.js b.ts"]);
    assert_eq!(Case::template(&[("a.js", LONG)], &[("d/b.ts", EDITED)]).found(), ["a.js a.js -", "- - d/b.ts"]);
}

#[test]
fn fifty_per_cent_is_similar_and_less_is_not() {
    let base = [("a.ts", "11\n22\n33\n44\n")];
    assert_eq!(Case::template(&base, &[("b.ts", "11\n22\nxx\nyy\n")]).found(), ["a.ts a.ts b.ts"]);
    assert_eq!(Case::template(&base, &[("b.ts", "11\nzz\nxx\nyy\n")]).found(), ["a.ts a.ts -", "- - b.ts"]);
}

#[test]
fn a_file_under_three_lines_moves_only_with_the_same_content() {
    let base = [("a.ts", "a long line that both have\nx\n")];
    assert_eq!(
        Case::template(&base, &[("b.ts", "a long line that both have\ny\n")]).found(),
        ["a.ts a.ts -", "- - b.ts"]
    );
    assert_eq!(Case::template(&base, &[("b.ts", base[0].1)]).found(), ["a.ts a.ts b.ts"]);
}

#[test]
fn empty_files_are_equal_by_chance() {
    assert_eq!(Case::template(&[("a/.keep", "")], &[("b/.keep", "")]).found(), ["a/.keep a/.keep -", "- - b/.keep"]);
}

#[test]
fn a_copy_is_no_move() {
    assert_eq!(Case::template(&[("a", LONG)], &[("a", LONG), ("b", LONG)]).found(), ["a a a", "- - b"]);
    assert_eq!(Case::template(&[("a", LONG)], &[("a", OTHER), ("b", LONG)]).found(), ["a a a", "- - b"]);
}

#[test]
fn swaps_rotations_and_chains_are_moves() {
    let swap = Case::template(&[("a", LONG), ("b", OTHER)], &[("a", OTHER), ("b", LONG)]);
    assert_eq!(swap.found(), ["a a b", "b b a"]);
    let rotation = Case::template(&[("a", LONG), ("b", OTHER), ("c", "3")], &[("a", "3"), ("b", LONG), ("c", OTHER)]);
    assert_eq!(rotation.found(), ["a a b", "b b c", "c c a"]);
    let chain = Case::template(&[("a", LONG), ("b", OTHER)], &[("b", LONG), ("c", OTHER)]);
    assert_eq!(chain.found(), ["a a b", "b b c"]);
}

#[test]
fn a_swap_that_the_user_made_too_is_none() {
    let (base, swapped) = ([("a", LONG), ("b", OTHER)], [("a", OTHER), ("b", LONG)]);
    assert_eq!(Case::new(&base, &swapped, &swapped).found(), ["a a a", "b b b"]);
}

#[test]
fn nothing_moves_into_the_place_of_a_file_that_is_the_apps_own() {
    let mut case = Case::template(&[("a", LONG), ("b", OTHER)], &[("b", LONG), ("own", OTHER)]);
    case.once = Patterns::new(["own"]);
    assert_eq!(case.found(), ["a a -", "b b b", "- - own"]);
}

#[test]
fn a_swap_needs_the_same_content() {
    let case = Case::template(&[("a.x", LONG), ("b.x", OTHER)], &[("a.x", OTHER), ("b.x", EDITED)]);
    assert_eq!(case.found(), ["a.x a.x a.x", "b.x b.x b.x"]);
}

#[test]
fn nothing_moves_into_a_place_whose_file_stays() {
    let case = Case::template(&[("a", LONG), ("b", OTHER)], &[("b", LONG)]);
    assert_eq!(case.found(), ["a a -", "b b b"]);
}

#[test]
fn ties_go_to_the_same_name_then_the_nearest_directory_then_path_order() {
    let case = Case::template(&[("a/x", LONG), ("a/y", LONG)], &[("b/y", LONG), ("b/x", LONG)]);
    assert_eq!(case.found(), ["a/x a/x b/x", "a/y a/y b/y"]);
    let case = Case::template(&[("p/q/x", LONG)], &[("a/x", LONG), ("p/x", LONG)]);
    assert_eq!(case.found(), ["p/q/x p/q/x p/x", "- - a/x"]);
    let case = Case::template(&[("p/x", LONG)], &[("c/x", LONG), ("b/x", LONG)]);
    assert_eq!(case.found(), ["p/x p/x b/x", "- - c/x"]);
}

#[test]
fn the_most_similar_pair_wins_and_each_end_is_used_once() {
    let case = Case::template(&[("a.x", LONG)], &[("b.x", "one\ntwo\nthree\nfour\n5\n6\n"), ("c.x", EDITED)]);
    assert_eq!(case.found(), ["a.x a.x c.x", "- - b.x"]);
    let case = Case::template(&[("a.x", LONG), ("b.x", LONG)], &[("c.x", LONG)]);
    assert_eq!(case.found(), ["a.x a.x c.x", "b.x b.x -"]);
}

#[test]
fn a_change_of_case_alone_is_a_move() {
    assert_eq!(Case::template(&[("Readme.md", "1")], &[("README.md", "2")]).found(), ["Readme.md Readme.md README.md"]);
    let user = Case::user(&[("Docs/a", "1")], &[("docs/a", "2")]);
    assert_eq!(user.found(), ["Docs/a docs/a Docs/a"]);
    assert_eq!(user.moved(), ["Docs/a > docs/a"]);
}

#[test]
fn a_link_moves_with_its_target_and_is_no_file() {
    let link = |name: &str| (path(name), Entry::Symlink { target: "x".into() });
    let mut case = Case::default();
    case.base.extend([link("a")].map(|(path, entry)| (path, Recorded::of(entry))));
    case.theirs.extend([link("c")]);
    case.theirs.extend(tree(&[("b", "x")]));
    assert_eq!(case.found(), ["a - c", "- - b"]);
}

#[test]
fn the_user_moved_the_same_content_where_name_or_directory_is_alike() {
    for (from, to) in [("a.ts", "deep/a.ts"), ("a.ts", "b.js"), ("d/Read.md", "e/read.txt"), ("d/a", "d/b")] {
        let case = Case::user(&[(from, "x")], &[(to, "x")]);
        assert_eq!(case.found(), [format!("{from} {to} {from}")]);
        assert_eq!(case.moved(), [format!("{from} > {to}")]);
    }
    for (from, to) in [("a.ts", "deep/b.js"), ("d/a.ts", "e/b.ts"), ("LICENSE", "vendor/COPYING")] {
        assert_eq!(Case::user(&[(from, LONG)], &[(to, LONG)]).found(), [format!("{from} - {from}")]);
    }
}

#[test]
fn the_user_moved_similar_content_where_name_or_directory_is_alike() {
    for (from, to) in [("a.ts", "b.ts"), ("a.js", "a.ts"), ("d/a.js", "e/a.ts"), ("d/a.ts", "e/f/a.ts")] {
        assert_eq!(Case::user(&[(from, LONG)], &[(to, EDITED)]).found(), [format!("{from} {to} {from}")]);
    }
    assert_eq!(Case::user(&[("d/a.ts", LONG)], &[("e/b.ts", EDITED)]).found(), ["d/a.ts - d/a.ts"]);
    assert_eq!(Case::user(&[("a.js", LONG)], &[("a.ts", OTHER)]).found(), ["a.js - a.js"]);
}

#[test]
fn of_several_copies_none_is_the_file_that_the_user_moved() {
    let copies = Case::user(&[("LICENSE", LONG)], &[("a/LICENSE", LONG), ("b/LICENSE", LONG)]);
    assert_eq!(copies.found(), ["LICENSE - LICENSE"]);
    let nearer = Case::user(&[("x/LICENSE", LONG)], &[("a/x/LICENSE", LONG), ("b/LICENSE", LONG)]);
    assert_eq!(nearer.found(), ["x/LICENSE - x/LICENSE"]);
    let both = Case::user(&[("a/x", LONG), ("b/x", LONG)], &[("c/x", LONG), ("d/x", LONG)]);
    assert_eq!(both.found(), ["a/x - a/x", "b/x - b/x"]);
    // Nor is a copy that was edited, where another one is about as similar.
    let edited = Case::user(&[("x.ts", LONG)], &[("a/x.ts", EDITED), ("b/x.ts", EDITED)]);
    assert_eq!(edited.found(), ["x.ts - x.ts"]);
    let clearer = Case::user(&[("x.ts", LONG)], &[("a/x.ts", EDITED), ("b/x.ts", "one\ntwo\nthree\nfour\nx\ny\n")]);
    assert_eq!(clearer.found(), ["x.ts a/x.ts x.ts"]);
}

#[test]
fn a_file_that_an_upgrade_put_beside_another_one_was_not_moved() {
    let base = [("a.x", LONG), ("d", OTHER)];
    let case = Case::user(&base, &[("a.x.2.theirs", LONG), ("d.theirs", OTHER), ("d/own", "own")]);
    assert_eq!(case.found(), ["a.x - a.x", "d - d"]);
}

#[test]
fn equal_files_move_with_the_rest_of_their_paths() {
    let old = [("d/a/index.ts", LONG), ("d/b/index.ts", LONG)];
    let case = Case::user(&old, &[("e/a/index.ts", LONG), ("e/b/index.ts", LONG)]);
    assert_eq!(case.moved(), ["d/a/index.ts > e/a/index.ts", "d/b/index.ts > e/b/index.ts"]);
}

#[test]
fn a_directory_that_moved_tells_where_its_other_files_are() {
    let base = [("d/a.ts", LONG), ("d/equal", "x"), ("d/old.ts", OTHER)];
    let ours = [("e/a.ts", LONG), ("e/equal", "x"), ("e/new.ts", OTHER), ("z/equal", "x")];
    let case = Case::user(&base, &ours);
    assert_eq!(case.moved(), ["d/a.ts > e/a.ts", "d/equal > e/equal", "d/old.ts > e/new.ts"]);
}

#[test]
fn what_the_template_puts_into_a_directory_follows_it_where_the_user_moved_it() {
    let (old, moved) = ([("d/a", LONG), ("d/b", OTHER), ("x", "x")], [("e/a", LONG), ("e/b", OTHER), ("x", "x")]);
    let theirs = [("d/a", LONG), ("d/b", OTHER), ("d/s/new", "new"), ("d/x", "x")];
    let case = Case::new(&old, &moved, &theirs);
    let sides = case.sides();
    let moves = Moves::find(&sides);
    let places: Vec<_> = moves.matched().triples.iter().map(|triple| triple.place().unwrap().to_string()).collect();
    assert_eq!(places, ["e/a", "e/b", "e/x", "e/s/new"]);
    assert_eq!(case.moved(), ["d/a > e/a", "d/b > e/b", "d/s/new > e/s/new", "d/x > e/x"]);
    // Where something is in the new place, the two belong together, unless it is the template's.
    let mut own = case;
    own.ours.extend(tree(&[("e/s/new", "own")]));
    assert_eq!(own.found()[3], "- e/s/new d/s/new");
    own.theirs.extend(tree(&[("e/s/new", "theirs")]));
    assert_eq!(own.found()[3..], ["- - d/s/new", "- e/s/new e/s/new"]);
    // What is left in the directory keeps it where it is.
    let mut left = Case::new(&old, &moved, &theirs);
    left.ours.extend(tree(&[("d/own", "own")]));
    assert!(left.moved().iter().all(|moved| !moved.contains("new")), "{:?}", left.moved());
}

#[test]
fn the_user_moves_only_what_is_gone_and_onto_nothing_that_git_ignores_or_the_lock_lists() {
    assert_eq!(Case::user(&[("a", LONG)], &[("a", LONG), ("b", LONG)]).found(), ["a a a"]);
    let mut case = Case::user(&[("a", LONG)], &[("b", LONG)]);
    case.ignored.insert(path("b"));
    assert_eq!(case.found(), ["a - a"]);
    let case = Case::user(&[("a", LONG), ("b", OTHER)], &[("b", LONG)]);
    assert_eq!(case.found(), ["a - a", "b b b"]);
}

#[test]
fn a_file_of_the_app_is_not_looked_for() {
    let mut case = Case::user(&[("a", LONG)], &[("b", LONG)]);
    case.base.values_mut().for_each(|recorded| recorded.pristine.once = true);
    assert_eq!(case.found(), ["a - a"]);
}

#[test]
fn a_recorded_move_holds_whatever_the_content() {
    let mut case = Case::new(&[("a", LONG)], &[("a", "new"), ("b", "rewritten")], &[("a", LONG)]);
    case.moved.insert(path("a"), path("b"));
    assert_eq!(case.found(), ["a b a"]);
    assert_eq!(case.moved(), ["a > b"]);
}

#[test]
fn a_recorded_move_that_the_user_took_back_or_repeated_is_found_again() {
    let mut back = Case::user(&[("a", LONG)], &[("a", LONG)]);
    back.moved.insert(path("a"), path("b"));
    assert_eq!((back.found(), back.moved()), (vec!["a a a".to_owned()], vec![]));
    let mut again = Case::user(&[("a", LONG)], &[("c", LONG)]);
    again.moved.insert(path("a"), path("b"));
    assert_eq!(again.moved(), ["a > c"]);
}

#[test]
fn both_moved_to_one_place_and_nothing_is_recorded() {
    let case = Case::new(&[("a", LONG)], &[("b", EDITED)], &[("b", LONG)]);
    assert_eq!((case.found(), case.moved()), (vec!["a b b".to_owned()], vec![]));
}

#[test]
fn both_moved_to_different_places_and_the_users_is_recorded() {
    let case = Case::new(&[("a.x", LONG)], &[("b.x", LONG)], &[("c.x", EDITED)]);
    assert_eq!((case.found(), case.moved()), (vec!["a.x b.x c.x".to_owned()], vec!["c.x > b.x".to_owned()]));
    assert_eq!(Moves::find(&case.sides()).matched().triples[0].place(), Some(&path("b.x")));
}

#[test]
fn who_deleted_the_source_of_a_move_deleted_its_target() {
    let case = Case::new(&[("a", LONG)], &[], &[("b", LONG)]);
    assert_eq!((case.found(), case.moved()), (vec!["a - b".to_owned()], vec![]));
}

#[test]
fn nothing_is_moved_onto_a_file_of_the_users() {
    let case = Case::new(&[("a", LONG)], &[("a", LONG), ("b", OTHER)], &[("b", LONG)]);
    assert_eq!(case.found(), ["a a -", "- b b"]);
}

#[test]
fn a_place_that_the_user_moved_a_file_to_is_taken() {
    let case = Case::new(&[("a", LONG)], &[("b", LONG)], &[("a", LONG), ("b", OTHER)]);
    assert_eq!(case.found(), ["a b a", "- - b"]);
}

#[test]
fn whole_directories_move_with_their_edits() {
    let files = |directory: &str, text: &str| -> Vec<(String, String)> {
        (0..300).map(|n| (format!("{directory}/{n}/index.ts"), format!("{LONG}{n}\n{text}"))).collect()
    };
    let borrow = |files: &[(String, String)]| -> Tree {
        files.iter().map(|(name, text)| (path(name), Entry::file(text.clone().into_bytes()))).collect()
    };
    let (old, new) = (borrow(&files("old", "")), borrow(&files("new", "edited\n")));
    let base: Base = old.iter().map(|(path, entry)| (path.clone(), Recorded::of(entry.clone()))).collect();
    let case = Case { base, ours: old, theirs: new, ..Case::default() };
    assert!(case.found().iter().all(|line| {
        let parts: Vec<&str> = line.split(' ').collect();
        parts[2] == parts[0].replace("old", "new")
    }));
}

#[test]
fn many_equal_files_are_matched_in_order() {
    let files = |directory: &str| -> Vec<String> { (0..200).map(|n| format!("{directory}/{n:03}")).collect() };
    let tree =
        |names: &[String]| -> Tree { names.iter().map(|name| (path(name), Entry::file(b"same".as_slice()))).collect() };
    let base: Base = tree(&files("a")).into_iter().map(|(path, entry)| (path, Recorded::of(entry))).collect();
    let case = Case { base, theirs: tree(&files("b")), ..Case::default() };
    assert!(case.found().iter().all(|line| line[2..5] == line[line.len() - 3..]), "{:?}", case.found());
}

proptest! {
    /// Whatever the sides: every path of each is in exactly one triple, and no two files belong in one place.
    #[test]
    fn every_end_is_used_once(
        base in small_tree(), ours in small_tree(), theirs in small_tree(),
        declared in proptest::collection::vec((small_name(), small_name()), 0..2),
        moved in proptest::collection::btree_map(small_name(), small_name(), 0..2),
    ) {
        let base: Base = base.into_iter().map(|(path, entry)| (path, Recorded::of(entry))).collect();
        let declared = declared.into_iter().map(|(from, to)| Renamed { from, to }).collect();
        let moved = moved.into_iter().map(|(from, to)| (path(&from), path(&to))).collect();
        let case = Case { base, ours, theirs, declared, moved, ..Case::default() };
        let sides = case.sides();
        let moves = Moves::find(&sides);
        let matched = moves.matched();
        let mut used: [Vec<&RelPath>; 3] = Default::default();
        for triple in &matched.triples {
            used[0].extend(triple.base.map(|(path, _)| path));
            used[1].extend(triple.ours.map(|(path, _)| path));
            used[2].extend(triple.theirs.map(|(path, _)| path));
        }
        used.iter_mut().for_each(|paths| paths.sort());
        prop_assert!(used[0].iter().copied().eq(case.base.keys()));
        prop_assert!(used[2].iter().copied().eq(case.theirs.keys()));
        prop_assert!(used[1].windows(2).all(|pair| pair[0] < pair[1]), "{:?}", used[1]);
        let again = Moves::find(&sides);
        prop_assert_eq!(again.matched(), matched);
    }
}

fn small_name() -> impl Strategy<Value = String> {
    prop_oneof![Just("a.x"), Just("b.x"), Just("d/a.x"), Just("d/c.y"), Just("e/A.x")].prop_map(str::to_owned)
}

fn small_tree() -> impl Strategy<Value = Tree> {
    let text = prop_oneof![Just(""), Just("1"), Just(LONG), Just(EDITED), Just(OTHER)];
    proptest::collection::btree_map(small_name(), text, 0..5)
        .prop_map(|files| files.into_iter().map(|(name, text)| (path(&name), Entry::file(text.as_bytes()))).collect())
}
