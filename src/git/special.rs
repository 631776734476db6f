//! What is where git expects a file of its own, and is none: git would wait for a pipe, and read a device for ever. A commit cannot hold
//! one, but an archive can.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use walkdir::WalkDir;

use super::repository::{common, git_directory};
use crate::diagnostic::{Code, Diagnostic, Result};

/// What git reads in its directory, whatever it is asked.
const OWN: &[&str] = &[
    "CHERRY_PICK_HEAD",
    "HEAD",
    "MERGE_HEAD",
    "REBASE_HEAD",
    "commondir",
    "config",
    "config.worktree",
    "index",
    "info/attributes",
    "info/exclude",
    "info/grafts",
    "info/sparse-checkout",
    "objects/info/alternates",
    "objects/info/commit-graph",
    "packed-refs",
    "shallow",
];
/// What git reads in the directories of the work tree.
const BESIDE: &[&str] = &[".gitattributes", ".gitignore", ".gitmodules"];

/// Checks, once for each repository, what git reads in its own directory. `root` is that of the work tree.
///
/// # Errors
///
/// What is not a regular file.
pub(super) fn refuse(root: &Path) -> Result<()> {
    static CHECKED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let Ok(mut checked) = CHECKED.lock() else { return Ok(()) };
    if checked.contains(root) {
        return Ok(());
    }
    let Some(own) = git_directory(root) else { return Ok(()) };
    let places = [common(&own), own];
    let is_special = |path: &PathBuf| path.metadata().is_ok_and(|metadata| !metadata.is_file());
    match places.iter().flat_map(|place| OWN.iter().map(|name| place.join(name))).find(is_special) {
        Some(path) => Err(not_regular(root, &path).into()),
        None => {
            checked.insert(root.to_path_buf());
            Ok(())
        }
    }
}

/// Why git may be waiting in the repository of this work tree; none where there is no such reason. It looks at everything, so
/// it is for a git that is waiting already.
pub(super) fn find(root: &Path) -> Option<Diagnostic> {
    let own = git_directory(root)?;
    let shared = common(&own);
    let of_git = [own, shared].into_iter().flat_map(|place| WalkDir::new(place).into_iter().flatten());
    // Another repository's directory is none of git's business here.
    let files = WalkDir::new(root).into_iter().filter_entry(|entry| entry.file_name() != ".git").flatten();
    let files = files.filter(|entry| BESIDE.iter().any(|name| entry.file_name() == *name));
    let mut paths = files.chain(of_git).map(walkdir::DirEntry::into_path);
    paths.find(|path| path.metadata().is_ok_and(|metadata| is_endless(&metadata))).map(|path| not_regular(root, &path))
}

/// Whether to read it may never end.
#[cfg(unix)]
fn is_endless(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    kind.is_fifo() || kind.is_char_device() || kind.is_block_device()
}

#[cfg(not(unix))]
fn is_endless(_: &Metadata) -> bool {
    false
}

fn not_regular(root: &Path, path: &Path) -> Diagnostic {
    let shown = path.strip_prefix(root).unwrap_or(path);
    let title = format!("git cannot read `{}`: it is not a regular file", shown.display());
    Diagnostic::error(Code::NotRegular, title).help("replace it with a regular file, or remove it")
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::git::command::git;
    use crate::git::run::run;
    use crate::git::tests::{repository, write};
    use crate::git::{check_ignore, files};

    fn pipe(path: &Path) {
        drop(std::fs::remove_file(path));
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    }

    #[test]
    fn nothing_of_gits_own_is_waited_for_or_read_for_ever() {
        for name in OWN {
            let directory = repository();
            let path = directory.path().join(".git").join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            pipe(&path);
            // Without HEAD, it is not a repository.
            let expected = if *name == "HEAD" { Code::Git } else { Code::NotRegular };
            assert_eq!(files(directory.path()).unwrap_err().0[0].code, expected, "{name}");
            fs_err::remove_file(&path).unwrap();
            std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
            assert_eq!(files(directory.path()).unwrap_err().0[0].code, expected, "{name}");
        }
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
}
