//! The few ways in which the disk is changed. Everything that this module's siblings do to it goes through [`Disk`], so
//! that tests can stop the process, as it were, before any single step.

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::sync;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::tree::Mode;

/// A step that the operating system refused.
#[derive(Debug, thiserror::Error)]
#[error("{action} `{}`: {error}", path.display())]
pub(super) struct Failure {
    /// What was tried, such as "cannot write".
    pub(super) action: &'static str,
    /// On which path.
    pub(super) path: PathBuf,
    /// What the operating system said.
    pub(super) error: io::Error,
}

impl Failure {
    pub(super) fn new(action: &'static str, path: &Path, error: io::Error) -> Self {
        Self { action, path: path.to_path_buf(), error }
    }
}

impl From<Failure> for Diagnostics {
    fn from(failure: Failure) -> Self {
        Diagnostic::io(failure.action, &failure.path, &failure.error).into()
    }
}

pub(super) type Result<T> = std::result::Result<T, Failure>;

/// A file or link to make.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// Where.
    pub(super) path: PathBuf,
    /// The file's content, or the link's target.
    pub(super) bytes: &'a [u8],
    /// Which of them, and whether the file is executable.
    pub(super) mode: Mode,
}

/// How a file was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// As what it is: there is nothing new to sync but the name.
    Link,
    /// As other bytes on the disk.
    Copy,
}

/// From so many files on, starting threads costs nothing in comparison. What they gain depends on the disk: nothing in memory
/// with two cores, much where every new file is scanned.
const PARALLEL: usize = 1000;

/// Changes the disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    #[cfg(any(test, debug_assertions))]
    pub(super) fuse: std::sync::Arc<super::fuse::Fuse>,
}

impl Disk {
    /// In tests, fails when the process is to be dead by now.
    pub(super) fn step(&self, action: &'static str, path: &Path) -> Result<()> {
        self.step_or(action, path, || {})
    }

    /// The same for a step that can be cut in half, which leaves `torn`.
    #[cfg(any(test, debug_assertions))]
    fn step_or(&self, action: &'static str, path: &Path, torn: impl Fn()) -> Result<()> {
        self.fuse.step(action, path, torn).map_err(|error| Failure::new(action, path, error))
    }

    #[cfg(not(any(test, debug_assertions)))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "only tests have a fuse")]
    fn step_or(&self, _action: &'static str, _path: &Path, _torn: impl Fn()) -> Result<()> {
        Ok(())
    }

    /// Makes one directory, with the user's umask.
    pub(super) fn create_dir(&self, path: &Path) -> Result<()> {
        const ACTION: &str = "cannot create the directory";
        self.step(ACTION, path)?;
        std::fs::create_dir(path).map_err(|error| Failure::new(ACTION, path, error))
    }

    /// Makes one directory where none is.
    pub(super) fn ensure_dir(&self, path: &Path) -> Result<()> {
        match self.create_dir(path) {
            Err(failure) if failure.error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        }
    }

    /// Makes a directory whose name starts with `prefix` and is no other's, with the user's umask.
    pub(super) fn temporary_dir(&self, parent: &Path, prefix: &str) -> Result<PathBuf> {
        const ACTION: &str = "cannot create a directory in";
        self.step(ACTION, parent)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let made = builder.tempdir_in(parent).map_err(|error| Failure::new(ACTION, parent, error))?;
        Ok(made.keep())
    }

    /// Makes `path` and the directories above it that are missing; returns those that it made, outermost first.
    pub(super) fn create_dirs(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let missing: Vec<&Path> = path.ancestors().take_while(|path| path.symlink_metadata().is_err()).collect();
        let mut made = Vec::new();
        for directory in missing.into_iter().rev().filter(|directory| !directory.as_os_str().is_empty()) {
            match self.create_dir(directory) {
                Ok(()) => made.push(directory.to_path_buf()),
                Err(failure) if failure.error.kind() == ErrorKind::AlreadyExists => {}
                Err(failure) => {
                    self.remove_dirs(&made);
                    return Err(failure);
                }
            }
        }
        Ok(made)
    }

    /// Removes directories, given outermost first, as far as they are empty.
    pub(super) fn remove_dirs(&self, paths: &[PathBuf]) {
        for path in paths.iter().rev() {
            if self.remove_dir(path).is_err() {
                return;
            }
        }
    }

    /// Makes a file or a link where nothing stands: an existing one, also a link that leads elsewhere, is an error. A
    /// file gets the user's umask.
    pub(super) fn create(&self, item: &Item<'_>) -> Result<()> {
        const ACTION: &str = "cannot write";
        self.step_or(ACTION, &item.path, || drop(create(item, item.bytes.len() / 2)))?;
        create(item, item.bytes.len()).map_err(|error| Failure::new(ACTION, &item.path, error))
    }

    /// Makes many files, several at a time where that pays.
    pub(super) fn create_all(&self, items: &[Item<'_>]) -> Result<()> {
        if items.len() < PARALLEL {
            return items.iter().try_for_each(|item| self.create(item));
        }
        items.par_iter().try_for_each(|item| self.create(item))
    }

    /// Makes sure that the content of files, and the names in directories, survive a power cut.
    pub(super) fn sync(&self, paths: &[&Path]) -> Result<()> {
        paths.iter().try_for_each(|path| self.step("sync", path))?;
        sync::all(paths).map_err(|(path, error)| Failure::new("cannot write", path, error))
    }

    /// Moves a file or directory; a file replaces the one at `to`.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        const ACTION: &str = "cannot write";
        self.step(ACTION, to)?;
        patiently(|| std::fs::rename(from, to)).map_err(|error| Failure::new(ACTION, to, error))
    }

    /// Moves a file or link to where another one may stand, also from another file system: by way of `beside`, a name in
    /// the directory of `to` that nobody else uses. It is done when nothing stands at `from` nor `beside` any more.
    pub(super) fn replace(&self, from: &Path, to: &Path, beside: &Path) -> Result<()> {
        match self.rename(from, to) {
            Err(failure) if failure.error.kind() == ErrorKind::CrossesDevices => {}
            result => return result,
        }
        self.copy_over(from, beside)?;
        self.remove_file(from)?;
        self.rename(beside, to)
    }

    /// The same, but what stands at `from` may stay.
    pub(super) fn restore(&self, from: &Path, to: &Path, beside: &Path) -> Result<()> {
        match self.rename(from, to) {
            Err(failure) if failure.error.kind() == ErrorKind::CrossesDevices => {}
            result => return result,
        }
        self.copy_over(from, beside)?;
        self.rename(beside, to)
    }

    /// Copies a file or link, and makes sure that the copy survives a power cut.
    fn copy_over(&self, from: &Path, to: &Path) -> Result<()> {
        if to.symlink_metadata().is_ok() {
            self.remove_file(to)?;
        }
        if self.copy(from, to)? == Kept::Copy { self.sync(&[to]) } else { Ok(()) }
    }

    /// Gives a file a second name, or copies it where that cannot be done.
    pub(super) fn link_or_copy(&self, from: &Path, to: &Path) -> Result<Kept> {
        self.step("cannot write", to)?;
        // A second name for a link may end up as one for what it leads to.
        if !from.is_symlink() && std::fs::hard_link(from, to).is_ok() {
            return Ok(Kept::Link);
        }
        self.copy(from, to)
    }

    /// Copies a file with its permissions, or a link, to where nothing stands.
    fn copy(&self, from: &Path, to: &Path) -> Result<Kept> {
        self.step("cannot write", to)?;
        let failed = |error| Failure::new("cannot copy", from, error);
        if from.is_symlink() {
            let target = std::fs::read_link(from).map_err(failed)?;
            symlink(&target.to_string_lossy(), to).map_err(failed)?;
            return Ok(Kept::Link);
        }
        std::fs::copy(from, to).map_err(failed)?;
        Ok(Kept::Copy)
    }

    /// Gives a file the permissions of another one, less the executable bits, which it gets or does not get.
    pub(super) fn copy_permissions(&self, from: &Path, to: &Path, executable: bool) -> Result<()> {
        const ACTION: &str = "cannot set the permissions of";
        self.step(ACTION, to)?;
        copy_permissions(from, to, executable).map_err(|error| Failure::new(ACTION, to, error))
    }

    /// Removes a file or a link.
    pub(super) fn remove_file(&self, path: &Path) -> Result<()> {
        const ACTION: &str = "cannot remove";
        self.step(ACTION, path)?;
        patiently(|| std::fs::remove_file(path)).map_err(|error| Failure::new(ACTION, path, error))
    }

    /// Removes an empty directory.
    pub(super) fn remove_dir(&self, path: &Path) -> Result<()> {
        const ACTION: &str = "cannot remove the directory";
        self.step(ACTION, path)?;
        std::fs::remove_dir(path).map_err(|error| Failure::new(ACTION, path, error))
    }

    /// Removes a directory with everything in it; that nothing is there is no error.
    pub(super) fn remove_tree(&self, path: &Path) -> Result<()> {
        const ACTION: &str = "cannot remove the directory";
        self.step(ACTION, path)?;
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::new(ACTION, path, error)),
            _ => Ok(()),
        }
    }
}

fn create(item: &Item<'_>, length: usize) -> io::Result<()> {
    if item.mode == Mode::Symlink {
        let target = std::str::from_utf8(item.bytes).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
        return symlink(target, &item.path);
    }
    create_file(&item.path, item.mode == Mode::Executable)?.write_all(&item.bytes[..length])
}

/// Windows refuses to replace or remove what another program, such as a virus scanner, has open; mostly it is done with
/// it in a moment.
fn patiently(step: impl Fn() -> io::Result<()>) -> io::Result<()> {
    const TRIES: u32 = 10;
    /// Access denied, sharing violation, lock violation.
    const IN_USE: [i32; 3] = [5, 32, 33];
    for _ in 1..TRIES {
        match step() {
            Err(error) if cfg!(windows) && error.raw_os_error().is_some_and(|code| IN_USE.contains(&code)) => {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            result => return result,
        }
    }
    step()
}

#[cfg(unix)]
fn copy_permissions(from: &Path, to: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = from.metadata()?.permissions().mode() & 0o666;
    // Whoever may read it may run it, too.
    let mode = if executable { mode | (mode & 0o444) >> 2 } else { mode };
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn copy_permissions(_from: &Path, _to: &Path, _executable: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn create_file(path: &Path, executable: bool) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mode = if executable { 0o777 } else { 0o666 };
    std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(not(unix))]
fn create_file(path: &Path, _executable: bool) -> io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn symlink(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Links need a privilege on Windows; without it, a file holds the target, which is what git makes of a link there.
#[cfg(not(unix))]
fn symlink(target: &str, path: &Path) -> io::Result<()> {
    #[cfg(windows)]
    if std::os::windows::fs::symlink_file(target.replace('/', "\\"), path).is_ok() {
        return Ok(());
    }
    create_file(path, false)?.write_all(target.as_bytes())
}
