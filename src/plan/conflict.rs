//! A conflict as data: what each side has, and what is written until the user has decided.

use super::Stamp;
use crate::tree::{Entry, RelPath};

/// Both sides changed one file, and the changes do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Where the project has the file now, and as what; `None` if it has no such file.
    pub before: Option<(RelPath, Stamp)>,
    /// The entry at the conflict's path afterwards: the file with markers, or the project's own; `None` if the path
    /// is given up to a directory.
    pub after: Option<Entry>,
    /// What git's index gets, all at the conflict's path; none for a path that git ignores, because `git add` would then
    /// publish it.
    pub stages: Option<Stages>,
    /// Files that are put beside it: `NAME.theirs` or `NAME.orig`.
    pub beside: Vec<(RelPath, Entry)>,
    /// How many places of the file disagree: at least one.
    pub places: usize,
}

/// The three versions of a file in conflict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages {
    /// Stage 1: as it was rendered at the last `new` or `upgrade`.
    pub base: Option<Version>,
    /// Stage 2: as it is in the project.
    pub ours: Option<Version>,
    /// Stage 3: as it is rendered now.
    pub theirs: Option<Version>,
}

impl Stages {
    /// The stages that there are, with their numbers in git's index.
    pub fn numbered(&self) -> impl Iterator<Item = (u8, &Version)> {
        [(1, &self.base), (2, &self.ours), (3, &self.theirs)]
            .into_iter()
            .filter_map(|(number, version)| Some((number, version.as_ref()?)))
    }
}

/// A file as one side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Where that side has it.
    pub path: RelPath,
    /// As what.
    pub entry: Entry,
}
