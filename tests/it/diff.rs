//! `create-app diff`, judged by git itself: what it prints, `git apply` takes, and the result is what `upgrade` makes.

use std::io::Write as _;

use crate::support::place::{Place, Said};
use crate::support::tree;

/// Two equal copies of a repository with a project in it that the template has left behind.
fn repositories(at: &str) -> Place {
    let place = Place::new();
    place.template();
    place.write("template/logo.png", b"\x89PNG\0\x01");
    place.write("template/old name.txt", "one\ntwo\nthree\nfour\n");
    place.write("template/no-newline", "last");
    place.git("", &["init", "--quiet", "one"]);
    place.app("one", &[at, "--silent", "--path", "../template"]).ended(0);
    let project = format!("one/{at}");
    place.edit(&format!("{project}/package.json"), "\"private\": true", "\"private\": true,\n  \"license\": \"MIT\"");
    place.commit("one");
    place.git("", &["clone", "--quiet", "one", "two"]);
    place.edit("template/cargo-generate.toml", "version = \"3.0.0\"", "version = \"3.1.0\"");
    place.edit("template/package.json", "\"type\": \"module\"", "\"type\": \"module\",\n  \"sideEffects\": false");
    place.write("template/logo.png", b"\x89PNG\0\x02\x03");
    place.write("template/new.bin", (0..=255).collect::<Vec<u8>>());
    place.write("template/empty", "");
    place.write("template/no-newline", "last\n");
    place.rename("template/old name.txt", "template/new/n\u{e4}me.txt");
    place.remove("template/COMMANDS.md");
    let name = "template/.github/workflows/ci{{app_suffix}}.yml";
    let text = place.read(name);
    place.write(name, format!("{text}# More.\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let script = place.path("template/scripts/rollback.sh");
        fs_err::set_permissions(script, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink("README.md", place.path("template/link")).unwrap();
    }
    place
}

fn apply(place: &Place, directory: &str, patch: &[u8]) {
    let mut command = place.command("git", directory);
    command.args(["apply", "--index"]).stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(patch).unwrap();
    Said::from(child.wait_with_output().unwrap()).ended(0);
}

#[test]
fn the_patch_applied_by_git_is_the_upgrade() {
    for at in ["shop", "apps/shop"] {
        let place = repositories(at);
        let diff = place.app(&format!("one/{at}"), &["diff", "--silent"]).ended(1);
        assert!(diff.out.contains("rename to ") && diff.out.contains("GIT binary patch"), "{}", diff.out);
        apply(&place, "one", &diff.bytes);
        place.app(&format!("two/{at}"), &["upgrade", "--silent"]).ended(0);
        assert_eq!(tree::differences(&tree::read(&place.path("two")), &tree::read(&place.path("one"))), "");
        let record = |name: &str| tree::read(&place.path(&format!("{name}/{at}/.create-app")));
        assert_eq!(tree::differences(&record("two"), &record("one")), "");
        place.app(&format!("one/{at}"), &["diff", "--silent"]).ended(0);
        place.app(&format!("one/{at}"), &["upgrade", "--silent", "--allow-dirty"]).ended(0).has("already up to date");
    }
}

#[test]
fn each_side_can_be_shown_alone_and_the_patch_of_the_project_can_be_taken_back() {
    let place = repositories("shop");
    assert_eq!(place.app("one/shop", &["diff", "--local", "--name-only"]).ended(1).out, "shop/package.json\n");
    let local = place.app("one", &["diff", "shop", "--local"]).ended(1);
    assert!(local.out.contains("\n+  \"license\": \"MIT\",\n"), "{}", local.out);
    let upstream = place.app("one", &["diff", "shop", "--upstream", "--silent"]).ended(1);
    assert!(
        upstream.out.contains("\n+  \"sideEffects\": false,\n") && !upstream.out.contains("license"),
        "{}",
        upstream.out
    );
    let mut command = place.command("git", "one");
    command.args(["apply", "--reverse"]).stdin(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&local.bytes).unwrap();
    assert!(child.wait().unwrap().success());
    place.app("one", &["diff", "shop", "--local"]).ended(0);
    place.app("one", &["check", "shop", "--pristine"]).ended(0);
}

#[test]
fn files_are_listed_and_counted() {
    let place = repositories("shop");
    let stat = place.app("one/shop", &["diff", "--silent", "--stat"]).ended(1);
    assert!(stat.out.contains(" shop/package.json                      | +1 -0\n"), "{}", stat.out);
    assert!(stat.out.contains("logo.png") && stat.out.contains("| binary\n"), "{}", stat.out);
    assert!(!stat.out.contains(".create-app"), "{}", stat.out);
    let json = place.app("one/shop", &["diff", "--silent", "--json"]).ended(1);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let files = json["files"].as_array().unwrap();
    let logo = files.iter().find(|file| file["path"] == "shop/logo.png").unwrap();
    assert_eq!((&logo["binary"], &logo["added"]), (&true.into(), &serde_json::Value::Null));
    let moved = files.iter().find(|file| file["from"] == "shop/old name.txt").unwrap();
    assert_eq!(moved["path"], "shop/new/n\u{e4}me.txt");
}
