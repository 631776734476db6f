//! What the tests of this module share, and how git is called.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::command::{git, mirror, outside};
use super::run::run;
use super::*;
use crate::diagnostic::Code;

/// A repository of its own, far from the one that holds these sources.
pub(super) fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    init(directory.path()).unwrap();
    directory
}

pub(super) fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    fs_err::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    std::fs::File::create(path).unwrap().write_all(content.as_ref()).unwrap();
}

fn arguments(command: &Command) -> String {
    command.get_args().map(|argument| argument.to_string_lossy().into_owned() + " ").collect()
}

#[test]
fn the_repository_of_a_hook_is_not_the_one_that_is_meant() {
    let directory = repository();
    for command in [git(directory.path()), outside(Path::new(".")), mirror(Path::new("."))] {
        let removed = |name: &str| command.get_envs().any(|(key, value)| key == name && value.is_none());
        assert!(["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"].into_iter().all(removed));
    }
}

#[test]
fn every_call_says_which_repository_is_meant() {
    let directory = repository();
    let own = arguments(&git(directory.path()));
    assert!(own.contains("--git-dir=.git --work-tree=. ") && own.contains("-c safe.bareRepository=explicit "), "{own}");
    assert!(arguments(&outside(directory.path())).contains("--git-dir=/dev/null ") || cfg!(windows));
    assert!(arguments(&mirror(directory.path())).contains("--git-dir=. "));
}

/// Git refuses another user's repository, but only if it finds it itself.
#[cfg(unix)]
#[test]
fn a_repository_of_somebody_else_is_left_to_gits_own_judgement() {
    let directory = repository();
    let root = directory.path();
    if std::os::unix::fs::chown(root.join(".git"), Some(65_534), Some(65_534)).is_err() {
        println!("skipped: this user may not give files away");
        return;
    }
    assert!(!arguments(&git(root)).contains("--git-dir"));
    let settings = root.join("settings");
    let list = |text: &str| {
        write(&settings, text);
        let mut command = git(root);
        command.env("GIT_CONFIG_GLOBAL", &settings).env("GIT_CONFIG_SYSTEM", &settings);
        run(command.arg("ls-files"))
    };
    let problem = list("").unwrap_err().0.remove(0);
    assert!(problem.title.contains("dubious ownership"), "{problem:?}");
    list("[safe]\n\tdirectory = *\n").unwrap();
}

#[test]
fn a_failure_says_what_git_said() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path().join(".git"), "gitdir: nowhere\n");
    let problem = check_ignore(directory.path(), ["a"]).unwrap_err().0.remove(0);
    assert_eq!(problem.code, Code::Git);
    assert!(problem.title.starts_with("`git check-ignore` failed: not a git repository"), "{problem:?}");
}

#[test]
fn a_missing_git_is_told_as_such() {
    let problem = run(&mut Command::new("git-that-nobody-has")).unwrap_err().0.remove(0);
    assert_eq!(problem.title, "git is not installed, or not on the PATH");
    assert!(problem.help.unwrap().contains("https://git-scm.com"));
}

/// A second way to start git would be one that nobody has hardened. And the usual ways to start a thread panic where the system
/// refuses one.
#[test]
fn programs_and_threads_are_started_in_few_places() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let starts = [
        // What hooks and migrations run, nobody runs without consent; rustfmt and the editor are the user's own; a trial runs what the user names. The last one
        // is clap's.
        (
            "Command::new(",
            &[
                "git/command.rs",
                "process.rs",
                "answers/prompt/editor.rs",
                "report/pager.rs",
                "commands/generate/trial.rs",
                "commands/completions.rs",
            ][..],
        ),
        ("thread::spawn(", &[]),
        ("scope.spawn(", &[]),
        ("par_iter", &["parallel.rs"]),
        ("rayon::join", &[]),
    ];
    for entry in walkdir::WalkDir::new(&source) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
        if !name.ends_with(".rs") || name.contains("tests") || name == "merge/oracle.rs" {
            continue;
        }
        let text = fs_err::read_to_string(entry.path()).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for (start, allowed) in &starts {
            assert!(!text.contains(start) || allowed.contains(&name.as_str()), "`{start}` in {name}");
        }
    }
}
