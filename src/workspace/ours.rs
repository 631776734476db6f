//! The project's files as a merge needs them: what is at the template's paths or in their way, and, where a file has
//! gone, every other file that it may be now.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::absent;
use super::files::Files;
use super::guard::in_the_way;
use super::locks;
use super::site::Site;
use super::stored::Room;
use super::walk;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::digest::Digest;
use crate::git::{self, Sparse};
use crate::limits::{Budget, MERGED};
use crate::lock::{Base, Bases, Recorded};
use crate::lock::{DIRECTORY, LOCK};
use crate::plan::Trees;
use crate::rooted::{Kind, Reader, Root};
use crate::scope::Scope;
use crate::tree::{Entry, RelPath, Tree};

/// The project's files for a merge of `bases` and `theirs`.
///
/// # Errors
///
/// Unreadable files, anything but files, directories and links, and more than the limit.
pub fn ours(site: &Site, bases: &Bases, theirs: &Trees, room: &Room) -> Result<Trees> {
    let held = &room.held;
    let app = Files::open(&site.app, &bases.files.app, held)?;
    let mut trees = Trees { app: app.at(&paths(&bases.files.app, &theirs.app, bases))?, repository: Tree::new() };
    refuse_directories(&site.app, &bases.files.app, &trees.app, &theirs.app)?;
    if site.app_dir.is_some() {
        let root = Files::open(site.root(), &bases.files.repository, held)?;
        trees.repository = root.at(&paths(&bases.files.repository, &theirs.repository, bases))?;
    }
    refuse_directories(site.root(), &bases.files.repository, &trees.repository, &theirs.repository)?;
    // At the repository's root, nothing is looked for: what is like a file that has gone may well be another app's.
    let gone = gone(&bases.files.app, &trees.app, bases);
    if !gone.is_empty() {
        let files: Vec<RelPath> =
            project_files(site)?.into_iter().filter(|path| !bases.files.app.contains_key(path)).collect();
        let left = left_behind(&gone, &files);
        let possible = candidates(&site.app, &gone, files, room)?;
        trees.app.extend(app.at(&possible.iter().collect())?);
        // Git lists a submodule like a file.
        let directories: HashSet<&str> = theirs.app.keys().flat_map(RelPath::ancestors).collect();
        for path in left.into_iter().filter(|path| !directories.contains(path.as_str())) {
            trees.app.entry(path).or_insert_with(|| Entry::file(b"".as_slice()));
        }
    }
    Ok(trees)
}

/// A file that a sparse checkout leaves out has not been deleted; what was merged into it could not be seen.
///
/// # Errors
///
/// Every such file, and when git fails.
pub fn refuse_left_out(site: &Site, bases: &Bases, ours: &Trees) -> Result<()> {
    if site.repository.is_none() {
        return Ok(());
    }
    let mut missing: Vec<String> = Vec::new();
    for (scope, (base, ours)) in bases.files.as_ref().zip(ours.as_ref()) {
        let gone = base.iter().filter(|(path, known)| !known.pristine.once && !ours.contains_key(path));
        let name = |path: &RelPath| match scope {
            Scope::App => site.in_repository(path.as_str()),
            Scope::Repository => path.to_string(),
        };
        missing.extend(gone.map(|(path, _)| name(path)));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let left_out = git::left_out(site.root(), missing.iter().map(String::as_str))?;
    let sparse = if left_out.is_empty() { None } else { Sparse::of(site.root())? };
    let tell = |path: &String| match &sparse {
        Some(sparse) => absent::left_out(site, sparse, path),
        None => Diagnostic::error(Code::NotCheckedOut, format!("`{path}` is left out: git was told to skip it"))
            .help("undo that with `git update-index --no-skip-worktree`, and check the file out"),
    };
    let problems: Vec<Diagnostic> = left_out.iter().map(tell).collect();
    if problems.is_empty() { Ok(()) } else { Err(Diagnostics(problems)) }
}

/// Refuses a directory in which the merge sees no file, where the template has a new one.
fn refuse_directories(root: &Path, base: &Base, ours: &Tree, theirs: &Tree) -> Result<()> {
    let seen: HashSet<&str> = ours.keys().flat_map(RelPath::ancestors).collect();
    let is_new = |path: &&RelPath| !base.contains_key(*path) && !ours.contains_key(*path);
    let is_directory = |path: &PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let new = theirs.keys().filter(is_new).filter(|path| !seen.contains(path.as_str()));
    let in_the_way: Vec<Diagnostic> = new
        .map(|path| path.below(root))
        .filter(is_directory)
        .flat_map(|path| in_the_way(&path, "is a directory, where the template has a file").0)
        .collect();
    if in_the_way.is_empty() { Ok(()) } else { Err(Diagnostics(in_the_way)) }
}

fn paths<'a>(base: &'a Base, theirs: &'a Tree, bases: &'a Bases) -> BTreeSet<&'a RelPath> {
    let moved = bases.moved.iter().filter(|(from, _)| base.contains_key(from)).map(|(_, to)| to);
    base.keys().chain(theirs.keys()).chain(moved).collect()
}

/// The files of the base that are neither in their place nor where they were moved before.
fn gone<'a>(base: &'a Base, ours: &Tree, bases: &Bases) -> Vec<(&'a RelPath, &'a Recorded)> {
    let stands =
        |path: &RelPath| ours.contains_key(path) || bases.moved.get(path).is_some_and(|moved| ours.contains_key(moved));
    base.iter().filter(|(path, recorded)| !recorded.pristine.once && !stands(path)).collect()
}

/// Every file below the app that is its own: git does not ignore it, and no other app made it.
pub(super) fn project_files(site: &Site) -> Result<Vec<RelPath>> {
    let files: Vec<String> = match site.repository {
        Some(_) => git::files(&site.app)?.into_iter().collect(),
        None => walk::files(&site.app)?,
    };
    let (apps, theirs) = other_apps(site, &files)?;
    let own = |path: &RelPath| !theirs.contains(path) && !path.ancestors().any(|above| apps.contains(above));
    Ok(files.iter().filter_map(|path| RelPath::new(path.as_str()).ok()).filter(own).collect())
}

/// The directories of other apps below this one, and what they have at the repository's root.
fn other_apps<'f>(site: &Site, files: &'f [String]) -> Result<(HashSet<&'f str>, HashSet<RelPath>)> {
    let end = format!("/{DIRECTORY}/{LOCK}");
    let paths = files.iter().filter(|path| path.ends_with(&end));
    let theirs = locks::at(&site.app, paths.map(String::as_str))?;
    let theirs = theirs.into_iter().flat_map(|lock| lock.files.repository.into_keys()).collect();
    Ok((files.iter().filter_map(|path| path.strip_suffix(&end)).collect(), theirs))
}

/// Of each directory that files have gone from, one file that is still in it: the user has not moved such a directory.
fn left_behind(gone: &[(&RelPath, &Recorded)], files: &[RelPath]) -> Vec<RelPath> {
    let mut open: HashSet<&str> = gone.iter().flat_map(|(path, _)| path.ancestors()).collect();
    let mut left = Vec::new();
    for path in files {
        let before = open.len();
        for above in path.ancestors() {
            open.remove(above);
        }
        left.extend((open.len() < before).then(|| path.clone()));
    }
    left
}

/// Those of `files` that may be one of the files that have gone: the same size, or a size that is near enough and the same
/// extension, name or directory, or the same name but for case. As many as can be held.
fn candidates(root: &Path, gone: &[(&RelPath, &Recorded)], files: Vec<RelPath>, room: &Room) -> Result<Vec<RelPath>> {
    let gone = Gone::new(gone, &room.large);
    let root = Root::open(root).map_err(|error| Diagnostic::io("cannot read", root, &error))?;
    let mut reader = Reader::new(&root);
    let budget = Budget::new(room.held.left() / 4 * 3);
    let is_possible = |path: &RelPath| match reader.stat(Path::new(path.as_str())) {
        Ok(Some((Kind::File | Kind::Link, length))) => gone.may_be(path, length) && budget.take(length),
        _ => false,
    };
    Ok(files.into_iter().filter(is_possible).collect())
}

/// The files that have gone.
struct Gone<'a> {
    sizes: BTreeSet<u64>,
    names: HashSet<String>,
    /// The sizes of those that are alike; none is known for a file whose base is lost.
    alike: HashMap<Alike<'a>, (bool, BTreeSet<u64>)>,
}

/// The lines that a file shares with one that may have been moved.
#[derive(PartialEq, Eq, Hash)]
enum Alike<'a> {
    Extension(Option<&'a str>),
    Name(String),
    Directory(&'a str),
}

impl<'a> Alike<'a> {
    fn of(path: &'a RelPath) -> [Self; 3] {
        let name = path.file_name();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem });
        let directory = path.ancestors().next().unwrap_or_default();
        [Self::Extension(extension(path)), Self::Name(stem.to_lowercase()), Self::Directory(directory)]
    }
}

impl<'a> Gone<'a> {
    fn new(gone: &[(&'a RelPath, &Recorded)], large: &BTreeMap<Digest, u64>) -> Self {
        let size = |recorded: &Recorded| match &recorded.entry {
            Some(entry) => Some(entry.bytes().len() as u64),
            None => large.get(&recorded.pristine.bytes()?).copied(),
        };
        let mut alike: HashMap<Alike<'_>, (bool, BTreeSet<u64>)> = HashMap::new();
        for (path, recorded) in gone {
            for way in Alike::of(path) {
                let (any, sizes) = alike.entry(way).or_default();
                *any |= size(recorded).is_none();
                sizes.extend(size(recorded));
            }
        }
        let sizes = gone.iter().filter_map(|(_, recorded)| size(recorded)).collect();
        Self { sizes, names: gone.iter().map(|(path, _)| path.as_str().to_lowercase()).collect(), alike }
    }

    fn may_be(&self, path: &RelPath, size: u64) -> bool {
        // Half of the larger one has to be in both, and line endings can make a file twice as large.
        let near = |sizes: &BTreeSet<u64>| sizes.range(size / 4..=size.saturating_mul(4)).next().is_some();
        let is_similar = |(any, sizes): &(bool, BTreeSet<u64>)| size <= MERGED && (*any || near(sizes));
        self.sizes.contains(&size)
            || Alike::of(path).iter().any(|way| self.alike.get(way).is_some_and(is_similar))
            || size <= MERGED && self.names.contains(&path.as_str().to_lowercase())
    }
}

fn extension(path: &RelPath) -> Option<&str> {
    path.file_name().rsplit_once('.').map(|(_, extension)| extension)
}
