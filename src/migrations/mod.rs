//! Migrations, by which a template's author tells an upgrade what a merge cannot know: files and answers with new names, computed
//! answers, and notes for the user. Pure: a recorded project in, a project in terms of the new version out.

mod answers;
mod versions;

use std::collections::BTreeMap;
use std::ops::Range;

use semver::{Version, VersionReq};

use crate::date::Date;
use crate::diagnostic::Result;
use crate::liquid::Lines;
use crate::manifest::{Action, Manifest, Migration, PathRename, Renamed, Step};
use crate::placeholders::Answer;
use crate::tree::RelPath;

/// The migrations of one upgrade, in their order.
#[derive(Debug, Default)]
pub(crate) struct Due<'m> {
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
    /// If the recorded version is not one that can be compared.
    pub(crate) fn between(before: Option<&str>, manifest: &'m Manifest) -> Result<Self> {
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
    /// If an answer cannot be computed.
    pub(crate) fn answers(
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

    /// The paths that recorded files have after the first `steps` steps, by the rules of one after the other.
    fn renamed<'p>(&self, steps: usize, recorded: impl IntoIterator<Item = &'p RelPath>) -> Vec<Renamed> {
        let rules: Vec<&PathRename> = self
            .steps
            .iter()
            .take(steps)
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

/// The result of the migrations of one upgrade, besides answers.
#[derive(Debug, Default)]
pub(crate) struct Migrated {
    /// The recorded files that have other paths now.
    pub renamed: Vec<Renamed>,
    /// Every step: for the user.
    pub steps: Vec<Taken>,
    /// Of each command among the steps, in their order: which step it is, and the recorded files that have other paths when it runs.
    pub commands: Vec<(usize, Vec<Renamed>)>,
}

/// A step that was due.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The versions that it leads to.
    pub version: String,
    /// The step.
    pub action: Action,
    /// Whether it was done; only a command may be left to the user.
    pub is_done: bool,
    /// Its region in bytes of the manifest.
    pub span: Range<usize>,
}

impl Migrated {
    /// For a project whose record has these files. No command has run yet.
    pub(crate) fn of<'p>(due: &Due<'_>, recorded: impl IntoIterator<Item = &'p RelPath> + Clone) -> Self {
        let is_command = |action: &Action| matches!(action, Action::Run(_));
        let steps = due.steps.iter().map(|(version, step)| Taken {
            version: version.to_string(),
            action: step.action.clone(),
            is_done: !is_command(&step.action),
            span: step.span.clone(),
        });
        let commands = due.steps.iter().enumerate().filter(|(_, (_, step))| is_command(&step.action));
        Self {
            renamed: due.renamed(due.steps.len(), recorded.clone()),
            steps: steps.collect(),
            commands: commands.map(|(at, _)| (at, due.renamed(at, recorded.clone()))).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
