//! The few ways in which the disk is changed. Everything that this module's siblings do to it goes through [`Disk`], so
//! that tests can stop the process, as it were, before any single step.
//!
//! Every way works on a [`Spot`]: a name in a directory that is open already, so that no link can lead a step elsewhere.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::sync::{self, Synced};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::parallel;
use crate::rooted::{self, Access, Kind, Reader, Root, Spot};
use crate::tree::Mode;

/// A step that the operating system refused.
#[derive(Debug, thiserror::Error)]
#[error("{action} `{}`: {error}", path.display())]
pub(super) struct Failure {
    /// The failed action, such as "cannot write".
    pub(super) action: &'static str,
    /// On which path.
    pub(super) path: PathBuf,
    /// The operating system's error.
    pub(super) error: io::Error,
}

impl Failure {
    pub(super) fn new(action: &'static str, path: &Path, error: impl Into<io::Error>) -> Self {
        Self { action, path: path.to_path_buf(), error: error.into() }
    }

    pub(super) fn kind(&self) -> ErrorKind {
        self.error.kind()
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
    pub(super) spot: Spot,
    /// The file's content, or the link's target.
    pub(super) bytes: &'a [u8],
    /// Which of them, and whether the file is executable.
    pub(super) mode: Mode,
    /// The file's permissions, where they are not the usual ones: as Unix knows them.
    pub(super) permissions: Option<u32>,
}

/// A file or link of a whole tree to make.
pub(super) type Leaf<'a> = (String, &'a [u8], Mode);

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

    /// Takes a step, and tries it again where it was interrupted or somebody else is in the way for a moment.
    fn act<T>(&self, action: &'static str, path: &Path, step: impl Fn() -> io::Result<T>) -> Result<T> {
        self.step(action, path)?;
        patiently(step).map_err(|error| Failure::new(action, path, error))
    }

    /// Makes one directory.
    pub(super) fn create_dir(&self, spot: &Spot, access: Access) -> Result<()> {
        self.act("cannot create the directory", spot.path(), || spot.create_directory(access))
    }

    /// Makes one directory where none is.
    pub(super) fn ensure_dir(&self, spot: &Spot, access: Access) -> Result<()> {
        match self.create_dir(spot, access) {
            Err(failure)
                if failure.kind() == ErrorKind::AlreadyExists
                    && spot.kind().is_ok_and(|kind| kind == Some(Kind::Directory)) =>
            {
                Ok(())
            }
            result => result,
        }
    }

    /// Makes a directory whose name starts with `prefix` and is not taken, with the user's umask.
    pub(super) fn temporary_dir(&self, parent: &Root, prefix: &str) -> Result<Spot> {
        const ACTION: &str = "cannot create a directory in";
        const TRIES: usize = 100;
        self.step(ACTION, parent.path())?;
        let mut last = ErrorKind::AlreadyExists.into();
        for _ in 0..TRIES {
            let spot = parent.spot(OsString::from(format!("{prefix}{}", random_name())));
            match patiently(|| spot.create_directory(Access::Usual)) {
                Ok(()) => return Ok(spot),
                Err(error) => last = error,
            }
            if last.kind() != ErrorKind::AlreadyExists {
                break;
            }
        }
        Err(Failure::new(ACTION, parent.path(), last))
    }

    /// Removes directories, given outermost first, as far as they are empty.
    pub(super) fn remove_dirs(&self, spots: &[Spot]) {
        for spot in spots.iter().rev() {
            if self.remove_dir(spot).is_err() {
                return;
            }
        }
    }

    /// Makes a file or a link where nothing is: an existing one, also a link that leads elsewhere, is an error. A
    /// file gets the user's umask.
    pub(super) fn create(&self, item: &Item<'_>) -> Result<()> {
        const ACTION: &str = "cannot write";
        let path = item.spot.path();
        self.step_or(ACTION, path, || drop(create(item, item.bytes.len() / 2)))?;
        create(item, item.bytes.len()).map_err(|error| Failure::new(ACTION, path, error))
    }

    /// Makes a file for the user alone, where nothing is.
    pub(super) fn create_private(&self, spot: &Spot, bytes: &[u8]) -> Result<()> {
        const ACTION: &str = "cannot write";
        let write = |length: usize| spot.create_file(Access::Private)?.write_all(&bytes[..length]);
        self.step_or(ACTION, spot.path(), || drop(write(bytes.len() / 2)))?;
        write(bytes.len()).map_err(|error| Failure::new(ACTION, spot.path(), error))
    }

    /// Makes many files, several at a time where that pays.
    pub(super) fn create_all(&self, items: &[Item<'_>]) -> Result<()> {
        if items.len() < PARALLEL {
            return items.iter().try_for_each(|item| self.create(item));
        }
        parallel::map(items.iter().collect(), 1, || (), |(), item| self.create(item))
    }

    /// Makes a whole tree in an empty directory that nobody else knows: paths are given in order.
    pub(super) fn create_tree(&self, root: &Root, leaves: &[Leaf<'_>]) -> Result<()> {
        let mut reader = Reader::new(root);
        for directory in directories(leaves.iter().map(|(path, ..)| path.as_str())) {
            let spot = spot(&mut reader, root, directory)?;
            self.create_dir(&spot, Access::Usual)?;
        }
        let create = |reader: &mut Reader<'_>, (path, bytes, mode): &Leaf<'_>| {
            self.create(&Item { spot: spot(reader, root, path)?, bytes, mode: *mode, permissions: None })
        };
        if leaves.len() < PARALLEL {
            return leaves.iter().try_for_each(|leaf| create(&mut reader, leaf));
        }
        parallel::map(leaves.iter().collect(), 1, || Reader::new(root), create)
    }

    /// Makes sure that the content of files, and the names in directories, survive a power cut.
    pub(super) fn sync(&self, what: &[Synced]) -> Result<()> {
        what.iter().try_for_each(|one| self.step("sync", one.path()))?;
        sync::all(what).map_err(|(path, error)| Failure::new("cannot write", &path, error))
    }

    /// Gives a file or directory another name; a file replaces the one that has it.
    pub(super) fn rename(&self, from: &Spot, to: &Spot) -> Result<()> {
        self.act("cannot write", to.path(), || from.rename(to))
    }

    /// Gives a file or directory another name, which nothing has.
    pub(super) fn rename_new(&self, from: &Spot, to: &Spot) -> Result<()> {
        self.act("cannot write", to.path(), || from.rename_new(to))
    }

    /// Lets two files change places in one step.
    pub(super) fn exchange(&self, from: &Spot, to: &Spot) -> Result<()> {
        #[cfg(any(test, debug_assertions))]
        if !self.fuse.exchanges() {
            return Err(Failure::new("cannot write", to.path(), ErrorKind::Unsupported));
        }
        self.act("cannot write", to.path(), || from.exchange(to))
    }

    /// Gives a file a second name, or copies it where that cannot be done.
    pub(super) fn link_or_copy(&self, from: &Spot, to: &Spot) -> Result<Kept> {
        self.step("cannot write", to.path())?;
        match from.hard_link(to) {
            Ok(()) => Ok(Kept::Link),
            Err(_) => self.copy(from, to),
        }
    }

    /// Copies a file with its permissions, or a link, to where nothing is.
    pub(super) fn copy(&self, from: &Spot, to: &Spot) -> Result<Kept> {
        let failed = |error: io::Error| Failure::new("cannot copy", from.path(), error);
        self.step("cannot write", to.path())?;
        if from.kind().map_err(failed)? == Some(Kind::Link) {
            let target = from.link().map_err(failed)?;
            to.create_link(&target.to_string_lossy()).map_err(failed)?;
            return Ok(Kept::Link);
        }
        let mut source = from.regular().map_err(|error| failed(error.into()))?.into_file();
        let mut copy = to.create_file(Access::Private).map_err(failed)?;
        io::copy(&mut source, &mut copy).map_err(failed)?;
        copy.set_permissions(source.metadata().map_err(failed)?.permissions()).map_err(failed)?;
        Ok(Kept::Copy)
    }

    /// Removes a file or a link.
    pub(super) fn remove_file(&self, spot: &Spot) -> Result<()> {
        self.act("cannot remove", spot.path(), || spot.remove_file())
    }

    /// Removes an empty directory.
    pub(super) fn remove_dir(&self, spot: &Spot) -> Result<()> {
        self.act("cannot remove the directory", spot.path(), || spot.remove_directory())
    }

    /// Removes a directory with everything in it; that nothing is there is no error.
    pub(super) fn remove_tree(&self, spot: &Spot) -> Result<()> {
        match self.act("cannot remove the directory", spot.path(), || spot.remove_tree()) {
            Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

/// The place of a path in a tree that is being made.
fn spot(reader: &mut Reader<'_>, root: &Root, path: &str) -> Result<Spot> {
    let relative = Path::new(path);
    let found = reader.spot(relative);
    found.map_err(|error: rooted::Failure| Failure::new("cannot write", &root.path().join(relative), error))
}

/// Every directory that these paths need, outer ones first.
fn directories<'p>(paths: impl Iterator<Item = &'p str>) -> BTreeSet<&'p str> {
    paths.flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at])).collect()
}

fn create(item: &Item<'_>, length: usize) -> io::Result<()> {
    if item.mode == Mode::Symlink {
        let target = std::str::from_utf8(item.bytes).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
        return item.spot.create_link(target);
    }
    let access = match item.mode {
        // Nobody sees more of it than of what it replaces.
        _ if item.permissions.is_some() => Access::Private,
        Mode::Executable => Access::Executable,
        Mode::File | Mode::Symlink => Access::Usual,
    };
    let mut file = item.spot.create_file(access)?;
    file.write_all(&item.bytes[..length])?;
    item.permissions.map_or(Ok(()), |permissions| set_permissions(&file, permissions))
}

/// Letters and digits that nobody can know before.
fn random_name() -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = RandomState::new().hash_one(0);
    let letter = |_| {
        let letter = LETTERS[(random % LETTERS.len() as u64) as usize];
        random /= LETTERS.len() as u64;
        char::from(letter)
    };
    (0..10).map(letter).collect()
}

/// A signal can interrupt a step. And Windows refuses to replace or remove what another program, such as a virus scanner,
/// has open; mostly it is done with it in a moment.
fn patiently<T>(step: impl Fn() -> io::Result<T>) -> io::Result<T> {
    const TRIES: u32 = 10;
    /// Access denied, sharing violation, lock violation.
    const IN_USE: [i32; 3] = [5, 32, 33];
    for _ in 1..TRIES {
        match step() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if cfg!(windows) && error.raw_os_error().is_some_and(|code| IN_USE.contains(&code)) => {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            result => return result,
        }
    }
    step()
}

/// The permissions of a file that takes the place of another one: the same, less the executable bits, which it gets or does not get.
///
/// # Errors
///
/// If the other one is not there.
#[cfg(unix)]
pub(super) fn permissions_after(model: &Spot, executable: bool) -> io::Result<Option<u32>> {
    use cap_std::fs::MetadataExt as _;
    let mode = model.metadata()?.mode() & 0o666;
    // Whoever may read it may run it, too.
    Ok(Some(if executable { mode | (mode & 0o444) >> 2 } else { mode }))
}

#[cfg(not(unix))]
pub(super) fn permissions_after(_model: &Spot, _executable: bool) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(unix)]
fn set_permissions(file: &std::fs::File, permissions: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(permissions))
}

#[cfg(not(unix))]
fn set_permissions(_file: &std::fs::File, _permissions: u32) -> io::Result<()> {
    Ok(())
}
