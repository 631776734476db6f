//! A project without a record that was created from a known version of the template: by cargo-generate, or by an older create-app.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::answer;
use super::{Commands, nearest, rendering};
use crate::answers::given::GivenValues;
use crate::cli::RenderArgs;
use crate::commands::adoption::{self, Inferred};
use crate::commands::origin::{self, Access};
use crate::commands::warn;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::placeholders::Answer;
use crate::workspace::{Project, Site};

/// The project as it would be recorded if that version had recorded it, and the source of the answers.
///
/// # Errors
///
/// If it has a record, if there is no such version, and whatever keeps that from being rendered.
pub(super) fn project(
    site: &Site,
    revision: &str,
    (args, commands): (&RenderArgs, Commands<'_>),
    given: GivenValues,
    access: Access,
) -> Result<(Project, Inferred)> {
    let found = if revision == nearest::NEAREST { Some(nearest::find(site, args, &given, access)?) } else { None };
    let revision = found.as_deref().unwrap_or(revision);
    let loaded = origin::past(site, revision, &args.source, access)?;
    warn(loaded.warnings, args.strict)?;
    let mut template = loaded.template;
    let inferred = adoption::answers(site, &template)?;
    let mut known: BTreeMap<String, Answer> = inferred.values().collect();
    // It was a new project then.
    known.insert("is_init".to_owned(), Answer::Bool(false));
    // What only the newest version asks for is given as well.
    let declared: BTreeSet<&str> = template.manifest.declared().map(|placeholder| placeholder.name.as_str()).collect();
    let given = given.into_iter().filter(|(name, _)| declared.contains(name.as_str())).collect();
    let mut answered = answer(site, None, known, &template, Some(given), (args, commands), access.may_ask)?;
    let rendered = rendering::render(args, site, None, &mut template, &mut answered)?;
    let record = answered.record(&template, &rendered, site.app_dir.as_ref(), &BTreeSet::new());
    Ok((Project::unrecorded(site.clone(), record.lock, &rendered.trees)?, inferred))
}

/// Refuses a project that has a record: that one says what it was made from.
///
/// # Errors
///
/// Says so.
pub(super) fn refuse_recorded(site: &Site) -> Result<()> {
    if !site.has_lock() {
        return Ok(());
    }
    let title = format!("`{}` already has a record, which says what it was created from", site.shown());
    Err(Diagnostic::error(Code::TargetExists, title).help("leave out --from").into())
}
