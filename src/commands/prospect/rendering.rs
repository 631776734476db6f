//! What the template renders now for a project that is there already.

use std::collections::BTreeSet;

use crate::answers::Resolved;
use crate::cli::RenderArgs;
use crate::commands::render::{self, Rendered, Setting};
use crate::commands::{inputs, origin, suffix};
use crate::diagnostic::Result;
use crate::git;
use crate::lock::{DIRECTORY, LOCK, Lock};
use crate::plan::Trees;
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::Site;

/// Renders the template; the date is the one that the project's files show already.
pub(super) fn render(
    args: &RenderArgs,
    site: &Site,
    lock: Option<&Lock>,
    template: &mut Template,
    resolved: &mut Resolved,
) -> Result<Rendered> {
    let setting = Setting {
        app_dir: site.app_dir.as_ref(),
        date: lock.and_then(|lock| lock.date).unwrap_or_else(inputs::date),
        strict: args.strict || template.origin.source == origin::EMBEDDED,
    };
    match lock {
        Some(_) => render::render_once(template, resolved, &setting),
        None => suffix::render_apart(site, template, resolved, &setting, |trees| held_by_others(site, trees)),
    }
}

/// The paths at the repository's root that another app of the repository has in its lock.
///
/// # Errors
///
/// When git fails.
fn held_by_others(site: &Site, theirs: &Trees) -> Result<BTreeSet<RelPath>> {
    let stands = |path: &&RelPath| path.below(site.root()).symlink_metadata().is_ok();
    let stand: BTreeSet<&RelPath> = theirs.repository.keys().filter(stands).collect();
    if stand.is_empty() || site.repository.is_none() {
        return Ok(BTreeSet::new());
    }
    let own = site.in_repository(&format!("{DIRECTORY}/{LOCK}"));
    let is_lock = |path: &&String| path.ends_with(&format!("{DIRECTORY}/{LOCK}")) && **path != own;
    let files = git::files(site.root())?;
    let locks = files.iter().filter(is_lock).filter_map(|path| std::fs::read_to_string(site.root().join(path)).ok());
    let held =
        locks.filter_map(|text| Lock::parse(&text, LOCK).ok()).flat_map(|lock| lock.repository_files.into_keys());
    Ok(held.filter(|path| stand.contains(path)).collect())
}
