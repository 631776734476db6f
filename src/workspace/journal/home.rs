//! Where the journal of a project is: where neither a checkout nor an archive can put one.
//!
//! In a git repository, `create-app/` in the repository's own git directory, or in that of the linked work tree; elsewhere,
//! the user's directory for state. Each project has a directory of its own there, while it is being changed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::mark::Mark;
use super::state_dir;
use super::txn::{self, Foreign, Txn, own_directory};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::digest::Digest;
use crate::git;
use crate::rooted::{Access, Root, Spot};
use crate::workspace::disk::{Disk, Failure};
use crate::workspace::site::Site;

/// The name of the directory in git's that holds those of all projects.
const DIRECTORY: &str = "create-app";

/// At most this many attempts to make a directory that others remove when they are done.
const TRIES: usize = 1000;

/// Where a project's own directory is, or would be.
#[derive(Debug, Clone)]
pub(super) struct Address {
    base: Base,
    /// Its name there.
    name: String,
}

#[derive(Debug, Clone)]
enum Base {
    /// A git directory.
    Git(PathBuf),
    /// The user's directory for state.
    State(PathBuf),
}

/// A project's own directory, which is open.
#[derive(Debug, Clone)]
pub(super) struct Home {
    spot: Spot,
    root: Root,
    /// The directory that it is in, unless that is to stay.
    above: Option<Spot>,
}

impl Address {
    /// The address for a project; `mark` is that of its directory.
    ///
    /// # Errors
    ///
    /// If there is no git directory to trust, and no directory for state.
    pub(super) fn of(site: &Site, mark: Mark) -> Result<Self> {
        if let Some(address) = Self::in_git(site) {
            return Ok(address);
        }
        let directory = state_dir::find()?;
        let name =
            format!("{}-{}", name(&site.app.to_string_lossy(), site.app.as_os_str().as_encoded_bytes()), mark.key());
        Ok(Self { base: Base::State(directory), name })
    }

    fn in_git(site: &Site) -> Option<Self> {
        let directory = git::own_directory(site.repository.as_deref()?)?;
        let name = name(site.app_dir(), site.app_dir().as_bytes());
        Some(Self { base: Base::Git(directory), name })
    }

    /// Makes the directory, where it is not there yet, and opens it.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or is not the user's own.
    pub(super) fn make(&self, disk: &Disk) -> Result<Home> {
        for _ in 0..TRIES {
            match self.try_to_make(disk) {
                // Somebody who is done has just removed it.
                Err(Unmade::Gone) => {}
                Err(Unmade::Failure(failure)) => return Err(failure.into()),
                Err(Unmade::Problems(problems)) => return Err(problems),
                Ok(home) => return Ok(home),
            }
        }
        Err(Failure::new("cannot create the directory", Path::new(&self.name), ErrorKind::NotFound).into())
    }

    fn try_to_make(&self, disk: &Disk) -> std::result::Result<Home, Unmade> {
        match &self.base {
            Base::Git(directory) => {
                let above = opened(directory)?.spot(DIRECTORY);
                let spot = made(disk, &above)?.spot(self.name.as_str());
                Ok(Home { root: made(disk, &spot)?, spot, above: Some(above) })
            }
            Base::State(directory) => {
                let spot = state_dir::make(disk, directory)?.spot(self.name.as_str());
                let root = made(disk, &spot).map_err(|unmade| match unmade {
                    Unmade::Failure(failure) if state_dir::is_hopeless(failure.kind()) => {
                        state_dir::not_writable(directory, &failure.error).into()
                    }
                    unmade => unmade,
                })?;
                Ok(Home { root, spot, above: None })
            }
        }
    }
}

/// Why a directory was not made.
enum Unmade {
    /// It was removed in the same moment.
    Gone,
    Failure(Failure),
    Problems(Diagnostics),
}

impl From<Failure> for Unmade {
    fn from(failure: Failure) -> Self {
        if failure.kind() == ErrorKind::NotFound { Self::Gone } else { Self::Failure(failure) }
    }
}

impl From<Diagnostics> for Unmade {
    fn from(problems: Diagnostics) -> Self {
        Self::Problems(problems)
    }
}

fn made(disk: &Disk, spot: &Spot) -> std::result::Result<Root, Unmade> {
    if matches!(own_directory(spot), Ok(None)) {
        match disk.create_dir(spot, Access::Private) {
            Err(failure) if failure.kind() == ErrorKind::AlreadyExists => {}
            result => result?,
        }
    }
    own_directory(spot).map_err(|foreign| not_ours(spot.path(), foreign))?.ok_or(Unmade::Gone)
}

/// A git directory: the way to it is the user's own, but it is not a link itself.
fn opened(directory: &Path) -> Result<Root> {
    let (above, name) = (directory.parent().unwrap_or(directory), directory.file_name().unwrap_or_default());
    let above = Root::open(above).map_err(|error| Diagnostic::io("cannot open", above, &error))?;
    Ok(above.spot(name).open_directory().map_err(|failure| failure.diagnostic("cannot open", directory))?)
}

impl Home {
    pub(super) fn root(&self) -> &Root {
        &self.root
    }

    /// It and those above it that were made for the journal, up to one that was there before.
    pub(super) fn directories(&self) -> Vec<Root> {
        let above = self.above.as_ref().map(Spot::directory);
        [Some(self.root.clone()), Some(self.spot.directory()), above].into_iter().flatten().collect()
    }

    pub(super) fn lock(&self) -> Spot {
        self.root.spot("busy")
    }

    /// Removes the directory if nothing is in it any more.
    pub(super) fn leave(&self, disk: &Disk) {
        if disk.remove_dir(&self.spot).is_ok()
            && let Some(above) = &self.above
        {
            drop(disk.remove_dir(above));
        }
    }
}

/// A directory of a change that was interrupted, or what looks like one.
#[derive(Debug)]
pub(super) enum Found {
    /// One to look into.
    Txn(Box<(Home, Txn)>),
    /// One that is not ours.
    Foreign(PathBuf, Foreign),
}

/// What a change that was interrupted has left where the journal of this project can be: the one that is certainly for this
/// directory comes first. That costs a few looks at the disk, and changes nothing.
///
/// # Errors
///
/// If the disk fails.
pub(super) fn find(site: &Site, mark: Option<Mark>) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if let Some(Address { base: Base::Git(directory), name }) = Address::in_git(site) {
        let above = opened(&directory)?.spot(DIRECTORY);
        found.extend(look(&above, &name));
    }
    // A project may have become a part of a repository since.
    let Ok(directory) = state_dir::find() else { return Ok(found) };
    let state = match Root::open(&directory) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(found),
        state => state.map_err(|error| Diagnostic::io("cannot open", &directory, &error))?,
    };
    let path = name(&site.app.to_string_lossy(), site.app.as_os_str().as_encoded_bytes());
    let key = mark.map(Mark::key);
    let entries = state.entries().map_err(|error| Diagnostic::io("cannot read", &directory, &error))?;
    let mut names: Vec<(bool, String)> = entries
        .into_iter()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter_map(|name| {
            let rest = |prefix: &str| name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
            let is_here = key.as_ref().is_some_and(|key| name.ends_with(&format!("-{key}")));
            (is_here || rest(&path).is_some()).then_some((!is_here, name))
        })
        .collect();
    names.sort();
    found.extend(names.iter().filter_map(|(_, name)| look_into(None, state.spot(name.as_str()))));
    Ok(found)
}

/// The entry `name` in the directory `above`.
fn look(above: &Spot, name: &str) -> Option<Found> {
    match own_directory(above) {
        Ok(None) => None,
        Ok(Some(root)) => look_into(Some(above.clone()), root.spot(name)),
        Err(foreign) => Some(Found::Foreign(above.path().to_path_buf(), foreign)),
    }
}

fn look_into(above: Option<Spot>, spot: Spot) -> Option<Found> {
    let root = match own_directory(&spot) {
        Ok(root) => root?,
        Err(foreign) => return Some(Found::Foreign(spot.path().to_path_buf(), foreign)),
    };
    match Txn::open(&root) {
        Ok(txn) => txn.map(|txn| Found::Txn(Box::new((Home { spot, root, above }, txn)))),
        Err(foreign) => Some(Found::Foreign(root.path().join(txn::NAME), foreign)),
    }
}

/// A name for a path: what a person can read of it, and what tells it from all others.
fn name(path: &str, bytes: &[u8]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let readable: String = last.chars().map(plain).take(40).collect();
    format!("{readable}-{}", &Digest::of(bytes).to_string()[..16])
}

/// The error for a directory that is not what create-app made.
pub(super) fn not_ours(path: &Path, foreign: Foreign) -> Diagnostics {
    let help = match foreign {
        Foreign::Kind => "remove it, then run the command again",
        Foreign::Owner => "run the command as that user, or remove it",
    };
    Diagnostic::error(Code::Interrupted, format!("`{}` {foreign}", path.display())).help(help).into()
}
