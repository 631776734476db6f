//! Which template is meant, by the command line or by the lock, and how the lock names it.

mod directory;
mod folder;
mod name;
mod repository;

use std::path::Path;

use directory::{from_directory, from_locked_directory};
use folder::Folder;
use name::{below_here, name};
use repository::Repository;

use crate::cli::SourceArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::LockedTemplate;
use crate::report;
use crate::source::{self, Address, AddressError, Loaded};
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
}

/// Loads the template that the command line names, else the one that the lock does, else the embedded one.
///
/// # Errors
///
/// Where it has gone or cannot be read, and where what was given does not fit together.
pub(super) fn load(site: &Site, locked: Option<&LockedTemplate>, args: &SourceArgs, access: Access) -> Result<Loaded> {
    let in_git = locked.filter(|locked| locked.is_in_git());
    let asked = args.reference();
    if let Some(path) = &args.directory {
        return from_directory(site, path, locked, args, access);
    }
    if let Some(given) = &args.git {
        let address = Address::given(given, Path::is_dir).map_err(|reason| refuse(given, &reason))?;
        let here = std::env::current_dir().unwrap_or_default();
        let reference = asked.unwrap_or_default();
        let repository = Repository { address: &address, base: &here, reference: &reference, locked: None };
        let mut loaded = repository.load(Folder::of(args, locked), access)?;
        if let Address::Path(path) = &address {
            loaded.template.origin.source = below_here(name(site, path));
        }
        return Ok(loaded);
    }
    if let Some(locked) = in_git {
        return from_lock(site, locked, args, access);
    }
    if let Some((flag, _)) = asked.as_ref().and_then(Reference::pair) {
        let title = format!("`--{flag}` is for a template in git, and this one is not");
        return Err(Diagnostic::error(Code::SourceInvalid, title)
            .help("say where its repository is with --git")
            .into());
    }
    match locked.filter(|locked| locked.source != EMBEDDED) {
        Some(locked) => from_locked_directory(site, locked, args.subfolder.as_deref()),
        None if args.subfolder.is_some() => {
            let title = "`--subfolder` is for a template with folders, and the embedded one has none to choose from";
            Err(Diagnostic::error(Code::SourceInvalid, title)
                .help("say where the template is with --path or --git")
                .into())
        }
        None => source::embedded(),
    }
}

/// The template in the repository that the lock names. A tag or a commit stays what it was, unless another one is asked for.
fn from_lock(site: &Site, locked: &LockedTemplate, args: &SourceArgs, access: Access) -> Result<Loaded> {
    let address = Address::parse(&locked.source).map_err(|reason| refuse(&locked.source, &reason))?;
    let asked = args.reference();
    let reference = asked.as_ref().unwrap_or(&locked.reference);
    let pinned = asked.is_none() && reference.is_pinned();
    let repository = Repository {
        address: &address,
        base: &site.app,
        reference,
        locked: pinned.then_some(locked.revision.as_str()),
    };
    let folder = args.subfolder.as_deref().or(locked.subfolder.as_deref());
    let mut loaded = repository.load(Folder::Locked(folder), access)?;
    let origin = &mut loaded.template.origin;
    origin.source.clone_from(&locked.source);
    if pinned && access.offline {
        let stays =
            format!("The project stays with {reference} of its template: --tag, --rev or --branch say otherwise.");
        report::status(&stays);
    }
    if asked.is_none() && is_same(origin, locked) {
        // A commit that does not touch the template is no reason to change the project.
        origin.revision.clone_from(&locked.revision);
    }
    Ok(loaded)
}

fn refuse(address: &str, reason: &AddressError) -> Diagnostic {
    let help = "give a URL, host:path, gh:owner/repo or a directory";
    let address = source::without_credentials(address);
    Diagnostic::error(Code::SourceInvalid, format!("the address `{address}` {reason}")).help(help)
}

/// Whether the template is what the lock knows, whatever else may have changed around it.
fn is_same(origin: &Origin, locked: &LockedTemplate) -> bool {
    origin.revision == locked.revision || locked.digest.as_ref() == Some(&origin.digest)
}

/// Whether a loaded template is newer than the one that the lock names: another revision, and no older version.
pub(super) fn is_newer(loaded: &Loaded, locked: &LockedTemplate) -> bool {
    let version = |text: &Option<String>| semver::Version::parse(text.as_deref()?).ok();
    let (new, old) = (version(&loaded.template.manifest.ownership.version), version(&locked.version));
    let older = new.zip(old).is_some_and(|(new, old)| new < old);
    !is_same(&loaded.template.origin, locked) && !older
}
