//! Which template is meant, by the command line or by the lock, and how the lock names it.

mod choice;
mod directory;
mod folder;
mod moved;
mod name;
mod past;
mod release;
mod repository;

pub(super) use past::at as past;
pub(super) use release::{older, tags};

use directory::{from_directory, from_locked_directory};
use repository::{from_locked_repository, from_repository};

use crate::cli::SourceArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::{Lock, LockedTemplate};
use crate::source::{self, Loaded};
use crate::template::{Origin, Reference};
use crate::workspace::Site;

/// What the lock calls the template that this binary carries.
pub(super) const EMBEDDED: &str = "embedded";

/// How a template is to be had.
#[derive(Clone, Copy)]
pub(super) struct Access {
    /// Whether the user may be asked.
    pub(super) may_ask: bool,
    /// Whether a repository that was fetched before will do, where it cannot be fetched now.
    pub(super) offline: bool,
    /// Whether the commit that the lock names is wanted, unless the command line says otherwise.
    pub(super) stay: bool,
}

/// Loads the template that the command line names, else the one that the lock does, else the embedded one.
///
/// # Errors
///
/// Where it has gone or cannot be read, and where what was given does not fit together.
pub(super) fn load(site: &Site, lock: Option<&Lock>, args: &SourceArgs, access: Access) -> Result<Loaded> {
    if args.embedded {
        return source::embedded();
    }
    if let Some(path) = &args.directory {
        return from_directory(site, path, lock, args, access);
    }
    if let Some(given) = &args.git {
        return from_repository(site, given, lock, args, access);
    }
    if let Some(lock) = lock.filter(|lock| lock.template.is_in_git()) {
        return from_locked_repository(site, lock, args, access);
    }
    if let Some((flag, _)) = args.reference().as_ref().and_then(Reference::pair) {
        let title = format!("`--{flag}` is for a template in git, and this one is not");
        return Err(Diagnostic::error(Code::SourceInvalid, title)
            .help("say where its repository is with --git")
            .into());
    }
    match lock.filter(|lock| lock.template.source != EMBEDDED) {
        Some(lock) => from_locked_directory(site, lock, args, access),
        None if args.subfolder.is_some() => {
            let title = "`--subfolder` is for a template with folders, and the embedded one has none to choose from";
            Err(Diagnostic::error(Code::SourceInvalid, title)
                .help("say where the template is with --path or --git")
                .into())
        }
        None => source::embedded(),
    }
}

/// Whether the template is what the lock knows, whatever else may have changed around it.
pub(super) fn is_same(origin: &Origin, locked: &LockedTemplate) -> bool {
    origin.revision == locked.revision || locked.digest.as_ref() == Some(&origin.digest)
}

/// Whether a loaded template is newer than the one that the lock names: another revision, and no older version.
pub(super) fn is_newer(loaded: &Loaded, locked: &LockedTemplate) -> bool {
    let (origin, version) = (&loaded.template.origin, &loaded.template.manifest.ownership.version);
    !is_same(origin, locked) && older(origin, version.as_deref(), locked).is_none()
}
