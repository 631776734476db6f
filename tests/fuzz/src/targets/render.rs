//! Liquid: hostile text is rendered, or refused at a place that is inside it; the skeleton changes no byte.

use std::collections::{BTreeMap, BTreeSet};

use create_app::date::Date;
use create_app::diagnostic::{Code, Diagnostic, Result};
use create_app::fuzzing;
use create_app::liquid::mentioned;
use create_app::manifest::{Ownership, Selection};
use create_app::placeholders::Answer;
use create_app::render::{Rendered, Request, render};
use create_app::template::Names;
use create_app::tree::{Entry, RelPath, Tree};

use crate::diagnostics;
use crate::versions::first;

pub(crate) fn run(data: &[u8]) {
    let Some((path, text)) = file(data) else { return };
    let files: Tree = [(path.clone(), Entry::file(text.as_bytes().to_vec()))].into();
    drop(mentioned(&files, ["name", "list"].into(), None));
    let is_plain_path = !path.as_str().contains('{');
    match rendered(&path, text, "my-app", BTreeSet::new()) {
        Ok(rendered) => {
            diagnostics::check(&rendered.warnings);
            for (_, entry) in rendered.tree.iter().filter(|_| !text.contains("${{")) {
                let bytes = std::str::from_utf8(entry.bytes()).unwrap();
                assert_eq!(Some(bytes), by_liquid(text).as_deref(), "the skeleton changes what is rendered");
            }
        }
        Err(problems) => {
            diagnostics::check(&problems.0);
            let is_limit = |code: Code| matches!(code, Code::TooLarge | Code::UnsafePath | Code::PathCollision);
            for problem in &problems.0 {
                assert!(problem.place.is_some() || is_limit(problem.code), "without a place: {problem:?}");
            }
            let refused = problems.0.iter().any(|problem| problem.is_error() && is_limit(problem.code));
            if is_plain_path && !refused && !text.contains("${{") {
                assert_eq!(by_liquid(text), None, "Liquid renders what we refuse: {:?}", problems.0);
            }
        }
    }
}

/// The same with a secret: what does not say that it depends on the secret does not, and no message tells it.
pub(crate) fn secret(data: &[u8]) {
    const VALUES: [&str; 2] = ["q7Zk0wXvJ4", "Hm2 pR9'tY6"];
    let Some((path, text)) = file(data) else { return };
    // A template that has the word itself tells nothing.
    if VALUES.iter().any(|value| data.windows(value.len()).any(|window| window == value.as_bytes())) {
        return;
    }
    let results = VALUES.map(|value| rendered(&path, text, value, ["name"].into()));
    for (value, result) in VALUES.iter().zip(&results) {
        let said = match result {
            Ok(rendered) => &rendered.warnings,
            Err(problems) => &problems.0,
        };
        let drawn = said.iter().take(20).map(fuzzing::draw).collect::<String>();
        assert!(!drawn.contains(value), "it is told: {drawn}");
        if let Ok(rendered) = result {
            assert!(rendered.tree.keys().all(|path| !path.as_str().contains(value)), "it names a file");
        }
    }
    let told = |problems: &[Diagnostic]| problems.iter().map(fuzzing::draw).collect::<Vec<_>>();
    match results {
        [Ok(one), Ok(other)] => {
            assert_eq!(told(&one.warnings), told(&other.warnings), "a warning depends on it");
            assert_eq!(one.secret, other.secret, "what is recorded depends on it");
            assert!(one.tree.keys().eq(other.tree.keys()), "a file is there or not, or its name depends on it");
            for (path, entry) in &one.tree {
                let depends = one.secret.contains_key(path);
                assert!(depends || other.tree.get(path) == Some(entry), "{path} depends on it, and does not say so");
            }
        }
        [Err(one), Err(other)] => assert_eq!(told(&one.0), told(&other.0), "an error depends on it"),
        // It fails for some secrets alone.
        [Ok(_), Err(_)] | [Err(_), Ok(_)] => {}
    }
}

/// A file of a template: its text and its path.
fn file(data: &[u8]) -> Option<(RelPath, &str)> {
    let [text, path] = first(data);
    let (text, path) = (std::str::from_utf8(text).ok()?, std::str::from_utf8(path).ok()?);
    Some((RelPath::new(path).or_else(|_| RelPath::new("file.txt")).ok()?, text))
}

fn rendered(path: &RelPath, text: &str, name: &str, secrets: BTreeSet<&str>) -> Result<Rendered> {
    let variables = variables(name);
    let request = Request {
        selection: &Selection::default(),
        ownership: &Ownership::default(),
        declared: Vec::new(),
        variables: &variables,
        secrets,
        names: &Names::default(),
        strict: false,
        lenient: false,
        date: date(),
        total: None,
        scripts: None,
    };
    render([(path.clone(), Entry::file(text.as_bytes().to_vec()))].into(), &request)
}

fn by_liquid(text: &str) -> Option<String> {
    fuzzing::by_liquid(text, &variables("my-app"), date())
}

fn date() -> Date {
    Date::from_unix(0).unwrap()
}

fn variables(name: &str) -> BTreeMap<String, Answer> {
    let list = Answer::Array(vec!["one".into(), String::new(), "drei ünd".into()]);
    let wide = Answer::Text(" \u{e000}1\u{e000} 日本 {{ name }} ".into());
    let values = [("flag", Answer::Bool(true)), ("list", list), ("name", Answer::Text(name.into())), ("wide", wide)];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
