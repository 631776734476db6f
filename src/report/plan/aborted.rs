//! An upgrade that was undone, for a person.

use std::fmt::Write as _;

use crate::terminal::escape_control;
use crate::workspace::Backup;

/// The files that were restored, and those that were edited since.
#[must_use]
pub fn aborted(shown: &str, paths: &[String], backup: Option<&Backup>) -> String {
    let files = if paths.len() == 1 { "1 file".to_owned() } else { format!("{} files", paths.len()) };
    let mut out = format!("{}: undid the last upgrade ({files})\n", escape_control(shown));
    if let Some(backup) = backup {
        // Writing to a string cannot fail.
        let _: std::fmt::Result =
            writeln!(out, "\nYou had edited these files since then; copies are in {}:", backup.directory());
        backup.copies.iter().for_each(|copy| out.push_str(&format!("  {}\n", escape_control(&copy.name))));
    }
    out
}
