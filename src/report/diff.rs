//! Differences for a person at a terminal, and as a list.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::plan::{Difference, patch};
use crate::terminal::{escape_control, escape_control_except};

/// The patch with colours. Nothing of it acts on the terminal, and binaries are left out.
#[must_use]
pub fn coloured(differences: &[Difference<'_>]) -> String {
    let (mut out, mut in_head, mut in_binary) = (String::new(), true, false);
    for line in String::from_utf8_lossy(&patch(differences)).split_terminator('\n') {
        if line.starts_with("diff --git ") {
            (in_head, in_binary) = (true, false);
        }
        if in_binary {
            continue;
        }
        in_head &= !line.starts_with("@@ ");
        in_binary = in_head && line == "GIT binary patch";
        let text = if in_binary { "Binary files differ" } else { line };
        let style = match text.as_bytes().first() {
            _ if in_head => Style::new().bold(),
            Some(b'@') => AnsiColor::Cyan.on_default(),
            Some(b'+') => AnsiColor::Green.on_default(),
            Some(b'-') => AnsiColor::Red.on_default(),
            _ => Style::new(),
        };
        // Writing to a string cannot fail.
        let _: std::fmt::Result = writeln!(out, "{style}{}{style:#}", escape_control_except(text, &['\t']));
    }
    out
}

/// A path a line.
#[must_use]
pub fn names(differences: &[Difference<'_>]) -> String {
    differences.iter().map(|difference| format!("{}\n", escape_control(difference.path))).collect()
}

/// A line a file, with how many lines come and go, and a sum.
#[must_use]
pub fn stat(differences: &[Difference<'_>]) -> String {
    let mut out = String::new();
    let name = |difference: &Difference<'_>| match difference.from {
        Some(from) => format!("{} -> {}", escape_control(from), escape_control(difference.path)),
        None => escape_control(difference.path).into_owned(),
    };
    let width = differences.iter().map(|difference| name(difference).chars().count()).max().unwrap_or_default();
    let (mut added, mut removed) = (0, 0);
    for difference in differences {
        let lines = match difference.lines() {
            None => "binary".to_owned(),
            Some((plus, minus)) => {
                added += plus;
                removed += minus;
                format!("+{plus} -{minus}")
            }
        };
        let _: std::fmt::Result = writeln!(out, " {:width$} | {lines}", name(difference));
    }
    let files = if differences.len() == 1 { "file" } else { "files" };
    let _: std::fmt::Result = writeln!(out, " {} {files} changed, +{added} -{removed}", differences.len());
    out
}
