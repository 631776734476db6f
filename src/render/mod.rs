//! Template and answers in, tree out: in memory, deterministic, and nothing comes out before everything has rendered.

mod blocks;
mod date;
mod element;
mod engine;
mod file;
mod filters;
#[cfg(test)]
mod fuzz;
pub mod github;
mod language;
mod locate;
mod loops;
pub mod masked;
mod meter;
pub mod owned;
pub(crate) mod paths;
mod runtime;
mod scan;
mod secret;
pub mod select;
mod skeleton;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use self::engine::Engine;
use self::github::Known;
use self::meter::Budget;
pub use self::meter::Total;
use self::select::{Selected, Selector};
use self::skeleton::Markers;
use self::text::Renderer;
use crate::answers::placeholder::{Answer, Kind, Placeholder};
use crate::date::Date;
use crate::diagnostic::{Diagnostic, Diagnostics, Found, Result, Severity};
use crate::manifest::{Ownership, Selection};
use crate::parallel;
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
    /// The files whose content depends on a secret answer; no path does.
    pub secret: Secret,
}

/// Files whose content depends on a secret answer. Each has itself with [markers](masked) in place of the secrets, if that is all in
/// which two values differ.
pub type Secret = BTreeMap<RelPath, Option<Bytes>>;

/// What a render needs beside the files.
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
    /// What `"now" | date` shows.
    pub date: Date,
    /// What this render is one of, where a run has many.
    pub total: Option<&'a Arc<Total>>,
}

/// So many files are rendered before anybody looks at their problems.
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
    let used = request.variables.values().fold(Markers::NONE, |used, value| used.and(&value.to_string()));
    let renderer =
        Renderer { engine: &engine, known: &known, used, names: request.names, dated: &AtomicBool::new(false) };
    let selector = Selector::new(&files, request.selection)?;
    let selected = files.into_iter().map(|(path, entry)| {
        let selected = selector.select(&path);
        (path, entry, selected)
    });
    let mut selected = selected.filter(|(_, _, selected)| *selected != Selected::Drop);
    let work = |(path, entry, selected)| file::render(&renderer, path, entry, selected);
    let mut collected = Collected::new(request.names);
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
    let mut rendered = collected.finish(request)?;
    let date = renderer.dated.load(Ordering::Relaxed).then_some(request.date);
    rendered.date = date;
    Ok(rendered)
}

/// So many bytes that are searched for Liquid take a step.
const SEARCHED: usize = 256;

/// Which of `names` the Liquid of a template's files and paths mentions. Each file is looked at once. Where that would take too long,
/// all of them might be: such a template cannot be rendered.
pub fn mentioned<'n>(files: &Tree, mut names: BTreeSet<&'n str>, total: Option<&Arc<Total>>) -> BTreeSet<&'n str> {
    let known = Known::new(names.iter().map(|&name| (name, true)));
    let budget = Budget::within(total);
    let mut found = BTreeSet::new();
    let texts = files.iter().flat_map(|(path, entry)| [Some(path.as_str()), std::str::from_utf8(entry.bytes()).ok()]);
    for text in texts.flatten() {
        if names.is_empty() {
            break;
        }
        let has_liquid = element::has_liquid(text);
        let (used, steps) = if has_liquid { locate::used(text, &names, &known) } else { Default::default() };
        if budget.spend(steps + (text.len() / SEARCHED) as u64).is_some() {
            found.extend(names);
            break;
        }
        if !used.is_empty() {
            names = &names - &used;
            found.extend(used);
        }
    }
    found
}

/// Whether a text has anything for Liquid in it.
pub(crate) fn has_liquid(text: &str) -> bool {
    element::has_liquid(text)
}

/// Renders short texts that are not files of the template, within one budget.
#[derive(Debug, Default)]
pub struct Lines {
    budget: Arc<Budget>,
}

impl Lines {
    /// Within a budget that is part of another.
    #[must_use]
    pub fn within(total: Option<&Arc<Total>>) -> Self {
        Self { budget: Arc::new(Budget::within(total)) }
    }

    /// The variables that a text uses, each with its region.
    ///
    /// # Errors
    ///
    /// Says why it cannot be rendered with any.
    pub fn variables(&self, text: &str) -> std::result::Result<Vec<(String, Range<usize>)>, String> {
        if !has_liquid(text) {
            return Ok(Vec::new());
        }
        let scan = scan::scan(text, &Known::new([]));
        if let Some(excess) = scan::too_much(text, &scan) {
            return Err(excess.title.to_owned());
        }
        if let Some(excess) = self.budget.spend(scan.effort.steps() + engine::parse_steps(text)) {
            return Err(format!("this is too much work: {}", excess.words()));
        }
        engine::check(text)?;
        Ok(locate::variables(text, &scan))
    }

    /// What Liquid makes of a text that follows from answers alone; unknown variables are empty.
    ///
    /// # Errors
    ///
    /// Says why there is nothing: it cannot be rendered, or shows the date.
    pub fn of_answers(&self, text: &str, variables: &BTreeMap<String, Answer>) -> std::result::Result<String, String> {
        if !has_liquid(text) {
            return Ok(text.to_owned());
        }
        let outcome = self.outcome(text, variables, Date::default())?;
        match outcome.failure {
            Some(failure) => Err(failure.words()),
            None if outcome.dated => Err("it shows the date, which no answer can follow from".to_owned()),
            None => Ok(outcome.text),
        }
    }

    /// What Liquid makes of a text.
    ///
    /// # Errors
    ///
    /// Says why there is nothing: it cannot be rendered, or a variable is not known.
    pub fn render(
        &self,
        text: &str,
        variables: &BTreeMap<String, Answer>,
        date: Date,
    ) -> std::result::Result<String, String> {
        let outcome = self.outcome(text, variables, date)?;
        match (outcome.failure, outcome.unknown.first()) {
            (Some(failure), _) => Err(failure.words()),
            (None, Some(unknown)) => Err(format!("`{unknown}` is not an answer")),
            (None, None) => Ok(outcome.text),
        }
    }

    fn outcome(
        &self,
        text: &str,
        variables: &BTreeMap<String, Answer>,
        date: Date,
    ) -> std::result::Result<engine::Outcome, String> {
        let known = Known::new(variables.keys().map(|name| (name.as_str(), true)));
        let scan = scan::scan(text, &known);
        if let Some(excess) = scan::too_much(text, &scan) {
            return Err(excess.title.to_owned());
        }
        let mut engine = Engine::new(variables, &BTreeSet::new(), date);
        engine.budget = Arc::clone(&self.budget);
        Ok(engine.render(text, scan.longest_tag(text), engine::Purpose::Output))
    }
}

/// What Liquid makes of a whole text, without a skeleton; `None` where it fails.
#[cfg(fuzzing)]
pub(crate) fn by_liquid(text: &str, variables: &BTreeMap<String, Answer>, date: Date) -> Option<String> {
    let outcome = Engine::new(variables, &BTreeSet::new(), date).render(text, 0, engine::Purpose::Output);
    outcome.failure.is_none().then_some(outcome.text)
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
        if let Err(problems) = select::check_work(&tree, patterns) {
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

/// What a name can mean in this template.
fn known<'a>(request: &'a Request<'_>) -> Known<'a> {
    let declared = request.declared.iter().map(|placeholder| {
        let scalar = !matches!(placeholder.kind, Kind::Array { .. });
        (placeholder.name.as_str(), scalar)
    });
    let given = request.variables.iter().map(|(name, answer)| (name.as_str(), !matches!(answer, Answer::Array(_))));
    Known::new(BUILT_IN.iter().map(|&name| (name, true)).chain(declared).chain(given))
}
