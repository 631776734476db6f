//! The embedded template's output, whole trees: `tests/snapshots/<answers>/expected/` is what reviewers read. One of them is an
//! app of an older template that was edited and upgraded.
//!
//! With `SNAPSHOTS=overwrite`, `create-app test --bless` rewrites them.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use crate::support::command::{command, create_app};
use crate::support::tools;
use crate::support::tree::{self, Tree};
use libtest_mimic::Trial;
use serde::Deserialize;

use super::{is_overwritten, trial};

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    app_dir: Option<String>,
    #[serde(default)]
    values: toml::Table,
    upgrade: Option<toml::Table>,
}

impl Case {
    /// The case is a values file, where it has values.
    fn values_file(&self, folder: &Path) -> Vec<PathBuf> {
        if self.values.is_empty() { Vec::new() } else { vec!["--values-file".into(), folder.join("case.toml")] }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The cases of `new`: `create-app test` alone can upgrade.
fn cases() -> Vec<(PathBuf, Case)> {
    let folders = fs_err::read_dir(root().join("tests/snapshots")).unwrap().map(|entry| entry.unwrap().path());
    let cases = folders.map(|folder| {
        let case = toml::from_str(&fs_err::read_to_string(folder.join("case.toml")).unwrap()).unwrap();
        (folder, case)
    });
    cases.filter(|(_, case): &(PathBuf, Case)| case.upgrade.is_none()).collect()
}

#[track_caller]
fn succeeded(output: &Output) {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{}\n{stdout}{stderr}", output.status);
}

#[track_caller]
fn assert_same(what: &Path, expected: &Tree, actual: &Tree) {
    let differences = tree::differences(expected, actual);
    assert!(differences.is_empty(), "{}:\n{differences}", what.display());
}

/// A way to render a case, by name.
type Run = (&'static str, fn(&Path, &Case));

/// Each set of answers is rendered by `create-app new` and by cargo-generate; `create-app test` judges all of them.
pub(crate) fn trials() -> Vec<Trial> {
    let test = trial("snapshots/create_app_test".to_owned(), || {
        create_app_test_finds_no_difference();
        Ok(())
    });
    let each = cases().into_iter().flat_map(|(folder, case)| {
        let (title, case) = (folder.file_name().unwrap().to_string_lossy().into_owned(), Arc::new(case));
        let runs: &[Run] = match case.app_dir {
            None => &[("new", new_makes_the_same), ("cargo_generate", cargo_generate_makes_the_same)],
            Some(_) => &[("below_a_repository", new_below_a_repository_makes_the_same)],
        };
        let one = move |(name, run): &Run| {
            let (run, folder, case) = (*run, folder.clone(), Arc::clone(&case));
            trial(format!("snapshots/{title}/{name}"), move || {
                run(&folder, &case);
                Ok(())
            })
        };
        runs.iter().map(one).collect::<Vec<_>>()
    });
    each.chain([test]).collect()
}

fn create_app_test_finds_no_difference() {
    let mut command = create_app();
    command.current_dir(root()).args(["test", "template", "--cases", "tests/snapshots"]);
    command.args(is_overwritten().then_some("--bless"));
    succeeded(&command.output().unwrap());
}

/// The files are in the binary.
fn new_makes_the_same(folder: &Path, case: &Case) {
    let target = tempfile::tempdir().unwrap();
    let mut command = create_app();
    command.current_dir(target.path()).args(["new", &case.name, "--silent", "--strict", "--vcs", "none"]);
    command.args(case.values_file(folder));
    succeeded(&command.output().unwrap());
    assert_same(folder, &tree::read(&folder.join("expected")), &tree::read(&target.path().join(&case.name)));
}

/// The workflows are at the root of the repository.
fn new_below_a_repository_makes_the_same(folder: &Path, case: &Case) {
    let app_dir = case.app_dir.as_deref().unwrap();
    let repository = tempfile::tempdir().unwrap();
    let git = command("git").args(["init", "--quiet"]).arg(repository.path()).status().unwrap();
    assert!(git.success());
    let mut command = create_app();
    command.current_dir(repository.path()).args(["new", &format!("./{app_dir}"), "--silent"]);
    succeeded(&command.arg("--values-file").arg(folder.join("case.toml")).output().unwrap());

    let (workflows, app): (Tree, Tree) =
        tree::read(&folder.join("expected")).into_iter().partition(|(path, _)| path.starts_with(".github/"));
    assert!(!workflows.is_empty());
    let below = app.into_iter().map(|(path, file)| (format!("{app_dir}/{path}"), file));
    assert_same(folder, &workflows.into_iter().chain(below).collect(), &tree::read(repository.path()));
}

fn cargo_generate_makes_the_same(folder: &Path, case: &Case) {
    let target = tempfile::tempdir().unwrap();
    let mut command = command(tools::cargo_generate());
    command.current_dir(target.path()).arg("generate").arg("--path").arg(root().join("template"));
    command.args(["--name", &case.name, "--silent", "--vcs", "none", "--no-workspace"]);
    command.env("CARGO_NAME", "Ann Author").args(case.values_file(folder));
    succeeded(&command.output().unwrap());
    // Template files whose names have tags lose their executable bit there; none of ours does.
    assert_same(folder, &tree::read(&folder.join("expected")), &tree::read(&target.path().join(&case.name)));
}
