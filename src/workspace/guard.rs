//! The entries in the way of a project's files.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};

pub(super) fn in_the_way(path: &Path, what: &str) -> Diagnostics {
    Diagnostic::error(Code::TargetExists, format!("`{}` {what}", path.display()))
        .help("move it out of the way, then run the command again")
        .into()
}
