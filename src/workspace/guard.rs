//! What stands at a path, and the way there: never through a link, and so never out of the project.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::rooted::{Failure, Root, Ways};
use crate::source::is_executable;
use crate::tree::{Entry, RelPath};

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

/// Looks at paths below a directory, and at the way to each.
#[derive(Debug)]
pub(super) struct Guard<'r> {
    root: &'r Path,
    /// None where there is no such directory yet.
    ways: Option<Ways>,
}

impl<'r> Guard<'r> {
    /// # Errors
    ///
    /// Where the directory cannot be opened.
    pub(super) fn new(root: &'r Path) -> Result<Self> {
        match Root::open(root) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self { root, ways: None }),
            opened => {
                let opened = opened.map_err(|error| Diagnostic::io("cannot open", root, &error))?;
                Ok(Self { root, ways: Some(Ways::new(opened)) })
            }
        }
    }

    /// The entry at a path, if there is one.
    ///
    /// # Errors
    ///
    /// Where something that is neither a file nor a link is there, or where the way there is not safe.
    pub(super) fn read(&mut self, path: &RelPath) -> Result<Option<Entry>> {
        let Some(ways) = &mut self.ways else { return Ok(None) };
        let full = path.below(self.root);
        match ways.spot(path.as_str()) {
            Ok(_) => {}
            Err(Failure::Link(link)) => {
                return Err(in_the_way(&self.root.join(link), "is a link, and nothing is written through a link"));
            }
            Err(Failure::NotADirectory(file, _)) => {
                return Err(in_the_way(&self.root.join(file), "is a file, where the template has a directory"));
            }
            Err(Failure::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(failure) => return Err(failure.diagnostic("cannot read", &full).into()),
        }
        match look(&full).map_err(|error| Diagnostic::io("cannot read", &full, &error))? {
            Seen::Nothing => Ok(None),
            Seen::Entry(entry) => Ok(Some(entry)),
            Seen::Other => Err(in_the_way(&full, "is a directory, where the template has a file")),
        }
    }
}

pub(super) fn in_the_way(path: &Path, what: &str) -> Diagnostics {
    Diagnostic::error(Code::TargetExists, format!("`{}` {what}", path.display()))
        .help("move it out of the way, then run the command again")
        .into()
}
