//! An upgrade that was taken back, for a person and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::terminal::escape_control;
use crate::workspace::Backup;

/// What is as it was before, and what was edited since.
#[must_use]
pub fn aborted(shown: &str, paths: &[String], backup: Option<&Backup>) -> String {
    let files = if paths.len() == 1 { "1 file".to_owned() } else { format!("{} files", paths.len()) };
    let mut out = format!("{}: took back the last upgrade ({files})\n", escape_control(shown));
    if let Some(backup) = backup {
        // Writing to a string cannot fail.
        let _: std::fmt::Result = writeln!(out, "\nYou had edited these since; copies are in {}:", backup.directory());
        backup.copies.iter().for_each(|copy| out.push_str(&format!("  {}\n", escape_control(&copy.name))));
    }
    out
}

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    command: &'a str,
    path: &'a str,
    files: &'a [String],
    backup: Option<super::json::JsonBackup<'a>>,
}

/// The same, for programs.
#[must_use]
pub fn aborted_json(shown: &str, paths: &[String], backup: Option<&Backup>) -> String {
    let backup = backup.map(super::json::JsonBackup::of);
    crate::report::json(&Json { format: 1, command: "abort", path: shown, files: paths, backup })
}
