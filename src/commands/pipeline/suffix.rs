//! The suffix that distinguishes the files of one app at the repository's root from those of another.

use std::collections::BTreeSet;

use super::render::{self, Rendered, Setting};
use crate::answers::Resolved;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::placeholders::Answer;
use crate::placeholders::built_in;
use crate::plan::Trees;
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::Site;

/// Renders the template; again, with a longer suffix, where the short one gives paths at the repository's root that are `taken`.
///
/// # Errors
///
/// What keeps it from being rendered, and if no suffix helps.
pub(super) fn render_apart(
    site: &Site,
    template: &mut Template,
    resolved: &mut Resolved,
    setting: &Setting<'_>,
    taken: impl Fn(&Trees) -> Result<BTreeSet<RelPath>>,
) -> Result<Rendered> {
    if site.app_dir.is_none() {
        return render::render_once(template, resolved, setting);
    }
    let first = render::render(template, template.files.clone(), resolved, setting)?;
    let others = taken(&first.trees)?;
    if others.is_empty() {
        return Ok(first);
    }
    lengthen(site, template, resolved, &others)?;
    let second = render::render_once(template, resolved, setting)?;
    let others = taken(&second.trees)?;
    if others.is_empty() { Ok(second) } else { Err(refuse_taken(&others)) }
}

/// Names the app's files at the repository's root after all of its path, since the last part of it is taken there.
///
/// # Errors
///
/// If that does not help: the user gave the suffix, or the name is the template's own.
fn lengthen(site: &Site, template: &Template, resolved: &mut Resolved, taken: &BTreeSet<RelPath>) -> Result<()> {
    let is_ours = !template.manifest.declared().any(|placeholder| placeholder.name == "app_suffix");
    if !is_ours || resolved.answers.contains_key("app_suffix") {
        return Err(refuse_taken(taken));
    }
    let suffix = Answer::Text(built_in::app_suffix(site.app_dir(), true));
    resolved.variables.insert("app_suffix".into(), suffix.clone());
    resolved.answers.insert("app_suffix".into(), suffix);
    Ok(())
}

/// What is at these paths at the repository's root is not the app's.
fn refuse_taken(taken: &BTreeSet<RelPath>) -> Diagnostics {
    let refuse = |path: &RelPath| {
        let title = format!("`{path}` at the repository's root already exists, and does not belong to this app");
        Diagnostic::error(Code::TargetExists, title)
            .help("move it out of the way, or give the app's files another name with -d app_suffix=-NAME")
    };
    Diagnostics(taken.iter().map(refuse).collect())
}
