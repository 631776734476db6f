//! A whole tree in place of another, or a file: what is expected of a test case.

use std::path::Path;

use super::disk::{Disk, Leaf};
use crate::diagnostic::{Diagnostic, Diagnostics, Result};
use crate::rooted::{Root, Spot};
use crate::tree::Tree;

/// The names of what is not complete yet.
const PREFIX: &str = ".expected.create-app-";

/// Replaces the directory `target` and everything in it by a tree. The new tree is complete before the old one goes. A link
/// at `target` is replaced, and not followed.
///
/// # Errors
///
/// Says what cannot be written.
pub fn replace_tree(target: &Path, tree: &Tree) -> Result<()> {
    let disk = Disk::default();
    let target = spot(target)?;
    let staging = disk.temporary_dir(&target.directory(), PREFIX)?;
    let written = write(&disk, &staging, tree).and_then(|()| Ok(put(&disk, &staging, &target)?));
    if written.is_err() {
        // The error that is reported is the first one.
        drop(disk.remove_tree(&staging));
    }
    written
}

/// Replaces the file `target`, or makes it. The new file is complete before the old one goes. A link at `target` is replaced,
/// and not followed.
///
/// # Errors
///
/// Says what cannot be written.
pub fn replace_file(target: &Path, bytes: &[u8]) -> Result<()> {
    let disk = Disk::default();
    let target = spot(target)?;
    let staging = disk.temporary_dir(&target.directory(), PREFIX)?;
    let written = opened(&staging).and_then(|root| {
        disk.create_tree(&root, &[("file".to_owned(), bytes, crate::tree::Mode::File)])?;
        Ok(disk.rename(&root.spot("file"), &target)?)
    });
    let removed = disk.remove_tree(&staging).map_err(Diagnostics::from);
    written.and(removed)
}

/// The place of a path; the directory that it is in is the user's own choice.
fn spot(target: &Path) -> Result<Spot> {
    let above = target.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = Root::open(above).map_err(|error| Diagnostic::io("cannot open", above, &error))?;
    match target.file_name() {
        Some(name) => Ok(root.spot(name)),
        None => Err(Diagnostic::io("cannot write", target, &std::io::ErrorKind::InvalidFilename.into()).into()),
    }
}

fn put(disk: &Disk, staging: &Spot, target: &Spot) -> super::disk::Result<()> {
    if !matches!(target.kind(), Ok(None)) {
        disk.remove_tree(target)?;
    }
    disk.rename(staging, target)
}

fn write(disk: &Disk, staging: &Spot, tree: &Tree) -> Result<()> {
    let leaves: Vec<Leaf<'_>> =
        tree.iter().map(|(path, entry)| (path.to_string(), entry.bytes(), entry.mode())).collect();
    Ok(disk.create_tree(&opened(staging)?, &leaves)?)
}

fn opened(spot: &Spot) -> Result<Root> {
    Ok(spot.open_directory().map_err(|failure| failure.diagnostic("cannot open", spot.path()))?)
}
