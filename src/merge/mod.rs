//! Base, ours and theirs in; a plan out. Pure: no disk, clock or git.
//!
//! Files are matched first ([`moves`]), then merged one by one by the rule that fits ([`content`] merges bytes, as values
//! whose conflicts are drawn by [`draw`]), and last, what is in each other's way is sorted out.

mod adopt;
mod blocks;
mod conflicted;
pub mod content;
pub mod draw;
pub mod ending;
mod entry;
mod keyed;
pub mod known;
#[cfg(test)]
mod laws;
mod lines;
pub mod lint;
mod masked;
pub mod moves;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod oracle_trees;
mod refine;
mod shapes;
pub mod state;
mod structured;
#[cfg(test)]
mod tests;
pub mod text;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use self::draw::Style;
use self::known::Shared;
use self::moves::{Moves, Sides};
use crate::lock::Bases;
use crate::manifest::Ownership;
use crate::patterns::Patterns;
use crate::plan::{Action, Change, Changes, Note, Plan, Reason, Subject, Trees};
use crate::render::Secret;
use crate::scope::Scoped;
use crate::tree::RelPath;

pub use conflicted::conflicts;

/// How files are merged, and what git knows of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The new template's version, for the labels of conflicts; may be empty.
    pub version: String,
    /// How conflicts are written.
    pub style: Style,
    /// Whether executable bits are compared: not on Windows, nor where git's `core.fileMode` is false.
    pub modes: bool,
    /// Files that are larger, in bytes, are not merged.
    pub limit: usize,
    /// Paths that git ignores: at least among the template's, the lock's and the project's other files.
    pub ignored: Scoped<BTreeSet<RelPath>>,
    /// The template's files that depend on a secret answer: what they hold is told to nobody.
    pub secret: Secret,
    /// The answers, secret or not, that nobody gave in this run: where the project's files have other secrets, those stay.
    pub unchosen: BTreeSet<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: String::new(),
            style: Style::Merge,
            modes: true,
            limit: 8 << 20,
            ignored: Scoped::default(),
            secret: Secret::new(),
            unchosen: BTreeSet::new(),
        }
    }
}

/// Merges what a template renders now into a project: what `upgrade` applies, `diff` shows and `check` judges.
///
/// `base` is none for a project without a lock, which is adopted. `ours` holds the project's files: those at the paths of
/// `base` and `theirs`, what is in their way, and, where a path of the base has gone, every file that the user may
/// have moved it to. Equal inputs give equal plans.
#[must_use]
pub fn merge(base: Option<&Bases>, ours: &Trees, theirs: &Trees, ownership: &Ownership, options: &Options) -> Plan {
    let adopted = Bases::default();
    let bases = base.unwrap_or(&adopted);
    let once = Patterns::of(&ownership.once);
    let known = bases.files.as_ref().zip(bases.split_moved()).zip(options.ignored.as_ref());
    let sides = known.zip(ours.as_ref().zip(theirs.as_ref()));
    let Scoped { app, repository } = sides.map(|(((known, moved), ignored), (ours, theirs))| {
        let declared = &ownership.renamed;
        let sides = Sides { base: known, ours, theirs, declared, moved: &moved, ignored, once: &once };
        merge_tree(&sides, ownership, options, base.is_none())
    });
    // One table records both: a path that both trees have is found again next time instead.
    let mut moved = app.moved;
    let theirs_only = repository.moved.into_iter().filter(|(path, _)| !theirs.app.contains_key(path));
    moved.extend(theirs_only);
    let notes = app.notes.into_iter().chain(repository.notes).collect();
    Plan { files: Scoped { app: app.changes, repository: repository.changes }, moved, notes }
}

/// Puts the template's part into files that are there where a new project is made, as into those of a project that is adopted: blocks,
/// lines of ignore files, and keys of JSON and TOML. What does not go together without a question is left out of the plan.
#[must_use]
pub fn additions(ours: &Trees, theirs: &Trees, ownership: &Ownership, options: &Options) -> Plan {
    let mut plan = merge(None, ours, theirs, ownership, options);
    let blocks = Patterns::of(&ownership.blocks);
    let is_shared = |path: &RelPath| {
        blocks.matches(path.as_str()) || lines::is_line_set(path) || structured::Format::of(path).is_some()
    };
    let is_addition = |path: &RelPath, change: &mut Change| {
        is_shared(path) && matches!(change.action, Action::Update { .. }) && change.reason == Reason::Adopted
    };
    for (_, changes) in plan.files.as_mut() {
        changes.retain(is_addition);
    }
    let Plan { files, notes, .. } = &mut plan;
    notes.retain(|note| files.iter().any(|(_, changes)| changes.contains_key(&note.path)));
    plan
}

/// The comments of several versions of the structured file at `path`, where all of them can be parsed.
#[cfg(fuzzing)]
pub(crate) fn comments(path: &RelPath, texts: &[&str]) -> Option<Vec<Vec<String>>> {
    structured::comments(structured::Format::of(path)?, texts)
}

struct Outcome {
    changes: Changes,
    moved: BTreeMap<RelPath, RelPath>,
    notes: Vec<Note>,
}

fn merge_tree(sides: &Sides<'_>, ownership: &Ownership, options: &Options, adopting: bool) -> Outcome {
    let moves = Moves::find(sides);
    let matched = moves.matched();
    let mut context = Context {
        once: sides.once,
        blocks: Patterns::of(&ownership.blocks),
        shared: Shared::new(&ownership.merge),
        options,
        ignored: sides.ignored,
        adopting,
        ours_directories: shapes::directories(sides.ours.keys()),
        names: shapes::Names::new(sides),
        notes: Vec::new(),
    };
    let decisions: Vec<_> =
        matched.triples.iter().filter_map(|triple| Some((context.decide(triple)?, *triple))).collect();
    let changes = shapes::arrange(decisions, sides, &mut context);
    let mut moved = matched.moved;
    moved.retain(|_, place| !changes.get(place).is_some_and(gives_up));
    Outcome { changes, moved, notes: context.notes }
}

/// Whether a path is given up to a directory.
fn gives_up(change: &Change) -> bool {
    matches!(&change.action, Action::Conflict(conflict) if conflict.after.is_none())
}

/// The context of the rules besides the file itself.
struct Context<'a> {
    once: &'a Patterns,
    blocks: Patterns,
    shared: Shared<'a>,
    options: &'a Options,
    ignored: &'a BTreeSet<RelPath>,
    /// Whether the project has no lock.
    adopting: bool,
    ours_directories: BTreeSet<&'a str>,
    names: shapes::Names<'a>,
    notes: Vec<Note>,
}

/// At most this many notes of one merge are kept: a file has as many blocks or keys as its author likes.
const NOTES: usize = 100;

impl Context<'_> {
    fn note_all(&mut self, path: &RelPath, subjects: impl IntoIterator<Item = Subject>) {
        let mut subjects = subjects.into_iter();
        self.notes.extend(subjects.by_ref().take(NOTES).map(|subject| Note { path: path.clone(), subject }));
        let more = Some(subjects.count()).filter(|more| *more > 0);
        self.notes.extend(more.map(|more| Note { path: path.clone(), subject: Subject::More(more) }));
    }
}
