//! Where a secret answer goes: into the files that show it, and nowhere else.

use crate::support::place::{Place, Said};
use crate::support::tree;
use create_app::digest::Digest;

const SECRET: &str = "Hunter2&Secret";

const MANIFEST: &str = "\
[placeholders]
token = { prompt = 'Token?', default = 'none' }
name = { prompt = 'Name?', default = 'shop' }
[create-app]
secret = ['token']
";

/// Checks that nothing of the secret was printed.
#[track_caller]
fn hides(said: Said) -> Said {
    let all = format!("{}{}", said.out, said.err).to_lowercase();
    assert!(!all.contains("hunter") && !all.contains("retnuh"), "{}{}", said.out, said.err);
    said
}

#[track_caller]
fn new(place: &Place, token: &str) -> Said {
    let token = format!("token={token}");
    let arguments = ["new", "app", "--path", "t", "--vcs", "none", "--silent", "-d", &token];
    hides(place.app("", &arguments).ended(0))
}

/// A project of the template in `t`, committed.
#[track_caller]
fn committed(place: &Place, token: &str) {
    new(place, token);
    place.git("app", &["init", "--quiet"]);
    place.commit("app");
}

#[test]
fn the_record_is_the_same_for_every_secret() {
    let record = |token: &str| {
        let place = Place::new();
        place.write("t/cargo-generate.toml", MANIFEST);
        place.write("t/plain", "{{ name }}, none");
        place.write(
            "t/filtered",
            "{{ token | url_encode }} {{ token | upcase }} {{ token | split: '' | reverse | join }}",
        );
        place.write(
            "t/decided",
            "{% if token contains 'H' %}a{% else %}{{ 'now' | date: '%F' }}{% endif %}{{ nobody }}",
        );
        place.write("t/sized", "{{ token | size }}");
        let said = new(&place, token);
        let dated = place.read("app/.create-app/lock.toml");
        let undated: String = dated.lines().filter(|line| !line.starts_with("date = ")).collect();
        assert_eq!(dated.matches("100644 secret").count(), 3, "{dated}");
        (undated, tree::read(&place.path("app/.create-app/base")), said.out, said.err)
    };
    let first = record(SECRET);
    assert_eq!(first.1.len(), 1);
    for token in ["none", "", "42"] {
        assert_eq!(record(token), first, "{token}");
    }
}

#[test]
fn an_answer_that_becomes_secret_is_not_shown_once_more() {
    let place = Place::new();
    place.write("t/cargo-generate.toml", MANIFEST.replace("'token'", ""));
    place.write("t/config", "{{ token }}\n");
    place.app("", &["new", "app", "--path", "t", "--vcs", "none", "-d", &format!("token={SECRET}")]).ended(0);
    place.git("app", &["init", "--quiet"]);
    place.commit("app");
    place.write("t/cargo-generate.toml", MANIFEST);
    let json = hides(place.app("app", &["upgrade", "--dry-run", "--json"]).ended(0));
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["answers"][0], serde_json::json!({ "name": "token", "before": null, "after": null }));
    let said = hides(place.app("app", &["upgrade"]).ended(0));
    said.has("answer    token: secret from now on, so not recorded");
    assert_eq!(place.read("app/config"), format!("{SECRET}\n"));
    assert!(!place.read("app/.create-app/lock.toml").contains(SECRET));
    // The base has the file with a marker in place of the secret, and no digest is the secret's.
    assert_eq!(tree::read(&place.path("app/.create-app/base")).len(), 1);
    assert!(!place.has(&format!("app/.create-app/base/{}", Digest::of(format!("{SECRET}\n").as_bytes()))));
}

/// A template with one secret in its `.env`, and a project of it that is committed.
fn with_env(token: &str) -> Place {
    let place = Place::new();
    place.write("t/cargo-generate.toml", MANIFEST);
    place.write("t/.env", "TOKEN={{ token }}\nA=1\n\nB=1\n\nC=1\n");
    committed(&place, token);
    place
}

#[test]
fn a_changed_line_and_a_changed_secret_arrive_where_the_file_is_otherwise_as_rendered() {
    for (given, expected) in [("old", "old"), (SECRET, SECRET)] {
        let place = with_env("old");
        place.write("t/.env", "TOKEN={{ token }}\nA=1\n\nB=1\n\nC=2\n");
        let said = hides(place.app("app", &["upgrade", "--silent", "-d", &format!("token={given}")]).ended(0));
        assert_eq!(
            said.out.contains("it had a different secret from the one that you gave"),
            given != "old",
            "{}",
            said.out
        );
        assert_eq!(place.read("app/.env"), format!("TOKEN={expected}\nA=1\n\nB=1\n\nC=2\n"));
        assert!(!place.read("app/.create-app/lock.toml").contains(expected));
        place.commit("app");
        place.app("app", &["upgrade", "--silent", "-d", &format!("token={given}")]).ended(0).has("already up to date");
    }
}

#[test]
fn a_secret_that_nobody_gave_stays_and_the_rest_arrives() {
    let place = with_env(SECRET);
    place.write("t/.env", "TOKEN={{ token }}\nA=1\n\nB=1\n\nC=2\n");
    hides(place.app("app", &["upgrade", "--silent"]).ended(0));
    assert_eq!(place.read("app/.env"), format!("TOKEN={SECRET}\nA=1\n\nB=1\n\nC=2\n"));
}

#[test]
fn lines_of_the_users_stay_beside_a_changed_secret() {
    let place = with_env("old");
    place.edit("app/.env", "B=1", "B=1\nMINE=1");
    place.commit("app");
    place.write("t/.env", "TOKEN={{ token }}\nA=1\n\nB=1\n\nC=2\n");
    hides(place.app("app", &["upgrade", "--silent", "-d", &format!("token={SECRET}")]).ended(0));
    assert_eq!(place.read("app/.env"), format!("TOKEN={SECRET}\nA=1\n\nB=1\nMINE=1\n\nC=2\n"));
}

#[test]
fn an_edit_at_a_secret_is_never_written_over() {
    for (edit, template) in [
        ("TOKEN=old # mine", "TOKEN={{ token }}\nA=1\n\nB=1\n\nC=2\n"),
        ("TOKEN=old\nTOKEN=other", "TOKEN={{ token }}\nA=1\n\nB=1\n\nC=2\n"),
        // A conflict would show the secret.
        ("TOKEN=old\nA=3", "TOKEN={{ token }}\nA=2\n\nB=1\n\nC=1\n"),
    ] {
        let place = with_env("old");
        let from = if edit.contains("A=3") { "TOKEN=old\nA=1" } else { "TOKEN=old" };
        place.edit("app/.env", from, edit);
        place.commit("app");
        place.write("t/.env", template);
        let before = place.read("app/.env");
        hides(place.app("app", &["upgrade", "--silent", "-d", &format!("token={SECRET}")]).ended(0))
            .has("kept      .env: it contains a secret");
        assert_eq!(place.read("app/.env"), before);
    }
}

#[test]
fn what_a_template_decides_by_a_secret_has_no_base() {
    for text in [
        "{% if token == 'old' %}A{% endif %}T={{ token }}\n",
        "T={{ token }}{{ token | size }}\n",
        "{% capture t %}{{ token }}{% endcapture %}{{ t | upcase }}\n",
        "{% assign t = token %}{{ t }}\n",
        "{% ifchanged %}{{ token }}{% endifchanged %}\n",
    ] {
        let place = Place::new();
        place.write("t/cargo-generate.toml", MANIFEST);
        place.write("t/config", text);
        new(&place, "old");
        assert!(!place.has("app/.create-app/base"), "{text}");
        place.read("app/.create-app/lock.toml").lines().find(|line| *line == "\"config\" = \"100644 secret\"").unwrap();
    }
}

#[test]
fn what_an_upgrade_says_of_a_file_with_a_secret_does_not_quote_it() {
    let place = Place::new();
    place.write("t/cargo-generate.toml", MANIFEST);
    // What a filter makes of a secret cannot be found again.
    place.write("t/config.json", "{\n  \"token\": \"{{ token | strip }}\",\n  \"a\": 1\n}\n");
    committed(&place, "old");
    place.edit("app/config.json", "old", "mine");
    place.commit("app");
    place.write("t/config.json", "{\n  \"token\": \"{{ token }}\",\n  \"a\": 1,\n  \"{{ token }}\": 2\n}\n");
    let given = format!("token={SECRET}");
    let json = hides(place.app("app", &["upgrade", "--dry-run", "--json", "-d", &given]).ended(0));
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let notes: Vec<&str> =
        told["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
    assert_eq!(
        notes,
        [
            "its base is unknown: it was merged using only what both versions have in common",
            "it differs from the template's; the difference is not shown, because it contains a secret"
        ]
    );
    let json = hides(place.app("app", &["diff", "--json", "-d", &given]).ended(1));
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&told["files"][0]["path"], &told["files"][0]["added"]),
        (&"config.json".into(), &serde_json::Value::Null)
    );
    hides(place.app("app", &["upgrade", "-d", &given]).ended(0));
    assert!(place.read("app/config.json").contains("mine") && place.read("app/config.json").contains(SECRET));
    hides(place.app("app", &["check", "--json"]).ended(0)).has("unknown");
}

#[test]
fn a_conflict_puts_no_secret_into_gits_index() {
    let place = Place::new();
    place.write("t/cargo-generate.toml", MANIFEST);
    place.write("t/a", "a\n");
    committed(&place, "old");
    place.write("app/config", "mine\n");
    place.commit("app");
    place.write("t/config", "{{ token }}\n");
    hides(place.app("app", &["upgrade", "-d", &format!("token={SECRET}")]).ended(1));
    assert_eq!(place.git("app", &["ls-files", "--unmerged"]), "");
    assert!(place.read("app/config").contains("<<<<<<< yours"));
    place.app("app", &["check"]).ended(1).has("config");
}

#[test]
fn wherever_a_wrong_answer_comes_from_it_is_not_shown() {
    let place = Place::new();
    place.write("t/cargo-generate.toml", MANIFEST.replace("default = 'none'", "regex = '^[0-9]+$'"));
    place.write("t/config", "{{ token }}\n");
    place.write("values.toml", format!("[values]\ntoken = \"{SECRET}\"\n"));
    place.write("broken.toml", format!("[values]\ntoken = \"{SECRET}\nname = 'x'\n"));
    place.write("table.toml", format!("[values]\ntoken = {{ value = \"{SECRET}\" }}\n"));
    place.write("text.toml", format!("values = \"{SECRET}\"\n"));
    let new = ["new", "app", "--path", "t", "--vcs", "none", "--silent"];
    let run = |arguments: &[&str]| hides(place.app("", &[&new, arguments].concat()).ended(2));
    for file in ["values.toml", "broken.toml", "table.toml", "text.toml"] {
        run(&["--values-file", file]).warns(file);
    }
    run(&["-d", &format!("token={SECRET}")]).warns("the answer for `token` does not match `^[0-9]+$`");
    run(&["-d", &format!("token:{SECRET}")]).warns("-d number 1");
    run(&["-d", "name=x", "-d", &format!("the token={SECRET}")]).warns("-d number 2");
    run(&["-d", &format!("tokn={SECRET}")]).warns("`tokn` was given by -d: did you mean `token`?");
    run(&["-d", "token", SECRET]).warns("write -d NAME=VALUE as one word");
    run(&["--define", "token", "=", SECRET]).warns("write -d NAME=VALUE as one word");
    run(&["-d", "token=1", "-d", SECRET]).warns("-d number 2");
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "");
    let output = command.args(new).env("CARGO_GENERATE_VALUE_TOKEN", SECRET).output().unwrap();
    hides(output.into()).ended(2).warns("given by the environment variable `CARGO_GENERATE_VALUE_TOKEN`");
    assert!(!place.has("app"));
}
