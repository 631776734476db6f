//! A project as it is recorded: where it is, its lock, and what its base holds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use rayon::prelude::*;

use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git;
use crate::lock::{BASE, DIRECTORY, Digest, LOCK, Lock, base};
use crate::merge::Bases;

/// A sparse checkout leaves files out: git has them all the same.
const MISSING: &str = "is missing";

/// From so many files on, starting threads costs little in comparison.
const PARALLEL: usize = 64;

/// A project that create-app made.
#[derive(Debug)]
pub struct Project {
    /// Where it is.
    pub site: Site,
    /// What made it.
    pub lock: Lock,
    /// The digest of the lock's text.
    pub lock_digest: Digest,
    /// What was rendered, as far as it is known.
    pub bases: Bases,
    /// What the base's directory holds, and holds rightly.
    pub present: BTreeSet<Digest>,
    /// What is wrong with the base.
    pub broken: Vec<Diagnostic>,
}

impl Project {
    /// Reads the record of the project at `site`.
    ///
    /// # Errors
    ///
    /// Where there is no lock, or where it cannot be read. A base that is not whole is no error: see
    /// [`Project::broken`].
    pub fn read(site: Site) -> Result<Self> {
        let (lock, lock_digest) = read_lock(&site)?;
        let mut stored = BTreeMap::new();
        let mut problems = BTreeMap::new();
        let wanted: Vec<Digest> = lock.base().into_iter().collect();
        let read = |digest: &Digest| (*digest, read(&site, *digest));
        let found: Vec<_> = if wanted.len() < PARALLEL {
            wanted.iter().map(read).collect()
        } else {
            wanted.par_iter().with_min_len(32).map(read).collect()
        };
        for (digest, result) in found {
            match result {
                Ok(bytes) => drop(stored.insert(digest, bytes.into())),
                Err(problem) => drop(problems.insert(digest, problem)),
            }
        }
        let present = stored.keys().copied().collect();
        // What a sparse checkout leaves out is in git's index.
        for (digest, bytes) in from_git(&site, problems.keys(), git::staged) {
            if problems.get(&digest).is_some_and(|problem| problem == MISSING) {
                problems.remove(&digest);
            }
            stored.insert(digest, bytes.into());
        }
        // Of two branches that upgraded, each has removed bases that the other one's lock may still name.
        let lost: Vec<&Digest> = problems.keys().filter(|digest| !stored.contains_key(digest)).collect();
        let found = from_git(&site, lost.into_iter(), git::once_added);
        stored.extend(found.into_iter().map(|(digest, bytes)| (digest, bytes.into())));
        let broken = problems.iter().map(|(digest, problem)| broken(&lock, *digest, problem)).collect();
        let mut bases = Bases::new(&lock, &stored);
        if is_displaced(&site, &lock) {
            bases.repository.clear();
        }
        Ok(Self { site, lock, lock_digest, bases, present, broken })
    }

    /// A warning where the lock has files at the root of a repository that is not there: nobody knows where they are, and
    /// they are not judged.
    #[must_use]
    pub fn left_unchecked(&self) -> Option<Diagnostic> {
        let count = self.lock.repository_files.len();
        let files = if count == 1 { "1 file was" } else { &format!("{count} files were") };
        let title = format!("{files} not checked: no git repository is around `{}`", self.site.shown());
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
        let title =
            format!("`{shown}` was made as `{app_dir}` in a git repository, and no repository is around it now");
        Err(Diagnostic::error(Code::RepositoryMissing, title).help(FIND_ROOT).into())
    }
}

const FIND_ROOT: &str = "run `git init` in the directory that was the repository's root, then run the command again";

/// Whether the lock was written in a repository, below its root, and there is no repository.
fn is_displaced(site: &Site, lock: &Lock) -> bool {
    site.repository.is_none() && lock.app_dir.is_some()
}

/// What stands in the app's `.create-app` now and is committed with the project, by its name there; less the files of the
/// base that `stays` names, as reading them would take longer than all the rest.
///
/// # Errors
///
/// What cannot be read.
pub fn record(site: &Site, stays: impl Fn(&Digest) -> bool) -> Result<BTreeMap<String, Vec<u8>>> {
    let directory = site.app.join(DIRECTORY);
    let base = std::fs::read_dir(directory.join(BASE)).into_iter().flatten();
    let base = base.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let base =
        base.filter(|name| !name.parse().is_ok_and(|digest| stays(&digest))).map(|name| format!("{BASE}/{name}"));
    let names = [".gitattributes", ".gitignore", LOCK].map(str::to_owned).into_iter().chain(base);
    let mut found = BTreeMap::new();
    for name in names {
        let path = directory.join(&name);
        match std::fs::read(&path) {
            Ok(bytes) => drop(found.insert(name, bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Diagnostic::io("cannot read", &path, &error).into()),
        }
    }
    Ok(found)
}

fn read_lock(site: &Site) -> Result<(Lock, Digest)> {
    let path = site.app.join(DIRECTORY).join(LOCK);
    let name = site.name_of(&format!("{DIRECTORY}/{LOCK}"));
    let bytes = match std::fs::read(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            let title = format!("`{}` is no project made by create-app: it has no `{DIRECTORY}/{LOCK}`", site.shown());
            let help = "give the directory of the app, the one that holds `.create-app`";
            let problem = misplaced(site).unwrap_or_else(|| Diagnostic::error(Code::LockMissing, title).help(help));
            return Err(problem.into());
        }
        bytes => bytes.map_err(|error| Diagnostic::io("cannot read", &path, &error))?,
    };
    let digest = Digest::of(&bytes);
    match String::from_utf8(bytes) {
        Ok(text) => Ok((Lock::parse(text.trim_start_matches('\u{feff}'), &name)?, digest)),
        Err(_) => Err(Diagnostic::error(Code::LockInvalid, format!("`{name}` is not UTF-8"))
            .help("restore it from git: `git checkout -- .create-app/lock.toml`")
            .into()),
    }
}

/// Why a directory without a lock is not the one that was meant: it is not there, or an app is around it.
#[must_use]
pub fn misplaced(site: &Site) -> Option<Diagnostic> {
    let shown = site.shown();
    if !site.app.is_dir() {
        let title = format!("there is no directory `{shown}`");
        return Some(Diagnostic::error(Code::LockMissing, title).help("give the directory of the app"));
    }
    let outer = site.app.ancestors().skip(1).find(|outer| outer.join(DIRECTORY).join(LOCK).is_file())?;
    let title = format!("`{shown}` is no project made by create-app, but a part of one");
    let help = format!("give the directory of the app: `{}`", outer.display());
    Some(Diagnostic::error(Code::LockMissing, title).help(help))
}

/// The bytes that the base holds for a digest, or what is wrong with them.
fn read(site: &Site, digest: Digest) -> std::result::Result<Vec<u8>, String> {
    let path = site.app.join(DIRECTORY).join(BASE).join(digest.to_string());
    match std::fs::read(path) {
        Ok(encoded) => base::decode(digest, &encoded).map_err(|error| error.to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(MISSING.into()),
        Err(error) => Err(format!("cannot be read: {}", crate::diagnostic::io_reason(&error))),
    }
}

/// What git has of these files of the base, as `find` finds it; a git that fails has nothing.
fn from_git<'d>(
    site: &Site,
    digests: impl ExactSizeIterator<Item = &'d Digest>,
    find: impl Fn(&Path, &[&str]) -> Result<BTreeMap<String, Vec<u8>>>,
) -> Vec<(Digest, Vec<u8>)> {
    let Some(root) = site.repository.as_deref().filter(|_| digests.len() > 0) else { return Vec::new() };
    let digests: Vec<Digest> = digests.copied().collect();
    let paths = digests.iter().map(|digest| site.in_repository(&format!("{DIRECTORY}/{BASE}/{digest}")));
    let paths: Vec<String> = paths.collect();
    let found = find(root, &paths.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_or_default();
    let decoded = digests.iter().zip(&paths).filter_map(|(digest, path)| {
        let bytes = base::decode(*digest, found.get(path)?).ok()?;
        Some((*digest, bytes))
    });
    decoded.collect()
}

fn broken(lock: &Lock, digest: Digest, problem: &str) -> Diagnostic {
    let lines = lock.files.iter().chain(&lock.repository_files);
    let files: Vec<_> = lines.filter(|(_, pristine)| pristine.base() == Some(digest)).map(|(path, _)| path).collect();
    let name = files.first().map_or_else(|| digest.to_string(), ToString::to_string);
    let title = format!("the base of `{name}` {problem} (`{DIRECTORY}/{BASE}/{digest}`)");
    let help = format!("run `create-app upgrade`, or restore it from git: `git checkout HEAD -- {DIRECTORY}`");
    Diagnostic::error(Code::BaseBroken, title).help(help)
}
