//! Runs the command lines of `tests/cmd/` and of `docs/`, each in an empty directory with the files that its page shows.
//!
//! `SNAPSHOTS=overwrite cargo test --test it -- cmd::` rewrites what they print; `tests/cmd/README.md` says how a page is written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::command::{command, inherited};
use create_app::diagnostic::Code;
use fs_err as fs;
use trycmd::TestCases;
use walkdir::WalkDir;

/// Programs that pages use to show and to prepare files; their lines are skipped where there is none, as on Windows.
const TOOLS: &[&str] = &["cat", "chmod", "git", "ln", "ls", "mkdir", "touch"];

#[test]
fn commands_do_and_print_what_their_pages_say() {
    run("tests/cmd");
}

#[test]
fn documentation_shows_what_really_happens() {
    run("docs");
}

#[test]
fn the_readme_shows_what_really_happens() {
    run("README.md");
}

#[test]
fn every_code_has_its_section_with_an_example() {
    let text = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let sections: Vec<(&str, &str)> = text.split("\n## ").skip(1).filter_map(|it| it.split_once('\n')).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let titles: Vec<&str> = sections.iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, codes, "docs/errors.md has a section for each code, in their order");
    for (title, section) in sections {
        let shows = section.contains(&format!("[{title}]: ")) && section.contains("```console\n$ ");
        let cannot = ["no example here", "not in use yet"].iter().any(|words| section.contains(words));
        assert!(shows != cannot, "{title}: show a run that prints it, or say that there is none");
    }
}

/// Runs the pages below a folder.
fn run(folder: &str) {
    if run_in_the_right_environment() {
        return;
    }
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages").join(folder);
    if copies.exists() {
        fs::remove_dir_all(&copies).unwrap();
    }
    let pages: Vec<(PathBuf, PathBuf)> =
        pages(&root().join(folder)).into_iter().map(|page| copy(&page, folder, &copies)).collect();
    let cases = cases();
    let cache = tempfile::tempdir().unwrap();
    cases.env("CREATE_APP_CACHE_DIR", cache.path().to_str().unwrap());
    cases.env("CREATE_APP_STATE_DIR", cache.path().join("state").to_str().unwrap());
    for (_, copy) in &pages {
        cases.case(copy);
    }
    cases.run();
    if std::env::var_os("TRYCMD").is_some_and(|mode| mode == "overwrite") {
        for (page, copy) in pages {
            fs::copy(copy, page).unwrap();
        }
    }
}

/// trycmd can hide no variable, and looks into one of its own for what to rewrite. Where the environment is not as it should be, runs this
/// test again in a process that has the right one.
fn run_in_the_right_environment() -> bool {
    let nowhere: &[&str] = &["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"];
    let is_clean = inherited().iter().all(|name| nowhere.iter().any(|known| name == known));
    let is = |name: &str| std::env::var_os(name).is_some_and(|mode| mode == "overwrite");
    if is_clean && is("SNAPSHOTS") == is("TRYCMD") {
        return false;
    }
    let this = std::thread::current().name().unwrap().to_owned();
    let mut command = command(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", &this]).env_remove("TRYCMD");
    command.envs(is("SNAPSHOTS").then_some(("TRYCMD", "overwrite")));
    let status = command.status().unwrap();
    assert!(status.success(), "the same test without {:?}: {status}", inherited());
    true
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let files = WalkDir::new(folder).sort_by_file_name().into_iter().map(|entry| entry.unwrap().into_path());
    // A README among the cases is about them, and no case.
    let is_page = |path: &PathBuf| {
        path.extension().is_some_and(|it| it == "md") && (path == folder || !path.ends_with("README.md"))
    };
    files.filter(is_page).collect()
}

/// Copies a page beside a directory with its files, where trycmd looks for them; returns both.
fn copy(page: &Path, folder: &str, copies: &Path) -> (PathBuf, PathBuf) {
    let below = page.strip_prefix(root().join(folder)).unwrap();
    let copy = if below.as_os_str().is_empty() { copies.join(folder) } else { copies.join(below) };
    let files = copy.with_extension("in");
    fs::create_dir_all(&files).unwrap();
    // That it exists makes trycmd run the page in a copy of the files, far from this repository.
    fs::create_dir_all(copy.with_extension("out")).unwrap();
    let text = fs::read_to_string(page).unwrap();
    fs::write(&copy, &text).unwrap();
    for (name, content) in shown_files(&text) {
        let file = files.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    (page.to_path_buf(), copy)
}

/// The files that a page shows: blocks whose first line is a fence, a language and a path.
fn shown_files(page: &str) -> Vec<(&str, String)> {
    let mut files = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let info = line.trim_start_matches('`');
        let fence = &line[..line.len() - info.len()];
        if fence.len() < 3 {
            continue;
        }
        let content: String = lines.by_ref().take_while(|line| *line != fence).flat_map(|line| [line, "\n"]).collect();
        if let Some((_, path)) = info.split_once(' ') {
            files.push((path, content));
        }
    }
    files
}

/// trycmd with an environment that is the same on every machine.
fn cases() -> TestCases {
    let cases = TestCases::new();
    let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
    let environment = [
        ("CARGO_NAME", "Ann Author"),
        ("CARGO_EMAIL", "ann@example.org"),
        // No configuration of cargo-generate.
        ("CARGO_HOME", "/nonexistent"),
        ("CLICOLOR_FORCE", "0"),
        ("COLUMNS", "100"),
        ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
        ("GIT_AUTHOR_EMAIL", "ann@example.org"),
        ("GIT_AUTHOR_NAME", "Ann Author"),
        ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
        ("GIT_COMMITTER_EMAIL", "ann@example.org"),
        ("GIT_COMMITTER_NAME", "Ann Author"),
        ("GIT_CONFIG_GLOBAL", nowhere),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
        ("NO_COLOR", "1"),
    ];
    for (name, value) in environment {
        cases.env(name, value);
    }
    cases.register_bin("create-app", PathBuf::from(env!("CARGO_BIN_EXE_create-app")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let tools: BTreeSet<(&str, PathBuf)> = std::env::split_paths(&path)
        .flat_map(|directory| TOOLS.iter().map(move |tool| (*tool, directory.join(tool))))
        .filter(|(_, path)| path.is_file())
        .collect();
    for (name, path) in tools {
        cases.register_bin(name, path);
    }
    cases
}
