//! Liquid: hostile text is rendered, or refused at a place that is inside of it; the skeleton changes no byte.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use create_app::answers::placeholder::Answer;
use create_app::date::Date;
use create_app::diagnostic::Code;
use create_app::fuzzing;
use create_app::manifest::Selection;
use create_app::render::{Request, mentioned, render};
use create_app::template::Names;
use create_app::tree::{Entry, RelPath, Tree};

use crate::diagnostics;
use crate::versions::first;

fn variables() -> &'static BTreeMap<String, Answer> {
    static VARIABLES: OnceLock<BTreeMap<String, Answer>> = OnceLock::new();
    VARIABLES.get_or_init(|| {
        let list = Answer::Array(vec!["one".into(), String::new(), "drei ünd".into()]);
        let wide = Answer::Text(" \u{e000}1\u{e000} 日本 {{ name }} ".into());
        let values =
            [("flag", Answer::Bool(true)), ("list", list), ("name", Answer::Text("my-app".into())), ("wide", wide)];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

pub(crate) fn run(data: &[u8]) {
    let [text, path] = first(data);
    let (Ok(text), Ok(path)) = (std::str::from_utf8(text), std::str::from_utf8(path)) else { return };
    let path = RelPath::new(path).unwrap_or_else(|_| RelPath::new("file.txt").unwrap());
    let date = Date::from_unix(0).unwrap();
    let request = Request {
        selection: &Selection::default(),
        declared: Vec::new(),
        variables: variables(),
        names: &Names::default(),
        strict: false,
        date,
    };
    let files: Tree = [(path.clone(), Entry::file(text.as_bytes().to_vec()))].into();
    drop(mentioned(&files, ["name", "list"].into()));
    let is_plain_path = !path.as_str().contains('{');
    match render(files, &request) {
        Ok(rendered) => {
            diagnostics::check(&rendered.warnings);
            for (_, entry) in rendered.tree.iter().filter(|_| !text.contains("${{")) {
                let whole = fuzzing::by_liquid(text, variables(), date);
                let bytes = std::str::from_utf8(entry.bytes()).unwrap();
                assert_eq!(Some(bytes), whole.as_deref(), "the skeleton changes what is rendered");
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
                let whole = fuzzing::by_liquid(text, variables(), date);
                assert_eq!(whole, None, "Liquid renders what we refuse: {:?}", problems.0);
            }
        }
    }
}
