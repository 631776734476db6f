//! One step of a change, small enough to be repeated and to be undone.

use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::lock::{BASE, DIRECTORY, LOCK};
use crate::plan::Stamp;
use crate::tree::RelPath;
use crate::workspace::site::Site;

/// The directory of the backups, below the app's `.create-app`.
const BACKUP: &str = "backup";

/// Below which directory a path is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::workspace) enum Root {
    /// The app.
    App,
    /// The repository's root.
    Repository,
    /// The app's `.create-app`.
    Record,
}

impl Root {
    pub(super) const ALL: [(Self, &'static str); 3] =
        [(Self::App, "app"), (Self::Repository, "repository"), (Self::Record, "record")];
}

/// A path below one of the roots; only paths that are safe there can be made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::workspace) struct Target {
    root: Root,
    path: String,
}

impl Target {
    /// A path of the template's.
    pub(in crate::workspace) fn file(root: Root, path: &RelPath) -> Self {
        Self { root, path: path.to_string() }
    }

    /// The directories above another target, up to that of the record, but not the app nor the repository's root.
    pub(super) fn above(&self) -> impl Iterator<Item = Self> {
        let record = (self.root == Root::Record && !self.path.is_empty()).then(String::new);
        let above = self.path.rmatch_indices('/').map(|(at, _)| self.path[..at].to_owned());
        above.chain(record).map(|path| Self { root: self.root, path })
    }

    /// A copy in the backup of this number.
    pub(in crate::workspace) fn backup(number: u32, path: &str) -> Self {
        Self { root: Root::Record, path: format!("{BACKUP}/{number}/{path}") }
    }

    /// One of create-app's own files.
    pub(in crate::workspace) fn record(name: &str) -> Self {
        Self { root: Root::Record, path: name.to_owned() }
    }

    /// Reads what a journal names, as long as it is something that one may change.
    pub(super) fn parse(root: Root, path: &str) -> Option<Self> {
        let own = ["", ".gitattributes", ".gitignore", LOCK, BASE];
        let base = || path.strip_prefix(BASE)?.strip_prefix('/')?.parse::<Digest>().ok();
        let safe = match root {
            Root::Record => own.contains(&path) || base().is_some() || is_in_backup(path),
            Root::App | Root::Repository => RelPath::new(path).is_ok(),
        };
        safe.then(|| Self { root, path: path.to_owned() })
    }

    /// Whether it is the lock, which is put when everything else is done.
    pub(super) fn is_lock(&self) -> bool {
        self.root == Root::Record && self.path == LOCK
    }

    /// Whether it names pristine bytes by their digest: whatever else is there is wrong.
    pub(super) fn is_base(&self) -> bool {
        self.root == Root::Record && self.path.starts_with(BASE)
    }

    pub(super) fn root(&self) -> Root {
        self.root
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Names that a file system which ignores case takes for one fold to one.
    pub(super) fn folded(&self) -> (Root, String) {
        (self.root, self.path.to_lowercase())
    }
}

/// Whether it is the directory of all backups, that of one of them, or something in it.
fn is_in_backup(path: &str) -> bool {
    let Some(rest) = path.strip_prefix(BACKUP) else { return false };
    let mut parts = rest.splitn(3, '/').skip(1);
    let number = parts.next().is_none_or(|number| number.parse::<u32>().is_ok());
    (rest.is_empty() || rest.starts_with('/')) && number && parts.next().is_none_or(|path| RelPath::new(path).is_ok())
}

/// The operation at a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) enum Kind {
    /// The file or link is removed.
    Delete {
        /// The previous entry.
        before: Stamp,
    },
    /// The directory is removed if that leaves nothing else behind.
    RemoveDir,
    /// The directory is made.
    MakeDir,
    /// The file or link is put there, in place of what was there.
    Put {
        /// The previous entry.
        before: Option<Stamp>,
        /// The new entry.
        after: Stamp,
    },
}

/// One step of a change. Its number, which names its staged files, is its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct Operation {
    /// Where.
    pub(in crate::workspace) target: Target,
    /// What.
    pub(in crate::workspace) kind: Kind,
}

/// Where the roots are on this disk.
#[derive(Debug, Clone, Copy)]
pub(in crate::workspace) struct Places<'s> {
    site: &'s Site,
}

impl<'s> Places<'s> {
    pub(in crate::workspace) fn new(site: &'s Site) -> Self {
        Self { site }
    }

    /// The repository's root, or an app that is not a part of one: everything else is found from there.
    pub(in crate::workspace) fn root(&self) -> &'s Path {
        self.site.root()
    }

    /// The app's directory below the root; empty where it is the root.
    pub(super) fn app_way(&self) -> String {
        self.site.app_dir.as_ref().map_or_else(String::new, ToString::to_string)
    }

    pub(super) fn site(&self) -> &'s Site {
        self.site
    }

    /// The path of a target below the root.
    pub(super) fn way(&self, target: &Target) -> String {
        match (target.root, target.path.as_str()) {
            (Root::App, path) => self.site.in_repository(path),
            (Root::Repository, path) => path.to_owned(),
            (Root::Record, "") => self.site.in_repository(DIRECTORY),
            (Root::Record, path) => self.site.in_repository(&format!("{DIRECTORY}/{path}")),
        }
    }

    /// The whole path of a target, for messages.
    pub(super) fn path(&self, target: &Target) -> PathBuf {
        let mut full = self.root().to_path_buf();
        full.extend(self.way(target).split('/'));
        full
    }
}
