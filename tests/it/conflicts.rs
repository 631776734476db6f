//! Conflicts as git's own: what its commands make of them, and what create-app says until they are resolved.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::place::{Place, Said};
use crate::support::sample::{assert_done, change, lines, project, release, upgrade};
use crate::support::tree;
use fs_err as fs;

/// A project in which `a.txt` is in conflict after an upgrade, while `b.txt` was merged.
fn conflicted() -> Place {
    let place = project(".");
    change(&place, "repo/a.txt", 2, "mine");
    change(&place, "repo/b.txt", 9, "mine");
    place.commit("repo");
    release(&place, "2.0.0", &["a.txt", "b.txt"]);
    let said = upgrade(&place, "repo").ended(1);
    assert!(said.out.starts_with(".: template 1.0.0 -> 2.0.0, with 1 conflict to resolve\n"), "{}", said.out);
    assert_eq!(unmerged(&place), "UU a.txt\n");
    place
}

/// The lines of `git status` that tell of conflicts.
fn unmerged(place: &Place) -> String {
    let status = place.git("repo", &["status", "--porcelain", "--untracked-files=no"]);
    let conflicts = ["UU", "AA", "DU", "UD", "AU", "UA", "DD"];
    status.split_inclusive('\n').filter(|line| conflicts.contains(&&line[..2])).collect()
}

fn with(line: &str) -> String {
    lines("a.txt").replace("line 2 of a.txt", line)
}

#[test]
fn a_merge_tool_resolves_it() {
    let place = conflicted();
    for (key, value) in [("cmd", "cat \"$LOCAL\" \"$REMOTE\" >\"$MERGED\""), ("trustExitCode", "true")] {
        place.git("repo", &["config", &format!("mergetool.both.{key}"), value]);
    }
    place.git("repo", &["config", "mergetool.keepBackup", "false"]);
    place.git("repo", &["mergetool", "--tool=both", "--no-prompt"]);
    assert_eq!(place.read("repo/a.txt"), format!("{}{}", with("mine"), with("theirs in 2.0.0")));
    assert_eq!(unmerged(&place), "");
    assert_done(&place, "repo");
}

#[test]
fn either_side_can_be_taken_and_the_conflict_made_anew() {
    let place = conflicted();
    let drawn = place.read("repo/a.txt");
    assert_eq!(drawn, with("<<<<<<< yours\nmine\n=======\ntheirs in 2.0.0\n>>>>>>> template 2.0.0"));
    for (side, expected) in [("--ours", with("mine")), ("--theirs", with("theirs in 2.0.0"))] {
        place.git("repo", &["checkout", "--quiet", side, "a.txt"]);
        assert_eq!(place.read("repo/a.txt"), expected);
        place.git("repo", &["checkout", "--quiet", "--merge", "a.txt"]);
        let again = place.read("repo/a.txt");
        assert_eq!(again.replace(" ours", " yours").replace(" theirs\n", " template 2.0.0\n"), drawn);
        assert_eq!(unmerged(&place), "UU a.txt\n", "{side}");
    }
    place.git("repo", &["checkout", "--quiet", "--theirs", "a.txt"]);
    place.git("repo", &["add", "a.txt"]);
    assert_done(&place, "repo");
}

#[test]
fn until_it_is_resolved_nothing_else_is_merged_and_nothing_is_called_done() {
    let place = conflicted();
    let before = tree::read(&place.path("repo"));
    let not_done = |code| {
        for more in [&[][..], &["--allow-dirty"], &["--dry-run"], &["--conflict=theirs"]] {
            let template = place.path("template");
            let path = ["upgrade", "--silent", "--path", template.to_str().unwrap()];
            let said = place.app("repo", &[&path[..], more].concat()).ended(code);
            assert!(said.out.is_empty(), "{}", said.out);
            assert!(said.err.contains("error[P007]: `a.txt` has an unresolved conflict"), "{}", said.err);
            assert!(said.err.contains("resolve it and `git add` the file"), "{}", said.err);
            assert_eq!(tree::differences(&before, &tree::read(&place.path("repo"))), "");
        }
        place.app("repo", &["check"]).ended(1).has("conflict  a.txt: unmerged in git, conflict markers\n");
    };
    not_done(1);
    let json = place.app("repo", &["upgrade", "--silent", "--json"]).ended(1);
    let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(value["changed"], false);
    assert_eq!(value["problems"][0]["title"], "`a.txt` has an unresolved conflict");
    // A newer version, which does not even touch the file.
    release(&place, "3.0.0", &["src/c.txt"]);
    not_done(2);
    // Markers that were committed are still markers.
    place.commit("repo");
    let said = upgrade(&place, "repo").ended(2);
    assert!(said.err.contains("error[P007]: `a.txt` has an unresolved conflict"), "{}", said.err);
    fs::write(place.path("repo/a.txt"), with("both")).unwrap();
    place.commit("repo");
    upgrade(&place, "repo").ended(0).has("updated   src/c.txt");
    assert_done(&place, "repo");
}

#[test]
fn a_conflict_of_a_merge_of_ones_own_comes_first() {
    let place = project(".");
    place.git("repo", &["switch", "--quiet", "--create", "other"]);
    change(&place, "repo/a.txt", 5, "other");
    place.commit("repo");
    place.git("repo", &["switch", "--quiet", "main"]);
    change(&place, "repo/a.txt", 5, "mine");
    place.commit("repo");
    let merge = place.command("git", "repo").args(["merge", "--quiet", "other"]).output().unwrap();
    assert_eq!(merge.status.code(), Some(1));
    release(&place, "2.0.0", &["a.txt"]);
    let said = upgrade(&place, "repo").ended(2);
    assert!(said.err.contains("error[P007]: `a.txt` has an unresolved conflict"), "{}", said.err);
    assert_eq!(unmerged(&place), "UU a.txt\n");
    assert!(!place.read("repo/a.txt").contains("theirs"));
}

#[test]
fn what_git_was_told_not_to_look_at_is_copied_before_it_is_changed() {
    for hidden in ["--skip-worktree", "--assume-unchanged"] {
        let place = project(".");
        place.git("repo", &["update-index", hidden, "a.txt"]);
        change(&place, "repo/a.txt", 2, "mine");
        release(&place, "2.0.0", &["a.txt", "b.txt"]);
        let template = place.path("template");
        let arguments = ["upgrade", "--silent", "--conflict=theirs", "--path", template.to_str().unwrap()];
        let said = place.app("repo", &arguments).ended(0);
        assert!(said.out.contains("copies are in .create-app/backup/1:\n  a.txt\n\n"), "{}", said.out);
        assert_eq!(place.read("repo/.create-app/backup/1/a.txt"), with("mine"));
    }
}

#[test]
fn it_is_drawn_or_decided_as_asked() {
    let base = "||||||| base\nline 2 of a.txt\n";
    for (style, expected, left) in [
        ("merge", with("<<<<<<< yours\nmine\n=======\ntheirs in 2.0.0\n>>>>>>> template 2.0.0"), "UU a.txt\n"),
        (
            "diff3",
            with(&format!("<<<<<<< yours\nmine\n{base}=======\ntheirs in 2.0.0\n>>>>>>> template 2.0.0")),
            "UU a.txt\n",
        ),
        ("ours", with("mine"), ""),
        ("theirs", with("theirs in 2.0.0"), ""),
    ] {
        let place = project(".");
        change(&place, "repo/a.txt", 2, "mine");
        place.commit("repo");
        release(&place, "2.0.0", &["a.txt"]);
        let template = place.path("template");
        let path = ["upgrade", "--silent", "--path", template.to_str().unwrap(), "--conflict", style];
        let said = place.app("repo", &path).ended(i32::from(!left.is_empty()));
        assert_eq!(said.out.contains("to resolve"), !left.is_empty(), "{}", said.out);
        assert_eq!(place.read("repo/a.txt"), expected, "{style}");
        assert_eq!(unmerged(&place), left, "{style}");
        place.app("repo", &["check"]).ended(i32::from(!left.is_empty()));
    }
}

#[test]
fn a_file_that_one_side_deleted_or_both_added_is_in_conflict_as_git_has_it() {
    let place = project(".");
    change(&place, "repo/a.txt", 2, "mine");
    place.write("repo/new.txt", "mine\n");
    place.commit("repo");
    place.remove("template/a.txt");
    place.write("template/new.txt", "theirs\n");
    release(&place, "2.0.0", &[]);
    upgrade(&place, "repo").ended(1);
    assert_eq!(unmerged(&place), "UD a.txt\nAA new.txt\n");
    assert_eq!(place.read("repo/a.txt"), with("mine"));
    place.git("repo", &["rm", "--quiet", "a.txt"]);
    place.git("repo", &["checkout", "--quiet", "--theirs", "new.txt"]);
    place.git("repo", &["add", "new.txt"]);
    assert_eq!(place.read("repo/new.txt"), "theirs\n");
    place.commit("repo");
    assert_done(&place, "repo");
}

#[test]
fn what_cannot_be_drawn_is_put_beside_it() {
    let place = project(".");
    place.write("template/logo.png", b"\0one");
    release(&place, "2.0.0", &[]);
    upgrade(&place, "repo").ended(0);
    place.write("repo/logo.png", b"\0mine");
    place.commit("repo");
    place.write("template/logo.png", b"\0theirs");
    release(&place, "3.0.0", &[]);
    upgrade(&place, "repo").ended(1).has("see `logo.png.theirs`");
    assert_eq!(unmerged(&place), "UU logo.png\n");
    place.git("repo", &["add", "logo.png"]);
    // Git is content, and still somebody has to look at what was put there.
    let said = upgrade(&place, "repo").ended(1);
    assert!(said.err.contains("`logo.png` has an unresolved conflict"), "{}", said.err);
    assert!(said.err.contains("remove `logo.png.theirs`"), "{}", said.err);
    place.remove("repo/logo.png.theirs");
    place.commit("repo");
    assert_done(&place, "repo");
}

#[test]
fn an_index_that_cannot_be_written_stops_everything() {
    let place = project(".");
    change(&place, "repo/a.txt", 2, "mine");
    place.commit("repo");
    release(&place, "2.0.0", &["a.txt", "b.txt"]);
    place.write("repo/.git/index.lock", "");
    let before = tree::read(&place.path("repo"));
    let said = upgrade(&place, "repo").ended(2);
    let expected = "error[P004]: git's index is locked by `.git/index.lock`, which is ";
    assert!(said.err.contains(expected) && said.err.contains("= help: wait until"), "{}", said.err);
    assert!(said.out.is_empty(), "{}", said.out);
    assert_eq!(tree::differences(&before, &tree::read(&place.path("repo"))), "");
    place.remove("repo/.git/index.lock");
    assert_eq!(place.git("repo", &["status", "--porcelain"]), "");
    upgrade(&place, "repo").ended(1);
    assert_eq!(unmerged(&place), "UU a.txt\n");
}

/// Stages one text of a file, and puts another one in its place.
fn stage(place: &Place, name: &str, staged: &str, now: &str) {
    place.write(&format!("repo/{name}"), staged);
    place.git("repo", &["add", name]);
    place.write(&format!("repo/{name}"), now);
}

fn upgrade_with(place: &Place, at: &str, more: &[&str]) -> Said {
    let template = place.path("template");
    place.app(at, &[&["upgrade", "--silent", "--path", template.to_str().unwrap()], more].concat())
}

/// Upgrades with what is not committed: dry and as JSON, which must tell the same, then really. Returns the names of the
/// copies that were made.
#[track_caller]
fn copies(place: &Place, at: &str, code: i32) -> Vec<String> {
    let dry = upgrade_with(place, at, &["--allow-dirty", "--dry-run"]).ended(code);
    let json = upgrade_with(place, at, &["--allow-dirty", "--dry-run", "--json"]).ended(code);
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(!place.has(&format!("{at}/.create-app/backup")));
    let said = upgrade_with(place, at, &["--allow-dirty"]).ended(code);
    assert_eq!(said.out, dry.out);
    let listed = said.out.split_once("copies are in .create-app/backup/1:\n").map_or("", |(_, rest)| rest);
    let listed: Vec<String> = listed.lines().map_while(|line| line.strip_prefix("  ")).map(str::to_owned).collect();
    let files = told["backup"]["files"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(files, listed, "{}", json.out);
    let root = place.path(&format!("{at}/.create-app/backup/1"));
    let walk = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let made = walk.filter(|entry| !entry.file_type().is_dir());
    let made: Vec<_> = made.map(|it| it.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(made, listed, "{}", said.out);
    made
}

#[test]
fn what_is_only_staged_is_copied_before_a_conflict_takes_its_place() {
    for (at, below) in [("repo", ""), ("repo/apps/shop", "apps/shop/")] {
        let place = project(if below.is_empty() { "." } else { "apps/shop" });
        let [a, run] = ["a.txt", "run.sh"].map(|name| format!("{below}{name}"));
        let mode = |name: &str| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
        let set = |name: &str, mode| {
            fs::set_permissions(place.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&format!("repo/{run}"), 0o755);
        set(&format!("repo/{a}"), 0o600);
        stage(&place, &a, &with("staged"), &with("mine"));
        let script = |line: &str| lines("run.sh").replace("line 2 of run.sh", line);
        stage(&place, &run, &script("staged"), &script("mine"));
        set(&format!("repo/{run}"), 0o644);
        release(&place, "2.0.0", &["a.txt", "run.sh"]);

        let before = tree::read(&place.path("repo"));
        let said = upgrade(&place, at).ended(2);
        assert_eq!(said.err.matches("has uncommitted changes").count(), 2, "{}", said.err);
        assert_eq!(tree::differences(&before, &tree::read(&place.path("repo"))), "");

        let named = [&a, &format!("{a}.staged"), &run, &format!("{run}.staged")];
        assert_eq!(copies(&place, at, 1), named.map(String::clone));
        let copy = |name: &str| format!("{at}/.create-app/backup/1/{name}");
        assert_eq!(place.read(&copy(&a)), with("mine"));
        assert_eq!(place.read(&copy(&format!("{a}.staged"))), with("staged"));
        assert_eq!(mode(&copy(&format!("{a}.staged"))), 0o600);
        assert_eq!(place.read(&copy(&format!("{run}.staged"))), script("staged"));
        assert_eq!([mode(&copy(&run)), mode(&copy(&format!("{run}.staged")))], [0o644, 0o755]);
        assert_eq!(unmerged(&place), format!("UU {a}\nUU {run}\n"));
    }
}

#[test]
fn what_is_staged_and_not_lost_is_not_copied() {
    // What is in the work tree is copied as it is.
    let place = project(".");
    stage(&place, "a.txt", &with("mine"), &with("mine"));
    // Merged without a conflict: the index keeps what is staged.
    change(&place, "repo/b.txt", 9, "staged");
    place.git("repo", &["add", "b.txt"]);
    change(&place, "repo/b.txt", 9, "mine");
    // Deleted, and it stays so; the same.
    change(&place, "repo/src/c.txt", 9, "staged");
    place.git("repo", &["add", "src/c.txt"]);
    place.remove("repo/src/c.txt");
    // Nothing but a name is in the index.
    place.write("repo/new.txt", "mine\n");
    place.git("repo", &["add", "--intent-to-add", "new.txt"]);
    place.write("template/new.txt", "theirs\n");
    // The template does not touch it.
    stage(&place, "run.sh", "staged\n", "mine\n");
    release(&place, "2.0.0", &["a.txt", "b.txt", "src/c.txt"]);
    assert_eq!(copies(&place, "repo", 1), ["a.txt", "b.txt", "new.txt"]);
    assert_eq!(unmerged(&place), "UU a.txt\nAA new.txt\n");
    assert!(place.git("repo", &["show", ":b.txt"]).contains("\nstaged\n"));
    assert!(place.git("repo", &["show", ":src/c.txt"]).contains("\nstaged\n"));
    assert_eq!(place.git("repo", &["show", ":run.sh"]), "staged\n");

    // Staged to be deleted, and there again.
    let place = project(".");
    place.git("repo", &["rm", "--quiet", "--cached", "a.txt"]);
    place.write("repo/a.txt", with("mine"));
    release(&place, "2.0.0", &["a.txt"]);
    assert_eq!(copies(&place, "repo", 1), ["a.txt"]);
}

#[test]
fn what_is_staged_of_a_file_that_itself_stays_as_it_is_is_not_lost_either() {
    let place = project(".");
    stage(&place, "a.txt", &with("staged"), &with("mine"));
    place.remove("template/a.txt");
    release(&place, "2.0.0", &[]);
    let before = tree::read(&place.path("repo"));
    upgrade(&place, "repo").ended(2).warns("error[P007]: `a.txt` has uncommitted changes");
    assert_eq!(tree::differences(&before, &tree::read(&place.path("repo"))), "");
    assert_eq!(copies(&place, "repo", 1), ["a.txt.staged"]);
    assert_eq!(place.read("repo/.create-app/backup/1/a.txt.staged"), with("staged"));
    assert_eq!(unmerged(&place), "UD a.txt\n");
}

#[test]
fn what_is_staged_is_kept_wherever_the_conflict_goes_and_whatever_git_was_told() {
    // The template moves the file, and the conflict is in the new place.
    let place = project(".");
    stage(&place, "a.txt", &with("staged"), &with("mine"));
    place.rename("template/a.txt", "template/moved.txt");
    release(&place, "2.0.0", &["moved.txt"]);
    assert_eq!(copies(&place, "repo", 1), ["a.txt", "a.txt.staged"]);
    assert_eq!(place.read("repo/.create-app/backup/1/a.txt.staged"), with("staged"));
    assert!(unmerged(&place).ends_with(" moved.txt\n"));

    // Git was told not to look at it.
    for hidden in ["--skip-worktree", "--assume-unchanged"] {
        let place = project(".");
        stage(&place, "a.txt", &with("staged"), &with("staged"));
        place.git("repo", &["update-index", hidden, "a.txt"]);
        place.write("repo/a.txt", with("mine"));
        release(&place, "2.0.0", &["a.txt"]);
        assert_eq!(copies(&place, "repo", 1), ["a.txt", "a.txt.staged"], "{hidden}");
    }

    // There is no commit yet.
    let place = project(".");
    place.git("repo", &["update-ref", "-d", "HEAD"]);
    stage(&place, "a.txt", &with("staged"), &with("mine"));
    release(&place, "2.0.0", &["a.txt"]);
    assert_eq!(copies(&place, "repo", 1), ["a.txt", "a.txt.staged"]);

    // A link is staged.
    let place = project(".");
    place.remove("repo/a.txt");
    std::os::unix::fs::symlink("b.txt", place.path("repo/a.txt")).unwrap();
    place.git("repo", &["add", "a.txt"]);
    place.remove("repo/a.txt");
    place.write("repo/a.txt", with("mine"));
    release(&place, "2.0.0", &["a.txt"]);
    assert_eq!(copies(&place, "repo", 1), ["a.txt", "a.txt.staged"]);
    assert_eq!(fs::read_link(place.path("repo/.create-app/backup/1/a.txt.staged")).unwrap().to_str(), Some("b.txt"));
}

#[test]
fn what_mergetool_leaves_is_no_conflict() {
    let place = project(".");
    change(&place, "repo/a.txt", 2, "mine");
    place.commit("repo");
    release(&place, "2.0.0", &["a.txt"]);
    upgrade(&place, "repo").ended(1);
    let tool = ["-c", "mergetool.x.cmd=cp \"$LOCAL\" \"$MERGED\"", "-c", "mergetool.x.trustExitCode=true"];
    place.git("repo", &[&tool[..], &["mergetool", "--no-prompt", "--tool=x"]].concat());
    assert!(place.has("repo/a.txt.orig"));
    place.app("repo", &["check"]).ended(0);
    place.write("repo/b.txt.theirs", "mine\n");
    place.commit("repo");
    place.app("repo", &["check"]).ended(0);
    assert_done(&place, "repo");
    release(&place, "3.0.0", &["b.txt"]);
    upgrade(&place, "repo").ended(0).has("updated   b.txt");
    // The next upgrade has nothing of the old conflict in its record.
    assert!(!place.read("repo/.create-app/lock.toml").contains("conflicts"));
}

#[test]
fn a_page_about_conflicts_is_none() {
    let place = project(".");
    let markers = "<<<<<<< yours\na\n=======\nb\n>>>>>>> template 2.0.0\n";
    place.write("repo/b.txt", markers);
    place.commit("repo");
    place.app("repo", &["check"]).ended(0).has("edited    b.txt\n");
    release(&place, "2.0.0", &["a.txt"]);
    upgrade(&place, "repo").ended(0);
}

/// Puts something of the user's own into a directory of the template; returns its path.
type Occupy = fn(&Place) -> &'static str;

#[test]
fn a_directory_in_which_something_else_is_does_not_become_a_file() {
    let kinds: [Occupy; 6] = [
        |place| {
            place.write("repo/src/own", "own");
            "own"
        },
        |place| {
            place.write("repo/src/deep/er/own", "own");
            "deep/er/own"
        },
        |place| {
            place.write("repo/.gitignore", "src/own");
            place.write("repo/src/own", "own");
            "own"
        },
        |place| {
            std::os::unix::fs::symlink("nowhere", place.path("repo/src/own")).unwrap();
            "own"
        },
        |place| {
            place.write("repo/src/no:template", "own");
            "no:template"
        },
        |place| {
            fs::create_dir(place.path("repo/src/sub")).unwrap();
            place.git("repo/src/sub", &["init", "--quiet"]);
            place.git("repo/src/sub", &["commit", "--quiet", "--allow-empty", "--message=own"]);
            "sub/.git"
        },
    ];
    for occupy in kinds {
        let place = project(".");
        let own = occupy(&place);
        place.commit("repo");
        fs::remove_dir_all(place.path("template/src")).unwrap();
        place.write("template/src", "a file");
        release(&place, "2.0.0", &[]);
        let path = place.path("template");
        let json = place.app("repo", &["upgrade", "--silent", "--json", "--path", path.to_str().unwrap()]).ended(1);
        let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(value["conflicts"], 1, "{own}");
        let conflict = &value["changes"].as_array().unwrap().iter().find(|change| change["path"] == "src").unwrap();
        assert_eq!((&conflict["action"], &conflict["beside"][0]), (&"conflict".into(), &"src.theirs".into()), "{own}");
        assert!(json.err.is_empty(), "{own}: {}", json.err);

        assert_eq!(place.read("repo/src.theirs"), "a file");
        assert!(place.path("repo/src").join(own).symlink_metadata().is_ok(), "{own}");
        assert!(!place.path("repo/src/c.txt").exists(), "{own}");
        assert_eq!(unmerged(&place), "UA src\n", "{own}");
        upgrade(&place, "repo").ended(1).warns("error[P007]: `src` has an unresolved conflict");
        place.app("repo", &["check"]).ended(1).has("conflict  src: unmerged in git, `src.theirs` is beside it\n");
        fs::remove_file(place.path("repo/src.theirs")).unwrap();
        place.git("repo", &["add", "--all"]);
        assert_done(&place, "repo");
    }
}

#[test]
fn a_directory_that_only_the_template_has_filled_becomes_a_file() {
    let place = project(".");
    fs::remove_dir_all(place.path("template/src")).unwrap();
    place.write("template/src", "a file");
    release(&place, "2.0.0", &[]);
    upgrade(&place, "repo").ended(0);
    assert_eq!(place.read("repo/src"), "a file");
    assert_done(&place, "repo");
}
