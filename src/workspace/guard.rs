//! What stands at a path, and the way there: never through a link, and so never out of the project.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::source::is_executable;
use crate::tree::Entry;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing.
    Nothing,
    /// A file or a link.
    Entry(Entry),
    /// A directory, or something that is none of a template's business, such as a socket.
    Other,
}

/// Looks at a path without following a link that stands there.
pub(super) fn look(path: &Path) -> io::Result<Seen> {
    let metadata = match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Seen::Nothing);
        }
        metadata => metadata?,
    };
    if metadata.is_symlink() {
        let target = std::fs::read_link(path)?.to_string_lossy().into_owned();
        let target = if cfg!(windows) { target.replace('\\', "/") } else { target };
        return Ok(Seen::Entry(Entry::Symlink { target }));
    }
    if !metadata.is_file() {
        return Ok(Seen::Other);
    }
    let bytes = std::fs::read(path)?.into();
    Ok(Seen::Entry(Entry::File { bytes, executable: is_executable(&metadata) }))
}

/// Whether every component of `path` below `root` stands there in exactly this spelling, which a file system that ignores
/// case does not tell by itself.
pub(super) fn is_spelled(root: &Path, path: &str) -> bool {
    let mut directory = root.to_path_buf();
    path.split('/').all(|name| {
        let spelled = std::fs::read_dir(&directory)
            .is_ok_and(|entries| entries.filter_map(io::Result::ok).any(|entry| entry.file_name() == OsStr::new(name)));
        directory.push(name);
        spelled
    })
}

/// Checks the way to paths below a directory.
#[derive(Debug)]
pub(super) struct Guard<'r> {
    root: &'r Path,
    /// Directories that are known to be real ones, or to be missing.
    safe: HashSet<PathBuf>,
}

impl<'r> Guard<'r> {
    pub(super) fn new(root: &'r Path) -> Self {
        Self { root, safe: HashSet::new() }
    }

    /// Checks that every directory on the way to a path is one, or is missing, or is `leaving`: removed before the way is
    /// gone.
    pub(super) fn check(&mut self, path: &str, leaving: impl Fn(&str) -> bool) -> Result<()> {
        for directory in path.match_indices('/').map(|(at, _)| &path[..at]) {
            let full = self.root.join(directory);
            if self.safe.contains(&full) {
                continue;
            }
            match full.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) if leaving(directory) => return Ok(()),
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(in_the_way(&full, "is a link, and nothing is written through a link"));
                }
                Ok(_) => return Err(in_the_way(&full, "is a file, where the template has a directory")),
                Err(_) => return Ok(()),
            }
            self.safe.insert(full);
        }
        Ok(())
    }
}

pub(super) fn in_the_way(path: &Path, what: &str) -> Diagnostics {
    Diagnostic::error(Code::TargetExists, format!("`{}` {what}", path.display()))
        .help("move it out of the way, then run the command again")
        .into()
}
