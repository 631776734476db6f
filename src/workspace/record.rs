//! What the app's `.create-app` holds as it is committed with the project: the lock, the base, and what git is to know of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::limits::{self, Budget, PROJECT};
use crate::lock::{BASE, DIRECTORY, Digest, LOCK, Lock};
use crate::rooted::{Failure, Reader, Root};

/// The text of the lock of the app in a directory; none where it has no lock.
///
/// # Errors
///
/// Where the lock is there and cannot be read, is too large, or is not a regular file.
pub fn lock_bytes(app: &Path) -> Result<Option<Vec<u8>>> {
    let path = app.join(DIRECTORY).join(LOCK);
    let read = Root::open(app).map_err(Failure::from).and_then(|root| root.read(relative(LOCK), limits::LOCK));
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(failure.diagnostic("cannot read", &path).into()),
    }
}

/// The locks at these paths below a directory. One that cannot be understood tells nothing, and is left out.
///
/// # Errors
///
/// Where one of them cannot be read, and where all are too large together.
pub fn locks<'p>(directory: &Path, paths: impl IntoIterator<Item = &'p str>) -> Result<Vec<Lock>> {
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
        found.extend(String::from_utf8(bytes).ok().and_then(|text| Lock::parse(&text, LOCK).ok()));
    }
    Ok(found)
}

fn too_many(directory: &Path) -> Diagnostic {
    let limit = limits::LOCK >> 20;
    let title = format!("the locks of all apps in `{}` are larger than {limit} MiB together", directory.display());
    Diagnostic::error(Code::TooMuch, title).help("remove the apps that nobody needs")
}

/// What stands in the app's `.create-app` now and is committed with the project, by its name there; less the files of the
/// base that `stays` names, as reading them would take longer than all the rest.
///
/// # Errors
///
/// What cannot be read, is not a regular file, or is too much.
pub fn record(site: &Site, stays: impl Fn(&Digest) -> bool) -> Result<BTreeMap<String, Vec<u8>>> {
    let failed =
        |name: &str, failure: &Failure| failure.diagnostic("cannot read", &site.app.join(DIRECTORY).join(name));
    let root = Root::open(&site.app).map_err(|error| Diagnostic::io("cannot read", &site.app, &error))?;
    let mut reader = Reader::new(&root);
    let base = match reader.names(&relative(BASE)) {
        Err(failure) if failure.is_missing() => Vec::new(),
        names => names.map_err(|failure| failed(BASE, &failure))?,
    };
    let base = base.into_iter().filter(|name| !name.parse().is_ok_and(|digest| stays(&digest)));
    let names = [".gitattributes", ".gitignore", LOCK].map(str::to_owned).into_iter();
    let budget = Budget::new(PROJECT);
    let mut found = BTreeMap::new();
    for name in names.chain(base.map(|name| format!("{BASE}/{name}"))) {
        let bytes = reader.regular(&relative(&name)).and_then(|file| file.read(budget.left()));
        match bytes {
            Ok(bytes) => {
                let _: bool = budget.take(bytes.len() as u64);
                found.insert(name, bytes);
            }
            Err(failure) if failure.is_missing() => {}
            // What is left of the limit tells nobody anything.
            Err(Failure::TooLarge(_)) => return Err(failed(BASE, &Failure::TooLarge(PROJECT)).into()),
            Err(failure) => return Err(failed(&name, &failure).into()),
        }
    }
    Ok(found)
}

/// A path below [`DIRECTORY`], as seen from the app.
fn relative(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}
