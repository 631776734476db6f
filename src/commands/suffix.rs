//! The suffix that tells the files of one app at the repository's root from those of another.

use crate::answers::placeholder::Answer;
use crate::answers::{Resolved, built_in};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::Site;

/// Names the app's files at the repository's root after all of its path, since the last part of it is taken there.
///
/// # Errors
///
/// Where that does not help: the user gave the suffix, or the name is the template's own.
pub(super) fn lengthen<'p>(
    site: &Site,
    template: &Template,
    resolved: &mut Resolved,
    taken: impl IntoIterator<Item = &'p RelPath>,
) -> Result<()> {
    let is_ours = !template.manifest.declared().any(|placeholder| placeholder.name == "app_suffix");
    if !is_ours || resolved.answers.contains_key("app_suffix") {
        return Err(refuse_taken(taken));
    }
    let suffix = Answer::Text(built_in::app_suffix(site.app_dir(), true));
    resolved.variables.insert("app_suffix".into(), suffix.clone());
    resolved.answers.insert("app_suffix".into(), suffix);
    Ok(())
}

/// What stands at these paths at the repository's root is not the app's.
pub(super) fn refuse_taken<'p>(taken: impl IntoIterator<Item = &'p RelPath>) -> Diagnostics {
    let refuse = |path: &RelPath| {
        let title = format!("`{path}` at the repository's root exists, and is not this app's");
        Diagnostic::error(Code::TargetExists, title)
            .help("move it out of the way, or give the app's files another name with -d app_suffix=-NAME")
    };
    Diagnostics(taken.into_iter().map(refuse).collect())
}
