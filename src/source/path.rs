//! A template in a directory.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::address::{Address, without_credentials};
use super::files::{Files, ManifestFile, read};
use super::{Loaded, MAX_FILES, MAX_SIZE, too_large};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::template::MANIFEST;
use crate::tree::{Entry, RelPath, Tree};

/// From so many files on, starting threads costs little in comparison.
const PARALLEL: usize = 64;

/// A template's directory.
#[derive(Debug)]
pub struct Directory<'a> {
    path: &'a Path,
    source: &'a str,
}

impl<'a> Directory<'a> {
    /// Opens a directory. `source` is the user's own spelling of it.
    ///
    /// # Errors
    ///
    /// Where no directory is there.
    pub fn open(path: &'a Path, source: &'a str) -> Result<Self> {
        check_directory(path, source)?;
        Ok(Self { path, source })
    }

    fn at(&self, folder: &str) -> PathBuf {
        if folder.is_empty() { self.path.to_path_buf() } else { self.path.join(folder) }
    }
}

impl Files for Directory<'_> {
    fn source(&self) -> &str {
        self.source
    }

    fn name_of(&self, folder: &str) -> String {
        self.at(folder).to_string_lossy().replace('\\', "/")
    }

    fn is_folder(&self, folder: &RelPath) -> bool {
        folder.below(self.path).is_dir()
    }

    /// A symbolic link on the way could lead anywhere.
    fn leads_out(&self, folder: &RelPath) -> Result<bool> {
        let path = folder.below(self.path);
        let canonical =
            |path: &Path| std::fs::canonicalize(path).map_err(|error| Diagnostic::io("cannot read", path, &error));
        Ok(!canonical(&path)?.starts_with(canonical(self.path)?))
    }

    fn manifest(&self, folder: &str) -> Result<Option<ManifestFile>> {
        let path = self.at(folder).join(MANIFEST);
        match std::fs::read(&path) {
            Ok(bytes) => ManifestFile::new(path.to_string_lossy().replace('\\', "/"), bytes).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Diagnostic::io("cannot read", &path, &error).into()),
        }
    }

    fn templates_below(&self, folder: &str) -> Result<Vec<String>> {
        let root = self.at(folder);
        let mut found = Vec::new();
        let mut walk = WalkDir::new(&root).min_depth(1).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = entry.map_err(|error| walk_error(&root, &error))?;
            if !entry.file_type().is_dir() {
                continue;
            }
            if entry.file_name() == ".git" {
                walk.skip_current_dir();
            } else if entry.path().join(MANIFEST).is_file() {
                let relative = entry.path().strip_prefix(&root).unwrap_or(entry.path());
                found.push(relative.to_string_lossy().replace('\\', "/"));
                walk.skip_current_dir();
            }
        }
        Ok(found)
    }

    fn tree(&self, folder: &str) -> Result<Tree> {
        read_tree(&self.at(folder))
    }
}

/// Reads the template in `directory`, or in `subfolder` of it. `source` is what the lock remembers: the user's own spelling.
///
/// # Errors
///
/// Says what is missing or cannot be read, and every problem of the manifest.
pub fn from_path(directory: &Path, source: &str, subfolder: Option<&str>) -> Result<Loaded> {
    read(&Directory::open(directory, source)?, subfolder)
}

/// Checks that a template can be here at all.
///
/// # Errors
///
/// Where no directory is there.
pub fn check_directory(directory: &Path, source: &str) -> Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let what = if directory.exists() { "is not a directory" } else { "does not exist" };
    let remote = matches!(Address::parse(source), Ok(Address::Url { .. }));
    let help = if remote { "give a repository with --git" } else { "give the directory of a template" };
    let shown = without_credentials(source);
    Err(Diagnostic::error(Code::TemplateNotFound, format!("the template `{shown}` {what}")).help(help).into())
}

/// Reads every file below `root` but the manifest and the repository at the root.
///
/// # Errors
///
/// Every path that no project may have, or what cannot be read.
pub fn read_tree(root: &Path) -> Result<Tree> {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    let mut size = 0;
    let mut walk = WalkDir::new(root).min_depth(1).into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| walk_error(root, &error))?;
        if entry.file_type().is_dir() {
            // A directory that no project may have is one problem, however many files it has.
            let refused = if is_metadata(&entry) { None } else { relative(root, &entry).err() };
            if is_metadata(&entry) || refused.is_some() {
                walk.skip_current_dir();
            }
            problems.extend(refused);
            continue;
        }
        if is_metadata(&entry) {
            continue;
        }
        size += entry.metadata().map_or(0, |metadata| metadata.len());
        if size > MAX_SIZE || found.len() >= MAX_FILES {
            return Err(too_large().into());
        }
        match relative(root, &entry) {
            Ok(path) => found.push((path, entry.into_path())),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        problems.sort_by(|a, b| a.title.cmp(&b.title));
        return Err(Diagnostics(problems));
    }
    let read = |(path, file): (RelPath, PathBuf)| Ok((path, read_entry(&file)?));
    if found.len() < PARALLEL {
        return found.into_iter().map(read).collect();
    }
    found.into_par_iter().with_min_len(64).map(read).collect()
}

/// The manifest, and the template's own repository.
fn is_metadata(entry: &DirEntry) -> bool {
    entry.depth() == 1 && [".git", MANIFEST].iter().any(|name| entry.file_name() == *name)
}

fn relative(root: &Path, entry: &DirEntry) -> std::result::Result<RelPath, Diagnostic> {
    let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let refuse = |reason: &str| {
        let kind = if entry.file_type().is_dir() { "directory" } else { "file" };
        Diagnostic::error(Code::UnsafePath, format!("the template's {kind} `{}` {reason}", relative.display()))
            .help(format!("rename or remove the {kind} in the template"))
    };
    let parts: Option<Vec<&str>> = relative.components().map(|component| component.as_os_str().to_str()).collect();
    let parts = parts.ok_or_else(|| refuse("has a name that is not UTF-8"))?;
    RelPath::new(parts.join("/")).map_err(|reason| refuse(&reason.to_string()))
}

fn read_entry(path: &Path) -> Result<Entry> {
    let failed = |error: std::io::Error| Diagnostic::io("cannot read", path, &error);
    let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
    if metadata.is_symlink() {
        let target = std::fs::read_link(path).map_err(failed)?;
        let target = target.to_str().ok_or_else(|| {
            Diagnostic::error(
                Code::UnsafePath,
                format!("the symbolic link `{}` has a target that is not UTF-8", path.display()),
            )
            .help("rename the target in the template")
        })?;
        return Ok(Entry::Symlink { target: target.replace(std::path::MAIN_SEPARATOR, "/") });
    }
    if !metadata.is_file() {
        return Err(Diagnostic::error(
            Code::UnsafePath,
            format!("`{}` is neither a file nor a directory", path.display()),
        )
        .help("remove it from the template: only files, directories and symbolic links can be copied")
        .into());
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    Ok(Entry::File { bytes: bytes.into(), executable: is_executable(&metadata) })
}

/// Whether the owner may execute the file; never so where files have no such bit.
#[cfg(unix)]
pub(crate) fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

/// Whether the owner may execute the file; never so where files have no such bit.
#[cfg(not(unix))]
pub(crate) fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

fn walk_error(root: &Path, error: &walkdir::Error) -> Diagnostic {
    let path = error.path().unwrap_or(root);
    match error.io_error() {
        Some(io) => Diagnostic::io("cannot read", path, io),
        None => Diagnostic::error(Code::TemplateNotFound, format!("cannot read `{}`", path.display()))
            .help("check the path"),
    }
}
