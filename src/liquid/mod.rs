//! Liquid as cargo-generate has it: a text and variables in, a text out, within limits, and with the places of what fails.

mod blocks;
mod date;
pub(crate) mod element;
pub(crate) mod engine;
mod filters;
pub(crate) mod github;
pub(crate) mod language;
pub(crate) mod locate;
mod loops;
pub mod masked;
pub(crate) mod meter;
mod prose;
mod rhai;
mod runtime;
pub(crate) mod scan;
mod secret;
pub(crate) mod skeleton;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use self::engine::Engine;
use self::github::Known;
use self::meter::Budget;
pub use self::meter::Total;
use crate::date::Date;
use crate::placeholders::Answer;
use crate::tree::{RelPath, Tree};

/// Runs scripts for the filter `rhai`.
pub trait Scripts: std::fmt::Debug + Send + Sync {
    /// The value of a script of the template.
    ///
    /// # Errors
    ///
    /// Says why there is nothing.
    fn run(&self, script: &str) -> Result<String, String>;

    /// Whether a script of the template has run: it is not in the project.
    fn ran(&self, path: &RelPath) -> bool;
}
/// This many bytes that are searched for Liquid take a step.
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

/// The names that the Liquid of a text uses and that are neither `known` nor bound by it, each with its region; the first of each name.
/// None where that is too much work.
pub(crate) fn unknown_names(text: &str, known: &BTreeSet<&str>) -> Vec<(String, Range<usize>)> {
    let scan = scan::scan(text, &Known::new(known.iter().map(|&name| (name, true))));
    if scan::too_much(text, &scan).is_some() {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut used = locate::variables(text, &scan);
    used.retain(|(name, _)| !known.contains(name.as_str()) && seen.insert(name.clone()));
    used
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
    pub fn variables(&self, text: &str) -> Result<Vec<(String, Range<usize>)>, String> {
        if !has_liquid(text) {
            return Ok(Vec::new());
        }
        let scan = scan::scan(text, &Known::new([]));
        if let Some(excess) = scan::too_much(text, &scan) {
            return Err(excess.title.to_owned());
        }
        if let Some(excess) = self.budget.spend(scan.effort.steps() + engine::parse_steps(text)) {
            return Err(format!("this takes too much work: {}", excess.words()));
        }
        engine::check(text)?;
        Ok(locate::variables(text, &scan))
    }

    /// Renders a text that depends on answers alone; unknown variables are empty.
    ///
    /// # Errors
    ///
    /// Says why there is nothing: it cannot be rendered, or shows the date.
    pub fn of_answers(&self, text: &str, variables: &BTreeMap<String, Answer>) -> Result<String, String> {
        if !has_liquid(text) {
            return Ok(text.to_owned());
        }
        let outcome = self.outcome(text, variables, Date::default())?;
        match outcome.failure {
            Some(failure) => Err(failure.words()),
            None if outcome.dated => Err("it contains the date, and an answer cannot depend on that".to_owned()),
            None => Ok(outcome.text),
        }
    }

    /// Renders a text with Liquid.
    ///
    /// # Errors
    ///
    /// Says why there is nothing: it cannot be rendered, or a variable is not known.
    pub fn render(&self, text: &str, variables: &BTreeMap<String, Answer>, date: Date) -> Result<String, String> {
        let outcome = self.outcome(text, variables, date)?;
        match (outcome.failure, outcome.unknown.first()) {
            (Some(failure), _) => Err(failure.words()),
            (None, Some(unknown)) => Err(format!("`{unknown}` is not an answer")),
            (None, None) => Ok(outcome.text),
        }
    }

    fn outcome(&self, text: &str, variables: &BTreeMap<String, Answer>, date: Date) -> Result<engine::Outcome, String> {
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

/// Renders a whole text with Liquid, without a skeleton; `None` where it fails.
#[cfg(fuzzing)]
pub(crate) fn by_liquid(text: &str, variables: &BTreeMap<String, Answer>, date: Date) -> Option<String> {
    let outcome = Engine::new(variables, &BTreeSet::new(), date).render(text, 0, engine::Purpose::Output);
    outcome.failure.is_none().then_some(outcome.text)
}
