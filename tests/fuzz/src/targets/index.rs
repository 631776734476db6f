//! Git's index: where ours has an answer and git has one, they are the same.

use std::cell::OnceCell;
use std::process::Stdio;

use create_app::fuzzing;
use tempfile::TempDir;

use crate::git::{git, is_asked};

pub(crate) fn run(data: &[u8]) {
    let Some(entries) = fuzzing::index(data) else { return };
    if !is_asked(data, 8) {
        return;
    }
    if let Some(by_git) = by_git(data) {
        assert_eq!(entries, by_git);
    }
}

thread_local!(static REPOSITORY: OnceCell<TempDir> = const { OnceCell::new() });

/// What git finds in an index; nothing where it refuses it.
fn by_git(index: &[u8]) -> Option<Vec<String>> {
    REPOSITORY.with(|repository| {
        let repository = repository.get_or_init(|| {
            let directory = tempfile::tempdir().unwrap();
            assert!(git(directory.path()).args(["init", "--quiet", "."]).status().unwrap().success());
            directory
        });
        std::fs::write(repository.path().join(".git/index"), index).unwrap();
        let mut command = git(repository.path());
        command.args(["ls-files", "--stage", "-z"]).stderr(Stdio::null());
        let output = command.output().unwrap();
        let lines = output.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        output.status.success().then(|| lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect())
    })
}
