//! The findings of `check`, for a person.

use std::fmt::Write as _;

use crate::diagnostic::Diagnostic;
use crate::lock::{LockedTemplate, label};
use crate::merge::state::{FileState, Leftover, State};
use crate::scope::{Scope, Scoped};
use crate::terminal::escape_control;
use crate::tree::RelPath;

/// One project, checked.
#[derive(Debug, Default)]
pub struct Checked {
    /// The path as the user gave it.
    pub shown: String,
    /// The app below the repository's root.
    pub app_dir: Option<RelPath>,
    /// The files.
    pub files: Scoped<Vec<FileState>>,
    /// The template that the lock names, if it can be read.
    pub template: Option<LockedTemplate>,
    /// The template, where it was asked for and is newer.
    pub newer: Option<Newer>,
    /// The problem with the record, and warnings of what could not be checked; where nothing could be, why.
    pub problems: Vec<Diagnostic>,
    /// Whether the project could not be checked.
    pub failed: bool,
}

/// A template that is newer than the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newer {
    /// Its version.
    pub version: Option<String>,
    /// Its revision; the tag, where nothing else was asked for.
    pub revision: String,
    /// Its tag, where one is followed.
    pub tag: Option<String>,
    /// How many releases newer it is, where tags tell.
    pub releases: usize,
}

impl Checked {
    /// Whether the command ends with 1: for a conflict, a broken record or a newer template; with `pristine`, for edits, too.
    #[must_use]
    pub fn fails(&self, pristine: bool) -> bool {
        let bad = |file: &FileState| file.state == State::Conflict || pristine && file.state.is_drift();
        self.problems.iter().any(Diagnostic::is_error)
            || self.newer.is_some()
            || self.files().any(|(_, file)| bad(file))
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = (Scope, &FileState)> {
        self.files.iter().flat_map(|(scope, files)| files.iter().map(move |file| (scope, file)))
    }
}

/// A line for each file that is not as it was rendered, and one that sums up.
#[must_use]
pub fn human(checked: &[Checked]) -> String {
    let mut out = String::new();
    for project in checked {
        // Writing to a string cannot fail.
        let _: std::fmt::Result = draw(&mut out, project, checked.len() > 1);
    }
    out
}

fn draw(out: &mut String, project: &Checked, named: bool) -> std::fmt::Result {
    let indent = if named { "  " } else { "" };
    if named {
        writeln!(out, "{}", escape_control(&project.shown))?;
    }
    for (scope, file) in project.files().filter(|(_, file)| file.state.is_drift()) {
        write!(out, "{indent}{:<9} {}", file.state.as_str(), escape_control(file.path.as_str()))?;
        if let Some(now) = &file.now {
            write!(out, " -> {}", escape_control(now.as_str()))?;
        }
        if scope == Scope::Repository {
            write!(out, " (at the repository's root)")?;
        }
        let left: Vec<String> = file.leftovers.iter().map(words).collect();
        writeln!(out, "{}{}", if left.is_empty() { "" } else { ": " }, left.join(", "))?;
    }
    if let Some(newer) = &project.newer {
        let old = project.template.as_ref().and_then(LockedTemplate::label);
        let new = label(newer.tag.as_deref().or(newer.version.as_deref()), &newer.revision);
        let far = match newer.releases {
            0 => String::new(),
            1 => " (1 release newer)".to_owned(),
            count => format!(" ({count} releases newer)"),
        };
        writeln!(out, "{indent}the template is newer: {}{far}", change(old.as_deref(), new.as_deref()))?;
    }
    if project.template.is_some() {
        writeln!(out, "{indent}{}", summary(project))?;
    }
    if project.failed && named {
        writeln!(out, "{indent}not checked: see the error")?;
    }
    Ok(())
}

/// From one version to another, as far as they tell anything.
#[must_use]
pub fn change(old: Option<&str>, new: Option<&str>) -> String {
    let [old_text, new_text] = [old, new].map(|version| escape_control(version.unwrap_or("no version")).into_owned());
    if old == new { format!("{new_text}, changed") } else { format!("{old_text} -> {new_text}") }
}

fn words(leftover: &Leftover) -> String {
    match leftover {
        Leftover::Unmerged => "unmerged in git".into(),
        Leftover::Markers => "conflict markers".into(),
        Leftover::Beside(path) => format!("`{}` is beside it", escape_control(path.as_str())),
    }
}

/// The state after a number of files.
fn counted(state: State) -> &'static str {
    match state {
        State::Pristine => "unchanged",
        State::Own => "yours",
        State::Conflict => "in conflict",
        other => other.as_str(),
    }
}

fn summary(project: &Checked) -> String {
    let states =
        [State::Pristine, State::Edited, State::Moved, State::Missing, State::Own, State::Unknown, State::Conflict];
    let counts = states.map(|state| (state, project.files().filter(|(_, file)| file.state == state).count()));
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(state, count)| format!("{count} {}", counted(*state))).collect();
    let total = project.files().count();
    let files = if total == 1 { "file" } else { "files" };
    if counts.is_empty() { "0 files".into() } else { format!("{total} {files}: {}", counts.join(", ")) }
}
