//! Template and answers in, tree out: in memory, deterministic, and nothing comes out before everything has rendered.

mod file;
#[cfg(test)]
mod fuzz;
pub mod owned;
mod paths;
#[cfg(test)]
mod secret_tests;
pub mod select;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use self::select::{Selected, Selector};
use self::text::Renderer;
use crate::date::Date;
use crate::diagnostic::{Diagnostic, Diagnostics, Found, Result, Severity};
use crate::liquid::engine::Engine;
use crate::liquid::github::Known;
use crate::liquid::skeleton::Markers;
use crate::liquid::{Scripts, Total};
use crate::manifest::{Ownership, Selection};
use crate::parallel;
use crate::patterns::check_work;
use crate::placeholders::built_in;
use crate::placeholders::{Answer, Kind, Placeholder};
use crate::template::Names;
use crate::tree::{Entry, RelPath, Tree};

/// From so many files on, several threads render them faster than one.
const PARALLEL: usize = 64;

/// A rendered template.
#[derive(Debug)]
pub struct Rendered {
    /// The files.
    pub tree: Tree,
    /// Likely mistakes that cargo-generate's rules allow: unknown variables.
    pub warnings: Vec<Diagnostic>,
    /// The date of the request, where a file or a path shows it: the next render needs the same.
    pub date: Option<Date>,
    /// The files whose content depends on a secret answer; no path does.
    pub secret: Secret,
}

/// Files whose content depends on a secret answer. Each has itself with [markers](crate::liquid::masked) in place of the secrets, if that is all in
/// which two values differ.
pub type Secret = BTreeMap<RelPath, Option<Bytes>>;

/// The inputs of a render besides the files.
#[derive(Debug)]
pub struct Request<'a> {
    /// Which files are rendered, copied or dropped; with what the conditions added.
    pub selection: &'a Selection,
    /// Whose the files are.
    pub ownership: &'a Ownership,
    /// Every placeholder that the manifest declares, asked or not.
    pub declared: Vec<&'a Placeholder>,
    /// The value of every variable.
    pub variables: &'a BTreeMap<String, Answer>,
    /// The variables that are secret.
    pub secrets: BTreeSet<&'a str>,
    /// How messages name the files.
    pub names: &'a Names,
    /// Whether an unknown variable is an error.
    pub strict: bool,
    /// Whether what Liquid cannot render stays as it is.
    pub lenient: bool,
    /// The date that `"now" | date` shows.
    pub date: Date,
    /// The series that this render belongs to, if a run has many.
    pub total: Option<&'a Arc<Total>>,
    /// The scripts of the filter `rhai`, where the template has any.
    pub scripts: Option<Arc<dyn Scripts>>,
}

/// This many files are rendered before anybody looks at their problems.
const BATCH: usize = 4_096;
/// After so many errors, no more files are rendered.
const MAX_ERRORS: usize = 1_000;

/// Renders a template's files.
///
/// # Errors
///
/// Every problem in every file and path, in path order, until there are very many; but of the failures that may depend on a
/// secret answer, the first.
pub fn render(files: Tree, request: &Request<'_>) -> Result<Rendered> {
    let known = known(request);
    let engine = Engine::new(request.variables, &request.secrets, request.date).within(request.total);
    let engine = engine.with(request.scripts.clone());
    let used = request.variables.values().fold(Markers::NONE, |used, value| used.and(&value.to_string()));
    let renderer =
        Renderer { engine: &engine, known: &known, used, names: request.names, dated: &AtomicBool::new(false) };
    let selector = Selector::new(&files, request.selection)?;
    let mut files = files;
    let is_script = |path: &RelPath, _: &mut Entry| request.scripts.is_some() && path.as_str().ends_with(".rhai");
    let scripts: Tree = files.extract_if(.., is_script).collect();
    let mut collected = Collected::new(request.names);
    collect(&mut collected, files, &selector, &renderer, request.lenient);
    if let Some(runner) = &request.scripts {
        // Which of them are files of the project is known when the others have rendered.
        let left = scripts.into_iter().filter(|(path, _)| !runner.ran(path)).collect();
        collect(&mut collected, left, &selector, &renderer, request.lenient);
    }
    let mut rendered = collected.finish(request)?;
    let date = renderer.dated.load(Ordering::Relaxed).then_some(request.date);
    rendered.date = date;
    Ok(rendered)
}

/// Renders files, and takes what comes of each.
fn collect(collected: &mut Collected<'_>, files: Tree, selector: &Selector, renderer: &Renderer<'_>, lenient: bool) {
    let selected = files.into_iter().map(|(path, entry)| {
        let selected = selector.select(&path);
        (path, entry, selected)
    });
    let mut selected = selected.filter(|(_, _, selected)| *selected != Selected::Drop);
    let work = |(path, entry, selected)| file::render(renderer, path, entry, selected, lenient);
    loop {
        let batch: Vec<(RelPath, Entry, Selected)> = selected.by_ref().take(BATCH).collect();
        if batch.is_empty() || collected.errors > MAX_ERRORS {
            break;
        }
        let results: Vec<_> = if batch.len() < PARALLEL {
            batch.into_iter().map(work).collect()
        } else {
            parallel::map(batch, 16, || (), |(), item| work(item))
        };
        results.into_iter().for_each(|result| collected.take(result));
    }
}

/// Checks a tree that was changed after it was rendered: what it has to say besides.
///
/// # Errors
///
/// Everything that cannot be in one tree.
pub fn checked(tree: Tree, names: &Names) -> Result<(Tree, Vec<Diagnostic>)> {
    let mut placed = paths::Placed::new(names);
    tree.into_iter().for_each(|(path, entry)| placed.place(path.clone(), path, entry));
    let (tree, problems) = placed.finish();
    if problems.iter().any(Diagnostic::is_error) { Err(Diagnostics(problems)) } else { Ok((tree, problems)) }
}

/// The files that have rendered, and the problems of the others.
struct Collected<'a> {
    problems: Found,
    placed: paths::Placed<'a>,
    errors: usize,
    /// The files that depend on a secret answer.
    secret: Secret,
    failed_by_secret: bool,
}

impl<'a> Collected<'a> {
    fn new(names: &'a Names) -> Self {
        Self {
            problems: Found::default(),
            placed: paths::Placed::new(names),
            errors: 0,
            secret: Secret::new(),
            failed_by_secret: false,
        }
    }

    fn take(&mut self, file::Rendered { entry, found }: file::Rendered) {
        self.errors += found.problems.iter().filter(|problem| problem.is_error()).count();
        // A list of the files that fail could spell a secret.
        if !(found.failed_by_secret && self.failed_by_secret) {
            self.problems.extend(found.problems);
        }
        self.failed_by_secret |= found.failed_by_secret;
        if let Some((template_path, path, entry)) = entry {
            self.secret.extend(found.secret.map(|_| (path.clone(), found.masked.map(Bytes::from))));
            self.placed.place(template_path, path, entry);
        }
    }

    /// One tree, or all problems in one list.
    fn finish(mut self, request: &Request<'_>) -> Result<Rendered> {
        let (tree, collisions) = self.placed.finish();
        self.problems.extend(collisions);
        let ownership = request.ownership;
        let lists = [&ownership.once, &ownership.blocks, &ownership.repository];
        let patterns = lists.into_iter().flatten().map(|pattern| pattern.value.as_str());
        if let Err(problems) = check_work(&tree, patterns) {
            self.problems.extend(problems.0);
        }
        let is_refused = self.problems.has_errors() || request.strict && !self.problems.is_empty();
        let mut problems = self.problems.into_vec();
        if request.strict {
            problems.iter_mut().for_each(|problem| problem.severity = Severity::Error);
        }
        if is_refused {
            return Err(Diagnostics(problems));
        }
        Ok(Rendered { tree, warnings: problems, date: None, secret: self.secret })
    }
}

/// The meanings that a name can have in this template.
fn known<'a>(request: &'a Request<'_>) -> Known<'a> {
    let declared = request.declared.iter().map(|placeholder| {
        let scalar = !matches!(placeholder.kind, Kind::Array { .. });
        (placeholder.name.as_str(), scalar)
    });
    let given = request
        .variables
        .iter()
        .map(|(name, answer)| (name.as_str(), !matches!(answer, Answer::Array(_) | Answer::Nested(_))));
    Known::new(built_in::names().map(|name| (name, true)).chain(declared).chain(given))
}
