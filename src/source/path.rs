//! A template in a directory. The way to it is the user's own; nothing in it leads out.

use std::path::{Path, PathBuf};

use super::Loaded;
use super::address::Address;
use super::caches::is_cache;
use super::files::{Files, ManifestFile, read};
use super::tree::read_tree;
use crate::credentials::without_credentials;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::limits::SETTINGS;
use crate::rooted::{Failure, Kind, Reader, Root};
use crate::template::MANIFEST;
use crate::tree::{RelPath, Tree};

/// A template's directory.
#[derive(Debug)]
pub struct Directory<'a> {
    root: Root,
    source: &'a str,
}

impl<'a> Directory<'a> {
    /// Opens a directory. `source` is the user's own spelling of it.
    ///
    /// # Errors
    ///
    /// If no directory is there.
    pub fn open(path: &Path, source: &'a str) -> Result<Self> {
        check_directory(path, source)?;
        let root = Root::open(path).map_err(|error| Diagnostic::io("cannot read", path, &error))?;
        Ok(Self { root, source })
    }

    fn at(&self, folder: &str) -> PathBuf {
        if folder.is_empty() { self.root.path().to_path_buf() } else { self.root.path().join(folder) }
    }

    fn unreadable(&self, folder: &str, failure: &Failure) -> Diagnostic {
        failure.diagnostic("cannot read", &self.at(folder))
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
        matches!(self.root.descend(folder.as_str()), Ok(_) | Err(Failure::Link(_)))
    }

    /// A symbolic link on the way could lead anywhere.
    fn leads_out(&self, folder: &RelPath) -> Result<bool> {
        match self.root.descend(folder.as_str()) {
            Ok(_) => Ok(false),
            Err(Failure::Link(_)) => Ok(true),
            Err(failure) => Err(self.unreadable(folder.as_str(), &failure).into()),
        }
    }

    fn manifest(&self, folder: &str) -> Result<Option<ManifestFile>> {
        let path = self.at(folder).join(MANIFEST);
        match self.root.read(Path::new(folder).join(MANIFEST), SETTINGS + 1) {
            Err(Failure::TooLarge(_)) => ManifestFile::too_large(&path.to_string_lossy()),
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(failure.diagnostic("cannot read", &path).into()),
            Ok(bytes) => ManifestFile::new(path.to_string_lossy().replace('\\', "/"), bytes).map(Some),
        }
    }

    fn templates_below(&self, folder: &str) -> Result<Vec<String>> {
        let (mut reader, mut found) = (Reader::new(&self.root), Vec::new());
        let mut open = vec![folder.to_owned()];
        while let Some(directory) = open.pop() {
            let entries = reader.entries(Path::new(&directory));
            let entries = entries.map_err(|failure| self.unreadable(&directory, &failure))?;
            if directory != folder && is_cache(&mut reader, Path::new(&directory), &entries) {
                continue;
            }
            let is_manifest = |kind| matches!(kind, Kind::File | Kind::Link);
            if directory != folder && entries.iter().any(|(name, kind)| name == MANIFEST && is_manifest(*kind)) {
                let below = directory.strip_prefix(folder).unwrap_or(&directory);
                found.push(below.trim_start_matches('/').to_owned());
                continue;
            }
            let directories = entries.iter().filter(|(name, kind)| *kind == Kind::Directory && name != ".git");
            let names = directories.filter_map(|(name, _)| name.to_str());
            let paths =
                names.map(|name| if directory.is_empty() { name.into() } else { format!("{directory}/{name}") });
            open.extend(paths.collect::<Vec<_>>().into_iter().rev());
        }
        Ok(found)
    }

    fn tree(&self, folder: &str) -> Result<Tree> {
        let root = self.root.descend(folder).map_err(|failure| self.unreadable(folder, &failure))?;
        read_tree(&root)
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
/// If no directory is there.
pub fn check_directory(directory: &Path, source: &str) -> Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let what = if directory.exists() { "is not a directory" } else { "does not exist" };
    let remote = matches!(Address::parse(source), Ok(Address::Url { .. }));
    let help = if remote { "pass a repository with --git" } else { "pass the directory of a template" };
    let shown = without_credentials(source);
    Err(Diagnostic::error(Code::TemplateNotFound, format!("the template `{shown}` {what}")).help(help).into())
}
