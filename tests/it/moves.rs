//! What a user has moved, renamed and copied in a project on disk, and what an upgrade makes of it.

use crate::support::place::Place;
use crate::support::sample::{assert_done, change, lines, make, project, release, template, upgrade};
use fs_err as fs;

/// A project in a repository, and one without.
fn both() -> [Place; 2] {
    let without = template();
    fs::create_dir(without.path("repo")).unwrap();
    make(&without, ".");
    [project("."), without]
}

fn commit(place: &Place) {
    if place.has("repo/.git") {
        place.commit("repo");
    }
}

#[test]
fn a_renamed_and_edited_file_gets_what_the_template_changes() {
    for place in both() {
        place.rename("repo/src/c.txt", "repo/src/c.md");
        change(&place, "repo/src/c.md", 9, "mine");
        commit(&place);
        release(&place, "2.0.0", &["src/c.txt"]);
        upgrade(&place, "repo").ended(0).has("updated   src/c.md: changed by you and in the template; merged");
        let text = place.read("repo/src/c.md");
        assert!(text.contains("theirs in 2.0.0") && text.contains("mine"), "{text}");
        place.app("repo", &["check"]).ended(0).has("moved     src/c.txt -> src/c.md");
    }
}

#[test]
fn what_is_new_in_a_moved_directory_goes_there() {
    for place in both() {
        place.rename("repo/src", "repo/lib");
        commit(&place);
        release(&place, "2.0.0", &["src/c.txt"]);
        place.write("template/src/new.txt", "new");
        let said = upgrade(&place, "repo").ended(0);
        assert!(
            said.out.contains("created   lib/new.txt: new in the template; you moved its directory here"),
            "{}",
            said.out
        );
        assert!(!place.has("repo/src"));
        commit(&place);
        upgrade(&place, "repo").ended(0).has("already up to date");
        // The next version finds it.
        release(&place, "3.0.0", &["src/c.txt"]);
        place.write("template/src/new.txt", "newer");
        upgrade(&place, "repo").ended(0).has("updated   lib/new.txt: changed in the template");
        assert_eq!(place.read("repo/lib/new.txt"), "newer");
    }
}

#[test]
fn what_is_in_the_new_place_already_is_merged_or_in_conflict() {
    for place in both() {
        place.rename("repo/src", "repo/lib");
        place.write("repo/lib/new.txt", "own\n");
        place.write("repo/lib/same.txt", "same\n");
        commit(&place);
        release(&place, "2.0.0", &[]);
        place.write("template/src/new.txt", "new\n");
        place.write("template/src/same.txt", "same\n");
        let said = upgrade(&place, "repo").ended(1);
        assert!(said.out.contains("CONFLICT  lib/new.txt: you and the template both added it"), "{}", said.out);
        assert!(place.read("repo/lib/new.txt").contains("<<<<<<< yours\nown\n"));
        assert!(!said.out.contains("same.txt") && !place.has("repo/src"), "{}", said.out);
    }
}

#[test]
fn a_directory_in_which_something_is_left_has_not_moved() {
    for place in both() {
        fs::create_dir(place.path("repo/lib")).unwrap();
        place.rename("repo/src/c.txt", "repo/lib/c.txt");
        place.write("repo/src/own.txt", "something of the user's own");
        commit(&place);
        release(&place, "2.0.0", &["src/c.txt"]);
        place.write("template/src/new.txt", "new");
        let said = upgrade(&place, "repo").ended(0);
        assert!(said.out.contains("updated   lib/c.txt") && said.out.contains("created   src/new.txt"), "{}", said.out);
    }
}

#[test]
fn a_file_of_ones_own_stays_where_the_template_deletes_an_equal_one() {
    for place in both() {
        fs::create_dir(place.path("repo/own")).unwrap();
        place.rename("repo/a.txt", "repo/own/a.txt");
        place.write("repo/own/copy.txt", lines("b.txt"));
        place.remove("repo/b.txt");
        commit(&place);
        release(&place, "2.0.0", &[]);
        place.remove("template/a.txt");
        place.remove("template/b.txt");
        upgrade(&place, "repo").ended(1).has("CONFLICT  own/a.txt: deleted in the template, moved by you\n");
        assert_eq!(place.read("repo/own/a.txt"), lines("a.txt"));
        assert_eq!(place.read("repo/own/copy.txt"), lines("b.txt"));
        if place.has("repo/.git") {
            place.git("repo", &["add", "--all"]);
        }
        assert_done(&place, "repo");
    }
}
