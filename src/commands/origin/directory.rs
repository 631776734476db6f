//! A template in a directory.

use std::path::Path;

use super::Access;
use super::folder::Folder;
use super::name::name;
use crate::cli::SourceArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::LockedTemplate;
use crate::source::{self, Directory, Loaded};
use crate::workspace::Site;

/// The one that the user names.
pub(super) fn from_directory(
    site: &Site,
    path: &Path,
    locked: Option<&LockedTemplate>,
    args: &SourceArgs,
    access: Access,
) -> Result<Loaded> {
    let spelling = path.to_string_lossy();
    let directory = Directory::open(path, &spelling)?;
    let mut loaded = Folder::of(args, locked).read(&directory, access.may_ask)?;
    loaded.template.origin.source = name(site, path);
    Ok(loaded)
}

/// The one that the lock names.
pub(super) fn from_locked_directory(site: &Site, locked: &LockedTemplate, subfolder: Option<&str>) -> Result<Loaded> {
    let source = locked.source.as_str();
    let directory = site.app.join(source);
    if !directory.is_dir() {
        let title =
            format!("the template of this project is gone: there is no directory `{source}`, seen from the app");
        return Err(Diagnostic::error(Code::TemplateNotFound, title)
            .help("say where it is now with `create-app upgrade --path DIR`")
            .into());
    }
    source::from_path(&directory, source, subfolder.or(locked.subfolder.as_deref()))
}
