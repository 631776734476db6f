//! The answers of an existing project.

use std::collections::{BTreeMap, BTreeSet};

use super::Commands;
use crate::answers::given::{self, Given, GivenValues, Source, values_of};
use crate::answers::{Resolved, name};
use crate::cli::{CommandArgs, RenderArgs};
use crate::commands::adoption::Inferred;
use crate::commands::origin;
use crate::commands::pipeline::{Answered, Inputs, Person, hooking, inputs};
use crate::diagnostic::{Result, Severity};
use crate::hooks::Consent;
use crate::liquid::Lines;
use crate::lock::Lock;
use crate::migrations::Due;
use crate::placeholders::Answer;
use crate::placeholders::built_in;
use crate::placeholders::built_in::{Facts, Trait};
use crate::template::Template;
use crate::trace;
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
    (args, commands): (&RenderArgs, Commands<'_>),
    may_ask: bool,
) -> Result<Answered> {
    let _stage = trace::stage("answering");
    let questions = hooking::take_questions(template, &mut recorded);
    template.manifest.ownership.carry_over(&mut recorded);
    let given_now = given_now.map_or_else(|| inputs::given(args.values_file.as_deref(), &args.define), Ok)?;
    let name = given_now.get("project-name").and_then(|given| given::spell(&given.value));
    if let Some(name) = name.as_ref().or(args.name.as_ref()) {
        name::check(name, template.manifest.ownership.name_pattern.as_ref())?;
        recorded.insert("project-name".to_owned(), Answer::Text(name.clone()));
    }
    let started: BTreeMap<String, Answer> =
        recorded.iter().filter(|(name, _)| Trait::OfTheStart.has(name)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let mut given: GivenValues = inputs::environment()?;
    // What is recorded counts more than the environment.
    given.retain(|name, _| !started.contains_key(name));
    given.extend(values_of(recorded.into_iter().filter(|(name, _)| !started.contains_key(name))));
    given.extend(given_now);

    let mentioned = inputs::remembered(template);
    let facts = facts(site, lock, &mentioned, &started, &given);
    let mut variables = built_in::variables(&facts);
    variables.extend(started);
    let (none, date) = (CommandArgs::default(), lock.and_then(|lock| lock.date));
    let consent = match commands {
        Some(commands) => hooking::consent(commands, may_ask),
        None => Consent::Refused("`diff` runs no command; `create-app upgrade --dry-run` asks whether it may"),
    };
    let setting = hooking::setting(consent, commands.unwrap_or(&none), may_ask, date, &given, questions);
    let inputs = Inputs {
        template,
        variables,
        given: &given,
        // What writes nothing need not be agreed to.
        person: Person::new(may_ask, commands.map(|_| "Upgrade with these answers?")),
        // A change that was asked for and cannot be made is not passed over.
        unused: Severity::Error,
        remembered: Some(&mentioned),
        strict: args.strict,
        total: None,
    };
    let mut answered = inputs.begin(setting)?.answer()?;
    let Answered { resolved, hooks } = &mut answered;
    // An app that was moved keeps the names of its files at the repository's root.
    if mentioned.contains("app_suffix") && facts.app_suffix != built_in::app_suffix(site.app_dir(), false) {
        let suffix = resolved.variables.get("app_suffix").cloned();
        resolved.answers.extend(suffix.map(|suffix| ("app_suffix".to_owned(), suffix)));
    }
    if lock.is_some_and(|lock| is_as_recorded(lock, template, resolved, &given)) {
        hooks.trust_record();
    }
    Ok(answered)
}

/// Whether a render would be the one that was recorded, but for what commands make of it.
fn is_as_recorded(lock: &Lock, template: &Template, resolved: &Resolved, given: &GivenValues) -> bool {
    let mut recorded = lock.answers.clone();
    hooking::take_questions(template, &mut recorded);
    // What was given now may answer a question of a hook.
    let is_known = |name: &String| resolved.answers.contains_key(name);
    let is_given = given.iter().any(|(name, given)| given.by != Source::Lock && !is_known(name));
    let has_secrets = !template.manifest.ownership.secret.is_empty();
    !is_given && !has_secrets && recorded == resolved.answers && origin::is_same(&template.origin, &lock.template)
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
