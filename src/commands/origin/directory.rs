//! A template in a directory.

use std::path::Path;

use super::Access;
use super::folder::Folder;
use super::name::name;
use crate::cli::SourceArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::Lock;
use crate::source::{Directory, Loaded};
use crate::workspace::Site;

/// The one that the user names.
pub(super) fn from_directory(
    site: &Site,
    path: &Path,
    lock: Option<&Lock>,
    args: &SourceArgs,
    access: Access,
) -> Result<Loaded> {
    let spelling = path.to_string_lossy();
    let directory = Directory::open(path, &spelling)?;
    let mut loaded = Folder::of(args, lock).read(&directory, access.may_ask)?;
    loaded.template.origin.source = name(site, path);
    Ok(loaded)
}

/// The one that the lock names.
pub(super) fn from_locked_directory(site: &Site, lock: &Lock, args: &SourceArgs, access: Access) -> Result<Loaded> {
    let source = lock.template.source.as_str();
    let directory = site.app.join(source);
    if !directory.is_dir() {
        let title = format!("this project's template is gone: there is no directory `{source}`, relative to the app");
        return Err(Diagnostic::error(Code::TemplateNotFound, title)
            .help("pass its new location: `create-app upgrade --path DIR`")
            .into());
    }
    Folder::of_lock(args, lock).read(&Directory::open(&directory, source)?, access.may_ask)
}
