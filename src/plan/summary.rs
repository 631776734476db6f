//! A plan in figures and lists.

use std::collections::BTreeSet;
use std::fmt;

use super::{Action, Change, Changes, Install, Note, Plan, Reason};
use crate::tree::RelPath;

/// A plan in figures and lists, for people and for `--json`. Paths of the app come first, then those of the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary<'a> {
    /// How many files are created.
    pub created: usize,
    /// How many files are changed in their place.
    pub updated: usize,
    /// How many files are moved, changed or not.
    pub moved: usize,
    /// How many files are deleted.
    pub deleted: usize,
    /// What stays although the template has something else, and why.
    pub kept: Vec<(&'a RelPath, Reason)>,
    /// What the user has to decide, and why.
    pub conflicts: Vec<(&'a RelPath, Reason)>,
    /// What the user has to run.
    pub commands: Vec<Todo>,
    /// What else the user should know.
    pub notes: Vec<&'a Note>,
}

/// A command that the user should run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Todo {
    /// Whether `directory` is below the repository's root and not below the app.
    pub repository: bool,
    /// The directory in which to run it; none for the app, or the repository's root, itself.
    pub directory: Option<String>,
    /// The command.
    pub install: Install,
}

impl fmt::Display for Todo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run `{}`", self.install.command())?;
        match &self.directory {
            Some(directory) => write!(f, " in {directory}"),
            None => Ok(()),
        }
    }
}

impl Plan {
    /// The plan in figures and lists.
    #[must_use]
    pub fn summary(&self) -> Summary<'_> {
        let mut summary = Summary { notes: self.notes.iter().collect(), ..Summary::default() };
        let mut todo = BTreeSet::new();
        for (changes, repository) in [(&self.app, false), (&self.repository, true)] {
            summary.count(changes);
            todo.extend(changes.iter().filter_map(|(path, change)| command(path, change, repository)));
        }
        summary.commands = todo.into_iter().collect();
        summary
    }
}

impl<'a> Summary<'a> {
    fn count(&mut self, changes: &'a Changes) {
        for (path, change) in changes {
            match &change.action {
                Action::Create(_) => self.created += 1,
                Action::Update { .. } => self.updated += 1,
                Action::Move { .. } => self.moved += 1,
                Action::Delete { .. } => self.deleted += 1,
                Action::Keep => self.kept.push((path, change.reason)),
                Action::Conflict(_) => self.conflicts.push((path, change.reason)),
            }
        }
    }
}

fn command(path: &RelPath, change: &Change, repository: bool) -> Option<Todo> {
    let Reason::LockFile(install) = change.reason else { return None };
    Some(Todo { repository, directory: path.ancestors().next().map(str::to_owned), install })
}
