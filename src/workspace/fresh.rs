//! A new project where nothing stands: built beside its place, and moved there in one step.
//!
//! Nothing is synced for that: it would take ten times as long as all the rest. A kill leaves nothing or everything; a power
//! cut in the seconds after can leave files of the new project empty, and nothing that anybody has written is in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::disk::{self, Disk, Item};
use super::journal::{self, Aside, Busy, Journal, Places, Script};
use super::site::{Site, prefix_beside};
use crate::diagnostic::{Code, Diagnostics, Result};
use crate::lock::{DIRECTORY, Record};
use crate::plan::{Changes, Plan, effects};
use crate::tree::Mode;

/// Makes the project. Whatever fails, nothing of it is left.
pub(super) fn create(disk: &Disk, site: &Site, plan: &Plan, record: &Record) -> Result<Vec<Aside>> {
    let parent = site.app.parent().unwrap_or(&site.app);
    let made = disk.create_dirs(parent)?;
    let result = build_and_move(disk, site, plan, record, made.len());
    if result.is_err() {
        disk.remove_dirs(&made);
    }
    result
}

fn build_and_move(disk: &Disk, site: &Site, plan: &Plan, record: &Record, parents: usize) -> Result<Vec<Aside>> {
    let parent = site.app.parent().unwrap_or(&site.app);
    let staging = staging_directory(disk, &site.app, parent)?;
    let result = build(disk, &staging, &plan.app, record).map_err(Diagnostics::from);
    let result = result.and_then(|()| stage_outside(disk, &staging, site, plan, record, parents));
    let result = result.and_then(|journal| Ok(disk.rename(&staging, &site.app).map(|()| journal)?));
    match result {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(journal)) => finish(disk, site, &journal),
        Err(problems) => {
            // The error that is reported is the first one.
            drop(disk.remove_tree(&staging));
            Err(problems)
        }
    }
}

/// What belongs at the repository's root cannot come with the app in one step. So the app brings a journal with it.
fn stage_outside(
    disk: &Disk,
    staging: &Path,
    site: &Site,
    plan: &Plan,
    record: &Record,
    parents: usize,
) -> Result<Option<Journal>> {
    if plan.repository.is_empty() {
        return Ok(None);
    }
    let files = record.files();
    let places = Places::new(&site.app, site);
    let mut script = Script::new(site, &places, plan, record, &files, None)?;
    script.journal.made = 1 + parents;
    journal::stage(disk, staging, &places, &script)?;
    Ok(Some(script.journal))
}

/// The app is in its place, and what it brings with it comes into force.
fn finish(disk: &Disk, site: &Site, journal: &Journal) -> Result<Vec<Aside>> {
    let places = Places::new(&site.app, site);
    match Busy::take(disk, &site.app) {
        Ok(busy) => journal::carry_out(disk, places, journal, busy),
        // Somebody else is finishing it already.
        Err(problems) if problems.0.iter().any(|problem| problem.code == Code::Busy) => Err(problems),
        Err(problems) => Err(journal::give_up(disk, places, journal, None, problems)),
    }
}

/// Makes `.NAME.create-app-XXXXXX` beside the app, and removes what a process that was killed has left under such a name.
fn staging_directory(disk: &Disk, app: &Path, parent: &Path) -> Result<PathBuf> {
    let prefix = prefix_beside(app);
    for entry in std::fs::read_dir(parent).into_iter().flatten().filter_map(std::result::Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(&prefix) && is_abandoned(&entry) {
            // It is in nobody's way.
            drop(disk.remove_tree(&entry.path()));
        }
    }
    Ok(disk.temporary_dir(parent, &prefix)?)
}

/// Nobody needs an hour to make a project.
fn is_abandoned(entry: &std::fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age.as_secs() > 3600)
}

/// Writes the app and its record below `staging`.
fn build(disk: &Disk, staging: &Path, changes: &Changes, record: &Record) -> disk::Result<()> {
    let files = record.files();
    let own = files.iter().map(|(name, bytes)| (format!("{DIRECTORY}/{name}"), bytes.as_ref(), Mode::File));
    let effects = effects(changes);
    let entries = effects.iter().filter_map(|(path, effect)| Some((path.to_string(), effect.after?)));
    let all: Vec<(String, &[u8], Mode)> =
        entries.map(|(path, entry)| (path, entry.bytes(), entry.mode())).chain(own).collect();
    let directories = directories(all.iter().map(|(path, ..)| path.as_str()));
    let directories: Vec<PathBuf> = directories.iter().map(|directory| below(staging, directory)).collect();
    directories.iter().try_for_each(|directory| disk.create_dir(directory))?;
    let items: Vec<Item<'_>> =
        all.iter().map(|(path, bytes, mode)| Item { path: below(staging, path), bytes, mode: *mode }).collect();
    disk.create_all(&items)
}

/// Every directory that these paths need, outer ones first.
pub(super) fn directories<'p>(paths: impl Iterator<Item = &'p str>) -> BTreeSet<&'p str> {
    paths.flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at])).collect()
}

pub(super) fn below(root: &Path, path: &str) -> PathBuf {
    let mut full = root.to_path_buf();
    full.extend(path.split('/'));
    full
}
