//! A template as it was at a revision of its repository.

use std::path::Path;

use super::name::name;
use super::{Access, load};
use crate::cli::SourceArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git;
use crate::source::{self, Address, Loaded, Wanted};
use crate::template::Reference;
use crate::workspace::Site;

/// The template that the command line names, at another revision than it says.
///
/// # Errors
///
/// Where it is not in git, or has no such revision, and as [`load`].
pub(in crate::commands) fn at(site: &Site, revision: &str, args: &SourceArgs, access: Access) -> Result<Loaded> {
    match (&args.directory, &args.git) {
        (Some(directory), _) => in_directory(site, directory, revision, args.subfolder.as_deref()),
        (None, Some(_)) => {
            let args = SourceArgs { branch: None, tag: None, rev: Some(revision.to_owned()), ..args.clone() };
            load(site, None, &args, access)
        }
        (None, None) => {
            let title = "`--from` is for a template in git, and the embedded one is not";
            Err(refuse(title.to_owned(), "say where the template's repository is with --git or --path").into())
        }
    }
}

fn refuse(title: String, help: &str) -> Diagnostic {
    Diagnostic::error(Code::SourceInvalid, title).help(help)
}

/// The template in a directory of a repository.
fn in_directory(site: &Site, directory: &Path, revision: &str, subfolder: Option<&str>) -> Result<Loaded> {
    let absolute = directory.canonicalize().map_err(|error| Diagnostic::io("cannot read", directory, &error))?;
    let Some(root) = git::find_repository(&absolute) else {
        let title = format!("`--from` is for a template in git, and `{}` is in no repository", directory.display());
        return Err(refuse(title, "leave out --from, or say where the template's repository is with --git").into());
    };
    let below = absolute.strip_prefix(&root).unwrap_or(Path::new("")).join(subfolder.unwrap_or_default());
    let folder = below.to_string_lossy().replace('\\', "/");
    let folder = Some(folder.trim_end_matches('/')).filter(|folder| !folder.is_empty());
    let (address, reference) = (Address::Path(root.clone()), Reference::Rev(revision.to_owned()));
    let commit = source::fetch(Wanted {
        address: &address,
        base: &root,
        reference: &reference,
        commit: None,
        may_ask: false,
        offline: true,
        progress: &|_| {},
    })?;
    let mut loaded = source::read(&commit, folder)?;
    loaded.template.origin.source = name(site, directory);
    loaded.template.origin.subfolder = subfolder.map(str::to_owned);
    Ok(loaded)
}
