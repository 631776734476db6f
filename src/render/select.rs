//! Which files of a template are rendered, copied as they are, or dropped.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::diagnostic::{Code, Diagnostic, Result};
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

    /// What becomes of the file at this template path.
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
        // A line that is no pattern ignores nothing, as in git.
        let lines = text.lines().filter(|line| check_pattern(line).is_ok());
        let patterns = compile(lines).map_err(|reason| {
            Diagnostic::error(Code::TooLarge, format!("`{path}` has too many patterns: {reason}"))
                .help("list directories instead of files, or use patterns that are shorter")
        })?;
        found.insert(directory_of_genignore(path).to_owned(), patterns);
    }
    Ok(found)
}

/// The most patterns of a list.
const MAX_PATTERNS: usize = 1_000;
/// The most that the patterns of a list may have together, in bytes.
const MAX_PATTERN_BYTES: usize = 32 << 10;
/// How much of a path a pattern may look at: bytes of patterns that have several wildcards, times bytes of paths.
const MAX_WORK: usize = 2_000_000_000;

/// Refuses patterns that are too much work for so many files: each character of a path may be compared with each of theirs.
///
/// # Errors
///
/// Says how much it is.
pub fn check_work<'a>(files: &Tree, patterns: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let patterns: usize = patterns.into_iter().filter(|pattern| is_complex(pattern)).map(str::len).sum();
    if patterns == 0 {
        return Ok(());
    }
    // Each directory above a file is looked at, too.
    let work = |path: &RelPath| path.as_str().len() * (1 + path.as_str().matches('/').count());
    let paths: usize = files.keys().map(work).sum();
    if patterns.saturating_mul(paths) <= MAX_WORK {
        return Ok(());
    }
    let title = format!(
        "the patterns of the template are too much work: {patterns} bytes with several wildcards each, for {} files",
        files.len()
    );
    Err(Diagnostic::error(Code::TooLarge, title).help("name directories, or use one `*` in a pattern").into())
}

/// Whether a pattern has wildcards in several places; one at its start and one at its end are quick to judge.
fn is_complex(pattern: &str) -> bool {
    let inner = pattern.trim_start_matches(['!', '/', '*']).trim_end_matches(['/', '*']);
    let wildcards = inner.split(|c| !"*?[{".contains(c)).filter(|run| !run.is_empty());
    wildcards.count() > 1 || inner.contains(['?', '[', '{'])
}

/// Compiles patterns.
///
/// # Errors
///
/// Says what is too much.
fn compile<'a>(patterns: impl IntoIterator<Item = &'a str>) -> std::result::Result<Gitignore, String> {
    let mut builder = GitignoreBuilder::new("");
    let (mut count, mut bytes) = (0, 0);
    for pattern in patterns {
        count += 1;
        bytes += pattern.len();
        if count > MAX_PATTERNS || bytes > MAX_PATTERN_BYTES {
            return Err(format!("at most {MAX_PATTERNS}, with {} KiB", MAX_PATTERN_BYTES >> 10));
        }
        drop(builder.add_line(None, pattern).map(drop));
    }
    builder.build().map_err(|error| reason(&error))
}

fn reason(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        error => error.to_string(),
    }
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
    /// Compiles patterns that [`check_patterns`] has accepted; others match nothing.
    #[must_use]
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self(compile(patterns).unwrap_or_else(|_| Gitignore::empty()))
    }

    /// Compiles a list of the manifest.
    #[must_use]
    pub fn of(patterns: &[Spanned]) -> Self {
        Self::new(patterns.iter().map(|pattern| pattern.value.as_str()))
    }

    /// Whether a file's path, or one of its directories, matches; the last pattern that matches decides.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        !self.0.is_empty() && self.0.matched_path_or_any_parents(path, false).is_ignore()
    }
}

/// Checks one pattern.
///
/// # Errors
///
/// Says what is wrong with it.
pub fn check_pattern(pattern: &str) -> std::result::Result<(), String> {
    const LONGEST: usize = 1_000;
    if pattern.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} bytes"));
    }
    let mut builder = GitignoreBuilder::new("");
    builder.add_line(None, pattern).map_err(|error| reason(&error))?;
    builder.build().map(drop).map_err(|error| reason(&error))
}

/// Checks a list of patterns, each of which is right.
///
/// # Errors
///
/// Says what is too much.
pub fn check_patterns<'a>(patterns: impl IntoIterator<Item = &'a str>) -> std::result::Result<(), String> {
    compile(patterns).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn patterns_are_limited_in_number_and_in_sum() {
        assert!(
            check_pattern("**/*.md").is_ok()
                && check_pattern("a{").is_err()
                && check_pattern(&"a".repeat(2000)).is_err()
        );
        assert!(check_pattern(&"{a,".repeat(300)).is_err());
        let list = |count: usize, length: usize| {
            let patterns: Vec<String> = (0..count).map(|n| format!("{n:0length$}*")).collect();
            check_patterns(patterns.iter().map(String::as_str)).is_ok()
        };
        assert!(list(1_000, 10) && !list(1_001, 10) && !list(100, 900));
    }

    #[test]
    fn patterns_that_are_slow_are_judged_by_the_number_of_files() {
        for pattern in ["src/**", "*.png", "**/*.md", "!/docs/*", "docs/*.md", ".github/**"] {
            assert!(!is_complex(pattern), "{pattern}");
        }
        for pattern in ["a*b*c", "*a?b", "a[bc]", "docs/**/*.md", "{a,b}"] {
            assert!(is_complex(pattern), "{pattern}");
        }
        let files: Tree = (0..1_000)
            .map(|n| (RelPath::new(format!("{}{n}", "a/".repeat(100))).unwrap(), Entry::file(&b""[..])))
            .collect();
        assert!(check_work(&files, ["**/*.md"; 1_000]).is_ok() && check_work(&files, ["a*b*c"; 10]).is_ok());
        assert!(check_work(&files, ["*a?????????b"; 1_000]).is_err());
    }
}
