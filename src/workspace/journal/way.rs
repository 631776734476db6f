//! The error messages for targets that cannot be reached.

use std::path::Path;

use super::operation::{Places, Target};
use crate::diagnostic::{Diagnostics, Result};
use crate::rooted::{Failure as Unreached, Kind, Spot, Ways};
use crate::workspace::guard;

/// The place of a target.
///
/// # Errors
///
/// If a link or a file is on the way, and if the disk fails.
pub(super) fn spot(places: &Places<'_>, ways: &mut Ways, target: &Target) -> Result<Spot> {
    ways.spot(places.way(target)).map_err(|failure| unreachable("cannot write", places, target, &failure))
}

/// The error for a target that cannot be reached.
pub(super) fn unreachable(action: &str, places: &Places<'_>, target: &Target, failure: &Unreached) -> Diagnostics {
    match failure {
        Unreached::Link(_) | Unreached::NotADirectory(..) => in_the_way(places.root(), failure),
        failure => failure.diagnostic(action, &places.path(target)).into(),
    }
}

/// The error for what is on the way, where only a directory can be.
pub(super) fn in_the_way(root: &Path, failure: &Unreached) -> Diagnostics {
    let (path, what) = match failure {
        Unreached::Link(path) => (path.as_path(), "is a link, and nothing is written through a link"),
        Unreached::NotADirectory(path, Kind::File) => (path.as_path(), "is a file, where the template has a directory"),
        Unreached::NotADirectory(path, _) => (path.as_path(), "is not a directory, and the template has one there"),
        _ => (Path::new(""), "cannot be reached"),
    };
    guard::in_the_way(&root.join(path), what)
}
