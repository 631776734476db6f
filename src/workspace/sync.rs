//! What was written survives a power cut from here on.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::rooted::{Root, Spot};

/// What is to survive.
#[derive(Debug, Clone)]
pub(super) enum Synced {
    /// The content of a regular file.
    File(Spot),
    /// The names in a directory.
    Directory(Root),
}

impl Synced {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::File(spot) => spot.path(),
            Self::Directory(root) => root.path(),
        }
    }

    fn open(&self) -> io::Result<File> {
        match self {
            // Windows syncs only what is open for writing.
            Self::File(spot) if cfg!(windows) => spot.open_for_writing(),
            Self::File(spot) => Ok(spot.regular()?.into_file()),
            Self::Directory(root) => root.readable(),
        }
    }
}

/// The failure and its reason.
pub(super) type Failed = (PathBuf, io::Error);

/// From so many paths on, one call for the whole file system is faster than one for each, although it waits for what other
/// programs have written there, too.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MANY: usize = 5;

/// The disk takes several of these requests at a time, and the file system answers them together.
const THREADS: usize = 8;

/// Syncs the content of files and the names in directories.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn all(what: &[Synced]) -> Result<(), Failed> {
    let mut by_disk: std::collections::BTreeMap<u64, Vec<&Synced>> = std::collections::BTreeMap::new();
    for one in what {
        let device = device(one).map_err(|error| (one.path().to_path_buf(), error))?;
        by_disk.entry(device).or_default().push(one);
    }
    by_disk.values().try_for_each(|some| match some.first() {
        Some(first) if some.len() >= MANY && file_system(first).is_ok() => Ok(()),
        _ => each(some),
    })
}

/// Syncs the content of files and the names in directories.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn all(what: &[Synced]) -> Result<(), Failed> {
    each(&what.iter().collect::<Vec<_>>())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn device(one: &Synced) -> io::Result<u64> {
    use cap_std::fs::MetadataExt as _;
    match one {
        Synced::File(spot) => Ok(spot.metadata()?.dev()),
        Synced::Directory(root) => Ok(root.dir().dir_metadata()?.dev()),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn file_system(one: &Synced) -> io::Result<()> {
    Ok(rustix::fs::syncfs(one.open()?)?)
}

/// A disk takes longer than this to write what it is asked for.
const WORTH_WAITING: Duration = Duration::from_micros(50);

fn each(what: &[&Synced]) -> Result<(), Failed> {
    let some = |some: &[&Synced]| {
        some.iter().try_for_each(|one| self::one(one).map_err(|error| (one.path().to_path_buf(), error)))
    };
    let Some((first, rest)) = what.split_first() else { return Ok(()) };
    let start = Instant::now();
    some(&[first])?;
    // A file system in memory answers at once: threads would take longer than what they share.
    if rest.len() < 2 || start.elapsed() < WORTH_WAITING {
        return some(rest);
    }
    std::thread::scope(|scope| {
        let mut outcome = Ok(());
        let mut threads = Vec::new();
        for chunk in rest.chunks(rest.len().div_ceil(THREADS)) {
            match std::thread::Builder::new().spawn_scoped(scope, move || some(chunk)) {
                Ok(thread) => threads.push(thread),
                // Where there can be no more threads, this one does it.
                Err(_) => outcome = outcome.and_then(|()| some(chunk)),
            }
        }
        let panicked = || (PathBuf::new(), io::Error::other("a thread panicked"));
        threads.into_iter().fold(outcome, |outcome, thread| {
            let done = thread.join().unwrap_or_else(|_| Err(panicked()));
            outcome.and(done)
        })
    })
}

fn one(one: &Synced) -> io::Result<()> {
    // Windows syncs the names in a directory by itself.
    if cfg!(windows) && matches!(one, Synced::Directory(_)) {
        return Ok(());
    }
    let file = one.open()?;
    loop {
        match fsync(&file) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Some network file systems refuse, and there is nothing else that could be done there.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => return Ok(()),
            result => return result,
        }
    }
}

/// `fsync` itself: the standard library's also empties the drive's own cache on macOS, which takes some 10 ms a file.
#[cfg(unix)]
fn fsync(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fsync(file)?)
}

#[cfg(not(unix))]
fn fsync(file: &File) -> io::Result<()> {
    file.sync_all()
}
