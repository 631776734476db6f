//! The name of a new project, and the answers to the template's questions.

use std::collections::{BTreeMap, BTreeSet};

use crate::answers::given::{self, GivenValues, values_of};
use crate::answers::{name, prompt};
use crate::cli::NewArgs;
use crate::commands::adoption::Inferred;
use crate::commands::pipeline::{Answered, Inputs, Person, hooking, inputs};
use crate::diagnostic::{Result, Severity};
use crate::hooks::Hooks;
use crate::placeholders::Answer;
use crate::placeholders::built_in;
use crate::placeholders::built_in::Facts;
use crate::report;
use crate::template::Template;
use crate::trace;
use crate::workspace::Site;

pub(super) fn facts(
    args: &NewArgs,
    site: &Site,
    template: &Template,
    given: &GivenValues,
    mentioned: &BTreeSet<&str>,
) -> Result<Facts> {
    let directory = site.app.file_name().map(|name| name.to_string_lossy().into_owned());
    let given = given.get("project-name").and_then(|given| given::spell(&given.value));
    let name = given.or_else(|| args.name.clone()).or(directory).unwrap_or_default();
    match args.force {
        true => name::check_forced(&name)?,
        false => name::check(&name, template.manifest.ownership.name_pattern.as_ref())?,
    }
    Ok(facts_of(name, args, site, mentioned))
}

fn facts_of(name: String, args: &NewArgs, site: &Site, mentioned: &BTreeSet<&str>) -> Facts {
    Facts {
        name,
        app_suffix: built_in::app_suffix(site.app_dir(), false),
        app_dir: site.app_dir().to_owned(),
        is_init: args.init,
        within_cargo_project: site.app.ancestors().any(|directory| directory.join("Cargo.toml").exists()),
        author: inputs::author(mentioned, &site.app),
    }
}

/// The values of the configuration, the environment and the command line.
pub(super) fn given(args: &NewArgs) -> Result<GivenValues> {
    let mut given = args.defaults.clone();
    given.extend(inputs::environment()?);
    let crate_type = if args.lib { Some("lib") } else { args.bin.then_some("bin") };
    given.extend(crate_type.map(given::crate_type));
    given.extend(inputs::given(args.values_file.as_deref(), &args.define)?);
    Ok(given)
}

/// What was given, and what the files of the directory tell where nothing was.
pub(super) fn known(inferred: &Inferred, given: GivenValues) -> GivenValues {
    let mut known = values_of(inferred.values().filter(|(name, _)| name != "project-name"));
    known.extend(given);
    known
}

/// The init hooks of a project that has no name yet, and what they set.
pub(super) struct Begun {
    hooks: Hooks,
    set: BTreeMap<String, Answer>,
}

impl Begun {
    /// The name that they gave to the project.
    pub(super) fn name(&self) -> Option<String> {
        self.set.get("project-name").map(ToString::to_string)
    }
}

/// Runs the init hooks, which may give the project its name.
pub(super) fn begin(
    args: &NewArgs,
    site: &Site,
    template: &Template,
    given: &GivenValues,
    may_ask: bool,
) -> Result<Begun> {
    let facts = facts_of(String::new(), args, site, &inputs::remembered(template));
    let mut variables = built_in::variables(&facts);
    variables.retain(|name, _| name != "project-name" && name != "crate_name");
    let before = variables.clone();
    let consent = hooking::consent(&args.commands, may_ask);
    let setting = hooking::setting(consent, &args.commands, may_ask, None, given, BTreeMap::new());
    let (hooks, _) = hooking::init(template, &mut variables, setting)?;
    variables.retain(|name, value| before.get(name) != Some(value));
    Ok(Begun { hooks, set: variables })
}

/// What is known, then questions.
pub(super) fn answer(
    args: &NewArgs,
    template: &Template,
    (facts, mentioned): (&Facts, &BTreeSet<&str>),
    known: &GivenValues,
    begun: Option<Begun>,
    may_ask: bool,
) -> Result<Answered> {
    let _stage = trace::stage("answering");
    let inputs = Inputs {
        template,
        variables: built_in::variables(facts),
        given: known,
        person: Person::new(may_ask, Some("Create the project with these answers?")),
        unused: Severity::Warning,
        remembered: Some(mentioned),
        strict: args.strict,
        total: None,
    };
    let begun = match begun {
        Some(Begun { hooks, set }) => {
            hooks.name_project(&facts.name);
            inputs.resume(hooks, set)
        }
        None => {
            let consent = hooking::consent(&args.commands, may_ask);
            let setting = hooking::setting(consent, &args.commands, may_ask, None, known, BTreeMap::new());
            inputs.begin(setting)?
        }
    };
    begun.answer()
}

/// Tells a person who gets defaults without having asked for them why.
pub(super) fn say_that_nobody_was_asked(args: &NewArgs, template: &Template, may_ask: bool) {
    if !may_ask && !args.silent && !template.manifest.placeholders.is_empty() && prompt::is_watched() {
        report::status(
            "The defaults were used, because there is no terminal to ask questions at; to change an answer, pass -d \
             NAME=VALUE.",
        );
    }
}
