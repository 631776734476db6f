//! What an upgrade leaves to commit, and what says that it is not committed.

use super::project;
use crate::support::place::{Place, Said};

/// What it says to do, done to the letter, commits all of it.
fn follow(place: &Place, at: &str, said: &str) {
    let (_, next) = said.split_once("\nNext steps:\n\n").unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_create-app")).parent().unwrap();
    let path = std::env::join_paths([program, "/usr/bin".as_ref(), "/bin".as_ref()]).unwrap();
    let script = format!("set -e\nbun() {{ echo '# installed' >> bun.lock; }}\n{next}");
    let mut shell = place.command("bash", at);
    Said::from(shell.env("PATH", path).args(["-c", &script]).output().unwrap()).ended(0);
    assert_eq!(place.git("", &["status", "--porcelain"]), "", "{script}");
}

#[test]
fn what_now_commits_all_of_an_upgrade() {
    let place = project("my apps/shop");
    place.edit("my apps/shop/.env.example", "# None of", "# Mine: none of");
    place.write(".gitignore", "/template/\nnode_modules/\nignored.txt\n");
    place.commit("");
    place.edit("template/package.json", "\"private\": true", "\"private\": true,\n  \"sideEffects\": false");
    place.write("template/it's new.txt", "new\n");
    place.write("template/ignored.txt", "new\n");
    place.remove("template/COMMANDS.md");
    place.rename("template/docs/PROMOTION.md", "template/docs/release/PROMOTION.md");
    place.app("my apps/shop", &["check"]).ended(0);
    let said = place.app("", &["upgrade", "my apps/shop", "--silent"]).ended(0);
    let warned = "warning[P007]: `my apps/shop/.create-app` has uncommitted changes";
    place.app("", &["check", "my apps/shop"]).ended(0).warns(warned);
    follow(&place, "", &said.out);
    assert!(place.git("", &["log", "-1", "--format=%s"]).contains("Upgrade template 3.0.0 -> 3.1.0"));
    assert!(place.app("", &["check", "my apps/shop"]).ended(0).err.is_empty());

    // With a conflict, nothing is committed before it is resolved.
    place.edit("template/cargo-generate.toml", "version = \"3.1.0\"", "version = \"3.2.0\"");
    place.edit("template/.env.example", "# None of", "# Theirs: none of");
    place.write("template/logo.png", b"\0one");
    let said = place.app("", &["upgrade", "my apps/shop", "--silent"]).ended(1);
    assert!(
        said.out.contains("  create-app check && git commit --message 'Upgrade template 3.1.0 -> 3.2.0'\n"),
        "{}",
        said.out
    );
    place.git("my apps/shop", &["checkout", "--quiet", "--theirs", ".env.example"]);
    follow(&place, "", &said.out);

    // By other answers, of many files: directories are named.
    place.edit("template/cargo-generate.toml", "version = \"3.2.0\"", "version = \"3.3.0\"");
    for n in 0..60 {
        place.write(&format!("template/many/{n}/file.txt"), "x\n");
    }
    let said = place.app("", &["upgrade", "my apps/shop", "--silent"]).ended(0);
    assert!(said.out.contains("git add --all -- .create-app many\n"), "{}", said.out);
    follow(&place, "", &said.out);
}

/// Git adds nothing that a sparse checkout leaves out, unless it is told to.
#[test]
fn what_now_commits_a_base_that_a_sparse_checkout_leaves_out() {
    let place = project("shop");
    place.git("", &["sparse-checkout", "set", "--no-cone", "/*", "!/shop/.create-app/base/"]);
    assert!(!place.has("shop/.create-app/base"));
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    let said = place.app("", &["upgrade", "shop", "--silent"]).ended(0);
    assert!(said.out.contains("  git add --all --sparse -- .create-app scripts/new.sh\n"), "{}", said.out);
    place.app("shop", &["check"]).ended(0).warns("`git add --all --sparse -- .create-app`");
    follow(&place, "", &said.out);
    assert!(place.app("shop", &["check"]).ended(0).err.is_empty());
    place.git("", &["sparse-checkout", "disable"]);
    assert_eq!(place.git("", &["status", "--porcelain"]), "");
    assert!(place.app("shop", &["check"]).ended(0).err.is_empty());
    // Where it leaves out something else, git needs no such word.
    place.write("docs/own.md", "mine\n");
    place.commit("");
    place.git("", &["sparse-checkout", "set", "--no-cone", "/*", "!/docs/"]);
    place.edit("template/cargo-generate.toml", "version = \"3.1.0\"", "version = \"3.2.0\"");
    place.write("template/scripts/newer.sh", "#!/bin/sh\n");
    let said = place.app("", &["upgrade", "shop", "--silent", "--json"]).ended(0);
    let commit = serde_json::from_str::<serde_json::Value>(&said.out).unwrap()["commit"].clone();
    assert!(commit["paths"].is_array() && commit.get("sparse").is_none(), "{commit}");
}

/// The command of a message works where it is pasted, also outside the repository.
#[test]
fn the_command_that_commits_the_record_is_one_for_where_it_was_printed() {
    let place = project("my apps/shop");
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    place.app("my apps/shop", &["upgrade", "--silent"]).ended(0);
    let root = place.path("").canonicalize().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    for here in ["", "my apps", "my apps/shop", elsewhere.path().to_str().unwrap()] {
        let app = root.join("my apps/shop");
        let said = place.app(here, &["check", app.to_str().unwrap()]).ended(0).warns("warning[P007]");
        let command = said.err.split('`').find(|text| text.starts_with("git ")).unwrap();
        Said::from(place.command("sh", here).args(["-c", command]).output().unwrap()).ended(0);
        assert_eq!(place.git("", &["diff", "--name-only", "--cached"]).lines().count(), 2, "{command}");
        place.git("", &["reset", "--quiet"]);
    }
}

#[test]
fn check_says_that_the_record_is_not_committed() {
    let place = project("shop");
    let warned = "warning[P007]: `.create-app` has uncommitted changes";
    assert!(place.app("shop", &["check"]).ended(0).err.is_empty());
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    place.app("shop", &["upgrade", "--silent"]).ended(0);
    // The lock is committed, and the base is not.
    place.git("", &["add", "shop/.create-app/lock.toml"]);
    place.app("shop", &["check"]).ended(0).warns(warned);
    place.git("", &["commit", "--quiet", "--message", "Half"]);
    place.app("shop", &["check"]).ended(0).warns(warned);
    place.git("", &["add", "shop/.create-app"]);
    place.git("", &["commit", "--quiet", "--message", "All"]);
    assert!(place.app("shop", &["check"]).ended(0).err.is_empty());
    // The other way round.
    place.edit("template/cargo-generate.toml", "version = \"3.1.0\"", "version = \"3.2.0\"");
    place.app("shop", &["upgrade", "--silent"]).ended(0);
    place.app("shop", &["check", "--json"]).ended(0).has("\"code\": \"P007\"");
    place.git("", &["add", "--all"]);
    place.app("shop", &["check"]).ended(0).warns(warned);
    // A repository in which nothing was ever committed has no news.
    let place = Place::new();
    place.app("", &["shop", "--silent"]).ended(0);
    assert!(place.app("shop", &["check"]).ended(0).err.is_empty());
}
