//! A project without a record that was made from a version of the template that is known: by cargo-generate, or by an older create-app.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::answer;
use super::{Commands, rendering};
use crate::answers::given::GivenValues;
use crate::answers::placeholder::Answer;
use crate::cli::RenderArgs;
use crate::commands::adoption::{self, Inferred};
use crate::commands::origin::{self, Access};
use crate::commands::{render, warn};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock;
use crate::workspace::{Project, Site};

/// The project as it would be recorded if that version had recorded it, and what told the answers.
///
/// # Errors
///
/// Where it has a record, where there is no such version, and whatever keeps that from being rendered.
pub(super) fn project(
    site: &Site,
    revision: &str,
    (args, commands): (&RenderArgs, Commands<'_>),
    given: GivenValues,
    access: Access,
) -> Result<(Project, Inferred)> {
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
    let (mut resolved, hooks) = answer(site, None, known, &template, Some(given), (args, commands), access.may_ask)?;
    let rendered = rendering::render(args, site, None, &mut template, &mut resolved, &hooks)?;
    resolved.answers.extend(hooks.asked());
    let recorded = render::recorded(&template, &resolved, &rendered, site.app_dir.as_ref());
    let record = lock::record(&recorded, &BTreeSet::new());
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
    let title = format!("`{}` has a record already, which says what it was made from", site.shown());
    Err(Diagnostic::error(Code::TargetExists, title).help("leave out --from").into())
}
