//! `create-app test`: renders or upgrades every case of a template and compares whole trees.

mod case;
mod difference;
mod edit;
mod made;
mod old;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use self::case::{Case, EXPECTED, FILE, SUMMARY};
use self::made::{Made, Maker};
use super::Outcome;
use crate::answers::name;
use crate::cli::TestArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::template::Template;
use crate::{report, source, workspace};

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
        match check(args, folder) {
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
    let mut cases: Vec<PathBuf> = listed.into_iter().filter(|path| path.join(FILE).is_file()).collect();
    cases.sort();
    if cases.is_empty() {
        return Err(Diagnostic::error(Code::TestCase, format!("no case in `{}`", directory.display()))
            .help("a case is a folder with a `case.toml` (name, [values]); --bless then writes its `expected` tree")
            .into());
    }
    Ok(cases)
}

/// What differs from what a case expects.
fn check(args: &TestArgs, folder: &Path) -> Result<String> {
    let case = Case::read(folder)?;
    let template = load_template(args)?;
    name::check(&case.name, template.manifest.ownership.name_pattern.as_ref())?;
    let made =
        Maker { case: &case, directory: &args.template, template: &template, cases_inside: args.cases.is_none() }
            .make()?;
    if args.bless {
        bless(folder, &made)?;
    }
    judge(folder, &made)
}

fn load_template(args: &TestArgs) -> Result<Template> {
    let loaded = source::from_path(&args.template, &args.template.to_string_lossy(), None)?;
    super::warn(loaded.warnings, true)?;
    Ok(loaded.template)
}

/// Writes what came out as what is expected.
fn bless(folder: &Path, made: &Made) -> Result<()> {
    workspace::replace_tree(&folder.join(EXPECTED), &made.tree)?;
    let summary = made.summary.as_ref();
    summary.map_or(Ok(()), |summary| workspace::replace_file(&folder.join(SUMMARY), summary.as_bytes()))
}

fn judge(folder: &Path, made: &Made) -> Result<String> {
    let missing = |kind: &str, name: &str| {
        Diagnostic::error(Code::TestCase, format!("the case has no {kind} `{name}`"))
            .help("run the same command with --bless to write it")
    };
    let expected = folder.join(EXPECTED);
    if !expected.is_dir() {
        return Err(missing("folder", EXPECTED).into());
    }
    let verb = if made.summary.is_some() { "upgraded" } else { "rendered" };
    let mut differences = difference::of_trees(&source::read_tree(&expected)?, &made.tree, verb);
    if let Some(summary) = &made.summary {
        let file = folder.join(SUMMARY);
        if !file.exists() {
            return Err(missing("file", SUMMARY).into());
        }
        let expected = std::fs::read(&file).map_err(|error| Diagnostic::io("cannot read", &file, &error))?;
        let names = [format!("expected {SUMMARY}"), "what the upgrade says".to_owned()];
        differences += &difference::of_bytes(&expected, summary.as_bytes(), names);
    }
    Ok(differences)
}
