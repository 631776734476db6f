//! Looks at many paths below a root: the directories of the last path stay open for the next.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;

use super::failure::{Failure, Kind};
use super::file::Regular;
use super::spot::Spot;
use super::{Root, kind_of, names, outside, step};

/// So many directories stay open: a path can be deeper than a process may have files open.
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
        match self.within(relative, |directory, name| Ok(kind_of(directory, name)?)) {
            Err(failure) if failure.is_missing() => Ok(None),
            found => found,
        }
    }

    /// What a link at a relative path holds; it is not followed.
    ///
    /// # Errors
    ///
    /// Where there is no link, or another link on the way.
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
        let directory = deeper.as_ref().or(self.open.last().map(|(_, dir)| dir)).unwrap_or(&self.root.dir);
        act(directory, last)
    }
}
