//! Private parsers and judges for the fuzz targets in `tests/fuzz`. Only built with `--cfg fuzzing`.

use std::collections::BTreeMap;

use crate::date::Date;
use crate::diagnostic::Diagnostic;
use crate::placeholders::Answer;
use crate::tree::RelPath;

/// The entries of git's index, as `git ls-files --stage` prints them; `None` where git has to be asked.
#[must_use]
pub fn index(bytes: &[u8]) -> Option<Vec<String>> {
    crate::git::listed(bytes)
}

/// A journal, read and written again; `None` where it is refused.
#[must_use]
pub fn journal(bytes: &[u8]) -> Option<String> {
    crate::workspace::reread(bytes)
}

/// Renders a whole text with Liquid, without a skeleton; `None` where it fails.
#[must_use]
pub fn by_liquid(text: &str, variables: &BTreeMap<String, Answer>, date: Date) -> Option<String> {
    crate::liquid::by_liquid(text, variables, date)
}

/// The comments of several versions of a structured file; `None` where one of them cannot be parsed.
#[must_use]
pub fn comments(path: &RelPath, texts: &[&str]) -> Option<Vec<Vec<String>>> {
    crate::merge::comments(path, texts)
}

/// A diagnostic as it is printed.
#[must_use]
pub fn draw(diagnostic: &Diagnostic) -> String {
    crate::report::draw(diagnostic)
}

/// The address of a submodule, as git is given it; `None` where it is refused.
#[must_use]
pub fn submodule(parent: &crate::source::Address, url: &str) -> Option<crate::source::Address> {
    crate::source::submodule(parent, url)
}

/// What may be said of a text that need not be an address.
#[must_use]
pub fn without_credentials(text: &str) -> String {
    crate::credentials::without_credentials(text).into_owned()
}
