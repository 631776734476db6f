//! Names of the template's that macOS or Windows takes for those of files that the project has: said on every system, before anything
//! is written.

use crate::support::place::Place;
use crate::support::sample::{assert_done, lines, project, release, upgrade};
use crate::support::tree;

/// The project has a file at one path, and the template gets one at another.
fn collide(ours: &str, theirs: &str) -> Place {
    let place = project(".");
    place.write(&format!("repo/{ours}"), lines("mine"));
    place.commit("repo");
    release(&place, "2.0.0", &["a.txt"]);
    place.write(&format!("template/{theirs}"), lines("the template's"));
    place
}

#[test]
fn a_new_file_whose_name_differs_only_in_case_or_encoding_is_refused() {
    for (ours, theirs, what) in [
        ("README.md", "Readme.md", "`Readme.md` and your `README.md` differ only in case"),
        ("src/Deep/x.txt", "src/Deep/X.txt", "`src/Deep/X.txt` and your `src/Deep/x.txt` differ only in case"),
        ("r\u{e9}sum\u{e9}.md", "re\u{301}sume\u{301}.md", "your `r\\u{e9}sum\\u{e9}.md` differ only in the encoding"),
        ("STRA\u{c4}E", "straa\u{308}e", "differ only in case"),
    ] {
        let place = collide(ours, theirs);
        let before = tree::read(&place.path("repo"));
        let template = place.path("template");
        for command in [&["upgrade", "--silent"][..], &["upgrade", "--silent", "--dry-run"], &["diff"]] {
            let said = place.app("repo", &[command, &["--path", template.to_str().unwrap()]].concat()).ended(2);
            assert!(said.err.contains("error[T005]") && said.err.contains(what), "{}", said.err);
            assert!(said.err.contains("rename yours (`git mv "), "{}", said.err);
        }
        assert_eq!(tree::differences(&before, &tree::read(&place.path("repo"))), "");
    }
}

#[test]
fn a_file_that_was_renamed_as_the_error_says_is_merged() {
    let place = collide("README.md", "Readme.md");
    let said = upgrade(&place, "repo").ended(2);
    let command = said.err.split('`').find(|text| text.starts_with("git mv")).unwrap();
    let done = place.command("sh", "repo").args(["-c", command]).output().unwrap();
    assert!(done.status.success());
    place.commit("repo");
    upgrade(&place, "repo").ended(1).has("CONFLICT  Readme.md");
}

#[test]
fn a_directory_is_a_warning_and_what_leaves_is_in_nobodys_way() {
    let place = collide("Docs/own.md", "docs/new.md");
    let said = upgrade(&place, "repo").ended(0).has("created   docs/new.md");
    assert!(said.err.contains("warning[T005]: the template's directory `docs` and your `Docs`"), "{}", said.err);
    place.commit("repo");
    assert_done(&place, "repo");

    // The template changes the case of what it has itself.
    let place = project(".");
    place.rename("template/src/c.txt", "template/Src/C.txt");
    release(&place, "2.0.0", &["a.txt"]);
    let said = upgrade(&place, "repo").ended(0).has("moved     src/c.txt -> Src/C.txt");
    assert!(!said.err.contains("T005"), "{}", said.err);
}

#[test]
fn a_new_project_in_a_directory_with_files_is_judged_alike() {
    let place = Place::new();
    place.write("template/Readme.md", "theirs\n");
    place.write("app/README.md", "mine\n");
    let new = ["new", "app", "--silent", "--init", "--path", "template"];
    place.app("", &new).ended(2).warns("error[T005]").warns("(`mv app/README.md app/Readme.md`)");
    assert!(!place.has("app/.create-app") && !place.has("app/Readme.md"));
}

#[test]
fn names_of_one_template_are_a_warning() {
    let place = Place::new();
    for name in ["\u{e4}.txt", "a\u{308}.txt", "Docs/a.md", "docs/b.md"] {
        place.write(&format!("template/{name}"), "x\n");
    }
    let said = place.app("", &["new", "app", "--silent", "--path", "template"]).ended(0);
    assert!(
        said.err.contains("warning[T005]: `a\\u{308}.txt` and `\\u{e4}.txt` differ only in the encoding"),
        "{}",
        said.err
    );
    assert!(said.err.contains("warning[T005]: `Docs` and `docs` differ only in case"), "{}", said.err);
}

/// What a shell makes of the line that leads to a project is the project's directory, whatever its name is.
#[test]
fn the_command_that_leads_to_a_project_leads_there() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let has_bash = std::process::Command::new("bash").arg("--version").output().is_ok();
    let names: [&[u8]; 9] =
        [b"a b", b"it's", b"$(touch ran)", b"-x", b"a\\b", b"a\nb", b"a\xffb", "\u{202e}a".as_bytes(), b"~"];
    for name in names {
        let place = project(".");
        let moved = place.path("repo").with_file_name(OsStr::from_bytes(name));
        // Not every system has such names.
        if std::fs::rename(place.path("repo"), &moved).is_err() {
            continue;
        }
        let (first, last) = (place.path("template/a.txt"), place.path("template/only.txt"));
        fs_err::write(first, lines("changed")).unwrap();
        fs_err::write(last, "new\n").unwrap();
        let mut upgrade = place.command(env!("CARGO_BIN_EXE_create-app"), "");
        let said =
            upgrade.args(["upgrade", "--silent", "--allow-dirty", "--"]).arg(OsStr::from_bytes(name)).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let line =
            said.lines().find_map(|line| line.strip_prefix("  cd ")).unwrap_or_else(|| panic!("{name:?}: {said}"));
        let shell = if line.contains("$'") { "bash" } else { "sh" };
        if shell == "bash" && !has_bash {
            println!("skipped: there is no bash");
            continue;
        }
        let went = place.command(shell, "").arg("-c").arg(format!("cd {line} && pwd -P")).output().unwrap();
        let expected = [moved.canonicalize().unwrap().as_os_str().as_bytes(), b"\n"].concat();
        assert_eq!(went.stdout.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{line}");
    }
}
