//! One name in an open directory: what is there, and the ways to change it. No link is followed, and nothing but this
//! directory is touched, wherever it is by now.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir, DirBuilder, Metadata, OpenOptions};

use super::failure::{Failure, Kind};
use super::file::Regular;
use super::{Root, kind_of, step};

/// A name in an open directory, whether anything is there or not.
#[derive(Debug, Clone)]
pub struct Spot {
    directory: Arc<Dir>,
    name: OsString,
    path: PathBuf,
}

/// The permissions of new entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As the user's umask says.
    Usual,
    /// As the user's umask says, and executable.
    Executable,
    /// The user alone.
    Private,
}

impl Access {
    #[cfg(unix)]
    fn of_file(self) -> u32 {
        match self {
            Self::Usual => 0o666,
            Self::Executable => 0o777,
            Self::Private => 0o600,
        }
    }

    #[cfg(unix)]
    fn of_directory(self) -> u32 {
        if self == Self::Private { 0o700 } else { 0o777 }
    }
}

impl Spot {
    pub(super) fn new(directory: Arc<Dir>, name: OsString, path: PathBuf) -> Self {
        Self { directory, name, path }
    }

    /// Its path, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name alone.
    #[must_use]
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// Another name in the same directory.
    #[must_use]
    pub fn beside(&self, name: impl Into<OsString>) -> Self {
        let name = name.into();
        Self { directory: Arc::clone(&self.directory), path: self.path.with_file_name(&name), name }
    }

    /// The directory that it is a name in.
    #[must_use]
    pub fn directory(&self) -> Root {
        let path = self.path.parent().unwrap_or(&self.path).to_path_buf();
        Root { dir: Arc::clone(&self.directory), path }
    }

    /// The existing entry, if any.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn kind(&self) -> io::Result<Option<Kind>> {
        kind_of(&self.directory, &self.name)
    }

    /// The metadata of the entry; of a link, not of what it leads to.
    ///
    /// # Errors
    ///
    /// If nothing is there.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.directory.symlink_metadata(&self.name)
    }

    /// Opens the regular file that is there.
    ///
    /// # Errors
    ///
    /// If something else is there, or nothing.
    pub fn regular(&self) -> Result<Regular, Failure> {
        Regular::open(&self.directory, &self.name, Path::new(&self.name))
    }

    /// Opens the file that is there for writing, as it is.
    ///
    /// # Errors
    ///
    /// If a link is there, or nothing.
    pub fn open_for_writing(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).follow(FollowSymlinks::No);
        Ok(self.directory.open_with(&self.name, &options)?.into_std())
    }

    /// The target of the existing link.
    ///
    /// # Errors
    ///
    /// If no link is there.
    pub fn link(&self) -> io::Result<PathBuf> {
        self.directory.read_link_contents(&self.name)
    }

    /// Opens the directory that is there.
    ///
    /// # Errors
    ///
    /// If something else is there, or nothing.
    pub fn open_directory(&self) -> Result<Root, Failure> {
        let dir = step(&self.directory, &self.name, Path::new(&self.name))?.into();
        Ok(Root { dir, path: self.path.clone() })
    }

    /// Makes a file where nothing is, and opens it for writing.
    ///
    /// # Errors
    ///
    /// If something is there already, and if the disk cannot be written.
    pub fn create_file(&self, access: Access) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        set_mode(&mut options, access);
        Ok(self.directory.open_with(&self.name, &options)?.into_std())
    }

    /// Opens a file for reading and writing, and makes it where nothing is. It may turn out to be something else than a
    /// regular file.
    ///
    /// # Errors
    ///
    /// If a link is there, and if the disk cannot be written.
    pub fn open_or_create_file(&self, access: Access) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).follow(FollowSymlinks::No);
        set_mode(&mut options, access);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::custom_flags(&mut options, super::file::NO_WAITING);
        Ok(self.directory.open_with(&self.name, &options)?.into_std())
    }

    /// Makes a link where nothing is.
    ///
    /// # Errors
    ///
    /// If something is there already, and if the disk cannot be written.
    #[cfg(unix)]
    pub fn create_link(&self, target: &str) -> io::Result<()> {
        self.directory.symlink_contents(target, &self.name)
    }

    /// Links need a privilege on Windows; without it, a file holds the target, which is what git makes of a link there.
    ///
    /// # Errors
    ///
    /// If something is there already, and if the disk cannot be written.
    #[cfg(not(unix))]
    pub fn create_link(&self, target: &str) -> io::Result<()> {
        #[cfg(windows)]
        if self.directory.symlink_file(target.replace('/', "\\"), &self.name).is_ok() {
            return Ok(());
        }
        io::Write::write_all(&mut self.create_file(Access::Usual)?, target.as_bytes())
    }

    /// Makes a directory where nothing is.
    ///
    /// # Errors
    ///
    /// If something is there already, and if the disk cannot be written.
    pub fn create_directory(&self, access: Access) -> io::Result<()> {
        #[cfg_attr(not(unix), expect(unused_mut, unused_variables, reason = "only Unix has modes"))]
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        cap_std::fs::DirBuilderExt::mode(&mut builder, access.of_directory());
        self.directory.create_dir_with(&self.name, &builder)
    }

    /// Removes a file or a link.
    ///
    /// # Errors
    ///
    /// If nothing is there, and if the disk cannot be written.
    pub fn remove_file(&self) -> io::Result<()> {
        self.directory.remove_file(&self.name)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// If nothing is there, if it is not empty, and if the disk cannot be written.
    pub fn remove_directory(&self) -> io::Result<()> {
        self.directory.remove_dir(&self.name)
    }

    /// Removes a directory with everything in it.
    ///
    /// # Errors
    ///
    /// If nothing is there, and if the disk cannot be written.
    pub fn remove_tree(&self) -> io::Result<()> {
        self.directory.remove_dir_all(&self.name)
    }

    /// Gives what is here the other name, in place of a file that has it.
    ///
    /// # Errors
    ///
    /// If nothing is here, and if the disk cannot be written.
    pub fn rename(&self, to: &Self) -> io::Result<()> {
        self.directory.rename(&self.name, &to.directory, &to.name)
    }

    /// Gives what is here the other name, which nothing has: [`ErrorKind::AlreadyExists`] where something has it.
    ///
    /// # Errors
    ///
    /// As [`Spot::rename`].
    pub fn rename_new(&self, to: &Self) -> io::Result<()> {
        match self.rename_with(to, Flag::NoReplace) {
            Err(error) if is_unknown(&error) => {}
            result => return result,
        }
        // Where neither can be done in one step, another program could be faster in between.
        match self.hard_link(to) {
            Ok(()) => self.remove_file(),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            Err(_) if to.kind()?.is_some() => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => self.rename(to),
        }
    }

    /// Lets what is here and what is there change places, in one step. [`ErrorKind::Unsupported`] where that cannot be done.
    ///
    /// # Errors
    ///
    /// If nothing is at one of them, and if the disk cannot be written.
    pub fn exchange(&self, with: &Self) -> io::Result<()> {
        self.rename_with(with, Flag::Exchange).map_err(|error| match error {
            error if is_unknown(&error) => ErrorKind::Unsupported.into(),
            error => error,
        })
    }

    /// Gives a file a second name, which nothing has.
    ///
    /// # Errors
    ///
    /// If something is there already, and if there are no second names.
    pub fn hard_link(&self, to: &Self) -> io::Result<()> {
        self.directory.hard_link(&self.name, &to.directory, &to.name)
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn rename_with(&self, to: &Self, flag: Flag) -> io::Result<()> {
        use rustix::fs::RenameFlags;
        let flags = match flag {
            Flag::NoReplace => RenameFlags::NOREPLACE,
            Flag::Exchange => RenameFlags::EXCHANGE,
        };
        Ok(rustix::fs::renameat_with(&*self.directory, &self.name, &*to.directory, &to.name, flags)?)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    fn rename_with(&self, _to: &Self, _flag: Flag) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// What a renaming promises beyond a plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flag {
    NoReplace,
    Exchange,
}

/// Whether the system, or this file system, does not know the call or its flag.
fn is_unknown(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput)
}

#[cfg(unix)]
fn set_mode(options: &mut OpenOptions, access: Access) {
    cap_std::fs::OpenOptionsExt::mode(options, access.of_file());
}

#[cfg(not(unix))]
fn set_mode(_options: &mut OpenOptions, _access: Access) {}
