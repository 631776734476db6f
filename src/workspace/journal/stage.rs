//! Up to the commit point: everything that a change needs is on the disk, and nothing of the project has changed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::operation::{Kind, Operation, Places, Target, Txn};
use super::run::{ambiguous, see};
use super::script::Script;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::plan::Stamp;
use crate::tree::Mode;
use crate::workspace::disk::{Disk, Item, Kept};
use crate::workspace::guard::{Guard, Seen};

/// Writes what will be put and keeps what stood there, checks that nothing has changed since the plan was made, and
/// decides. `work` is where the app is now, `places` where it is when the operations are done.
pub(in crate::workspace) fn stage(disk: &Disk, work: &Path, places: &Places<'_>, script: &Script<'_>) -> Result<()> {
    let txn = Txn::below(work);
    let result = write(disk, &txn, places, script);
    if result.is_err() {
        // The error that is reported is the first one.
        drop(disk.remove_tree(txn.path()));
    }
    result
}

fn write(disk: &Disk, txn: &Txn, places: &Places<'_>, script: &Script<'_>) -> Result<()> {
    let operations = &script.journal.operations;
    for directory in [txn.path(), &txn.staged_dir(), &txn.kept_dir()] {
        disk.create_dir(directory)?;
    }
    write_new(disk, txn, places, script)?;
    keep_old(disk, txn, places, operations)?;
    for directory in [&txn.staged_dir(), &txn.kept_dir(), txn.path()] {
        disk.sync_dir(directory)?;
    }
    check(places, operations)?;
    let text = script.journal.render();
    let draft = [Item { path: txn.draft(), bytes: text.as_bytes(), mode: Mode::File }];
    disk.create_all(&draft)?;
    disk.sync_all(txn.path(), &draft)?;
    disk.rename(&txn.draft(), &txn.journal())?;
    // Up to the app itself, which may have had no `.create-app` before.
    Ok(txn.path().ancestors().take(3).try_for_each(|directory| disk.sync_dir(directory))?)
}

/// What is put, under the operation's number. A file that replaces another one keeps its permissions.
fn write_new(disk: &Disk, txn: &Txn, places: &Places<'_>, script: &Script<'_>) -> Result<()> {
    let mut items = Vec::new();
    let mut replaced: Vec<(PathBuf, PathBuf, bool)> = Vec::new();
    for (n, (operation, bytes)) in script.journal.operations.iter().zip(&script.bytes).enumerate() {
        let Kind::Put { before, after } = operation.kind else { continue };
        if script.journal.is_placed(operation) {
            continue;
        }
        if is_file(before) && is_file(Some(after)) {
            replaced.push((places.path(&operation.target), txn.staged(n), after.mode == Mode::Executable));
        }
        items.push(Item { path: txn.staged(n), bytes, mode: after.mode });
    }
    disk.create_all(&items)?;
    for (from, to, executable) in replaced {
        disk.copy_permissions(&from, &to, executable)?;
    }
    Ok(disk.sync_all(txn.path(), &items)?)
}

fn is_file(stamp: Option<Stamp>) -> bool {
    stamp.is_some_and(|stamp| stamp.mode != Mode::Symlink)
}

/// What will be replaced or removed, under the operation's number.
fn keep_old(disk: &Disk, txn: &Txn, places: &Places<'_>, operations: &[Operation]) -> Result<()> {
    let mut copies = Vec::new();
    for (n, operation) in operations.iter().enumerate() {
        if let Kind::Delete { .. } | Kind::Put { before: Some(_), .. } = operation.kind
            && disk.link_or_copy(&places.path(&operation.target), &txn.kept(n))? == Kept::Copy
        {
            copies.push(Item { path: txn.kept(n), bytes: &[], mode: Mode::File });
        }
    }
    if copies.is_empty() { Ok(()) } else { Ok(disk.sync_all(txn.path(), &copies)?) }
}

/// Checks that every target, and the way to it, is as it was when the plan was made.
fn check(places: &Places<'_>, operations: &[Operation]) -> Result<()> {
    let leaving: HashSet<&Target> = operations
        .iter()
        .filter(|operation| matches!(operation.kind, Kind::Delete { .. } | Kind::RemoveDir))
        .map(|operation| &operation.target)
        .collect();
    let ambiguous = ambiguous(operations);
    let mut guards = Guards::new(places);
    for (n, operation) in operations.iter().enumerate() {
        let target = &operation.target;
        guards.check(target, |above| leaving.contains(above))?;
        let seen = see(places, target, ambiguous.contains(&n))?;
        let expected = match (operation.kind.clone(), &seen) {
            (Kind::Put { before: None, .. }, Seen::Nothing) | (Kind::RemoveDir, _) => true,
            (Kind::MakeDir, Seen::Nothing) => true,
            (Kind::Put { before: Some(stamp), .. } | Kind::Delete { before: stamp }, Seen::Entry(entry)) => {
                Stamp::of(entry) == stamp
            }
            // What is removed first makes room.
            (Kind::Put { before: None, .. } | Kind::MakeDir, _) => leaving.contains(target),
            (Kind::Put { .. } | Kind::Delete { .. }, _) => false,
        };
        if !expected {
            return Err(changed(&places.path(target)));
        }
    }
    Ok(())
}

/// A guard for each root.
#[derive(Debug)]
pub(super) struct Guards<'s> {
    places: Places<'s>,
    guards: Vec<(&'s Path, Guard<'s>)>,
}

impl<'s> Guards<'s> {
    pub(super) fn new(places: &Places<'s>) -> Self {
        Self { places: *places, guards: Vec::new() }
    }

    /// Checks the way to a target.
    pub(super) fn check(&mut self, target: &Target, leaving: impl Fn(&Target) -> bool) -> Result<()> {
        let (root, path) = self.places.way(target);
        let at = match self.guards.iter().position(|(known, _)| *known == root) {
            Some(at) => at,
            None => {
                self.guards.push((root, Guard::new(root)));
                self.guards.len() - 1
            }
        };
        let (_, guard) = &mut self.guards[at];
        guard.check(&path, |directory| leaving(&target.sibling(directory)))
    }
}

fn changed(path: &Path) -> crate::diagnostic::Diagnostics {
    let title = format!("`{}` was changed while create-app was at work; nothing was written", path.display());
    Diagnostic::error(Code::Busy, title).help("run the command again").into()
}
