//! A regular file: opened without waiting, checked by its handle, read up to a limit.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir, OpenOptions};

use super::failure::{Failure, Kind};
use super::kind_behind;

/// A regular file that is open for reading.
#[derive(Debug)]
pub struct Regular {
    file: File,
    metadata: Metadata,
}

impl Regular {
    /// Opens `name` in a directory; `path` is its whole path below the root.
    pub(super) fn open(directory: &Dir, name: &OsStr, path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        // Opening a pipe must not wait for a writer, nor make a terminal the process's own.
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::custom_flags(&mut options, NO_WAITING);
        let opened = directory.open_with(name, &options);
        let file = opened.map_err(|error| match kind_behind(&error, directory, name) {
            Ok(Some(Kind::Link)) => Failure::Link(path.to_path_buf()),
            Ok(Some(kind)) if kind != Kind::File => Failure::NotRegular(kind),
            _ => Failure::Io(error),
        })?;
        match Self::checked(file.into_std()) {
            // On some systems, what is opened is the link itself.
            Err(Failure::NotRegular(Kind::Link)) => Err(Failure::Link(path.to_path_buf())),
            checked => checked,
        }
    }

    fn checked(file: File) -> Result<Self, Failure> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Failure::NotRegular(kind(&file)?));
        }
        Ok(Self { metadata, file })
    }

    /// Its length in bytes when it was opened.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.metadata.len()
    }

    /// Its metadata when it was opened.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whether its owner may execute it.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        is_executable(&self.metadata)
    }

    /// All its bytes; `limit` is the most that it may have.
    ///
    /// # Errors
    ///
    /// If it has more, and where reading fails.
    pub fn read(self, limit: u64) -> Result<Vec<u8>, Failure> {
        if self.length() > limit {
            return Err(Failure::TooLarge(limit));
        }
        bounded(self.file, self.metadata.len(), limit)
    }

    /// The file itself, to be read in pieces.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }
}

/// The bytes of one file that the user named, which must be a regular one; links to it are the user's own.
///
/// # Errors
///
/// If it is something else, if it has more bytes than `limit`, and where reading fails.
pub fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    Regular::checked(open_ambient(path)?)?.read(limit)
}

/// As [`read_regular`]; what a shell's process substitution or redirection names may be a pipe as well.
///
/// # Errors
///
/// As [`read_regular`].
pub fn read_named(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    if !is_own_descriptor(path) {
        return read_regular(path, limit);
    }
    let file = File::open(path)?;
    match kind(&file)? {
        kind @ (Kind::Directory | Kind::Link) => Err(Failure::NotRegular(kind)),
        _ => bounded(file, 0, limit),
    }
}

fn kind(file: &File) -> io::Result<Kind> {
    Ok(Kind::of(cap_std::fs::Metadata::from_file(file)?.file_type()))
}

/// Whether a path names something that this process has open already: the user, or a shell, gave it.
fn is_own_descriptor(path: &Path) -> bool {
    let number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let below = |prefix| path.strip_prefix(prefix).ok().and_then(Path::to_str).is_some_and(number);
    cfg!(unix) && (path == Path::new("/dev/stdin") || below("/dev/fd") || below("/proc/self/fd"))
}

fn bounded(file: File, expected: u64, limit: u64) -> Result<Vec<u8>, Failure> {
    // One byte more tells that there is more, and saves another call at the end of the file.
    let mut bytes = Vec::with_capacity(usize::try_from(expected.min(limit)).unwrap_or_default() + 1);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(Failure::TooLarge(limit)) } else { Ok(bytes) }
}

#[cfg(unix)]
pub(super) const NO_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.union(rustix::fs::OFlags::NOCTTY).bits() as i32;

#[cfg(unix)]
fn open_ambient(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().read(true).custom_flags(NO_WAITING).open(path)
}

#[cfg(not(unix))]
fn open_ambient(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether the owner may execute the file; never so where files have no such bit.
#[cfg(unix)]
pub(crate) fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

/// Whether the owner may execute the file; never so where files have no such bit.
#[cfg(not(unix))]
pub(crate) fn is_executable(_: &Metadata) -> bool {
    false
}
