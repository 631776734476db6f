//! A commit as the source of a template: files as git stored them, whatever a checkout would make of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Wanted, submodule};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git::{Listed, Mirror};
use crate::source::cache::Cache;
use crate::source::files::{Files, ManifestFile, is_manifest};
use crate::source::{MAX_FILES, MAX_SIZE, too_large};
use crate::template::MANIFEST;
use crate::tree::{Entry, RelPath, Tree};

/// A commit of a repository in the cache.
pub struct Commit<'a> {
    /// Its name.
    pub name: String,
    /// Why it may not be the newest one.
    pub note: Option<Diagnostic>,
    pub(super) wanted: Wanted<'a>,
    /// How deep a submodule this is.
    pub(super) depth: usize,
    pub(super) mirror: Mirror,
    source: String,
    listed: std::sync::OnceLock<Vec<Listed>>,
    /// Keeps a cache that is for this run alone.
    _cache: Cache,
}

impl<'a> Commit<'a> {
    pub(super) fn new(wanted: Wanted<'a>, cache: Cache, mirror: Mirror, name: String, depth: usize) -> Self {
        let source = wanted.address.to_string();
        Self { name, note: None, wanted, depth, mirror, source, listed: std::sync::OnceLock::new(), _cache: cache }
    }

    /// Every file, and every submodule as one.
    pub(super) fn listed(&self) -> Result<&[Listed]> {
        if let Some(listed) = self.listed.get() {
            return Ok(listed);
        }
        let listed = self.mirror.files(&self.name)?;
        Ok(self.listed.get_or_init(|| listed))
    }

    /// The content of a file, where there is one.
    pub(super) fn content(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let found = self.listed()?.iter().find(|listed| listed.path == path.as_bytes() && is_file(listed));
        let Some(listed) = found else { return Ok(None) };
        if listed.size.is_some_and(|size| size > MAX_SIZE) {
            return Err(too_large().into());
        }
        let mut content = None;
        self.mirror.contents(&[&listed.object], |_, bytes| content = Some(bytes))?;
        Ok(content)
    }

    /// Every file below a folder.
    pub(super) fn files_below(&self, folder: &str) -> Result<Tree> {
        let (mut files, mut modules, mut problems, mut size) = (BTreeMap::new(), Vec::new(), BTreeSet::new(), 0);
        for listed in self.listed()? {
            let Some(path) = below(folder, &listed.path) else { continue };
            size += listed.size.unwrap_or(0);
            match checked(path) {
                Ok(path) if listed.mode == "160000" => modules.push(path),
                Ok(path) => drop(files.insert(path, listed)),
                Err(problem) => drop(problems.insert(problem)),
            }
        }
        if size > MAX_SIZE || files.len() > MAX_FILES {
            return Err(too_large().into());
        }
        if !problems.is_empty() {
            let refuse = |(title, help): (String, String)| Diagnostic::error(Code::UnsafePath, title).help(help);
            return Err(Diagnostics(problems.into_iter().map(refuse).collect()));
        }
        let mut tree = self.read(&files)?;
        for path in modules {
            let at = if folder.is_empty() { path.to_string() } else { format!("{folder}/{path}") };
            for (below, entry) in submodule::files(self, &at)? {
                // Both halves were checked, but the whole may be too long.
                let path = RelPath::new(format!("{path}/{below}"))
                    .map_err(|reason| unsafe_path(&below, &reason.to_string()))?;
                tree.insert(path, entry);
            }
        }
        Ok(tree)
    }

    fn read(&self, files: &BTreeMap<RelPath, &Listed>) -> Result<Tree> {
        let objects: Vec<&str> = files.values().map(|listed| listed.object.as_str()).collect();
        let mut contents = Vec::with_capacity(objects.len());
        self.mirror.contents(&objects, |_, bytes| contents.push(bytes))?;
        let entry = |(path, listed): (&RelPath, &&Listed), bytes: Vec<u8>| {
            let executable = listed.mode == "100755";
            if listed.mode != "120000" {
                return Ok((path.clone(), Entry::File { bytes: bytes.into(), executable }));
            }
            match String::from_utf8(bytes) {
                Ok(target) => Ok((path.clone(), Entry::Symlink { target })),
                Err(_) => Err(unsafe_path(path, "is a symbolic link whose target is not UTF-8")),
            }
        };
        files.iter().zip(contents).map(|(file, bytes)| entry(file, bytes).map_err(Diagnostics::from)).collect()
    }
}

impl Files for Commit<'_> {
    fn source(&self) -> &str {
        &self.source
    }

    /// As people name it when they speak of it: the repository, enough of the commit, and the folder.
    fn name_of(&self, folder: &str) -> String {
        let commit = self.name.get(..8).unwrap_or(&self.name);
        let folder = if folder.is_empty() { String::new() } else { format!("/{folder}") };
        format!("{}@{commit}{folder}", self.wanted.address.repository())
    }

    fn is_folder(&self, folder: &RelPath) -> bool {
        let is_below = |listed: &Listed| below(folder.as_str(), &listed.path).is_some();
        self.listed().is_ok_and(|listed| listed.iter().any(is_below))
    }

    /// A folder of a commit is no link.
    fn leads_out(&self, _: &RelPath) -> Result<bool> {
        Ok(false)
    }

    fn manifest(&self, folder: &str) -> Result<Option<ManifestFile>> {
        let path = if folder.is_empty() { MANIFEST.to_owned() } else { format!("{folder}/{MANIFEST}") };
        let name = format!("{}/{MANIFEST}", self.name_of(folder));
        self.content(&path)?.map(|bytes| ManifestFile::new(name, bytes)).transpose()
    }

    fn templates_below(&self, folder: &str) -> Result<Vec<String>> {
        let paths = self.listed()?.iter().filter(|listed| is_file(listed));
        let paths = paths.filter_map(|listed| std::str::from_utf8(below(folder, &listed.path)?).ok());
        let manifests = paths.filter_map(|path| path.strip_suffix(MANIFEST)?.strip_suffix('/'));
        let mut found: Vec<String> = manifests.map(str::to_owned).collect();
        found.sort();
        let all = found.clone();
        found
            .retain(|path| !all.iter().any(|above| path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))));
        Ok(found)
    }

    fn tree(&self, folder: &str) -> Result<Tree> {
        let mut tree = self.files_below(folder)?;
        tree.retain(|path, _| !is_manifest(path.as_str()));
        Ok(tree)
    }
}

/// A file's content; no link, no submodule.
fn is_file(listed: &Listed) -> bool {
    listed.mode.starts_with("100")
}

/// The path as seen from a folder, where it is below that.
fn below<'p>(folder: &str, path: &'p [u8]) -> Option<&'p [u8]> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder.as_bytes())?.strip_prefix(b"/") }
}

/// The path; or what to say of it, which is the same for all the files of a directory that no project may have.
fn checked(path: &[u8]) -> std::result::Result<RelPath, (String, String)> {
    let refuse = |kind: &str, path: &str, reason: &str| {
        let title = format!("the template's {kind} `{path}` {reason}");
        Err((title, format!("rename or remove the {kind} in the template")))
    };
    let Ok(text) = std::str::from_utf8(path) else {
        return refuse("file", &String::from_utf8_lossy(path), "has a name that is not UTF-8");
    };
    let directories = text.match_indices('/').map(|(at, _)| &text[..at]);
    for directory in directories {
        if let Err(reason) = RelPath::new(directory) {
            return refuse("directory", directory, &reason.to_string());
        }
    }
    RelPath::new(text).or_else(|reason| refuse("file", text, &reason.to_string()))
}

fn unsafe_path(path: &RelPath, reason: &str) -> Diagnostic {
    Diagnostic::error(Code::UnsafePath, format!("the template's file `{path}` {reason}"))
        .help("rename it in the template")
}
