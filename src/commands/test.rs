//! `create-app test`: renders or upgrades every case of a template and compares whole trees.

mod case;
mod difference;
mod edit;
mod expected;
mod made;
mod old;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use self::case::{Case, FILE};
use self::made::Maker;
use super::Outcome;
use crate::answers::name;
use crate::cli::TestArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::template::Template;
use crate::{report, source};

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
        expected::bless(folder, &made)?;
    }
    expected::judge(folder, &made)
}

fn load_template(args: &TestArgs) -> Result<Template> {
    let loaded = source::from_path(&args.template, &args.template.to_string_lossy(), None)?;
    super::warn(loaded.warnings, true)?;
    Ok(loaded.template)
}
