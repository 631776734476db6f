//! Patterns of files, as a `.gitignore` file has them.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::spanned::Spanned;
use crate::tree::{RelPath, Tree};

/// The most patterns of a list.
const MAX_PATTERNS: usize = 1_000;
/// The most that the patterns of a list may have together, in bytes.
const MAX_PATTERN_BYTES: usize = 32 << 10;
/// How much of a path a pattern may look at: bytes of patterns that have several wildcards, times bytes of paths.
const MAX_WORK: usize = 2_000_000_000;

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
        "the patterns of the template take too much work: {patterns} bytes with several wildcards each, for {} files",
        files.len()
    );
    Err(Diagnostic::error(Code::TooLarge, title).help("list directories, or use one `*` in a pattern").into())
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
pub(crate) fn compile<'a>(patterns: impl IntoIterator<Item = &'a str>) -> std::result::Result<Gitignore, String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Entry;

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
