//! Copies of the project's own files that a change replaces or removes and that git does not hold. They are part of the change.

use super::site::Site;
use crate::lock::DIRECTORY;
use crate::tree::Entry;

/// Files to keep, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The number of the directory, `.create-app/backup/1` or the first that is free.
    pub(super) number: u32,
    /// The files, by their paths below the repository's root, or below an app that is it.
    pub files: Vec<(String, Entry)>,
}

impl Backup {
    /// The directory, below the app.
    #[must_use]
    pub fn directory(&self) -> String {
        directory(self.number)
    }
}

/// Where these files will be kept; none where there are none.
#[must_use]
pub fn backup(site: &Site, files: Vec<(String, Entry)>) -> Option<Backup> {
    let is_free = |number: &u32| site.app.join(directory(*number)).symlink_metadata().is_err();
    let number = (1..).find(is_free)?;
    (!files.is_empty()).then_some(Backup { number, files })
}

fn directory(number: u32) -> String {
    format!("{DIRECTORY}/backup/{number}")
}
