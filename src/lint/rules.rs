//! The manifest's rules about files, compared with the files.

use std::cell::Cell;
use std::collections::HashSet;

use super::{Linted, kept};
use crate::diagnostic::{Code, Diagnostic, Found};
use crate::liquid::has_liquid;
use crate::manifest::Renamed;
use crate::patterns::Patterns;
use crate::render::select::Selector;
use crate::spanned::Spanned;
use crate::tree::RelPath;

/// How many paths are compared with patterns: no template makes its author wait for minutes.
const MOST: usize = 5_000_000;
/// What makes a pattern more than a name.
const WILDCARDS: &[char] = &['*', '?', '[', '{'];

pub(super) fn check(linted: &Linted<'_>, selector: &Selector, found: &mut Found) {
    let paths = Paths::new(linted, selector);
    let ownership = linted.ownership;
    for (key, list) in [("once", &ownership.once), ("blocks", &ownership.blocks), ("repository", &ownership.repository)]
    {
        list.iter().filter(|pattern| !paths.may_match(pattern)).for_each(|pattern| {
            found.push(no_file(linted, key, pattern));
        });
    }
    // Each file's rules have its pattern.
    let mut merged: Vec<&str> = ownership.merge.iter().map(|rule| rule.file.as_str()).collect();
    merged.dedup();
    for file in merged {
        // One with variables is not in the manifest as it is.
        let Some(at) = linted.manifest.text.find(file) else { continue };
        let pattern = Spanned { value: file.to_owned(), span: at..at + file.len() };
        if !paths.may_match(&pattern) {
            found.push(no_file(linted, "[create-app.merge]", &pattern));
        }
    }
    let Linted { files, manifest, .. } = linted;
    let selection = &manifest.selection;
    for (key, list) in [("include", &selection.include), ("exclude", &selection.exclude)] {
        // `*.png` may be there for files to come.
        let names = list.iter().flatten().filter(|pattern| !pattern.value.contains(WILDCARDS) && !is_negated(pattern));
        for pattern in names {
            let patterns = Patterns::new([pattern.value.as_str()]);
            let is_looked_for = !linted.has_hooks() && paths.affords_one_more();
            if is_looked_for && !files.keys().any(|path| patterns.matches(path.as_str())) {
                found.push(no_file(linted, key, pattern));
            }
        }
    }
    twice(linted, &paths, found);
    renamed(linted, &paths, found);
}

fn is_negated(pattern: &Spanned) -> bool {
    pattern.value.starts_with('!')
}

fn no_file(linted: &Linted<'_>, key: &str, pattern: &Spanned) -> Diagnostic {
    let title = format!("the pattern `{}` under `{key}` matches no file", pattern.value.escape_debug());
    let help = "fix it, or remove it; a pattern is relative to the template, and matches names without `.liquid`";
    Diagnostic::warning(Code::ManifestRule, title)
        .at(linted.manifest.place(pattern.span.clone()), "matches nothing")
        .help(help)
}

/// The paths that files of projects may have.
struct Paths<'a> {
    linted: &'a Linted<'a>,
    /// Whether there may be unknown paths: those with variables, of files that these answers leave out.
    are_open: bool,
    /// How many more paths are looked at.
    left: Cell<usize>,
}

impl<'a> Paths<'a> {
    fn new(linted: &'a Linted<'a>, selector: &Selector) -> Self {
        let kept: HashSet<&RelPath> = kept(linted, selector).map(|(path, ..)| path).collect();
        let are_open =
            linted.has_hooks() || linted.files.keys().any(|path| has_liquid(path.as_str()) && !kept.contains(path));
        Self { linted, are_open, left: Cell::new(MOST) }
    }

    /// Whether all paths can be looked at once more.
    fn affords_one_more(&self) -> bool {
        let left = self.left.get().checked_sub(self.linted.files.len() + 1);
        left.inspect(|&left| self.left.set(left)).is_some()
    }

    /// Rendered ones; and the names in the template, for files that other answers bring.
    fn all(&self) -> impl Iterator<Item = &str> {
        let rendered = self.linted.rendered().map(|(path, _)| path.as_str());
        rendered.chain(self.linted.files.keys().map(RelPath::as_str))
    }

    fn may_match(&self, pattern: &Spanned) -> bool {
        let is_rendered = || {
            let raw = self.linted.manifest.text.get(pattern.span.clone());
            raw.is_some_and(has_liquid) && self.linted.rendered().count() < self.linted.files.len()
        };
        let patterns = Patterns::new([pattern.value.as_str()]);
        let is_unclear = self.are_open || is_negated(pattern) || !self.affords_one_more();
        is_unclear || self.all().any(|path| patterns.matches(path)) || is_rendered()
    }

    /// Whether there may be a file of this name, or a directory.
    fn may_have(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let is_there = |path: &str| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
        self.are_open || !self.affords_one_more() || self.all().any(is_there)
    }
}

/// Files that are the app's own from the start, but in which blocks belong to the template.
fn twice(linted: &Linted<'_>, paths: &Paths<'_>, found: &mut Found) {
    let once = Patterns::of(&linted.ownership.once);
    for pattern in linted.ownership.blocks.iter().filter(|pattern| !is_negated(pattern)) {
        if !paths.affords_one_more() {
            return;
        }
        let blocks = Patterns::new([pattern.value.as_str()]);
        let both = |path: &&RelPath| blocks.matches(path.as_str()) && once.matches(path.as_str());
        if let Some(path) = linted.rendered().map(|(path, _)| path).find(both) {
            let title = format!("`{path}` is under `once` and under `blocks`");
            let problem = Diagnostic::warning(Code::ManifestRule, title);
            let problem = problem.at(linted.manifest.place(pattern.span.clone()), "`once` matches it as well");
            found.push(problem.help("remove it from one of them: an upgrade leaves files under `once` as they are"));
        }
    }
}

/// Moves of files that are not where they went, or are still where they were.
fn renamed(linted: &Linted<'_>, paths: &Paths<'_>, found: &mut Found) {
    let renamed = &linted.ownership.renamed;
    let mut seen = HashSet::new();
    for Renamed { from, to } in renamed {
        let mut tell = |key: &str, value: &str, title: String, help: &str| {
            let span = place_of(&linted.manifest.text, key, value);
            found.push(
                Diagnostic::warning(Code::ManifestRule, title).at(linted.manifest.place(span), "here").help(help),
            );
        };
        if !paths.affords_one_more() {
            return;
        }
        // It may have moved on since.
        if !renamed.iter().any(|other| other.from == *to) && !paths.may_have(to) {
            let title = format!("`{from}` is renamed to `{to}`, which is not in the template");
            tell("to", to, title, "write where the file is now, or remove the entry if it was deleted");
        }
        if linted.rendered().any(|(path, _)| path.as_str() == from) {
            let title = format!("`{from}` is renamed to `{to}`, but it still exists");
            tell("from", from, title, "remove the entry, or the old file");
        }
        if !seen.insert(from) {
            tell("from", from, format!("`{from}` is renamed twice"), "keep the entry that says where the file is now");
        }
    }
}

/// Where the manifest gives a key this value; its beginning if that cannot be found.
fn place_of(text: &str, key: &str, value: &str) -> std::ops::Range<usize> {
    let starts = text.match_indices(value).map(|(at, _)| at);
    let mut given = starts.filter(|&at| {
        let before = text[..at].trim_end_matches(['"', '\'']).trim_end();
        before.strip_suffix('=').is_some_and(|before| before.trim_end().ends_with(key))
    });
    given.next().map_or(0..0, |at| at..at + value.len())
}
