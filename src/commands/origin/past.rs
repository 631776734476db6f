//! A template as it was at a revision of its repository.

use std::path::{Path, PathBuf};

use super::name::name;
use super::release::Place;
use super::{Access, load, repository};
use crate::cli::SourceArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git::{self, Login};
use crate::report::Progress;
use crate::source::{self, Address, Loaded, Wanted};
use crate::template::Reference;
use crate::workspace::Site;

/// The template that the command line names, at another revision than it says.
///
/// # Errors
///
/// If it is not in git, or has no such revision, and as [`load`].
pub(in crate::commands) fn at(site: &Site, revision: &str, args: &SourceArgs, access: Access) -> Result<Loaded> {
    match (&args.directory, &args.git) {
        (Some(directory), _) => in_directory(site, directory, revision, args.subfolder.as_deref()),
        (None, Some(_)) => {
            let args = SourceArgs { branch: None, tag: None, rev: Some(revision.to_owned()), ..args.clone() };
            load(site, None, &args, access)
        }
        (None, None) => {
            let title = "`--from` needs a template in git, and the embedded one is not in git";
            Err(refuse(title.to_owned(), "pass the template's repository with --git or --path").into())
        }
    }
}

/// The history of the template that the command line names, the newest commit first: those that changed its folder, by first parents.
///
/// # Errors
///
/// If it is not in git, or cannot be fetched.
pub(in crate::commands) fn history(site: &Site, args: &SourceArgs, access: Access, most: usize) -> Result<Vec<String>> {
    let here = std::env::current_dir().unwrap_or_default();
    let progress = Progress::new("Fetching the template's history");
    let step = |line: &str| progress.step(line);
    let login = args.login()?;
    let history = |address: &Address, base: &Path, reference: &Reference, folder: Option<&str>, access: Access| {
        let Access { may_ask, offline, .. } = access;
        let (commit, submodules, login, progress) = (None, !args.skip_submodules, &login, &step);
        let wanted = Wanted { address, base, reference, commit, submodules, may_ask, login, offline, progress };
        source::history(wanted, folder, most)
    };
    match (&args.directory, &args.git) {
        (Some(directory), _) => {
            let (root, folder) = in_repository(directory, args.subfolder.as_deref())?;
            let access = Access { may_ask: false, offline: true, ..access };
            history(&Address::Path(root.clone()), &root, &Reference::Default, folder.as_deref(), access)
        }
        (None, Some(given)) => {
            let address = repository::address(given)?;
            let place = Place { address: &address, base: &here, access, login: &login };
            let reference = place.chosen(args.reference().unwrap_or_default(), None)?;
            history(&address, &here, &reference, args.subfolder.as_deref(), access)
        }
        // Says that the template is not in git.
        (None, None) => at(site, "", args, access).map(|_| Vec::new()),
    }
}

fn refuse(title: String, help: &str) -> Diagnostic {
    Diagnostic::error(Code::SourceInvalid, title).help(help)
}

/// The repository around a template's directory, and the folder in it.
fn in_repository(directory: &Path, subfolder: Option<&str>) -> Result<(PathBuf, Option<String>)> {
    let absolute = directory.canonicalize().map_err(|error| Diagnostic::io("cannot read", directory, &error))?;
    let Some(root) = git::find_repository(&absolute) else {
        let title = format!("`--from` needs a template in git, and `{}` is not in a repository", directory.display());
        return Err(refuse(title, "leave out --from, or pass the template's repository with --git").into());
    };
    let below = absolute.strip_prefix(&root).unwrap_or(Path::new("")).join(subfolder.unwrap_or_default());
    let folder = below.to_string_lossy().replace('\\', "/");
    let folder = Some(folder.trim_end_matches('/')).filter(|folder| !folder.is_empty()).map(str::to_owned);
    Ok((root, folder))
}

/// The template in a directory of a repository.
fn in_directory(site: &Site, directory: &Path, revision: &str, subfolder: Option<&str>) -> Result<Loaded> {
    let (root, folder) = in_repository(directory, subfolder)?;
    let folder = folder.as_deref();
    let (address, reference) = (Address::Path(root.clone()), Reference::Rev(revision.to_owned()));
    let commit = source::fetch(Wanted {
        address: &address,
        base: &root,
        reference: &reference,
        commit: None,
        submodules: true,
        may_ask: false,
        login: Login::OWN,
        offline: true,
        progress: &|_| {},
    })?;
    let mut loaded = source::read(&commit, folder)?;
    loaded.template.origin.source = name(site, directory);
    loaded.template.origin.subfolder = subfolder.map(str::to_owned);
    Ok(loaded)
}
