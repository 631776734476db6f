//! The repository itself: its workflows, scripts and spelling.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::tools::{node_tools, python_tool, run, scripts};

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A tool of the tests, set up to look at the repository and at nothing outside it.
fn tool(name: &str) -> Command {
    let mut command = Command::new(python_tool(name));
    command.current_dir(root()).env_remove("GH_TOKEN").env_remove("GITHUB_TOKEN");
    command
}

/// The files directly in `dir`.
fn files(dir: &str) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(root().join(dir)).expect("a directory");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Fails the test with what the command printed, unless it succeeded.
#[track_caller]
fn clean(command: &mut Command) {
    if let Err(findings) = run(command) {
        panic!("{findings}");
    }
}

#[test]
fn workflows_of_this_repository_are_clean() {
    let shellcheck = python_tool("shellcheck");
    let actionlint = ["-no-color", "-pyflakes=", "-shellcheck"];
    clean(tool("actionlint").args(actionlint).arg(shellcheck).args(files(".github/workflows")));
    clean(tool("zizmor").args(["--offline", "--persona=pedantic", "--quiet", ".github"]));
}

#[test]
fn scripts_of_this_repository_are_clean() {
    clean(tool("shellcheck").args(files(".ci")).arg("tests/fuzz/run"));
}

#[test]
fn scripts_of_the_tests_are_clean() {
    let tools = node_tools().join("node_modules");
    let prettier = tools.join("prettier/bin/prettier.cjs");
    clean(Command::new("node").current_dir(root()).arg(prettier).args(["--check", "tests/app", "tests/e2e"]));
    let tsc = tools.join("typescript/bin/tsc");
    clean(Command::new("node").arg(tsc).arg("--project").arg(scripts("e2e")));
}

#[test]
fn spelling_is_right() {
    clean(tool("typos").args(["--color", "never"]));
}

#[cfg(unix)]
mod ci_run {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::support::programs;
    use super::*;

    /// What `.ci/run` says where only `dirname` and these programs, each printing one line, can be found.
    fn complaints(programs: &[(&str, &str)]) -> String {
        let path = tempfile::tempdir().expect("a directory");
        symlink(find("dirname"), path.path().join("dirname")).expect("a link");
        for (name, line) in programs {
            let program = path.path().join(name);
            fs_err::write(&program, format!("#!/bin/sh\necho '{line}'\n")).expect("a script");
            fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a program");
        }
        let mut command = Command::new(find("bash"));
        run(command.arg(".ci/run").current_dir(root()).env("PATH", path.path())).expect_err("it needs more")
    }

    /// Where a program is on the test's own path.
    fn find(program: &str) -> PathBuf {
        let path = std::env::var_os("PATH").expect("a path");
        let mut files = std::env::split_paths(&path).map(|dir| dir.join(program));
        files.find(|file| file.is_file()).expect("a program")
    }

    /// The lines about the programs of the list.
    fn sentences(found: &[Option<&str>]) -> Vec<String> {
        programs::all().iter().zip(found).map(|(program, found)| program.sentence(*found)).collect()
    }

    #[test]
    fn names_everything_that_is_missing_in_the_words_of_the_tests() {
        let said = complaints(&[]);
        for sentence in sentences(&[None; 4]) {
            assert!(said.lines().any(|line| line == sentence), "{sentence}\n{said}");
        }
        assert!(said.contains("need rustfmt (found: none); run `rustup component add rustfmt`"), "{said}");
        assert!(said.contains("need clippy (found: none)"), "{said}");
        assert!(said.contains("== requirements: failed with status 1"), "{said}");
        assert!(!said.contains("== format"), "{said}");
    }

    #[test]
    fn judges_versions_as_the_tests_do() {
        let old = [("git", "git version 1.0"), ("node", "v19.9.0"), ("npm", "8.19.4"), ("python3", "Python 3.9.18")];
        let said = complaints(&old);
        let [git, old @ ..] = &sentences(&[None, Some("19.9.0"), Some("8.19.4"), Some("3.9.18")])[..] else { panic!() };
        assert!(!said.contains(git), "{said}");
        for sentence in old {
            assert!(said.contains(sentence), "{sentence}\n{said}");
        }

        let new = [("git", "git version 2.39.5 (Apple Git-154)"), ("node", "v20.0.0"), ("npm", "10.1.0")];
        let said = complaints(&[&new[..], &[("python3", "Python 3.9.18"), ("python", "Python 3.10.0")]].concat());
        assert!(!said.contains("system's packages"), "{said}");
        assert!(said.contains("need rustfmt"), "{said}");
    }
}
