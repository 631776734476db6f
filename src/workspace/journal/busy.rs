//! One run at a time in one project.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use super::home::{Address, Home};
use super::mark::Mark;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::rooted::{Access, Failure as Unreached, Kind, Root, Spot};
use crate::workspace::disk::{Disk, Failure};
use crate::workspace::site::Site;

/// The right to change a project. The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(in crate::workspace) struct Busy {
    disk: Disk,
    home: Home,
    /// Some, until it is given back.
    file: Option<File>,
}

impl Busy {
    /// Takes it for the project at `site`, whose directory this is, or says that somebody else has it.
    pub(in crate::workspace) fn take(disk: &Disk, site: &Site, directory: &Root) -> Result<Self> {
        let metadata = directory.metadata();
        let metadata = metadata.map_err(|error| Diagnostic::io("cannot read", directory.path(), &error))?;
        let address = Address::of(site, Mark::of_directory(&metadata))?;
        loop {
            if let Some(busy) = Self::try_take(disk, site, address.make(disk)?)? {
                return Ok(busy);
            }
        }
    }

    /// The same in a directory that is there; `None` if somebody who is done has just removed it.
    pub(super) fn try_take(disk: &Disk, site: &Site, home: Home) -> Result<Option<Self>> {
        let spot = home.lock();
        let Some(file) = open(disk, &spot)? else { return Ok(None) };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(in_use(&site.app)),
            // Some network file systems have no locks; there, the checks before each step are what is left.
            Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
                return Err(Failure::new("cannot lock", spot.path(), error).into());
            }
            _ => {}
        }
        Ok(is_current(&spot, &file).then(|| Self { disk: disk.clone(), home, file: Some(file) }))
    }

    /// Where the journal is, or will be.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }
}

/// Whether somebody has the right to change a project at this moment. That changes nothing.
pub(super) fn is_taken(home: &Home) -> bool {
    let Ok(file) = home.lock().regular() else { return false };
    matches!(file.into_file().try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Whether the file still has its name: whoever had the right before has removed it, unless they did so later.
#[cfg(unix)]
fn is_current(spot: &Spot, file: &File) -> bool {
    use cap_std::fs::MetadataExt as _;
    use std::os::unix::fs::MetadataExt as _;
    match (spot.metadata(), file.metadata()) {
        (Ok(named), Ok(held)) => (named.dev(), named.ino()) == (held.dev(), held.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_current(_spot: &Spot, _file: &File) -> bool {
    true
}

impl Drop for Busy {
    /// Leaves no trace, nor a directory that was made only for the file. Windows cannot remove what is open and tell two
    /// files of one name apart, so there the file stays.
    fn drop(&mut self) {
        if cfg!(unix) {
            drop(self.disk.remove_file(&self.home.lock()));
        }
        // Closing it would do, but for a child process that was started just now and has not closed its copy yet.
        self.file.take().map(|file| file.unlock());
        if cfg!(unix) {
            self.home.leave(&self.disk);
        }
    }
}

/// None where the directory has just been removed by somebody who is done.
fn open(disk: &Disk, spot: &Spot) -> Result<Option<File>> {
    const ACTION: &str = "cannot lock";
    disk.step(ACTION, spot.path())?;
    let refused = |kind| Unreached::NotRegular(kind).diagnostic(ACTION, spot.path());
    if let Ok(Some(kind)) = spot.kind()
        && kind != Kind::File
    {
        return Err(refused(kind).into());
    }
    match spot.open_or_create_file(Access::Private) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        file => Ok(Some(file.map_err(|error| Failure::new(ACTION, spot.path(), error))?)),
    }
}

pub(super) fn in_use(app: &Path) -> Diagnostics {
    let title = format!("another create-app is changing `{}`", app.display());
    Diagnostic::error(Code::Busy, title).help("wait until it is done, then run the command again").into()
}
