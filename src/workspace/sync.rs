//! What was written survives a power cut from here on.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

/// What failed, and why.
pub(super) type Failed<'p> = (&'p Path, io::Error);

/// From so many paths on, one call for the whole file system is faster than one for each, although it waits for what other
/// programs have written there, too.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MANY: usize = 5;

/// The disk takes several of these requests at a time, and the file system answers them together.
const THREADS: usize = 8;

/// Syncs the content of files and the names in directories.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn all<'p>(paths: &[&'p Path]) -> Result<(), Failed<'p>> {
    use std::os::unix::fs::MetadataExt as _;
    let mut by_disk: std::collections::BTreeMap<u64, Vec<&Path>> = std::collections::BTreeMap::new();
    for path in paths {
        let metadata = path.metadata().map_err(|error| (*path, error))?;
        by_disk.entry(metadata.dev()).or_default().push(path);
    }
    by_disk.values().try_for_each(|paths| match paths.first() {
        Some(first) if paths.len() >= MANY && file_system(first).is_ok() => Ok(()),
        _ => each(paths),
    })
}

/// Syncs the content of files and the names in directories.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn all<'p>(paths: &[&'p Path]) -> Result<(), Failed<'p>> {
    each(paths)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn file_system(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(path)?)?)
}

/// A disk takes longer than this to write what it is asked for.
const WORTH_WAITING: Duration = Duration::from_micros(50);

fn each<'p>(paths: &[&'p Path]) -> Result<(), Failed<'p>> {
    let some = |paths: &[&'p Path]| paths.iter().try_for_each(|path| one(path).map_err(|error| (*path, error)));
    let Some((first, rest)) = paths.split_first() else { return Ok(()) };
    let start = Instant::now();
    some(&[first])?;
    // A file system in memory answers at once: threads would take longer than what they share.
    if rest.len() < 2 || start.elapsed() < WORTH_WAITING {
        return some(rest);
    }
    std::thread::scope(|scope| {
        let chunks = rest.chunks(rest.len().div_ceil(THREADS));
        let threads: Vec<_> = chunks.map(|chunk| scope.spawn(move || some(chunk))).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err((Path::new(""), io::Error::other("a thread panicked"))))
        })
    })
}

fn one(path: &Path) -> io::Result<()> {
    // Windows syncs only what is open for writing, and the names in a directory by itself.
    if cfg!(windows) && path.is_dir() {
        return Ok(());
    }
    match fsync(&OpenOptions::new().read(true).write(cfg!(windows)).open(path)?) {
        // Some network file systems refuse, and there is nothing else that could be done there.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
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
