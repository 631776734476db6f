use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use super::Due;
use super::versions::first_match;
use crate::date::Date;
use crate::liquid::Lines;
use crate::manifest::{Manifest, PathRename, read};
use crate::placeholders::Answer;
use crate::tree::RelPath;

fn manifest(version: &str, migrations: &str) -> Manifest {
    let text = format!(
        "[placeholders]\ndatabase = {{ prompt = \"D?\" }}\nregion = {{ prompt = \"R?\" }}\n\n[create-app]\nversion = \"{version}\"\n{migrations}"
    );
    read("cargo-generate.toml", &text).unwrap().0
}

fn texts(answers: &[(&str, &str)]) -> BTreeMap<String, Answer> {
    answers.iter().map(|(name, text)| ((*name).to_owned(), Answer::Text((*text).to_owned()))).collect()
}

/// Before, after, requirement, and the first version that matches.
const BETWEEN: &[(&str, &str, &str, Option<&str>)] = &[
    ("1.0.0", "2.0.0", ">=2.0.0", Some("2.0.0")),
    ("1.0.0", "3.1.0", ">=2.0.0", Some("2.0.0")),
    ("2.0.0", "3.1.0", ">=2.0.0", None),
    ("1.0.0", "1.9.0", ">=2.0.0", None),
    // The major version is passed, although neither end is in it.
    ("1.5.0", "3.1.0", "2.0.0", Some("2.0.0")),
    ("1.5.0", "3.1.0", "^2", Some("2.0.0")),
    ("2.1.0", "3.1.0", "^2", None),
    ("1.4.0", "1.6.0", "=1.5.0", Some("1.5.0")),
    ("1.5.0", "1.6.0", "=1.5.0", None),
    ("1.0.0", "2.0.0", ">1.2.3", Some("1.2.4")),
    ("1.0.0", "2.0.0", ">1.2", Some("1.3.0")),
    ("1.0.0", "2.0.0", ">1", Some("2.0.0")),
    ("1.0.0", "2.0.0", "~1.4", Some("1.4.0")),
    ("1.0.0", "2.0.0", ">=1.2, <1.5", Some("1.2.0")),
    ("1.3.0", "2.0.0", ">=1.2, <1.5", None),
    ("1.0.0", "2.0.0", "<1.5", None),
    // Back.
    ("2.0.0", "1.0.0", ">=1.5.0", None),
    ("2.0.0", "1.0.0", "<2", None),
    ("2.0.0-rc.1", "2.0.0", ">=2.0.0", Some("2.0.0")),
    ("1.0.0", "1.0.0", "*", None),
];

#[test]
fn a_migration_is_due_where_the_upgrade_reaches_its_versions() {
    for (before, after, requirement, expected) in BETWEEN {
        let [before, after] = [before, after].map(|text| Version::parse(text).unwrap());
        let found = first_match(&VersionReq::parse(requirement).unwrap(), Some(&before), &after);
        assert_eq!(found.map(|it| it.to_string()).as_deref(), *expected, "{before} {after} {requirement}");
    }
    let found = first_match(&VersionReq::parse(">=0.1").unwrap(), None, &Version::new(1, 0, 0));
    assert_eq!(found, Some(Version::new(0, 1, 0)));
}

#[test]
fn migrations_run_in_the_order_of_their_versions() {
    let migrations = r#"
[[create-app.migrations]]
version = ">=3.0.0"
steps = [{ rename_answer = "db", to = "database" }]
[[create-app.migrations]]
version = ">=2.0.0"
steps = [{ rename_answer = "store", to = "database" }, { set_answer = "region", value = "{{ database }}-{{ zone }}" }, { delete_answer = "zone" }]
"#;
    let manifest = manifest("3.0.0", migrations);
    let due = Due::between(Some("1.0.0"), &manifest).unwrap();
    let versions: Vec<String> = due.steps.iter().map(|(version, _)| version.to_string()).collect();
    assert_eq!(versions, [">=2.0.0", ">=2.0.0", ">=2.0.0", ">=3.0.0"]);
    let answers = due.answers(
        &manifest,
        texts(&[("store", "d1"), ("zone", "eu"), ("db", "old")]),
        Date::default(),
        &Lines::default(),
    );
    // What has the new name already stays.
    assert_eq!(answers.unwrap(), texts(&[("database", "d1"), ("region", "d1-eu")]));
    let due = Due::between(Some("2.0.0"), &manifest).unwrap();
    assert_eq!(due.steps.len(), 1);
    assert!(Due::between(Some("3.0.0"), &manifest).unwrap().steps.is_empty());
    assert_eq!(Due::between(None, &manifest).unwrap().steps.len(), 4);
    let error = Due::between(Some("yesterday"), &manifest).unwrap_err();
    assert!(error.0[0].title.contains("`yesterday`"), "{error:?}");
}

#[test]
fn a_missing_answer_is_empty_and_a_wrong_name_is_an_error() {
    let migrations = |value: &str| {
        format!(
            "[[create-app.migrations]]\nversion = \">=2\"\nsteps = [{{ set_answer = \"region\", value = \"{value}\" }}]\n"
        )
    };
    for (value, expected) in [
        ("{{ database | default: 'none' }}", Ok("none")),
        ("{{ basedata }}", Err("`basedata` is not an answer")),
        ("{{ database", Err("")),
        ("{% for i in (1..100000000) %}x{% endfor %}", Err("more than a million numbers")),
    ] {
        let manifest = manifest("2.0.0", &migrations(value));
        let due = Due::between(Some("1.0.0"), &manifest).unwrap();
        match (due.answers(&manifest, BTreeMap::new(), Date::default(), &Lines::default()), expected) {
            (Ok(answers), Ok(expected)) => assert_eq!(answers, texts(&[("region", expected)])),
            (Err(error), Err(expected)) => assert!(error.0[0].label.contains(expected), "{value}: {error:?}"),
            (found, _) => panic!("{value}: {found:?}"),
        }
    }
}

/// From, to, a path, and its new path.
const RENAMED: &[(&str, &str, &str, Option<&str>)] = &[
    ("a.js", "b.js", "a.js", Some("b.js")),
    ("a.js", "b.js", "a.jsx", None),
    ("a.js", "b.js", "x/a.js", None),
    ("src/api", "src/server", "src/api/x/y.ts", Some("src/server/x/y.ts")),
    ("src/api/", "src/server/", "src/api", Some("src/server")),
    ("src/api", "src/server", "src/apis/x.ts", None),
    ("src/*.js", "src/*.ts", "src/a.js", Some("src/a.ts")),
    ("src/*.js", "src/*.ts", "src/x/a.js", None),
    ("src/**/*.js", "lib/**/*.ts", "src/x/y/a.js", Some("lib/x/y/a.ts")),
    ("src/**/*.js", "lib/**/*.ts", "src/a.js", Some("lib/a.ts")),
    ("src/**", "lib/**", "src/x/a.js", Some("lib/x/a.js")),
    ("**/*.yml", "**/*.yaml", ".github/a.yml", Some(".github/a.yaml")),
    ("a.b", "c", "aXb", None),
];

#[test]
fn paths_are_renamed_by_pattern() {
    for (from, to, path, expected) in RENAMED {
        assert_eq!(PathRename::new(from, to).unwrap().apply(path).as_deref(), *expected, "{from} {to} {path}");
    }
    let long = "a".repeat(2_000);
    for (from, to) in [
        ("a", "../b"),
        ("/a", "b"),
        ("a/*", "b"),
        ("*/**", "**/*"),
        ("a**b", "c**d"),
        ("a", "a"),
        ("", "a"),
        (&long, "a"),
    ] {
        assert!(PathRename::new(from, to).is_err(), "{from} {to}");
    }
}

#[test]
fn renames_follow_each_other() {
    let migrations = r#"
[[create-app.migrations]]
version = ">=2.0.0"
steps = [{ rename = "src/*.js", to = "src/*.ts" }, { rename = "src", to = "lib" }, { rename = "old", to = "con" }]
"#;
    // A name that Windows does not take is refused when the manifest is read.
    let text = format!("[create-app]\nversion = \"2.0.0\"\n{migrations}");
    assert!(read("cargo-generate.toml", &text).is_err());
    let manifest = manifest("2.0.0", &migrations.replace(", { rename = \"old\", to = \"con\" }", ""));
    let due = Due::between(Some("1.0.0"), &manifest).unwrap();
    let paths = ["src/a.js", "src/b.ts", "x"].map(|path| RelPath::new(path).unwrap());
    let renamed = |steps| -> Vec<(String, String)> {
        due.renamed(steps, &paths).into_iter().map(|it| (it.from, it.to)).collect()
    };
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(renamed(2), [pair("src/a.js", "lib/a.ts"), pair("src/b.ts", "lib/b.ts")]);
    assert_eq!(renamed(1), [pair("src/a.js", "src/a.ts")]);
    assert_eq!(renamed(0), []);
}

#[test]
fn what_is_wrong_with_a_migration_is_said_with_its_place() {
    let steps = |steps: &str| format!("[[create-app.migrations]]\nversion = \">=2\"\nsteps = [{steps}]\n");
    for (migrations, title) in [
        (
            "[[create-app.migrations]]\nversion = \"soon\"\nsteps = []\n".to_owned(),
            "`soon` is not a version requirement",
        ),
        ("[[create-app.migrations]]\nsteps = []\n".to_owned(), "has no `version`"),
        ("[[create-app.migrations]]\nversion = \">=2\"\n".to_owned(), "has no `steps`"),
        (steps("{ move = \"a\" }"), "has no known action"),
        (steps("{ note = \"a\", run = \"b\" }"), "has more than one action"),
        (steps("{ rename = \"a\" }"), "has no `to`"),
        (steps("{ rename_answer = \"a\", to = \"basedata\" }"), "`basedata` is not a placeholder"),
        (steps("{ set_answer = \"database\" }"), "has no `value`"),
        (steps("{ set_answer = \"database\", value = 1 }"), "should be a string"),
        (steps("{ delete_answer = \"project-name\" }"), "is not an answer that the template asks for"),
    ] {
        let text = format!(
            "[placeholders]\ndatabase = {{ prompt = \"D?\" }}\n[create-app]\nversion = \"2.0.0\"\n{migrations}"
        );
        let error = read("cargo-generate.toml", &text).unwrap_err();
        assert!(error.0[0].title.contains(title) && error.0[0].place.is_some(), "{migrations}\n{error:?}");
    }
    let text = format!("[create-app]\n{}", steps("{ note = \"a\" }"));
    let error = read("cargo-generate.toml", &text).unwrap_err();
    assert_eq!(error.0[0].title, "migrations need the template's own version");
}
