//! What programs read: every command with `--json`, whatever becomes of it. What other tests print with `--json` is held to the schema
//! as well, by `Place::app`.

use crate::support::json::{SCHEMA, documents};
use crate::support::place::{Place, Said};
use create_app::diagnostic::Code;
use serde_json::Value;

/// A template with a secret and a command, and a case of it.
fn place() -> Place {
    let place = Place::new();
    let manifest = "[template]\nignore = [\"tests\"]\n[placeholders]\ntitle = { prompt = \"Title?\", regex = \"^[a-z]+$\" }\ntoken = { prompt = \"Token?\", default = \"\" }\n\
                    [create-app]\nsecret = [\"token\"]\n[[create-app.next]]\nrun = \"make\"\n";
    place.write("t/cargo-generate.toml", manifest);
    place.write("t/a.txt", "1\n2\n3\n4\n5\n6\n{{ title }}\n");
    place.write("t/tests/one/case.toml", "name = \"one\"\n[values]\ntitle = \"x\"\n");
    place.write("t/tests/one/expected/a.txt", "1\n2\n3\n4\n5\n6\nx\n");
    place
}

const NEW: &[&str] =
    &["new", "app", "--path", "t", "--vcs", "none", "--silent", "-d", "title=shop", "-d", "token=hunter22"];

/// The only document on standard output.
#[track_caller]
fn document(said: &Said) -> Value {
    let mut documents = documents(&said.out);
    assert_eq!(documents.len(), 1, "{}", said.out);
    documents.remove(0)
}

/// The lines on standard error: severity, code and name, and the place.
fn lines(said: &Said) -> Vec<String> {
    let lines = said.err.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told = lines.map(|line| {
        let word = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
        let place = format!("{}:{}:{}", word("file"), line["line"], line["column"]);
        format!("{} {} {} {place}", word("severity"), word("code"), word("name"))
    });
    told.collect()
}

#[test]
fn a_project_is_made_and_nothing_of_a_secret_is_told() {
    let place = place();
    let said = place.app("", &[NEW, &["--json"]].concat()).ended(0);
    let made = document(&said);
    assert_eq!((&made["command"], &made["path"], &made["app_dir"]), (&"new".into(), &"app".into(), &Value::Null));
    let answers = made["answers"].as_array().unwrap();
    let told = |name: &str| answers.iter().find(|answer| answer["name"] == name).unwrap();
    assert_eq!(told("title")["value"], "shop");
    assert_eq!((&told("token")["value"], &told("token")["secret"]), (&Value::Null, &true.into()));
    assert_eq!(made["files"][0]["path"], "a.txt");
    assert_eq!((&made["files"][0]["reason_code"], &made["files"][0]["action"]), (&"added".into(), &"created".into()));
    assert_eq!(made["next"], serde_json::json!(["make"]));
    assert!(!format!("{}{}", said.out, said.err).contains("hunter22"));
}

#[test]
fn every_step_of_an_upgrade_has_its_document() {
    let place = place();
    place.app("", NEW).ended(0);
    place.write("app/a.txt", "mine\n2\n3\n4\n5\n6\nshop\n");
    place.write("t/a.txt", "theirs\n2\n3\n4\n5\n6\n{{ title }}\n");
    place.write("t/b.txt", "new\n");
    let diff = document(&place.app("app", &["diff", "--json"]).ended(1));
    assert_eq!(diff["files"].as_array().unwrap().len(), 2);
    let upgrade = &["upgrade", "app", "--allow-dirty", "--json"];
    let said = place.app("", &[upgrade, &["--dry-run"][..]].concat()).ended(1);
    assert_eq!(lines(&said), ["note - - -:null:null"]);
    let upgraded = document(&place.app("", upgrade).ended(1));
    let codes: Vec<_> = upgraded["changes"].as_array().unwrap().iter().map(|it| it["reason_code"].clone()).collect();
    assert_eq!(codes, ["both-changed", "added"]);
    assert_eq!(upgraded["changes"][0]["cause"], "template");
    let checked = document(&place.app("", &["check", "app", "--json"]).ended(1));
    assert_eq!(checked["projects"][0]["files"][0]["state"], "conflict");
    let unresolved = place.app("", upgrade);
    assert!(unresolved.code == Some(1) || unresolved.code == Some(2), "{}", unresolved.err);
    let aborted = document(&place.app("", &["upgrade", "app", "--abort", "--json"]).ended(0));
    assert_eq!(aborted["command"], "abort");
}

#[test]
fn cases_are_told_one_by_one() {
    let place = place();
    let test = &["test", "t", "--json"];
    let tested = document(&place.app("", test).ended(0));
    assert_eq!((&tested["passed"], &tested["cases"][0]["state"]), (&1.into(), &"passed".into()));
    place.write("t/tests/one/expected/a.txt", "other\n");
    place.write("t/tests/two/case.toml", "name = 1\n");
    let said = place.app("", test).ended(1);
    let tested = document(&said);
    assert_eq!((&tested["failed"], &tested["cases"][0]["state"]), (&2.into(), &"differs".into()));
    assert!(tested["cases"][0]["differences"].as_str().unwrap().contains("+1"), "{tested:#}");
    let problem = &tested["cases"][1]["problems"][0];
    assert_eq!(
        (&problem["code"], &problem["name"], &problem["line"]),
        (&"C001".into(), &"test-case".into(), &1.into())
    );
    assert!(lines(&said)[0].starts_with("error C001 test-case"), "{}", said.err);
}

#[test]
fn errors_are_lines_with_code_and_place() {
    let place = place();
    let said = place.app("", &["new", "app", "--path", "t", "--silent", "-d", "title=X", "--json"]).ended(2);
    assert_eq!(
        (said.out.as_str(), lines(&said)),
        ("", vec!["error A002 answer-invalid t/cargo-generate.toml:4:1".to_owned()])
    );
    let line: Value = serde_json::from_str(said.err.trim()).unwrap();
    assert_eq!(line["help"], "expected lower-case letters (pattern: `^[a-z]+$`)");
    assert_eq!(line["label"], "given by -d");
    for (words, code) in [
        (&["upgrade", "nowhere", "--json"][..], "L005 lock-missing"),
        (&["diff", "nowhere", "--json"], "L005 lock-missing"),
        (&["check", "nowhere", "--json"], "L005 lock-missing"),
        (&["test", "nowhere", "--json"], "S001 template-not-found"),
        (&["check", "--jsn", "--json"], "- usage"),
        (&["nev", "--json"], "- usage"),
    ] {
        let said = place.app("", words).ended(2);
        assert_eq!(lines(&said), [format!("error {code} -:null:null")], "{words:?}");
    }
}

#[test]
fn the_schema_knows_every_code_and_describes_every_field() {
    let defs = SCHEMA["$defs"].as_object().unwrap();
    let codes: Vec<Value> = Code::ALL.iter().map(|code| code.as_str().into()).collect();
    let names: Vec<Value> = Code::ALL.iter().map(|code| code.name().into()).collect();
    assert_eq!(defs["code"]["enum"], Value::Array(codes));
    assert_eq!(defs["name"]["enum"], Value::Array(names));
    for (kind, def) in defs {
        let described = |it: &Value| it["description"].as_str().is_some_and(|text| text.ends_with('.'));
        assert!(described(def), "{kind}");
        for (field, it) in def["properties"].as_object().into_iter().flatten() {
            assert!(described(it) || it["$ref"].is_string(), "{kind}.{field}");
        }
        assert!(def["type"] != "object" || def["additionalProperties"] == false, "{kind}");
    }
}
