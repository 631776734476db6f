//! What a template's author says of the way between two versions: files, answers, notes and commands, once each.

use crate::support::place::Place;

const OLD: &str = r#"
[placeholders]
db = { prompt = "Which database?", default = "d1" }
zone = { prompt = "Which zone?", default = "eu" }

[create-app]
version = "1.0.0"
"#;

const NEW: &str = r#"
[placeholders]
database = { prompt = "Which database?", default = "none" }
region = { prompt = "Which region?", default = "nowhere" }

[create-app]
version = "3.0.0"

[[create-app.migrations]]
version = ">=2.0.0"
steps = [
    { rename_answer = "db", to = "database" },
    { set_answer = "region", value = "{{ zone | upcase }}-1" },
    { delete_answer = "zone" },
    { rename = "src/*.js", to = "src/*.ts" },
    { note = "The sources are TypeScript now.\nYour own ones stay as they are." },
]

[[create-app.migrations]]
version = ">=3.0.0"
steps = [
    { rename = "src", to = "lib" },
    { run = "bun run migrate --force" },
]
"#;

/// A project of version 1, edited, and the template at version 3.
fn project() -> Place {
    let place = Place::new();
    place.write("template/cargo-generate.toml", OLD);
    place.write("template/src/a.js", "one\n{{ db }}\nthree\n");
    place.write("template/src/b.js", "b\n");
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/template/\n");
    place.app("", &["shop", "--path", "template", "--silent", "-d", "db=kv"]).ended(0);
    place.edit("shop/src/a.js", "three\n", "three\nmine\n");
    place.commit("shop");
    place.write("template/cargo-generate.toml", NEW);
    place.remove("template/src/a.js");
    place.remove("template/src/b.js");
    // Nothing but the migration tells that this is the same file.
    place.write("template/lib/a.ts", "ONE: string\n{{ database }}\nthree\n{{ region }}\n");
    place.write("template/lib/b.ts", "export {}\n");
    place
}

const SAID: &str = "
  migrated  >=2.0.0: answer db -> database
  migrated  >=2.0.0: answer region set
  migrated  >=2.0.0: answer zone deleted
  migrated  >=2.0.0: files src/*.js -> src/*.ts
  note      >=2.0.0: The sources are TypeScript now.
            Your own ones stay as they are.
  migrated  >=3.0.0: files src -> lib
";

#[test]
fn an_upgrade_over_two_versions_runs_the_migrations_of_both_once() {
    let place = project();
    let dry = place.app("", &["upgrade", "shop", "--silent", "--dry-run"]).ended(1);
    assert!(dry.out.contains(SAID), "{}", dry.out);
    assert!(place.read("shop/.create-app/lock.toml").contains("db = \"kv\""));

    let said = place.app("", &["upgrade", "shop", "--silent"]).ended(1);
    assert!(said.out.contains(SAID), "{}", said.out);
    assert!(said.out.contains("bun run migrate --force"), "{}", said.out);
    let lock = place.read("shop/.create-app/lock.toml");
    assert!(lock.contains("database = \"kv\"") && lock.contains("region = \"EU-1\""), "{lock}");
    assert!(!lock.contains("zone") && !lock.contains("db ="), "{lock}");
    // The user's line is in the renamed file; where both changed the same place, there is a conflict, and only there.
    let merged = place.read("shop/lib/a.ts");
    assert!(merged.starts_with("ONE: string\nkv\nthree\n<<<<<<<") && merged.contains("mine"), "{merged}");
    assert_eq!(place.read("shop/lib/b.ts"), "export {}\n");
    assert!(!place.path("shop/src").exists());

    // A conflict is no reason to do it again.
    place.write("shop/lib/a.ts", "ONE: string\nkv\nthree\nmine\nEU-1\n");
    place.commit("shop");
    let said = place.app("", &["upgrade", "shop", "--silent"]).ended(0);
    assert!(said.out.contains("already up to date") && !said.out.contains("migrated"), "{}", said.out);
}

#[test]
fn what_is_given_counts_more_than_a_migration() {
    let place = project();
    place.app("", &["upgrade", "shop", "--silent", "-d", "region=us"]).ended(1);
    assert!(place.read("shop/.create-app/lock.toml").contains("region = \"us\""));
}

#[test]
fn programs_get_every_step() {
    let place = project();
    let said = place.app("", &["upgrade", "shop", "--silent", "--dry-run", "--json"]).ended(1);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let steps = json["migrations"].as_array().unwrap();
    assert_eq!(steps.len(), 7);
    assert_eq!(
        steps[0],
        serde_json::json!({ "version": ">=2.0.0", "action": "rename_answer", "from": "db", "to": "database" })
    );
    assert_eq!(steps[6]["command"], "bun run migrate --force");
}

#[test]
fn only_what_is_between_the_versions_runs() {
    let place = project();
    place.edit("shop/.create-app/lock.toml", "version = \"1.0.0\"", "version = \"2.5.0\"");
    place.commit("shop");
    let said = place.app("", &["upgrade", "shop", "--silent", "--dry-run"]);
    assert!(said.out.contains(">=3.0.0: files src -> lib") && !said.out.contains(">=2.0.0"), "{}", said.out);

    place.edit("shop/.create-app/lock.toml", "version = \"2.5.0\"", "version = \"yesterday\"");
    place.commit("shop");
    let said = place.app("", &["upgrade", "shop", "--silent", "--dry-run"]).ended(2);
    assert!(said.err.contains("`yesterday`, cannot be compared"), "{}", said.err);
}

#[test]
fn a_case_of_a_template_tries_its_migrations() {
    let place = project();
    place.write(
        "template/tests/up/case.toml",
        "name = \"shop\"\n[values]\ndb = \"kv\"\nzone = \"us\"\n[upgrade]\nversion = \"1.0.0\"\n",
    );
    place.write("template/tests/up/base/src/b.js", "b\n");
    place.edit("template/cargo-generate.toml", "[placeholders]", "[template]\nignore = [\"tests\"]\n[placeholders]");
    let said = place.app("", &["test", "template", "--bless"]);
    assert!(said.out.contains("up"), "{}{}", said.out, said.err);
    assert_eq!(place.read("template/tests/up/expected/lib/b.ts"), "export {}\n");
    assert!(place.read("template/tests/up/expected/lib/a.ts").contains("US-1"));
    assert!(place.read("template/tests/up/summary.txt").contains("migrated  >=2.0.0: answer db -> database"));
    place.app("", &["test", "template"]).ended(0);
}

/// The migrations of a template whose command edits files of the project; `COMMAND` is in a file of its own, as commands are long.
fn with_command(command: &str) -> Place {
    let place = Place::new();
    place.write("template/cargo-generate.toml", "[create-app]\nversion = \"1.0.0\"\n");
    place.write("template/src/a.txt", "one\ntwo\nthree\n");
    place.write("template/src/gone.txt", "gone\n");
    place.write("template/.gitignore", "/cache/\n*.log\n");
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/template/\nnode_modules/\n");
    place.app("", &["shop", "--path", "template", "--silent"]).ended(0);
    place.write("shop/mine/own.txt", "own\n");
    place.write("shop/cache/secret", "ignored\n");
    place.commit("shop");
    let manifest = format!(
        "[create-app]\nversion = \"2.0.0\"\n\n[[create-app.migrations]]\nversion = \">=2.0.0\"\nsteps = [\n    \
         {{ rename = \"src\", to = \"lib\" }},\n    {{ run = '''{command}''' }},\n]\n"
    );
    place.write("template/cargo-generate.toml", &manifest);
    place.remove("template/src/a.txt");
    place.write("template/lib/a.txt", "one\ntwo\nthree\nfour\n");
    place.remove("template/src/gone.txt");
    place.write("template/lib/gone.txt", "gone\n");
    place
}

const COMMAND: &str = "test ! -e cache && test ! -e .create-app && test ! -e src && sed -i s/one/ONE/ lib/a.txt \
                       && sed -i s/own/OWN/ mine/own.txt && rm lib/gone.txt && echo new > mine/new.txt && echo x > mine/x.log \
                       && mkdir node_modules && echo m > node_modules/m && ln -s m node_modules/l && echo from the command";

#[test]
#[cfg(unix)]
fn a_command_that_is_agreed_to_runs_before_the_merge_in_a_copy() {
    let place = with_command(COMMAND);
    let words = ["upgrade", "shop", "--silent", "--allow-commands"];
    let dry = place.app("", &[&words[..], &["--dry-run"]].concat()).ended(0);
    assert!(dry.out.contains("  ran       >=2.0.0: test ! -e cache"), "{}", dry.out);
    assert_eq!(place.git("shop", &["status", "--porcelain"]), "");

    let said = place.app("", &words).ended(0);
    assert!(said.err.contains("from the command"), "{}", said.err);
    for line in [
        "  moved     src/a.txt -> lib/a.txt: changed by you and in the template; merged",
        "  deleted   src/gone.txt: changed by a command of a migration",
        "  created   mine/new.txt: changed by a command of a migration",
        "  updated   mine/own.txt: changed by a command of a migration",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
    assert_eq!(place.read("shop/lib/a.txt"), "ONE\ntwo\nthree\nfour\n");
    assert_eq!(place.read("shop/mine/own.txt"), "OWN\n");
    assert_eq!(place.read("shop/mine/new.txt"), "new\n");
    for gone in ["src", "lib/gone.txt", "mine/x.log", "node_modules"] {
        assert!(!place.path(&format!("shop/{gone}")).exists(), "{gone}");
    }
    // All of it is one change: it can be undone, and made again.
    place.app("", &["upgrade", "shop", "--abort"]).ended(0);
    assert_eq!(place.git("shop", &["status", "--porcelain"]), "");
    place.app("", &words).ended(0);
    place.commit("shop");
    let again = place.app("", &words).ended(0);
    assert!(
        again.out.contains("already up to date") && !again.err.contains("from the command"),
        "{}{}",
        again.out,
        again.err
    );
}

#[test]
#[cfg(unix)]
fn a_command_that_nobody_agreed_to_is_left_to_the_user() {
    let place = with_command(COMMAND);
    let said = place.app("", &["upgrade", "shop", "--silent", "--json"]).ended(0);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["migrations"][1]["ran"], false);
    assert_eq!(place.read("shop/lib/a.txt"), "one\ntwo\nthree\nfour\n");
    assert_eq!(place.read("shop/mine/own.txt"), "own\n");
}

#[test]
#[cfg(unix)]
fn a_command_that_fails_changes_nothing() {
    for (command, expected) in [
        ("rm -r lib; echo no >&2; exit 3", "ended with exit code 3: no"),
        ("sleep 60", "took longer than 1 seconds (--command-timeout)"),
        ("ln -s /etc/passwd mine/link", "left `mine/link`, which is not a regular file"),
        (
            "mkdir .create-app && echo forged > .create-app/lock.toml",
            "left `.create-app/lock.toml`, which leads into `.create-app`",
        ),
        ("echo x > 'mine/a:b'", "left `mine/a:b`, which"),
    ] {
        let place = with_command(command);
        let words = ["upgrade", "shop", "--silent", "--allow-commands", "--command-timeout", "1"];
        let said = place.app("", &words).ended(2);
        assert!(said.err.contains("error[H004]") && said.err.contains(expected), "{command}: {}", said.err);
        assert_eq!(place.git("shop", &["status", "--porcelain"]), "", "{command}");
    }
}

#[test]
#[cfg(unix)]
fn what_a_command_changes_and_git_does_not_hold_is_kept() {
    let place = with_command(COMMAND);
    place.write("shop/mine/own.txt", "own, not committed\n");
    let words = ["upgrade", "shop", "--silent", "--allow-commands"];
    let said = place.app("", &words).ended(2);
    assert!(said.err.contains("`shop/mine/own.txt` has uncommitted changes"), "{}", said.err);
    place.app("", &[&words[..], &["--allow-dirty"]].concat()).ended(0);
    assert_eq!(place.read("shop/mine/own.txt"), "OWN, not committed\n");
    assert_eq!(place.read("shop/.create-app/backup/1/shop/mine/own.txt"), "own, not committed\n");
}

#[test]
#[cfg(unix)]
fn without_a_repository_the_ignore_files_of_the_app_count() {
    let place = with_command(&COMMAND.replace("node_modules", "cache"));
    std::fs::remove_dir_all(place.path(".git")).unwrap();
    let lock = place.read("shop/.create-app/lock.toml");
    place.write("shop/.create-app/lock.toml", lock.replace("app_dir = \"shop\"\n", ""));
    place.app("", &["upgrade", "shop", "--silent", "--allow-commands"]).ended(0);
    assert_eq!(place.read("shop/lib/a.txt"), "ONE\ntwo\nthree\nfour\n");
    assert_eq!(place.read("shop/cache/secret"), "ignored\n");
    assert!(!place.path("shop/cache/m").exists() && !place.path("shop/mine/x.log").exists());
}

#[test]
#[cfg(unix)]
fn a_test_case_runs_a_command_where_the_command_line_agrees() {
    let place = with_command(&COMMAND.replace("node_modules", "cache"));
    for (path, text) in [
        ("case.toml", "[upgrade]\nversion = \"1.0.0\"\n"),
        ("base/src/a.txt", "one\ntwo\nthree\n"),
        ("base/src/gone.txt", "gone\n"),
        ("base/.gitignore", "/cache/\n*.log\n"),
        ("edit/mine/own.txt", "own\n"),
    ] {
        place.write(&format!("template/tests/up/{path}"), text);
    }
    let manifest = place.read("template/cargo-generate.toml");
    place.write("template/cargo-generate.toml", format!("[template]\nignore = [\"tests\"]\n\n{manifest}"));
    place.app("", &["test", "template", "--bless", "--allow-commands"]).ended(0);
    assert_eq!(place.read("template/tests/up/expected/lib/a.txt"), "ONE\ntwo\nthree\nfour\n");
    assert_eq!(place.read("template/tests/up/expected/mine/own.txt"), "OWN\n");
    place.app("", &["test", "template", "--allow-commands"]).ended(0);
    let said = place.app("", &["test", "template"]).ended(1);
    assert!(said.out.contains("ONE"), "{}", said.out);
}
