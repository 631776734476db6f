//! Finds the template, by the command line or by the lock, and how the lock refers to it.

mod choice;
mod directory;
mod folder;
mod moved;
mod name;
mod past;
mod release;
mod repository;

pub(super) use past::{at as past, history};
pub(super) use release::{older, tags};

use directory::{from_directory, from_locked_directory};
use repository::{from_locked_repository, from_repository};

use crate::cli::SourceArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::{Lock, LockedTemplate};
use crate::source::{self, Address, Loaded};
use crate::template::{Origin, Reference, Template};
use crate::trace;
use crate::workspace::Site;

/// The lock's name for the template that this binary carries.
pub(super) const EMBEDDED: &str = "embedded";

/// How a template may be loaded.
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
/// If it has gone or cannot be read, and if what was given does not fit together.
pub(super) fn load(site: &Site, lock: Option<&Lock>, args: &SourceArgs, access: Access) -> Result<Loaded> {
    let _stage = trace::stage("loading the template");
    let loaded = load_meant(site, lock, args, access)?;
    trace::say(|| {
        let Origin { source, reference, subfolder, revision, .. } = &loaded.template.origin;
        let followed = reference.pair().map(|(kind, name)| format!(", {kind} {name}")).unwrap_or_default();
        let folder = subfolder.as_ref().map(|folder| format!(", folder {folder}")).unwrap_or_default();
        format!("template: {source}{followed}{folder}, revision {revision}, files: {}", loaded.template.files.len())
    });
    Ok(loaded)
}

fn load_meant(site: &Site, lock: Option<&Lock>, args: &SourceArgs, access: Access) -> Result<Loaded> {
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
        let title = format!("`--{flag}` needs a template in git, and this one is not in git");
        return Err(Diagnostic::error(Code::SourceInvalid, title).help("pass its repository with --git").into());
    }
    match lock.filter(|lock| lock.template.source != EMBEDDED) {
        Some(lock) => from_locked_directory(site, lock, args, access),
        None if args.subfolder.is_some() => {
            let title =
                "`--subfolder` selects a folder of the template, and the embedded template has none to choose from";
            Err(Diagnostic::error(Code::SourceInvalid, title).help("pass the template with --path or --git").into())
        }
        None => source::embedded(),
    }
}

/// Names a template that is on this machine as it is seen from the project, which was not known when it was loaded.
pub(super) fn name_again(site: &Site, args: &SourceArgs, template: &mut Template) {
    if let Some(path) = &args.directory {
        template.origin.source = name::name(site, path);
    } else if let Some(Ok(Address::Path(path))) =
        args.git.as_deref().map(|given| Address::given(given, std::path::Path::is_dir))
    {
        template.origin.source = name::below_here(name::name(site, &path));
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
