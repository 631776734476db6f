//! How a project was created, as the project itself records it: the lock and the base.
//!
//! `.create-app/lock.toml` is a [`Lock`]: the template, the answers, and one line for each file of the pristine render.
//! `.create-app/base/<digest>` holds those files' bytes, see [`deflated`](crate::deflated). [`record`] makes both from what was rendered. The
//! project commits them, so that an upgrade or a check needs neither the network nor the old template nor git's history.

mod base;
mod read;
mod record;
mod sides;
mod write;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use base::entry;
pub use base::{Base, Bases, Recorded};
pub use record::{GITATTRIBUTES, GITIGNORE, Record, Rendered, record};
pub use sides::{Contradiction, Sides};

use crate::date::Date;
use crate::digest::Digest;
use crate::placeholders::Answer;
use crate::scope::{Scope, Scoped};
use crate::template::Reference;
use crate::tree::{Mode, RelPath};

/// The directory, below the app, that belongs to create-app.
pub const DIRECTORY: &str = ".create-app";
/// The lock's name below [`DIRECTORY`].
pub const LOCK: &str = "lock.toml";
/// The base's directory below [`DIRECTORY`].
pub const BASE: &str = "base";
/// The newest format of the lock that this version reads. It is written where the lock has something that the older ones have not:
/// digests of formatted files.
pub const FORMAT: u32 = 3;
/// The format of a lock that has a requirement for the template's releases.
pub const RELEASES: u32 = 2;
/// The oldest format, which is written where it is enough.
pub const OLDEST: u32 = 1;

/// The lock's entry for a file of the project's own that an upgrade left in conflict.
const MARKED: &str = "in the file";
/// The record of submodules that are left out.
const SKIPPED: &str = "skipped";

/// How a project was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The template and its revision.
    pub template: LockedTemplate,
    /// The app below the repository's root; `None` if it is the root.
    pub app_dir: Option<RelPath>,
    /// The answers, without those that the template calls secret.
    pub answers: BTreeMap<String, Answer>,
    /// The date that the files show, where they show one.
    pub date: Option<Date>,
    /// Every pristine path, also those that the user deleted or moved.
    pub files: Scoped<BTreeMap<RelPath, Pristine>>,
    /// Where the user moved a pristine path.
    pub moved: BTreeMap<RelPath, RelPath>,
    /// The conflicts that the upgrade that wrote this lock left.
    pub conflicts: Conflicts,
}

/// What an upgrade left for the user to decide: nothing else in a project is a conflict of its.
pub type Conflicts = Scoped<BTreeMap<RelPath, Conflicted>>;

/// What was left at one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicted {
    /// The project's own file, with conflict markers in it or for git to resolve.
    File,
    /// A file that was put beside another one, as it was written.
    Beside(Pristine),
}

/// The template as the lock names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedTemplate {
    /// `embedded`, a directory, or the address of a repository.
    pub source: String,
    /// The branch, tag or commit of a repository that is followed.
    pub reference: Reference,
    /// The template inside the source, where the source holds several.
    pub subfolder: Option<String>,
    /// Whether its submodules are left out.
    pub skips_submodules: bool,
    /// The template's own version, where it has one.
    pub version: Option<String>,
    /// The git commit, or the digest of the template's tree.
    pub revision: String,
    /// The digest of the template's tree where the revision is a commit: most commits of a repository that holds more than the
    /// template do not change it.
    pub digest: Option<String>,
}

impl LockedTemplate {
    /// Whether the template is in a git repository: then the revision is a commit.
    #[must_use]
    pub fn is_in_git(&self) -> bool {
        is_commit(&self.revision)
    }

    /// The label of this state of the template.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        label(self.reference.tag().or(self.version.as_deref()), &self.revision)
    }
}

/// At most this much of a version is shown, in bytes: conflict markers and summaries have it in each line.
const MAX_VERSION: usize = 100;

/// The label of a state of a template: its version, or the beginning of it where a stranger's is endless; or, where it has none, as
/// much of the commit as tells it from others.
#[must_use]
pub fn label(version: Option<&str>, revision: &str) -> Option<String> {
    let commit = || Some(revision).filter(|revision| is_commit(revision)).and_then(|revision| revision.get(..8));
    let version = version.map(|version| match version.floor_char_boundary(MAX_VERSION) {
        end if end < version.len() => format!("{}…", &version[..end]),
        _ => version.to_owned(),
    });
    version.or_else(|| commit().map(str::to_owned))
}

fn is_commit(revision: &str) -> bool {
    [40, 64].contains(&revision.len()) && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// One file as it was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pristine {
    /// Its mode.
    pub mode: Mode,
    /// The digest of its bytes; none for a file that depends on a secret, because a short secret can be guessed from it.
    pub digest: Option<Digest>,
    /// For a file that depends on a secret, the digest of its bytes with markers in place of the secrets, where the base keeps those.
    pub masked: Option<Digest>,
    /// The digest of the file when it is formatted, where that is what the project was given, and differs.
    pub formatted: Option<Digest>,
    /// Whether it is the app's own since it was rendered: no upgrade touches it, so its bytes are not kept.
    pub once: bool,
    /// Whether it is larger than [`deflated::LIMIT`](crate::deflated::LIMIT): its bytes are not kept.
    pub large: bool,
}

impl Pristine {
    /// The digest under which the base keeps the file's bytes, where it keeps them.
    #[must_use]
    pub fn bytes(&self) -> Option<Digest> {
        self.digest.filter(|_| !self.once && !self.large)
    }

    /// The digest of what the base keeps for the file: its bytes, or those with markers in place of the secrets.
    #[must_use]
    pub fn base(&self) -> Option<Digest> {
        self.bytes().or(self.masked)
    }
}

impl Lock {
    /// Whether a file is at a path.
    #[must_use]
    pub fn lists(&self, scope: Scope, path: &str) -> bool {
        RelPath::new(path).is_ok_and(|path| self.files.of(scope).contains_key(&path))
    }

    /// Everything that the base must hold for this lock, and all that it may hold.
    #[must_use]
    pub fn base(&self) -> BTreeSet<Digest> {
        self.files.entries().filter_map(|(_, pristine)| pristine.base()).collect()
    }
}

#[cfg(test)]
mod tests;
