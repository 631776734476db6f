//! Renders the cases of `tests/render/` with create-app, and with the real cargo-generate, which judges them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::Trial;
use serde::Deserialize;
use snapbox::{Assert, Data};

use super::trial;
use crate::support::tools;
use crate::support::tree::{self, Tree};

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

    /// What cargo-generate is to say where it fails.
    fn fails_there(&self) -> Option<&str> {
        self.cargo_generate.as_deref()?.strip_prefix("fails: ")
    }

    /// What cargo-generate is to render.
    fn expected_there(&self) -> PathBuf {
        let judged = self.folder.join("cargo-generate");
        if judged.is_dir() { judged } else { self.folder.join("expected") }
    }

    /// A sentence instead of a tree says why no run of cargo-generate could be compared.
    fn is_judged(&self) -> bool {
        self.expected_there().is_dir() || self.fails_there().is_some()
    }

    /// A command that sees nothing of the environment but what the case says.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = crate::support::command::command(program.as_ref());
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

/// The only entry of a directory: the project, whatever its name became.
fn project(target: &Path) -> Tree {
    let entries: Vec<_> = fs_err::read_dir(target).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [project] = entries.as_slice() else { panic!("not one project: {entries:?}") };
    tree::read(project)
}

/// Every case is judged twice: what create-app renders or says, and what the real cargo-generate does.
pub(crate) fn trials() -> Vec<Trial> {
    let (failing, rendering): (Vec<Case>, Vec<Case>) = cases().into_iter().partition(Case::fails);
    assert!(rendering.len() > 80 && failing.len() > 70, "{} and {} cases", rendering.len(), failing.len());
    let own = rendering.into_iter().map(|case| trial(format!("render/{}", case.title()), move || renders(&case)));
    let errors = failing.into_iter().map(|case| trial(format!("render/{}", case.title()), move || reports(&case)));
    let judged = cases()
        .into_iter()
        .filter(Case::is_judged)
        .map(|case| trial(format!("render/cargo_generate/{}", case.title()), move || cargo_generate_agrees(&case)));
    let documented =
        trial("render/every_difference_has_a_row_and_every_row_its_case".to_owned(), every_difference_has_a_row);
    own.chain(errors).chain(judged).chain([documented]).collect()
}

/// create-app renders a case as expected.
fn renders(case: &Case) -> Result<(), String> {
    let target = tempfile::tempdir().unwrap();
    let output = case.create_app(target.path());
    if !output.status.success() {
        return Err(format!("{}\n{}", output.status, printed(&output)));
    }
    same(&tree::read(&case.folder.join("expected")), &project(target.path()))
}

fn same(expected: &Tree, actual: &Tree) -> Result<(), String> {
    let differences = tree::differences(expected, actual);
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

/// An error is reported with its code, and nothing is written.
fn reports(case: &Case) -> Result<(), String> {
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
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n{printed}", wrong.join(", "))) }
}

/// cargo-generate agrees, but for the intended differences.
fn cargo_generate_agrees(case: &Case) -> Result<(), String> {
    let target = tempfile::tempdir().unwrap();
    let output = case.cargo_generate(target.path());
    if let Some(reason) = case.fails_there() {
        let as_claimed = !output.status.success() && printed(&output).contains(reason);
        return if as_claimed { Ok(()) } else { Err(format!("should fail with {reason}\n{}", printed(&output))) };
    }
    if !output.status.success() {
        return Err(format!("{}\n{}", output.status, printed(&output)));
    }
    same(&tree::read(&case.expected_there()), &project(target.path()))
}

fn every_difference_has_a_row() -> Result<(), String> {
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
    Ok(())
}
