//! A whole tree in place of another: the expected tree of a test case.

use std::path::Path;

use super::disk::{Disk, Failure, Item};
use super::fresh;
use crate::diagnostic::Result;
use crate::tree::{RelPath, Tree};

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

fn write(disk: &Disk, staging: &Path, tree: &Tree) -> std::result::Result<(), Failure> {
    for directory in fresh::directories(tree.keys().map(RelPath::as_str)) {
        disk.create_dir(&fresh::below(staging, directory))?;
    }
    let items =
        tree.iter().map(|(path, entry)| Item { path: path.below(staging), bytes: entry.bytes(), mode: entry.mode() });
    disk.create_all(&items.collect::<Vec<_>>())
}
