//! The locks of apps: where they are, and how one is read. The lock of the project that a command is about has to be right, so all that is
//! wrong with it is told ([`parse`]). Any other lock only tells more than would be known without it ([`understood`]).

use std::path::Path;

use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git;
use crate::limits::{self, Budget};
use crate::lock::{DIRECTORY, LOCK, Lock};
use crate::rooted::{Failure, Reader, Root};

/// Reads a lock; `name` is what messages call it.
///
/// # Errors
///
/// Everything that is wrong with it.
pub(super) fn parse(text: &str, name: &str) -> Result<Lock> {
    Lock::parse(text.trim_start_matches('\u{feff}'), name)
}

/// A lock that may be another app's, or an older one. A problem in it does not concern this run: whoever upgrades or checks that app sees
/// it, and until then the lock says nothing.
pub(super) fn understood(bytes: Vec<u8>) -> Option<Lock> {
    parse(&String::from_utf8(bytes).ok()?, LOCK).ok()
}

/// The lock of the app in a directory, as far as it can be understood; none where it has no lock.
///
/// # Errors
///
/// If the lock is there and cannot be read.
pub(super) fn of(app: &Path) -> Result<Option<Lock>> {
    Ok(lock_bytes(app)?.and_then(understood))
}

/// The locks of all other apps in the repository around an app that git holds, as far as they can be understood.
///
/// # Errors
///
/// When git fails, where one of them cannot be read, and where all are too large together.
pub fn others(site: &Site) -> Result<Vec<Lock>> {
    if site.repository.is_none() {
        return Ok(Vec::new());
    }
    let end = format!("{DIRECTORY}/{LOCK}");
    let own = site.in_repository(&end);
    let is_lock = |path: &&str| (*path == end || path.ends_with(&format!("/{end}"))) && *path != own;
    let files = git::files(site.root())?;
    at(site.root(), files.iter().map(String::as_str).filter(is_lock))
}

/// The text of the lock of the app in a directory; `None` if it has no lock.
///
/// # Errors
///
/// If the lock is there and cannot be read, is too large, or is not a regular file.
pub fn lock_bytes(app: &Path) -> Result<Option<Vec<u8>>> {
    let path = app.join(DIRECTORY).join(LOCK);
    let read = Root::open(app)
        .map_err(Failure::from)
        .and_then(|root| root.read(Path::new(DIRECTORY).join(LOCK), limits::LOCK));
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(failure.diagnostic("cannot read", &path).into()),
    }
}

/// The locks at these paths below a directory, as far as they can be understood.
///
/// # Errors
///
/// If one of them cannot be read, and where all are too large together.
pub(super) fn at<'p>(directory: &Path, paths: impl IntoIterator<Item = &'p str>) -> Result<Vec<Lock>> {
    let root = Root::open(directory).map_err(|error| Diagnostic::io("cannot read", directory, &error))?;
    let (mut reader, budget) = (Reader::new(&root), Budget::new(limits::LOCK));
    let mut found = Vec::new();
    for path in paths.into_iter().map(Path::new) {
        let bytes = match reader.regular(path).and_then(|file| file.read(budget.left())) {
            Ok(bytes) => bytes,
            Err(failure) if failure.is_missing() => continue,
            // What is behind a link is elsewhere, and has a path of its own if it is below the directory.
            Err(Failure::Link(link)) if link != path => continue,
            Err(Failure::TooLarge(_)) => return Err(too_many(directory).into()),
            Err(failure) => return Err(failure.diagnostic("cannot read", &directory.join(path)).into()),
        };
        let _: bool = budget.take(bytes.len() as u64);
        found.extend(understood(bytes));
    }
    Ok(found)
}

fn too_many(directory: &Path) -> Diagnostic {
    let limit = limits::LOCK >> 20;
    let title = format!("the locks of all apps in `{}` are larger than {limit} MiB in total", directory.display());
    Diagnostic::error(Code::TooMuch, title).help("remove the apps that nobody needs")
}
