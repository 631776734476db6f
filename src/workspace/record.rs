//! What the app's `.create-app` holds as it is committed with the project: the lock, the base, and what git is to know of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::site::Site;
use crate::diagnostic::{Diagnostic, Result};
use crate::digest::Digest;
use crate::limits::{Budget, PROJECT};
use crate::lock::{BASE, DIRECTORY, LOCK};
use crate::rooted::{Failure, Reader, Root};

/// What is in the app's `.create-app` now and is committed with the project, by its name there; less the files of the
/// base that `stays` names, as reading them would take longer than all the rest.
///
/// # Errors
///
/// Unreadable files, files that are not regular, and more than the limit.
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
            // The rest of the limit says nothing to the user.
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
