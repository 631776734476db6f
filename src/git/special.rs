//! Pipes, devices and enormous files where git expects a short text: it waits for somebody to write, or reads until memory
//! ends. A commit cannot hold most of them, but an archive can, and its configuration can lead to one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::repository::{MAX_TEXT, common, git_directory, too_long};
use crate::diagnostic::{Code, Diagnostic, Result};

/// The files that git reads in the directories of the work tree.
const BESIDE: &[&str] = &[".gitattributes", ".gitignore", ".gitmodules"];

/// Of these, what it reads whole, however long it is.
const RULES: &[&str] = &[".gitignore", ".gitmodules"];

/// Why git may be waiting in the repository of this work tree; `None` if there is no such reason. It looks at everything, so
/// it is for a git that is waiting already.
pub(super) fn find(root: &Path) -> Option<Diagnostic> {
    let own = git_directory(root)?;
    let shared = common(&own);
    let configs = [&own, &shared].map(|place| ["config", "config.worktree"].map(|name| place.join(name)));
    let named = configs.into_iter().flatten().flat_map(|config| values(&config));
    let of_git = [own, shared].into_iter().flat_map(|place| WalkDir::new(place).into_iter().flatten());
    // Another repository's directory does not concern git here.
    let files = WalkDir::new(root).into_iter().filter_entry(|entry| entry.file_name() != ".git").flatten();
    let files = files.filter(|entry| BESIDE.iter().any(|name| entry.file_name() == *name));
    let paths = files.chain(of_git).map(walkdir::DirEntry::into_path);
    named.chain(paths).find_map(|path| obstacle(root, &path))
}

/// Checks that git can read the rules for what it ignores, on the way to each of these paths below `root`.
///
/// # Errors
///
/// Names what is not a regular file, and what is too long.
pub(super) fn check_ignore_files<'p>(root: &Path, paths: impl IntoIterator<Item = &'p str>) -> Result<()> {
    let mut directories = BTreeSet::from([""]);
    for path in paths {
        let mut directory = path;
        while let Some((above, _)) = directory.rsplit_once('/') {
            if !directories.insert(above) {
                break;
            }
            directory = above;
        }
    }
    let mut files = directories.into_iter().map(|directory| root.join(directory).join(".gitignore"));
    files.find_map(|file| obstacle(root, &file)).map_or(Ok(()), |problem| Err(problem.into()))
}

/// The problem with a file that git would read. Git's own objects are not such files: they may be large.
fn obstacle(root: &Path, path: &Path) -> Option<Diagnostic> {
    // Git itself does not follow a link here.
    let is_rules = path.file_name().is_some_and(|name| RULES.iter().any(|rules| name == *rules));
    let is_long = is_rules && path.symlink_metadata().is_ok_and(|it| it.is_file() && it.len() > MAX_TEXT);
    if is_long {
        return Some(too_long(path.strip_prefix(root).unwrap_or(path), MAX_TEXT));
    }
    is_endless(path).then(|| not_regular(root, path))
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
    fn rules_that_are_too_long_are_named_before_git_reads_them() {
        let directory = repository();
        let root = directory.path();
        write(root.join("sub/.gitignore"), "");
        let rules = std::fs::File::options().write(true).open(root.join("sub/.gitignore")).unwrap();
        rules.set_len(MAX_TEXT).unwrap();
        check_ignore(root, ["a", "sub/b"]).unwrap();
        rules.set_len(1 << 40).unwrap();
        check_ignore(root, ["a"]).unwrap();
        let problem = check_ignore(root, ["a", "sub/deep/b"]).unwrap_err().0.remove(0);
        assert_eq!(problem.title, "`sub/.gitignore` is larger than 64 MiB, and git would read all of it");
        for (name, limit) in [("info/exclude", "64 MiB"), ("HEAD", "64 KiB"), ("refs/heads/main", "64 KiB")] {
            let directory = repository();
            write(directory.path().join(".git/HEAD"), "ref: refs/heads/main\n");
            let path = directory.path().join(".git").join(name);
            write(&path, "");
            std::fs::File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
            assert_eq!(crate::git::find_repository(directory.path()).as_deref(), Some(directory.path()));
            let problem = crate::git::check_files(directory.path()).unwrap_err().0.remove(0);
            assert!(problem.title.contains(&format!("{name}` is larger than {limit}")), "{problem:?}");
        }
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
