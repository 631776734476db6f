//! What a case expects: held against what came out, or written anew.

use std::path::Path;

use super::case::{EXPECTED, SUMMARY};
use super::difference;
use super::made::Made;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::{source, workspace};

/// Writes what came out as what is expected.
pub(super) fn bless(folder: &Path, made: &Made) -> Result<()> {
    workspace::replace_tree(&folder.join(EXPECTED), &made.tree)?;
    let summary = made.summary.as_ref();
    summary.map_or(Ok(()), |summary| workspace::replace_file(&folder.join(SUMMARY), summary.as_bytes()))
}

/// What differs from it; what is not there is an error.
pub(super) fn judge(folder: &Path, made: &Made) -> Result<String> {
    let missing = |kind: &str, name: &str| {
        Diagnostic::error(Code::TestCase, format!("the case has no {kind} `{name}`"))
            .help("run the same command with --bless to write it")
    };
    let expected = folder.join(EXPECTED);
    if !expected.is_dir() {
        return Err(missing("folder", EXPECTED).into());
    }
    let verb = if made.summary.is_some() { "upgraded" } else { "rendered" };
    let mut differences = difference::of_trees(&source::read_tree(&expected)?, &made.tree, verb);
    if let Some(summary) = &made.summary {
        let file = folder.join(SUMMARY);
        if !file.exists() {
            return Err(missing("file", SUMMARY).into());
        }
        let expected = std::fs::read(&file).map_err(|error| Diagnostic::io("cannot read", &file, &error))?;
        let names = [format!("expected {SUMMARY}"), "what the upgrade says".to_owned()];
        differences += &difference::of_bytes(&expected, summary.as_bytes(), names);
    }
    Ok(differences)
}
