//! `create-app test`: renders every case of a template and compares whole trees.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use similar::TextDiff;

use super::Outcome;
use crate::answers::built_in::{self, Author, Facts};
use crate::answers::given::{self, GivenValues};
use crate::answers::{Ask, Resolved, name, resolve};
use crate::cli::TestArgs;
use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Result};
use crate::render::select::{Selected, Selector};
use crate::render::{self, Request};
use crate::template::Template;
use crate::tree::{Entry, RelPath, Tree};
use crate::{report, source};

/// What a case says beside its `[values]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The project's name.
    #[serde(default = "default_name")]
    name: String,
    /// Where the app lives in its repository.
    #[serde(default = "default_app_dir")]
    app_dir: String,
    /// The answers.
    #[serde(default)]
    values: given::Values,
}

fn default_name() -> String {
    "my-app".to_owned()
}

fn default_app_dir() -> String {
    ".".to_owned()
}

/// The file that makes a folder a case.
const CASE: &str = "case.toml";
/// The folder in it with the tree that the template renders to.
const EXPECTED: &str = "expected";

/// Runs `create-app test`.
///
/// # Errors
///
/// A template or a case that cannot be read; a case that differs is no error but the outcome.
pub(super) fn run(args: &TestArgs) -> Result<Outcome> {
    source::check_directory(&args.template, &args.template.to_string_lossy())?;
    let cases = find_cases(args)?;
    let (mut failed, mut differing) = (0, 0);
    for folder in &cases {
        let case_name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let verdict = render_case(args, folder).and_then(|rendered| judge(args, folder, &rendered));
        match verdict {
            Ok(differences) if differences.is_empty() => report::line(&format!("ok    {case_name}"))?,
            Ok(differences) => {
                failed += 1;
                differing += 1;
                report::line(&format!("FAIL  {case_name}"))?;
                report::line(differences.trim_end())?;
            }
            Err(problems) => {
                failed += 1;
                report::line(&format!("FAIL  {case_name}"))?;
                report::diagnostics(&problems.0);
            }
        }
    }
    let passed = cases.len() - failed;
    report::line(&format!("{passed} passed, {failed} failed"))?;
    if differing > 0 {
        report::status("If the new output is right, run the same command with --bless.");
    }
    Ok(if failed == 0 { Outcome::Clean } else { Outcome::Differences })
}

fn find_cases(args: &TestArgs) -> Result<Vec<PathBuf>> {
    let directory = args.cases.clone().unwrap_or_else(|| args.template.join("tests"));
    let listed = match std::fs::read_dir(&directory) {
        // A template that has no cases yet.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        listed => listed
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .map_err(|error| Diagnostic::io("cannot read", &directory, &error))?,
    };
    let mut cases: Vec<PathBuf> = listed.into_iter().filter(|path| path.join(CASE).is_file()).collect();
    cases.sort();
    if cases.is_empty() {
        return Err(Diagnostic::error(Code::TestCase, format!("no case in `{}`", directory.display()))
            .help("a case is a folder with a `case.toml` (name, [values]); --bless then writes its `expected` tree")
            .into());
    }
    Ok(cases)
}

/// Renders the template with a case's answers: as `new --silent --strict` does, without the user's own environment.
fn render_case(args: &TestArgs, folder: &Path) -> Result<Tree> {
    let template = load_template(args)?;
    let (case, given) = read_case(&folder.join(CASE))?;
    name::check(&case.name, template.manifest.ownership.name_pattern.as_ref())?;
    let facts = Facts {
        name: case.name.clone(),
        app_suffix: built_in::app_suffix(&case.app_dir, false),
        app_dir: case.app_dir,
        is_init: false,
        within_cargo_project: false,
        author: Some(Author { name: "A. Author".into(), email: Some("author@example.com".into()) }),
    };
    let mut resolved = resolve(&template.manifest, built_in::variables(&facts), &given, &mut Ask::Nobody)?;
    let mut warnings = std::mem::take(&mut resolved.warnings);
    warnings.extend(super::inputs::unused(&template, &resolved));
    super::warn(warnings, true)?;
    refuse_rendered_cases(args, &template, &resolved)?;
    let request = Request {
        selection: &resolved.selection,
        declared: template.manifest.declared().collect(),
        variables: &resolved.variables,
        names: &template.names,
        strict: true,
        date: Date::default(),
    };
    Ok(render::render(template.files, &request)?.tree)
}

fn load_template(args: &TestArgs) -> Result<Template> {
    let loaded = source::from_path(&args.template, &args.template.to_string_lossy(), None)?;
    super::warn(loaded.warnings, true)?;
    Ok(loaded.template)
}

/// Refuses cases that would be part of every project: `new`, and cargo-generate, know nothing of them.
fn refuse_rendered_cases(args: &TestArgs, template: &Template, resolved: &Resolved) -> Result<()> {
    let selector = Selector::new(&template.files, &resolved.selection);
    let mut rendered = template.files.keys().filter(|path| selector.select(path) != Selected::Drop);
    let case = rendered.find(|path| args.cases.is_none() && is_case(path));
    case.map_or(Ok(()), |path| {
        Err(Diagnostic::error(Code::TestCase, format!("the test case `{path}` would be part of every project"))
            .help("add `ignore = [\"tests\"]` to the table `[template]` of the manifest")
            .into())
    })
}

fn is_case(path: &RelPath) -> bool {
    path.as_str().starts_with("tests/") && path.file_name() == CASE
}

fn read_case(path: &Path) -> Result<(Case, GivenValues)> {
    let file = path.to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).map_err(|error| Diagnostic::io("cannot read", path, &error))?;
    let mut case: Case = toml::from_str(&text).map_err(|error| {
        Diagnostic::error(Code::TestCase, "this is not a test case")
            .at(Place::new(&file, text.as_str(), error.span().unwrap_or(0..0)), error.message())
            .help("a case has `name`, `app_dir` and a table `[values]`, all optional")
    })?;
    let values = given::values(&file, &text, std::mem::take(&mut case.values))?;
    Ok((case, values))
}

/// What differs between the rendered and the expected tree; with `--bless`, nothing does any longer.
fn judge(args: &TestArgs, folder: &Path, rendered: &Tree) -> Result<String> {
    let expected = folder.join(EXPECTED);
    if args.bless {
        crate::workspace::replace_tree(&expected, rendered)?;
        return Ok(String::new());
    }
    if !expected.is_dir() {
        return Err(Diagnostics(vec![
            Diagnostic::error(Code::TestCase, format!("the case has no folder `{EXPECTED}`"))
                .help("run the same command with --bless to write it"),
        ]));
    }
    Ok(differences(&source::read_tree(&expected)?, rendered))
}

/// A patch from the expected to the rendered tree.
fn differences(expected: &Tree, rendered: &Tree) -> String {
    let paths: std::collections::BTreeSet<&RelPath> = expected.keys().chain(rendered.keys()).collect();
    paths.into_iter().map(|path| difference(path, expected.get(path), rendered.get(path))).collect()
}

fn difference(path: &RelPath, expected: Option<&Entry>, rendered: Option<&Entry>) -> String {
    match (expected, rendered) {
        (Some(_), None) => format!("missing: {path}\n"),
        (None, Some(_)) => format!("unexpected: {path}\n"),
        (Some(expected), Some(rendered)) if expected.mode() != rendered.mode() => {
            format!("mode: {path} is {}, expected {}\n", rendered.mode().as_str(), expected.mode().as_str())
        }
        (Some(expected), Some(rendered)) if expected.bytes() != rendered.bytes() => {
            let diff = TextDiff::from_lines(expected.bytes(), rendered.bytes());
            let mut patch = Vec::new();
            let header = (format!("expected/{path}"), format!("rendered/{path}"));
            // Writing to memory cannot fail.
            diff.unified_diff().header(&header.0, &header.1).to_writer(&mut patch).unwrap_or_default();
            String::from_utf8_lossy(&patch).into_owned()
        }
        _ => String::new(),
    }
}
