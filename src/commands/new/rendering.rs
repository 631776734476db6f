//! The files of a new project, none of which is another app's at the repository's root.

use std::collections::BTreeSet;

use crate::answers::Resolved;
use crate::cli::NewArgs;
use crate::commands::render::{Rendered, Setting};
use crate::commands::{origin, suffix};
use crate::diagnostic::Result;
use crate::hooks::Hooks;
use crate::plan::Trees;
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::Site;

/// Renders the template.
pub(super) fn render(
    args: &NewArgs,
    site: &Site,
    template: &mut Template,
    resolved: &mut Resolved,
    hooks: &Hooks,
) -> Result<Rendered> {
    let setting = Setting {
        app_dir: site.app_dir.as_ref(),
        date: hooks.date(),
        // A slip in the template that we carry is ours to correct, not the user's to live with.
        strict: args.strict || template.origin.source == origin::EMBEDDED,
        total: None,
        hooks,
    };
    suffix::render_apart(site, template, resolved, &setting, |trees| taken(site, trees))
}

/// The paths at the repository's root where something stands that is not this app's.
fn taken(site: &Site, trees: &Trees) -> Result<BTreeSet<RelPath>> {
    let owned = site.owned()?;
    let stands = |path: &&RelPath| path.below(site.root()).symlink_metadata().is_ok();
    Ok(trees.repository.keys().filter(|path| !owned.contains(*path)).filter(stands).cloned().collect())
}
