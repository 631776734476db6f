//! Looks at many paths below a root: the directories of the last path stay open for the next.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;

use super::failure::{Failure, Kind};
use super::file::Regular;
use super::spot::Spot;
use super::{Root, entries, names, outside, stat, step};

/// At most this many directories stay open: a path can be deeper than a process may have files open.
const KEPT: usize = 32;

/// Looks at many paths below a root. Paths in order share the most. What it has opened stays as it was opened: whoever
/// changes something below the root asks the [`Root`] itself each time.
#[derive(Debug)]
pub struct Reader<'r> {
    root: &'r Root,
    /// The directories of the last path, from the root downwards.
    open: Vec<(OsString, Arc<Dir>)>,
}

impl<'r> Reader<'r> {
    /// A reader that has opened nothing yet.
    #[must_use]
    pub fn new(root: &'r Root) -> Self {
        Self { root, open: Vec::new() }
    }

    /// As [`Root::regular`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn regular(&mut self, relative: &Path) -> Result<Regular, Failure> {
        self.within(relative, |directory, name| Regular::open(directory, name, relative))
    }

    /// As [`Root::kind`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn kind(&mut self, relative: &Path) -> Result<Option<Kind>, Failure> {
        Ok(self.stat(relative)?.map(|(kind, _)| kind))
    }

    /// As [`Root::kind`], with the length in bytes.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn stat(&mut self, relative: &Path) -> Result<Option<(Kind, u64)>, Failure> {
        match self.within(relative, |directory, name| Ok(stat(directory, name)?)) {
            Err(failure) if failure.is_missing() => Ok(None),
            found => found,
        }
    }

    /// The target of a link at a relative path; it is not followed.
    ///
    /// # Errors
    ///
    /// If there is no link, or another link on the way.
    pub fn link(&mut self, relative: &Path) -> Result<PathBuf, Failure> {
        self.within(relative, |directory, name| Ok(directory.read_link_contents(name)?))
    }

    /// The place of a relative path.
    ///
    /// # Errors
    ///
    /// As [`Root::parent`].
    pub fn spot(&mut self, relative: &Path) -> Result<Spot, Failure> {
        let path = self.root.path.join(relative);
        self.within(relative, |directory, name| Ok(Spot::new(Arc::clone(directory), name.to_owned(), path)))
    }

    /// Does something with the directory that holds a relative path, and the path's last name.
    ///
    /// # Errors
    ///
    /// As [`Root::parent`], and as `act`.
    pub fn within<T>(
        &mut self,
        relative: &Path,
        act: impl FnOnce(&Arc<Dir>, &OsStr) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let names = names(relative)?;
        let (last, directories) = names.split_last().ok_or_else(outside)?;
        self.walk(directories, |directory| act(directory, last))
    }

    /// The names in the directory at a relative path, which may be empty, in no order; those that are not UTF-8 are left out.
    ///
    /// # Errors
    ///
    /// As [`Root::descend`], and if the directory cannot be read.
    pub fn names(&mut self, relative: &Path) -> Result<Vec<String>, Failure> {
        self.walk(&names(relative)?, |directory| {
            let found = directory.entries()?.map(|entry| Ok(entry?.file_name().into_string().ok()));
            Ok(found.filter_map(io::Result::transpose).collect::<io::Result<_>>()?)
        })
    }

    /// As [`Root::entries`], of the directory at a relative path, which may be empty.
    ///
    /// # Errors
    ///
    /// As [`Root::descend`], and if the directory cannot be read.
    pub fn entries(&mut self, relative: &Path) -> Result<Vec<(OsString, Kind)>, Failure> {
        self.walk(&names(relative)?, |directory| Ok(entries(directory)?))
    }

    fn walk<T>(
        &mut self,
        directories: &[&OsStr],
        act: impl FnOnce(&Arc<Dir>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let shared = self.open.iter().zip(directories).take_while(|((open, _), name)| open == *name).count();
        self.open.truncate(shared);
        let mut deeper: Option<Arc<Dir>> = None;
        for (depth, &name) in directories.iter().enumerate().skip(shared) {
            let above = deeper.as_ref().or(self.open.last().map(|(_, dir)| dir)).unwrap_or(&self.root.dir);
            let opened = Arc::new(step(above, name, &directories[..=depth].iter().collect::<PathBuf>())?);
            if depth < KEPT {
                self.open.push((name.to_owned(), opened));
            } else {
                deeper = Some(opened);
            }
        }
        act(deeper.as_ref().or(self.open.last().map(|(_, dir)| dir)).unwrap_or(&self.root.dir))
    }
}
