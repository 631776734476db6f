//! The files of a new project, none of which is another app's at the repository's root.

use std::collections::BTreeSet;

use crate::answers::Resolved;
use crate::cli::NewArgs;
use crate::commands::render::{self, Rendered, Setting};
use crate::commands::{inputs, origin, suffix};
use crate::date::Date;
use crate::diagnostic::Result;
use crate::plan::Trees;
use crate::template::Template;
use crate::tree::{RelPath, Tree};
use crate::workspace::Site;

/// Renders the template; again, with a longer suffix, where something else of the repository has a path that the short
/// one gives.
pub(super) fn render(
    args: &NewArgs,
    site: &Site,
    template: &mut Template,
    resolved: &mut Resolved,
) -> Result<Rendered> {
    let date = inputs::date();
    if site.app_dir.is_none() {
        let files = std::mem::take(&mut template.files);
        return render_files(args, site, template, files, resolved, date);
    }
    let owned = site.owned();
    let rendered = render_files(args, site, template, template.files.clone(), resolved, date)?;
    let taken = taken(site, &owned, &rendered.trees);
    if taken.is_empty() {
        return Ok(rendered);
    }
    suffix::lengthen(site, template, resolved, &taken)?;
    let files = std::mem::take(&mut template.files);
    let rendered = render_files(args, site, template, files, resolved, date)?;
    let taken = self::taken(site, &owned, &rendered.trees);
    if taken.is_empty() { Ok(rendered) } else { Err(suffix::refuse_taken(&taken)) }
}

/// The paths at the repository's root where something stands that is not this app's.
fn taken(site: &Site, owned: &BTreeSet<RelPath>, trees: &Trees) -> Vec<RelPath> {
    let stands = |path: &&RelPath| path.below(site.root()).symlink_metadata().is_ok();
    trees.repository.keys().filter(|path| !owned.contains(*path)).filter(stands).cloned().collect()
}

fn render_files(
    args: &NewArgs,
    site: &Site,
    template: &Template,
    files: Tree,
    resolved: &Resolved,
    date: Date,
) -> Result<Rendered> {
    // A slip in the template that we carry is ours to mend, not the user's to live with.
    let strict = args.strict || template.origin.source == origin::EMBEDDED;
    render::render(template, files, resolved, &Setting { app_dir: site.app_dir.as_ref(), date, strict })
}
