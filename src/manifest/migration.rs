//! `[[create-app.migrations]]`: what a template's author says of the way from one version to another.

use std::fmt;
use std::ops::Range;

use semver::VersionReq;

use super::PathRename;
use crate::placeholders::Answer;

/// `[[create-app.migrations]]`: what happens when an upgrade reaches versions that match.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Which versions of the template it leads to.
    pub version: VersionReq,
    /// What it does, in this order.
    pub steps: Vec<Step>,
}

/// A step of a migration, and its region in bytes of the manifest.
#[derive(Debug, Clone)]
pub struct Step {
    /// The step.
    pub action: Action,
    /// Where the manifest has it.
    pub span: Range<usize>,
}

/// The effect of a step.
#[derive(Debug, Clone)]
pub enum Action {
    /// `rename`: files have other paths.
    Rename(PathRename),
    /// `rename_answer`: a placeholder has another name.
    RenameAnswer {
        /// Its name before.
        from: String,
        /// Its name now.
        to: String,
    },
    /// `set_answer`: an answer that the author knows.
    SetAnswer {
        /// The placeholder.
        name: String,
        /// Its answer; Liquid in a text is rendered with the recorded answers.
        value: Answer,
    },
    /// `delete_answer`: an answer that is asked again, or not any more.
    DeleteAnswer(String),
    /// `note`: words for the user.
    Note(String),
    /// `run`: a command that changes the project, where the user agrees to it.
    Run(String),
}

impl fmt::Display for Action {
    /// The step in words, for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rename(rename) => write!(f, "files {} -> {}", rename.from(), rename.to()),
            Self::RenameAnswer { from, to } => write!(f, "answer {from} -> {to}"),
            Self::SetAnswer { name, .. } => write!(f, "answer {name} set"),
            Self::DeleteAnswer(name) => write!(f, "answer {name} deleted"),
            Self::Note(text) | Self::Run(text) => f.write_str(text),
        }
    }
}
