//! What an upgrade would do: the template rendered anew with the project's answers, and merged with the project's files.
//! `upgrade` applies it, and `diff` shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::origin::{self, Access};
use super::render::{self, Rendered, Setting};
use super::{adoption, inputs, merging, new};
use crate::answers::built_in::{self, Facts, OF_THE_START};
use crate::answers::given::{Given, GivenValues, values_of};
use crate::answers::placeholder::Answer;
use crate::answers::{Ask, Resolved, prompt, resolve};
use crate::cli::RenderArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git;
use crate::lock::{self, Lock, Record};
use crate::merge::Bases;
use crate::plan::{Plan, Trees};
use crate::source::Loaded;
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::{self, Project, Site};

/// Everything that there is to know before anything is changed.
pub(super) struct Prospect {
    /// Where the project is.
    pub(super) site: Site,
    /// What the lock and the base know; none for a project that is adopted.
    pub(super) recorded: Option<Project>,
    /// The project's files.
    pub(super) ours: Trees,
    /// What the template renders now.
    pub(super) theirs: Trees,
    /// What is to be done.
    pub(super) plan: Plan,
    /// What is recorded then.
    pub(super) record: Record,
}

impl Prospect {
    /// Whether nothing would change, the record included.
    pub(super) fn is_empty(&self) -> bool {
        let recorded = |project: &Project| {
            project.lock == self.record.lock && project.present.is_superset(&self.record.lock.base())
        };
        self.plan.is_empty() && self.recorded.as_ref().is_some_and(recorded)
    }
}

/// Reads the project, renders the template, and merges.
///
/// # Errors
///
/// Everything that keeps it from being done.
pub(super) fn find(site: Site, args: &RenderArgs) -> Result<Prospect> {
    let recorded = if site.has_lock() { Some(Project::read(site.clone())?) } else { None };
    let lock = recorded.as_ref().map(|project| &project.lock);
    let may_ask = !args.silent && prompt::possible();
    let known = lock.map(|lock| &lock.template);
    let Loaded { mut template, warnings } =
        origin::load(&site, known, &args.source, Access { may_ask, offline: true })?;
    super::warn(warnings, args.strict)?;
    new::refuse_hooks(&template)?;

    let mut resolved = answer(&site, lock, &template, args, may_ask)?;
    let rendered = match lock {
        Some(lock) => rendered(&site, Some(lock), &mut template, &resolved, args.strict)?,
        None => rendered_anew(&site, &mut template, &mut resolved, args.strict)?,
    };
    let bases = recorded.as_ref().map(|project| &project.bases);
    let present = recorded.as_ref().map(|project| project.present.clone()).unwrap_or_default();
    let mut record = lock::record(&render::recorded(&template, &resolved, &rendered, site.app_dir.as_ref()), &present);
    let theirs = rendered.trees;
    let mut ours = workspace::ours(&site, bases.unwrap_or(&Bases::default()), &theirs)?;
    match bases {
        Some(bases) => refuse_left_out(&site, bases, &ours)?,
        None => adoption::refuse_stranger(&site, &template.manifest.ownership, &ours, &theirs)?,
    }
    let options = merging::options(&template, args);
    let plan = merging::merged(&site, bases, &mut ours, &theirs, &template.manifest.ownership, options)?;
    record.lock.moved = plan.moved.clone();
    Ok(Prospect { site, recorded, ours, theirs, plan, record })
}

/// Answers: the lock's, then what was given now, then questions.
fn answer(site: &Site, lock: Option<&Lock>, template: &Template, args: &RenderArgs, may_ask: bool) -> Result<Resolved> {
    let recorded = match lock {
        Some(lock) => lock.answers.clone(),
        None => adoption::answers(site, template),
    };
    let started: BTreeMap<String, Answer> = recorded
        .iter()
        .filter(|(name, _)| OF_THE_START.contains(&name.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut given: GivenValues = inputs::environment()?;
    given.extend(values_of(recorded.into_iter().filter(|(name, _)| !started.contains_key(name))));
    given.extend(inputs::given(args.values_file.as_deref(), &args.define)?);

    let mentioned = inputs::remembered(template);
    let facts = facts(site, lock, &mentioned, &started, &given);
    let mut variables = built_in::variables(&facts);
    variables.extend(started);
    let mut user = prompt::ask;
    let mut ask = if may_ask { Ask::User(&mut user) } else { Ask::Nobody };
    let mut resolved = resolve(&template.manifest, variables, &given, &mut ask)?;
    let mut warnings = std::mem::take(&mut resolved.warnings);
    warnings.extend(inputs::forget_unused(template, &mut resolved));
    super::warn(warnings, args.strict)?;
    new::remember(&mut resolved, &mentioned);
    // An app that was moved keeps the names of its files at the repository's root.
    if mentioned.contains("app_suffix") && facts.app_suffix != built_in::app_suffix(site.app_dir(), false) {
        let suffix = resolved.variables.get("app_suffix").cloned();
        resolved.answers.extend(suffix.map(|suffix| ("app_suffix".to_owned(), suffix)));
    }
    Ok(resolved)
}

fn facts(
    site: &Site,
    lock: Option<&Lock>,
    mentioned: &BTreeSet<&str>,
    started: &BTreeMap<String, Answer>,
    given: &BTreeMap<String, Given>,
) -> Facts {
    let directory = site.app.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let known_dir = lock.and_then(|lock| lock.app_dir.as_ref()).map_or(site.app_dir(), RelPath::as_str);
    let unknown: BTreeSet<&str> = mentioned.iter().copied().filter(|name| !given.contains_key(*name)).collect();
    Facts {
        name: started.get("project-name").map_or(directory, ToString::to_string),
        app_dir: site.app_dir().to_owned(),
        app_suffix: built_in::app_suffix(if site.app_dir.is_some() { known_dir } else { "." }, false),
        is_init: lock.is_none(),
        within_cargo_project: site.app.ancestors().any(|directory| directory.join("Cargo.toml").exists()),
        author: inputs::author(&unknown, &site.app),
    }
}

/// Renders for an app without a lock; again, with a longer suffix, where another app has a path that the short one gives.
fn rendered_anew(site: &Site, template: &mut Template, resolved: &mut Resolved, strict: bool) -> Result<Rendered> {
    if site.app_dir.is_none() {
        return rendered(site, None, template, resolved, strict);
    }
    let files = template.files.clone();
    let first = rendered(site, None, template, resolved, strict)?;
    let held = adoption::held_by_others(site, &first.trees)?;
    if held.is_empty() {
        return Ok(first);
    }
    new::lengthen_suffix(site, template, resolved, &held)?;
    template.files = files;
    let second = rendered(site, None, template, resolved, strict)?;
    let held = adoption::held_by_others(site, &second.trees)?;
    if held.is_empty() { Ok(second) } else { Err(new::refuse_taken(&held)) }
}

/// Renders the template; the date is the one that the project's files show already.
fn rendered(
    site: &Site,
    lock: Option<&Lock>,
    template: &mut Template,
    resolved: &Resolved,
    strict: bool,
) -> Result<Rendered> {
    let files = std::mem::take(&mut template.files);
    let setting = Setting {
        app_dir: site.app_dir.as_ref(),
        date: lock.and_then(|lock| lock.date).unwrap_or_else(inputs::date),
        strict: strict || template.origin.source == origin::EMBEDDED,
    };
    render::render(template, files, resolved, &setting)
}

/// A file that a sparse checkout leaves out has not been deleted; what was merged into it could not be seen.
fn refuse_left_out(site: &Site, bases: &Bases, ours: &Trees) -> Result<()> {
    if site.repository.is_none() {
        return Ok(());
    }
    let mut problems = Vec::new();
    let sides = [(&site.app, &bases.app, &ours.app), (&site.root().to_path_buf(), &bases.repository, &ours.repository)];
    for (root, base, ours) in sides {
        let missing = base.iter().filter(|(path, known)| !known.pristine.once && !ours.contains_key(path));
        let left_out = git::left_out(root, missing.map(|(path, _)| path.as_str()))?;
        problems.extend(left_out.iter().map(|path| {
            Diagnostic::error(Code::NotCheckedOut, format!("`{path}` is left out by this sparse checkout"))
                .help("check it out with `git sparse-checkout add`, or upgrade in a complete clone")
        }));
    }
    if problems.is_empty() { Ok(()) } else { Err(crate::diagnostic::Diagnostics(problems)) }
}
