//! The user's `git`: the only module that runs it. Credentials, ssh and `insteadOf` then work as they do everywhere else.

mod apply;
mod committed;
mod failure;
mod history;
mod identity;
mod index;
mod index_file;
mod mirror;
mod own;
mod status;
mod worktree;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub use apply::apply;
pub use committed::Committed;
pub use failure::{Failure, Kind};
pub use history::once_added;
pub use identity::Identity;
pub use index::{Indexed, indexed, only_staged, set_index, store};
#[cfg(fuzzing)]
pub(crate) use index_file::listed;
pub use mirror::{Contact, Format, Listed, Mirror, references, submodules};
pub use own::own_directory;
pub use status::{Held, status, unmerged};
pub use worktree::{compares_modes, files, left_out, staged};

use crate::diagnostic::{Code, Diagnostic, Result};

/// The most bytes of paths in one command line: Windows takes 32,767 characters.
const MAX_ARGUMENTS: usize = 24_000;

/// What git tells a hook or an alias about the repository that it runs in: not the one that is meant here.
const LOCAL_ENVIRONMENT: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// The root of the work tree that `path` is in, found without running git: the nearest directory, `path` itself first,
/// that holds a repository or the file that leads to one (in a linked work tree or a submodule).
///
/// `path` should be absolute; it need not exist.
#[must_use]
pub fn find_repository(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|directory| is_repository(&directory.join(".git"))).map(Path::to_path_buf)
}

/// Git itself walks past a `.git` that is neither.
fn is_repository(dot_git: &Path) -> bool {
    match fs_err::metadata(dot_git) {
        Ok(metadata) if metadata.is_dir() => dot_git.join("HEAD").symlink_metadata().is_ok(),
        Ok(metadata) => metadata.len() < 65_536 && fs_err::read(dot_git).is_ok_and(|text| text.starts_with(b"gitdir:")),
        Err(_) => false,
    }
}

/// Checks that git can be run.
///
/// # Errors
///
/// When it cannot.
pub fn require() -> Result<()> {
    run(git(Path::new(".")).arg("--version")).map(drop)
}

/// Makes `directory` a repository, with the user's own settings for new ones. Where they name no first branch it is
/// `main`, not the `master` that git itself still falls back to.
///
/// # Errors
///
/// When git is missing or fails.
pub fn init(directory: &Path) -> Result<()> {
    let configured = ask(git(directory).args(["config", "--get", "init.defaultBranch"]), &[])?;
    let mut command = git(directory);
    command.args(["init", "--quiet"]);
    if !configured.status.success() {
        command.arg("--initial-branch=main");
    }
    run(&mut command).map(drop)
}

/// A path that git ignores, and the rule that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The path as it was given.
    pub path: String,
    /// The file that holds the rule: relative to the repository's root, or absolute for the user's own.
    pub file: String,
    /// The rule's line, from 1.
    pub line: usize,
    /// The rule.
    pub pattern: String,
}

/// Which of `paths`, relative to `directory` and with `/`, git ignores. A tracked path is never ignored.
///
/// # Errors
///
/// When git is missing or fails, as it does where `directory` is in no repository.
pub fn check_ignore<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<Vec<Ignored>> {
    let input = zero_ended(paths);
    if input.is_empty() {
        return Ok(Vec::new());
    }
    let output = ask(git(directory).args(["check-ignore", "--verbose", "-z", "--stdin"]), &input)?;
    let fields: Vec<String> = output.stdout.split(|byte| *byte == 0).map(lossy).collect();
    let ignored = fields.chunks_exact(4).map(|field| Ignored {
        path: field[3].clone(),
        file: field[0].clone(),
        line: field[1].parse().unwrap_or(0),
        pattern: field[2].clone(),
    });
    // The last rule that matches decides; one that starts with `!` says that the path is not ignored.
    Ok(ignored.filter(|ignored| !ignored.pattern.starts_with('!')).collect())
}

/// Whether a rule of git's ignores any of `paths`, relative to `directory`, were they new. Unlike [`check_ignore`], it takes as
/// long in a large repository as in a small one.
///
/// # Errors
///
/// When git is missing or fails, as it does where `directory` is in no repository.
pub fn would_ignore<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<bool> {
    let output = ask(git(directory).args(["check-ignore", "--no-index", "-z", "--stdin"]), &zero_ended(paths))?;
    Ok(!output.stdout.is_empty())
}

/// Paths as git reads them with `-z`.
fn zero_ended<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    paths.into_iter().flat_map(|path| path.bytes().chain([0])).collect()
}

/// The pager that git would use for what it shows of this directory: `cat` where the user wants none. None without git.
#[must_use]
pub fn pager(directory: &Path) -> Option<String> {
    let output = run(git(directory).args(["var", "GIT_PAGER"])).ok()?;
    Some(lossy(&output.stdout).trim().to_owned())
}

fn git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).env("LC_ALL", "C");
    for name in LOCAL_ENVIRONMENT {
        command.env_remove(name);
    }
    command
}

/// The content of files by the names of their objects, in order; none for what is no file, or is not there.
fn objects<'a>(root: &Path, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Option<Vec<u8>>>> {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let input: String = names.iter().map(|name| format!("{name}\n")).collect();
    let output = ask(git(root).args(["cat-file", "--batch"]), input.as_bytes())?;
    let mut rest = output.stdout.as_slice();
    let mut next = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let head = lossy(&rest[..end]);
        rest = &rest[end + 1..];
        let (_, size) = head.rsplit_once(" blob ")?;
        let size = size.parse::<usize>().ok().filter(|size| *size < rest.len())?;
        let content = rest[..size].to_vec();
        rest = &rest[size + 1..];
        Some(content)
    };
    Ok(names.iter().map(|_| next()).collect())
}

/// Git, for paths that are no patterns.
fn literal(directory: &Path) -> Command {
    let mut command = git(directory);
    command.arg("--literal-pathspecs");
    command
}

fn chunks<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<Vec<&'a str>> {
    let mut chunks: Vec<Vec<&str>> = Vec::new();
    let mut room = 0;
    for path in paths {
        if room < path.len() + 1 {
            chunks.push(Vec::new());
            room = MAX_ARGUMENTS;
        }
        room = room.saturating_sub(path.len() + 1);
        chunks.last_mut().into_iter().for_each(|chunk| chunk.push(path));
    }
    chunks
}

/// Runs git to its end, with `input` as its standard input. Exit code 1 is an answer to a question: "no" of
/// `check-ignore`, "not set" of `config`.
fn ask(command: &mut Command, input: &[u8]) -> Result<Output> {
    let output = output(command, input)?;
    match output.status.code() {
        Some(0 | 1) => Ok(output),
        _ => Err(refused(command, &output).into()),
    }
}

/// Runs git to its end, with `input` as its standard input, whatever its exit code.
fn output(command: &mut Command, input: &[u8]) -> Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = command.spawn();
    let output = started.and_then(|mut child| {
        let stdin = child.stdin.take();
        std::thread::scope(|scope| {
            // Git may answer before it has read everything, so somebody must listen meanwhile. Whether it has read
            // everything is its own affair, and its exit code tells.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            child.wait_with_output()
        })
    });
    Ok(output.map_err(|error| unavailable(command.get_current_dir().unwrap_or(Path::new(".")), &error))?)
}

/// Runs git to its end; every exit code but 0 is a failure.
fn run(command: &mut Command) -> Result<Output> {
    let output = ask(command, &[])?;
    if output.status.success() { Ok(output) } else { Err(refused(command, &output).into()) }
}

fn unavailable(directory: &Path, error: &std::io::Error) -> Diagnostic {
    if error.kind() == ErrorKind::NotFound && directory.is_dir() {
        return Diagnostic::error(Code::Git, "git is not installed, or not on the path")
            .help("install git from https://git-scm.com/downloads, then run the command again");
    }
    Diagnostic { code: Code::Git, ..Diagnostic::io("cannot run git in", directory, error) }
}

fn refused(command: &Command, output: &Output) -> Diagnostic {
    let name = subcommand(command);
    let text = lossy(&output.stderr);
    let reason = text.lines().map(str::trim).find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let reason = reason.or_else(|| text.lines().next()).unwrap_or("it was stopped");
    if output.status.code() == Some(129) {
        return too_old(reason);
    }
    Diagnostic::error(Code::Git, format!("`git {name}` failed: {}", reason.trim_start_matches("fatal: ")))
        .help("mend what git complains about, then run the command again")
}

/// What git was asked to do: the first argument behind the options of git itself.
fn subcommand(command: &Command) -> Cow<'_, str> {
    let mut arguments = command.get_args().map(OsStr::to_string_lossy);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "-c" => drop(arguments.next()),
            option if option.starts_with('-') => {}
            _ => return argument,
        }
    }
    Cow::default()
}

/// Git ends so where it does not know an option.
fn too_old(said: &str) -> Diagnostic {
    Diagnostic::error(Code::Git, format!("git is too old: {said}"))
        .help("install git 2.30 or newer, then run the command again")
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_repository_is_found_from_anywhere_below_it() {
        let directory = repository();
        let root = directory.path();
        assert_eq!(find_repository(root).as_deref(), Some(root));
        assert_eq!(find_repository(&root.join("not/there/yet")).as_deref(), Some(root));
        write(root.join("linked/.git"), "gitdir: ../.git/worktrees/linked\n");
        assert_eq!(find_repository(&root.join("linked/app")), Some(root.join("linked")));
    }

    #[test]
    fn what_only_looks_like_a_repository_is_passed_by() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs_err::create_dir_all(root.join("a/.git")).unwrap();
        write(root.join("a/b/.git"), "a file of the user's");
        let found = find_repository(&root.join("a/b/c"));
        assert!(found.as_deref().is_none_or(|found| !found.starts_with(root)), "{found:?}");
    }

    #[test]
    fn ignored_paths_are_told_with_their_rule() {
        let directory = repository();
        write(directory.path().join(".gitignore"), "# mine\nbase/\n*.toml\n!kept.toml\n");
        let paths = [".create-app/lock.toml", ".create-app/base/00", "kept.toml", "-x", "src/a b\"c", "--help"];
        let ignored = check_ignore(directory.path(), paths).unwrap();
        let rule = |path: &str, line, pattern: &str| Ignored {
            path: path.into(),
            file: ".gitignore".into(),
            line,
            pattern: pattern.into(),
        };
        assert_eq!(ignored, [rule(".create-app/lock.toml", 3, "*.toml"), rule(".create-app/base/00", 2, "base/")]);
        assert_eq!(check_ignore(directory.path(), []), Ok(Vec::new()));
        assert_eq!(would_ignore(directory.path(), paths), Ok(true));
        assert_eq!(would_ignore(directory.path(), ["kept.toml", "--help"]), Ok(false));
    }

    #[test]
    fn many_paths_do_not_block_the_pipe() {
        let directory = repository();
        write(directory.path().join(".gitignore"), "x*\n");
        let paths: Vec<String> = (0..20_000).map(|n| format!("x{n}")).collect();
        assert_eq!(check_ignore(directory.path(), paths.iter().map(String::as_str)).unwrap().len(), 20_000);
    }

    #[test]
    fn the_repository_of_a_hook_is_not_the_one_that_is_meant() {
        let command = git(Path::new("."));
        let removed = |name: &str| command.get_envs().any(|(key, value)| key == name && value.is_none());
        assert!(LOCAL_ENVIRONMENT.iter().all(|name| removed(name)));
        assert!(command.get_envs().all(|(key, _)| key != "GIT_TERMINAL_PROMPT"));
    }

    #[test]
    fn a_failure_says_what_git_said() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path().join(".git"), "gitdir: nowhere\n");
        let problem = check_ignore(directory.path(), ["a"]).unwrap_err().0.remove(0);
        assert_eq!(problem.code, Code::Git);
        assert!(problem.title.starts_with("`git check-ignore` failed: not a git repository"), "{problem:?}");
        let problem = init(&directory.path().join("absent")).unwrap_err().0.remove(0);
        assert!(problem.title.contains("absent") && problem.code == Code::Git, "{problem:?}");
    }

    #[test]
    fn a_missing_git_is_told_as_such() {
        let problem = run(&mut Command::new("git-that-nobody-has")).unwrap_err().0.remove(0);
        assert_eq!(problem.title, "git is not installed, or not on the path");
        assert!(problem.help.unwrap().contains("https://git-scm.com"));
    }

    #[test]
    fn the_first_branch_is_main_unless_the_user_says_otherwise() {
        let place = tempfile::tempdir().unwrap();
        init(place.path()).unwrap();
        let head = std::fs::read_to_string(place.path().join(".git/HEAD")).unwrap();
        let configured = ask(git(place.path()).args(["config", "--get", "init.defaultBranch"]), &[]).unwrap();
        let expected = String::from_utf8(configured.stdout).unwrap();
        let expected = if expected.trim().is_empty() { "main" } else { expected.trim() };
        assert_eq!(head.trim(), format!("ref: refs/heads/{expected}"));
    }
}
