//! Which files of a template are rendered, copied as they are, or dropped.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::manifest::Spanned;

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
