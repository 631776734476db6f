//! `create-app test`: renders or upgrades every case of a template and compares whole trees.

mod case;
mod difference;
mod edit;
mod expected;
mod made;
mod old;

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::sync::Arc;

use self::case::{Case, FILE};
use self::difference::Shown;
use self::made::Maker;
use super::Outcome;
use crate::answers::name;
use crate::cli::TestArgs;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Found, Place, Result, did_you_mean, listed};
use crate::liquid::Total;
use crate::render::select::{Selected, Selector};
use crate::rooted::{Failure, Kind, Root};
use crate::template::Template;
use crate::tree::RelPath;
use crate::{report, source};

/// The folder of a template with its cases.
const CASES: &str = "tests";

/// Runs `create-app test`.
///
/// # Errors
///
/// A template or a case that cannot be read; a case that differs is not an error but the outcome.
pub(super) fn run(args: &TestArgs) -> Result<Outcome> {
    source::check_directory(&args.template, &args.template.to_string_lossy())?;
    let (root, cases) = find_cases(args)?;
    let cases = chosen(cases, &args.only)?;
    let template = load_template(args)
        .and_then(|template| if args.cases.is_none() { without_cases(template) } else { Ok(template) });
    let total = Arc::new(Total::default());
    let mut told = report::Told::default();
    let (mut failed, mut differing) = (0, 0);
    let mut shown = Shown::default();
    let mut tried = Vec::new();
    let mut printed = Ok(());
    // What cannot be printed does not keep the other cases from being written.
    let mut line = |text: &str| {
        if printed.is_ok() && !args.json {
            printed = report::line(text);
        }
    };
    for name in &cases {
        let case_name = name.to_string_lossy().into_owned();
        if let Some([what, help]) = total.excess() {
            told.finish();
            let title = format!("the cases take too much work: {what}");
            return Err(Diagnostic::error(Code::TooLarge, title).help(help).into());
        }
        let (differences, problems) =
            match open(&root, name).and_then(|folder| check(args, &template, &folder, &mut shown, &total)) {
                Ok(differences) => (differences, Vec::new()),
                Err(problems) => (String::new(), problems.0),
            };
        if differences.is_empty() && problems.is_empty() {
            line(&format!("ok    {case_name}"));
        } else {
            failed += 1;
            line(&format!("FAIL  {case_name}"));
        }
        if !differences.is_empty() {
            differing += 1;
            line(differences.trim_end());
        }
        told.tell(&problems);
        // Only what is printed in the end is held.
        if args.json {
            tried.push(tried_case(case_name, differences, problems));
        }
    }
    told.finish();
    if shown.hidden() > 0 {
        report::status("Not all differences are shown. To see more of one case, run it alone with --case.");
    }
    let passed = cases.len() - failed;
    line(&format!("{passed} passed, {failed} failed"));
    if args.json {
        printed = report::result(&report::json::tested(&tried));
    }
    if args.bless {
        super::warn_after_the_fact(printed, "the expected output is written");
    } else {
        printed?;
    }
    if differing > 0 {
        report::status("If the new output is right, run the same command with --bless.");
    }
    Ok(if failed == 0 { Outcome::Clean } else { Outcome::Differences })
}

fn tried_case(name: String, differences: String, mut problems: Vec<Diagnostic>) -> report::json::Case {
    let places = problems.iter_mut().filter_map(|problem| problem.place.as_deref_mut());
    places.for_each(Place::shrink);
    report::json::Case { name, differences, problems }
}

/// The names of the cases' folders, and where they are. The user may name a directory behind a link; what a template has is followed nowhere.
fn find_cases(args: &TestArgs) -> Result<(Root, Vec<OsString>)> {
    let (directory, root) = match &args.cases {
        Some(cases) => (cases.clone(), Root::open(cases).map_err(Failure::from)),
        None => {
            let template = Root::open(&args.template).map_err(Failure::from);
            (args.template.join(CASES), template.and_then(|template| template.descend(CASES)))
        }
    };
    let unreadable = |failure: &Failure| failure.diagnostic("cannot read", &directory);
    let none = || {
        Diagnostic::error(Code::TestCase, format!("no case in `{}`", directory.display()))
            .help("a case is a folder with a `case.toml` (name, [values]); --bless then writes its `expected` tree")
    };
    let root = match root {
        // A template that has no cases yet.
        Err(Failure::Io(error)) if error.kind() == ErrorKind::NotFound => return Err(none().into()),
        root => root.map_err(|failure| unreadable(&failure))?,
    };
    let mut cases = Vec::new();
    for (name, kind) in root.entries().map_err(|error| unreadable(&error.into()))? {
        if is_case(&root, &name, kind)? {
            cases.push(name);
        }
    }
    if cases.is_empty() { Err(none().into()) } else { Ok((root, cases)) }
}

/// The cases of these names, in the order in which all cases are tried; without a name, all of them.
fn chosen(mut cases: Vec<OsString>, names: &[String]) -> Result<Vec<OsString>> {
    if names.is_empty() {
        return Ok(cases);
    }
    let known: Vec<String> = cases.iter().map(|case| case.to_string_lossy().into_owned()).collect();
    let known = || known.iter().map(String::as_str);
    let unknown = names.iter().filter(|name| !known().any(|known| known == *name));
    let problems: Found = unknown
        .map(|name| {
            let help = did_you_mean(name, known()).unwrap_or_else(|| format!("the cases are {}", listed(known())));
            Diagnostic::error(Code::TestCase, format!("there is no case `{}`", name.escape_debug())).help(help)
        })
        .collect();
    if !problems.is_empty() {
        return Err(Diagnostics(problems.into_vec()));
    }
    cases.retain(|case| names.iter().any(|name| case.to_string_lossy() == *name));
    Ok(cases)
}

/// Whether there is a case of this name.
fn is_case(cases: &Root, name: &OsStr, kind: Kind) -> Result<bool> {
    // A link to a file, such as one to a text that cases share, is nobody's case.
    if kind != Kind::Directory && !(kind == Kind::Link && cases.path().join(name).is_dir()) {
        return Ok(false);
    }
    let found = open(cases, name)?.kind(FILE);
    let found = found.map_err(|failure| failure.diagnostic("cannot read", &cases.path().join(name).join(FILE)))?;
    Ok(found.is_some())
}

fn open(cases: &Root, name: &OsStr) -> Result<Root> {
    let folder = cases.descend(name);
    Ok(folder.map_err(|failure| failure.diagnostic("cannot read", &cases.path().join(name)))?)
}

/// The differences from what a case expects.
fn check(
    args: &TestArgs,
    template: &Result<Template>,
    folder: &Root,
    shown: &mut Shown,
    total: &Arc<Total>,
) -> Result<String> {
    let case = Case::read(folder)?;
    case.charge(total);
    let template = template.as_ref().map_err(|problems| Diagnostics(problems.0.clone()))?;
    name::check(&case.name, template.manifest.ownership.name_pattern.as_ref())?;
    let made = Maker {
        case: &case,
        directory: &args.template,
        template,
        cases_inside: args.cases.is_none(),
        total,
        commands: &args.commands,
    }
    .make()?;
    if args.bless {
        expected::bless(folder, &made)?;
    }
    expected::judge(folder, &made, shown, total)
}

/// The template without its cases, as far as no project can have them: each case would look through the files of all others.
fn without_cases(mut template: Template) -> Result<Template> {
    let selector = Selector::new(&template.files, &template.manifest.selection)?;
    let is_case = |path: &RelPath| path.ancestors().any(|above| above == CASES);
    template.files.retain(|path, _| !is_case(path) || selector.select(path) != Selected::Drop);
    Ok(template)
}

fn load_template(args: &TestArgs) -> Result<Template> {
    let loaded = source::from_path(&args.template, &args.template.to_string_lossy(), None)?;
    super::warn(loaded.warnings, true)?;
    loaded.template.manifest.check_inferences()?;
    Ok(loaded.template)
}
