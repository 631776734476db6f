//! How git is called: the only place that starts it.
//!
//! A checkout, or an archive of one, may hold a configuration that names programs: in the repository itself, in a file that it
//! includes, in a submodule, or in a directory that merely looks like a bare repository. So git never searches for a
//! repository. It is told which one is meant, or that there is none, and what would run a program for a question about files is
//! switched off.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::repository;

/// A path that leads to no file and no directory.
pub(super) const NOTHING: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

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
    "GIT_REFERENCE_BACKEND",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Settings for every call. The command line wins over every configuration file.
const SETTINGS: &[&str] = &[
    // A directory with the files of a bare repository is not one.
    "safe.bareRepository=explicit",
    // Programs that git runs by itself, whatever it was asked.
    "core.fsmonitor=false",
    if cfg!(windows) { "core.hooksPath=NUL" } else { "core.hooksPath=/dev/null" },
];

/// More settings for copies of other people's repositories. Of the transports, these two run any program.
const MIRROR_SETTINGS: &[&str] =
    &["gc.auto=0", "maintenance.auto=false", "protocol.ext.allow=never", "protocol.fd.allow=never"];

/// Git, for a question about the repository whose work tree has this root, as [`repository::find`] returns it.
///
/// The repository is named rather than searched for, so neither `core.worktree` nor a directory inside the work tree can change
/// which one is meant. Objects that a partial clone left out are not fetched, as its remote may name any program.
pub(super) fn git(root: &Path) -> Command {
    let mut command = start(root);
    // Git checks the owner of a repository only if it finds it itself.
    if repository::is_own(root) {
        command.arg("--git-dir=.git");
    } else {
        command.env("GIT_CEILING_DIRECTORIES", root.parent().unwrap_or(root));
    }
    command.args(["--work-tree=.", "--no-pager"]);
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none").env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// The same, for paths that are not patterns.
pub(super) fn literal(root: &Path) -> Command {
    let mut command = git(root);
    command.arg("--literal-pathspecs");
    command
}

/// Git outside every repository, wherever it runs: only the user's and the system's settings count.
pub(super) fn outside(directory: &Path) -> Command {
    let mut command = start(directory);
    command.arg(format!("--git-dir={NOTHING}"));
    command
}

/// Git that makes a repository in a directory.
pub(super) fn creating(directory: &Path) -> Command {
    start(directory)
}

/// Git for a bare repository of our own, which may fetch: the user's settings decide how.
pub(super) fn mirror(directory: &Path) -> Command {
    let mut command = start(directory);
    command.args(["--git-dir=.", "--no-pager"]);
    for_strangers(&mut command);
    command
}

/// Adds what holds for repositories of other people: no program except git's own transports, and no object from elsewhere.
pub(super) fn for_strangers(command: &mut Command) {
    set(command, MIRROR_SETTINGS);
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
    // The variable overrules the settings, so these transports are removed from what it allows.
    if let Ok(allowed) = std::env::var("GIT_ALLOW_PROTOCOL") {
        let allowed: Vec<&str> = allowed.split(':').filter(|name| !["ext", "fd"].contains(name)).collect();
        command.env("GIT_ALLOW_PROTOCOL", allowed.join(":"));
    }
}

fn start(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).env("LC_ALL", "C");
    for name in LOCAL_ENVIRONMENT {
        command.env_remove(name);
    }
    set(&mut command, SETTINGS);
    command
}

/// Adds settings that win over those of every file.
pub(super) fn set(command: &mut Command, settings: &[impl AsRef<OsStr>]) {
    for setting in settings {
        command.arg("-c").arg(setting);
    }
}

/// What git was asked to do: the first argument after the options of git itself.
pub(super) fn subcommand(command: &Command) -> Cow<'_, str> {
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

/// Paths in groups that fit into a command line.
pub(super) fn chunks<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Vec<Vec<P>> {
    let mut chunks: Vec<Vec<P>> = Vec::new();
    let mut room = 0;
    for path in paths {
        let length = path.as_ref().len() + 1;
        if room < length {
            chunks.push(Vec::new());
            room = MAX_ARGUMENTS;
        }
        room = room.saturating_sub(length);
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(path);
        }
    }
    chunks
}
