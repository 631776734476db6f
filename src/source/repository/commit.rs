//! A commit as the source of a template: files as git stored them, whatever a checkout would make of them.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::Spot;
use super::{Wanted, submodule};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git::{Listed, Mirror};
use crate::limits::SETTINGS;
use crate::source::cache::Cache;
use crate::source::files::{Files, ManifestFile, is_manifest};
use crate::template::MANIFEST;
use crate::tree::{Entry, RelPath, Tree};

/// A commit of a repository in the cache.
pub struct Commit<'a> {
    /// Its name.
    pub name: String,
    /// Why it may not be the newest one.
    pub note: Option<Diagnostic>,
    pub(super) wanted: Wanted<'a>,
    /// Where it is in the template.
    pub(super) spot: Spot,
    pub(super) mirror: Mirror,
    source: String,
    listed: std::sync::OnceLock<Vec<Listed>>,
    /// Keeps a cache that is for this run alone.
    pub(super) cache: Cache,
}

impl<'a> Commit<'a> {
    pub(super) fn new(wanted: Wanted<'a>, cache: Cache, mirror: Mirror, name: String, spot: Spot) -> Self {
        let source = wanted.address.to_string();
        Self { name, note: None, wanted, spot, mirror, source, listed: std::sync::OnceLock::new(), cache }
    }

    /// Every file, and every submodule as one, in the order of their paths.
    pub(super) fn listed(&self) -> Result<&[Listed]> {
        if let Some(listed) = self.listed.get() {
            return Ok(listed);
        }
        let list = self.mirror.files(&self.name, self.spot.list_left())?;
        let list = list.ok_or_else(|| self.spot.list_is_too_long())?;
        self.spot.add_list(list.length);
        Ok(self.listed.get_or_init(|| list.files))
    }

    /// The entry at a path.
    pub(super) fn find(&self, path: &str) -> Result<Option<&Listed>> {
        let listed = self.listed()?;
        let found = listed.binary_search_by(|listed| listed.path.as_slice().cmp(path.as_bytes()));
        Ok(found.ok().map(|at| &listed[at]))
    }

    /// The content of a file of at most `limit` bytes, where there is one.
    pub(super) fn content(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(listed) = self.find(path)?.filter(|listed| is_file(listed)) else { return Ok(None) };
        if listed.size.is_some_and(|size| size > limit) {
            let title = format!("the template's `{path}` has more than {} MiB", limit >> 20);
            return Err(Diagnostic::error(Code::TooLarge, title).help("is this the right repository?").into());
        }
        let mut content = None;
        self.mirror.contents(&[&listed.object], limit, |_, bytes| content = Some(bytes))?;
        Ok(content)
    }

    /// Every file below a folder.
    pub(super) fn files_below(&self, folder: &str) -> Result<Tree> {
        let (mut files, mut modules, mut problems, mut size) = (BTreeMap::new(), Vec::new(), BTreeSet::new(), 0_u64);
        for listed in self.listed()? {
            let Some(path) = below(folder, &listed.path) else { continue };
            size = size.saturating_add(listed.size.unwrap_or(0));
            match checked(path) {
                Ok(_) if listed.mode == "160000" && !self.wanted.submodules => {}
                Ok(path) if listed.mode == "160000" => modules.push(path),
                Ok(path) => drop(files.insert(path, listed)),
                Err(problem) => drop(problems.insert(problem)),
            }
        }
        let left = self.spot.bytes_left();
        self.spot.add_files(files.len(), size)?;
        self.spot.add_submodules(modules.len())?;
        if !problems.is_empty() {
            let refuse = |(title, help): (String, String)| Diagnostic::error(Code::UnsafePath, title).help(help);
            return Err(Diagnostics(problems.into_iter().map(refuse).collect()));
        }
        let mut tree = self.read(&files, left)?;
        let named = if modules.is_empty() { Vec::new() } else { submodule::named(self)? };
        for path in modules {
            let at = if folder.is_empty() { path.to_string() } else { format!("{folder}/{path}") };
            for (below, entry) in submodule::files(self, &at, &named)? {
                // Both halves were checked, but the whole may be too long.
                let path = RelPath::new(format!("{path}/{below}"))
                    .map_err(|reason| unsafe_path(&below, &reason.to_string()))?;
                tree.insert(path, entry);
            }
        }
        Ok(tree)
    }

    fn read(&self, files: &BTreeMap<RelPath, &Listed>, limit: u64) -> Result<Tree> {
        let objects: Vec<&str> = files.values().map(|listed| listed.object.as_str()).collect();
        let mut contents = Vec::with_capacity(objects.len());
        self.mirror.contents(&objects, limit, |_, bytes| contents.push(bytes))?;
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
        let start = format!("{folder}/");
        self.listed().is_ok_and(|listed| {
            let first = listed.partition_point(|listed| listed.path.as_slice() < start.as_bytes());
            listed.get(first).is_some_and(|listed| listed.path.starts_with(start.as_bytes()))
        })
    }

    /// A folder of a commit is not a link.
    fn leads_out(&self, _: &RelPath) -> Result<bool> {
        Ok(false)
    }

    fn manifest(&self, folder: &str) -> Result<Option<ManifestFile>> {
        let path = if folder.is_empty() { MANIFEST.to_owned() } else { format!("{folder}/{MANIFEST}") };
        let name = format!("{}/{MANIFEST}", self.name_of(folder));
        self.content(&path, SETTINGS)?.map(|bytes| ManifestFile::new(name, bytes)).transpose()
    }

    fn templates_below(&self, folder: &str) -> Result<Vec<String>> {
        let paths = self.listed()?.iter().filter(|listed| is_file(listed));
        let paths = paths.filter_map(|listed| std::str::from_utf8(below(folder, &listed.path)?).ok());
        let manifests = paths.filter_map(|path| path.strip_suffix(MANIFEST)?.strip_suffix('/'));
        let found: BTreeSet<&str> = manifests.collect();
        let is_below = |path: &str| path.match_indices('/').any(|(at, _)| found.contains(&path[..at]));
        Ok(found.iter().filter(|path| !is_below(path)).map(|path| (*path).to_owned()).collect())
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
