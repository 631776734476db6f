//! The directory of a change that is under way, and what is in it. Only what this machine made itself is believed.

use std::path::Path;

use super::mark::Mark;
use crate::diagnostic::Result;
use crate::rooted::{Access, Failure, Kind, Root, Spot};
use crate::workspace::disk::{self, Disk};

/// The name of the directory.
pub(super) const NAME: &str = "txn";
/// Its name when the change is done, and can be undone.
pub(super) const LAST: &str = "last";
const STAGED: &str = "new";
const KEPT: &str = "old";

/// The directory of a change that is under way.
#[derive(Debug, Clone)]
pub(in crate::workspace) struct Txn {
    /// Its own name.
    spot: Spot,
    root: Root,
    staged: Root,
    kept: Root,
}

/// Why a directory is not one that create-app made here. The texts complete "`…` ".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    #[error("is not a directory that create-app made")]
    Kind,
    #[error("belongs to another user")]
    Owner,
}

impl Txn {
    /// Makes the directory, and its seal.
    pub(super) fn create(disk: &Disk, home: &Root) -> Result<Self> {
        let spot = home.spot(NAME);
        disk.create_dir(&spot, Access::Private)?;
        let opened = |spot: &Spot| {
            spot.open_directory().map_err(|failure| disk::Failure::new("cannot open", spot.path(), failure))
        };
        let root = opened(&spot)?;
        let [staged, kept] = [STAGED, KEPT].map(|name| root.spot(name));
        for directory in [&staged, &kept] {
            disk.create_dir(directory, Access::Private)?;
        }
        let txn = Self { staged: opened(&staged)?, kept: opened(&kept)?, spot, root };
        disk.create_private(&txn.seal(), b"")?;
        Ok(txn)
    }

    /// The one in a directory, if there is one.
    pub(super) fn open(home: &Root) -> std::result::Result<Option<Self>, Foreign> {
        Self::open_as(home, NAME)
    }

    /// The same under another name.
    pub(super) fn open_as(home: &Root, name: &str) -> std::result::Result<Option<Self>, Foreign> {
        let spot = home.spot(name);
        let Some(root) = own_directory(&spot)? else { return Ok(None) };
        let directory = |name: &str| own_directory(&root.spot(name));
        // Whoever is killed early has made neither yet: then there is no journal either, and nothing is looked for in them.
        let [staged, kept] = [directory(STAGED)?, directory(KEPT)?].map(|found| found.unwrap_or_else(|| root.clone()));
        Ok(Some(Self { spot, staged, kept, root }))
    }

    /// The mark of the seal.
    pub(super) fn mark(&self) -> std::result::Result<Mark, Failure> {
        Ok(Mark::of_seal(&self.seal().regular()?.into_file().metadata()?))
    }

    pub(super) fn path(&self) -> &Path {
        self.spot.path()
    }

    pub(super) fn spot(&self) -> &Spot {
        &self.spot
    }

    pub(super) fn root(&self) -> &Root {
        &self.root
    }

    pub(super) fn staged_dir(&self) -> &Root {
        &self.staged
    }

    pub(super) fn kept_dir(&self) -> &Root {
        &self.kept
    }

    /// The entry that operation `n` puts; what it replaced, when that is done.
    pub(super) fn staged(&self, n: usize) -> Spot {
        self.staged.spot(n.to_string())
    }

    /// What was there where operation `n` works.
    pub(super) fn kept(&self, n: usize) -> Spot {
        self.kept.spot(n.to_string())
    }

    pub(super) fn journal(&self) -> Spot {
        self.root.spot("journal")
    }

    pub(super) fn draft(&self) -> Spot {
        self.root.spot("journal.tmp")
    }

    pub(super) fn abort(&self) -> Spot {
        self.root.spot("abort")
    }

    /// The earlier state of git, if the change can be undone once it is done.
    pub(super) fn before(&self) -> Spot {
        self.root.spot("before")
    }

    /// Where the directory is to be then.
    pub(super) fn last(&self) -> Spot {
        self.spot.beside(LAST)
    }

    fn seal(&self) -> Spot {
        self.root.spot("seal")
    }
}

/// The user's own directory at a name, or `None` if nothing is.
pub(super) fn own_directory(spot: &Spot) -> std::result::Result<Option<Root>, Foreign> {
    match spot.kind() {
        Ok(None) => return Ok(None),
        Ok(Some(Kind::Directory)) => {}
        _ => return Err(Foreign::Kind),
    }
    let root = spot.open_directory().map_err(|_| Foreign::Kind)?;
    match root.metadata() {
        Ok(metadata) if is_own(&metadata) => Ok(Some(root)),
        Ok(_) => Err(Foreign::Owner),
        Err(_) => Err(Foreign::Kind),
    }
}

/// Whether a file is the user's, as far as the system knows owners.
#[cfg(unix)]
pub(super) fn is_own(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(super) fn is_own(_metadata: &std::fs::Metadata) -> bool {
    true
}
