//! Every file below a directory, as a template, a project or an expectation has it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::caches::is_cache;
use super::{MAX_FILES, too_large};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::limits::{Budget, TEMPLATE};
use crate::parallel;
use crate::rooted::{Failure, Kind, Reader, Root};
use crate::template::MANIFEST;
use crate::tree::{Entry, RelPath, Tree};

/// From so many files on, starting threads costs little in comparison.
const PARALLEL: usize = 64;

/// Reads every file below a directory but the manifest and the repository at its root, and directories of caches. Links are entries, and not
/// followed.
///
/// # Errors
///
/// Every path that no project may have, what cannot be read, and more than a template may have.
pub fn read_tree(root: &Root) -> Result<Tree> {
    let found = list(root)?;
    let budget = Budget::new(TEMPLATE);
    let read = |reader: &mut Reader<'_>, path: &RelPath| Ok((path.clone(), entry(root, reader, path, &budget)?));
    let tree: Result<Tree> = if found.len() < PARALLEL {
        let mut reader = Reader::new(root);
        found.iter().map(|path| read(&mut reader, path)).collect()
    } else {
        parallel::map(found.iter().collect(), PARALLEL, || Reader::new(root), read)
    };
    match tree {
        // Which file it was depends on which thread was first.
        Err(problems) if problems.0.iter().all(|problem| problem.code == Code::TooLarge) => {
            Err(Diagnostics(vec![too_large_with(root, &found)]))
        }
        tree => tree,
    }
}

/// The paths of all files and links.
fn list(root: &Root) -> Result<Vec<RelPath>> {
    let (mut problems, mut found) = (Vec::new(), Vec::new());
    let mut reader = Reader::new(root);
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        let failed = |failure: Failure| failure.diagnostic("cannot read", &root.path().join(&directory));
        let entries = reader.entries(&directory).map_err(failed)?;
        if !directory.as_os_str().is_empty() && is_cache(&mut reader, &directory, &entries) {
            continue;
        }
        for (name, kind) in entries {
            if directory.as_os_str().is_empty() && is_metadata(&name) {
                continue;
            }
            let path = directory.join(&name);
            match checked(&path, kind) {
                // A directory that no project may have is one problem, however many files it has.
                Err(problem) => problems.push(problem),
                Ok(_) if kind == Kind::Directory => open.push(path),
                Ok(_) if found.len() >= MAX_FILES => return Err(too_large().into()),
                Ok(path) => found.push(path),
            }
        }
    }
    if problems.is_empty() {
        found.sort_unstable();
        return Ok(found);
    }
    problems.sort_by(|a, b| a.title.cmp(&b.title));
    Err(Diagnostics(problems))
}

/// The manifest, and the template's own repository.
fn is_metadata(name: &OsStr) -> bool {
    name == ".git" || name == MANIFEST
}

fn checked(path: &Path, kind: Kind) -> std::result::Result<RelPath, Diagnostic> {
    let refuse = |reason: &str| {
        let kind = if kind == Kind::Directory { "directory" } else { "file" };
        Diagnostic::error(Code::UnsafePath, format!("the template's {kind} `{}` {reason}", path.display()))
            .help(format!("rename or remove the {kind} in the template"))
    };
    let parts: Option<Vec<&str>> = path.iter().map(OsStr::to_str).collect();
    let parts = parts.ok_or_else(|| refuse("has a name that is not UTF-8"))?;
    RelPath::new(parts.join("/")).map_err(|reason| refuse(&reason.to_string()))
}

fn entry(root: &Root, reader: &mut Reader<'_>, path: &RelPath, budget: &Budget) -> Result<Entry> {
    let shown = || path.below(root.path());
    let unreadable = |failure: &Failure| Diagnostics::from(failure.diagnostic("cannot read", &shown()));
    let relative = Path::new(path.as_str());
    let file = match reader.regular(relative) {
        Ok(file) => file,
        Err(Failure::Link(link)) if link == relative => {
            let target = reader.link(relative).map_err(|failure| unreadable(&failure))?;
            return symlink(&target, &shown()).map_err(Diagnostics::from);
        }
        Err(Failure::NotRegular(_)) => return Err(neither(&shown()).into()),
        Err(failure) => return Err(unreadable(&failure)),
    };
    let (length, executable) = (file.length(), file.is_executable());
    if !budget.take(length) {
        return Err(too_large().into());
    }
    let bytes = file.read(length).map_err(|failure| unreadable(&failure))?;
    Ok(Entry::File { bytes: bytes.into(), executable })
}

fn symlink(target: &Path, path: &Path) -> std::result::Result<Entry, Diagnostic> {
    match target.to_str() {
        Some(target) => Ok(Entry::Symlink { target: target.replace(std::path::MAIN_SEPARATOR, "/") }),
        None => {
            let title = format!("the symbolic link `{}` has a target that is not UTF-8", path.display());
            Err(Diagnostic::error(Code::UnsafePath, title).help("rename the target in the template"))
        }
    }
}

fn neither(path: &Path) -> Diagnostic {
    Diagnostic::error(Code::UnsafePath, format!("`{}` is neither a file nor a directory", path.display()))
        .help("remove it from the template: only files, directories and symbolic links can be copied")
}

fn too_large_with(root: &Root, files: &[RelPath]) -> Diagnostic {
    let mut reader = Reader::new(root);
    let mut length = |path: &RelPath| match reader.stat(Path::new(path.as_str())) {
        Ok(Some((Kind::File, length))) => length,
        _ => 0,
    };
    let largest = files.iter().map(|path| (length(path), path)).max_by_key(|(length, _)| *length);
    let path = largest.map(|(_, path)| path.below(root.path())).unwrap_or_default();
    let help = format!(
        "its largest file is `{}`; is this the template's directory? Choose one with --subfolder",
        path.display()
    );
    too_large().help(help)
}
