//! What the template renders now for a project that is there already.

use std::collections::BTreeSet;

use crate::answers::Resolved;
use crate::cli::RenderArgs;
use crate::commands::render::{self, Rendered, Setting};
use crate::commands::{origin, suffix};
use crate::diagnostic::Result;
use crate::git;
use crate::hooks::Hooks;
use crate::lock::{DIRECTORY, LOCK, Lock};
use crate::plan::Trees;
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::{self, Site};

/// Renders the template; the date is the one that the project's files show already.
pub(super) fn render(
    args: &RenderArgs,
    site: &Site,
    lock: Option<&Lock>,
    template: &mut Template,
    resolved: &mut Resolved,
    hooks: &Hooks,
) -> Result<Rendered> {
    let setting = Setting {
        app_dir: site.app_dir.as_ref(),
        date: hooks.date(),
        strict: args.strict || template.origin.source == origin::EMBEDDED,
        total: None,
        hooks,
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
    let end = format!("{DIRECTORY}/{LOCK}");
    let own = site.in_repository(&end);
    let is_lock = |path: &&str| (*path == end || path.ends_with(&format!("/{end}"))) && *path != own;
    let files = git::files(site.root())?;
    let locks = workspace::locks(site.root(), files.iter().map(String::as_str).filter(is_lock))?;
    let held = locks.into_iter().flat_map(|lock| lock.repository_files.into_keys());
    Ok(held.filter(|path| stand.contains(path)).collect())
}
