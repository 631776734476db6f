//! Projects whose record, or a part of them, is not on the disk although git holds it: nothing is adopted instead, and nothing
//! that is left out is written.

use crate::support::place::{Place, Said};
use crate::support::sample::{assert_done, change, project, release, upgrade};
use crate::support::tree;
use fs_err as fs;

const LOCK: &str = ".create-app/lock.toml";

/// No command takes the project for one without a record, and none writes anything.
#[track_caller]
fn refuse(place: &Place, at: &str, what: &str, help: &str) {
    let before = tree::read(&place.path("repo"));
    let status = place.git("repo", &["status", "--porcelain"]);
    let template = place.path("template");
    let template = template.to_str().unwrap();
    for command in [
        &["upgrade", at, "--silent"][..],
        &["upgrade", at, "--silent", "--allow-dirty", "--path", template],
        &["upgrade", at, "--dry-run"],
        &["diff", at],
        &["diff", at, "--local"],
        &["check", at],
    ] {
        let said = place.app("repo", command).ended(2).warns(what).warns(help);
        assert!(said.out.is_empty(), "{command:?}: {}", said.out);
    }
    assert_eq!(tree::differences(&before, &tree::read(&place.path("repo"))), "");
    assert_eq!(place.git("repo", &["status", "--porcelain"]), status);
}

/// Runs the command that a message quotes.
#[track_caller]
fn follow(place: &Place, said: &Said) {
    let command = said.err.split('`').find(|text| text.starts_with("git ")).unwrap();
    let done = place.command("sh", "repo").args(["-c", command]).output().unwrap();
    Said::from(done).ended(0);
}

#[test]
fn a_record_that_a_sparse_checkout_leaves_out_is_named_with_the_command_that_brings_it_back() {
    for (at, cone) in [(".", true), (".", false), ("apps/shop", true), ("apps/shop", false)] {
        let place = project(at);
        change(&place, &format!("repo/{at}/src/c.txt"), 2, "mine");
        place.commit("repo");
        let below = |path: &str| if at == "." { path.to_owned() } else { format!("{at}/{path}") };
        let record = below(".create-app");
        match cone {
            true => place.git("repo", &["sparse-checkout", "set", "--cone", &below("src")]),
            false => place.git("repo", &["sparse-checkout", "set", "--no-cone", "/*", &format!("!/{record}/")]),
        };
        assert!(!place.has(&format!("repo/{record}")));
        let add =
            if cone { format!("sparse-checkout add {record}`") } else { format!("sparse-checkout add /{record}/`") };
        refuse(&place, at, "error[P008]: `", &add);
        follow(&place, &place.app("repo", &["check", at]));
        let check = place.app("repo", &["check", at]);
        assert_ne!(check.code, Some(2), "{}", check.err);
    }
}

#[test]
fn an_app_of_which_nothing_is_checked_out_is_no_new_one() {
    let place = project("apps/shop");
    place.write("repo/docs/a.md", "a\n");
    place.commit("repo");
    place.git("repo", &["sparse-checkout", "set", "--cone", "docs"]);
    assert!(!place.has("repo/apps"));
    refuse(&place, "apps/shop", "is left out by this sparse checkout", "sparse-checkout add apps/shop/.create-app");
    let template = place.path("template");
    let new = ["new", "apps/shop", "--silent", "--path", template.to_str().unwrap()];
    place.app("repo", &new).ended(2).warns("error[P008]: `apps/shop/a.txt` is left out by this sparse checkout");
    assert!(!place.has("repo/apps"));
}

#[test]
fn a_record_that_was_deleted_is_named_with_the_command_that_brings_it_back() {
    for (at, staged) in [(".", false), (".", true), ("apps/shop", false), ("apps/shop", true)] {
        let place = project(at);
        let record = format!("{at}/.create-app");
        match staged {
            true => drop(place.git("repo", &["rm", "-r", "--quiet", &record])),
            false => fs::remove_dir_all(place.path(&format!("repo/{record}"))).unwrap(),
        }
        let held = if staged {
            "is in the last commit, but not on the disk"
        } else {
            "is in git's index, but not on the disk"
        };
        refuse(&place, at, held, "restore it with `git checkout ");
        follow(&place, &place.app("repo", &["check", at]));
        place.app("repo", &["check", at]).ended(0);
    }
    // The lock alone; and where git was told to skip it, which a plain checkout does, too.
    for (at, flag, command) in [
        (".", None, "git checkout -- .create-app"),
        ("apps/shop", Some("--skip-worktree"), "git checkout --ignore-skip-worktree-bits -- apps/shop/.create-app"),
    ] {
        let place = project(at);
        let lock = if at == "." { LOCK.to_owned() } else { format!("{at}/{LOCK}") };
        flag.map(|flag| place.git("repo", &["update-index", flag, &lock]));
        place.remove(&format!("repo/{lock}"));
        refuse(&place, at, "is in git's index, but not on the disk", command);
        follow(&place, &place.app("repo", &["check", at]));
        place.app("repo", &["check", at]).ended(0);
    }
}

#[test]
fn a_record_on_the_other_side_of_a_merge_or_rebase_is_no_missing_one() {
    // `other` is from before the project was made.
    let place = project(".");
    place.git("repo", &["switch", "--quiet", "--orphan", "other"]);
    place.write("repo/a.txt", "another file\n");
    place.commit("repo");
    let merge = ["merge", "--quiet", "--allow-unrelated-histories", "--no-commit", "main"];
    assert_eq!(place.command("git", "repo").args(merge).output().unwrap().status.code(), Some(1));
    place.git("repo", &["rm", "-r", "--quiet", "--force", "--", ".create-app"]);
    refuse(&place, ".", "is on the other side of a `git merge` that is not finished", "finish or abort the merge");
    place.git("repo", &["reset", "--quiet", "--hard"]);

    place.git("repo", &["switch", "--quiet", "main"]);
    let rebase = ["rebase", "--quiet", "other"];
    assert_ne!(place.command("git", "repo").args(rebase).output().unwrap().status.code(), Some(0));
    place.git("repo", &["rm", "-r", "--quiet", "--force", "--ignore-unmatch", "--", ".create-app"]);
    refuse(&place, ".", "is on the other side of a `git rebase` that is not finished", "finish or abort the rebase");
}

#[test]
fn a_side_of_a_merge_that_removed_the_record_is_told() {
    let place = project(".");
    place.git("repo", &["branch", "removed"]);
    release(&place, "2.0.0", &["a.txt"]);
    upgrade(&place, "repo").ended(0);
    place.commit("repo");
    place.git("repo", &["switch", "--quiet", "removed"]);
    place.git("repo", &["rm", "-r", "--quiet", ".create-app"]);
    place.git("repo", &["commit", "--quiet", "--message", "Remove"]);
    let merge = place.command("git", "repo").args(["merge", "--quiet", "main"]).output().unwrap();
    assert_eq!(merge.status.code(), Some(1));
    place.remove(&format!("repo/{LOCK}"));
    refuse(&place, ".", "has a merge conflict, and is not on the disk", "checkout --theirs");
}

#[test]
fn a_work_tree_without_a_checkout_is_not_adopted() {
    let place = project(".");
    place.git("repo", &["worktree", "add", "--quiet", "--no-checkout", "../linked"]);
    place.write("linked/a.txt", "a\n");
    let template = place.path("template");
    let said = place.app("linked", &["upgrade", "--silent", "--path", template.to_str().unwrap()]).ended(2);
    assert!(said.err.contains("is in the last commit, but not on the disk"), "{}", said.err);
    assert!(!place.has("linked/.create-app"));
}

#[test]
fn without_git_a_base_without_a_lock_is_no_project_to_adopt() {
    let place = project(".");
    fs::remove_dir_all(place.path("repo/.git")).unwrap();
    place.remove(&format!("repo/{LOCK}"));
    upgrade(&place, "repo").ended(2).warns("`.create-app` has a base, but no `lock.toml`");
    fs::remove_dir_all(place.path("repo/.create-app")).unwrap();
    upgrade(&place, "repo").ended(0).has("adopted");
}

/// A file that the template adds in a directory that nobody has checked out, or that the project has and nobody sees.
#[test]
fn nothing_outside_of_a_sparse_checkout_is_written() {
    let place = project(".");
    place.write("repo/docs/own.md", "mine\n");
    place.write("repo/.github/own.md", "mine\n");
    place.commit("repo");
    place.git("repo", &["sparse-checkout", "set", "--cone", "src", ".create-app", ".github"]);
    place.write("template/docs/new.md", "new\n");
    release(&place, "2.0.0", &["a.txt"]);
    let said = upgrade(&place, "repo").ended(2).warns("error[P008]: `docs/new.md` is left out by this sparse checkout");
    assert!(!place.has("repo/docs") && !place.read("repo/a.txt").contains("theirs"));
    follow(&place, &said);
    upgrade(&place, "repo").ended(0).has("created   docs/new.md");
    place.commit("repo");
    assert_done(&place, "repo");
}

#[test]
fn adoption_is_for_a_project_with_everything_committed() {
    let place = project(".");
    place.git("repo", &["rm", "-r", "--quiet", ".create-app"]);
    place.git("repo", &["commit", "--quiet", "--message", "No record"]);
    place.write("repo/own.txt", "mine\n");
    let said = upgrade(&place, "repo").ended(2);
    assert!(said.err.contains("error[P007]: `.` has uncommitted changes: `own.txt`"), "{}", said.err);
    place.commit("repo");
    place.git("repo", &["branch", "other"]);
    for (branch, text) in [("main", "one"), ("other", "two")] {
        place.git("repo", &["switch", "--quiet", branch]);
        place.write("repo/own.txt", text);
        place.commit("repo");
    }
    assert_eq!(
        place.command("git", "repo").args(["merge", "--quiet", "main"]).output().unwrap().status.code(),
        Some(1)
    );
    upgrade(&place, "repo").ended(2).warns("error[P007]: `.` cannot be adopted: a `git merge` is not finished");
    place.git("repo", &["merge", "--abort"]);
    let said = upgrade(&place, "repo").ended(0).has(".: adopted, template 1.0.0\n");
    said.has("  answer    project-name: \"repo\" (from the directory's name)\n");
    place.commit("repo");
    assert_done(&place, "repo");
}
