//! The changes that a command would make to a project, path by path, each with its reason. `new` and `upgrade` apply it, `diff` shows
//! it, `check` judges it: as all of them have the same plan, they cannot disagree.

mod commands;
mod conflict;
mod effects;
mod patch;
mod reason;
mod rebase;

use std::collections::BTreeMap;
use std::fmt;

pub use commands::Todo;
pub use conflict::{Conflict, Stages, Version};
pub use effects::{Effect, applied, effects};
pub use patch::{Difference, patch, patch_to};
pub use reason::{BlockProblem, Cause, Install, Reason};
pub use rebase::{Edits, edits, rebase};

use crate::digest::Digest;
use crate::scope::{Scope, Scoped};
use crate::tree::{Entry, Mode, RelPath, Tree};

/// Everything that would happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What would happen to each file.
    pub files: Scoped<Changes>,
    /// The entries under `[moved]` in the lock afterwards.
    pub moved: BTreeMap<RelPath, RelPath>,
    /// Notes about single files.
    pub notes: Vec<Note>,
}

/// Something that the user should know of a file, although nothing has to be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub path: RelPath,
    /// The subject.
    pub subject: Subject,
}

/// The subject of a [`Note`].
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
    /// Rendered by `new` only, and this is not a new project.
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
    /// The template has something else, which is not reported: the file depends on a secret answer.
    Secret,
    /// A secret was in the file that is not the one given now; the value is not reported.
    SecretReplaced,
    /// This many others like the last one, which are not listed.
    More(usize),
}

impl Subject {
    /// The stable code of the subject, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoBase => "no-base",
            Self::BlockRemoved(_) => "block-removed",
            Self::ValueKept { .. } => "value-kept",
            Self::FormKept => "form-kept",
            Self::MovedByBoth(_) => "moved-by-both",
            Self::ByLines => "by-lines",
            Self::ForNewApps => "for-new-apps",
            Self::KeysAdded(_) => "keys-added",
            Self::NotTakenOver { .. } => "not-taken-over",
            Self::OtherTool(_) => "other-tool",
            Self::ImportLeftOut(_) => "import-left-out",
            Self::Secret => "secret",
            Self::SecretReplaced => "secret-replaced",
            Self::More(_) => "more",
        }
    }

    /// At most this many characters of a value are shown.
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
            Self::NoBase => {
                f.write_str("its base is unknown: it was merged using only what both versions have in common")
            }
            Self::BlockRemoved(name) => write!(f, "the block `{name}`, which you removed, changed in the template"),
            Self::ValueKept { key, theirs: None } => write!(f, "your `{key}` is kept; it differs from the template's"),
            Self::ValueKept { key, theirs: Some(theirs) } => {
                write!(f, "your `{key}` is kept; the template has `{theirs}`")
            }
            Self::MovedByBoth(place) => write!(f, "the template moved it to {place}; it stays where you moved it"),
            Self::FormKept => f.write_str("the template also changed the order or layout; yours is kept"),
            Self::ByLines => f.write_str("too large to merge by key, so it was merged by line: check the result"),
            Self::ForNewApps => f.write_str("only new projects get it"),
            Self::Secret => {
                f.write_str("it differs from the template's; the difference is not shown, because it contains a secret")
            }
            Self::SecretReplaced => {
                f.write_str("it had a different secret from the one that you gave: it now has the new one")
            }
            Self::KeysAdded(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                write!(f, "added {}", keys.join(", "))
            }
            Self::OtherTool(tool) => write!(f, "remove it: create-app manages the project from now on, not {tool}"),
            Self::NotTakenOver { key, help } => write!(f, "`{key}` was not carried over: {help}"),
            Self::ImportLeftOut(line) => write!(f, "`{line}` was left out: nothing uses it"),
            Self::More(more) => write!(f, "and {more} more like this"),
        }
    }
}

/// The change of each path.
pub type Changes = BTreeMap<RelPath, Change>;

/// The change of one path, and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The action.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

/// The change of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing is there; the entry is put there.
    Create(Entry),
    /// The entry replaces what is there.
    Update {
        /// The current entry.
        before: Stamp,
        /// Its replacement.
        after: Entry,
    },
    /// The existing entry is removed.
    Delete {
        /// The current entry.
        before: Stamp,
    },
    /// The entry is moved there from elsewhere, changed or not.
    Move {
        /// Where it is now.
        from: RelPath,
        /// The current entry.
        before: Stamp,
        /// The entry in the new place.
        after: Entry,
    },
    /// The user has to decide.
    Conflict(Box<Conflict>),
    /// The existing entry is kept, although the template has something else.
    Keep,
}

/// Content and mode at the time when a plan was made: what it is based on must not have changed when it is applied.
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

/// What to do with files that are already where a new project's files go.
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
    /// The plan of `new`: every entry of a tree is created, unless something is in its place in `ours`. What already
    /// is there as it would be made needs no change and is not part of the plan.
    ///
    /// With [`Existing::Refuse`], what is in the way is planned as kept; [`Plan::kept`] is what must be refused.
    #[must_use]
    pub fn new(theirs: Trees, ours: &Trees, existing: Existing) -> Self {
        let plan = |(theirs, ours): (Tree, &Tree)| -> Changes {
            let changes = theirs.into_iter();
            changes
                .filter_map(|(path, entry)| Some((path.clone(), create(entry, ours.get(&path), existing)?)))
                .collect()
        };
        Self { files: theirs.zip(ours.as_ref()).map(plan), ..Self::default() }
    }

    /// Every change.
    pub fn changes(&self) -> impl Iterator<Item = (Scope, &RelPath, &Change)> {
        self.files.iter().flat_map(|(scope, files)| files.iter().map(move |(path, change)| (scope, path, change)))
    }

    /// Whether nothing would happen: all that is there is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes().all(|(_, _, change)| change.action == Action::Keep)
    }

    /// Whether the user has to decide something.
    #[must_use]
    pub fn has_conflicts(&self) -> bool {
        self.changes().any(|(_, _, change)| matches!(change.action, Action::Conflict(_)))
    }

    /// The paths, below the app and then below the repository's root, that keep what is there.
    pub fn kept(&self) -> impl Iterator<Item = &RelPath> {
        self.changes().filter(|(_, _, change)| change.action == Action::Keep).map(|(_, path, _)| path)
    }
}

/// The files of a project.
pub type Trees = Scoped<Tree>;

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
        let plan = Plan::new(Trees { app: theirs, repository: tree(&[("ci.yml", "on")]) }, &ours, existing);
        assert_eq!(plan.kept().count(), usize::from(existing != Existing::Replace));
        let all = plan.files.entries();
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
        let plan =
            Plan::new(Trees { app: tree(&[("a", "theirs")]), repository: Tree::new() }, &ours, Existing::Replace);
        let Action::Update { before, after } = &plan.files.app.values().next().unwrap().action else {
            panic!("an update")
        };
        assert_eq!(before.digest, Digest::of(b"ours"));
        assert_eq!(after.bytes(), b"theirs");
        assert!(!plan.is_empty() && Plan::default().is_empty());
    }
}
