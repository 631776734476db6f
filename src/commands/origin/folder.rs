//! Which folder of a source is the template.

use super::choice::choose_template;
use crate::cli::SourceArgs;
use crate::diagnostic::Result;
use crate::lock::LockedTemplate;
use crate::source::{self, Files, Loaded};
use crate::tree::RelPath;

/// The folder of a repository or directory to look in.
#[derive(Clone, Copy)]
pub(super) enum Folder<'a> {
    /// What the user asked for; of several templates in there, the user chooses.
    Asked(&'a str),
    /// The one that another source had, where it is there; else the user chooses.
    Known(Option<&'a str>),
    /// This one and no other.
    Locked(Option<&'a str>),
}

impl<'a> Folder<'a> {
    /// For a source that may be another one than that of the lock.
    pub(super) fn of(args: &'a SourceArgs, locked: Option<&'a LockedTemplate>) -> Self {
        let known = || Self::Known(locked.and_then(|locked| locked.subfolder.as_deref()));
        args.subfolder.as_deref().map_or_else(known, Self::Asked)
    }

    pub(super) fn read(self, files: &dyn Files, may_ask: bool) -> Result<Loaded> {
        let is_there = |folder: &&str| RelPath::new(*folder).is_ok_and(|folder| files.is_folder(&folder));
        match self {
            Self::Asked(folder) => choose_template(files, Some(folder), may_ask),
            Self::Known(folder) => choose_template(files, folder.filter(is_there), may_ask),
            Self::Locked(folder) => source::read(files, folder),
        }
    }
}
