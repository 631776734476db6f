//! The way to a project's files: never through a link, and never out of the project.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::tree::{Entry, RelPath};

/// Reads files below a directory, and checks the way to each.
pub(super) struct Guard<'r> {
    root: &'r Path,
    /// Directories that are known to be real ones, or to be missing.
    safe: HashSet<PathBuf>,
}

impl<'r> Guard<'r> {
    pub(super) fn new(root: &'r Path) -> Self {
        Self { root, safe: HashSet::new() }
    }

    /// The entry at a path, if there is one.
    ///
    /// # Errors
    ///
    /// Where something that is neither a file nor a link stands there, or where the way there is not safe.
    pub(super) fn read(&mut self, path: &RelPath) -> Result<Option<Entry>> {
        self.check(path)?;
        let full = path.below(self.root);
        let failed = |error: &std::io::Error| Diagnostic::io("cannot read", &full, error);
        let metadata = match full.symlink_metadata() {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(failed(&error).into()),
            Ok(metadata) => metadata,
        };
        if metadata.is_symlink() {
            let target = std::fs::read_link(&full).map_err(|error| failed(&error))?;
            let target = target.to_string_lossy();
            let target = if cfg!(windows) { target.replace('\\', "/") } else { target.into_owned() };
            return Ok(Some(Entry::Symlink { target }));
        }
        if !metadata.is_file() {
            return Err(in_the_way(&full, "is a directory, where the template has a file"));
        }
        let bytes = std::fs::read(&full).map_err(|error| failed(&error))?;
        Ok(Some(Entry::File { bytes: bytes.into(), executable: is_executable(&metadata) }))
    }

    /// Checks that every directory on the way to a path is one, or is missing.
    pub(super) fn check(&mut self, path: &RelPath) -> Result<()> {
        let mut outermost_first: Vec<&str> = path.ancestors().collect();
        outermost_first.reverse();
        for directory in outermost_first {
            let full = self.root.join(directory);
            if self.safe.contains(&full) {
                continue;
            }
            match full.symlink_metadata() {
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(in_the_way(&full, "is a link, and nothing is written through a link"));
                }
                Ok(metadata) if !metadata.is_dir() => {
                    return Err(in_the_way(&full, "is a file, where the template has a directory"));
                }
                _ => {}
            }
            self.safe.insert(full);
        }
        Ok(())
    }
}

#[cfg(unix)]
pub(super) fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
pub(super) fn is_executable(_metadata: &std::fs::Metadata) -> bool {
    false
}

fn in_the_way(path: &Path, what: &str) -> crate::diagnostic::Diagnostics {
    Diagnostic::error(Code::TargetExists, format!("`{}` {what}", path.display()))
        .help("move it out of the way, then run the command again")
        .into()
}
