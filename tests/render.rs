//! Renders the cases of `tests/render/` with create-app, and with the real cargo-generate, which judges them.
//!
//! `SNAPSHOTS=overwrite cargo test --test render` rewrites the messages of the `err_` cases.

#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;
use snapbox::{Assert, Data};
use support::tools;
use support::tree::{self, Tree};

/// A folder of `tests/render/`; `README.md` there says what the keys mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    #[serde(skip)]
    folder: PathBuf,
    name: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    subfolder: Option<String>,
    #[serde(default)]
    strict: bool,
    code: Option<String>,
    #[serde(rename = "why")]
    _why: Option<String>,
    cargo_generate: Option<String>,
    #[serde(default)]
    values: toml::Table,
}

impl Case {
    fn title(&self) -> String {
        self.folder.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn fails(&self) -> bool {
        self.title().starts_with("err_")
    }

    /// A command that sees nothing of the environment but what the case says.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = support::command::command(program.as_ref());
        command.env("CARGO_NAME", "Ann Author").env("CARGO_EMAIL", "ann@example.org").envs(&self.env);
        command
    }

    /// The case is a values file, where it has values.
    fn values_file(&self, name: PathBuf) -> Vec<PathBuf> {
        if self.values.is_empty() { Vec::new() } else { vec!["--values-file".into(), name] }
    }

    /// Runs create-app in the case's folder, so that its messages name `template/…`.
    fn create_app(&self, target: &Path) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_create-app"));
        command.current_dir(&self.folder).arg("new").arg(target.join(&self.name));
        command.args(["--path", "template", "--silent", "--vcs", "none"]);
        command.args(self.values_file("case.toml".into()));
        command.args(self.subfolder.iter().flat_map(|folder| ["--subfolder", folder]));
        command.args(self.strict.then_some("--strict"));
        command.output().unwrap()
    }

    /// Runs cargo-generate in an empty directory, which has no Cargo.toml above it.
    fn cargo_generate(&self, target: &Path) -> Output {
        let mut command = self.command(tools::cargo_generate());
        command.current_dir(target).arg("generate").arg("--path").arg(self.folder.join("template"));
        command.args(&self.subfolder).args(["--name", &self.name, "--silent", "--vcs", "none", "--no-workspace"]);
        command.args(self.values_file(self.folder.join("case.toml")));
        command.output().unwrap()
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render");
    let folders = fs_err::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<Case> = folders
        .filter(|folder| folder.is_dir())
        .map(|folder| {
            let text = fs_err::read_to_string(folder.join("case.toml")).unwrap();
            let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            Case { folder, ..case }
        })
        .collect();
    cases.sort_by(|a, b| a.folder.cmp(&b.folder));
    cases
}

/// What a run printed, as one text.
fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Fails the test with everything that went wrong, case by case.
#[track_caller]
fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} cases failed:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// The only entry of a directory: the project, whatever its name became.
fn project(target: &Path) -> Tree {
    let entries: Vec<_> = fs_err::read_dir(target).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [project] = entries.as_slice() else { panic!("not one project: {entries:?}") };
    tree::read(project)
}

#[test]
fn create_app_renders_every_case_as_expected() {
    let cases: Vec<Case> = cases().into_iter().filter(|case| !case.fails()).collect();
    assert!(cases.len() > 80, "{} cases", cases.len());
    let failures = cases.iter().filter_map(|case| {
        let target = tempfile::tempdir().unwrap();
        let output = case.create_app(target.path());
        if !output.status.success() {
            return Some(format!("{}: {}\n{}", case.title(), output.status, printed(&output)));
        }
        let differences = tree::differences(&tree::read(&case.folder.join("expected")), &project(target.path()));
        (!differences.is_empty()).then(|| format!("{}:\n{differences}", case.title()))
    });
    report(&failures.collect::<Vec<_>>());
}

#[test]
fn every_error_is_reported_with_its_code_and_nothing_is_written() {
    let cases: Vec<Case> = cases().into_iter().filter(Case::fails).collect();
    assert!(cases.len() > 70, "{} cases", cases.len());
    let failures = cases.iter().filter_map(|case| {
        let target = tempfile::tempdir().unwrap();
        let output = case.create_app(target.path());
        let printed = printed(&output).replace('\\', "/");
        let code = case.code.as_deref().expect("an err_ case has a code");
        let mut wrong = Vec::new();
        if output.status.code() != Some(2) {
            wrong.push(format!("exit code {:?}", output.status.code()));
        }
        if !printed.contains(&format!("error[{code}]: ")) {
            wrong.push(format!("no error {code}"));
        }
        if fs_err::read_dir(target.path()).unwrap().next().is_some() {
            wrong.push("something was written".to_owned());
        }
        let expected = Data::read_from(&case.folder.join("message.txt"), None);
        if let Err(difference) = Assert::new().action_env("SNAPSHOTS").try_eq(None, printed.clone().into(), expected) {
            wrong.push(difference.to_string());
        }
        (!wrong.is_empty()).then(|| format!("{}: {}\n{printed}", case.title(), wrong.join(", ")))
    });
    report(&failures.collect::<Vec<_>>());
}

#[test]
fn cargo_generate_agrees_but_for_the_intended_differences() {
    let failures = cases().into_iter().filter_map(|case| {
        let judged = case.folder.join("cargo-generate");
        let expected = if judged.is_dir() { judged } else { case.folder.join("expected") };
        let claim = case.cargo_generate.as_deref();
        // A sentence instead of a tree tells why no run of cargo-generate could be compared.
        if !expected.is_dir() && !claim.is_some_and(|claim| claim.starts_with("fails: ")) {
            return None;
        }
        let target = tempfile::tempdir().unwrap();
        let output = case.cargo_generate(target.path());
        if let Some(reason) = claim.and_then(|claim| claim.strip_prefix("fails: ")) {
            let as_claimed = !output.status.success() && printed(&output).contains(reason);
            return (!as_claimed).then(|| format!("{}: should fail with {reason}\n{}", case.title(), printed(&output)));
        }
        if !output.status.success() {
            return Some(format!("{}: {}\n{}", case.title(), output.status, printed(&output)));
        }
        let differences = tree::differences(&tree::read(&expected), &project(target.path()));
        (!differences.is_empty()).then(|| format!("{}:\n{differences}", case.title()))
    });
    report(&failures.collect::<Vec<_>>());
}

#[test]
fn every_intended_difference_has_a_row_and_every_row_its_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs_err::read_to_string(root.join("docs/compatibility.md")).unwrap();
    let named: BTreeSet<&str> =
        text.split('`').filter(|word| word.contains('_') && !word.contains(char::is_whitespace)).collect();
    let titles: BTreeSet<String> = cases().iter().map(Case::title).collect();
    let special = |title: &&str| !title.ends_with('_') && (title.starts_with("err_") || title.starts_with("differs_"));
    let undocumented: Vec<_> =
        titles.iter().map(String::as_str).filter(special).filter(|title| !named.contains(title)).collect();
    assert!(undocumented.is_empty(), "not in docs/compatibility.md: {undocumented:?}");
    let unknown: Vec<_> = named.iter().copied().filter(special).filter(|title| !titles.contains(*title)).collect();
    assert!(unknown.is_empty(), "no such case: {unknown:?}");
}
