//! What a command would do to a project, path by path, each with its reason. `new` and `upgrade` apply it, `diff` shows
//! it, `check` judges it: as all of them have the same plan, they cannot disagree.

mod commands;
mod conflict;
mod effects;
mod patch;
mod reason;

use std::collections::BTreeMap;
use std::fmt;

pub use commands::Todo;
pub use conflict::{Conflict, Stages, Version};
pub use effects::{Effect, applied, effects};
pub use patch::{Difference, patch, patch_to};
pub use reason::{BlockProblem, Cause, Install, Reason};

use crate::lock::Digest;
use crate::tree::{Entry, Mode, RelPath, Tree};

/// Everything that would happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Below the app.
    pub app: Changes,
    /// Below the repository's root; empty where the app is the root.
    pub repository: Changes,
    /// What the lock records under `[moved]` afterwards.
    pub moved: BTreeMap<RelPath, RelPath>,
    /// What the user should know of single files.
    pub notes: Vec<Note>,
}

/// Something that the user should know of a file, although nothing has to be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub path: RelPath,
    /// What there is to know.
    pub subject: Subject,
}

/// What a [`Note`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Its base is not known, so it was merged as in a project without a lock.
    NoBase,
    /// The user removed a block that the template changed.
    BlockRemoved(String),
    /// Both have a value for a key; the user's stays.
    ValueKept {
        /// The key, below others joined with dots.
        key: String,
        /// The template's value, where it is short enough to show.
        theirs: Option<String>,
    },
    /// The template changed the order or the layout of a file, and so did the user; the user's stays.
    FormKept,
    /// The template moved a file to this place, and the user moved it elsewhere.
    MovedByBoth(String),
    /// A structured file that is too large to be merged by what it holds was merged by lines.
    ByLines,
    /// Rendered by `new` only, and this is no new project.
    ForNewApps,
    /// Keys that the template has and the file of an adopted project had not.
    KeysAdded(Vec<String>),
    /// A setting of an adopted project that no answer of the template's takes over.
    NotTakenOver {
        /// The key, below others joined with dots.
        key: String,
        /// What to do about it.
        help: String,
    },
    /// Another tool has managed an adopted project, by this file.
    OtherTool(&'static str),
    /// An import of the template that nothing would use was left out.
    ImportLeftOut(String),
    /// The template has something else, which is not told: the file depends on a secret answer.
    Secret,
    /// A secret stood in the file that is not the one given now; the value is not told.
    SecretReplaced,
    /// So many others like the last one, which are not listed.
    More(usize),
}

impl Subject {
    /// So many characters of a value are shown.
    const SHOWN: usize = 60;

    /// Whether the template changed something that the project does not get.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        matches!(self, Self::BlockRemoved(_) | Self::ValueKept { .. } | Self::FormKept | Self::MovedByBoth(_))
    }

    /// Both have a value for a key, and the template's is `theirs`.
    #[must_use]
    pub fn value_kept(key: String, theirs: &str) -> Self {
        let short = !theirs.is_empty() && !theirs.contains('\n') && theirs.chars().count() <= Self::SHOWN;
        Self::ValueKept { key, theirs: short.then(|| theirs.to_owned()) }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBase => f.write_str("its base is not known: it was merged with what both have in common"),
            Self::BlockRemoved(name) => write!(f, "the block `{name}` changed in the template; you removed it"),
            Self::ValueKept { key, theirs: None } => write!(f, "`{key}` differs from the template's and stays yours"),
            Self::ValueKept { key, theirs: Some(theirs) } => {
                write!(f, "`{key}` stays yours; the template has `{theirs}`")
            }
            Self::MovedByBoth(place) => write!(f, "the template moved it to {place}; it stays where you moved it"),
            Self::FormKept => f.write_str("the template changed the order or layout too; yours stays"),
            Self::ByLines => f.write_str("too large to be merged by key, it was merged by lines: look at the result"),
            Self::ForNewApps => f.write_str("only a new project gets it"),
            Self::Secret => f.write_str("it differs from the template's; how is not shown, because it holds a secret"),
            Self::SecretReplaced => {
                f.write_str("it had another secret than the one that you gave: it has the new one now")
            }
            Self::KeysAdded(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                write!(f, "added {}", keys.join(", "))
            }
            Self::OtherTool(tool) => write!(f, "remove it: create-app manages the project from now on, and not {tool}"),
            Self::NotTakenOver { key, help } => write!(f, "`{key}` is not taken over: {help}"),
            Self::ImportLeftOut(line) => write!(f, "`{line}` was left out: nothing uses it"),
            Self::More(more) => write!(f, "and {more} more of these"),
        }
    }
}

/// What would happen to each path.
pub type Changes = BTreeMap<RelPath, Change>;

/// What would happen to one path, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What would happen.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

/// What would happen to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing stands there; the entry is put there.
    Create(Entry),
    /// The entry replaces what stands there.
    Update {
        /// What stands there now.
        before: Stamp,
        /// What replaces it.
        after: Entry,
    },
    /// What stands there is removed.
    Delete {
        /// What stands there now.
        before: Stamp,
    },
    /// What stands elsewhere is put there, changed or not.
    Move {
        /// Where it stands now.
        from: RelPath,
        /// What stands there now.
        before: Stamp,
        /// What is put in the new place.
        after: Entry,
    },
    /// The user has to decide.
    Conflict(Box<Conflict>),
    /// What stands there is kept, although the template has something else.
    Keep,
}

/// Content and mode at the time when a plan was made: what it stands on must not have changed when it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The mode.
    pub mode: Mode,
    /// The digest of the file's bytes, or of the link's target.
    pub digest: Digest,
}

impl Stamp {
    /// The stamp of an entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self { mode: entry.mode(), digest: Digest::of(entry.bytes()) }
    }
}

/// What to do with files that already stand where a new project's files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse to make the project.
    Refuse,
    /// Keep them (`--init`).
    Keep,
    /// Replace them (`--overwrite`).
    Replace,
}

impl Plan {
    /// The plan of `new`: every entry of a tree is created, unless something stands in its place in `ours`. What already
    /// stands there as it would be made needs no change and is not part of the plan.
    ///
    /// With [`Existing::Refuse`], what stands in the way is planned as kept; [`Plan::kept`] is what must be refused.
    #[must_use]
    pub fn new(app: Tree, repository: Tree, ours: &Trees, existing: Existing) -> Self {
        let plan = |theirs: Tree, ours: &Tree| -> Changes {
            let changes = theirs.into_iter();
            changes
                .filter_map(|(path, entry)| Some((path.clone(), create(entry, ours.get(&path), existing)?)))
                .collect()
        };
        Self { app: plan(app, &ours.app), repository: plan(repository, &ours.repository), ..Self::default() }
    }

    /// Whether nothing would happen: all that stands there is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.app.values().chain(self.repository.values()).all(|change| change.action == Action::Keep)
    }

    /// Whether the user has to decide something.
    #[must_use]
    pub fn has_conflicts(&self) -> bool {
        let mut all = self.app.values().chain(self.repository.values());
        all.any(|change| matches!(change.action, Action::Conflict(_)))
    }

    /// The paths, below the app and then below the repository's root, that keep what stands there.
    pub fn kept(&self) -> impl Iterator<Item = &RelPath> {
        let all = self.app.iter().chain(&self.repository);
        all.filter(|(_, change)| change.action == Action::Keep).map(|(path, _)| path)
    }
}

/// The files of a project: below the app, and below the repository's root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trees {
    /// Below the app.
    pub app: Tree,
    /// Below the repository's root; empty where the app is the root.
    pub repository: Tree,
}

fn create(entry: Entry, ours: Option<&Entry>, existing: Existing) -> Option<Change> {
    let change = match ours {
        None => Change { action: Action::Create(entry), reason: Reason::Added },
        Some(ours) if *ours == entry => return None,
        Some(ours) if existing == Existing::Replace => {
            Change { action: Action::Update { before: Stamp::of(ours), after: entry }, reason: Reason::Overwritten }
        }
        Some(_) => Change { action: Action::Keep, reason: Reason::Existed },
    };
    Some(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &'static str)]) -> Tree {
        let entry = |&(path, text): &(&str, &'static str)| (RelPath::new(path).unwrap(), Entry::file(text.as_bytes()));
        files.iter().map(entry).collect()
    }

    fn plan(existing: Existing) -> Vec<(String, Reason)> {
        let theirs = tree(&[("new", "n"), ("other", "theirs"), ("same", "s")]);
        let ours =
            Trees { app: tree(&[("other", "ours"), ("same", "s"), ("unrelated", "u")]), repository: Tree::new() };
        let plan = Plan::new(theirs, tree(&[("ci.yml", "on")]), &ours, existing);
        assert_eq!(plan.kept().count(), usize::from(existing != Existing::Replace));
        let all = plan.app.iter().chain(&plan.repository);
        all.map(|(path, change)| (path.to_string(), change.reason)).collect()
    }

    #[test]
    fn what_exists_is_kept_or_replaced_and_what_is_equal_is_left_out() {
        let expected =
            |other| vec![("new".into(), Reason::Added), ("other".into(), other), ("ci.yml".into(), Reason::Added)];
        assert_eq!(plan(Existing::Keep), expected(Reason::Existed));
        assert_eq!(plan(Existing::Refuse), expected(Reason::Existed));
        assert_eq!(plan(Existing::Replace), expected(Reason::Overwritten));
    }

    #[test]
    fn an_update_remembers_what_it_stands_on() {
        let ours = Trees { app: tree(&[("a", "ours")]), repository: Tree::new() };
        let plan = Plan::new(tree(&[("a", "theirs")]), Tree::new(), &ours, Existing::Replace);
        let Action::Update { before, after } = &plan.app.values().next().unwrap().action else { panic!("an update") };
        assert_eq!(before.digest, Digest::of(b"ours"));
        assert_eq!(after.bytes(), b"theirs");
        assert!(!plan.is_empty() && Plan::default().is_empty());
    }
}
