//! \[edge\] Files below a directory, reached without following a link: a checkout or a template cannot lead out of it.
//!
//! A [`Root`] is an open directory. Every path below it is walked component by component, each opened relative to the one
//! before with no link followed, so that what is checked is what is used, whoever renames or replaces something in the
//! meantime. A file is opened once, checked by its handle to be a regular one, and read up to a limit: a pipe does not
//! hang, and a device is not read.

mod failure;
mod file;
mod reader;
mod spot;
#[cfg(test)]
mod tests;
mod ways;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_fs_ext::DirExt as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::diagnostic::Diagnostic;

pub use failure::{Failure, Kind};
pub use file::{Regular, read_named};
#[cfg(test)]
pub(crate) use file::{is_executable, read_regular};
pub use reader::Reader;
pub use spot::{Access, Spot};
pub use ways::Ways;

/// An open directory, and its path for messages.
#[derive(Debug, Clone)]
pub struct Root {
    dir: Arc<Dir>,
    path: PathBuf,
}

impl Root {
    /// Opens the directory at a path that is trusted, such as one that the user typed: links on the way are followed.
    ///
    /// # Errors
    ///
    /// If there is no directory, or if it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?.into();
        Ok(Self { dir, path: path.to_path_buf() })
    }

    /// The same; `None` if there is no directory.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open_if_there(path: &Path) -> Result<Option<Self>, Diagnostic> {
        match Self::open(path) {
            Ok(root) => Ok(Some(root)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Diagnostic::io("cannot read", path, &error)),
        }
    }

    /// The path that was opened, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The handle. Whoever gives it a path of more than one component, or of somebody else's making, has the links on the
    /// way followed: ask for [`Root::parent`] first.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The directory at a relative path, which may be empty.
    ///
    /// # Errors
    ///
    /// If a component is missing, a link, not a directory, or `..`.
    pub fn descend(&self, relative: impl AsRef<Path>) -> Result<Self, Failure> {
        let relative = relative.as_ref();
        let mut directory = Arc::clone(&self.dir);
        let mut so_far = PathBuf::new();
        for name in names(relative)? {
            so_far.push(name);
            directory = step(&directory, name, &so_far)?.into();
        }
        Ok(Self { dir: directory, path: self.path.join(relative) })
    }

    /// The directory that holds a relative path, and the path's last name.
    ///
    /// # Errors
    ///
    /// If the path is empty, and as [`Root::descend`].
    pub fn parent(&self, relative: impl AsRef<Path>) -> Result<(Self, OsString), Failure> {
        let relative = relative.as_ref();
        let name = names(relative)?.pop().ok_or_else(outside)?.to_owned();
        Ok((self.descend(relative.parent().unwrap_or(Path::new("")))?, name))
    }

    /// Opens the regular file at a relative path.
    ///
    /// # Errors
    ///
    /// If something else is there, or a link on the way.
    pub fn regular(&self, relative: impl AsRef<Path>) -> Result<Regular, Failure> {
        Reader::new(self).regular(relative.as_ref())
    }

    /// The bytes of the regular file at a relative path; `limit` is the most that it may have.
    ///
    /// # Errors
    ///
    /// As [`Root::regular`], and if it has more.
    pub fn read(&self, relative: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, Failure> {
        self.regular(relative)?.read(limit)
    }

    /// The entry at a relative path, or nothing if the path or a directory on the way is missing.
    ///
    /// # Errors
    ///
    /// If a link is on the way, and if the disk fails.
    pub fn kind(&self, relative: impl AsRef<Path>) -> Result<Option<Kind>, Failure> {
        Reader::new(self).kind(relative.as_ref())
    }

    /// One name in this directory.
    #[must_use]
    pub fn spot(&self, name: impl Into<OsString>) -> Spot {
        let name = name.into();
        Spot::new(Arc::clone(&self.dir), name.clone(), self.path.join(name))
    }

    /// The metadata of this directory itself.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.dir.try_clone()?.into_std_file().metadata()
    }

    /// The directory as a file that can be synced: the handle that leads to names need not be one.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    #[cfg(unix)]
    pub fn readable(&self) -> io::Result<std::fs::File> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(std::fs::File::from(rustix::fs::openat(&*self.dir, ".", flags, Mode::empty())?))
    }

    /// The directory as a file: elsewhere the handle is one.
    ///
    /// # Errors
    ///
    /// If there are too many files open.
    #[cfg(not(unix))]
    pub fn readable(&self) -> io::Result<std::fs::File> {
        Ok(self.dir.try_clone()?.into_std_file())
    }

    /// The names in this directory, sorted, each with what it is.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub fn entries(&self) -> io::Result<Vec<(OsString, Kind)>> {
        entries(&self.dir)
    }
}

fn entries(directory: &Dir) -> io::Result<Vec<(OsString, Kind)>> {
    let entry = |entry: io::Result<cap_std::fs::DirEntry>| {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), Kind::of(entry.file_type()?));
        // Some file systems do not say the type together with the name.
        let kind = if kind == Kind::Other { kind_of(directory, &name)?.unwrap_or(kind) } else { kind };
        Ok((name, kind))
    };
    let mut found: Vec<_> = directory.entries()?.map(entry).collect::<io::Result<_>>()?;
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

/// Opens the directory `name` in `directory`; `path` is its whole path below the root.
fn step(directory: &Dir, name: &OsStr, path: &Path) -> Result<Dir, Failure> {
    directory.open_dir_nofollow(name).map_err(|error| match kind_behind(&error, directory, name) {
        Ok(Some(Kind::Link)) => Failure::Link(path.to_path_buf()),
        Ok(Some(kind)) if kind != Kind::Directory => Failure::NotADirectory(path.to_path_buf(), kind),
        _ => Failure::Io(error),
    })
}

/// What is called `name` in a directory and could not be opened; `None` if the error says so.
fn kind_behind(error: &io::Error, directory: &Dir, name: &OsStr) -> io::Result<Option<Kind>> {
    if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { kind_of(directory, name) }
}

/// The entry `name` in a directory; no link is followed.
fn kind_of(directory: &Dir, name: &OsStr) -> io::Result<Option<Kind>> {
    Ok(stat(directory, name)?.map(|(kind, _)| kind))
}

/// The same, with its length in bytes.
fn stat(directory: &Dir, name: &OsStr) -> io::Result<Option<(Kind, u64)>> {
    match directory.symlink_metadata(name) {
        Ok(metadata) => Ok(Some((Kind::of(metadata.file_type()), metadata.len()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The components of a relative path: names alone.
fn names(path: &Path) -> Result<Vec<&OsStr>, Failure> {
    let name = |component| match component {
        Component::Normal(name) => Ok(name),
        _ => Err(outside()),
    };
    path.components().map(name).collect()
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Io(error) => error,
            Failure::NotADirectory(..) => Self::new(io::ErrorKind::NotADirectory, failure.to_string()),
            other => Self::other(other.to_string()),
        }
    }
}

fn outside() -> Failure {
    Failure::Io(io::Error::new(io::ErrorKind::InvalidInput, "the path is not below this directory"))
}
