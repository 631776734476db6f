//! Which files of a template are rendered, copied as they are, or dropped.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ignore::gitignore::Gitignore;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::manifest::Selection;
use crate::patterns::{Patterns, check_pattern, check_work, compile};
use crate::tree::{RelPath, Tree};

/// A template's own ignore file: patterns of files that are not part of the output.
const GENIGNORE: &str = ".genignore";
/// Files at the template's root that are never part of the output.
const NEVER: &[&str] = &[GENIGNORE, ".cargo-ok"];

/// The destination of a template file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selected {
    /// Path and content are rendered.
    Render,
    /// Only the path is rendered.
    Copy,
    /// It is not a part of the output.
    Drop,
}

/// Decides by cargo-generate's rules: all patterns see template paths, unrendered and without `.liquid`.
#[derive(Debug)]
pub struct Selector {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
    /// Literal paths, without the slash of those that are directories alone.
    ignore: BTreeMap<String, OnlyDirectory>,
    /// Patterns of `.genignore` files, by the directory that it is in; the innermost that says something counts.
    genignore: BTreeMap<String, Gitignore>,
}

/// Whether a path is only ignored where it is a directory.
type OnlyDirectory = bool;

impl Selector {
    /// Reads the template's `.genignore` files and compiles the selection.
    ///
    /// # Errors
    ///
    /// A `.genignore` file with too many patterns, and patterns that are too much work for so many files.
    pub fn new(files: &Tree, selection: &Selection) -> Result<Self> {
        let mut ignore: BTreeMap<String, OnlyDirectory> = BTreeMap::new();
        for path in selection.ignore.iter().filter_map(|path| normalise(&path.value)) {
            let only_directory = path.ends_with('/');
            let known = ignore.entry(path.trim_end_matches('/').to_owned()).or_insert(only_directory);
            *known &= only_directory;
        }
        let lists = [&selection.include, &selection.exclude];
        let [include, exclude] = lists.map(|patterns| patterns.as_deref().map(Patterns::of));
        let genignore = genignores(files)?;
        let lines = files.iter().filter(|(path, _)| genignore.contains_key(directory_of_genignore(path)));
        let lines: Vec<Cow<'_, str>> = lines.map(|(_, entry)| String::from_utf8_lossy(entry.bytes())).collect();
        let listed = lists.into_iter().flatten().flatten().map(|pattern| pattern.value.as_str());
        check_work(files, listed.chain(lines.iter().flat_map(|text| text.lines())))?;
        Ok(Self { include, exclude, ignore, genignore })
    }

    /// The destination of the file at this template path.
    #[must_use]
    pub fn select(&self, path: &RelPath) -> Selected {
        if NEVER.contains(&path.as_str()) || self.is_ignored(path) {
            return Selected::Drop;
        }
        let path = path.as_str();
        let render = match (&self.include, &self.exclude) {
            (Some(include), _) => include.matches(path),
            (None, Some(exclude)) => !exclude.matches(path),
            (None, None) => true,
        };
        if render { Selected::Render } else { Selected::Copy }
    }

    fn is_ignored(&self, path: &RelPath) -> bool {
        let is_below = || path.ancestors().any(|above| self.ignore.contains_key(above));
        let is_listed = !self.ignore.is_empty() && (self.ignore.get(path.as_str()) == Some(&false) || is_below());
        is_listed || !self.genignore.is_empty() && self.is_genignored(path.as_str())
    }

    /// A directory that is ignored takes everything below it along, so the path is checked from its top.
    fn is_genignored(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| (at, true)).chain([(path.len(), false)]);
        ends.into_iter().any(|(end, is_dir)| {
            let part = &path[..end];
            let above = part.rmatch_indices('/').map(|(at, _)| &part[..at]).chain([""]);
            let mut verdicts = above.filter_map(|directory| {
                let patterns = self.genignore.get(directory)?;
                let relative = part[directory.len()..].trim_start_matches('/');
                let matched = patterns.matched(relative, is_dir);
                (!matched.is_none()).then(|| matched.is_ignore())
            });
            verdicts.next().unwrap_or(false)
        })
    }
}

/// The directory of a `.genignore` file; of any other file, a name that no directory has.
fn directory_of_genignore(path: &RelPath) -> &str {
    if path.file_name() == GENIGNORE { path.ancestors().next().unwrap_or("") } else { "/" }
}

/// The `.genignore` files, by their directories; none counts where the root has none.
fn genignores(files: &Tree) -> Result<BTreeMap<String, Gitignore>> {
    let is_root = |path: &RelPath| path.as_str() == GENIGNORE;
    if !files.keys().any(is_root) {
        return Ok(BTreeMap::new());
    }
    let mut found = BTreeMap::new();
    for (path, entry) in files.iter().filter(|(path, _)| path.file_name() == GENIGNORE) {
        let text = String::from_utf8_lossy(entry.bytes());
        // A line that is not a pattern ignores nothing, as in git.
        let lines = text.lines().filter(|line| check_pattern(line).is_ok());
        let patterns = compile(lines).map_err(|reason| {
            Diagnostic::error(Code::TooLarge, format!("`{path}` has too many patterns: {reason}"))
                .help("list directories instead of files, or use patterns that are shorter")
        })?;
        found.insert(directory_of_genignore(path).to_owned(), patterns);
    }
    Ok(found)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spanned::Spanned;
    use crate::tree::Entry;

    fn tree(files: &[(&str, &'static str)]) -> Tree {
        files.iter().map(|(path, text)| (RelPath::new(*path).unwrap(), Entry::file(text.as_bytes()))).collect()
    }

    fn ignored(ignore: &[&str], files: &[(&str, &'static str)]) -> Vec<String> {
        let ignore = ignore.iter().map(|path| Spanned { value: (*path).to_owned(), span: 0..0 }).collect();
        let files = tree(files);
        let selector = Selector::new(&files, &Selection { ignore, ..Selection::default() }).unwrap();
        let dropped = files.keys().filter(|path| selector.select(path) == Selected::Drop);
        dropped.map(ToString::to_string).filter(|path| !path.ends_with(GENIGNORE)).collect()
    }

    #[test]
    fn paths_are_ignored_with_all_that_is_below_them() {
        let files = ["a/b/c", "a/bc", "d", "e/f"].map(|path| (path, ""));
        assert_eq!(ignored(&["./a/b", "d/", "x/../e"], &files), ["a/b/c", "e/f"]);
        assert_eq!(ignored(&["d", "d/", "a/bc/"], &files), ["d"]);
    }

    #[test]
    fn the_innermost_genignore_that_says_something_counts() {
        let files = [
            (GENIGNORE, "*.log\n/top\nkept/\n"),
            ("a/.genignore", "!*.log\nown\n"),
            ("a/b/.genignore", "*.log\n"),
            ("x.log", ""),
            ("top/x", ""),
            ("a/top", ""),
            ("a/x.log", ""),
            ("a/own", ""),
            ("a/b/x.log", ""),
            ("a/b/own", ""),
            ("a/kept/x", ""),
        ];
        assert_eq!(ignored(&[], &files), ["a/b/own", "a/b/x.log", "a/kept/x", "a/own", "top/x", "x.log"]);
        assert_eq!(ignored(&[], &files[1..]), [""; 0]);
    }
}
