//! `create-app check`, by the real program: what is told of each file, and the exit codes that CI sees.

use crate::support::place::Place;

const MARKERS: &str = "<<<<<<< yours\na\n=======\nb\n>>>>>>> template 3.1.0\n";

/// A new project, committed.
fn project() -> Place {
    let place = Place::new();
    place.app("", &["shop", "--silent"]).ended(0);
    place.commit("shop");
    place
}

#[test]
fn a_new_project_is_pristine_and_edits_are_normal() {
    let place = project();
    let said = place.app("shop", &["check"]).ended(0);
    assert_eq!(said.out, "41 files: 39 unchanged, 2 yours\n");
    place.edit("shop/package.json", "\"private\": true", "\"private\": false");
    place.write("shop/src/api.ts", "export {};\n");
    place.remove("shop/COMMANDS.md");
    place.rename("shop/scripts/rollback.sh", "shop/bin/rollback.sh");
    let expected = "\
missing   COMMANDS.md
edited    package.json
moved     scripts/rollback.sh -> bin/rollback.sh
41 files: 36 unchanged, 1 edited, 1 moved, 1 missing, 2 yours
";
    assert_eq!(place.app("shop", &["check"]).ended(0).out, expected);
    assert_eq!(place.app("", &["check", "shop", "--pristine"]).ended(1).out, expected);
}

#[cfg(unix)]
#[test]
fn a_changed_mode_is_an_edit_unless_git_does_not_compare_modes() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = project();
    fs_err::set_permissions(place.path("shop/README.md"), std::fs::Permissions::from_mode(0o755)).unwrap();
    place.app("shop", &["check"]).ended(0).has("edited    README.md\n");
    place.git("shop", &["config", "core.fileMode", "false"]);
    place.app("shop", &["check", "--pristine"]).ended(0);
}

#[test]
fn only_what_an_upgrade_left_is_a_conflict_however_it_was_left() {
    let place = project();
    // What other tools leave, and what anybody may have.
    place.write("shop/package.json", MARKERS);
    place.write("shop/bun.lock.theirs", "x");
    place.write("shop/README.md.2.orig", "x");
    place.write("shop/notes.theirs", "x");
    place.app("shop", &["check"]).ended(0).has("41 files: 38 unchanged, 1 edited, 2 yours\n");

    let digest = sha256("x");
    let lock = place.read("shop/.create-app/lock.toml");
    let left = format!(
        "{lock}\n[conflicts]\n\"README.md\" = \"in the file\"\n\"README.md.2.orig\" = \"100644 {digest}\"\n\
         \"bun.lock.theirs\" = \"100644 {digest}\"\n\"package.json\" = \"in the file\"\n"
    );
    place.write("shop/.create-app/lock.toml", left);
    let said = place.app("shop", &["check"]).ended(1);
    let expected = "\
conflict  README.md: `README.md.2.orig` is beside it
conflict  bun.lock: `bun.lock.theirs` is beside it
conflict  package.json: conflict markers
41 files: 36 unchanged, 2 yours, 3 in conflict
";
    assert_eq!(said.out, expected);
    // Git may have converted it; what has other content is the user's.
    place.write("shop/bun.lock.theirs", "mine");
    place.app("shop", &["check"]).ended(1).has("41 files: 37 unchanged, 2 yours, 2 in conflict\n");
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_merge_of_gits_that_is_not_resolved_fails() {
    let place = project();
    place.git("shop", &["branch", "--move", "trunk"]);
    place.git("shop", &["branch", "topic"]);
    place.write("shop/.env.example", "a\n");
    place.commit("shop");
    place.git("shop", &["checkout", "--quiet", "topic"]);
    place.write("shop/.env.example", "b\n");
    place.commit("shop");
    assert_ne!(place.command("git", "shop").args(["merge", "--quiet", "trunk"]).output().unwrap().status.code(), None);
    place.app("shop", &["check"]).ended(1).has("conflict  .env.example: unmerged in git\n");
}

#[test]
fn a_broken_record_fails_and_says_what_restores_it() {
    let place = project();
    let lock = place.read("shop/.create-app/lock.toml");
    let digest = lock.lines().find(|line| line.starts_with("\"package.json\"")).unwrap();
    let digest = digest.rsplit(' ').next().unwrap().trim_matches('"');
    place.write(&format!("shop/.create-app/base/{digest}"), "damaged");
    let said = place.app("shop", &["check"]).ended(1).warns("error[L003]: the base of `package.json` is damaged");
    assert!(said.err.contains("git checkout HEAD -- .create-app"), "{}", said.err);
    // What a sparse checkout leaves out is in git's index.
    place.remove(&format!("shop/.create-app/base/{digest}"));
    place.app("shop", &["check"]).ended(0);
    place.write("shop/.create-app/lock.toml", format!("<<<<<<< HEAD\n{lock}=======\n{lock}>>>>>>> topic\n"));
    place.app("shop", &["check"]).ended(1).warns("error[L001]: `.create-app/lock.toml` has a merge conflict");
}

#[test]
fn what_is_no_project_is_an_error() {
    let place = Place::new();
    place.app("", &["check"]).ended(2).warns("error[L005]").warns("the one that contains `.create-app`");
}

#[test]
fn a_clone_with_converted_line_ends_is_pristine() {
    let place = project();
    place.git("", &["-c", "core.autocrlf=true", "clone", "--quiet", "shop", "clone"]);
    assert!(place.read("clone/README.md").contains("\r\n"));
    place.app("clone", &["check", "--pristine"]).ended(0);
}

#[test]
fn many_projects_are_checked_at_once_and_told_apart() {
    let place = Place::new();
    place.git("", &["init", "--quiet"]);
    place.app("", &["./apps/shop", "--silent"]).ended(0);
    place.app("", &["apps/blog", "--silent"]).ended(0);
    place.remove(".github/workflows/ci-shop.yml");
    let expected = "\
apps/shop
  missing   .github/workflows/ci-shop.yml (at the repository's root)
  41 files: 38 unchanged, 1 missing, 2 yours
apps/blog
  41 files: 39 unchanged, 2 yours
";
    assert_eq!(place.app("", &["check", "apps/shop", "apps/blog"]).ended(0).out, expected);
    let said = place.app("", &["check", "--json", "apps/shop", "apps/blog"]).ended(0);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((json["format"].as_u64(), json["clean"].as_bool()), (Some(1), Some(true)));
    assert_eq!(json["projects"][0]["app_dir"], "apps/shop");
    let files = json["projects"][0]["files"].as_array().unwrap();
    let missing: Vec<_> = files.iter().filter(|file| file["state"] == "missing").collect();
    assert_eq!((files.len(), missing.len()), (41, 1));
    assert_eq!(
        (&missing[0]["root"], &missing[0]["path"]),
        (&"repository".into(), &".github/workflows/ci-shop.yml".into())
    );
}

#[test]
fn a_copy_without_git_is_checked_as_far_as_the_app_goes() {
    let place = Place::new();
    place.git("", &["init", "--quiet"]);
    place.app("", &["./apps/shop", "--silent"]).ended(0);
    let all = place.app("apps/shop", &["check"]).ended(0);
    assert_eq!((all.out.as_str(), all.err.as_str()), ("41 files: 39 unchanged, 2 yours\n", ""));
    fs_err::remove_dir_all(place.path(".git")).unwrap();
    let said = place.app("apps/shop", &["check"]).ended(0);
    assert_eq!(said.out, "38 files: 36 unchanged, 2 yours\n");
    said.warns("warning[L006]: 3 files were not checked: `.` is not in a git repository").warns("run `git init` in");
    let said = place.app("apps/shop", &["check", "--json"]).ended(0);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&json["clean"], &json["projects"][0]["problems"][0]["code"]), (&true.into(), &"L006".into()));
    for command in [&["upgrade"][..], &["diff"], &["diff", "--local"]] {
        let title = "error[L006]: `.` was created as `apps/shop` in a git repository, and is not in one now";
        place.app("apps/shop", command).ended(2).warns(title);
    }
    place.git("", &["init", "--quiet"]);
    assert_eq!(place.app("apps/shop", &["check"]).ended(0).out, all.out);
    place.app("apps/shop", &["upgrade", "--silent"]).ended(0);
}

#[test]
fn a_lock_does_not_make_a_directory_above_the_project_the_root() {
    let place = Place::new();
    place.write("outer/proj/template/evil", "evil\n");
    place.write("outer/proj/template/cargo-generate.toml", "[create-app]\nrepository = [\"evil\"]\n");
    place.app("outer/proj", &["new", "made", "--path", "template", "--vcs", "none"]).ended(0);
    for name in ["lock.toml", ".gitattributes"] {
        place.write(
            &format!("outer/proj/.create-app/{name}"),
            place.read(&format!("outer/proj/made/.create-app/{name}")),
        );
    }
    place.edit("outer/proj/.create-app/lock.toml", "source = \"../template\"", "source = \"./template\"");
    let lock = place.read("outer/proj/.create-app/lock.toml");
    for app_dir in ["proj", "outer/proj"] {
        let forged = lock.replace("format = 1", &format!("format = 1\napp_dir = \"{app_dir}\""));
        place.write("outer/proj/.create-app/lock.toml", &forged);
        place.app("outer/proj", &["upgrade", "--silent"]).ended(2).warns("error[L006]");
        place.app("outer/proj", &["check"]).warns("error[L003]");
        assert!(!place.has("outer/evil") && !place.has("evil"));
    }
    // In a repository, git says where the root is, whatever the lock says.
    place.git("outer/proj", &["init", "--quiet"]);
    place.write("outer/proj/template/other", "new\n");
    place.app("outer/proj", &["upgrade", "--silent"]).ended(0).has("created   other");
    assert!(place.has("outer/proj/other") && !place.has("outer/evil") && !place.has("evil"));
}

#[test]
fn a_newer_template_fails_where_that_is_asked_for() {
    let place = Place::new();
    place.template();
    place.app("", &["apps/shop", "--silent", "--path", "template"]).ended(0);
    assert!(place.read("apps/shop/.create-app/lock.toml").contains("source = \"../../template\""));
    place.app("apps", &["check", "shop", "--upstream"]).ended(0);
    place.edit("template/cargo-generate.toml", "version = \"3.0.0\"", "version = \"3.1.0\"");
    place.app("apps", &["check", "shop", "--upstream"]).ended(1).has("the template is newer: 3.0.0 -> 3.1.0\n");
    place.app("apps", &["check", "shop"]).ended(0);
    fs_err::remove_dir_all(place.path("template")).unwrap();
    place.app("apps", &["check", "shop", "--upstream"]).ended(2).warns("error[S001]").warns("--path DIR");
}

#[test]
fn a_path_that_cannot_be_checked_keeps_no_other_from_it() {
    let place = project();
    place.write("empty/a", "x");
    let said = place.app("", &["check", "empty", "shop", "missing"]).ended(2);
    assert_eq!(
        said.out,
        "empty\n  not checked: see the error\nshop\n  41 files: 39 unchanged, 2 yours\nmissing\n  not checked: see the error\n"
    );
    said.warns("`empty` was not created by create-app").warns("there is no directory `missing`");

    let said = place.app("", &["check", "empty", "shop", "--json"]).ended(2);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["clean"], false);
    assert_eq!(json["projects"][0]["problems"][0]["code"], "L005");
    assert_eq!(json["projects"][1]["files"].as_array().unwrap().len(), 41);
}
