//! What a run takes from the world before its pure part begins: the template, the given values, the user's name.

use std::collections::BTreeMap;
use std::path::Path;

use crate::answers::built_in::{Author, OF_THE_MACHINE, OF_THE_START};
use crate::answers::given::{self, GivenValues};
use crate::answers::placeholder::{Answer, Kind, Placeholder};
use crate::answers::prompt;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git;
use crate::manifest::Inference;
use crate::render;
use crate::source::{self, Loaded};
use crate::template::Template;
use crate::tree::RelPath;
use crate::workspace::Site;

/// The variable that names a values file, and the only one of cargo-generate's own that is read here.
const VALUES_FILE: &str = "CARGO_GENERATE_TEMPLATE_VALUES_FILE";

/// Loads the template that was asked for; where a directory holds several, the user chooses, or the first one is taken.
pub(super) fn template(directory: Option<&Path>, subfolder: Option<&str>, may_ask: bool) -> Result<Loaded> {
    let Some(directory) = directory else { return source::embedded() };
    let source = directory.to_string_lossy();
    let mut subfolder = subfolder.map(str::to_owned);
    loop {
        let candidates = source::candidates(directory, &source, subfolder.as_deref())?;
        let chosen = match candidates.as_slice() {
            [] => return source::from_path(directory, &source, subfolder.as_deref()),
            [only] => only.clone(),
            [first, ..] if !may_ask => first.clone(),
            _ => choose(candidates)?,
        };
        if subfolder.as_ref() == Some(&chosen) {
            return Err(Diagnostic::error(
                Code::TemplateAmbiguous,
                format!("the template `{chosen}` names itself as its sub-template"),
            )
            .help("mend `sub_templates` in its cargo-generate.toml")
            .into());
        }
        subfolder = Some(chosen);
    }
}

fn choose(candidates: Vec<String>) -> Result<String> {
    let default = candidates.first().cloned();
    let kind = Kind::Choice { choices: candidates, default };
    let question = Placeholder { name: "template".into(), prompt: "Which template?".into(), kind, span: 0..0 };
    Ok(prompt::ask(&question)?.to_string())
}

/// What the environment gives: the values file that it names, then its own variables.
pub(super) fn environment() -> Result<GivenValues> {
    let mut values = GivenValues::new();
    if let Some(file) = std::env::var_os(VALUES_FILE) {
        values.extend(values_file(Path::new(&file))?);
    }
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    values.extend(given::environment(environment));
    Ok(values)
}

/// What the command line gives: a values file, then single definitions.
pub(super) fn given(file: Option<&Path>, definitions: &[String]) -> Result<GivenValues> {
    let mut values = file.map(values_file).transpose()?.unwrap_or_default();
    for definition in definitions {
        values.extend([given::definition(definition)?]);
    }
    Ok(values)
}

/// What the files of a project without a lock tell of the answers, by the template's `[create-app.infer]`.
pub(super) fn inferred(site: &Site, template: &Template) -> Result<BTreeMap<String, Answer>> {
    let mut answers = BTreeMap::new();
    for (name, inferences) in &template.manifest.ownership.infer {
        let found = inferences.iter().find_map(|inference| infer(site, inference));
        answers.extend(found.map(|answer| (name.clone(), answer)));
    }
    Ok(answers)
}

fn infer(site: &Site, inference: &Inference) -> Option<Answer> {
    let path = RelPath::new(inference.file.as_str()).ok()?;
    let text = std::fs::read_to_string(path.below(&site.app)).ok()?;
    let value: serde_json::Value = match path.as_str().rsplit_once('.')?.1 {
        "toml" => toml::from_str(&text).ok()?,
        "yml" | "yaml" => serde_yaml_ng::from_str(&text).ok()?,
        _ => jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).ok()?,
    };
    match value.pointer(&inference.pointer)? {
        serde_json::Value::String(text) => Some(Answer::Text(text.clone())),
        serde_json::Value::Bool(value) => Some(Answer::Bool(*value)),
        serde_json::Value::Number(number) => Some(Answer::Text(number.to_string())),
        _ => None,
    }
}

fn values_file(path: &Path) -> Result<GivenValues> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let mut problem = Diagnostic::io("cannot read the values file", path, &error);
        problem.code = Code::ValuesFile;
        problem
    })?;
    given::values_file(&path.to_string_lossy(), &text)
}

/// The built-in variables that the template mentions and that will not be the same in a later run: their values must be
/// remembered.
pub(super) fn mentioned(template: &Template) -> Vec<&'static str> {
    let names = [OF_THE_MACHINE, OF_THE_START].concat();
    let mut mentioned = render::mentioned(&template.files, &names);
    let conditions: String = template.manifest.conditionals.iter().map(|it| it.expression.value.as_str()).collect();
    mentioned.extend(names.into_iter().filter(|name| conditions.contains(name)));
    mentioned
}

/// The user, if the template mentions one: asking git takes as long as the rest of a run.
pub(super) fn author(mentioned: &[&str], directory: &Path) -> Option<Author> {
    if !mentioned.iter().any(|name| ["authors", "username"].contains(name)) {
        return None;
    }
    let identity = git::Identity::find(directory);
    Some(Author { name: identity.name?, email: identity.email })
}
