//! Pipes and devices where git expects a file: it waits for somebody to write, or reads for ever. A commit cannot hold one, but an
//! archive can, and its configuration can lead to one.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::repository::{common, git_directory};
use crate::diagnostic::{Code, Diagnostic};

/// What git reads in the directories of the work tree.
const BESIDE: &[&str] = &[".gitattributes", ".gitignore", ".gitmodules"];

/// Why git may be waiting in the repository of this work tree; none where there is no such reason. It looks at everything, so
/// it is for a git that is waiting already.
pub(super) fn find(root: &Path) -> Option<Diagnostic> {
    let own = git_directory(root)?;
    let shared = common(&own);
    let configs = [&own, &shared].map(|place| ["config", "config.worktree"].map(|name| place.join(name)));
    let named = configs.into_iter().flatten().flat_map(|config| values(&config));
    let of_git = [own, shared].into_iter().flat_map(|place| WalkDir::new(place).into_iter().flatten());
    // Another repository's directory is none of git's business here.
    let files = WalkDir::new(root).into_iter().filter_entry(|entry| entry.file_name() != ".git").flatten();
    let files = files.filter(|entry| BESIDE.iter().any(|name| entry.file_name() == *name));
    let paths = files.chain(of_git).map(walkdir::DirEntry::into_path);
    named.chain(paths).find(|path| is_endless(path)).map(|path| not_regular(root, &path))
}

/// The paths that a configuration may name: every value is taken for one.
fn values(config: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(config).unwrap_or_default();
    let values = text.lines().filter_map(|line| Some(line.split_once('=')?.1.trim().trim_matches('"')));
    let directory = config.parent().unwrap_or(config);
    values.map(|value| expanded(value, directory)).collect()
}

/// A path of git's configuration; a relative one is below this directory.
pub(super) fn expanded(value: &str, directory: &Path) -> PathBuf {
    match (value.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(below), Some(home)) => PathBuf::from(home).join(below),
        _ => directory.join(value),
    }
}

/// Whether to read it may never end. The device that is always empty is a way to name no file.
#[cfg(unix)]
pub(super) fn is_endless(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    let Ok(kind) = path.metadata().map(|metadata| metadata.file_type()) else { return false };
    kind.is_fifo() || kind.is_block_device() || kind.is_char_device() && path != Path::new("/dev/null")
}

#[cfg(not(unix))]
pub(super) fn is_endless(_: &Path) -> bool {
    false
}

/// Says what git cannot read to an end.
pub(super) fn not_regular(root: &Path, path: &Path) -> Diagnostic {
    let shown = path.strip_prefix(root).unwrap_or(path);
    let title = format!("git cannot read `{}`: it is not a regular file", shown.display());
    Diagnostic::error(Code::NotRegular, title).help("replace it with a regular file, or remove it")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::git::command::git;
    use crate::git::run::run;
    use crate::git::tests::{repository, write};
    use crate::git::{check_ignore, files};

    fn pipe(path: &Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn a_pipe_in_the_work_tree_is_named_when_git_waits_for_it() {
        let directory = repository();
        let root = directory.path();
        write(root.join("sub/a"), "");
        pipe(&root.join("sub/.gitignore"));
        let started = Instant::now();
        for problem in [files(root).unwrap_err(), check_ignore(root, ["sub/b"]).unwrap_err()] {
            assert_eq!(problem.0[0].title, "git cannot read `sub/.gitignore`: it is not a regular file");
        }
        assert!(started.elapsed() < Duration::from_secs(40));
        // Where git does not look at it, it is in nobody's way.
        run(git(root).args(["ls-files", "--cached"])).unwrap();
    }

    #[test]
    fn a_pipe_in_gits_directory_is_found() {
        let directory = repository();
        let root = directory.path();
        assert_eq!(find(root), None);
        pipe(&root.join(".git/refs/heads/main"));
        assert!(find(root).unwrap().title.starts_with("git cannot read `.git/refs/heads/main`"));
        fs_err::remove_file(root.join(".git/refs/heads/main")).unwrap();
        write(root.join(".git/config"), "[core]\n\texcludesFile = /dev/null\n\tx = \"../pipe\"\n");
        assert_eq!(find(root), None);
        pipe(&root.join("pipe"));
        assert!(find(root).unwrap().title.contains("pipe`"));
    }
}
