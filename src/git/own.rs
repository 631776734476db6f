//! The git directory of a work tree, found without running git.

use std::path::{Path, PathBuf};

use crate::rooted::Root;

/// No file that leads to a git directory or back is larger, in bytes.
const LIMIT: u64 = 65_536;

/// The git directory of the work tree with this root, an absolute path, where it is certain that it belongs to that work tree and
/// no other: a directory `.git` in it, or the one that the file `.git` leads to and that leads back, as those of linked work
/// trees and of submodules do. A link is neither, although git follows it.
#[must_use]
pub fn own_directory(root: &Path) -> Option<PathBuf> {
    let dot_git = root.join(".git");
    let metadata = dot_git.symlink_metadata().ok()?;
    if metadata.is_dir() {
        return Some(dot_git);
    }
    let text = read(&dot_git)?;
    let directory = root.join(text.strip_prefix("gitdir:")?.trim()).canonicalize().ok()?;
    let root = root.canonicalize().ok()?;
    (directory.is_dir() && (leads_back(&directory, &root) || is_work_tree(&directory, &root))).then_some(directory)
}

/// Whether the git directory of a linked work tree names that work tree's `.git`.
fn leads_back(directory: &Path, root: &Path) -> bool {
    let back = read(&directory.join("gitdir")).map(|text| directory.join(text.trim_end_matches(['\n', '\r'])));
    let back = back.filter(|back| back.file_name().is_some_and(|name| name == ".git"));
    back.and_then(|back| back.parent()?.canonicalize().ok()).is_some_and(|back| back == root)
}

/// Whether the configuration of a submodule's git directory names its work tree, in the way in which git writes it there.
fn is_work_tree(directory: &Path, root: &Path) -> bool {
    let Some(text) = read(&directory.join("config")) else { return false };
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case("worktree").then(|| value.trim().trim_matches('"').to_owned())
    };
    let mut named = text.lines().filter_map(value);
    let (Some(work_tree), None) = (named.next(), named.next()) else { return false };
    directory.join(work_tree).canonicalize().is_ok_and(|found| found == root)
}

/// The text of a regular file.
fn read(path: &Path) -> Option<String> {
    let directory = Root::open(path.parent()?).ok()?;
    String::from_utf8(directory.read(path.file_name()?, LIMIT).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::command::git;
    use crate::git::run::run;
    use crate::git::tests::{repository, write};

    fn committed() -> tempfile::TempDir {
        let directory = repository();
        let identity = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
        run(git(directory.path()).args(identity).args(["commit", "-q", "--allow-empty", "-m", "One"])).unwrap();
        directory
    }

    #[test]
    fn a_repository_has_its_directory_inside() {
        let directory = repository();
        assert_eq!(own_directory(directory.path()), Some(directory.path().join(".git")));
        assert_eq!(own_directory(&directory.path().join("below")), None);
    }

    #[test]
    fn a_linked_work_tree_has_its_own() {
        let directory = committed();
        let place = directory.path().canonicalize().unwrap();
        run(git(&place).args(["worktree", "add", "-q", "linked"])).unwrap();
        assert_eq!(own_directory(&place.join("linked")), Some(place.join(".git/worktrees/linked")));
        // Moved by hand, it leads there all the same, but nothing leads back until git notices.
        std::fs::rename(place.join("linked"), place.join("moved")).unwrap();
        assert_eq!(own_directory(&place.join("moved")), None);
        run(git(&place.join("moved")).args(["worktree", "repair"])).unwrap();
        assert_eq!(own_directory(&place.join("moved")), Some(place.join(".git/worktrees/linked")));
    }

    #[test]
    fn a_submodule_has_its_own() {
        let (inner, outer) = (committed(), committed());
        let place = outer.path().canonicalize().unwrap();
        let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
        run(git(&place).env_remove("GIT_ALLOW_PROTOCOL").args(add).arg(inner.path()).arg("deep/sub")).unwrap();
        assert_eq!(own_directory(&place.join("deep/sub")), Some(place.join(".git/modules/deep/sub")));
    }

    #[test]
    fn another_repository_is_not_believed_to_be_the_own() {
        let (directory, other) = (tempfile::tempdir().unwrap(), committed());
        let dot_git = directory.path().join(".git");
        write(&dot_git, format!("gitdir: {}\n", other.path().join(".git").display()));
        assert_eq!(own_directory(directory.path()), None);
        write(&dot_git, "gitdir: nowhere\n");
        assert_eq!(own_directory(directory.path()), None);
        write(&dot_git, vec![b' '; 70_000]);
        assert_eq!(own_directory(directory.path()), None);
        #[cfg(unix)]
        {
            std::fs::remove_file(&dot_git).unwrap();
            std::os::unix::fs::symlink(other.path().join(".git"), &dot_git).unwrap();
            assert_eq!(own_directory(directory.path()), None);
            std::fs::remove_file(&dot_git).unwrap();
            std::os::unix::fs::symlink("/dev/zero", &dot_git).unwrap();
            assert_eq!(own_directory(directory.path()), None);
        }
    }
}
