//! Up to the commit point: everything that a change needs is on the disk, and nothing of the project has changed.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::operation::{Kind, Operation, Places, Target, Txn};
use super::script::Script;
use super::state::{ambiguous, is_similar, see};
use super::text::Journal;
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
    let mut written = write_new(disk, txn, script)?;
    written.extend(keep_old(disk, txn, places, operations)?);
    let text = script.journal.render();
    disk.create(&Item { path: txn.draft(), bytes: text.as_bytes(), mode: Mode::File })?;
    // With all names, up to that of a record which was not there before.
    written.extend([txn.draft(), txn.staged_dir(), txn.kept_dir()]);
    written.extend(txn.path().ancestors().take(3).map(Path::to_path_buf));
    sync(disk, &script.journal, &written)?;
    check(places, operations)?;
    disk.rename(&txn.draft(), &txn.journal())?;
    sync(disk, &script.journal, &[txn.path()])
}

/// Syncs, as far as anything of the user's depends on it: where nothing is replaced or removed, a power cut can harm
/// nothing but the new files.
pub(super) fn sync(disk: &Disk, journal: &Journal, paths: &[impl AsRef<Path>]) -> Result<()> {
    if !journal.replaces() {
        return Ok(());
    }
    Ok(disk.sync(&paths.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
}

/// What is put, under the operation's number, with the permissions of its model. Returns the files.
fn write_new(disk: &Disk, txn: &Txn, script: &Script<'_>) -> Result<Vec<PathBuf>> {
    let mut items = Vec::new();
    let mut models = Vec::new();
    for (n, (operation, content)) in script.journal.operations.iter().zip(&script.contents).enumerate() {
        let Kind::Put { after, .. } = operation.kind else { continue };
        if script.journal.is_placed(operation) {
            continue;
        }
        if let Some(model) = &content.model {
            models.push((model, txn.staged(n), after.mode == Mode::Executable));
        }
        items.push(Item { path: txn.staged(n), bytes: content.bytes, mode: after.mode });
    }
    disk.create_all(&items)?;
    for (from, to, executable) in models {
        disk.copy_permissions(from, &to, executable)?;
    }
    Ok(items.into_iter().filter(|item| item.mode != Mode::Symlink).map(|item| item.path).collect())
}

/// What will be replaced or removed, under the operation's number. Returns the files that had to be copied for it.
fn keep_old(disk: &Disk, txn: &Txn, places: &Places<'_>, operations: &[Operation]) -> Result<Vec<PathBuf>> {
    let mut copies = Vec::new();
    for (n, operation) in operations.iter().enumerate() {
        let (Kind::Delete { .. } | Kind::Put { before: Some(_), .. }) = operation.kind else { continue };
        let path = places.path(&operation.target);
        match disk.link_or_copy(&path, &txn.kept(n)) {
            Ok(Kept::Link) => {}
            Ok(Kept::Copy) => copies.push(txn.kept(n)),
            Err(failure) if failure.error.kind() == ErrorKind::NotFound => return Err(changed(&path)),
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(copies)
}

/// Checks that every target, and the way to it, is as it was when the plan was made.
fn check(places: &Places<'_>, operations: &[Operation]) -> Result<()> {
    let leaving: HashSet<_> = operations
        .iter()
        .filter(|operation| matches!(operation.kind, Kind::Delete { .. } | Kind::RemoveDir))
        .map(|operation| operation.target.folded())
        .collect();
    let ambiguous = ambiguous(operations);
    let mut guards = Guards::new(places);
    for (n, operation) in operations.iter().enumerate() {
        let target = &operation.target;
        guards.check(target, |above| leaving.contains(&above.folded()))?;
        let seen = see(places, target, ambiguous.contains(&n))?;
        let expected = match (operation.kind.clone(), &seen) {
            (Kind::Put { before: None, .. }, Seen::Nothing) | (Kind::RemoveDir, _) => true,
            (Kind::MakeDir, Seen::Nothing) => true,
            (Kind::Put { before: Some(stamp), .. } | Kind::Delete { before: stamp }, Seen::Entry(entry)) => {
                is_similar(Stamp::of(entry), stamp)
            }
            // What is removed first makes room.
            (Kind::Put { before: None, .. } | Kind::MakeDir, _) => leaving.contains(&target.folded()),
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
