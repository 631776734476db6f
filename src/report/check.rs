//! What `check` found, for a person and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::JsonTemplate;
use crate::diagnostic::Diagnostic;
use crate::lock::{LockedTemplate, label};
use crate::merge::state::{FileState, Leftover, State};
use crate::terminal::escape_control;
use crate::tree::RelPath;

/// The version of the JSON.
const FORMAT: u32 = 1;

/// One project, checked.
#[derive(Debug, Default)]
pub struct Checked {
    /// The path as the user gave it.
    pub shown: String,
    /// The app below the repository's root.
    pub app_dir: Option<RelPath>,
    /// The files below the app.
    pub app: Vec<FileState>,
    /// The files below the repository's root.
    pub repository: Vec<FileState>,
    /// The template that the lock names, if it can be read.
    pub template: Option<LockedTemplate>,
    /// The template, where it was asked for and is newer.
    pub newer: Option<Newer>,
    /// What is wrong with the record, and warnings of what could not be checked; where nothing could be, why.
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

    /// Every file, with whether it is at the repository's root.
    fn files(&self) -> impl Iterator<Item = (bool, &FileState)> {
        let app = self.app.iter().map(|file| (false, file));
        app.chain(self.repository.iter().map(|file| (true, file)))
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
    for (repository, file) in project.files().filter(|(_, file)| file.state.is_drift()) {
        write!(out, "{indent}{:<9} {}", file.state.as_str(), escape_control(file.path.as_str()))?;
        if let Some(now) = &file.now {
            write!(out, " -> {}", escape_control(now.as_str()))?;
        }
        if repository {
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

fn summary(project: &Checked) -> String {
    let states =
        [State::Pristine, State::Edited, State::Moved, State::Missing, State::Own, State::Unknown, State::Conflict];
    let counts = states.map(|state| (state, project.files().filter(|(_, file)| file.state == state).count()));
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    let total = project.files().count();
    let files = if total == 1 { "file" } else { "files" };
    if counts.is_empty() { "0 files".into() } else { format!("{total} {files}: {}", counts.join(", ")) }
}

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    clean: bool,
    projects: Vec<JsonProject<'a>>,
}

#[derive(Serialize)]
struct JsonProject<'a> {
    path: &'a str,
    app_dir: Option<&'a str>,
    template: Option<JsonTemplate<'a>>,
    newer: Option<JsonNewer<'a>>,
    files: Vec<JsonFile<'a>>,
    problems: Vec<JsonProblem<'a>>,
}

#[derive(Serialize)]
struct JsonNewer<'a> {
    version: Option<&'a str>,
    revision: &'a str,
    tag: Option<&'a str>,
    releases: usize,
}

#[derive(Serialize)]
struct JsonFile<'a> {
    path: &'a str,
    root: &'static str,
    state: &'static str,
    now: Option<&'a str>,
    leftovers: Vec<JsonLeftover<'a>>,
}

#[derive(Serialize)]
struct JsonLeftover<'a> {
    kind: &'static str,
    path: Option<&'a str>,
}

/// A problem, as every `--json` shows it.
#[derive(Serialize)]
pub(super) struct JsonProblem<'a> {
    code: &'static str,
    title: &'a str,
    help: Option<&'a str>,
    /// How many others like it there are, which are not listed.
    #[serde(skip_serializing_if = "is_zero")]
    more: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl<'a> JsonProblem<'a> {
    pub(super) fn of(problem: &'a Diagnostic) -> Self {
        Self { code: problem.code.as_str(), title: &problem.title, help: problem.help.as_deref(), more: problem.more }
    }
}

/// Everything, for programs.
#[must_use]
pub fn json(checked: &[Checked], clean: bool) -> String {
    let projects = checked.iter().map(|project| JsonProject {
        path: &project.shown,
        app_dir: project.app_dir.as_ref().map(RelPath::as_str),
        template: project.template.as_ref().map(JsonTemplate::of),
        newer: project.newer.as_ref().map(|newer| JsonNewer {
            version: newer.version.as_deref(),
            revision: &newer.revision,
            tag: newer.tag.as_deref(),
            releases: newer.releases,
        }),
        files: project.files().map(|(repository, file)| json_file(repository, file)).collect(),
        problems: project.problems.iter().map(JsonProblem::of).collect(),
    });
    super::json(&Json { format: FORMAT, clean, projects: projects.collect() })
}

fn json_file(repository: bool, file: &FileState) -> JsonFile<'_> {
    let leftovers = file.leftovers.iter().map(|leftover| match leftover {
        Leftover::Unmerged => JsonLeftover { kind: "unmerged", path: None },
        Leftover::Markers => JsonLeftover { kind: "markers", path: None },
        Leftover::Beside(path) => JsonLeftover { kind: "beside", path: Some(path.as_str()) },
    });
    JsonFile {
        path: file.path.as_str(),
        root: if repository { "repository" } else { "app" },
        state: file.state.as_str(),
        now: file.now.as_ref().map(RelPath::as_str),
        leftovers: leftovers.collect(),
    }
}
