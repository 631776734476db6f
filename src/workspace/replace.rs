//! A whole tree in place of another, or a file: what is expected of a test case.

use std::path::Path;

use super::disk::{Disk, Failure, Item};
use super::fresh;
use crate::diagnostic::Result;
use crate::tree::{Mode, RelPath, Tree};

/// Replaces the directory `target` and everything in it by a tree. The new tree is complete before the old one goes.
///
/// # Errors
///
/// Says what cannot be written.
pub fn replace_tree(target: &Path, tree: &Tree) -> Result<()> {
    let disk = Disk::default();
    let staging = disk.temporary_dir(target.parent().unwrap_or(target), ".expected.create-app-")?;
    let written = write(&disk, &staging, tree).and_then(|()| {
        if target.symlink_metadata().is_ok() {
            disk.remove_tree(target)?;
        }
        disk.rename(&staging, target)
    });
    if written.is_err() {
        // The error that is reported is the first one.
        drop(disk.remove_tree(&staging));
    }
    Ok(written?)
}

/// Replaces the file `target`, or makes it. The new file is complete before the old one goes.
///
/// # Errors
///
/// Says what cannot be written.
pub fn replace_file(target: &Path, bytes: &[u8]) -> Result<()> {
    let disk = Disk::default();
    let staging = disk.temporary_dir(target.parent().unwrap_or(target), ".expected.create-app-")?;
    let path = staging.join("file");
    let written = disk.create(&Item { path: path.clone(), bytes, mode: Mode::File });
    let written = written.and_then(|()| disk.rename(&path, target));
    let removed = disk.remove_tree(&staging);
    Ok(written.and(removed)?)
}

fn write(disk: &Disk, staging: &Path, tree: &Tree) -> std::result::Result<(), Failure> {
    for directory in fresh::directories(tree.keys().map(RelPath::as_str)) {
        disk.create_dir(&fresh::below(staging, directory))?;
    }
    let items =
        tree.iter().map(|(path, entry)| Item { path: path.below(staging), bytes: entry.bytes(), mode: entry.mode() });
    disk.create_all(&items.collect::<Vec<_>>())
}
