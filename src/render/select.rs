//! Which files of a template are rendered, copied as they are, or dropped.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::manifest::{Selection, Spanned};
use crate::tree::{RelPath, Tree};

/// A template's own ignore file: patterns of files that are no part of the output.
const GENIGNORE: &str = ".genignore";
/// Files at the template's root that are never part of the output.
const NEVER: &[&str] = &[GENIGNORE, ".cargo-ok"];

/// What becomes of a template file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selected {
    /// Path and content are rendered.
    Render,
    /// Only the path is rendered.
    Copy,
    /// It is no part of the output.
    Drop,
}

/// Decides by cargo-generate's rules: all patterns see template paths, unrendered and without `.liquid`.
#[derive(Debug)]
pub struct Selector {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
    /// Literal paths.
    ignore: Vec<String>,
    /// Patterns of `.genignore` files, each with the directory that it stands in; the innermost that says something counts.
    genignore: Vec<(String, Gitignore)>,
}

impl Selector {
    /// Reads the template's `.genignore` files and compiles the selection.
    #[must_use]
    pub fn new(files: &Tree, selection: &Selection) -> Self {
        let ignore = selection.ignore.iter().filter_map(|path| normalise(&path.value)).collect();
        let include = selection.include.as_deref().map(Patterns::of);
        let exclude = selection.exclude.as_deref().map(Patterns::of);
        Self { include, exclude, ignore, genignore: genignores(files) }
    }

    /// What becomes of the file at this template path.
    #[must_use]
    pub fn select(&self, path: &RelPath) -> Selected {
        let path = path.as_str();
        if NEVER.contains(&path) || self.is_ignored(path) {
            return Selected::Drop;
        }
        let render = match (&self.include, &self.exclude) {
            (Some(include), _) => include.matches(path),
            (None, Some(exclude)) => !exclude.matches(path),
            (None, None) => true,
        };
        if render { Selected::Render } else { Selected::Copy }
    }

    fn is_ignored(&self, path: &str) -> bool {
        let below = |ignored: &String| {
            let rest = path.strip_prefix(ignored.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.starts_with('/') || rest.is_empty() && !ignored.ends_with('/'))
        };
        self.ignore.iter().any(below) || self.is_genignored(path)
    }

    /// A directory that is ignored takes everything below it along, so the path is checked from its top.
    fn is_genignored(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| (at, true)).chain([(path.len(), false)]);
        ends.into_iter().any(|(end, is_dir)| {
            let part = &path[..end];
            let verdict = self.genignore.iter().find_map(|(directory, patterns)| {
                let relative = match directory.as_str() {
                    "" => part,
                    directory => part.strip_prefix(directory)?.strip_prefix('/')?,
                };
                let matched = patterns.matched(relative, is_dir);
                (!matched.is_none()).then(|| matched.is_ignore())
            });
            verdict.unwrap_or(false)
        })
    }
}

/// The `.genignore` files, the deepest first; none counts where the root has none.
fn genignores(files: &Tree) -> Vec<(String, Gitignore)> {
    let is_root = |path: &RelPath| path.as_str() == GENIGNORE;
    if !files.keys().any(is_root) {
        return Vec::new();
    }
    let mut found: Vec<(String, Gitignore)> = files
        .iter()
        .filter(|(path, _)| path.file_name() == GENIGNORE)
        .map(|(path, entry)| {
            let directory = path.ancestors().next().unwrap_or("").to_owned();
            let mut builder = GitignoreBuilder::new("");
            for line in String::from_utf8_lossy(entry.bytes()).lines() {
                // A line that is no pattern ignores nothing, as in git.
                drop(builder.add_line(None, line).map(drop));
            }
            (directory, builder.build().unwrap_or_else(|_| Gitignore::empty()))
        })
        .collect();
    found.sort_by_key(|(directory, _)| {
        std::cmp::Reverse(directory.matches('/').count() + usize::from(!directory.is_empty()))
    });
    found
}

/// `./a`, `b/../a` and `a` name the same path, `a/` only if it is a directory; what is absolute or leaves the template
/// names none of its files.
fn normalise(path: &str) -> Option<String> {
    let mut components = Vec::new();
    for component in path.split('/').filter(|component| !matches!(*component, "" | ".")) {
        match component {
            ".." => drop(components.pop()?),
            name => components.push(name),
        }
    }
    let slash = if path.ends_with('/') { "/" } else { "" };
    (!path.starts_with('/') && !components.is_empty()).then(|| components.join("/") + slash)
}

/// Patterns as in a `.gitignore` file, matched against relative paths.
#[derive(Debug)]
pub struct Patterns(Gitignore);

impl Patterns {
    /// Compiles patterns that [`check_pattern`] has accepted; others match nothing.
    #[must_use]
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut builder = GitignoreBuilder::new("");
        for pattern in patterns {
            if builder.add_line(None, pattern).is_err() {
                continue;
            }
        }
        Self(builder.build().unwrap_or_else(|_| Gitignore::empty()))
    }

    /// Compiles a list of the manifest.
    #[must_use]
    pub fn of(patterns: &[Spanned]) -> Self {
        Self::new(patterns.iter().map(|pattern| pattern.value.as_str()))
    }

    /// Whether a file's path, or one of its directories, matches; the last pattern that matches decides.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.matched_path_or_any_parents(path, false).is_ignore()
    }
}

/// Checks one pattern.
///
/// # Errors
///
/// Says what is wrong with it.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    match GitignoreBuilder::new("").add_line(None, pattern) {
        Ok(_) => Ok(()),
        Err(ignore::Error::Glob { err, .. }) => Err(err),
        Err(error) => Err(error.to_string()),
    }
}
