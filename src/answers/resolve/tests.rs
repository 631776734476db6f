//! Questions and given values, and what comes of them.

use super::*;

fn manifest(text: &str) -> Manifest {
    crate::manifest::read("cargo-generate.toml", text).unwrap().0
}

fn given(definitions: &[&str]) -> GivenValues {
    given::definitions(&definitions.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).unwrap()
}

const QUESTIONS: &str = r#"
        [placeholders]
        kind = { prompt = "Kind?", choices = ["bin", "lib"], default = "bin" }
        title = { prompt = "Title?", regex = "^[A-Z]" }
        [conditional.'kind == "lib"']
        ignore = ["main.rs"]
        [conditional.'kind == "lib"'.placeholders]
        docs = { prompt = "Docs?", type = "bool" }
        [conditional.'docs']
        include = ["docs/**"]
    "#;

#[test]
fn conditions_add_questions_and_selections_until_nothing_changes() {
    let manifest = manifest(QUESTIONS);
    let given = given(&["kind=lib", "title=X", "docs=TRUE", "extra=1"]);
    let resolved = resolve(&manifest, BTreeMap::new(), &given, &mut Ask::Nobody).unwrap();
    assert_eq!(resolved.answers["docs"], Answer::Bool(true));
    assert_eq!(resolved.variables["extra"], Answer::Text("1".into()));
    assert_eq!(resolved.selection.ignore[0].value, "main.rs");
    assert_eq!(resolved.selection.include.unwrap()[0].value, "docs/**");
}

#[test]
fn everything_missing_and_everything_wrong_is_said_at_once() {
    let manifest = manifest(QUESTIONS);
    let error = resolve(&manifest, BTreeMap::new(), &given(&["kind=libb"]), &mut Ask::Nobody).unwrap_err();
    let codes: Vec<_> = error.0.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::AnswerInvalid, Code::AnswerMissing]);
}

#[test]
fn a_slip_in_the_name_of_an_answer_is_told_where_the_answer_is_missing() {
    let error = resolve(&manifest(QUESTIONS), BTreeMap::new(), &given(&["titel=T"]), &mut Ask::Nobody).unwrap_err();
    assert_eq!(error.0[0].help.as_deref(), Some("`titel` was given by -d: did you mean `title`?"));
}

#[test]
fn nobody_is_asked_what_was_given_or_for_a_run_that_fails() {
    let manifest = manifest(QUESTIONS);
    let mut asked = Vec::new();
    let mut user = |placeholder: &Placeholder| {
        asked.push(placeholder.name.clone());
        Ok(Answer::Text("T".into()))
    };
    resolve(&manifest, BTreeMap::new(), &given(&["kind=bin"]), &mut Ask::User(&mut user)).unwrap();
    assert_eq!(asked, ["title"]);
    let mut never = |_: &Placeholder| panic!("asked");
    resolve(&manifest, BTreeMap::new(), &given(&["kind=x"]), &mut Ask::User(&mut never)).unwrap_err();
}

#[test]
fn a_recorded_answer_that_is_none_any_more_is_asked_again_or_named() {
    use super::super::given::values_of;
    let manifest = manifest(QUESTIONS);
    let recorded = |kind: &str| {
        values_of([("kind", kind), ("title", "T")].map(|(k, v)| (k.to_owned(), Answer::Text(v.to_owned()))))
    };
    let mut asked = Vec::new();
    let mut user = |placeholder: &Placeholder| {
        asked.push(placeholder.name.clone());
        Ok(Answer::Text("bin".into()))
    };
    let resolved = resolve(&manifest, BTreeMap::new(), &recorded("exe"), &mut Ask::User(&mut user)).unwrap();
    assert_eq!((asked, &resolved.answers["kind"]), (vec!["kind".to_owned()], &Answer::Text("bin".into())));
    let problem = resolve(&manifest, BTreeMap::new(), &recorded("exe"), &mut Ask::Nobody).unwrap_err().0.remove(0);
    let help = problem.help.unwrap();
    assert!(help.ends_with("run the command again with -d kind=bin or -d kind=lib"), "{help}");
    // Of a question that only a condition asks.
    let mut given = recorded("lib");
    given.extend(values_of([("docs".to_owned(), Answer::Text("maybe".into()))]));
    let problem = resolve(&manifest, BTreeMap::new(), &given, &mut Ask::Nobody).unwrap_err().0.remove(0);
    assert!(problem.help.unwrap().ends_with("-d docs=true or -d docs=false"));
}

#[test]
fn what_no_placeholder_asks_for_is_told() {
    let manifest = manifest(QUESTIONS);
    let resolved = resolve(&manifest, BTreeMap::new(), &given(&["title=T", "titel=T"]), &mut Ask::Nobody).unwrap();
    assert_eq!(resolved.undeclared, BTreeMap::from([("titel".to_owned(), Source::Flag)]));
}

#[test]
fn a_template_may_ask_for_what_only_create_app_has_built_in() {
    let manifest = manifest(
        "[placeholders]\napp_dir = { prompt = \"?\", default = \"src\" }\n\
         [conditional.'false'.placeholders]\napp_suffix = { prompt = \"?\", default = \"x\" }\n",
    );
    let built_in = || Trait::Ours.names().map(|name| (name.to_owned(), Answer::Text("ours".into()))).collect();
    let resolved = resolve(&manifest, built_in(), &given(&[]), &mut Ask::Nobody).unwrap();
    let app_dir = |text: &str| BTreeMap::from([("app_dir".to_owned(), Answer::Text(text.to_owned()))]);
    assert_eq!((&resolved.variables, &resolved.answers), (&app_dir("src"), &app_dir("src")));
    let resolved = resolve(&manifest, built_in(), &given(&["app_dir=lib"]), &mut Ask::Nobody).unwrap();
    assert_eq!((resolved.answers, resolved.warnings), (app_dir("lib"), Vec::new()));
}

const DEPENDENT: &str = r#"
        [placeholders]
        db = { prompt = "Database?", type = "bool", default = false }
        db_name = { prompt = "Its name?", regex = "^[a-z-]+$", default = "static" }
        mode = { prompt = "Mode?", choices = ["fast", "safe"] }
        [conditional.'db_name == "app-db"'.placeholders]
        more = { prompt = "More?", type = "bool", default = false }
        [create-app.placeholders.db_name]
        default = "{{ project-name }}-db"
        when = "db"
        [create-app.placeholders.mode]
        default = "{% if db %}safe{% else %}fast{% endif %}"
    "#;

fn dependent(name: &str, given: &GivenValues) -> Result<Resolved> {
    let built_in = BTreeMap::from([("project-name".to_owned(), Answer::Text(name.to_owned()))]);
    resolve(&manifest(DEPENDENT), built_in, given, &mut Ask::Nobody)
}

#[test]
fn a_default_follows_from_earlier_answers() {
    let resolved = dependent("app", &given(&["db=true"])).unwrap();
    let text = |text: &str| Answer::Text(text.to_owned());
    assert_eq!((&resolved.answers["db_name"], &resolved.answers["mode"]), (&text("app-db"), &text("safe")));
    // What is computed is an answer as any other, for conditions too, and nobody chose it.
    assert!(resolved.answers.contains_key("more") && resolved.unchosen.contains("db_name"));
    let resolved = dependent("app", &given(&["db=true", "db_name=mine"])).unwrap();
    assert_eq!(resolved.answers["db_name"], text("mine"));
    assert!(!resolved.unchosen.contains("db_name"));
}

#[test]
fn the_user_is_asked_with_the_default_that_follows() {
    let mut asked = Vec::new();
    let mut user = |placeholder: &Placeholder| {
        asked.push((placeholder.name.clone(), placeholder.default().map(|answer| answer.to_string())));
        Ok(placeholder.default().unwrap_or(Answer::Text("good".to_owned())))
    };
    let built_in = BTreeMap::from([("project-name".to_owned(), Answer::Text("App".to_owned()))]);
    let manifest = manifest(DEPENDENT);
    resolve(&manifest, built_in, &given(&["db=true"]), &mut Ask::User(&mut user)).unwrap();
    // A default that is not an answer is not offered.
    assert_eq!(asked, [("db_name".to_owned(), None), ("mode".to_owned(), Some("safe".to_owned()))]);
}

#[test]
fn a_default_that_is_no_answer_is_told_where_nobody_is_asked() {
    let problem = dependent("App", &given(&["db=true"])).unwrap_err().0.remove(0);
    assert_eq!(problem.code, Code::AnswerMissing);
    assert_eq!(problem.label, "renders to `App-db`, which does not match `^[a-z-]+$`");
    assert_eq!(problem.place.unwrap().line_column(), (9, 19));
}

#[test]
fn a_question_that_does_not_apply_has_a_variable_and_no_answer() {
    use super::super::given::values_of;
    let resolved = dependent("app", &given(&[])).unwrap();
    assert_eq!(resolved.variables["db_name"], Answer::Text("app-db".into()));
    assert!(!resolved.answers.contains_key("db_name"));
    // What is recorded of it goes.
    let recorded = values_of([("db_name".to_owned(), Answer::Text("old".into()))]);
    let resolved = dependent("app", &recorded).unwrap();
    assert!(!resolved.answers.contains_key("db_name"));
    assert_eq!(resolved.variables["db_name"], Answer::Text("app-db".into()));
    // To give one in this run is a mistake.
    let problem = dependent("app", &given(&["db_name=x"])).unwrap_err().0.remove(0);
    assert_eq!(problem.title, "`db_name` is not asked for with these answers: the value given by -d is not used");
    assert_eq!(problem.place.unwrap().line_column(), (10, 16));
}

#[test]
fn what_no_condition_asks_has_a_default_for_the_files_alone() {
    let manifest = manifest(
        "[conditional.'is_init'.placeholders]\nb = { prompt = \"?\", default = \"x\" }\na = { prompt = \"?\", default = \"x\" }\n\
         c = { prompt = \"?\", default = \"x\" }\n[conditional.'a == \"xA\"']\nignore = [\"file\"]\n\
         [create-app.placeholders]\na.default = \"{{ b }}A\"\nb.default = \"x\"\n",
    );
    let resolved = resolve(&manifest, BTreeMap::new(), &given(&[]), &mut Ask::Nobody).unwrap();
    let text = |name: &str, value: &str| (name.to_owned(), Answer::Text(value.to_owned()));
    assert_eq!(resolved.variables, BTreeMap::from([text("a", "xA"), text("b", "x")]));
    assert!(resolved.answers.is_empty() && resolved.selection.ignore.is_empty());
    // One that is given counts, as without it.
    let resolved = resolve(&manifest, BTreeMap::new(), &given(&["a=B"]), &mut Ask::Nobody).unwrap();
    assert_eq!(resolved.answers, BTreeMap::from([text("a", "B")]));
}

#[test]
fn a_question_that_was_not_asked_has_an_empty_answer_in_a_default() {
    let manifest = manifest(
        "[placeholders]\na = { prompt = \"?\", type = \"bool\" }\nb = { prompt = \"?\" }\n\
         [create-app.placeholders.a]\nwhen = \"false\"\n[create-app.placeholders.b]\n\
         default = \"{% if a %}yes{% else %}no{% endif %}\"\n",
    );
    let resolved = resolve(&manifest, BTreeMap::new(), &given(&[]), &mut Ask::Nobody).unwrap();
    assert_eq!(resolved.answers, BTreeMap::from([("b".to_owned(), Answer::Text("no".into()))]));
}

#[test]
fn a_built_in_variable_that_follows_from_the_place_cannot_be_given() {
    let manifest = manifest(QUESTIONS);
    let given = given(&["title=T", "app_dir=x"]);
    let resolved = resolve(&manifest, BTreeMap::new(), &given, &mut Ask::Nobody).unwrap();
    assert_eq!(resolved.warnings[0].help.as_deref(), Some("it is set from the project's location; leave it out"));
}

#[test]
fn conditions_see_the_value_that_replaces_a_built_in_one() {
    let manifest = manifest(
        "[conditional.'crate_type == \"lib\"']\nignore = [\"main.rs\"]\n[conditional.'!is_init']\nignore = [\"x\"]\n",
    );
    let built_in = || {
        BTreeMap::from([
            ("crate_type".to_owned(), Answer::Text("bin".into())),
            ("is_init".to_owned(), Answer::Bool(true)),
        ])
    };
    let ignored = |texts: &[&str]| {
        let resolved = resolve(&manifest, built_in(), &given(texts), &mut Ask::Nobody).unwrap();
        resolved.selection.ignore
    };
    assert_eq!(ignored(&[]).len(), 0);
    assert_eq!(ignored(&["crate_type=lib", "is_init=False"]).len(), 2);
    let given = given(&["is_init=maybe"]);
    let problems = resolve(&manifest, built_in(), &given, &mut Ask::Nobody).unwrap_err().0;
    assert_eq!(problems[0].help.as_deref(), Some("pass -d is_init=true or -d is_init=false"));
}
