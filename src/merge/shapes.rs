//! Rule 9: one path cannot be a file and a directory, nor two files. What is in whose way is known once every file has
//! been decided.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::moves::{Sides, Triple};
use crate::plan::{Action, Change, Changes, Conflict, Reason, Stages, Stamp, Version};
use crate::tree::{Entry, RelPath, Tree};

/// Every directory above some paths.
pub(super) fn directories<'a>(paths: impl IntoIterator<Item = &'a RelPath>) -> BTreeSet<&'a str> {
    paths.into_iter().flat_map(RelPath::ancestors).collect()
}

/// Free names for what is put beside a file in conflict.
pub(super) struct Names<'a> {
    ours: &'a Tree,
    theirs: &'a Tree,
    directories: BTreeSet<&'a str>,
    used: BTreeSet<RelPath>,
}

impl<'a> Names<'a> {
    pub(super) fn new(sides: &Sides<'a>) -> Self {
        let directories = directories(sides.ours.keys().chain(sides.theirs.keys()));
        Self { ours: sides.ours, theirs: sides.theirs, directories, used: BTreeSet::new() }
    }

    /// The first name beside a path that nothing has.
    fn free(&mut self, path: &RelPath, suffix: &str) -> Option<RelPath> {
        let taken = |path: &RelPath| {
            let is_file = self.ours.contains_key(path) || self.theirs.contains_key(path);
            is_file || self.directories.contains(path.as_str()) || self.used.contains(path)
        };
        let free = path.beside(suffix).find(|path| !taken(path))?;
        self.used.insert(free.clone());
        Some(free)
    }
}

impl Context<'_> {
    /// The file beside `path`: `entry`, as `NAME.SUFFIX`.
    pub(super) fn beside(&mut self, path: &RelPath, suffix: &str, entry: &Entry) -> Vec<(RelPath, Entry)> {
        self.names.free(path, suffix).map(|name| (name, entry.clone())).into_iter().collect()
    }
}

type Decided<'a> = ((RelPath, Change), Triple<'a>);

/// Puts decisions together, so that no two files are in one place.
pub(super) fn arrange(decisions: Vec<Decided<'_>>, sides: &Sides<'_>, context: &mut Context<'_>) -> Changes {
    let leaving: BTreeSet<&RelPath> = decisions.iter().filter_map(|((path, change), _)| left(path, change)).collect();
    let leaving: BTreeSet<RelPath> = leaving.into_iter().cloned().collect();
    let mut changes = Changes::new();
    // What the project has comes before what is new in the template: it is the new that has to give way.
    let (new, known): (Vec<_>, Vec<_>) =
        decisions.into_iter().partition(|((_, change), _)| matches!(change.action, Action::Create(_)));
    let mut triples: BTreeMap<RelPath, Triple<'_>> = BTreeMap::new();
    for ((path, change), triple) in known {
        triples.insert(path.clone(), triple);
        changes.insert(path, change);
    }
    for ((path, change), _) in new {
        let stands = sides.ours.contains_key(&path) && !leaving.contains(&path);
        match changes.get(&path).map(|change| &change.action) {
            Some(&Action::Delete { before }) => {
                let Action::Create(after) = change.action else { continue };
                if before == Stamp::of(&after) {
                    changes.remove(&path);
                    continue;
                }
                changes.insert(path, Change { action: Action::Update { before, after }, ..change });
            }
            None | Some(Action::Keep) if !stands => drop(changes.insert(path, change)),
            _ => give_way(path, change, context, &mut changes),
        }
    }
    separate(&mut changes, &triples, sides, context);
    changes
}

/// The path that a change leaves.
fn left<'c>(path: &'c RelPath, change: &'c Change) -> Option<&'c RelPath> {
    match &change.action {
        Action::Delete { .. } => Some(path),
        Action::Move { from, .. } => Some(from),
        Action::Conflict(conflict) => conflict.before.as_ref().map(|(from, _)| from).filter(|from| *from != path),
        Action::Create(_) | Action::Update { .. } | Action::Keep => None,
    }
}

/// A new file whose place another file has taken: it is put beside that one.
fn give_way(path: RelPath, change: Change, context: &mut Context<'_>, changes: &mut Changes) {
    let Action::Create(entry) = change.action else { return };
    let Some(name) = context.names.free(&path, "theirs") else { return };
    let conflict = Conflict { before: None, after: Some(entry), stages: None, beside: Vec::new(), places: 1 };
    changes.insert(name, Change { action: Action::Conflict(Box::new(conflict)), reason: Reason::PlaceTaken });
}

/// Separates files from directories of the same path.
fn separate(
    changes: &mut Changes,
    triples: &BTreeMap<RelPath, Triple<'_>>,
    sides: &Sides<'_>,
    context: &mut Context<'_>,
) {
    let clashes: Vec<RelPath> = {
        let files = afterwards(changes, sides.ours);
        let directories = directories(files.iter().copied());
        files.into_iter().filter(|path| directories.contains(path.as_str())).cloned().collect()
    };
    for path in clashes {
        let is_ours = triples
            .get(&path)
            .map_or(sides.ours.contains_key(&path), |triple| triple.ours.is_some_and(|(ours, _)| *ours == path));
        if is_ours {
            make_directory(path, triples, sides, context, changes);
        } else {
            directory_in_the_way(path, triples, context, changes);
        }
    }
}

/// Every file that there is after the changes.
fn afterwards<'c>(changes: &'c Changes, ours: &'c Tree) -> BTreeSet<&'c RelPath> {
    let effects = crate::plan::effects(changes);
    let mut files: BTreeSet<&RelPath> = ours.keys().filter(|path| !effects.contains_key(path)).collect();
    files.extend(effects.into_iter().filter(|(_, effect)| effect.after.is_some()).map(|(path, _)| path));
    files
}

/// The template made a directory of a file of the project's: the directory comes, the file is kept as `NAME.orig`.
fn make_directory(
    path: RelPath,
    triples: &BTreeMap<RelPath, Triple<'_>>,
    sides: &Sides<'_>,
    context: &mut Context<'_>,
    changes: &mut Changes,
) {
    let Some(ours) = sides.ours.get(&path) else { return };
    let stages = match changes.remove(&path).map(|change| change.action) {
        Some(Action::Conflict(conflict)) => conflict.stages,
        _ => {
            let triple = triples.get(&path).copied().unwrap_or_default();
            context.stages(&path, &Triple { ours: sides.ours.get_key_value(&path), ..triple })
        }
    };
    let conflict = Conflict {
        before: Some((path.clone(), Stamp::of(ours))),
        after: None,
        stages,
        beside: context.beside(&path, "orig", ours),
        places: 1,
    };
    changes
        .insert(path, Change { action: Action::Conflict(Box::new(conflict)), reason: Reason::TemplateMadeDirectory });
}

/// The project has a directory where a file of the template's belongs: the file is put beside it.
fn directory_in_the_way(
    path: RelPath,
    triples: &BTreeMap<RelPath, Triple<'_>>,
    context: &mut Context<'_>,
    changes: &mut Changes,
) {
    let Some(change) = changes.remove(&path) else { return };
    let (before, entry) = match change.action {
        Action::Create(entry) => (None, entry),
        Action::Move { from, before, after } => (Some((from, before)), after),
        Action::Conflict(conflict) => {
            let Conflict { before, after: Some(after), .. } = *conflict else { return };
            (before, after)
        }
        Action::Update { .. } | Action::Delete { .. } | Action::Keep => return,
    };
    let ignored = context.ignored.contains(&path);
    let stages = match triples.get(&path) {
        Some(triple) => context.stages(&path, triple),
        None => {
            Some(Stages { theirs: Some(Version { path: path.clone(), entry: entry.clone() }), ..Stages::default() })
                .filter(|_| !ignored)
        }
    };
    let beside = context.beside(&path, "theirs", &entry);
    let conflict = Conflict { before, after: None, stages, beside, places: 1 };
    changes.insert(path, Change { action: Action::Conflict(Box::new(conflict)), reason: Reason::DirectoryInTheWay });
}
