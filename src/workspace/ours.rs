//! The project's files as a merge needs them: what stands at the template's paths or in their way, and, where a file has
//! gone, every other file that it may be now.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::WalkDir;

use super::guard::{Seen, in_the_way, look};
use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git;
use crate::lock::{DIRECTORY, LOCK, Lock};
use crate::merge::{Base, Bases, Recorded};
use crate::plan::Trees;
use crate::tree::{Entry, RelPath, Tree};

/// Files above this size, in bytes, are not read to find out whether they are ones that were moved and edited.
const LIMIT: u64 = 8 << 20;

/// The project's files for a merge of `bases` and `theirs`.
///
/// # Errors
///
/// What cannot be read, and what is neither a file nor a directory nor a link.
pub fn ours(site: &Site, bases: &Bases, theirs: &Trees) -> Result<Trees> {
    let mut trees = Trees { app: at(&site.app, &paths(&bases.app, &theirs.app, bases))?, repository: Tree::new() };
    refuse_directories(&site.app, &bases.app, &trees.app, &theirs.app)?;
    if site.app_dir.is_some() {
        trees.repository = at(site.root(), &paths(&bases.repository, &theirs.repository, bases))?;
    }
    refuse_directories(site.root(), &bases.repository, &trees.repository, &theirs.repository)?;
    // At the repository's root, nothing is looked for: what is like a file that has gone may well be another app's.
    let gone = gone(&bases.app, &trees.app, bases);
    if !gone.is_empty() {
        let files = project_files(site)?.into_iter().filter(|path| !bases.app.contains_key(path)).collect();
        trees.app.extend(candidates(&site.app, &gone, files)?);
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
    let mut problems = Vec::new();
    let sides = [(&site.app, &bases.app, &ours.app), (&site.root().to_path_buf(), &bases.repository, &ours.repository)];
    for (root, base, ours) in sides {
        let missing = base.iter().filter(|(path, known)| !known.pristine.once && !ours.contains_key(path));
        let left_out = git::left_out(root, missing.map(|(path, _)| path.as_str()))?;
        problems.extend(left_out.iter().map(|path| {
            Diagnostic::error(Code::NotCheckedOut, format!("`{path}` is left out by this sparse checkout"))
                .help("check it out with `git sparse-checkout add`, or upgrade in a complete clone")
        }));
    }
    if problems.is_empty() { Ok(()) } else { Err(Diagnostics(problems)) }
}

/// Refuses a directory in which the merge sees no file, where the template has a new one.
fn refuse_directories(root: &Path, base: &Base, ours: &Tree, theirs: &Tree) -> Result<()> {
    let is_new = |path: &&RelPath| !base.contains_key(*path) && !ours.contains_key(*path);
    let is_directory = |path: &PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let is_seen = |path: &&RelPath| ours.keys().any(|ours| ours.ancestors().any(|above| above == path.as_str()));
    let new = theirs.keys().filter(is_new).filter(|path| is_directory(&path.below(root)));
    let in_the_way: Vec<Diagnostic> = new
        .filter(|path| !is_seen(path))
        .flat_map(|path| in_the_way(&path.below(root), "is a directory, where the template has a file").0)
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

/// What stands at these paths below `root`, or in their way: a file or link where they have a directory, and one file of a
/// directory that has the name of one of them.
///
/// # Errors
///
/// What cannot be read, and what is neither a file nor a directory nor a link.
pub(super) fn at(root: &Path, paths: &BTreeSet<&RelPath>) -> Result<Tree> {
    let paths: Vec<&RelPath> = paths.iter().copied().collect();
    let read = |known: &mut HashSet<PathBuf>, path: &&RelPath| stands(root, path, known);
    let found: Vec<_> = if paths.len() < 64 {
        let mut known = HashSet::new();
        paths.iter().map(|path| read(&mut known, path)).collect::<Result<_>>()?
    } else {
        paths.par_iter().with_min_len(64).map_init(HashSet::new, read).collect::<Result<_>>()?
    };
    Ok(found.into_iter().flatten().collect())
}

fn stands(root: &Path, path: &RelPath, known: &mut HashSet<PathBuf>) -> Result<Option<(RelPath, Entry)>> {
    let ancestors: Vec<&str> = path.ancestors().collect();
    for directory in ancestors.into_iter().rev() {
        let full = root.join(directory);
        if known.contains(&full) {
            continue;
        }
        match full.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => drop(known.insert(full)),
            Ok(_) => return Ok(entry(&full)?.zip(RelPath::new(directory).ok()).map(|(entry, path)| (path, entry))),
            Err(_) => return Ok(None),
        }
    }
    let full = path.below(root);
    if full.is_dir() && !full.is_symlink() {
        return Ok(first_file(root, &full));
    }
    Ok(entry(&full)?.map(|entry| (path.clone(), entry)))
}

fn entry(path: &Path) -> Result<Option<Entry>> {
    match look(path).map_err(|error| Diagnostic::io("cannot read", path, &error))? {
        Seen::Nothing => Ok(None),
        Seen::Entry(entry) => Ok(Some(entry)),
        Seen::Other => {
            let title = format!("`{}` is neither a file nor a link, where the template has a file", path.display());
            Err(Diagnostic::error(Code::TargetExists, title)
                .help("move it out of the way, then run the command again")
                .into())
        }
    }
}

/// One file below a directory, which makes the directory known to the merge.
fn first_file(root: &Path, directory: &Path) -> Option<(RelPath, Entry)> {
    let mut files = WalkDir::new(directory).sort_by_file_name().into_iter().filter_map(std::result::Result::ok);
    files.find_map(|file| {
        let path = relative(root, file.path())?;
        match look(file.path()) {
            Ok(Seen::Entry(entry)) => Some((path, entry)),
            _ => None,
        }
    })
}

fn relative(root: &Path, path: &Path) -> Option<RelPath> {
    let parts: Option<Vec<&str>> = path.strip_prefix(root).ok()?.iter().map(|part| part.to_str()).collect();
    RelPath::new(parts?.join("/")).ok()
}

/// Every file below the app that is its own: git does not ignore it, and no other app made it.
fn project_files(site: &Site) -> Result<Vec<RelPath>> {
    let files: Vec<String> = if site.repository.is_some() {
        git::files(&site.app)?.into_iter().collect()
    } else {
        let mut walk = ignore::WalkBuilder::new(&site.app);
        let files = walk.hidden(false).require_git(false).build().filter_map(std::result::Result::ok);
        let files = files.filter(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir()));
        let relative = |entry: ignore::DirEntry| {
            let path = entry.path().strip_prefix(&site.app).ok()?.to_str()?;
            Some(if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() })
        };
        files.filter_map(relative).collect()
    };
    let (apps, theirs) = other_apps(site, &files);
    let own = |path: &RelPath| !theirs.contains(path) && !path.ancestors().any(|above| apps.contains(above));
    Ok(files.iter().filter_map(|path| RelPath::new(path.as_str()).ok()).filter(own).collect())
}

/// The directories of other apps below this one, and what they have at the repository's root.
fn other_apps<'f>(site: &Site, files: &'f [String]) -> (HashSet<&'f str>, HashSet<RelPath>) {
    let lock = format!("/{DIRECTORY}/{LOCK}");
    let apps: HashSet<&str> = files.iter().filter_map(|path| path.strip_suffix(lock.as_str())).collect();
    let locks = apps.iter().filter_map(|app| {
        let text = std::fs::read_to_string(site.app.join(app).join(DIRECTORY).join(LOCK)).ok()?;
        Lock::parse(&text, LOCK).ok()
    });
    let theirs = locks.flat_map(|lock| lock.repository_files.into_keys()).collect();
    (apps, theirs)
}

/// Those of `files` that may be one of the files that have gone: the same size, or the same extension.
fn candidates(root: &Path, gone: &[(&RelPath, &Recorded)], files: Vec<RelPath>) -> Result<Tree> {
    let sizes: HashSet<u64> =
        gone.iter().filter_map(|(_, recorded)| Some(recorded.entry.as_ref()?.bytes().len() as u64)).collect();
    let extensions: HashSet<Option<&str>> = gone.iter().map(|(path, _)| extension(path)).collect();
    let possible = files.into_iter().filter(|path| {
        let Ok(metadata) = path.below(root).symlink_metadata() else { return false };
        let similar = metadata.len() <= LIMIT && extensions.contains(&extension(path));
        !metadata.is_dir() && (sizes.contains(&metadata.len()) || similar)
    });
    let possible: Vec<RelPath> = possible.collect();
    at(root, &possible.iter().collect())
}

fn extension(path: &RelPath) -> Option<&str> {
    path.file_name().rsplit_once('.').map(|(_, extension)| extension)
}

/// The names of what stands beside the files at these paths: `NAME.theirs` and `NAME.orig`, by the file's path.
#[must_use]
pub(super) fn beside(root: &Path, paths: &BTreeSet<&RelPath>) -> BTreeMap<RelPath, RelPath> {
    let directories: BTreeSet<&str> = paths.iter().map(|path| path.ancestors().next().unwrap_or_default()).collect();
    let mut found = BTreeMap::new();
    for directory in directories {
        let names = std::fs::read_dir(root.join(directory)).into_iter().flatten();
        let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for name in names {
            let Some(stem) = name.strip_suffix(".theirs").or_else(|| name.strip_suffix(".orig")) else { continue };
            let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
            let numbered = stem.rsplit_once('.').filter(|(_, n)| n.parse::<u32>().is_ok()).map(|(stem, _)| stem);
            let file = [Some(stem), numbered].into_iter().flatten();
            let mut file = file.filter_map(|stem| RelPath::new(format!("{prefix}{stem}")).ok());
            if let (Some(file), Ok(beside)) =
                (file.find(|file| paths.contains(file)), RelPath::new(format!("{prefix}{name}")))
                && !paths.contains(&beside)
            {
                found.insert(file, beside);
            }
        }
    }
    found
}
