//! What a template's author says of the way between two versions: files, answers, notes and commands, once each.

#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

mod support;

use support::place::Place;

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
    assert!(said.out.contains("nothing to do") && !said.out.contains("migrated"), "{}", said.out);
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
