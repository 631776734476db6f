//! The repository itself: its workflows, scripts and spelling.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::tools::{node_tools, python_tool, run, scripts};

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
fn issue_forms_have_what_the_platform_requires() {
    let forms: Vec<PathBuf> =
        files(".github/ISSUE_TEMPLATE").into_iter().filter(|it| !it.ends_with("config.yml")).collect();
    assert!(forms.len() >= 3, "{forms:?}");
    for form in forms {
        let text = fs_err::read_to_string(&form).expect("a text");
        let form: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap_or_else(|e| panic!("{form:?}: {e}"));
        assert!(form["name"].is_string() && form["description"].is_string(), "{text}");
        let fields = form["body"].as_sequence().expect("fields");
        for field in fields {
            let kind = field["type"].as_str().expect("a type");
            assert!(["markdown", "textarea", "input"].contains(&kind), "{kind}");
            let says = if kind == "markdown" { "value" } else { "label" };
            assert!(field["attributes"][says].is_string(), "{field:?}");
            assert_eq!(field["id"].is_string(), kind != "markdown", "{field:?}");
        }
    }
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

/// Phrases that sound translated, from the first column of the last table of docs/style.md.
fn avoided() -> Vec<String> {
    let style = fs_err::read_to_string(root().join("docs/style.md")).expect("the style guide");
    let (_, table) = style.split_once("## Words to avoid").expect("the list of words");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| \"")?.split(" |").next());
    rows.flat_map(|cell| cell.trim_end_matches('"').split("\", \"")).map(str::to_owned).collect()
}

/// The texts that people read: documentation, source, and the pages of commands with their output.
fn texts() -> Vec<PathBuf> {
    let all = ["src", "docs", "template", "tests/cmd"].map(|dir| walkdir(&root().join(dir)));
    let single = ["README.md", "SECURITY.md", "CHANGELOG.md"].map(|file| root().join(file));
    let is_text =
        |path: &PathBuf| path.extension().is_some_and(|it| ["rs", "md", "toml", "ts"].iter().any(|known| it == *known));
    all.concat().into_iter().filter(is_text).chain(single).filter(|path| !path.ends_with("docs/style.md")).collect()
}

fn walkdir(dir: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walkdir(&path) } else { vec![path] }).collect()
}

/// The words of a text in lower case, one space between them, without the marks of comments and continued strings.
fn plain(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !["//", "///", "//!", "\\", "#", "|"].contains(word));
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// The places of a phrase as whole words, each with what is around it.
fn found<'a>(text: &'a str, phrase: &str) -> Vec<[&'a str; 3]> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let places = text.match_indices(phrase).filter_map(|(at, phrase)| {
        let (before, after) = (&text[..at], &text[at + phrase.len()..]);
        let whole = !before.ends_with(is_part) && !after.starts_with(is_part);
        whole.then(|| [before, &text[at..at + phrase.len()], after])
    });
    places.collect()
}

#[test]
fn texts_have_none_of_the_words_that_the_style_guide_avoids() {
    let avoided = avoided();
    assert!(avoided.len() > 15 && avoided.iter().any(|phrase| phrase == "anew"), "{avoided:?}");
    // "There is no Y", and where a noun with "no" is the usual way to say it.
    let usual = ["longer", "more", "less", "larger", "worse", "better", "reason", "concern"];
    let is_usual = |before: &str, after: &str| {
        before.ends_with("there ") || usual.iter().any(|word| after.trim_start().starts_with(word))
    };
    let mut wrong = Vec::new();
    for path in texts() {
        let text = plain(&fs_err::read_to_string(&path).expect("a text"));
        let phrases = avoided.iter().flat_map(|phrase| found(&text, phrase));
        let is_no = ["is no", "are no", "was no", "were no"].into_iter().flat_map(|phrase| found(&text, phrase));
        for [before, phrase, after] in phrases.chain(is_no.filter(|[before, _, after]| !is_usual(before, after))) {
            let before: String = before.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
            let after: String = after.chars().take(40).collect();
            wrong.push(format!(
                "{}: …{before}[{phrase}]{after}…",
                path.strip_prefix(root()).expect("below it").display()
            ));
        }
    }
    assert!(wrong.is_empty(), "docs/style.md says what to write instead:\n{}", wrong.join("\n"));
}

#[test]
fn the_places_that_the_architecture_names_exist() {
    let text = fs_err::read_to_string(root().join("docs/architecture.md")).expect("a text");
    let table = text.split("\n## Where do I change").nth(1).and_then(|rest| rest.split("\n## ").next());
    let names = table.expect("the table").split('`').skip(1).step_by(2);
    let is_path = |name: &&str| name.contains('/') && !name.contains([' ', '<', '-']);
    let paths: Vec<&str> = names.filter(is_path).collect();
    assert!(paths.len() > 20, "{paths:?}");
    let missing: Vec<_> =
        paths.iter().filter(|path| !root().join(path).exists() && !root().join("src").join(path).exists()).collect();
    assert!(missing.is_empty(), "not there: {missing:?}");
}

#[cfg(unix)]
mod ci_run {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::support::programs;

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
