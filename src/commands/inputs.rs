//! What a run takes from the world before its pure part begins: the template, the given values, the user's name.

use std::path::Path;

use crate::answers::built_in::{Author, OF_THE_MACHINE};
use crate::answers::given::{self, GivenValues, Source};
use crate::answers::placeholder::{Kind, Placeholder};
use crate::answers::{Resolved, prompt};
use crate::cli::NewArgs;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result, did_you_mean};
use crate::git;
use crate::render;
use crate::source::{self, Loaded};
use crate::template::Template;

/// The variable that names a values file, and the only one of cargo-generate's own that is read here.
const VALUES_FILE: &str = "CARGO_GENERATE_TEMPLATE_VALUES_FILE";

/// Loads the template that was asked for; where a directory holds several, the user chooses, or the first one is taken.
pub(super) fn template(args: &NewArgs, may_ask: bool) -> Result<Loaded> {
    let Some(directory) = &args.template else { return source::embedded() };
    let source = directory.to_string_lossy();
    let mut subfolder = args.subfolder.clone();
    loop {
        let candidates = source::candidates(directory, &source, subfolder.as_deref())?;
        let chosen = match candidates.as_slice() {
            [] => return source::from_path(directory, &source, subfolder.as_deref()),
            [only] => only.clone(),
            [first, ..] if !may_ask => first.clone(),
            _ => choose(candidates)?,
        };
        subfolder = Some(chosen);
    }
}

fn choose(candidates: Vec<String>) -> Result<String> {
    let default = candidates.first().cloned();
    let kind = Kind::Choice { choices: candidates, default };
    let question = Placeholder { name: "template".into(), prompt: "Which template?".into(), kind, span: 0..0 };
    let cancelled = |mut problems: Diagnostics| {
        problems.0.iter_mut().for_each(|problem| problem.help = Some("choose one with --subfolder".to_owned()));
        problems
    };
    Ok(prompt::ask(&question).map_err(cancelled)?.to_string())
}

/// Collects what was given beforehand: a later source wins over an earlier one.
pub(super) fn given(args: &NewArgs) -> Result<GivenValues> {
    let mut values = GivenValues::new();
    if let Some(file) = std::env::var_os(VALUES_FILE) {
        values.extend(values_file(Path::new(&file))?);
    }
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    values.extend(given::environment(environment));
    if let Some(file) = &args.values_file {
        values.extend(values_file(file)?);
    }
    for definition in &args.define {
        values.extend([given::definition(definition)?]);
    }
    Ok(values)
}

fn values_file(path: &Path) -> Result<GivenValues> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let mut problem = Diagnostic::io("cannot read the values file", path, &error);
        problem.code = Code::ValuesFile;
        problem
    })?;
    given::values_file(&path.to_string_lossy(), &text)
}

/// The built-in variables of the machine that the template mentions: what they are on this machine must be remembered.
pub(super) fn mentioned(template: &Template) -> Vec<&'static str> {
    let mut mentioned = render::mentioned(&template.files, OF_THE_MACHINE);
    let conditions: String = template.manifest.conditionals.iter().map(|it| it.expression.value.as_str()).collect();
    mentioned.extend(OF_THE_MACHINE.iter().filter(|name| conditions.contains(**name)));
    mentioned
}

/// Warns of values that no placeholder asks for and no file or condition uses: most are slips in a name.
pub(super) fn unused(template: &Template, resolved: &Resolved) -> Vec<Diagnostic> {
    let names: Vec<&str> = resolved.undeclared.keys().map(String::as_str).collect();
    let used = render::mentioned(&template.files, &names);
    let conditions: Vec<&str> = template.manifest.conditionals.iter().map(|it| it.expression.value.as_str()).collect();
    let is_used = |name: &str| used.contains(&name) || conditions.iter().any(|condition| condition.contains(name));
    // The environment is not only there for this template.
    let unused =
        resolved.undeclared.iter().filter(|(name, by)| !matches!(by, Source::Environment(_)) && !is_used(name));
    let warn = |(name, by): (&String, &Source)| {
        let title = format!("the template has no placeholder `{name}` (given by {by})");
        let declared = template.manifest.declared().map(|placeholder| placeholder.name.as_str());
        let help =
            did_you_mean(name, declared).unwrap_or_else(|| "leave it out: nothing in the template uses it".to_owned());
        Diagnostic::warning(Code::AnswerUnknown, title).help(help)
    };
    unused.map(warn).collect()
}

/// The user, if the template mentions one: asking git takes as long as the rest of a run.
pub(super) fn author(mentioned: &[&str], directory: &Path) -> Option<Author> {
    if !mentioned.iter().any(|name| ["authors", "username"].contains(name)) {
        return None;
    }
    let identity = git::Identity::find(directory);
    Some(Author { name: identity.name?, email: identity.email })
}
