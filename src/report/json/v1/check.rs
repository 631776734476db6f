//! The findings of `check`.

use serde::Serialize;

use super::{FORMAT, Problem, Template, render, root};
use crate::merge::state::{FileState, Leftover};
use crate::report::check::Checked;
use crate::scope::Scope;
use crate::tree::RelPath;

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
    template: Option<Template<'a>>,
    newer: Option<JsonNewer<'a>>,
    files: Vec<JsonFile<'a>>,
    problems: Vec<Problem<'a>>,
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

/// Everything, for programs.
#[must_use]
pub fn check(checked: &[Checked], clean: bool) -> String {
    let projects = checked.iter().map(|project| JsonProject {
        path: &project.shown,
        app_dir: project.app_dir.as_ref().map(RelPath::as_str),
        template: project.template.as_ref().map(Template::of),
        newer: project.newer.as_ref().map(|newer| JsonNewer {
            version: newer.version.as_deref(),
            revision: &newer.revision,
            tag: newer.tag.as_deref(),
            releases: newer.releases,
        }),
        files: project.files().map(|(scope, file)| json_file(scope, file)).collect(),
        problems: project.problems.iter().map(Problem::of).collect(),
    });
    render(&Json { format: FORMAT, clean, projects: projects.collect() })
}

fn json_file(scope: Scope, file: &FileState) -> JsonFile<'_> {
    let leftovers = file.leftovers.iter().map(|leftover| match leftover {
        Leftover::Unmerged => JsonLeftover { kind: "unmerged", path: None },
        Leftover::Markers => JsonLeftover { kind: "markers", path: None },
        Leftover::Beside(path) => JsonLeftover { kind: "beside", path: Some(path.as_str()) },
    });
    JsonFile {
        path: file.path.as_str(),
        root: root(scope),
        state: file.state.as_str(),
        now: file.now.as_ref().map(RelPath::as_str),
        leftovers: leftovers.collect(),
    }
}
