//! Answers that other tools have recorded: copier, cruft, cookiecutter and cargo-generate.

use super::inference::{Files, Told};
use super::is_file;
use crate::diagnostic::Result;
use crate::manifest::Pointer;
use crate::placeholders::{Answer, Kind, Placeholder};
use crate::plan::{Note, Subject};
use crate::rooted::Root;
use crate::tree::RelPath;

/// A file of another tool's.
pub(super) struct Tool {
    /// Where it is.
    pub(super) file: &'static str,
    /// Which tool it is.
    pub(super) name: &'static str,
    /// The map that holds the answers.
    answers: &'static str,
    /// Whether the file says that the tool manages the project.
    manages: bool,
}

/// The files, best first.
const TOOLS: &[Tool] = &[
    Tool { file: ".copier-answers.yml", name: "copier", answers: "", manages: true },
    Tool { file: ".copier-answers.yaml", name: "copier", answers: "", manages: true },
    Tool { file: ".cruft.json", name: "cruft", answers: "/context/cookiecutter", manages: true },
    Tool { file: ".cookiecutter.json", name: "cookiecutter", answers: "", manages: true },
    Tool { file: "cargo-generate.toml", name: "cargo-generate", answers: "/values", manages: false },
    Tool { file: "cargo_generate.values", name: "cargo-generate", answers: "/values", manages: false },
];

/// Their names for the project, best first.
const NAMES: [&str; 3] = ["project-name", "project_slug", "project_name"];

/// The tool that manages a project, if there is one.
pub(super) fn manager(root: &Option<Root>) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.manages && is_file(root, tool.file))
}

/// What another tool has recorded for a placeholder, where that is an answer. What is none is noted.
///
/// # Errors
///
/// If a file cannot be read.
pub(super) fn answer(
    files: &mut Files,
    placeholder: &Placeholder,
    notes: &mut Vec<Note>,
) -> Result<Option<(Answer, Told)>> {
    for tool in TOOLS {
        let Some(told) = look_up(files, tool, &placeholder.name)? else { continue };
        let wrong = if placeholder.secret {
            "it is secret: pass it in another way, and remove it from there".to_owned()
        } else {
            match read(placeholder, &told.text) {
                Ok(answer) => return Ok(Some((answer, told))),
                Err(reason) => format!("as an answer, it {reason}"),
            }
        };
        if let (Some((file, spot)), Ok(path)) = (told.spots.first(), RelPath::new(tool.file)) {
            debug_assert_eq!(file, tool.file);
            let subject = Subject::NotTakenOver { key: spot.to_string(), help: wrong };
            notes.push(Note { path, subject });
        }
    }
    Ok(None)
}

/// The project's name in the record of another tool.
///
/// # Errors
///
/// If a file cannot be read.
pub(super) fn name(files: &mut Files) -> Result<Option<Told>> {
    for tool in TOOLS {
        for name in NAMES {
            if let Some(told) = look_up(files, tool, name)? {
                return Ok(Some(told));
            }
        }
    }
    Ok(None)
}

fn look_up(files: &mut Files, tool: &Tool, name: &str) -> Result<Option<Told>> {
    let name = name.replace('~', "~0").replace('/', "~1");
    let Some(pointer) = Pointer::parse(&format!("{}/{name}", tool.answers)) else { return Ok(None) };
    files.recorded(tool.file, &pointer)
}

/// An answer as these tools write it: a bool may be a word.
fn read(placeholder: &Placeholder, text: &str) -> std::result::Result<Answer, String> {
    let word = match (&placeholder.kind, text.to_lowercase().as_str()) {
        (Kind::Bool { .. }, "yes" | "y") => "true",
        (Kind::Bool { .. }, "no" | "n") => "false",
        _ => text,
    };
    placeholder.parse(word).map_err(|rejection| rejection.reason)
}
