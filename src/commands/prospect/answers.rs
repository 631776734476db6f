//! The answers of a project that is there already.

use std::collections::{BTreeMap, BTreeSet};

use crate::answers::built_in::{self, Facts, OF_THE_START};
use crate::answers::given::{self, Given, GivenValues, values_of};
use crate::answers::placeholder::Answer;
use crate::answers::{Ask, Resolved, name, prompt, resolve};
use crate::cli::RenderArgs;
use crate::commands::adoption::Inferred;
use crate::commands::inputs;
use crate::diagnostic::{Diagnostic, Diagnostics, Result, Severity};
use crate::lock::Lock;
use crate::migrations::Due;
use crate::render::Lines;
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::Site;

/// The answers of the record in terms of the template's version now, or those that the project's files tell.
pub(super) fn known(
    lock: Option<&Lock>,
    inferred: &Inferred,
    template: &Template,
    due: &Due<'_>,
) -> Result<BTreeMap<String, Answer>> {
    let Some(lock) = lock else { return Ok(inferred.values().collect()) };
    let date = lock.date.unwrap_or_else(inputs::date);
    let mut known = due.answers(&template.manifest, lock.answers.clone(), date, &Lines::default())?;
    // Of a project that is adopted, the files tell what its version did not ask for.
    for (name, answer) in inferred.values() {
        known.entry(name).or_insert(answer);
    }
    Ok(known)
}

/// The recorded answers, then what was given now, then questions.
pub(super) fn answer(
    site: &Site,
    lock: Option<&Lock>,
    mut recorded: BTreeMap<String, Answer>,
    template: &Template,
    given_now: Option<GivenValues>,
    args: &RenderArgs,
    may_ask: bool,
) -> Result<Resolved> {
    template.manifest.ownership.carry_over(&mut recorded);
    let given_now = given_now.map_or_else(|| inputs::given(args.values_file.as_deref(), &args.define), Ok)?;
    let name = given_now.get("project-name").and_then(|given| given::spell(&given.value));
    if let Some(name) = name.as_ref().or(args.name.as_ref()) {
        name::check(name, template.manifest.ownership.name_pattern.as_ref())?;
        recorded.insert("project-name".to_owned(), Answer::Text(name.clone()));
    }
    let started: BTreeMap<String, Answer> = recorded
        .iter()
        .filter(|(name, _)| OF_THE_START.contains(&name.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut given: GivenValues = inputs::environment()?;
    // What is recorded counts more than the environment.
    given.retain(|name, _| !started.contains_key(name));
    given.extend(values_of(recorded.into_iter().filter(|(name, _)| !started.contains_key(name))));
    given.extend(given_now);

    let mentioned = inputs::remembered(template);
    let facts = facts(site, lock, &mentioned, &started, &given);
    let mut variables = built_in::variables(&facts);
    variables.extend(started);
    let mut user = prompt::ask;
    let mut ask = if may_ask { Ask::User(&mut user) } else { Ask::Nobody };
    let mut resolved = resolve(&template.manifest, variables, &given, &mut ask)?;
    let mut warnings = std::mem::take(&mut resolved.warnings);
    // A change that was asked for and cannot be made is not passed over.
    let told = inputs::forget_unused(template, &mut resolved, Severity::Error, None);
    let (errors, unused): (Vec<Diagnostic>, Vec<Diagnostic>) = told.into_iter().partition(Diagnostic::is_error);
    warnings.extend(unused);
    crate::commands::warn(warnings, args.strict)?;
    if !errors.is_empty() {
        return Err(Diagnostics(errors));
    }
    inputs::remember(&mut resolved, &mentioned);
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
