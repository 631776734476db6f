//! Which folder of a source is the template.

use super::choice::{Several, choose_template};
use super::moved;
use crate::cli::SourceArgs;
use crate::diagnostic::Result;
use crate::lock::Lock;
use crate::source::{Files, Loaded};
use crate::tree::RelPath;

/// The folder of a repository or directory to look in.
#[derive(Clone, Copy)]
pub(super) enum Folder<'a> {
    /// The folder that the user asked for, or everything; of several templates in there, the user chooses.
    Asked(Option<&'a str>, Several),
    /// The one that another source had, where it is there; else the user chooses.
    Known(Option<&'a str>, Several),
    /// The one that the lock names, or where it is now.
    Locked(&'a Lock),
}

impl<'a> Folder<'a> {
    /// For a source that may be another one than that of the lock.
    pub(super) fn of(args: &'a SourceArgs, lock: Option<&'a Lock>) -> Self {
        // What a project is to become is not decided by the order of folders.
        let several = if lock.is_some() { Several::Refuse } else { Several::First };
        match args.subfolder.as_deref() {
            Some(folder) => Self::Asked(Some(folder).filter(|folder| !is_all(folder)), several),
            None => Self::Known(lock.and_then(|lock| lock.template.subfolder.as_deref()), several),
        }
    }

    /// For the source of the lock.
    pub(super) fn of_lock(args: &'a SourceArgs, lock: &'a Lock) -> Self {
        if args.subfolder.is_some() { Self::of(args, Some(lock)) } else { Self::Locked(lock) }
    }

    pub(super) fn read(self, files: &dyn Files, may_ask: bool) -> Result<Loaded> {
        let is_there = |folder: &&str| RelPath::new(*folder).is_ok_and(|folder| files.is_folder(&folder));
        match self {
            Self::Asked(folder, several) => choose_template(files, folder, may_ask, several),
            Self::Known(folder, several) => choose_template(files, folder.filter(is_there), may_ask, several),
            Self::Locked(lock) => moved::read(files, lock),
        }
    }
}

/// Whether a folder is the source itself.
fn is_all(folder: &str) -> bool {
    folder.trim_end_matches('/') == "."
}
