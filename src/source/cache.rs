//! The cache: one bare repository for each address that was ever fetched from, so that the next use is quick and needs no network.
//!
//! A copy is made beside its place and moved there when it is complete. Changing one requires its lock; reading does not, since
//! nothing is ever removed from it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::Address;
use crate::diagnostic::{Diagnostic, Result};
use crate::digest::hex;
use crate::git::Mirror;

/// The variable that says where the cache is.
const VARIABLE: &str = "CREATE_APP_CACHE_DIR";

/// Where copies of repositories are kept.
#[derive(Debug)]
pub(super) struct Cache {
    directory: PathBuf,
    /// Where nothing can be kept, a directory for this run alone.
    _temporary: Option<tempfile::TempDir>,
}

impl Cache {
    /// Opens the directory that `CREATE_APP_CACHE_DIR` names, else the platform's. Where that one cannot be written, nothing is kept.
    ///
    /// # Errors
    ///
    /// If the directory that the variable names cannot be made, or no directory at all.
    pub(super) fn open() -> Result<Self> {
        let made = |directory: &Path| fs_err::create_dir_all(directory).and_then(|()| tempfile::tempfile_in(directory));
        if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
            let directory = PathBuf::from(named);
            made(&directory).map_err(|error| Diagnostic::io("cannot write to the cache", &directory, &error))?;
            let directory = std::path::absolute(&directory).unwrap_or(directory);
            return Ok(Self { directory, _temporary: None });
        }
        let platform = etcetera::base_strategy::choose_native_strategy().ok();
        let platform = platform.map(|platform| platform.cache_dir().join("create-app").join("git"));
        if let Some(directory) = platform.filter(|directory| made(directory).is_ok()) {
            return Ok(Self { directory, _temporary: None });
        }
        let temporary = tempfile::Builder::new().prefix("create-app-").tempdir();
        let temporary = temporary.map_err(|error| Diagnostic::io("cannot write to", &std::env::temp_dir(), &error))?;
        Ok(Self { directory: temporary.path().to_path_buf(), _temporary: Some(temporary) })
    }

    /// The place for the copy of a repository. Its name says which one, and holds no credentials.
    pub(super) fn slot(&self, address: &Address, base: &Path) -> Slot {
        let identity = match address {
            Address::Url { shown, .. } => shown.clone().into_bytes(),
            Address::Path(path) => {
                let path = base.join(path);
                path.canonicalize().unwrap_or(path).into_os_string().into_encoded_bytes()
            }
        };
        let digest: [u8; 32] = Sha256::digest(identity).into();
        let digest = hex(&digest[..8]);
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
        let name: String = address.repository().chars().map(plain).take(40).collect();
        Slot { directory: self.directory.join(format!("{name}-{digest}")) }
    }
}

/// The place of one copy.
#[derive(Debug)]
pub(super) struct Slot {
    directory: PathBuf,
}

impl Slot {
    /// The copy, where there is one that create-app made.
    pub(super) fn mirror(&self) -> Option<Mirror> {
        Mirror::open(&self.directory)
    }

    /// Waits until nobody else changes the copy, and keeps others from it until the file is dropped.
    pub(super) fn hold(&self, waiting: &dyn Fn(&str)) -> Result<File> {
        let path = self.beside("lock");
        let failed = |error: std::io::Error| Diagnostic::io("cannot lock", &path, &error);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting("waiting for another create-app to fetch it");
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(error)) => return Err(failed(error).into()),
        }
        Ok(file)
    }

    /// Removes what a git that was killed left in the copy, and what would stop the next one. Only for who holds the lock.
    pub(super) fn clear(&self) {
        let entries = WalkDir::new(&self.directory).into_iter().filter_entry(|entry| entry.file_name() != "objects");
        let left = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|it| it == "lock"));
        // What cannot be removed is what git will complain about.
        left.for_each(|entry| drop(fs_err::remove_file(entry.path())));
    }

    /// An empty directory beside the place, in which a copy is made. What a run that was killed left there is removed.
    pub(super) fn stage(&self) -> Result<PathBuf> {
        let stage = self.beside("new");
        self.unstage();
        fs_err::create_dir_all(&stage).map_err(|error| Diagnostic::io("cannot write", &stage, &error))?;
        Ok(stage)
    }

    /// Removes what was made beside the place.
    pub(super) fn unstage(&self) {
        // The rest of it is in nobody's way.
        drop(fs_err::remove_dir_all(self.beside("new")));
    }

    /// Puts what was made beside the place there, instead of an older copy.
    pub(super) fn install(&self) -> Result<Mirror> {
        let failed = |error: std::io::Error| Diagnostic::io("cannot write", &self.directory, &error);
        if self.directory.exists() {
            fs_err::remove_dir_all(&self.directory).map_err(failed)?;
        }
        fs_err::rename(self.beside("new"), &self.directory).map_err(failed)?;
        Ok(Mirror::at(&self.directory))
    }

    fn beside(&self, extension: &str) -> PathBuf {
        self.directory.with_extension(extension)
    }
}
