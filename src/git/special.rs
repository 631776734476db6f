//! Pipes where git expects a file: it waits for somebody to write to them. A commit cannot hold one, but an archive can.

use std::fs::Metadata;
use std::path::Path;

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
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
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
    }
}
