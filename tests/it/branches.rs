//! Branches of a project that each changed their answers, brought together by git in every way that it has.

use crate::support::place::{Place, Said};

const LOCK: &str = "repo/.create-app/lock.toml";

fn manifest(version: &str) -> String {
    format!(
        "[create-app]\nversion = \"{version}\"\n[placeholders]\n\
         domain = {{ prompt = \"?\", default = \"\" }}\n\
         region = {{ prompt = \"?\", choices = [\"eu\", \"us\", \"asia\"], default = \"eu\" }}\n\
         with_kv = {{ type = \"bool\", prompt = \"?\", default = false }}\n"
    )
}

/// A project, committed on `main`, whose files depend on an answer each, and one on two of them.
fn project() -> Place {
    let place = Place::new();
    place.write("template/cargo-generate.toml", manifest("1.0.0"));
    place.write("template/a-domain.txt", "one\n{{domain}}\n");
    place.write("template/b-kv.txt", "one\n{% if with_kv %}kv\n{% endif %}");
    place.write("template/c-region.txt", "one\n{{region}}\n");
    place.write("template/d-both.txt", "{% if with_kv and domain != '' %}both{% else %}not both{% endif %}\n");
    place.git("", &["init", "--quiet", "--initial-branch=main", "repo"]);
    place.app("repo", &["new", ".", "--silent", "--init", "--name", "shop", "--path", "../template"]).ended(0);
    place.commit("repo");
    place
}

/// A branch from `main`, upgraded with these answers.
fn branch(place: &Place, name: &str, answers: &[&str]) {
    place.git("repo", &["switch", "--quiet", "--create", name, "main"]);
    upgrade(place, answers).ended(0);
    place.commit("repo");
}

fn upgrade(place: &Place, answers: &[&str]) -> Said {
    let given = answers.iter().flat_map(|answer| ["-d", answer]);
    place.app("repo", &["upgrade", "--silent"].into_iter().chain(given).collect::<Vec<_>>())
}

/// Runs git, which is to end with this code.
#[track_caller]
fn git(place: &Place, arguments: &[&str], code: i32) -> Said {
    Said::from(place.command("git", "repo").args(arguments).output().unwrap()).ended(code)
}

#[track_caller]
fn answers(place: &Place) -> [String; 3] {
    let lock: toml::Table = toml::from_str(&place.read(LOCK)).unwrap();
    ["domain", "region", "with_kv"].map(|name| lock["answers"][name].to_string().trim_matches('"').to_owned())
}

/// The record has these answers, the files are what they render, and what changes for one of them in the template arrives.
#[track_caller]
fn assert_whole(place: &Place, expected: [&str; 3]) {
    assert_eq!(answers(place), expected);
    let said = upgrade(place, &[]).ended(0);
    if !said.out.contains("already up to date") {
        place.commit("repo");
    }
    upgrade(place, &[]).ended(0).has("already up to date");
    place.app("repo", &["check", "--pristine"]).ended(0);
    let both = if !expected[0].is_empty() && expected[2] == "true" { "both\n" } else { "not both\n" };
    assert_eq!(place.read("repo/d-both.txt"), both);
    let kv = place.read("template/b-kv.txt");
    place.write("template/b-kv.txt", kv.replace("}kv\n", "}kv, and more\n"));
    upgrade(place, &[]).ended(0);
    assert_eq!(place.read("repo/b-kv.txt").contains("kv, and more"), expected[2] == "true");
}

#[test]
fn answers_that_do_not_contradict_merge_in_git_by_itself() {
    for way in ["merge", "rebase", "cherry-pick", "squash"] {
        let place = project();
        branch(&place, "one", &["with_kv=true"]);
        branch(&place, "two", &["domain=a.example"]);
        match way {
            "merge" => git(&place, &["merge", "--quiet", "--no-edit", "one"], 0),
            "rebase" => git(&place, &["rebase", "--quiet", "one"], 0),
            "cherry-pick" => git(&place, &["cherry-pick", "one"], 0),
            _ => {
                git(&place, &["merge", "--quiet", "--squash", "one"], 0);
                git(&place, &["commit", "--quiet", "--message", "One"], 0)
            }
        };
        assert_whole(&place, ["a.example", "eu", "true"]);
    }
}

#[test]
fn an_octopus_merges_three_neighbours() {
    let place = project();
    branch(&place, "one", &["with_kv=true"]);
    branch(&place, "two", &["region=us"]);
    branch(&place, "three", &["domain=a.example"]);
    git(&place, &["merge", "--quiet", "--no-edit", "one", "two"], 0);
    assert_whole(&place, ["a.example", "us", "true"]);
}

#[test]
fn an_upgrade_that_is_reverted_takes_its_answer_back() {
    let place = project();
    branch(&place, "one", &["with_kv=true"]);
    upgrade(&place, &["domain=a.example"]).ended(0);
    place.commit("repo");
    git(&place, &["revert", "--no-edit", "HEAD^"], 0);
    // `d-both.txt` depends on both answers.
    assert_eq!(place.read("repo/d-both.txt"), "both\n");
    upgrade(&place, &[]).ended(0).has("updated   d-both.txt");
    place.commit("repo");
    assert_whole(&place, ["a.example", "eu", "false"]);

    let place = project();
    branch(&place, "one", &["region=us"]);
    upgrade(&place, &["domain=a.example"]).ended(0);
    place.commit("repo");
    git(&place, &["revert", "--no-edit", "HEAD^"], 0);
    assert_whole(&place, ["a.example", "eu", "false"]);
}

/// Both add a file in the same place, and each goes on to another version of the template.
fn conflicted(style: &str, way: &[&str]) -> Place {
    let place = project();
    place.git("repo", &["config", "merge.conflictStyle", style]);
    place.write("template/b-{% if with_kv %}kv2{% else %}x{% endif %}.txt", "x\n");
    branch(&place, "one", &["with_kv=true", "region=us"]);
    branch(&place, "two", &["domain=a.example", "region=us"]);
    place.write("template/cargo-generate.toml", manifest("2.0.0"));
    upgrade(&place, &[]).ended(0);
    place.commit("repo");
    place.git("repo", &["switch", "--quiet", "one"]);
    place.write("template/cargo-generate.toml", manifest("3.0.0"));
    upgrade(&place, &[]).ended(0);
    place.commit("repo");
    git(&place, way, 1);
    assert_eq!(place.git("repo", &["diff", "--name-only", "--diff-filter=U"]), ".create-app/lock.toml\n");
    place
}

#[test]
fn a_lock_in_conflict_is_made_of_both_sides() {
    for style in ["merge", "diff3", "zdiff3"] {
        for way in [
            &["merge", "--quiet", "--no-edit", "two"][..],
            &["merge", "--quiet", "--squash", "two"],
            &["rebase", "--quiet", "two"],
        ] {
            let place = conflicted(style, way);
            assert!(place.read(LOCK).contains("<<<<<<<"));
            place
                .app("repo", &["check"])
                .ended(1)
                .has("unchanged")
                .warns("error[L001]: `.create-app/lock.toml` has a merge conflict");
            // A file that the merge adds, and that the answers of both no longer render, cannot go before that is committed.
            let said = upgrade(&place, &[]).ended(0);
            let waits = said.err.contains("`b-x.txt` has uncommitted changes");
            assert_eq!(waits, way[0] == "merge", "{}{}", said.out, said.err);
            assert!(upgrade(&place, &[]).err.contains("git still has `.create-app/lock.toml` in conflict"));
            place.git("repo", &["add", "--all"]);
            let done =
                place.command("git", "repo").args(["-c", "core.editor=true", way[0], "--continue"]).output().unwrap();
            if !done.status.success() {
                place.git("repo", &["commit", "--quiet", "--message", "Merge"]);
            }
            assert_whole(&place, ["a.example", "us", "true"]);
        }
    }
}

#[test]
fn what_contradicts_is_named_with_the_options_that_decide() {
    for answer in ["region=us", "region=asia", "region=eu"] {
        let place = project();
        branch(&place, "one", &["region=us", "with_kv=true"]);
        branch(&place, "two", &["region=asia", "domain=a.example"]);
        git(&place, &["merge", "--quiet", "--no-edit", "one"], 1);
        for name in ["c-region.txt", "d-both.txt"] {
            place.git("repo", &["checkout", "--quiet", "--ours", "--", name]);
            place.git("repo", &["add", name]);
        }
        let before = place.read(LOCK);
        for command in [&["upgrade", "--silent"][..], &["diff"], &["upgrade", "-d", "domain=b.example"]] {
            let said =
                place.app("repo", command).ended(2).warns("`region` is `asia` on one side and `us` on the other");
            assert!(said.err.contains("run `create-app upgrade` with -d region=asia or -d region=us"), "{}", said.err);
        }
        place.app("repo", &["check"]).ended(1).warns("-d region=asia or -d region=us");
        assert_eq!(place.read(LOCK), before);
        upgrade(&place, &[answer]).ended(0);
        place.git("repo", &["add", "--all"]);
        git(&place, &["commit", "--quiet", "--no-edit"], 0);
        assert_whole(&place, ["a.example", answer.split_once('=').unwrap().1, "true"]);
    }
}

#[test]
fn markers_that_were_committed_are_put_right_without_gits_help() {
    let place = conflicted("diff3", &["merge", "--quiet", "--no-edit", "two"]);
    place.git("repo", &["add", "--all"]);
    git(&place, &["commit", "--quiet", "--no-edit"], 0);
    place.app("repo", &["check"]).ended(1).warns("has a merge conflict");
    upgrade(&place, &[]).ended(0);
    place.commit("repo");
    assert_whole(&place, ["a.example", "us", "true"]);
}

/// The attributes that an older version wrote keep git from merging the lock: the own side stays in place.
#[test]
fn a_lock_that_git_did_not_merge_is_made_of_gits_stages() {
    let place = project();
    let attributes = "repo/.create-app/.gitattributes";
    place.write(attributes, place.read(attributes).replace(" merge\n", "\n"));
    place.commit("repo");
    // So that neither branch mends the attributes.
    place.git("repo", &["config", "core.attributesFile", "/dev/null"]);
    place.write("repo/.git/info/attributes", "lock.toml -merge\n");
    branch(&place, "one", &["with_kv=true"]);
    branch(&place, "two", &["domain=a.example"]);
    git(&place, &["merge", "--quiet", "--no-edit", "one"], 1);
    assert!(!place.read(LOCK).contains("<<<<"));
    place.app("repo", &["check"]).ended(1).warns("has a merge conflict");
    upgrade(&place, &[]).ended(0).has("answer    with_kv: false -> true");
    place.git("repo", &["add", "--all"]);
    git(&place, &["commit", "--quiet", "--no-edit"], 0);
    assert_whole(&place, ["a.example", "eu", "true"]);
}

#[test]
fn what_else_is_in_conflict_does_not_keep_the_lock_from_being_put_right() {
    let place = project();
    branch(&place, "one", &["region=us", "with_kv=true"]);
    place.write("repo/own.txt", "one\n");
    place.commit("repo");
    branch(&place, "two", &["region=asia", "domain=a.example"]);
    place.write("repo/own.txt", "two\n");
    place.commit("repo");
    git(&place, &["merge", "--quiet", "--no-edit", "one"], 1);
    let said = upgrade(&place, &["region=us"]).ended(0).warns("has an unresolved conflict");
    assert!(said.err.contains("commit the merge"), "{}", said.err);
    assert_eq!(answers(&place), ["a.example", "us", "true"]);
    assert!(place.read("repo/c-region.txt").contains("<<<<<<<"), "the others are left alone");
}

#[test]
fn files_that_other_answers_rendered_are_told_with_the_answers() {
    let place = project();
    branch(&place, "one", &["with_kv=true"]);
    branch(&place, "two", &["domain=a.example"]);
    git(&place, &["merge", "--quiet", "--no-edit", "one"], 0);
    // Whoever takes a side of the lock loses what the other one answered.
    place.git("repo", &["checkout", "--quiet", "HEAD^1", "--", ".create-app/lock.toml"]);
    place.commit("repo");
    let warning =
        "warning[L007]: the files do not match the recorded answers: `b-kv.txt` were rendered with other answers";
    let help = "`create-app upgrade . -d with_kv=true`";
    // The base that the lock names is brought back, and the warning stays.
    upgrade(&place, &[]).ended(0).has("none of your files change").warns(warning).warns(help);
    place.commit("repo");
    upgrade(&place, &[]).ended(0).has("already up to date").warns(warning).warns(help);
    place.app("repo", &["check"]).ended(0).warns(warning).warns(help);
    let said = upgrade(&place, &["with_kv=true"]).ended(0);
    assert!(!said.err.contains("L007"), "{}", said.err);
    place.commit("repo");
    assert_whole(&place, ["a.example", "eu", "true"]);
}

/// What a file was before an upgrade is in the base because of the lock, and not because of other answers.
#[test]
fn a_file_that_has_the_old_content_of_another_one_fits_the_answers() {
    let place = project();
    place.git("repo", &["rm", "--quiet", "b-kv.txt"]);
    place.git("repo", &["mv", "c-region.txt", "b-kv.txt"]);
    place.commit("repo");
    let said = upgrade(&place, &["region=us", "with_kv=true"]);
    assert!(!said.err.contains("L007"), "{}", said.err);
}

/// What a lock holds between its markers can be anything.
#[test]
fn markers_of_somebody_else_are_an_error_like_any_other() {
    let place = project();
    let lock = place.read(LOCK);
    for text in [
        "<<<<<<< a\n".to_owned(),
        "<<<<<<< a\n=======\n>>>>>>> b\n".to_owned(),
        format!("{lock}<<<<<<< a\n\"../x\" = \"100644 secret\"\n=======\n>>>>>>> b\n"),
        lock.replace("format = 1", "<<<<<<< a\nformat = 99\n=======\nformat = 1\n>>>>>>> b"),
    ] {
        place.write(LOCK, &text);
        let said = upgrade(&place, &[]).ended(2);
        assert!(said.err.contains("error[L00"), "{}", said.err);
        assert_eq!(place.read(LOCK), text);
    }
}
