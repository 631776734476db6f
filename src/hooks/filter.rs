//! Scripts as filters of Liquid: `{{ "script.rhai" | rhai }}` is what the script evaluates to.
//!
//! Files render in any order, and several at once. So such a script reads variables, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Hooks, Phase, Script, Shared, engine, lock, view};
use crate::liquid::Scripts;
use crate::placeholders::Answer;
use crate::template::Names;
use crate::tree::{RelPath, Tree};

/// The scripts of a template that can be filters.
#[derive(Debug)]
pub struct Filters {
    names: Names,
    state: Shared,
    /// Those that have run. One runs at a time.
    ran: Mutex<BTreeSet<RelPath>>,
}

impl Filters {
    /// The scripts among a template's files, with the variables that they see; `None` if it has no script.
    #[must_use]
    pub fn new(hooks: &Hooks, files: &Tree, variables: &BTreeMap<String, Answer>) -> Option<Arc<Self>> {
        let is_script = |path: &RelPath| path.as_str().ends_with(".rhai");
        let scripts: Tree = files
            .iter()
            .filter(|(path, _)| is_script(path))
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect();
        if scripts.is_empty() {
            return None;
        }
        let state = hooks.lock().apart(Phase::Filter, scripts, variables.clone());
        Some(Arc::new(Self { names: hooks.names.clone(), state, ran: Mutex::default() }))
    }

    /// Whether a script read the date.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        lock(&self.state).dated
    }
}

impl Scripts for Filters {
    fn run(&self, name: &str) -> Result<String, String> {
        let mut ran = self.ran.lock().unwrap_or_else(PoisonError::into_inner);
        let script = {
            let mut state = lock(&self.state);
            if !state.secret.is_empty() {
                return Err("a template with secret answers cannot run scripts as filters".to_owned());
            }
            let path = view::path(name).ok().flatten();
            let text = path.as_ref().and_then(|path| std::str::from_utf8(state.view.read(path)?).ok());
            let Some((path, text)) = path.as_ref().zip(text).filter(|(_, text)| text.len() <= engine::MAX_SCRIPT)
            else {
                return Err(format!("there is no script `{name}` in the template; its name must end in `.rhai`"));
            };
            let script = Script { path: path.as_str().to_owned(), name: self.names.of(path), text: text.into() };
            ran.insert(path.clone());
            state.script = script.clone();
            script
        };
        let value = engine::evaluate(&self.state, &self.names, &script).map_err(|problems| {
            let first = problems.0.into_iter().next();
            let place = first.as_ref().and_then(|problem| problem.place.as_ref()).map(|place| place.line_column());
            let (line, column) = place.unwrap_or((1, 1));
            format!("`{}`:{line}:{column}: {}", script.path, first.map(|problem| problem.title).unwrap_or_default())
        })?;
        value
            .into_string()
            .map_err(|kind| format!("`{name}` should evaluate to a string, but its value is of the type {kind}"))
    }

    fn ran(&self, path: &RelPath) -> bool {
        self.ran.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }
}
