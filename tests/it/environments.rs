//! Upgrades where other tools fail: clones of every kind, projects without git or without a commit, odd names, and branches
//! that upgraded on their own.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::place::{Place, Said};
use crate::support::sample::{assert_done, change, lines, make, project, release, template, upgrade};
use fs_err as fs;

#[test]
fn a_shallow_clone_has_all_that_an_upgrade_needs() {
    let place = project(".");
    change(&place, "repo/a.txt", 9, "mine");
    place.commit("repo");
    let url = format!("file://{}", place.path("repo").display());
    place.git("", &["clone", "--quiet", "--depth=1", &url, "clone"]);
    assert_eq!(place.git("clone", &["rev-list", "--count", "HEAD"]).trim(), "1");
    release(&place, "2.0.0", &["a.txt"]);
    upgrade(&place, "clone").ended(0);
    assert!(place.read("clone/a.txt").contains("theirs in 2.0.0") && place.read("clone/a.txt").contains("mine"));
    assert_done(&place, "clone");
}

#[test]
fn an_upgrade_survives_a_squash_merge() {
    let place = project(".");
    place.git("repo", &["switch", "--quiet", "--create", "upgrade"]);
    for version in ["2.0.0", "3.0.0"] {
        release(&place, version, &["a.txt"]);
        upgrade(&place, "repo").ended(0);
        place.commit("repo");
    }
    place.git("repo", &["switch", "--quiet", "main"]);
    change(&place, "repo/b.txt", 9, "mine");
    place.commit("repo");
    place.git("repo", &["merge", "--quiet", "--squash", "upgrade"]);
    place.commit("repo");
    place.git("repo", &["branch", "--quiet", "-D", "upgrade"]);
    assert_done(&place, "repo");
    release(&place, "4.0.0", &["a.txt", "b.txt"]);
    upgrade(&place, "repo").ended(0);
    assert!(place.read("repo/a.txt").contains("theirs in 4.0.0"));
    assert!(place.read("repo/b.txt").contains("theirs in 4.0.0") && place.read("repo/b.txt").contains("mine"));
}

#[test]
fn a_project_needs_no_git_at_all() {
    let place = project(".");
    place.git("repo", &["archive", "--output", "../app.tar", "HEAD"]);
    fs::create_dir(place.path("unpacked")).unwrap();
    let tar =
        std::process::Command::new("tar").args(["-xf", "../app.tar"]).current_dir(place.path("unpacked")).status();
    assert!(tar.unwrap().success());
    change(&place, "unpacked/a.txt", 2, "mine");
    change(&place, "unpacked/b.txt", 9, "mine");
    release(&place, "2.0.0", &["a.txt", "b.txt"]);
    let template = place.path("template");
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "unpacked");
    command.env("PATH", "/nowhere").args(["upgrade", "--silent", "--path", template.to_str().unwrap()]);
    let said = Said::from(command.output().unwrap()).ended(1);
    assert!(said.out.contains("copies are in .create-app/backup/1:\n  a.txt\n  b.txt\n"), "{}", said.out);
    assert!(
        place
            .read("unpacked/a.txt")
            .contains("<<<<<<< yours\nmine\n=======\ntheirs in 2.0.0\n>>>>>>> template 2.0.0\n")
    );
    assert!(place.read("unpacked/.create-app/backup/1/a.txt").contains("\nmine\n"));
    assert!(place.read("unpacked/b.txt").contains("mine") && place.read("unpacked/b.txt").contains("theirs"));
    place.app("unpacked", &["check"]).ended(1).has("conflict  a.txt: conflict markers\n");
}

#[test]
fn a_folder_of_an_app_is_no_app_and_told_which_one_it_belongs_to() {
    let place = project("shop");
    for command in ["check", "diff", "upgrade"] {
        let app = place.path("repo/shop").canonicalize().unwrap();
        let help = format!("pass the app's directory: `{}`", app.display());
        place.app("repo/shop/src", &[command]).ended(2).warns("error[L005]").warns(&help);
        place.app("repo/shop", &[command, "scr"]).ended(2).warns("error[L005]: there is no directory `scr`");
    }
}

#[test]
fn a_conflict_is_named_as_its_markers_name_it() {
    let place = Place::new();
    place.git("", &["init", "--quiet", "--initial-branch=main", "template"]);
    place.write("template/a.txt", "one\n");
    place.commit("template");
    place.app("", &["new", "made", "--git", "template"]).ended(0);
    place.write("made/a.txt", "mine\n");
    place.commit("made");
    place.write("template/a.txt", "two\n");
    place.commit("template");
    let commit = place.git("template", &["rev-parse", "--short=8", "HEAD"]);
    let name = format!("template {}", commit.trim());
    place.app("made", &["upgrade"]).ended(1).has(&format!("choose between the lines of 'yours' and '{name}'"));
    assert!(place.read("made/a.txt").ends_with(&format!(">>>>>>> {name}\n")));
}

#[test]
fn the_author_is_whom_gits_settings_name() {
    let place = Place::new();
    place.write("template/LICENSE", "Copyright {{ authors }}\n");
    place.write("gitconfig", "[user]\n\tname = Grace\n\temail = grace@navy.example\n");
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "");
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        command.env_remove(name);
    }
    command.env("GIT_CONFIG_GLOBAL", place.path("gitconfig")).args(["new", "apps/made", "--path", "template"]);
    Said::from(command.output().unwrap()).ended(0);
    assert_eq!(place.read("apps/made/LICENSE"), "Copyright Grace <grace@navy.example>\n");
}

#[test]
fn a_conflict_at_the_root_of_the_repository_is_gits_too() {
    let place = project("apps/shop");
    change(&place, "repo/.github/ci-shop.yml", 2, "mine");
    place.commit("repo");
    release(&place, "2.0.0", &["a.txt", ".github/ci{{app_suffix}}.yml"]);
    upgrade(&place, "repo/apps/shop").ended(1).has("CONFLICT  .github/ci-shop.yml (at the repository's root)");
    assert!(place.git("repo", &["status", "--porcelain"]).contains("UU .github/ci-shop.yml\n"));
    place.git("repo", &["checkout", "--quiet", "--theirs", ".github/ci-shop.yml"]);
    place.git("repo", &["add", ".github"]);
    assert!(place.read("repo/.github/ci-shop.yml").contains("theirs in 2.0.0"));
    place.commit("repo");
    assert_done(&place, "repo/apps/shop");
}

/// Upgrades with a conflict, in a work tree that has its own index somewhere else; returns `git status` there.
fn conflict_in(place: &Place, at: &str) -> String {
    change(place, &format!("{at}/a.txt"), 2, "mine");
    place.commit(at);
    release(place, "2.0.0", &["a.txt", "b.txt"]);
    upgrade(place, at).ended(1);
    let status = place.git(at, &["status", "--porcelain"]);
    assert!(status.contains("UU a.txt\n") && status.contains(" M b.txt\n"), "{status}");
    place.git(at, &["checkout", "--quiet", "--ours", "a.txt"]);
    place.commit(at);
    assert_done(place, at);
    status
}

#[test]
fn a_linked_work_tree_has_an_index_of_its_own() {
    let place = project(".");
    place.git("repo", &["worktree", "add", "--quiet", "../linked"]);
    conflict_in(&place, "linked");
    assert_eq!(place.git("repo", &["status", "--porcelain"]), "");
    assert!(!place.read("repo/b.txt").contains("theirs"));
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let place = project(".");
    fs::create_dir(place.path("super")).unwrap();
    place.git("super", &["init", "--quiet"]);
    place.git("super", &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../repo", "apps/shop"]);
    place.commit("super");
    conflict_in(&place, "super/apps/shop");
    assert_eq!(place.git("super", &["status", "--porcelain"]), " M apps/shop\n");
    assert!(!place.has("super/.github"));
}

#[test]
fn what_was_never_committed_is_copied_and_its_conflicts_are_gits() {
    for staged in [false, true] {
        let place = template();
        fs::create_dir(place.path("repo")).unwrap();
        place.git("repo", &["init", "--quiet"]);
        make(&place, ".");
        change(&place, "repo/a.txt", 2, "mine");
        if staged {
            place.git("repo", &["add", "--all"]);
        }
        release(&place, "2.0.0", &["a.txt", "b.txt"]);
        let said = upgrade(&place, "repo").ended(1);
        assert!(said.out.contains("copies are in .create-app/backup/1:\n  a.txt\n  b.txt\n"), "{}", said.out);
        assert!(place.git("repo", &["status", "--porcelain"]).contains("UU a.txt\n"));
        assert!(place.read("repo/.create-app/backup/1/a.txt").contains("mine"));
        place.git("repo", &["checkout", "--quiet", "--theirs", "a.txt"]);
        place.commit("repo");
        assert_done(&place, "repo");
    }
}

#[test]
fn a_record_that_git_ignores_is_told() {
    let place = project(".");
    place.write("repo/.gitignore", ".create-app/\n");
    place.git("repo", &["rm", "--quiet", "-r", "--cached", ".create-app"]);
    place.commit("repo");
    release(&place, "2.0.0", &["a.txt"]);
    let said = upgrade(&place, "repo").ended(0);
    assert!(said.err.contains("warning[L004]"), "{}", said.err);
    assert!(!place.git("repo", &["ls-files"]).contains(".create-app"));
}

#[test]
fn a_sparse_checkout_needs_the_files_but_not_the_base() {
    let place = project(".");
    release(&place, "2.0.0", &["a.txt", "src/c.txt"]);
    place.git("repo", &["sparse-checkout", "set", "--no-cone", "/*", "!/src/"]);
    assert!(!place.has("repo/src"));
    for command in ["upgrade", "diff"] {
        let template = place.path("template");
        let said = place.app("repo", &[command, "--silent", "--path", template.to_str().unwrap()]).ended(2);
        assert!(said.err.contains("error[P008]: `src/c.txt` is left out by this sparse checkout"), "{}", said.err);
    }
    assert!(!place.read("repo/a.txt").contains("theirs"));

    place.git("repo", &["sparse-checkout", "set", "--no-cone", "/*", "!/.create-app/base/"]);
    assert!(!place.has("repo/.create-app/base") && place.has("repo/src/c.txt"));
    place.app("repo", &["check"]).ended(0);
    change(&place, "repo/a.txt", 9, "mine");
    place.git("repo", &["commit", "--quiet", "--all", "--message", "Edit"]);
    upgrade(&place, "repo").ended(0);
    let text = place.read("repo/a.txt");
    assert!(text.contains("theirs in 2.0.0") && text.contains("mine"), "{text}");
    place.git("repo", &["add", "--all", "--sparse"]);
    place.git("repo", &["commit", "--quiet", "--message", "Upgrade"]);
    place.git("repo", &["sparse-checkout", "disable"]);
    assert_done(&place, "repo");
}

#[test]
fn a_template_that_is_gone_is_needed_for_upgrades_only() {
    let place = project("shop");
    change(&place, "repo/shop/a.txt", 2, "mine");
    fs::remove_dir_all(place.path("template")).unwrap();
    place.app("repo", &["check", "shop"]).ended(0).has("edited    a.txt\n");
    place.app("repo", &["diff", "shop", "--local"]).ended(1).has("+mine\n");
    for command in [&["upgrade", "shop"][..], &["diff", "shop"], &["check", "shop", "--upstream"]] {
        let said = place.app("repo", command).ended(2);
        assert!(said.err.contains("error[S001]") && said.err.contains("--path DIR"), "{command:?}: {}", said.err);
    }
}

#[test]
fn converted_line_ends_make_no_conflict_and_show_in_one() {
    let place = project(".");
    place.git("", &["-c", "core.autocrlf=true", "clone", "--quiet", "repo", "clone"]);
    for (setting, value) in [("core.autocrlf", "true"), ("core.safecrlf", "true")] {
        place.git("clone", &["config", setting, value]);
    }
    change(&place, "clone/a.txt", 2, "mine");
    change(&place, "clone/b.txt", 9, "mine");
    place.commit("clone");
    release(&place, "2.0.0", &["a.txt", "b.txt", "src/c.txt"]);
    upgrade(&place, "clone").ended(1).has("CONFLICT  a.txt");
    let expected = lines("a.txt")
        .replace("line 2 of a.txt\n", "<<<<<<< yours\nmine\n=======\ntheirs in 2.0.0\n>>>>>>> template 2.0.0\n");
    assert_eq!(place.read("clone/a.txt"), expected.replace('\n', "\r\n"));
    let merged = lines("b.txt").replace("line 2 of b.txt", "theirs in 2.0.0").replace("line 9 of b.txt", "mine");
    assert_eq!(place.read("clone/b.txt"), merged.replace('\n', "\r\n"));
    for (stage, line) in [(1, "line 2 of a.txt"), (2, "mine"), (3, "theirs in 2.0.0")] {
        let stored = place.git("clone", &["show", &format!(":{stage}:a.txt")]);
        assert_eq!(stored, lines("a.txt").replace("line 2 of a.txt", line), "{stage}");
    }
    place.git("clone", &["checkout", "--quiet", "--theirs", "a.txt"]);
    place.commit("clone");
    let changed = place.git("clone", &["show", "--stat", "--format=", "HEAD", "--", "*.txt"]);
    assert!(changed.contains("3 insertions(+), 3 deletions(-)"), "only the lines that changed:\n{changed}");
    assert_done(&place, "clone");
}

#[test]
fn executable_bits_do_not_count_where_git_says_so() {
    let place = project(".");
    place.git("repo", &["config", "core.fileMode", "false"]);
    let set = |name: &str, mode| fs::set_permissions(place.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    for name in ["a.txt", "b.txt", "src/c.txt", "run.sh"] {
        set(&format!("repo/{name}"), 0o755);
    }
    place.app("repo", &["check", "--pristine"]).ended(0);
    release(&place, "2.0.0", &["a.txt"]);
    upgrade(&place, "repo").ended(0);
    assert!(place.read("repo/a.txt").contains("theirs"));
    place.commit("repo");
    set("template/run.sh", 0o755);
    set("repo/run.sh", 0o644);
    release(&place, "3.0.0", &["run.sh"]);
    upgrade(&place, "repo").ended(0);
    assert!(place.read("repo/run.sh").contains("theirs"));
    assert_done(&place, "repo");
}

#[test]
fn names_are_no_patterns_and_need_not_be_ascii() {
    let place = template();
    let names = ["[a].txt", "a*b?.txt", "ünï 日本.txt", "-x.txt", "\"q\" 'r'.txt", "sub dir/[!a]/b.txt"];
    for name in &names {
        place.write(&format!("template/{name}"), lines(name));
    }
    fs::create_dir(place.path("repo")).unwrap();
    place.git("repo", &["init", "--quiet"]);
    make(&place, "my [app] ö");
    place.commit("repo");
    for (n, name) in names.iter().enumerate() {
        change(&place, &format!("repo/my [app] ö/{name}"), if n % 2 == 0 { 2 } else { 9 }, "mine");
    }
    place.commit("repo");
    release(&place, "2.0.0", &names);
    upgrade(&place, "repo/my [app] ö").ended(1);
    let unmerged = place.git("repo", &["-c", "core.quotePath=false", "diff", "--name-only", "--diff-filter=U", "-z"]);
    let mut expected: Vec<_> = names.iter().step_by(2).map(|name| format!("my [app] ö/{name}")).collect();
    expected.sort();
    assert_eq!(unmerged.split_terminator('\0').collect::<Vec<_>>(), expected);
    for name in names.iter().skip(1).step_by(2) {
        let text = place.read(&format!("repo/my [app] ö/{name}"));
        assert!(text.contains("mine\n") && text.contains("theirs in 2.0.0\n"), "{text}");
    }
    for path in unmerged.split_terminator('\0') {
        place.git("repo", &["--literal-pathspecs", "checkout", "--quiet", "--theirs", "--", path]);
    }
    place.commit("repo");
    assert_done(&place, "repo/my [app] ö");
}

#[test]
fn a_name_that_changes_only_its_case_is_moved_with_its_edits() {
    let place = project(".");
    change(&place, "repo/a.txt", 9, "mine");
    place.commit("repo");
    place.rename("template/a.txt", "template/A.txt");
    release(&place, "2.0.0", &["A.txt"]);
    upgrade(&place, "repo").ended(0).has("moved     a.txt -> A.txt");
    let names: Vec<_> = fs::read_dir(place.path("repo")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.contains(&"A.txt".into()) && !names.contains(&"a.txt".into()), "{names:?}");
    let text = place.read("repo/A.txt");
    assert!(text.contains("mine") && text.contains("theirs in 2.0.0"), "{text}");
    place.commit("repo");
    assert_done(&place, "repo");
}

/// Two branches of the project: `main`, with an edit of `b.txt`, and `other`; each is upgraded by itself.
fn branches(versions: [(&str, &[&str]); 2]) -> Place {
    let place = project(".");
    place.git("repo", &["branch", "other"]);
    change(&place, "repo/b.txt", 9, "mine");
    place.commit("repo");
    for ((version, files), branch) in versions.into_iter().zip(["main", "other"]) {
        place.git("repo", &["switch", "--quiet", branch]);
        if !place.read("template/cargo-generate.toml").contains(version) {
            release(&place, version, files);
        }
        upgrade(&place, "repo").ended(0);
        place.commit("repo");
    }
    place.git("repo", &["switch", "--quiet", "main"]);
    place
}

#[test]
fn branches_that_upgraded_to_the_same_version_merge() {
    let place = branches([("2.0.0", &["a.txt", "b.txt"]), ("2.0.0", &[])]);
    place.git("repo", &["merge", "--quiet", "--no-edit", "other"]);
    assert!(place.read("repo/b.txt").contains("mine") && place.read("repo/b.txt").contains("theirs in 2.0.0"));
    assert_done(&place, "repo");
}

/// Each side has removed a base that the other one's lock still names: those are found in git's history.
#[test]
fn branches_that_upgraded_to_different_versions_take_either_lock_and_upgrade() {
    for (side, commits) in [("--ours", false), ("--ours", true), ("--theirs", false), ("--theirs", true)] {
        let place = branches([("2.0.0", &["a.txt"]), ("3.0.0", &["b.txt", "src/c.txt"])]);
        let merge = place.command("git", "repo").args(["merge", "--quiet", "--no-edit", "other"]).output().unwrap();
        assert_eq!(merge.status.code(), Some(1));
        assert_eq!(place.git("repo", &["diff", "--name-only", "--diff-filter=U"]), ".create-app/lock.toml\n");
        place.app("repo", &["check"]).ended(1).warns("error[L001]: `.create-app/lock.toml` has a merge conflict");
        place.git("repo", &["checkout", "--quiet", side, ".create-app/lock.toml"]);
        place.git("repo", &["add", "--all"]);
        if commits {
            place.commit("repo");
        }
        if side == "--ours" {
            let said = place.app("repo", &["check"]).ended(1);
            assert!(said.err.contains("error[L003]") && said.err.contains("`create-app upgrade`"), "{}", said.err);
        }
        let said = upgrade(&place, "repo").ended(0);
        assert!(!said.out.contains("note") && !said.out.contains(".txt"), "nothing is left to merge:\n{}", said.out);
        assert!(place.read("repo/b.txt").contains("mine") && place.read("repo/b.txt").contains("theirs in 3.0.0"));
        place.git("repo", &["add", "--all"]);
        place.git("repo", &["commit", "--quiet", "--allow-empty", "--message", "Upgrade"]);
        assert_done(&place, "repo");

        release(&place, "4.0.0", &["a.txt", "b.txt", "src/c.txt"]);
        upgrade(&place, "repo").ended(0);
        assert!(place.read("repo/b.txt").contains("mine") && place.read("repo/b.txt").contains("theirs in 4.0.0"));
    }
}

#[test]
fn a_base_that_was_damaged_or_removed_is_told_and_mended() {
    for is_removed in [false, true] {
        let place = project("shop");
        let base = place.path("repo/shop/.create-app/base");
        let file = fs::read_dir(base).unwrap().next().unwrap().unwrap().path();
        let bytes = fs::read(&file).unwrap();
        if is_removed {
            fs::remove_file(&file).unwrap();
            place.commit("repo");
        } else {
            fs::write(&file, "damaged").unwrap();
        }
        let said = place.app("repo/shop", &["check"]).ended(1);
        assert!(said.err.contains("error[L003]"), "{}", said.err);
        upgrade(&place, "repo/shop").ended(0);
        assert_eq!(fs::read(&file).unwrap(), bytes);
        assert_done(&place, "repo/shop");
    }
}

#[test]
fn a_directory_without_a_file_in_it_is_told_where_the_template_has_a_file() {
    let place = project("shop");
    place.write("template/new.txt", "new\n");
    release(&place, "2.0.0", &["a.txt"]);
    fs::create_dir_all(place.path("repo/shop/new.txt/empty")).unwrap();
    let template = place.path("template");
    for more in [&[][..], &["--dry-run"]] {
        let path = ["upgrade", "--silent", "--path", template.to_str().unwrap()];
        let said = place.app("repo/shop", &[&path[..], more].concat()).ended(2);
        assert!(said.err.contains("error[P002]") && said.err.contains("new.txt` is a directory"), "{}", said.err);
        assert!(said.err.contains("move it out of the way"), "{}", said.err);
    }
    assert_eq!(place.git("repo", &["status", "--porcelain"]), "");
    fs::remove_dir_all(place.path("repo/shop/new.txt")).unwrap();
    upgrade(&place, "repo/shop").ended(0).has("created   new.txt");
}

#[test]
fn an_app_that_was_moved_keeps_the_names_of_its_files_at_the_root() {
    let place = project("apps/shop");
    assert!(place.has("repo/.github/ci-shop.yml"));
    place.rename("repo/apps/shop", "repo/services/store");
    place.commit("repo");
    release(&place, "2.0.0", &["a.txt", ".github/ci{{app_suffix}}.yml"]);
    upgrade(&place, "repo/services/store").ended(0).has("updated   .github/ci-shop.yml (at the repository's root)");
    assert!(place.read("repo/.github/ci-shop.yml").contains("theirs in 2.0.0"));
    let names: Vec<_> = fs::read_dir(place.path("repo/.github")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names, ["ci-shop.yml"]);
    place.commit("repo");
    assert_done(&place, "repo/services/store");
    release(&place, "3.0.0", &[".github/ci{{app_suffix}}.yml"]);
    upgrade(&place, "repo/services/store").ended(0);
    assert!(place.read("repo/.github/ci-shop.yml").contains("theirs in 3.0.0"));
}

/// What is mounted is unmounted when it goes out of scope.
struct ReadOnly(std::path::PathBuf);

impl ReadOnly {
    /// None where nothing may be mounted.
    fn new(path: std::path::PathBuf) -> Option<Self> {
        let mount = |arguments: &[&str]| {
            let output = std::process::Command::new("mount").args(arguments).arg(&path).output();
            output.is_ok_and(|output| output.status.success())
        };
        let mounted = mount(&["--bind", path.to_str().unwrap()]) && mount(&["-o", "remount,bind,ro"]);
        mounted.then_some(Self(path))
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}

#[test]
fn what_cannot_be_written_can_be_looked_at() {
    let place = project(".");
    change(&place, "repo/a.txt", 9, "mine");
    place.commit("repo");
    release(&place, "2.0.0", &["a.txt"]);
    let Some(_mount) = ReadOnly::new(place.path("repo")) else {
        println!("skipped: nothing may be mounted here");
        return;
    };
    place.app("repo", &["check"]).ended(0).has("edited    a.txt");
    place.app("repo", &["diff", "--local"]).ended(1).has("+mine");
    let template = place.path("template");
    let path = ["--silent", "--path", template.to_str().unwrap()];
    place.app("repo", &[&["diff"][..], &path].concat()).ended(1).has("+theirs in 2.0.0");
    place.app("repo", &[&["upgrade", "--dry-run"][..], &path].concat()).ended(0).has("updated   a.txt");
    let said = upgrade(&place, "repo").ended(2);
    assert!(said.err.contains("error[P003]") && said.err.contains("read-only"), "{}", said.err);
    assert!(said.out.is_empty(), "{}", said.out);
}

/// A repository with a file of the same name as the template's, as a submodule in place of the app's `src`.
fn with_submodule() -> Place {
    let place = project(".");
    place.write("library/c.txt", "own\n");
    place.git("library", &["init", "--quiet"]);
    place.commit("library");
    place.git("repo", &["rm", "-r", "--quiet", "src"]);
    place.git("repo", &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../library", "src"]);
    place.commit("repo");
    place
}

const IN_SUBMODULE: &str = "not written: this directory is a submodule or another git repository";

#[test]
fn nothing_is_written_in_a_submodule_and_the_rest_is_upgraded() {
    let place = with_submodule();
    release(&place, "2.0.0", &["a.txt"]);
    upgrade(&place, "repo").ended(0).has("updated   a.txt");
    place.commit("repo");
    assert_done(&place, "repo");

    // A file that is there under the same name, and one that is not.
    place.write("template/src/new.txt", "new\n");
    release(&place, "3.0.0", &["a.txt", "src/c.txt"]);
    let template = place.path("template");
    let template = template.to_str().unwrap();
    let shown = place.app("repo", &["diff", "--name-only", "--path", template]).ended(1);
    assert_eq!(shown.out, "a.txt\n");
    let said = upgrade(&place, "repo").ended(0);
    for name in ["src/c.txt", "src/new.txt"] {
        assert!(said.out.contains(&format!("kept      {name}: {IN_SUBMODULE}\n")), "{}", said.out);
    }
    assert_eq!((place.read("repo/src/c.txt").as_str(), place.has("repo/src/new.txt")), ("own\n", false));
    assert_eq!(place.git("repo/src", &["status", "--porcelain"]), "");
    place.app("repo", &["check"]).ended(0).has("missing   src/c.txt\n");
    place.commit("repo");
    assert_done(&place, "repo");
}

#[test]
fn a_submodule_that_is_not_checked_out_stays_empty() {
    let place = with_submodule();
    place.git("", &["clone", "--quiet", "repo", "clone"]);
    release(&place, "2.0.0", &["a.txt", "src/c.txt"]);
    upgrade(&place, "clone").ended(0).has(&format!("kept      src/c.txt: {IN_SUBMODULE}\n"));
    assert!(fs::read_dir(place.path("clone/src")).unwrap().next().is_none());
}

#[test]
fn another_repository_in_place_of_a_folder_or_a_file_is_left_alone() {
    let place = project(".");
    fs::remove_dir_all(place.path("repo/src")).unwrap();
    for at in ["repo/src", "repo/new"] {
        fs::create_dir(place.path(at)).unwrap();
    }
    for at in ["repo/src", "repo/new"] {
        place.git(at, &["init", "--quiet"]);
    }
    place.write("template/new", "a file\n");
    release(&place, "2.0.0", &["b.txt", "src/c.txt"]);
    let said = upgrade(&place, "repo").ended(0);
    assert!(said.out.contains(&format!("kept      new: {IN_SUBMODULE}\n")), "{}", said.out);
    assert!(said.out.contains(&format!("kept      src/c.txt: {IN_SUBMODULE}\n")), "{}", said.out);
    assert!(!place.has("repo/src/c.txt") && place.read("repo/b.txt").contains("theirs in 2.0.0"));
}

#[test]
fn nothing_is_written_through_a_link_in_place_of_a_folder() {
    let place = project(".");
    place.write("elsewhere/c.txt", "own\n");
    place.git("repo", &["rm", "-r", "--quiet", "src"]);
    std::os::unix::fs::symlink("../elsewhere", place.path("repo/src")).unwrap();
    place.commit("repo");
    place.write("template/src/new.txt", "new\n");
    release(&place, "2.0.0", &["a.txt", "src/c.txt"]);
    let said = upgrade(&place, "repo").ended(0).has("updated   a.txt");
    for name in ["src/c.txt", "src/new.txt"] {
        let kept = format!("kept      {name}: not written: this directory is a link in your project\n");
        assert!(said.out.contains(&kept), "{}", said.out);
    }
    assert_eq!(fs::read_link(place.path("repo/src")).unwrap().to_str(), Some("../elsewhere"));
    assert_eq!((place.read("elsewhere/c.txt").as_str(), place.has("elsewhere/new.txt")), ("own\n", false));
    place.commit("repo");
    assert_done(&place, "repo");
}

fn executable(place: &Place, name: &str) {
    fs::set_permissions(place.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn modes(place: &Place, at: &str, names: &[&str]) -> Vec<String> {
    let listed = place.git(at, &[&["ls-files", "--stage", "--"], names].concat());
    listed.lines().map(|line| format!("{} {}", &line[..6], line.rsplit('\t').next().unwrap())).collect()
}

#[test]
fn executable_bits_are_in_gits_index_where_the_disk_does_not_count() {
    let place = project(".");
    place.git("", &["clone", "--quiet", "repo", "clone"]);
    place.git("clone", &["config", "core.fileMode", "false"]);
    place.git("clone", &["update-index", "--chmod=+x", "b.txt"]);
    place.commit("clone");
    place.write("template/new.sh", "#!/bin/sh\n");
    place.write("template/ignored.sh", "#!/bin/sh\n");
    place.write("clone/.git/info/exclude", "ignored.sh\n");
    for name in ["run.sh", "new.sh", "ignored.sh"] {
        executable(&place, &format!("template/{name}"));
    }
    // One changes, too, and one that only the project has made executable.
    release(&place, "2.0.0", &["run.sh", "b.txt"]);
    upgrade(&place, "clone").ended(0).has("updated   run.sh");
    place.commit("clone");
    let expected = ["100755 b.txt", "100755 new.sh", "100755 run.sh"];
    assert_eq!(modes(&place, "clone", &["new.sh", "run.sh", "b.txt", "ignored.sh"]), expected);
    assert_done(&place, "clone");
    place.git("", &["clone", "--quiet", "clone", "other"]);
    place.app("other", &["check"]).ended(0).has("edited    b.txt\n");
    assert!(place.read("other/run.sh").contains("theirs in 2.0.0"));

    // The bit goes again.
    fs::set_permissions(place.path("template/run.sh"), std::fs::Permissions::from_mode(0o644)).unwrap();
    release(&place, "3.0.0", &[]);
    upgrade(&place, "clone").ended(0);
    place.commit("clone");
    assert_eq!(modes(&place, "clone", &["run.sh"]), ["100644 run.sh"]);
    assert_done(&place, "clone");
}

#[test]
fn a_link_that_is_a_text_file_is_a_link() {
    let place = template();
    for name in ["now", "once", "kept"] {
        std::os::unix::fs::symlink("a.txt", place.path(&format!("template/{name}"))).unwrap();
    }
    fs::create_dir(place.path("repo")).unwrap();
    place.git("repo", &["init", "--quiet", "--initial-branch=main"]);
    make(&place, ".");
    place.commit("repo");
    place.git("", &["-c", "core.symlinks=false", "clone", "--quiet", "repo", "clone"]);
    place.git("clone", &["config", "core.symlinks", "false"]);
    assert_eq!(place.read("clone/now"), "a.txt");
    place.app("clone", &["check", "--pristine"]).ended(0);
    assert_eq!(place.app("clone", &["diff", "--local"]).ended(0).out, "");

    // Edited by the user, in the way that such a disk allows.
    place.write("clone/kept", "b.txt");
    place.commit("clone");
    place.remove("template/now");
    std::os::unix::fs::symlink("b.txt", place.path("template/now")).unwrap();
    std::os::unix::fs::symlink("src/c.txt", place.path("template/new")).unwrap();
    place.remove("template/once");
    release(&place, "2.0.0", &[]);
    upgrade(&place, "clone").ended(0);
    place.commit("clone");
    assert_eq!(modes(&place, "clone", &["now", "new", "kept"]), ["120000 kept", "120000 new", "120000 now"]);
    assert_eq!(place.git("clone", &["show", "HEAD:now", "HEAD:new", "HEAD:kept"]), "b.txtsrc/c.txtb.txt");
    assert!(!place.has("clone/once"));
    assert_done(&place, "clone");
    place.git("", &["clone", "--quiet", "clone", "other"]);
    assert_eq!(fs::read_link(place.path("other/new")).unwrap().to_str(), Some("src/c.txt"));
    place.app("other", &["check"]).ended(0).has("edited    kept\n");
}

#[test]
fn a_new_project_says_what_its_disk_cannot_keep() {
    let place = template();
    executable(&place, "template/run.sh");
    std::os::unix::fs::symlink("a.txt", place.path("template/now")).unwrap();
    fs::create_dir(place.path("repo")).unwrap();
    place.git("repo", &["init", "--quiet", "--initial-branch=main"]);
    for key in ["core.fileMode", "core.symlinks"] {
        place.git("repo", &["config", key, "false"]);
    }
    let said = place.app("repo", &["new", "apps/shop", "--silent", "--path", "../template"]).ended(0);
    let (_, next) = said.out.split_once("\nNext steps:\n\n").unwrap();
    let expected = "  cd apps/shop\n  git add --chmod=+x -- run.sh\n  \
                    git add -- now && git update-index --cacheinfo 120000 $(git rev-parse :./now) now\n";
    assert_eq!(next, expected);
}
