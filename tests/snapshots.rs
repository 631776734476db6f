//! The embedded template's output, whole trees: `tests/snapshots/<answers>/expected/` is what reviewers read. One of them is an
//! app of an older template that was edited and upgraded.
//!
//! `cargo run -- test template --cases tests/snapshots --bless` rewrites them.

#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Output;

use serde::Deserialize;
use support::command::{command, create_app};
use support::tools;
use support::tree::{self, Tree};

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    app_dir: Option<String>,
    #[serde(default)]
    values: toml::Table,
    upgrade: Option<toml::Table>,
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

#[test]
fn create_app_test_finds_no_difference() {
    let output = create_app().current_dir(root()).args(["test", "template", "--cases", "tests/snapshots"]).output();
    succeeded(&output.unwrap());
}

#[test]
fn new_makes_the_same_trees_from_the_binary_alone() {
    for (folder, case) in cases().into_iter().filter(|(_, case)| case.app_dir.is_none()) {
        let target = tempfile::tempdir().unwrap();
        let mut command = create_app();
        command.current_dir(target.path()).args(["new", &case.name, "--silent", "--strict", "--vcs", "none"]);
        if !case.values.is_empty() {
            command.arg("--values-file").arg(folder.join("case.toml"));
        }
        succeeded(&command.output().unwrap());
        assert_same(&folder, &tree::read(&folder.join("expected")), &tree::read(&target.path().join(&case.name)));
    }
}

#[test]
fn an_app_below_the_root_of_its_repository_has_its_workflows_at_the_root() {
    for (folder, case) in cases() {
        let Some(app_dir) = case.app_dir else { continue };
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
        assert_same(&folder, &workflows.into_iter().chain(below).collect(), &tree::read(repository.path()));
    }
}

#[test]
fn cargo_generate_makes_the_same_trees_of_the_template() {
    for (folder, case) in cases().into_iter().filter(|(_, case)| case.app_dir.is_none()) {
        let target = tempfile::tempdir().unwrap();
        let mut command = command(tools::cargo_generate());
        command.current_dir(target.path()).arg("generate").arg("--path").arg(root().join("template"));
        command.args(["--name", &case.name, "--silent", "--vcs", "none", "--no-workspace"]);
        command.env("CARGO_NAME", "Ann Author");
        if !case.values.is_empty() {
            command.arg("--values-file").arg(folder.join("case.toml"));
        }
        succeeded(&command.output().unwrap());
        // Template files whose names have tags lose their executable bit there; none of ours does.
        assert_same(&folder, &tree::read(&folder.join("expected")), &tree::read(&target.path().join(&case.name)));
    }
}
