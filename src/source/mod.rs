//! \[edge\] Where templates come from: the one inside the binary, a directory, or a git repository.

mod address;
mod cache;
mod caches;
mod embedded;
mod files;
mod path;
mod release;
mod repository;
mod tree;

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

pub use address::{Address, AddressError, is_owner_and_repository};
pub use embedded::embedded;
use files::ManifestFile;
pub use files::{Files, candidates, read};
pub use path::{Directory, check_directory, from_path};
pub use release::{Release, Requirement, between, is_older, newer_than};
#[cfg(fuzzing)]
pub(crate) use repository::resolved as submodule;
pub use repository::{Commit, Wanted, fetch, history, tags};
pub use tree::read_tree;

use crate::credentials::{AT, without_credentials};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Result};
use crate::digest::hex;
use crate::limits;
use crate::manifest::{self, Manifest};
use crate::template::strip_liquid;
use crate::template::{MANIFEST, Names, Origin, Reference, Template};
use crate::tree::{Entry, RelPath, Tree};

/// The most files that a template may have.
const MAX_FILES: usize = limits::TEMPLATE_FILES;

/// A template and what is odd about its manifest.
#[derive(Debug)]
pub struct Loaded {
    /// The template.
    pub template: Template,
    /// Warnings about the manifest.
    pub warnings: Vec<Diagnostic>,
}

/// The address of a template as a lock may hold it, whatever one holds: without credentials. What was recorded once is recorded as
/// it is.
#[must_use]
pub fn recorded(mut source: String) -> String {
    // What is left when credentials are gone may look like some again.
    const PASSES: usize = 8;
    for _ in 0..PASSES {
        let stripped = stripped(&source);
        if stripped == source {
            return source;
        }
        source = stripped;
    }
    HIDDEN.to_owned()
}

/// What is recorded of an address that consists of nothing but credentials.
const HIDDEN: &str = "…";

fn stripped(source: &str) -> String {
    let has_user = source.contains("://") || source.rfind(AT).is_some_and(|at| source[..at].contains(':'));
    match Address::parse(source) {
        Ok(Address::Path(_)) if !has_user => source.to_owned(),
        Ok(address @ Address::Url { .. }) => address.to_string(),
        // A mistyped URL looks like the path of a directory.
        Ok(Address::Path(_)) | Err(_) => without_credentials(source).into_owned(),
    }
}

/// Makes a template of its files and the text of its manifest.
fn load(
    origin: (String, Option<String>),
    manifest: Option<&ManifestFile>,
    files: Tree,
    directory: String,
) -> Result<Loaded> {
    let (source, subfolder) = origin;
    let digest = digest(manifest.map(|manifest| manifest.text.as_str()), &files);
    let (manifest, mut warnings) = match manifest {
        Some(ManifestFile { name, text }) => manifest::read(name, text.trim_start_matches('\u{feff}'))?,
        None => (Manifest::default(), Vec::new()),
    };
    warnings.extend(pointers(&files));
    let (files, suffixed) = strip_suffixes(files, &directory)?;
    let names = Names { directory, suffixed };
    let (reference, revision) = (Reference::Default, digest.clone());
    let origin = Origin { source, reference, subfolder, skips_submodules: false, revision, digest };
    Ok(Loaded { template: Template { origin, manifest, files, names }, warnings })
}

/// Warns of files that are somewhere else.
fn pointers(files: &Tree) -> Option<Diagnostic> {
    const START: &[u8] = b"version https://git-lfs.github.com/spec/";
    let is_pointer = |entry: &Entry| entry.bytes().len() < 1024 && entry.bytes().starts_with(START);
    let mut pointers = files.iter().filter(|(_, entry)| is_pointer(entry)).map(|(path, _)| path);
    let (first, more) = (pointers.next()?, pointers.count());
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let title = format!("the template has Git LFS pointers instead of files: `{first}`{more}");
    let help = "clone the template with git-lfs, and pass its directory with --path";
    Some(Diagnostic::warning(Code::Unsupported, title).help(help))
}

fn too_large() -> Diagnostic {
    Diagnostic::error(Code::TooLarge, "the template has more than 128 MiB or 200,000 files")
        .help("is this the template's directory? Choose one with --subfolder")
}

/// Drops the `.liquid` of file names before anything looks at them; `a.txt.liquid` wins over `a.txt`, as in cargo-generate.
fn strip_suffixes(mut files: Tree, directory: &str) -> Result<(Tree, BTreeSet<RelPath>)> {
    let mut stripped_paths = BTreeSet::new();
    let mut problems = Vec::new();
    let suffixed: Vec<RelPath> =
        files.keys().filter(|path| strip_liquid(path.as_str()) != path.as_str()).cloned().collect();
    for path in suffixed {
        match RelPath::new(strip_liquid(path.as_str())) {
            Ok(stripped) => {
                if let Some(entry) = files.remove(&path) {
                    stripped_paths.insert(stripped.clone());
                    files.insert(stripped, entry);
                }
            }
            Err(reason) => {
                let title = format!("the template's file `{path}`, without its suffix, {reason}");
                let place = Place::new(format!("{directory}/{path}"), path.as_str(), 0..path.as_str().len());
                problems.push(Diagnostic::error(Code::UnsafePath, title).at(place, "this file").help("rename it"));
            }
        }
    }
    if problems.is_empty() { Ok((files, stripped_paths)) } else { Err(Diagnostics(problems)) }
}

/// Identifies the template's content: the same files give the same digest on every machine.
fn digest(manifest_text: Option<&str>, files: &Tree) -> String {
    let mut hash = Sha256::new();
    let mut add = |path: &str, mode: &str, bytes: &[u8]| {
        for part in [path.as_bytes(), mode.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    };
    add(MANIFEST, "", manifest_text.unwrap_or("").as_bytes());
    files.iter().for_each(|(path, entry)| add(path.as_str(), Entry::mode(entry).as_str(), entry.bytes()));
    format!("sha256:{}", hex(&hash.finalize()))
}
