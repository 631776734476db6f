//! Copies of the project's own files that a change would replace or remove and that git does not hold.

use std::path::PathBuf;

use super::disk::{Disk, Item};
use super::fresh;
use super::journal::Busy;
use super::site::Site;
use crate::diagnostic::Result;
use crate::lock::DIRECTORY;
use crate::tree::Entry;

/// Files to keep, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The directory, below the app: `.create-app/backup/1`, or the first number that is free.
    pub directory: String,
    /// The files, by their paths below the repository's root, or below an app that is it.
    pub files: Vec<(String, Entry)>,
}

/// Where these files will be kept; none where there are none.
#[must_use]
pub fn backup(site: &Site, files: Vec<(String, Entry)>) -> Option<Backup> {
    let free = |n: &usize| site.app.join(name(*n)).symlink_metadata().is_err();
    let n = (1_usize..).find(free)?;
    (!files.is_empty()).then(|| Backup { directory: name(n), files })
}

fn name(n: usize) -> String {
    format!("{DIRECTORY}/backup/{n}")
}

/// Keeps the files.
///
/// # Errors
///
/// Says what cannot be written.
pub fn keep(site: &Site, backup: &Backup) -> Result<()> {
    let disk = Disk::default();
    let _busy = Busy::take(&disk, &site.app)?;
    let root = fresh::below(&site.app, &backup.directory);
    disk.create_dirs(&root)?;
    for directory in fresh::directories(backup.files.iter().map(|(path, _)| path.as_str())) {
        disk.create_dir(&fresh::below(&root, directory))?;
    }
    let item = |(path, entry): &'_ (String, Entry)| -> (PathBuf, crate::tree::Mode) {
        (fresh::below(&root, path), entry.mode())
    };
    let places: Vec<_> = backup.files.iter().map(item).collect();
    let items = places.into_iter().zip(&backup.files);
    let items: Vec<Item<'_>> =
        items.map(|((path, mode), (_, entry))| Item { path, bytes: entry.bytes(), mode }).collect();
    Ok(disk.create_all(&items)?)
}
