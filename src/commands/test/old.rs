//! The template as it was: at a revision of its own repository.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Result};
use crate::source::{Address, Wanted, fetch, read};
use crate::template::{Reference, Template};
use crate::{git, source};

/// The template in `directory` at a revision; `place` is where a case names it.
///
/// # Errors
///
/// If there is no such revision, or no such folder in it.
pub(super) fn template(directory: &Path, revision: &str, place: &Place) -> Result<Template> {
    let absolute = directory.canonicalize().map_err(|error| Diagnostic::io("cannot read", directory, &error))?;
    let Some(root) = git::find_repository(&absolute) else {
        return Err(Diagnostic::error(Code::TestCase, "the template is not in a git repository")
            .at(place.clone(), "so it has no revisions")
            .help("put the project, as the old template rendered it, into the folder `base` instead")
            .into());
    };
    let below = absolute.strip_prefix(&root).unwrap_or(Path::new(""));
    let folder = below.to_string_lossy().replace('\\', "/");
    let folder = Some(folder.as_str()).filter(|folder| !folder.is_empty());
    let wanted = Wanted {
        address: &Address::Path(root.clone()),
        base: &root,
        reference: &Reference::Rev(revision.to_owned()),
        commit: None,
        submodules: true,
        may_ask: false,
        login: git::Login::OWN,
        offline: true,
        progress: &|_| {},
    };
    let loaded: Result<source::Loaded> = fetch(wanted).and_then(|commit| read(&commit, folder));
    let named = |problem: Diagnostic| match problem.place {
        Some(_) => problem,
        None => problem.at(place.clone(), "this revision"),
    };
    Ok(loaded.map_err(|problems| Diagnostics(problems.0.into_iter().map(named).collect()))?.template)
}
