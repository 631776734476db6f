//! The template's current render for an existing project.

use std::collections::BTreeSet;

use crate::cli::RenderArgs;
use crate::commands::pipeline::{Answered, How, Rendered};
use crate::diagnostic::Result;
use crate::lock::Lock;
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
    answered: &mut Answered,
) -> Result<Rendered> {
    let how = How { strict: args.strict, lenient: args.continue_on_error };
    let taken = |trees: &Trees| held_by_others(site, trees);
    answered.render(template, site, how, if lock.is_none() { Some(&taken) } else { None })
}

/// The paths at the repository's root that another app of the repository has in its lock.
///
/// # Errors
///
/// When git fails.
fn held_by_others(site: &Site, theirs: &Trees) -> Result<BTreeSet<RelPath>> {
    let stands = |path: &&RelPath| path.below(site.root()).symlink_metadata().is_ok();
    let stand: BTreeSet<&RelPath> = theirs.repository.keys().filter(stands).collect();
    if stand.is_empty() {
        return Ok(BTreeSet::new());
    }
    let held = workspace::others(site)?.into_iter().flat_map(|lock| lock.files.repository.into_keys());
    Ok(held.filter(|path| stand.contains(path)).collect())
}
