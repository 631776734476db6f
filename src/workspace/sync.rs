//! What was written survives a power cut from here on.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

/// Above so many files, one call for the whole file system is cheaper than one for each. Below it is not worth what other
/// programs have just written to the same disk, which that call waits for, too.
pub(super) const MANY: usize = 256;

/// The disk takes several of these requests at a time, and the file system answers them together.
const THREADS: usize = 8;

/// A disk takes longer than this to write what it is asked for.
const WORTH_WAITING: Duration = Duration::from_micros(50);

/// Syncs everything on the file system that holds `directory`; false where that cannot be asked for.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn file_system(directory: &Path) -> io::Result<bool> {
    rustix::fs::syncfs(std::fs::File::open(directory)?)?;
    Ok(true)
}

/// Syncs everything on the file system that holds `directory`; false where that cannot be asked for.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn file_system(_directory: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Syncs these files; the error names the one that failed.
pub(super) fn files<'p>(paths: &[&'p Path]) -> Result<(), (&'p Path, io::Error)> {
    let one = |chunk: &[&'p Path]| chunk.iter().try_for_each(|path| file(path).map_err(|error| (*path, error)));
    let Some((first, rest)) = paths.split_first() else { return Ok(()) };
    let start = Instant::now();
    one(&[first])?;
    // A file system in memory answers at once: threads would take longer than what they share.
    if rest.len() < 2 || start.elapsed() < WORTH_WAITING {
        return one(rest);
    }
    let chunks = rest.chunks(rest.len().div_ceil(THREADS));
    std::thread::scope(|scope| {
        let threads: Vec<_> = chunks.map(|chunk| scope.spawn(move || one(chunk))).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err((Path::new(""), io::Error::other("a thread panicked"))))
        })
    })
}

fn file(path: &Path) -> io::Result<()> {
    // Windows syncs only what is open for writing.
    flush(&OpenOptions::new().read(true).write(cfg!(windows)).open(path)?)
}

/// Syncs the names in a directory. Windows cannot be asked to, and does so by itself.
pub(super) fn directory(path: &Path) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { flush(&std::fs::File::open(path)?) }
}

/// Some network file systems refuse, and there is nothing else that could be done there.
fn flush(file: &std::fs::File) -> io::Result<()> {
    match fsync(file) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// `fsync` itself: the standard library's also empties the drive's own cache on macOS, which takes some 10 ms a file.
#[cfg(unix)]
fn fsync(file: &std::fs::File) -> io::Result<()> {
    rustix::fs::fsync(file).map_err(io::Error::from)
}

#[cfg(not(unix))]
fn fsync(file: &std::fs::File) -> io::Result<()> {
    file.sync_all()
}
