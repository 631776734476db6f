//! One run at a time in one project.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::DIRECTORY;
use crate::workspace::disk::{Disk, Failure};

/// The right to change a project. The operating system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(in crate::workspace) struct Busy {
    disk: Disk,
    directory: PathBuf,
    /// Some, until it is given back.
    file: Option<File>,
}

impl Busy {
    /// Takes it, or says that somebody else has it.
    pub(in crate::workspace) fn take(disk: &Disk, app: &Path) -> Result<Self> {
        let directory = app.join(DIRECTORY);
        let path = directory.join("busy");
        loop {
            check_directory(&directory)?;
            disk.ensure_dir(&directory)?;
            let Some(file) = open(disk, &path)? else { continue };
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(in_use(app)),
                // Some network file systems have no locks; there, the checks before each step are what is left.
                Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
                    return Err(Failure::new("cannot lock", &path, error).into());
                }
                _ => {}
            }
            if is_current(&path, &file) {
                return Ok(Self { disk: disk.clone(), directory, file: Some(file) });
            }
        }
    }
}

/// Whether the file still has its name: whoever had the right before has removed it, unless they did so later.
#[cfg(unix)]
fn is_current(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (path.symlink_metadata(), file.metadata()) {
        (Ok(named), Ok(held)) => (named.dev(), named.ino()) == (held.dev(), held.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_current(_path: &Path, _file: &File) -> bool {
    true
}

impl Drop for Busy {
    /// Leaves no trace, nor an empty directory that was made only for the file. Windows cannot remove what is open and
    /// tell two files of one name apart, so there the file stays.
    fn drop(&mut self) {
        if cfg!(unix) {
            drop(self.disk.remove_file(&self.directory.join("busy")));
        }
        // Closing it would do, but for a child process that was started just now and has not closed its copy yet.
        self.file.take().map(|file| file.unlock());
        if cfg!(unix) {
            drop(self.disk.remove_dir(&self.directory));
        }
    }
}

/// None where the directory has just been removed by somebody who is done.
fn open(disk: &Disk, path: &Path) -> Result<Option<File>> {
    const ACTION: &str = "cannot lock";
    disk.step(ACTION, path)?;
    if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(not_ours(path));
    }
    match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        file => Ok(Some(file.map_err(|error| Failure::new(ACTION, path, error))?)),
    }
}

/// Checks that a directory of create-app's is one, or is missing: a link would lead elsewhere.
pub(super) fn check_directory(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_dir() => Err(not_ours(path)),
        _ => Ok(()),
    }
}

fn not_ours(path: &Path) -> crate::diagnostic::Diagnostics {
    let title = format!("`{}` is not what create-app made it", path.display());
    Diagnostic::error(Code::Interrupted, title).help("remove it, then run the command again").into()
}

fn in_use(app: &Path) -> crate::diagnostic::Diagnostics {
    let title = format!("another create-app is changing `{}`", app.display());
    Diagnostic::error(Code::Busy, title).help("wait until it is done, then run the command again").into()
}
