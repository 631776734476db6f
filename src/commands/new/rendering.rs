//! The files of a new project; none may belong to another app at the repository's root.

use std::collections::BTreeSet;

use crate::cli::NewArgs;
use crate::commands::pipeline::{Answered, How, Rendered};
use crate::diagnostic::Result;
use crate::plan::Trees;
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::Site;

/// Renders the template.
pub(super) fn render(
    args: &NewArgs,
    site: &Site,
    template: &mut Template,
    answered: &mut Answered,
) -> Result<Rendered> {
    let how = How { strict: args.strict, lenient: args.continue_on_error };
    answered.render(template, site, how, Some(&|trees| taken(site, trees)))
}

/// The paths at the repository's root where something exists that is not this app's.
fn taken(site: &Site, trees: &Trees) -> Result<BTreeSet<RelPath>> {
    let owned = site.owned()?;
    let stands = |path: &&RelPath| path.below(site.root()).symlink_metadata().is_ok();
    Ok(trees.repository.keys().filter(|path| !owned.contains(*path)).filter(stands).cloned().collect())
}
