//! A template in a repository, fetched while the user watches.

use std::path::Path;

use super::folder::Folder;
use super::name::{below_here, name};
use super::{Access, is_same};
use crate::cli::SourceArgs;
use crate::credentials::without_credentials;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::Lock;
use crate::report::{self, Progress};
use crate::source::{self, Address, AddressError, Loaded, Wanted};
use crate::template::Reference;
use crate::workspace::Site;

/// The one that the user names.
pub(super) fn from_repository(
    site: &Site,
    given: &str,
    lock: Option<&Lock>,
    args: &SourceArgs,
    access: Access,
) -> Result<Loaded> {
    let address = Address::given(given, Path::is_dir).map_err(|reason| refuse(given, &reason))?;
    let here = std::env::current_dir().unwrap_or_default();
    let reference = args.reference().unwrap_or_default();
    let repository = Repository { address: &address, base: &here, reference: &reference, locked: None };
    let mut loaded = repository.load(Folder::of(args, lock), access)?;
    if let Address::Path(path) = &address {
        loaded.template.origin.source = below_here(name(site, path));
    }
    Ok(loaded)
}

/// The one that the lock names. A tag or a commit stays what it was, unless another one is asked for.
pub(super) fn from_locked_repository(site: &Site, lock: &Lock, args: &SourceArgs, access: Access) -> Result<Loaded> {
    let locked = &lock.template;
    let address = Address::parse(&locked.source).map_err(|reason| refuse(&locked.source, &reason))?;
    let asked = args.reference();
    let reference = asked.as_ref().unwrap_or(&locked.reference);
    let pinned = asked.is_none() && (reference.is_pinned() || access.stay);
    let repository = Repository {
        address: &address,
        base: &site.app,
        reference,
        locked: pinned.then_some(locked.revision.as_str()),
    };
    let mut loaded = repository.load(Folder::of_lock(args, lock), access)?;
    let origin = &mut loaded.template.origin;
    origin.source.clone_from(&locked.source);
    if pinned && access.offline && !access.stay {
        let stays =
            format!("The project stays with {reference} of its template: --tag, --rev or --branch say otherwise.");
        report::status(&stays);
    }
    if asked.is_none() && is_same(origin, locked) && origin.subfolder == locked.subfolder {
        // A commit that does not touch the template is no reason to change the project.
        origin.revision.clone_from(&locked.revision);
    }
    Ok(loaded)
}

fn refuse(address: &str, reason: &AddressError) -> Diagnostic {
    let help = "give a URL, host:path, gh:owner/repo or a directory";
    let address = without_credentials(address);
    Diagnostic::error(Code::SourceInvalid, format!("the address `{address}` {reason}")).help(help)
}

/// A template in a repository.
struct Repository<'a> {
    address: &'a Address,
    base: &'a Path,
    reference: &'a Reference,
    /// The commit, where it is pinned.
    locked: Option<&'a str>,
}

impl Repository<'_> {
    fn load(&self, folder: Folder<'_>, access: Access) -> Result<Loaded> {
        let progress = Progress::new(&format!("Fetching {}", without_credentials(&self.address.to_string())));
        let step = |line: &str| progress.step(line);
        let commit = source::fetch(Wanted {
            address: self.address,
            base: self.base,
            reference: self.reference,
            commit: self.locked,
            may_ask: access.may_ask,
            offline: access.offline,
            progress: &step,
        })?;
        progress.clear();
        report::diagnostics(commit.note.as_slice());
        let mut loaded = folder.read(&commit, access.may_ask)?;
        loaded.template.origin.reference = self.reference.clone();
        loaded.template.origin.revision = commit.name.clone();
        Ok(loaded)
    }
}
