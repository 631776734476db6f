//! Manifests: every problem has its place, and what is accepted can be used.

use std::collections::BTreeMap;
use std::ops::Range;

use create_app::manifest::{self, Manifest};
use create_app::patterns::Patterns;
use create_app::placeholders::Answer;
use create_app::placeholders::condition::{Conditions, Cost};
use create_app::render::select::Selector;
use create_app::tree::{Entry, RelPath, Tree};

use crate::diagnostics;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match manifest::read("cargo-generate.toml", text) {
        Ok((manifest, warnings)) => {
            diagnostics::check(&warnings);
            used(&manifest, text);
        }
        Err(problems) => {
            assert!(problems.0.iter().any(|problem| problem.is_error()), "refused without a reason");
            diagnostics::check(&problems.0);
        }
    }
}

/// What later stages do with a manifest.
fn used(manifest: &Manifest, text: &str) {
    let inside = |span: &Range<usize>| assert!(text.get(span.clone()).is_some(), "{span:?} is outside of the text");
    let files: Tree = ["a", "a/b.txt", ".genignore", "dist/x y"]
        .into_iter()
        .map(|path| (RelPath::new(path).unwrap(), Entry::file(&b"x\n"[..])))
        .collect();
    let variables = BTreeMap::from([("name".to_owned(), Answer::Text("app".into()))]);
    let conditions = Conditions::new(&variables, &Cost::default());
    let mut selection = manifest.selection.clone();
    for conditional in &manifest.conditionals {
        inside(&conditional.expression.span);
        let _holds = conditional.condition.as_ref().map(|condition| conditions.holds(condition));
        selection.extend(&conditional.selection);
    }
    match Selector::new(&files, &selection) {
        Ok(selector) => files.keys().for_each(|path| _ = selector.select(path)),
        Err(problems) => diagnostics::check(&problems.0),
    }
    let own = &manifest.ownership;
    for patterns in [&own.once, &own.blocks, &own.repository] {
        patterns.iter().for_each(|pattern| inside(&pattern.span));
        let patterns = Patterns::of(patterns);
        files.keys().for_each(|path| _ = patterns.matches(path.as_str()));
    }
    for placeholder in manifest.declared() {
        inside(&placeholder.span);
        for text in ["", "a", "true", "7"] {
            drop(placeholder.parse(text));
        }
        if let Some(default) = placeholder.default() {
            // What is offered has to be allowed, or nobody could accept it.
            assert!(placeholder.parse(&default.to_string()).is_ok(), "the default of {}", placeholder.name);
        }
    }
    if let Some(pattern) = &own.name_pattern {
        let _matches = pattern.is_match("my-app");
    }
}
