//! The inputs that a run reads before its pure part begins: the given values, the date, the user's name.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use crate::answers::Resolved;
use crate::answers::given::{self, GivenValues, Source};
use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Result, Severity, did_you_mean};
use crate::git;
use crate::hooks;
use crate::limits::SETTINGS;
use crate::liquid::{self, Lines, Total};
use crate::placeholders::built_in::{Author, Trait};
use crate::rooted::{Failure, read_named};
use crate::template::Template;

/// For at most this many misspelled names, the right one is looked for.
const EXPLAINED: usize = 20;

/// The variable that names a values file, and the only one of cargo-generate's own that is read here.
const VALUES_FILE: &str = "CARGO_GENERATE_TEMPLATE_VALUES_FILE";

/// The values of the environment: the values file that it names, then its own variables.
pub(in crate::commands) fn environment() -> Result<GivenValues> {
    let mut values = GivenValues::new();
    if let Some(file) = std::env::var_os(VALUES_FILE) {
        values.extend(values_file(Path::new(&file))?);
    }
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    values.extend(given::environment(environment));
    Ok(values)
}

/// The values of the command line: a values file, then single definitions.
pub(in crate::commands) fn given(file: Option<&Path>, definitions: &[String]) -> Result<GivenValues> {
    let mut values = file.map(values_file).transpose()?.unwrap_or_default();
    values.extend(given::definitions(definitions)?);
    Ok(values)
}

fn values_file(path: &Path) -> Result<GivenValues> {
    given::values_file(&path.to_string_lossy(), &named_text(path, "values file", Code::ValuesFile)?)
}

/// The text of a file with settings that the user names.
///
/// # Errors
///
/// If it cannot be read, has more than 1 MiB, or is not text.
pub(in crate::commands) fn named_text(path: &Path, what: &str, code: Code) -> Result<String> {
    let refuse = |failure: Failure| {
        let problem = match failure {
            Failure::NotRegular(kind) => {
                let title = format!("cannot read the {what} `{}`: it is {kind}", path.display());
                Diagnostic::error(code, title).help("pass a TOML file")
            }
            failure => failure.diagnostic(&format!("cannot read the {what}"), path),
        };
        Diagnostic { code, ..problem }
    };
    let bytes = read_named(path, SETTINGS).map_err(refuse)?;
    String::from_utf8(bytes).map_err(|_| refuse(Failure::Io(ErrorKind::InvalidData.into())).into())
}

/// The built-in variables that the template mentions and whose values in this run must be remembered.
pub(in crate::commands) fn remembered(template: &Template) -> BTreeSet<&'static str> {
    mentioned(template, Trait::Remembered.names(), None)
}

/// The next run may have other values of these, in a renamed directory or on another machine: what this one gave to the
/// project goes into the lock.
pub(in crate::commands) fn remember(resolved: &mut Resolved, mentioned: &BTreeSet<&str>) {
    // The suffix follows from the app's directory, unless it had to be another.
    for name in mentioned.iter().filter(|name| **name != "app_suffix").chain(&["project-name"]) {
        if let Some(answer) = resolved.variables.get(*name) {
            resolved.answers.entry((*name).to_owned()).or_insert_with(|| answer.clone());
        }
    }
}

/// Which of these variables the template mentions: in the Liquid of a file or a path, or in a condition or a computed default of its
/// manifest.
fn mentioned<'n>(
    template: &Template,
    names: impl IntoIterator<Item = &'n str>,
    total: Option<&Arc<Total>>,
) -> BTreeSet<&'n str> {
    let manifest = &template.manifest;
    let depends = || manifest.declared().map(|placeholder| &placeholder.depends);
    let asked = depends().filter_map(|it| it.when.as_ref()).map(|when| &when.expression);
    let conditions = manifest.conditionals.iter().map(|it| &it.expression).chain(asked);
    let words: BTreeSet<&str> = conditions.flat_map(|expression| words(&expression.value)).collect();
    let lines = Lines::within(total);
    let defaults = depends().filter_map(|it| it.default.as_ref());
    // What cannot be read is reported by the manifest's reader.
    let used = defaults.flat_map(|text| lines.variables(&text.value).unwrap_or_default());
    let used: BTreeSet<String> = used.map(|(name, _)| name).collect();
    let is_used = |name: &str| words.contains(name) || used.contains(name);
    let (mut found, others): (BTreeSet<&str>, BTreeSet<&str>) = names.into_iter().partition(|name| is_used(name));
    let scripts = hooks::scripts(manifest, &template.files);
    let (in_script, others): (BTreeSet<&str>, BTreeSet<&str>) =
        others.into_iter().partition(|name| hooks::mentions(&scripts, name));
    found.extend(in_script);
    found.extend(liquid::mentioned(&template.files, others, total));
    found
}

/// All that can be a variable's name in a condition; there, `a-b` is one or two of them.
fn words(condition: &str) -> impl Iterator<Item = &str> {
    let is_in_name = |character: char| character.is_alphanumeric() || character == '_';
    let names = condition.split(move |character: char| !is_in_name(character));
    names.chain(condition.split(move |character: char| !is_in_name(character) && character != '-'))
}

/// Takes values out of the answers that no placeholder asks for and that the template does not mention: an environment holds
/// values for other templates, too, and they do not belong into a file that the project commits. They stay variables.
///
/// Tells of those that were given for this template: most are misspelled names. Of those of the command line, with this severity. What it
/// costs to look for them is counted in `total`.
pub(in crate::commands) fn forget_unused(
    template: &Template,
    resolved: &mut Resolved,
    typed: Severity,
    total: Option<&Arc<Total>>,
) -> Vec<Diagnostic> {
    let declared: BTreeSet<&str> = template.manifest.declared().map(|placeholder| placeholder.name.as_str()).collect();
    let answered = resolved.answers.keys().map(String::as_str).filter(|name| !declared.contains(name));
    let names: BTreeSet<&str> = answered.chain(resolved.undeclared.keys().map(String::as_str)).collect();
    let mentioned = mentioned(template, names.iter().copied(), total);
    let unused: BTreeSet<String> = names.difference(&mentioned).map(|&name| name.to_owned()).collect();
    resolved.answers.retain(|name, _| !unused.contains(name));
    // The environment is not only there for this template, and the lock not only for this version of it.
    let others = |by: &Source| matches!(by, Source::Environment(_) | Source::Configuration | Source::Lock);
    let given = resolved.undeclared.iter().filter(|(name, by)| unused.contains(*name) && !others(by));
    let warn = |(at, (name, by)): (usize, (&String, &Source))| {
        let title = format!("the template has no placeholder `{name}` (given by {by})");
        // To compare many names with many others takes longer than anybody reads.
        let near = if at < EXPLAINED { did_you_mean(name, declared.iter().copied()) } else { None };
        let help = near.unwrap_or_else(|| "leave it out: nothing in the template uses it".to_owned());
        let severity = if *by == Source::Flag { typed } else { Severity::Warning };
        Diagnostic { severity, ..Diagnostic::warning(Code::AnswerUnknown, title) }.help(help)
    };
    given.enumerate().map(warn).collect()
}

/// The date of this run, as the machine's clock has it; one that is not set counts from the start of 1970.
pub(in crate::commands) fn date() -> Date {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).ok().and_then(Date::from_unix).unwrap_or_default()
}

/// The user, if the template mentions one: asking git takes as long as the rest of a run.
pub(in crate::commands) fn author(mentioned: &BTreeSet<&str>, directory: &Path) -> Option<Author> {
    if !["authors", "username"].iter().any(|name| mentioned.contains(name)) {
        return None;
    }
    let identity = git::Identity::find(directory);
    Some(Author { name: identity.name?, email: identity.email })
}
