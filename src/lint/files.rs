//! The template's files, and what they render to.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::{Linted, kept};
use crate::diagnostic::{Code, Diagnostic, Found, Place, did_you_mean};
use crate::liquid::{has_liquid, unknown_names};
use crate::merge::lint::{Fault, count_blocks, fault};
use crate::patterns::Patterns;
use crate::plan::BlockProblem;
use crate::render::select::Selector;
use crate::tree::{Entry, RelPath};

pub(super) fn check(linted: &Linted<'_>, selector: &Selector, found: &mut Found) {
    let mut copied: HashSet<&[u8]> = HashSet::new();
    let known = linted.known();
    for (path, entry, is_rendered) in kept(linted, selector) {
        if is_rendered {
            names(linted, &known, path, entry, found);
        } else {
            copied.insert(entry.bytes());
        }
    }
    let with_blocks = Patterns::of(&linted.ownership.blocks);
    for (path, entry) in linted.rendered() {
        let Entry::File { .. } = entry else { continue };
        if !copied.contains(entry.bytes()) {
            document(linted, path, entry, found);
        }
        if with_blocks.matches(path.as_str()) {
            markers(linted, path, entry, found);
        }
    }
}

/// Names that nobody defines, also where a condition hides them: `{% if knid %}` is false, and says nothing.
fn names(linted: &Linted<'_>, known: &BTreeSet<&str>, path: &RelPath, entry: &Entry, found: &mut Found) {
    let Ok(text) = std::str::from_utf8(entry.bytes()) else { return };
    if !has_liquid(text) {
        return;
    }
    let unknown = unknown_names(text, known).into_iter();
    for (name, span) in unknown.filter(|(name, _)| !linted.may_be_set(name)) {
        let help = did_you_mean(&name, known.iter().copied())
            .unwrap_or_else(|| format!("declare `{name}` under `[placeholders]`"));
        let place = Place::new(linted.names.of(path), text, span);
        let problem = Diagnostic::warning(Code::UnknownVariable, format!("unknown variable `{name}`"));
        found.push(problem.at(place, "not a placeholder of this template").help(help));
    }
}

/// A rendered document that cannot be read as what its name says.
fn document(linted: &Linted<'_>, path: &RelPath, entry: &Entry, found: &mut Found) {
    let Ok(text) = std::str::from_utf8(entry.bytes()) else { return };
    let Some(Fault { format, reason, span }) = fault(path, text) else { return };
    let title = format!("`{path}` renders to something that is not {format}");
    let help = "fix the template's file, or list it under `exclude` to have it copied as it is";
    let problem = Diagnostic::warning(Code::RenderedInvalid, title).help(help);
    // A parser may quote what it stumbled over.
    let is_secret = linted.secret.contains_key(path);
    let reason = if is_secret { "cannot be parsed".to_owned() } else { reason };
    found.push(problem.at(place(linted, path, text, span), reason));
}

/// Markers that an upgrade could not understand.
fn markers(linted: &Linted<'_>, path: &RelPath, entry: &Entry, found: &mut Found) {
    match count_blocks(path, entry.bytes()) {
        // With other answers it may have some.
        Ok(0) if linted.files.get(path).is_some_and(|file| !has_marker(file.bytes())) => {
            let title = format!("`{path}` is under `blocks`, but has no block");
            let help = "put `create-app:begin NAME` and `create-app:end NAME` into comments around what belongs to the template";
            found.push(Diagnostic::warning(Code::ManifestRule, title).help(help));
        }
        Ok(_) => {}
        Err(problem) => {
            let text = String::from_utf8_lossy(entry.bytes());
            let start: usize = text.split_inclusive('\n').take(line_of(&problem) - 1).map(str::len).sum();
            let length = text[start..].lines().next().map_or(0, str::len);
            let title = format!("a block of `{path}` cannot be read");
            let place = place(linted, path, &text, start..start + length);
            let help = "each block starts with `create-app:begin NAME` and ends with `create-app:end NAME`";
            let reason = problem.to_string();
            found.push(Diagnostic::warning(Code::RenderedInvalid, title).at(place, reason).help(help));
        }
    }
}

fn has_marker(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).contains("create-app:begin")
}

fn line_of(problem: &BlockProblem) -> usize {
    use BlockProblem::{Duplicate, Nameless, Nested, Unbalanced};
    let (Unbalanced { line } | Nested { line } | Duplicate { line } | Nameless { line }) = problem;
    (*line).max(1)
}

/// A region of a rendered file, which may hold a secret.
fn place(linted: &Linted<'_>, path: &RelPath, text: &str, span: Range<usize>) -> Place {
    match linted.secret.contains_key(path) {
        true => Place::unquoted(path.as_str(), text, span),
        false => Place::new(path.as_str(), text, span),
    }
}
