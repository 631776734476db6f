//! Differences between two sides.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{FORMAT, render};
use crate::plan::Difference;
use crate::tree::Entry;

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    command: &'static str,
    files: Vec<JsonFile<'a>>,
}

#[derive(Serialize)]
struct JsonFile<'a> {
    path: &'a str,
    from: Option<&'a str>,
    before_mode: Option<&'static str>,
    after_mode: Option<&'static str>,
    binary: bool,
    added: Option<usize>,
    removed: Option<usize>,
}

/// Every file, for programs. Of those that are `secret`, not even the number of lines is reported.
#[must_use]
pub fn diff(differences: &[Difference<'_>], secret: &BTreeSet<String>) -> String {
    let mode = |entry: Option<&Entry>| entry.map(|entry| entry.mode().as_str());
    let files = differences.iter().map(|difference| {
        let lines = difference.lines();
        let shown = lines.filter(|_| !secret.contains(difference.path));
        JsonFile {
            path: difference.path,
            from: difference.from,
            before_mode: mode(difference.before),
            after_mode: mode(difference.after),
            binary: lines.is_none(),
            added: shown.map(|(added, _)| added),
            removed: shown.map(|(_, removed)| removed),
        }
    });
    render(&Json { format: FORMAT, command: "diff", files: files.collect() })
}
