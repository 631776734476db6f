//! What `upgrade` says: the same in a dry run, complete as JSON, and followed by lines that a shell takes.

use crate::support::place::{Place, Said};

/// A repository with a project in a folder of it, and the project's template.
fn project() -> Place {
    let place = Place::new();
    place.write("template/cargo-generate.toml", MANIFEST);
    for (file, text) in [
        ("a.txt", "a {{word}}\n"),
        ("b.txt", "1\n2\n3\n4\n5\n"),
        ("old name.txt", "this\nfile\nis\nmoved\n"),
        ("gone.txt", "gone\n"),
        ("package.json", "{\n  \"name\": \"app\"\n}\n"),
        ("bun.lock", "1\n"),
        (".github/ci.yml", "on: push\n"),
    ] {
        place.write(&format!("template/{file}"), text);
    }
    place.write("template/it's.bin", b"\0one");
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/template/\n");
    place.app("", &["apps/shop", "--silent", "--path", "template"]).ended(0);
    place.commit("");
    place
}

const MANIFEST: &str = "[create-app]\nversion = \"1.0.0\"\nrepository = [\".github/**\"]\n\n[placeholders]\nword = { prompt = \"Word?\", default = \"x\" }\n";

fn newer(place: &Place) {
    place.write("template/cargo-generate.toml", MANIFEST.replace("1.0.0", "2.0.0"));
}

/// The summary of an upgrade. Without `--dry-run` it is the same, as text and as JSON.
fn upgrade(place: &Place, code: i32, arguments: &[&str]) -> String {
    let run = |directory: &str, more: &[&str]| {
        place.app(directory, &[&["upgrade", "apps/shop", "--silent"], arguments, more].concat()).ended(code).out
    };
    let copies = Place::new();
    copies.copy(&place.path(""), "");
    let json = |more: &[&str]| {
        let all = [&["upgrade", "apps/shop", "--silent", "--json"], arguments, more].concat();
        copies.app("", &all).ended(code).out
    };
    assert_eq!(json(&["--dry-run"]), json(&[]));
    let dry = run("", &["--dry-run"]);
    let said = run("", &[]);
    assert_eq!(dry, said);
    said
}

#[test]
fn nothing_to_do_and_a_new_version_alone() {
    let place = project();
    assert_eq!(upgrade(&place, 0, &[]), "apps/shop: already up to date (template 1.0.0)\n");
    newer(&place);
    let expected = "\
apps/shop: template 1.0.0 -> 2.0.0
  none of your files change, only .create-app/lock.toml

Next steps:

  cd apps/shop
  git add --all -- .create-app
  git commit --message 'Upgrade template 1.0.0 -> 2.0.0'
";
    assert_eq!(upgrade(&place, 0, &[]), expected);
}

#[test]
fn what_came_what_was_kept_and_what_was_copied() {
    let place = project();
    newer(&place);
    place.edit("apps/shop/b.txt", "1\n", "mine\n");
    place.remove("apps/shop/a.txt");
    place.commit("");
    place.edit("apps/shop/b.txt", "2\n", "not committed\n");
    place.edit("template/b.txt", "5\n", "theirs\n");
    place.edit("template/a.txt", "a ", "b ");
    place.rename("template/old name.txt", "template/new name.txt");
    place.remove("template/gone.txt");
    place.write("template/new.txt", "new\n");
    place.edit("template/.github/ci.yml", "push", "[push]");
    place.edit("template/package.json", "app", "shop");
    let expected = "\
apps/shop: template 1.0.0 -> 2.0.0
  updated   b.txt: changed by you and in the template; merged
  deleted   gone.txt: deleted in the template
  moved     old name.txt -> new name.txt: moved in the template
  created   new.txt: new in the template
  updated   package.json: changed in the template
  updated   .github/ci.yml (at the repository's root): changed in the template
  kept      a.txt: still deleted (you removed it; the template changed it)

Git does not have these files as they were; copies are in .create-app/backup/1:
  apps/shop/b.txt

Next steps:

  cd apps/shop
  bun install
  git add --all -- ../../.github/ci.yml .create-app b.txt bun.lock gone.txt 'new name.txt' new.txt 'old name.txt' package.json
  git commit --message 'Upgrade template 1.0.0 -> 2.0.0'
";
    let said = upgrade(&place, 0, &["--allow-dirty"]);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&said), sorted(expected), "{said}");
}

#[test]
fn what_comes_by_other_answers_is_not_laid_to_the_template() {
    let place = project();
    let expected = "\
apps/shop: template 1.0.0
  answer    word: \"x\" -> \"y\"
  updated   a.txt: changed because of your answers

Next steps:

  cd apps/shop
  git add --all -- .create-app a.txt
  git commit --message 'Change answers: word'
";
    assert_eq!(upgrade(&place, 0, &["-d", "word=y"]), expected);
    place.commit("");
    place.write("apps/shop/a.txt", "mine\n");
    place.commit("");
    let said = upgrade(&place, 1, &["-d", "word=z"]);
    assert!(said.contains("  CONFLICT  a.txt: you edited lines that your answers change\n"), "{said}");
    // Where the template changed as well, it may have been either.
    let place = project();
    newer(&place);
    place.edit("template/a.txt", "a ", "b ");
    let said = upgrade(&place, 0, &["-d", "word=z"]);
    assert!(said.contains("  answer    word: \"x\" -> \"z\"\n  updated   a.txt: changed in the template\n"), "{said}");
}

#[test]
fn what_it_says_to_do_can_be_pasted() {
    let place = project();
    newer(&place);
    place.write("apps/shop/a.txt", "mine\n");
    place.write("apps/shop/it's.bin", b"\0mine");
    place.edit("apps/shop/gone.txt", "gone", "mine");
    place.edit(".github/ci.yml", "push", "mine");
    place.write("apps/shop/bun.lock", "mine\n");
    place.commit("");
    place.edit("template/a.txt", "a ", "b ");
    place.write("template/it's.bin", b"\0two");
    place.remove("template/gone.txt");
    place.edit("template/.github/ci.yml", "push", "[push]");
    place.write("template/bun.lock", "2\n");
    let said = upgrade(&place, 1, &[]);
    let (_, next) = said.split_once("\nNext steps:\n\n").unwrap();
    let expected = r"  cd apps/shop
  # a.txt: choose between the lines of 'yours' and 'template 2.0.0'
  # gone.txt: remove it, or keep it as it is
  # 'it'\''s.bin': copy what you need from 'it'\''s.bin.theirs', then remove that
  # ../../.github/ci.yml: choose between the lines of 'yours' and 'template 2.0.0'
  bun install
  git add --all -- ../../.github/ci.yml .create-app a.txt bun.lock gone.txt 'it'\''s.bin'
  create-app check && git commit --message 'Upgrade template 1.0.0 -> 2.0.0'
";
    assert_eq!(next, expected);

    place.git("", &["checkout", "--theirs", "--", "apps/shop/a.txt", ".github/ci.yml"]);
    place.remove("apps/shop/gone.txt");
    place.remove("apps/shop/it's.bin.theirs");
    let mut shell = place.command("sh", "");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_create-app")).parent().unwrap();
    let path = std::env::join_paths([program, "/usr/bin".as_ref(), "/bin".as_ref()]).unwrap();
    let next = format!("set -e\nbun() {{ test \"$PWD $*\" = \"{}/apps/shop install\"; }}\n{next}", canonical(&place));
    Said::from(shell.env("PATH", path).args(["-c", &next]).output().unwrap()).ended(0).has("7 files: ");
    let said = place.app("", &["upgrade", "apps/shop", "--silent", "--allow-dirty"]).ended(0).out;
    assert_eq!(said, "apps/shop: already up to date (template 2.0.0)\n");
}

fn canonical(place: &Place) -> String {
    place.path("").canonicalize().unwrap().to_string_lossy().into_owned()
}

#[test]
fn without_git_nothing_is_said_of_it() {
    let place = project();
    fs_err::remove_dir_all(place.path(".git")).unwrap();
    place.app("", &["shop", "--silent", "--path", "template", "--vcs", "none"]).ended(0);
    newer(&place);
    place.write("shop/a.txt", "mine\n");
    place.edit("template/a.txt", "a ", "b ");
    let said = place.app("shop", &["upgrade", "--silent"]).ended(1).out;
    let (_, next) = said.split_once("\nNext steps:\n\n").unwrap();
    let expected = "  # a.txt: choose between the lines of 'yours' and 'template 2.0.0'\n  create-app check\n";
    assert_eq!(next, expected);
}

#[test]
fn more_files_than_a_command_names_are_added_by_their_directories() {
    let place = project();
    newer(&place);
    for number in 0..41 {
        place.write(&format!("template/src/{number}.txt"), "new\n");
    }
    let said = upgrade(&place, 0, &[]);
    let next = "\n  # these directories may contain other changes of yours: check 'git status' first\n  git add --all -- .create-app src\n";
    assert!(said.contains(next), "{said}");
}
