//! The last upgrade, undone.

use super::{everything, project};
use crate::support::place::Place;
use crate::support::tree;

/// A repository with an app in a folder, upgraded with a conflict; what it was before.
fn upgraded() -> (Place, [tree::Tree; 2], String) {
    let place = project("apps/shop");
    place.edit("apps/shop/.env.example", "# None of", "# Mine: none of");
    place.commit("");
    place.edit("template/.env.example", "# None of", "# Theirs: none of");
    place.edit("template/package.json", "\"private\": true", "\"private\": true,\n  \"sideEffects\": false");
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    place.remove("template/COMMANDS.md");
    let before = (everything(&place, "apps/shop"), index(&place));
    place.app("apps/shop", &["upgrade", "--silent"]).ended(1);
    (place, before.0, before.1)
}

fn index(place: &Place) -> String {
    [["ls-files", "--stage"], ["status", "--porcelain"]].map(|arguments| place.git("", &arguments)).concat()
}

#[test]
fn an_upgrade_can_be_taken_back_until_something_is_committed() {
    let (place, files, before) = upgraded();
    let said = place.app("apps/shop", &["upgrade", "--abort"]).ended(0);
    assert_eq!(said.out, ".: undid the last upgrade (4 files)\n");
    assert_eq!((everything(&place, "apps/shop"), index(&place)), (files, before));
    assert!(!place.is_held("apps/shop"));
    place.app("apps/shop", &["upgrade", "--abort"]).ended(2).warns("error[P011]: there is no upgrade of `.`");

    // Only the last one can be, and only once; one that does nothing is none.
    let (place, _, _) = upgraded();
    place.app("apps/shop", &["upgrade", "--silent"]).ended(1);
    place.git("apps/shop", &["checkout", "--quiet", "--theirs", ".env.example"]);
    place.commit("");
    let committed = (everything(&place, "apps/shop"), index(&place));
    place.app("apps/shop", &["upgrade", "--abort"]).ended(2).warns("is no longer at the commit").warns("git revert");
    assert_eq!((everything(&place, "apps/shop"), index(&place)), committed);
}

#[test]
fn what_was_staged_or_edited_since_is_no_obstacle_and_nothing_of_it_is_lost() {
    let (place, files, before) = upgraded();
    place.write("apps/shop/.env.example", "resolved\n");
    place.write("apps/shop/scripts/new.sh", "mine\n");
    place.git("", &["add", "--all"]);
    let said = place.app("", &["upgrade", "--abort", "apps/shop"]).ended(0);
    let told = "\nYou had edited these files since then; copies are in .create-app/backup/1:\n  apps/shop/.env.example\n  \
                apps/shop/scripts/new.sh\n";
    assert!(said.out.ends_with(told), "{}", said.out);
    let backup = "apps/shop/.create-app/backup";
    assert_eq!(place.read(&format!("{backup}/1/apps/shop/.env.example")), "resolved\n");
    assert_eq!(place.read(&format!("{backup}/1/apps/shop/scripts/new.sh")), "mine\n");
    fs_err::remove_dir_all(place.path(backup)).unwrap();
    assert_eq!((everything(&place, "apps/shop"), index(&place)), (files, before));
}

#[test]
fn changes_that_were_not_committed_come_back_too() {
    let place = project("shop");
    place.edit("template/package.json", "\"private\": true", "\"private\": true,\n  \"sideEffects\": false");
    place.edit("shop/package.json", "\"type\": \"module\"", "\"type\": \"module\",\n  \"license\": \"MIT\"");
    place.git("", &["add", "--all"]);
    place.edit("shop/package.json", "MIT", "ISC");
    place.write("shop/notes.md", "untracked\n");
    let before = (everything(&place, "shop"), index(&place));
    let said = place.app("shop", &["upgrade", "--silent", "--allow-dirty"]).ended(0);
    assert!(said.out.contains("copies are in .create-app/backup/1"), "{}", said.out);
    place.app("shop", &["upgrade", "--abort", "--json"]).ended(0).has("\"shop/package.json\"");
    assert_eq!((everything(&place, "shop"), index(&place)), before);
}

#[test]
fn without_git_an_upgrade_can_be_taken_back_until_the_next() {
    let place = Place::new();
    place.template();
    place.app("", &["shop", "--silent", "--path", "template", "--vcs", "none"]).ended(0);
    place.edit("shop/.env.example", "# None of", "# Mine: none of");
    let before = everything(&place, "shop");
    for (version, text) in [("3.1.0", "# Theirs: none of"), ("3.2.0", "# None of")] {
        let manifest = place.read("template/cargo-generate.toml");
        let at = manifest.find("version = \"3.").unwrap();
        place.write(
            "template/cargo-generate.toml",
            manifest.replacen(&manifest[at..at + 17], &format!("version = \"{version}\""), 1),
        );
        place.edit("template/.env.example", if version == "3.1.0" { "# None of" } else { "# Theirs: none of" }, text);
        if version == "3.1.0" {
            place.app("shop", &["upgrade", "--silent"]).ended(1);
            place.app("shop", &["upgrade", "--abort"]).ended(0);
            assert_eq!(everything(&place, "shop"), before);
        }
    }
    assert!(!place.is_held("shop"));
}

#[test]
fn adoption_can_be_taken_back() {
    let place = Place::new();
    place.write("template/a.txt", "a\n");
    place.write("template/b/c.txt", "c\n");
    place.write("shop/a.txt", "mine\n");
    place.git("shop", &["init", "--quiet"]);
    place.commit("shop");
    let before = (tree::read(&place.path("shop")), place.git("shop", &["status", "--porcelain"]));
    place.app("", &["upgrade", "shop", "--silent", "--path", "template"]);
    assert!(place.has("shop/.create-app/lock.toml") && place.has("shop/b/c.txt"));
    place.app("", &["upgrade", "shop", "--abort"]).ended(0);
    assert_eq!((tree::read(&place.path("shop")), place.git("shop", &["status", "--porcelain"])), before);
    assert!(!place.has("shop/b") && !place.has("shop/.create-app"));
}
