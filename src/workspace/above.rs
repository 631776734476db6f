//! The directories above a project that belong to the same work: those of its repository, or the user's own.

use std::path::{Path, PathBuf};

use super::site::Site;

impl Site {
    /// The directories above the app that belong to the same work, the nearest first: up to the repository's root; without a repository, those
    /// that are the user's own, below the home directory where the app is there, and never the root of the file system.
    #[must_use]
    pub fn above(&self) -> Vec<PathBuf> {
        let above = self.app.ancestors().skip(1);
        let above: Vec<&Path> = match &self.repository {
            Some(root) => above.take_while(|place| place.starts_with(root)).collect(),
            None => {
                let home = etcetera::home_dir().ok().and_then(|home| home.canonicalize().ok());
                let is_below = |place: &&Path| home.as_deref() != Some(*place) && place.parent().is_some();
                above.take_while(is_below).take_while(|place| is_own(place)).collect()
            }
        };
        above.into_iter().map(Path::to_path_buf).collect()
    }
}

/// Whether a directory is the user's own: what others may have put into the one above, such as `/tmp`, is not asked. One that is not there yet
/// will be.
#[cfg(unix)]
fn is_own(place: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = place.symlink_metadata();
    metadata.map_or_else(
        |error| error.kind() == std::io::ErrorKind::NotFound,
        |metadata| metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o002 == 0,
    )
}

#[cfg(not(unix))]
fn is_own(_: &Path) -> bool {
    true
}
