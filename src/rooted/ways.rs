//! The way to one path after the other below a root, checked each time: directories stay open from one path to the next, but
//! none is used unless its name still leads to it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::spot::Spot;
use super::{Root, names, outside, step};

/// At most this many directories stay open: a path can be deeper than a process may have files open.
const KEPT: usize = 32;

/// Finds paths below a root, for whoever changes what is there. Paths in order share the most.
#[derive(Debug)]
pub struct Ways {
    root: Root,
    /// The directories of the last path, from the root downwards.
    open: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: OsString,
    directory: Root,
    #[cfg(unix)]
    identity: (u64, u64),
}

impl Ways {
    /// Nothing but the root is open yet.
    #[must_use]
    pub fn new(root: Root) -> Self {
        Self { root, open: Vec::new() }
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The place of a relative path, whose directories are found as they are in this moment.
    ///
    /// # Errors
    ///
    /// If the path is empty, and if a directory on the way is missing, a link, or something else.
    pub fn spot(&mut self, relative: impl AsRef<Path>) -> Result<Spot, Failure> {
        let names = names(relative.as_ref())?;
        let (last, directories) = names.split_last().ok_or_else(outside)?;
        Ok(self.walk(directories)?.spot(*last))
    }

    /// The directory at a relative path, which may be empty.
    ///
    /// # Errors
    ///
    /// As [`Ways::spot`].
    pub fn directory(&mut self, relative: impl AsRef<Path>) -> Result<Root, Failure> {
        self.walk(&names(relative.as_ref())?)
    }

    fn walk(&mut self, names: &[&OsStr]) -> Result<Root, Failure> {
        let shared = self.still_there(names)?;
        self.open.truncate(shared);
        let mut deepest = self.open.last().map_or(&self.root, |step| &step.directory).clone();
        for (depth, &name) in names.iter().enumerate().skip(shared) {
            let so_far = || names[..=depth].iter().collect::<PathBuf>();
            let dir = step(&deepest.dir, name, &so_far())?.into();
            deepest = Root { dir, path: deepest.path.join(name) };
            if depth < KEPT {
                self.open.push(Step {
                    name: name.to_owned(),
                    #[cfg(unix)]
                    identity: identity(&deepest.dir.dir_metadata()?),
                    directory: deepest.clone(),
                });
            }
        }
        Ok(deepest)
    }

    /// How many of the open directories are on this way, and are what their names still lead to.
    #[cfg(unix)]
    fn still_there(&self, names: &[&OsStr]) -> io::Result<usize> {
        let mut above = &self.root;
        for (depth, (step, name)) in self.open.iter().zip(names).enumerate() {
            if step.name != *name {
                return Ok(depth);
            }
            match above.dir.symlink_metadata(name) {
                Ok(metadata) if identity(&metadata) == step.identity => above = &step.directory,
                Ok(_) => return Ok(depth),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(depth),
                Err(error) => return Err(error),
            }
        }
        Ok(self.open.len().min(names.len()))
    }

    /// There is no cheap way to see what a name leads to: each directory is opened again.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Unix")]
    fn still_there(&self, _names: &[&OsStr]) -> io::Result<usize> {
        Ok(0)
    }
}

#[cfg(unix)]
fn identity(metadata: &cap_std::fs::Metadata) -> (u64, u64) {
    use cap_std::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}
