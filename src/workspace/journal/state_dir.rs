//! The user's directory for state: what must survive a restart, and belongs to this machine.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result, io_reason};
use crate::rooted::Root;
use crate::workspace::disk::Disk;

/// The variable that says where it is.
const VARIABLE: &str = "CREATE_APP_STATE_DIR";

/// The directory that `CREATE_APP_STATE_DIR` names, else the platform's. It need not be there.
///
/// # Errors
///
/// If the platform names none.
pub(super) fn find() -> Result<PathBuf> {
    #[cfg(test)]
    if let Some(chosen) = tests::directory() {
        return Ok(chosen);
    }
    named().or_else(platform).ok_or_else(|| nowhere("the directory for state is not known"))
}

/// Makes it, with the directories above, and opens it.
pub(super) fn make(disk: &Disk, directory: &Path) -> Result<Root> {
    let failed = |error: &std::io::Error| not_writable(directory, error);
    if let Ok(root) = Root::open(directory) {
        return Ok(root);
    }
    disk.step("cannot create the directory", directory)?;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| failed(&error))?;
    Root::open(directory).map_err(|error| failed(&error))
}

/// Whether another directory is what helps.
pub(super) fn is_hopeless(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory)
}

/// The error for a directory that cannot be written.
pub(super) fn not_writable(directory: &Path, error: &std::io::Error) -> Diagnostics {
    nowhere(&format!("`{}` cannot be written: {}", directory.display(), io_reason(error)))
}

fn named() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).filter(|named| !named.is_empty())?;
    std::path::absolute(named).ok()
}

fn platform() -> Option<PathBuf> {
    let platform = etcetera::base_strategy::choose_native_strategy().ok()?;
    Some(platform.state_dir().unwrap_or_else(|| platform.data_dir()).join("create-app"))
}

fn nowhere(reason: &str) -> Diagnostics {
    let title = format!("there is no place for the journal of a change: {reason}");
    let help = format!("set {VARIABLE} to a directory that you can write to");
    Diagnostic::error(Code::Io, title).help(help).into()
}

#[cfg(test)]
pub(in crate::workspace) mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        static CHOSEN: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
    }

    /// In memory where that can be had, as the projects of the tests are.
    pub(super) fn directory() -> Option<PathBuf> {
        let memory = Path::new("/dev/shm");
        let usual = || if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        Some(CHOSEN.with_borrow(Clone::clone).unwrap_or_else(|| usual().join("create-app-tests")))
    }

    /// Another one for this thread.
    pub(in crate::workspace) fn choose(directory: &Path) {
        CHOSEN.set(Some(directory.to_path_buf()));
    }
}
