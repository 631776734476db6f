//! What a template's author says of the way from one version to another, where a merge cannot know it: files and answers that have
//! new names, answers that are computed, and words for the user. Pure: a recorded project in, a project in terms of the new version out.

mod answers;
mod rename;
mod versions;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use semver::{Version, VersionReq};

pub use self::rename::PathRename;
use crate::answers::placeholder::Answer;
use crate::date::Date;
use crate::diagnostic::Result;
use crate::manifest::{Manifest, Renamed};
use crate::render::Lines;
use crate::tree::RelPath;

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
    /// What it does.
    pub action: Action,
    /// Where the manifest has it.
    pub span: Range<usize>,
}

/// What a step does.
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
    /// `run`: a command for the user to run.
    Run(String),
}

impl fmt::Display for Action {
    /// What is done, for a person.
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

/// The migrations of one upgrade, in their order.
#[derive(Debug, Default)]
pub struct Due<'m> {
    steps: Vec<(&'m VersionReq, &'m Step)>,
}

impl<'m> Due<'m> {
    /// The migrations between two versions of a template: each that matches a version after `before`, up to that of the manifest,
    /// and does not match `before` itself. The one that matches the oldest such version comes first; of those alike, the first in
    /// the manifest.
    ///
    /// A project whose record names no version is older than all of them.
    ///
    /// # Errors
    ///
    /// Where the recorded version is not one that can be compared.
    pub fn between(before: Option<&str>, manifest: &'m Manifest) -> Result<Self> {
        let migrations = &manifest.ownership.migrations;
        let after = manifest.ownership.version.as_deref().and_then(|version| Version::parse(version).ok());
        let (Some(after), false) = (after, migrations.is_empty()) else { return Ok(Self::default()) };
        let before = before.map(versions::recorded).transpose()?;
        let first = |migration: &'m Migration| {
            Some((versions::first_match(&migration.version, before.as_ref(), &after)?, migration))
        };
        let mut due: Vec<(Version, &Migration)> = migrations.iter().filter_map(first).collect();
        due.sort_by(|a, b| a.0.cmp(&b.0));
        let steps = due
            .into_iter()
            .flat_map(|(_, migration)| migration.steps.iter().map(move |step| (&migration.version, step)));
        Ok(Self { steps: steps.collect() })
    }

    /// The recorded answers, as the new version has them; `lines` renders what is computed.
    ///
    /// # Errors
    ///
    /// Where an answer cannot be computed.
    pub fn answers(
        &self,
        manifest: &Manifest,
        recorded: BTreeMap<String, Answer>,
        date: Date,
        lines: &Lines,
    ) -> Result<BTreeMap<String, Answer>> {
        self.steps
            .iter()
            .try_fold(recorded, |answers, (_, step)| answers::after(manifest, step, answers, (lines, date)))
    }

    /// The paths that recorded files have now, by the rules of all migrations, one after the other.
    fn renamed<'p>(&self, recorded: impl IntoIterator<Item = &'p RelPath>) -> Vec<Renamed> {
        let rules: Vec<&PathRename> = self
            .steps
            .iter()
            .filter_map(|(_, step)| match &step.action {
                Action::Rename(rename) => Some(rename),
                _ => None,
            })
            .collect();
        if rules.is_empty() {
            return Vec::new();
        }
        let renamed = |path: &RelPath| {
            let follow =
                |at: Option<String>, rule: &&PathRename| rule.apply(at.as_deref().unwrap_or(path.as_str())).or(at);
            let to = rules.iter().fold(None, follow)?;
            // Who renames a file into nowhere has not renamed it.
            RelPath::new(&to)
                .ok()
                .filter(|to| to != path)
                .map(|to| Renamed { from: path.to_string(), to: to.to_string() })
        };
        recorded.into_iter().filter_map(renamed).collect()
    }
}

/// What the migrations of one upgrade come to, besides answers.
#[derive(Debug, Default)]
pub struct Migrated {
    /// The recorded files that have other paths now.
    pub renamed: Vec<Renamed>,
    /// Every step, with the versions that it leads to: for the user.
    pub steps: Vec<(String, Action)>,
}

impl Migrated {
    /// For a project whose record has these files.
    pub fn of<'p>(due: &Due<'_>, recorded: impl IntoIterator<Item = &'p RelPath>) -> Self {
        let steps = due.steps.iter().map(|(version, step)| (version.to_string(), step.action.clone()));
        Self { renamed: due.renamed(recorded), steps: steps.collect() }
    }
}

#[cfg(test)]
mod tests;
