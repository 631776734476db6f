//! What the base holds: every file of it is checked, the small ones are held, and the large ones are read when they are needed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;

use super::site::Site;
use crate::deflated::{BaseError, decode_within};
use crate::deflated::{Inflater, Unread};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::digest::Digest;
use crate::limits::{Budget, INFLATED, PROJECT};
use crate::lock::{BASE, DIRECTORY};
use crate::parallel;
use crate::rooted::{Failure, Kind, Regular, Root};

/// Files up to this size, in bytes, are held: an upgrade needs most of them.
const SMALL: usize = 1 << 20;

/// From so many files on, starting threads costs little in comparison.
const PARALLEL: usize = 64;

/// The base's file for a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stored {
    /// These bytes.
    Bytes(Bytes),
    /// This many bytes, which are read when they are needed.
    Large(u64),
}

/// The memory that may be used for a project, and the part of its base that was not read.
#[derive(Debug)]
pub struct Room {
    /// The memory that may still be held, in bytes.
    pub(super) held: Budget,
    /// The lengths of the base's large files.
    pub(super) large: BTreeMap<Digest, u64>,
}

impl Default for Room {
    /// Room for a project that holds nothing yet.
    fn default() -> Self {
        Self { held: Budget::new(PROJECT), large: BTreeMap::new() }
    }
}

/// Why the base does not have the bytes of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The file is missing.
    Missing,
    /// It has other bytes, or is not a file. The text completes "the base … ".
    Broken(String),
}

/// The base's directory.
#[derive(Debug)]
pub(super) struct Folder {
    /// None where it is missing.
    root: Option<Root>,
    /// Where it is, for messages.
    path: PathBuf,
    /// The limit of inflated bytes.
    inflated: Budget,
}

impl Folder {
    /// Opens the base of an app.
    ///
    /// # Errors
    ///
    /// If it is a link, or cannot be opened.
    pub(super) fn open(site: &Site) -> Result<Self> {
        let path = site.app.join(DIRECTORY).join(BASE);
        let app = Root::open(&site.app).map_err(|error| Diagnostic::io("cannot read", &site.app, &error))?;
        let root = match app.descend([DIRECTORY, BASE].iter().collect::<PathBuf>()) {
            Ok(root) => Some(root),
            Err(failure) if failure.is_missing() => None,
            Err(failure) => return Err(failure.diagnostic("cannot read", &path).into()),
        };
        Ok(Self { root, path, inflated: Budget::new(INFLATED) })
    }

    /// What the base has for these digests, each once. `held` is what may be held of it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, and where all are too large together.
    pub(super) fn read(
        &self,
        wanted: &[Digest],
        held: &Budget,
    ) -> Result<Vec<(Digest, std::result::Result<Stored, Problem>)>> {
        let read = |inflater: &mut Option<Inflater>, digest: &Digest| {
            Ok((*digest, self.file(*digest, inflater.get_or_insert_default(), held)?))
        };
        if wanted.len() < PARALLEL {
            let mut inflater = None;
            return wanted.iter().map(|digest| read(&mut inflater, digest)).collect();
        }
        parallel::map(wanted.iter().collect(), 32, || None, read)
    }

    /// The bytes of a large file, which was checked before.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or was changed since.
    pub(super) fn bytes(&self, digest: Digest, length: u64) -> Result<Bytes> {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        let checked = match self.regular(digest)? {
            Ok(file) => self
                .inflate(digest, &mut Inflater::default(), file.into_file(), |piece| bytes.extend_from_slice(piece))?,
            Err(problem) => Err(problem),
        };
        match checked {
            Ok(_) => Ok(bytes.into()),
            Err(_) => Err(self.problem(digest, "was changed while create-app was reading it").into()),
        }
    }

    fn file(
        &self,
        digest: Digest,
        inflater: &mut Inflater,
        held: &Budget,
    ) -> Result<std::result::Result<Stored, Problem>> {
        let file = match self.regular(digest)? {
            Ok(file) => file,
            Err(problem) => return Ok(Err(problem)),
        };
        if file.length() > SMALL as u64 {
            return Ok(self.inflate(digest, inflater, file.into_file(), |_| {})?.map(Stored::Large));
        }
        let encoded = file.read(SMALL as u64).map_err(|failure| self.unreadable(digest, &failure))?;
        match decode_within(SMALL, digest, &encoded) {
            Ok(bytes) if held.take(bytes.len() as u64) => Ok(Ok(Stored::Bytes(bytes.into_boxed_slice().into()))),
            Ok(_) => Err(self.too_much("is larger than", PROJECT).into()),
            Err(BaseError::TooLarge) => {
                Ok(self.inflate(digest, inflater, encoded.as_slice(), |_| {})?.map(Stored::Large))
            }
            Err(error) => Ok(Err(Problem::Broken(error.to_string()))),
        }
    }

    fn regular(&self, digest: Digest) -> Result<std::result::Result<Regular, Problem>> {
        let Some(root) = &self.root else { return Ok(Err(Problem::Missing)) };
        match root.regular(digest.to_string()) {
            Ok(file) => Ok(Ok(file)),
            Err(failure) if failure.is_missing() => Ok(Err(Problem::Missing)),
            Err(Failure::Link(_)) => Ok(Err(not_a_file(Kind::Link))),
            Err(Failure::NotRegular(kind)) => Ok(Err(not_a_file(kind))),
            Err(failure) => Err(self.unreadable(digest, &failure)),
        }
    }

    fn inflate(
        &self,
        digest: Digest,
        inflater: &mut Inflater,
        encoded: impl std::io::Read,
        take: impl FnMut(&[u8]),
    ) -> Result<std::result::Result<u64, Problem>> {
        match inflater.check(digest, encoded, &self.inflated, take) {
            Ok(length) => Ok(Ok(length)),
            Err(Unread::Base(error)) => Ok(Err(Problem::Broken(error.to_string()))),
            Err(Unread::Spent) => Err(self.too_much("inflates to more than", INFLATED).into()),
            Err(Unread::Io(error)) => Err(self.unreadable(digest, &error.into())),
        }
    }

    fn unreadable(&self, digest: Digest, failure: &Failure) -> Diagnostics {
        failure.diagnostic("cannot read", &self.path.join(digest.to_string())).into()
    }

    fn too_much(&self, what: &str, limit: u64) -> Diagnostic {
        let title = format!("the base `{}` {what} {} MiB", self.path.display(), limit >> 20);
        let help =
            "no template renders that much: find out in git who changed `.create-app`, and restore it from there";
        Diagnostic::error(Code::TooMuch, title).help(help)
    }

    fn problem(&self, digest: Digest, what: &str) -> Diagnostic {
        let title = format!("`{}` {what}", self.path.join(digest.to_string()).display());
        Diagnostic::error(Code::Busy, title).help("run the command again")
    }
}

fn not_a_file(kind: Kind) -> Problem {
    Problem::Broken(format!("is {kind}, not a regular file"))
}

/// Makes of encoded bytes from elsewhere, such as git, what the base should hold; `None` if they are not those of the
/// digest, or more than may still be held.
pub(super) fn from_elsewhere(
    digest: Digest,
    encoded: &[u8],
    inflater: &mut Inflater,
    inflated: &Budget,
    held: &Budget,
) -> Option<Bytes> {
    let length = inflater.check(digest, encoded, inflated, |_| {}).ok()?;
    let length = usize::try_from(length).ok().filter(|&length| held.take(length as u64))?;
    decode_within(length, digest, encoded).ok().map(Bytes::from)
}

/// By the digest, what could not be used.
pub(super) type Problems = BTreeMap<Digest, Problem>;
