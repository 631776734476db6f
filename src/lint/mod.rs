//! Likely mistakes in a template that renders: for its author, in `create-app test` and with `--strict`. Pure: everything is a value.

mod files;
mod manifest;
mod rules;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::diagnostic::{Diagnostic, Found, Result};
use crate::hooks;
use crate::manifest::{Manifest, Ownership, Selection};
use crate::placeholders::Answer;
use crate::plan::Trees;
use crate::render::Secret;
use crate::render::select::{Selected, Selector};
use crate::template::Names;
use crate::tree::{Entry, RelPath, Tree};

/// A template, and what it rendered to.
#[derive(Debug)]
pub(crate) struct Linted<'a> {
    /// Its manifest.
    pub manifest: &'a Manifest,
    /// Its files, unrendered.
    pub files: &'a Tree,
    /// How messages name them.
    pub names: &'a Names,
    /// Which of them were rendered, with what the conditions added.
    pub selection: &'a Selection,
    /// The value of every variable.
    pub variables: &'a BTreeMap<String, Answer>,
    /// The rendered text.
    pub trees: &'a Trees,
    /// Whose the rendered files are, with the answers in the patterns.
    pub ownership: &'a Ownership,
    /// The rendered files that depend on a secret answer.
    pub secret: &'a Secret,
    /// The words of its scripts.
    pub scripts: HashSet<&'a str>,
}

/// Likely mistakes, as warnings.
///
/// # Errors
///
/// As [`Selector::new`]: a selection that is too much work.
pub(crate) fn findings(linted: &Linted<'_>) -> Result<Vec<Diagnostic>> {
    let selector = Selector::new(linted.files, linted.selection)?;
    let mut found = Found::default();
    manifest::check(linted, &mut found);
    rules::check(linted, &selector, &mut found);
    files::check(linted, &selector, &mut found);
    Ok(found.into_vec())
}

impl Linted<'_> {
    /// Every rendered file, below the app and below the repository's root.
    fn rendered(&self) -> impl Iterator<Item = (&RelPath, &Entry)> {
        self.trees.entries()
    }

    /// Whether scripts make files, take them away or rename them: then what the manifest says of files may be about those.
    fn has_hooks(&self) -> bool {
        !self.manifest.hooks.is_empty()
    }

    /// Whether a script may set a variable.
    fn may_be_set(&self, name: &str) -> bool {
        self.scripts.contains(name)
    }

    /// The names that a file may use.
    fn known(&self) -> BTreeSet<&str> {
        let declared = self.manifest.declared().map(|placeholder| placeholder.name.as_str());
        let given = self.variables.keys().map(String::as_str);
        crate::placeholders::built_in::names().chain(declared).chain(given).collect()
    }
}

/// The template's files that become part of a project, each with whether it is rendered.
fn kept<'t>(linted: &Linted<'t>, selector: &Selector) -> impl Iterator<Item = (&'t RelPath, &'t Entry, bool)> {
    let hooks = hooks::paths(&linted.manifest.hooks);
    let files = linted.files.iter().filter(move |(path, _)| !hooks.contains(path));
    files.filter_map(|(path, entry)| match selector.select(path) {
        Selected::Render => Some((path, entry, true)),
        Selected::Copy => Some((path, entry, false)),
        Selected::Drop => None,
    })
}

#[cfg(test)]
mod tests;
