//! A project as it is recorded: where it is, its lock, and what its base holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytes::Bytes;

use super::absent::absent_record;
use super::lock::{self, Decide, Decision, Read};
use super::site::Site;
use super::stored::{Folder, Problem, Problems, Room, Stored, from_elsewhere};
use crate::deflated::Inflater;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::digest::Digest;
use crate::git;
use crate::limits::{Budget, INFLATED};
use crate::lock::Bases;
use crate::lock::{BASE, DIRECTORY, LOCK, Lock};
use crate::plan::Trees;
use crate::tree::{Entry, RelPath};

/// A project that create-app made.
#[derive(Debug)]
pub struct Project {
    /// Where it is.
    pub site: Site,
    /// Its record.
    pub lock: Lock,
    /// The digest of the lock's text.
    pub lock_digest: Digest,
    /// What one side of the lock has, where git left it in conflict and [`Project::lock`] is made of both.
    pub merging: Option<Box<Lock>>,
    /// What was rendered, as far as it is known and was needed so far.
    pub bases: Bases,
    /// What the base's directory holds, and holds rightly.
    pub present: BTreeSet<Digest>,
    /// The problem of the base.
    pub broken: Vec<Diagnostic>,
    /// The memory that may still be held of the project.
    pub room: Room,
    /// Where large files of the base are read from when they are needed.
    pub(super) folder: Folder,
}

impl Project {
    /// Reads the record of the project at `site`. Every file of the base is checked; the large ones are not held until
    /// [`crate::workspace::complete`] asks for them.
    ///
    /// # Errors
    ///
    /// If there is no lock, or if the record cannot be read. A base that is not whole is not an error: see
    /// [`Project::broken`].
    pub fn read(site: Site) -> Result<Self> {
        Self::read_deciding(site, &mut |_| Ok(Decision::Open))
    }

    /// The same; where git left the lock in conflict and its sides exclude each other, `decide` is asked.
    ///
    /// # Errors
    ///
    /// As [`Project::read`].
    pub fn read_deciding(site: Site, decide: Decide<'_>) -> Result<Self> {
        let Read { lock, digest: lock_digest, merging } = lock::read(&site, decide)?.ok_or_else(|| no_lock(&site))?;
        let mut room = Room::default();
        let folder = Folder::open(&site)?;
        let wanted: Vec<Digest> = lock.base().into_iter().collect();
        let (mut stored, mut problems) = (BTreeMap::new(), Problems::new());
        for (digest, result) in folder.read(&wanted, &room.held)? {
            match result {
                Ok(Stored::Bytes(bytes)) => drop(stored.insert(digest, bytes)),
                Ok(Stored::Large(length)) => drop(room.large.insert(digest, length)),
                Err(problem) => drop(problems.insert(digest, problem)),
            }
        }
        let present = stored.keys().chain(room.large.keys()).copied().collect();
        // What a sparse checkout leaves out is in git's index.
        for (digest, bytes) in from_git(&site, problems.keys(), &room.held, git::staged) {
            if problems.get(&digest) == Some(&Problem::Missing) {
                problems.remove(&digest);
            }
            stored.insert(digest, bytes);
        }
        // Of two branches that upgraded, each has removed bases that the other one's lock may still name.
        let lost: Vec<&Digest> = problems.keys().filter(|digest| !stored.contains_key(digest)).collect();
        stored.extend(from_git(&site, lost.into_iter(), &room.held, git::once_added));
        let broken = broken(&lock, &problems);
        let mut bases = Bases::new(&lock, &stored);
        if is_displaced(&site, &lock) {
            bases.files.repository.clear();
        }
        Ok(Self { site, lock, lock_digest, merging, bases, present, broken, room, folder })
    }

    /// A project that has no record, as it would be recorded: with these files, and this lock of them.
    ///
    /// # Errors
    ///
    /// If the app's directory cannot be opened.
    pub fn unrecorded(site: Site, lock: Lock, rendered: &Trees) -> Result<Self> {
        let entries = rendered.entries().map(|(_, entry)| entry);
        let bytes = |entry: &Entry| match entry {
            Entry::File { bytes, .. } => bytes.clone(),
            Entry::Symlink { target } => Bytes::from(target.clone().into_bytes()),
        };
        let stored = entries.map(|entry| (Digest::of(entry.bytes()), bytes(entry))).collect();
        let bases = Bases::new(&lock, &stored);
        let folder = Folder::open(&site)?;
        Ok(Self {
            site,
            lock_digest: Digest::of(b""),
            lock,
            merging: None,
            bases,
            present: BTreeSet::new(),
            broken: Vec::new(),
            room: Room::default(),
            folder,
        })
    }

    /// That git left the lock in conflict, if it did. The project's lock is one of both sides then.
    #[must_use]
    pub fn in_conflict(&self) -> Option<Diagnostic> {
        self.merging.as_ref().map(|_| lock::in_conflict(&self.site))
    }

    /// A warning where the lock has files at the root of a repository that is not there: nobody knows where they are, and
    /// they are not judged.
    #[must_use]
    pub fn left_unchecked(&self) -> Option<Diagnostic> {
        let count = self.lock.files.repository.len();
        let files = if count == 1 { "1 file was" } else { &format!("{count} files were") };
        let title = format!("{files} not checked: `{}` is not in a git repository", self.site.shown());
        let is_left = is_displaced(&self.site, &self.lock) && count > 0;
        is_left.then(|| Diagnostic::warning(Code::RepositoryMissing, title).help(FIND_ROOT))
    }

    /// Refuses a project whose repository is missing. Files belong at its root, and only git says where that is: a lock can
    /// come from anybody.
    ///
    /// # Errors
    ///
    /// Says what to do.
    pub fn refuse_displaced(&self) -> Result<()> {
        let Some(app_dir) = self.lock.app_dir.as_ref().filter(|_| is_displaced(&self.site, &self.lock)) else {
            return Ok(());
        };
        let shown = self.site.shown();
        let title = format!("`{shown}` was created as `{app_dir}` in a git repository, and is not in one now");
        Err(Diagnostic::error(Code::RepositoryMissing, title).help(FIND_ROOT).into())
    }
}

const FIND_ROOT: &str = "run `git init` in the directory that was the repository's root, then run the command again";

/// Whether the lock was written in a repository, below its root, and there is no repository.
fn is_displaced(site: &Site, lock: &Lock) -> bool {
    site.repository.is_none() && lock.app_dir.is_some()
}

fn no_lock(site: &Site) -> Diagnostics {
    if let Err(problems) = refuse_absent(site) {
        return problems;
    }
    let title = format!("`{}` was not created by create-app: it has no `{DIRECTORY}/{LOCK}`", site.shown());
    let help = "pass the app's directory, the one that contains `.create-app`";
    misplaced(site).unwrap_or_else(|| Diagnostic::error(Code::LockMissing, title).help(help)).into()
}

/// Refuses a project whose lock is not on the disk although git holds it: it has a record.
///
/// # Errors
///
/// Names the command that brings it back; and when git fails.
pub fn refuse_absent(site: &Site) -> Result<()> {
    absent_record(site)?.map_or(Ok(()), |problem| Err(problem.into()))
}

/// Why a directory without a lock is not the one that was meant: it is not there, or an app is around it.
#[must_use]
pub fn misplaced(site: &Site) -> Option<Diagnostic> {
    let shown = site.shown();
    if !site.app.is_dir() {
        let title = format!("there is no directory `{shown}`");
        return Some(Diagnostic::error(Code::LockMissing, title).help("pass the app's directory"));
    }
    let outer = site.app.ancestors().skip(1).find(|outer| outer.join(DIRECTORY).join(LOCK).is_file())?;
    let title = format!("`{shown}` is not a project created by create-app, but a part of one");
    let help = format!("pass the app's directory: `{}`", outer.display());
    Some(Diagnostic::error(Code::LockMissing, title).help(help))
}

/// Git's version of these files of the base, as `find` finds it; a git that fails has nothing.
fn from_git<'d>(
    site: &Site,
    digests: impl ExactSizeIterator<Item = &'d Digest>,
    held: &Budget,
    find: impl Fn(&Path, &[&str]) -> Result<BTreeMap<String, Vec<u8>>>,
) -> Vec<(Digest, Bytes)> {
    let Some(root) = site.repository.as_deref().filter(|_| digests.len() > 0) else { return Vec::new() };
    let digests: Vec<Digest> = digests.copied().collect();
    let paths = digests.iter().map(|digest| site.in_repository(&format!("{DIRECTORY}/{BASE}/{digest}")));
    let paths: Vec<String> = paths.collect();
    let found = find(root, &paths.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_or_default();
    let (mut inflater, inflated) = (Inflater::default(), Budget::new(INFLATED));
    let decoded = digests.iter().zip(&paths).filter_map(|(digest, path)| {
        Some((*digest, from_elsewhere(*digest, found.get(path)?, &mut inflater, &inflated, held)?))
    });
    decoded.collect()
}

fn broken(lock: &Lock, problems: &Problems) -> Vec<Diagnostic> {
    if problems.is_empty() {
        return Vec::new();
    }
    let lines = lock.files.entries().rev();
    let files: BTreeMap<Digest, &RelPath> =
        lines.filter_map(|(path, pristine)| Some((pristine.base()?, path))).collect();
    let tell = |(digest, problem): (&Digest, &Problem)| {
        let name = files.get(digest).map_or_else(|| digest.to_string(), ToString::to_string);
        let what = match problem {
            Problem::Missing => "is missing",
            Problem::Broken(what) => what,
        };
        let title = format!("the base of `{name}` {what} (`{DIRECTORY}/{BASE}/{digest}`)");
        let help = format!("run `create-app upgrade`, or restore it from git: `git checkout HEAD -- {DIRECTORY}`");
        Diagnostic::error(Code::BaseBroken, title).help(help)
    };
    problems.iter().map(tell).collect()
}
