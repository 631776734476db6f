//! A template in a directory.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::{Loaded, ManifestFile, load};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::manifest::{Manifest, Spanned};
use crate::template::MANIFEST;
use crate::tree::{Entry, RelPath, Tree};

/// The most that a template may weigh, in bytes: it is held in memory.
const MAX_SIZE: u64 = 1 << 30;
/// The most files that a template may have.
const MAX_FILES: usize = 200_000;

/// Reads the template in `directory`, or in `subfolder` of it. `source` is what the lock remembers: the user's own spelling.
///
/// A folder without a manifest uses its nearest parent's, as in cargo-generate.
///
/// # Errors
///
/// Says what is missing or cannot be read, and every problem of the manifest.
pub fn from_path(directory: &Path, source: &str, subfolder: Option<&str>) -> Result<Loaded> {
    check_directory(directory, source)?;
    let root = match subfolder {
        Some(subfolder) => resolve_subfolder(directory, subfolder)?,
        None => directory.to_path_buf(),
    };
    let manifest = find_manifest(directory, &root)?;
    let files = read_tree(&root)?;
    if manifest.is_none() && files.is_empty() {
        return Err(Diagnostic::error(Code::TemplateNotFound, format!("the template `{source}` is empty"))
            .help("give the directory of a template; a git submodule must be checked out first")
            .into());
    }
    let origin = (source.to_owned(), subfolder.map(str::to_owned));
    load(origin, manifest.as_ref(), files, root.to_string_lossy().replace('\\', "/"))
}

/// The templates below `directory`: folders with a manifest, not looking below one that was found; for a manifest with
/// `sub_templates`, those. Empty where `directory` itself is the template.
///
/// # Errors
///
/// Says what cannot be read.
pub fn candidates(directory: &Path, source: &str, subfolder: Option<&str>) -> Result<Vec<String>> {
    check_directory(directory, source)?;
    let root = match subfolder {
        Some(subfolder) => resolve_subfolder(directory, subfolder)?,
        None => directory.to_path_buf(),
    };
    let prefix = |folder: &str| match subfolder {
        Some(subfolder) => format!("{}/{folder}", subfolder.trim_end_matches('/')),
        None => folder.to_owned(),
    };
    if let Some(file) = read_manifest(&root)? {
        let (manifest, _) = crate::manifest::read(&file.name, file.text.trim_start_matches('\u{feff}'))?;
        check_sub_templates(&manifest, &root)?;
        return Ok(manifest.sub_templates.iter().map(|folder| prefix(&folder.value)).collect());
    }
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
            found.push(prefix(&relative.to_string_lossy().replace('\\', "/")));
            walk.skip_current_dir();
        }
    }
    Ok(found)
}

/// Checks that the sub-templates that a manifest lists are folders below its own.
fn check_sub_templates(manifest: &Manifest, root: &Path) -> Result<()> {
    let problem = |folder: &Spanned| {
        let name = &folder.value;
        let place = manifest.place(folder.span.clone());
        if ["", "."].contains(&name.trim_end_matches('/')) {
            let title = "the template names itself as its sub-template";
            let problem = Diagnostic::error(Code::TemplateAmbiguous, title).at(place, "this folder");
            return Some(problem.help("name the folders below it, or remove `sub_templates`"));
        }
        let reason = match RelPath::new(name.trim_end_matches('/')) {
            Ok(path) if path.below(root).is_dir() => return None,
            Ok(_) => "is no folder of the template".to_owned(),
            Err(reason) => reason.to_string(),
        };
        let problem = Diagnostic::error(Code::TemplateNotFound, format!("the sub-template `{name}` {reason}"));
        Some(problem.at(place, "no folder").help("name folders below this one, with `/` between their parts"))
    };
    let problems: Vec<Diagnostic> = manifest.sub_templates.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(Diagnostics(problems)) }
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
    let remote = source.contains("://") || source.starts_with("gh:") || source.starts_with("git@");
    let help = if remote { "clone the repository, and give its directory" } else { "give the directory of a template" };
    Err(Diagnostic::error(Code::TemplateNotFound, format!("the template `{source}` {what}")).help(help).into())
}

fn resolve_subfolder(directory: &Path, subfolder: &str) -> Result<PathBuf> {
    let missing = |what: &str| {
        Diagnostic::error(Code::TemplateNotFound, format!("the subfolder `{subfolder}` {what}"))
            .help("give a folder inside the template, with `/` between its parts")
    };
    let inside = RelPath::new(subfolder.trim_end_matches('/')).map_err(|reason| missing(&reason.to_string()))?;
    let path = inside.below(directory);
    if !path.is_dir() {
        return Err(missing("is no folder of the template").into());
    }
    // A symbolic link on the way could lead anywhere.
    let canonical =
        |path: &Path| std::fs::canonicalize(path).map_err(|error| Diagnostic::io("cannot read", path, &error));
    if !canonical(&path)?.starts_with(canonical(directory)?) {
        return Err(missing("leads out of the template").into());
    }
    Ok(path)
}

/// The manifest of `root`, or of its nearest parent down from `top`.
fn find_manifest(top: &Path, root: &Path) -> Result<Option<ManifestFile>> {
    for folder in root.ancestors() {
        if let Some(manifest) = read_manifest(folder)? {
            return Ok(Some(manifest));
        }
        if folder == top {
            break;
        }
    }
    Ok(None)
}

fn read_manifest(folder: &Path) -> Result<Option<ManifestFile>> {
    let path = folder.join(MANIFEST);
    let name = path.to_string_lossy().replace('\\', "/");
    match std::fs::read(&path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(ManifestFile { name, text })),
            Err(_) => Err(Diagnostic::error(Code::ManifestSyntax, format!("`{name}` is not UTF-8"))
                .help("save the manifest as UTF-8")
                .into()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Diagnostic::io("cannot read", &path, &error).into()),
    }
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
            return Err(Diagnostic::error(Code::TooLarge, "the template has more than 1 GiB or 200,000 files")
                .help("is this the template's directory? Choose one with --subfolder")
                .into());
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
    found.into_par_iter().with_min_len(64).map(|(path, file)| Ok((path, read_entry(&file)?))).collect()
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
    Ok(Entry::File { bytes: Cow::Owned(bytes), executable: is_executable(&metadata) })
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
