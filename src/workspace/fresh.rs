//! A new project where nothing is: built beside its place, and moved there in one step.
//!
//! Nothing is synced for that: it would take ten times as long as all the rest. A kill leaves nothing or everything; a power
//! cut in the seconds after can leave files of the new project empty, and nothing that anybody has written is in them.

use std::path::Path;

use super::disk::{self, Disk, Leaf};
use super::journal::{self, Busy, Decided, Done, Places, Script};
use super::site::{Site, prefix_beside};
use crate::diagnostic::{Diagnostic, Diagnostics, Result};
use crate::lock::{DIRECTORY, Record};
use crate::plan::{Changes, Plan, effects};
use crate::rooted::{Access, Kind, Reader, Root, Spot, Ways};
use crate::tree::Mode;

/// Makes the project. Whatever fails, nothing of it is left.
pub(super) fn create(disk: &Disk, site: &Site, plan: &Plan, record: &Record) -> Result<Done> {
    let (parent, made) = create_parents(disk, site.app.parent().unwrap_or(&site.app))?;
    let result = build_and_move(disk, site, &parent, plan, record, made.len());
    if result.is_err() {
        disk.remove_dirs(&made);
    }
    result
}

/// Makes the directories above the app that are missing; returns the innermost, and those that were made, outermost first.
fn create_parents(disk: &Disk, parent: &Path) -> Result<(Root, Vec<Spot>)> {
    let is_there = |path: &&Path| path.symlink_metadata().is_ok();
    let existing = parent.ancestors().find(is_there).unwrap_or(parent);
    let mut root = Root::open(existing).map_err(|error| Diagnostic::io("cannot open", existing, &error))?;
    let mut made = Vec::new();
    for name in parent.strip_prefix(existing).unwrap_or(Path::new("")) {
        let spot = root.spot(name);
        let next = disk.ensure_dir(&spot, Access::Usual).map_err(Diagnostics::from).and_then(|()| {
            made.push(spot.clone());
            Ok(spot.open_directory().map_err(|failure| failure.diagnostic("cannot open", spot.path()))?)
        });
        match next {
            Ok(next) => root = next,
            Err(problems) => {
                disk.remove_dirs(&made);
                return Err(problems);
            }
        }
    }
    Ok((root, made))
}

fn build_and_move(
    disk: &Disk,
    site: &Site,
    parent: &Root,
    plan: &Plan,
    record: &Record,
    parents: usize,
) -> Result<Done> {
    let staging = staging_directory(disk, &site.app, parent)?;
    let result = build(disk, &staging, &plan.files.app, record);
    let result = match result {
        // What belongs at the repository's root cannot come with the app in one step.
        Ok(root) if !plan.files.repository.is_empty() => {
            return with_journal(disk, site, &staging, &root, plan, record, parents);
        }
        Ok(_) => {
            let place = parent.spot(site.app.file_name().unwrap_or_default());
            disk.rename_new(&staging, &place).map_err(Diagnostics::from)
        }
        Err(problems) => Err(problems),
    };
    if result.is_err() {
        // The error that is reported is the first one.
        drop(disk.remove_tree(&staging));
    }
    result.map(|()| Done::default())
}

/// Moves the app to its place, and puts files at the repository's root, under a journal. That is where the journal is, too.
fn with_journal(
    disk: &Disk,
    site: &Site,
    staging: &Spot,
    root: &Root,
    plan: &Plan,
    record: &Record,
    parents: usize,
) -> Result<Done> {
    let staged = stage(disk, site, staging, root, plan, record, parents);
    if staged.is_err() {
        drop(disk.remove_tree(staging));
    }
    let (_busy, decided) = staged?;
    journal::carry_out(disk, site, &decided)
}

fn stage(
    disk: &Disk,
    site: &Site,
    staging: &Spot,
    root: &Root,
    plan: &Plan,
    record: &Record,
    parents: usize,
) -> Result<(Busy, Decided)> {
    let busy = Busy::take(disk, site, root)?;
    let places = Places::new(site);
    let repository = Root::open(places.root());
    let repository = repository.map_err(|error| Diagnostic::io("cannot open", places.root(), &error))?;
    let mut ways = Ways::new(repository);
    let files = record.files();
    let mut script = Script::new(site, &mut Reader::new(ways.root()), plan, record, &files, None)?;
    script.journal.made = 1 + parents;
    script.journal.staging = Some(staging.name().to_string_lossy().into_owned());
    let decided = journal::stage(disk, &busy, &places, &mut ways, root, script)?;
    Ok((busy, decided))
}

/// Makes `.NAME.create-app-XXXXXX` beside the app, and removes what a process that was killed has left under such a name.
fn staging_directory(disk: &Disk, app: &Path, parent: &Root) -> Result<Spot> {
    let prefix = prefix_beside(app);
    // In a directory that cannot be listed, a project can be made all the same.
    for (name, kind) in parent.entries().unwrap_or_default() {
        let spot = parent.spot(name);
        if kind == Kind::Directory && spot.name().to_string_lossy().starts_with(&prefix) && is_abandoned(&spot) {
            // What somebody else is removing in this moment, or cannot be removed, is in nobody's way.
            drop(disk.remove_tree(&spot));
        }
    }
    Ok(disk.temporary_dir(parent, &prefix)?)
}

/// Nobody needs an hour to make a project.
fn is_abandoned(spot: &Spot) -> bool {
    let modified = spot.metadata().and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|modified| modified.into_std().elapsed().ok());
    age.is_some_and(|age| age.as_secs() > 3600)
}

/// Writes the app and its record to `staging`; returns the directory.
fn build(disk: &Disk, staging: &Spot, changes: &Changes, record: &Record) -> Result<Root> {
    let root = staging.open_directory().map_err(|failure| failure.diagnostic("cannot open", staging.path()))?;
    let files = record.files();
    let own = files.iter().map(|(name, bytes)| (format!("{DIRECTORY}/{name}"), bytes.as_ref(), Mode::File));
    let effects = effects(changes);
    let entries = effects.iter().filter_map(|(path, effect)| Some((path.to_string(), effect.after?)));
    let leaves: Vec<Leaf<'_>> = entries.map(|(path, entry)| (path, entry.bytes(), entry.mode())).chain(own).collect();
    disk.create_tree(&root, &leaves).map_err(|failure: disk::Failure| Diagnostics::from(failure))?;
    Ok(root)
}
