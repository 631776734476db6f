//! Up to the commit point: everything that a change needs is on the disk, and nothing of the project has changed.

use std::collections::HashSet;
use std::io::ErrorKind;

use super::busy::Busy;
use super::mark::Mark;
use super::operation::{Kind, Operation, Places, Target};
use super::script::{Model, Script};
use super::state::{Seen, Sign, ambiguous, is_similar, is_spelled, look_closely};
use super::text::{Bond, Journal, LIMIT};
use super::txn::Txn;
use super::way::{in_the_way, unreachable};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::rooted::{self, Failure as Unreached, Root, Spot, Ways};
use crate::tree::Mode;
use crate::workspace::disk::{Disk, Failure, Item, Kept, permissions_after};
use crate::workspace::sync::Synced;

/// A change that is decided on.
#[derive(Debug)]
pub(in crate::workspace) struct Decided {
    pub(super) journal: Journal,
    pub(super) txn: Txn,
    /// The targets' files as they were last seen, by operation.
    pub(super) signs: Vec<Option<Sign>>,
}

/// Writes what will be put and keeps what is there now, checks that nothing has changed since the plan was made, and decides.
/// `project` is the app's directory, wherever it is now.
pub(in crate::workspace) fn stage(
    disk: &Disk,
    busy: &Busy,
    places: &Places<'_>,
    ways: &mut Ways,
    project: &Root,
    mut script: Script<'_>,
) -> Result<Decided> {
    let txn = Txn::create(disk, busy.home().root());
    let result = txn.and_then(|txn| {
        script.journal.bond = Some(bond(&txn, project)?);
        let signs = write(disk, busy, &txn, places, ways, &script)?;
        Ok(Decided { journal: script.journal, txn, signs })
    });
    if result.is_err() {
        // The error that is reported is the first one.
        drop(disk.remove_tree(&busy.home().root().spot(super::txn::NAME)));
    }
    result
}

fn bond(txn: &Txn, project: &Root) -> Result<Bond> {
    let seal = txn.mark().map_err(|failure| failure.diagnostic("cannot read", txn.path()))?;
    let metadata = project.metadata().map_err(|error| Diagnostic::io("cannot read", project.path(), &error))?;
    let at = project.path().to_string_lossy().escape_debug().to_string();
    Ok(Bond { project: Mark::of_directory(&metadata), at, seal })
}

fn write(
    disk: &Disk,
    busy: &Busy,
    txn: &Txn,
    places: &Places<'_>,
    ways: &mut Ways,
    script: &Script<'_>,
) -> Result<Vec<Option<Sign>>> {
    let operations = &script.journal.operations;
    let mut written = keep_old(disk, txn, places, ways, operations)?;
    written.extend(write_new(disk, txn, ways, script)?);
    if let Some(before) = &script.before {
        disk.create_private(&txn.before(), before.render().as_bytes())?;
        written.push(Synced::File(txn.before()));
    }
    let text = script.journal.render();
    if text.len() as u64 > LIMIT {
        let title = format!("the change has too many steps: its journal is larger than {} MiB", LIMIT >> 20);
        return Err(Diagnostic::error(Code::TooMuch, title).help("split the template").into());
    }
    disk.create_private(&txn.draft(), text.as_bytes())?;
    written.push(Synced::File(txn.draft()));
    // With all names, up to those of the directories that were made for the journal.
    let directories = [txn.staged_dir(), txn.kept_dir(), txn.root()].map(Clone::clone);
    written.extend(directories.into_iter().chain(busy.home().directories()).map(Synced::Directory));
    sync(disk, &script.journal, &written)?;
    let signs = check(places, ways, operations)?;
    disk.rename(&txn.draft(), &txn.journal())?;
    let decided = sync(disk, &script.journal, &[Synced::Directory(txn.root().clone())]);
    if decided.is_err() {
        // What is not certain to be decided on must not be found by the next command.
        drop(disk.remove_file(&txn.journal()));
    }
    decided.map(|()| signs)
}

/// Syncs, as far as anything of the user's depends on it: where nothing is replaced or removed, a power cut can harm
/// nothing but the new files.
pub(super) fn sync(disk: &Disk, journal: &Journal, what: &[Synced]) -> Result<()> {
    if !journal.replaces() {
        return Ok(());
    }
    Ok(disk.sync(what)?)
}

/// What is put, under the operation's number, with the permissions of its model. Returns the files.
fn write_new(disk: &Disk, txn: &Txn, ways: &mut Ways, script: &Script<'_>) -> Result<Vec<Synced>> {
    let (mut items, mut copies) = (Vec::new(), Vec::new());
    for (n, (operation, content)) in script.journal.operations.iter().zip(&script.contents).enumerate() {
        let Kind::Put { after, .. } = operation.kind else { continue };
        if script.journal.is_placed(operation) {
            continue;
        }
        if let Some(kept) = &content.kept {
            let copied = disk.link_or_copy(kept, &txn.staged(n))?;
            copies.extend((copied == Kept::Copy).then(|| Synced::File(txn.staged(n))));
            continue;
        }
        let permissions = match &content.model {
            None => None,
            Some(model) => permissions(ways, &txn.kept(n), model, after.mode == Mode::Executable)?,
        };
        items.push(Item { spot: txn.staged(n), bytes: content.bytes, mode: after.mode, permissions });
    }
    disk.create_all(&items)?;
    let files = items.into_iter().filter(|item| item.mode != Mode::Symlink);
    copies.extend(files.map(|item| Synced::File(item.spot)));
    Ok(copies)
}

/// The permissions of a file with a model; what it replaces is kept already.
fn permissions(ways: &mut Ways, kept: &Spot, model: &Model, executable: bool) -> Result<Option<u32>> {
    let spot = match model {
        Model::Replaced => kept.clone(),
        Model::At(path) => ways.spot(path).map_err(|failure| in_the_way_or(ways.root(), path, &failure))?,
    };
    let found = permissions_after(&spot, executable);
    Ok(found.map_err(|error| Failure::new("cannot read", spot.path(), error))?)
}

fn in_the_way_or(root: &Root, path: &str, failure: &Unreached) -> Diagnostics {
    match failure {
        Unreached::Link(_) | Unreached::NotADirectory(..) => in_the_way(root.path(), failure),
        failure => failure.diagnostic("cannot read", &root.path().join(path)).into(),
    }
}

/// What will be replaced or removed, under the operation's number. Returns the files that had to be copied for it.
fn keep_old(
    disk: &Disk,
    txn: &Txn,
    places: &Places<'_>,
    ways: &mut Ways,
    operations: &[Operation],
) -> Result<Vec<Synced>> {
    let mut copies = Vec::new();
    for (n, operation) in operations.iter().enumerate() {
        let (Kind::Delete { .. } | Kind::Put { before: Some(_), .. }) = operation.kind else { continue };
        let spot = match ways.spot(places.way(&operation.target)) {
            Err(failure) if failure.is_missing() => return Err(changed(places, &operation.target)),
            Err(failure) => return Err(unreachable("cannot read", places, &operation.target, &failure)),
            Ok(spot) => spot,
        };
        match disk.link_or_copy(&spot, &txn.kept(n)) {
            Ok(Kept::Link) => {}
            Ok(Kept::Copy) => copies.push(Synced::File(txn.kept(n))),
            Err(failure) if failure.kind() == ErrorKind::NotFound => return Err(changed(places, &operation.target)),
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(copies)
}

/// Checks that every target, and the way to it, is as it was when the plan was made.
fn check(places: &Places<'_>, ways: &mut Ways, operations: &[Operation]) -> Result<Vec<Option<Sign>>> {
    let leaving: HashSet<_> = operations
        .iter()
        .filter(|operation| matches!(operation.kind, Kind::Delete { .. } | Kind::RemoveDir))
        .map(|operation| operation.target.folded())
        .collect();
    let ambiguous = ambiguous(operations);
    let mut signs = Vec::with_capacity(operations.len());
    for (n, operation) in operations.iter().enumerate() {
        let target = &operation.target;
        let is_leaving = |target: &Target| leaving.contains(&target.folded());
        let (seen, sign) = see_closely(places, ways, target, ambiguous.contains(&n), is_leaving)?;
        signs.push(sign);
        let expected = match (operation.kind.clone(), seen) {
            (Kind::Put { before: None, .. } | Kind::MakeDir, Seen::Nothing) | (Kind::RemoveDir, _) => true,
            (Kind::Put { before: Some(stamp), .. } | Kind::Delete { before: stamp }, Seen::Entry(now)) => {
                is_similar(now, stamp)
            }
            // What is removed first makes room.
            (Kind::Put { before: None, .. }, Seen::Other) => {
                is_leaving(target) && is_emptied(places, ways, target, is_leaving)?
            }
            (Kind::Put { before: None, .. } | Kind::MakeDir, _) => is_leaving(target),
            (Kind::Put { .. } | Kind::Delete { .. }, _) => false,
        };
        if !expected {
            return Err(changed(places, target));
        }
    }
    Ok(signs)
}

/// Whether everything in a directory is `leaving`, so that a file can be put in its place.
fn is_emptied(
    places: &Places<'_>,
    ways: &mut Ways,
    directory: &Target,
    is_leaving: impl Fn(&Target) -> bool,
) -> Result<bool> {
    let mut open = vec![directory.clone()];
    while let Some(above) = open.pop() {
        let failed = |failure| unreachable("cannot read", places, &above, &failure);
        let found = ways.directory(places.way(&above)).map_err(failed)?;
        let entries = found.entries().map_err(|error| Failure::new("cannot read", found.path(), error))?;
        for (name, kind) in entries {
            let path = name.to_str().map(|name| format!("{}/{name}", above.path()));
            let below = path.and_then(|path| Target::parse(above.root(), &path));
            let Some(below) = below.filter(&is_leaving) else { return Ok(false) };
            if kind == rooted::Kind::Directory {
                open.push(below);
            }
        }
    }
    Ok(true)
}

/// The entry at a target; in another spelling than this, nothing is, if `exactly` is asked for. Nothing is below what is
/// `leaving` either: that is removed before the way is gone.
pub(super) fn see(
    places: &Places<'_>,
    ways: &mut Ways,
    target: &Target,
    exactly: bool,
    leaving: impl Fn(&Target) -> bool,
) -> Result<Seen> {
    Ok(see_closely(places, ways, target, exactly, leaving)?.0)
}

fn see_closely(
    places: &Places<'_>,
    ways: &mut Ways,
    target: &Target,
    exactly: bool,
    leaving: impl Fn(&Target) -> bool,
) -> Result<(Seen, Option<Sign>)> {
    let nothing = Ok((Seen::Nothing, None));
    let way = places.way(target);
    let spot = match ways.spot(&way) {
        Err(Unreached::Link(_) | Unreached::NotADirectory(..)) if target.above().any(|above| leaving(&above)) => {
            return nothing;
        }
        Err(Unreached::Io(error)) if error.kind() == ErrorKind::NotFound => return nothing,
        spot => spot.map_err(|failure| unreachable("cannot read", places, target, &failure))?,
    };
    if exactly {
        let spelled = is_spelled(ways, &way).map_err(|failure| unreachable("cannot read", places, target, &failure))?;
        if !spelled {
            return nothing;
        }
    }
    Ok(look_closely(&spot).map_err(|error| Failure::new("cannot read", spot.path(), error))?)
}

fn changed(places: &Places<'_>, target: &Target) -> Diagnostics {
    let path = places.path(target);
    let title = format!("`{}` was changed while create-app was running; nothing was written", path.display());
    Diagnostic::error(Code::Busy, title).help("run the command again").into()
}
