//! A new project where nothing stands: built beside its place, and moved there in one step.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::disk::{Disk, Item, Result};
use super::site::Site;
use crate::lock::{DIRECTORY, Record};
use crate::plan::{Action, Changes};
use crate::tree::Mode;

/// Makes the app. Whatever fails, nothing of it is left.
pub(super) fn create(disk: &Disk, site: &Site, changes: &Changes, record: &Record) -> Result<()> {
    let parent = site.app.parent().unwrap_or(&site.app);
    let made = disk.create_dirs(parent)?;
    let result = build_and_move(disk, site, parent, changes, record);
    if result.is_err() {
        disk.remove_dirs(&made);
        return result;
    }
    let outside = made.first().and_then(|first| first.parent());
    made.iter().map(PathBuf::as_path).chain(outside).try_for_each(|directory| disk.sync_dir(directory))
}

fn build_and_move(disk: &Disk, site: &Site, parent: &Path, changes: &Changes, record: &Record) -> Result<()> {
    let staging = staging_directory(disk, &site.app, parent)?;
    let result = build(disk, &staging, changes, record).and_then(|()| disk.rename(&staging, &site.app));
    let (result, left) = match result {
        Ok(()) => (disk.sync_dir(parent), &site.app),
        failed => (failed, &staging),
    };
    if result.is_err() {
        // The error that is reported is the first one.
        drop(disk.remove_tree(left));
    }
    result
}

/// Makes `.NAME.create-app-XXXXXX` beside the app.
fn staging_directory(disk: &Disk, app: &Path, parent: &Path) -> Result<PathBuf> {
    let name = app.file_name().unwrap_or_default().to_string_lossy();
    let short = &name[..name.floor_char_boundary(200)];
    disk.temporary_dir(parent, &format!(".{short}.create-app-"))
}

/// Writes the app and its record below `staging`.
fn build(disk: &Disk, staging: &Path, changes: &Changes, record: &Record) -> Result<()> {
    let files = record.files();
    let own = files.iter().map(|(name, bytes)| (format!("{DIRECTORY}/{name}"), bytes.as_ref(), Mode::File));
    let entries = changes.iter().filter_map(|(path, change)| match &change.action {
        Action::Create(entry) | Action::Update { after: entry, .. } => Some((path.to_string(), entry)),
        Action::Delete { .. } | Action::Keep => None,
    });
    let all: Vec<(String, &[u8], Mode)> =
        entries.map(|(path, entry)| (path, entry.bytes(), entry.mode())).chain(own).collect();
    let directories = directories(all.iter().map(|(path, ..)| path.as_str()));
    let directories: Vec<PathBuf> = directories.iter().map(|directory| below(staging, directory)).collect();
    directories.iter().try_for_each(|directory| disk.create_dir(directory))?;
    let items: Vec<Item<'_>> =
        all.iter().map(|(path, bytes, mode)| Item { path: below(staging, path), bytes, mode: *mode }).collect();
    disk.create_all(&items)?;
    disk.sync_all(staging, &items)?;
    directories.iter().map(PathBuf::as_path).chain([staging]).try_for_each(|directory| disk.sync_dir(directory))
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
