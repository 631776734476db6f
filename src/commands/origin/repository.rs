//! A template in a repository, fetched while the user watches.

use std::path::Path;

use super::{Access, Folder};
use crate::diagnostic::Result;
use crate::report::{self, Progress};
use crate::source::{self, Address, Loaded, Wanted};
use crate::template::Reference;

/// A template in a repository.
pub(super) struct Repository<'a> {
    pub(super) address: &'a Address,
    pub(super) base: &'a Path,
    pub(super) reference: &'a Reference,
    /// The commit, where it is pinned.
    pub(super) locked: Option<&'a str>,
}

impl Repository<'_> {
    pub(super) fn load(&self, folder: Folder<'_>, access: Access) -> Result<Loaded> {
        let progress = Progress::new(&format!("Fetching {}", self.address));
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
