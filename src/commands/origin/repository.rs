//! A template in a repository, fetched while the user watches.

use std::path::Path;

use super::folder::Folder;
use super::name::{below_here, name};
use super::release::Place;
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
    let address = address(given)?;
    let here = std::env::current_dir().unwrap_or_default();
    let login = args.login()?;
    if let Some(identity) = &login.identity {
        report::status(&format!("Using private key: {}", identity.display()));
    }
    let place = Place { address: &address, base: &here, access, login: &login };
    let like = lock.and_then(|lock| lock.template.reference.tag());
    let reference = place.chosen(args.reference().unwrap_or_default(), like)?;
    let repository = Repository { place, reference: &reference, locked: None, skips_submodules: args.skip_submodules };
    let mut loaded = repository.load(Folder::of(args, lock), access)?;
    if let Address::Path(path) = &address {
        loaded.template.origin.source = below_here(name(site, path));
    }
    Ok(loaded)
}

/// The address that the user gives.
pub(super) fn address(given: &str) -> Result<Address> {
    Ok(Address::given(given, Path::is_dir).map_err(|reason| refuse(given, &reason))?)
}

/// The one that the lock names. A tag or a commit stays what it was, unless another one is asked for.
pub(super) fn from_locked_repository(site: &Site, lock: &Lock, args: &SourceArgs, access: Access) -> Result<Loaded> {
    let locked = &lock.template;
    let address = Address::parse(&locked.source).map_err(|reason| refuse(&locked.source, &reason))?;
    let login = args.login()?;
    let place = Place { address: &address, base: &site.app, access, login: &login };
    let asked = args.reference().map(|asked| place.chosen(asked, locked.reference.tag())).transpose()?;
    let exact = Reference::Rev(locked.revision.clone());
    let reference = match &asked {
        Some(asked) => asked.clone(),
        None if access.stay => exact,
        None => place.again(&locked.reference)?,
    };
    let is_same_tag = reference.tag().is_some() && reference.tag() == locked.reference.tag();
    let pinned = asked.is_none() && (reference.is_pinned() || is_same_tag);
    let repository = Repository {
        place,
        reference: &reference,
        locked: pinned.then_some(locked.revision.as_str()),
        skips_submodules: args.skip_submodules || locked.skips_submodules,
    };
    let mut loaded = repository.load(Folder::of_lock(args, lock), access)?;
    let origin = &mut loaded.template.origin;
    origin.source.clone_from(&locked.source);
    if asked.is_none() && access.stay {
        origin.reference.clone_from(&locked.reference);
    }
    let is_other = pinned && origin.revision != locked.revision;
    if let Some(tag) = origin.reference.tag().filter(|_| is_other) {
        report::status(&format!("The lock has the tag `{tag}`, but the commit of another tag: the tag is used."));
    } else if reference.is_pinned() && pinned && access.offline && !access.stay {
        let stays = format!(
            "The project stays with {reference} of its template; to change that, pass --tag, --rev or --branch."
        );
        report::status(&stays);
    }
    if asked.is_none()
        && is_same(origin, locked)
        && origin.subfolder == locked.subfolder
        && origin.reference.tag().is_none()
    {
        // A commit that does not touch the template is no reason to change the project.
        origin.revision.clone_from(&locked.revision);
    }
    Ok(loaded)
}

fn refuse(address: &str, reason: &AddressError) -> Diagnostic {
    let help = "pass a URL, host:path, gh:owner/repo or a directory";
    let address = without_credentials(address);
    Diagnostic::error(Code::SourceInvalid, format!("the address `{address}` {reason}")).help(help)
}

/// A template in a repository.
struct Repository<'a> {
    place: Place<'a>,
    reference: &'a Reference,
    /// The commit, where it is pinned.
    locked: Option<&'a str>,
    /// Whether its submodules are left out.
    skips_submodules: bool,
}

impl Repository<'_> {
    fn load(&self, folder: Folder<'_>, access: Access) -> Result<Loaded> {
        let Place { address, base, login, .. } = self.place;
        let progress = Progress::new(&format!("Fetching {}", without_credentials(&address.to_string())));
        let step = |line: &str| progress.step(line);
        let commit = source::fetch(Wanted {
            address,
            base,
            reference: self.reference,
            commit: self.locked,
            submodules: !self.skips_submodules,
            may_ask: access.may_ask,
            login,
            offline: access.offline,
            progress: &step,
        })?;
        progress.clear();
        report::diagnostics(commit.note.as_slice());
        let mut loaded = folder.read(&commit, access.may_ask)?;
        loaded.template.origin.reference = self.reference.clone();
        loaded.template.origin.skips_submodules = self.skips_submodules;
        loaded.template.origin.revision = commit.name.clone();
        Ok(loaded)
    }
}
