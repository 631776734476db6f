//! What a new project is called, and what is answered to the template's questions.

use std::collections::BTreeSet;

use crate::answers::built_in::{self, Facts};
use crate::answers::given::{self, GivenValues, values_of};
use crate::answers::{Ask, Resolved, name, prompt, resolve};
use crate::cli::NewArgs;
use crate::commands::adoption::Inferred;
use crate::commands::inputs;
use crate::diagnostic::{Result, Severity};
use crate::report;
use crate::template::Template;
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
    name::check(&name, template.manifest.ownership.name_pattern.as_ref())?;
    Ok(Facts {
        name,
        app_suffix: built_in::app_suffix(site.app_dir(), false),
        app_dir: site.app_dir().to_owned(),
        is_init: args.init,
        within_cargo_project: site.app.ancestors().any(|directory| directory.join("Cargo.toml").exists()),
        author: inputs::author(mentioned, &site.app),
    })
}

/// What the environment and the command line give.
pub(super) fn given(args: &NewArgs) -> Result<GivenValues> {
    let mut given = inputs::environment()?;
    given.extend(inputs::given(args.values_file.as_deref(), &args.define)?);
    Ok(given)
}

/// What was given, and what the files of the directory tell where nothing was.
pub(super) fn known(inferred: &Inferred, given: GivenValues) -> GivenValues {
    let mut known = values_of(inferred.values().filter(|(name, _)| name != "project-name"));
    known.extend(given);
    known
}

/// What is known, then questions.
pub(super) fn answer(
    args: &NewArgs,
    template: &Template,
    facts: &Facts,
    known: &GivenValues,
    may_ask: bool,
) -> Result<Resolved> {
    let mut user = prompt::ask;
    let mut ask = if may_ask { Ask::User(&mut user) } else { Ask::Nobody };
    let mut resolved = resolve(&template.manifest, built_in::variables(facts), known, &mut ask)?;
    let mut warnings = std::mem::take(&mut resolved.warnings);
    warnings.extend(inputs::forget_unused(template, &mut resolved, Severity::Warning, None));
    crate::commands::warn(warnings, args.strict)?;
    Ok(resolved)
}

/// Tells a person who gets defaults without having asked for them why.
pub(super) fn say_that_nobody_was_asked(args: &NewArgs, template: &Template, may_ask: bool) {
    if !may_ask && !args.silent && !template.manifest.placeholders.is_empty() && prompt::is_watched() {
        report::status("Nobody was asked, because there is no terminal to ask at; -d NAME=VALUE gives other answers.");
    }
}
