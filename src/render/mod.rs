//! Template and answers in, tree out: in memory, deterministic, and nothing comes out before everything has rendered.

mod date;
mod element;
mod engine;
mod file;
#[cfg(test)]
mod fuzz;
pub mod github;
mod language;
mod locate;
pub(crate) mod paths;
mod scan;
pub mod select;
mod skeleton;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use self::engine::Engine;
use self::github::Known;
use self::select::{Selected, Selector};
use self::text::Renderer;
use crate::answers::placeholder::{Answer, Kind, Placeholder};
use crate::date::Date;
use crate::diagnostic::{Diagnostic, Diagnostics, Result, Severity};
use crate::manifest::Selection;
use crate::template::Names;
use crate::tree::{Entry, RelPath, Tree};

/// The variables of the built-in kind: defined for every template.
pub const BUILT_IN: &[&str] = &[
    "project-name",
    "crate_name",
    "crate_type",
    "authors",
    "username",
    "os-arch",
    "is_init",
    "within_cargo_project",
    "app_dir",
    "app_suffix",
];

/// From so many files on, several threads render them faster than one.
const PARALLEL: usize = 64;

/// A rendered template.
#[derive(Debug)]
pub struct Rendered {
    /// The files.
    pub tree: Tree,
    /// What looks like a slip, but is none by cargo-generate's rules: unknown variables.
    pub warnings: Vec<Diagnostic>,
    /// The date of the request, where a file or a path shows it: the next render needs the same.
    pub date: Option<Date>,
}

/// What a render needs beside the files.
#[derive(Debug)]
pub struct Request<'a> {
    /// Which files are rendered, copied or dropped; with what the conditions added.
    pub selection: &'a Selection,
    /// Every placeholder that the manifest declares, asked or not.
    pub declared: Vec<&'a Placeholder>,
    /// The value of every variable.
    pub variables: &'a BTreeMap<String, Answer>,
    /// How messages name the files.
    pub names: &'a Names,
    /// Whether an unknown variable is an error.
    pub strict: bool,
    /// What `"now" | date` shows.
    pub date: Date,
}

/// Renders a template's files.
///
/// # Errors
///
/// Every problem in every file and path, in path order.
pub fn render(files: Tree, request: &Request<'_>) -> Result<Rendered> {
    let known = known(request);
    let engine = Engine::new(request.variables, request.date);
    let values: String = request.variables.values().map(ToString::to_string).collect();
    let renderer = Renderer {
        engine: &engine,
        known: &known,
        values: &values,
        names: request.names,
        total: &AtomicUsize::new(0),
        dated: &AtomicBool::new(false),
    };
    let selector = Selector::new(&files, request.selection);
    let selected: Vec<(RelPath, Entry, Selected)> = files
        .into_iter()
        .map(|(path, entry)| {
            let selected = selector.select(&path);
            (path, entry, selected)
        })
        .filter(|(_, _, selected)| *selected != Selected::Drop)
        .collect();
    let work = |(path, entry, selected)| file::render(&renderer, path, entry, selected);
    let results: Vec<_> = if selected.len() < PARALLEL {
        selected.into_iter().map(work).collect()
    } else {
        selected.into_par_iter().with_min_len(16).map(work).collect()
    };
    let (tree, warnings) = collect(results, request.names, request.strict)?;
    let date = renderer.dated.load(Ordering::Relaxed).then_some(request.date);
    Ok(Rendered { tree, warnings, date })
}

/// Which of `names` the Liquid of a template's files and paths mentions. Each file is looked at once.
pub fn mentioned<'n>(files: &Tree, mut names: BTreeSet<&'n str>) -> BTreeSet<&'n str> {
    let mut found = BTreeSet::new();
    let texts = files.iter().flat_map(|(path, entry)| [Some(path.as_str()), std::str::from_utf8(entry.bytes()).ok()]);
    for text in texts.flatten() {
        if names.is_empty() {
            break;
        }
        let used = if element::has_liquid(text) { locate::used(text, &names) } else { BTreeSet::new() };
        names = &names - &used;
        found.extend(used);
    }
    found
}

/// What Liquid makes of a whole text, without a skeleton; `None` where it fails.
#[cfg(fuzzing)]
pub(crate) fn by_liquid(text: &str, variables: &BTreeMap<String, Answer>, date: Date) -> Option<String> {
    let outcome = Engine::new(variables, date).render(&skeleton::guard_ranges(text), false);
    outcome.failure.is_none().then_some(outcome.text)
}

/// Puts the files into one tree, or all their problems into one list.
fn collect(results: Vec<file::Rendered>, names: &Names, strict: bool) -> Result<(Tree, Vec<Diagnostic>)> {
    let mut problems = Vec::new();
    let mut placed = paths::Placed::new(names);
    for result in results {
        problems.extend(result.problems);
        if let Some((template_path, path, entry)) = result.entry {
            placed.place(template_path, path, entry);
        }
    }
    let (tree, collisions) = placed.finish();
    problems.extend(collisions);
    if strict {
        problems.iter_mut().for_each(|problem| problem.severity = Severity::Error);
    }
    if problems.iter().any(Diagnostic::is_error) {
        return Err(Diagnostics(problems));
    }
    Ok((tree, problems))
}

/// What a name can mean in this template.
fn known<'a>(request: &'a Request<'_>) -> Known<'a> {
    let declared = request.declared.iter().map(|placeholder| {
        let scalar = !matches!(placeholder.kind, Kind::Array { .. });
        (placeholder.name.as_str(), scalar)
    });
    let given = request.variables.iter().map(|(name, answer)| (name.as_str(), !matches!(answer, Answer::Array(_))));
    Known::new(BUILT_IN.iter().map(|&name| (name, true)).chain(declared).chain(given))
}
