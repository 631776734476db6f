//! The git directory of a work tree, found without running git.

use std::path::{Path, PathBuf};

use super::repository::GITDIR;
use crate::rooted::Root;

/// No file that leads to a git directory or back is larger, in bytes.
const LIMIT: u64 = 65_536;

/// The git directory of the work tree with this root, an absolute path, where it is certain that it belongs to that work tree and
/// no other: a directory `.git` in it, or the one that the file `.git` leads to and that leads back, as those of linked work
/// trees and of submodules do. A link is neither, although git follows it; nor is one that shares what is in another repository, unless
/// that repository has it among its work trees.
#[must_use]
pub fn own_directory(root: &Path) -> Option<PathBuf> {
    let dot_git = root.join(".git");
    let metadata = dot_git.symlink_metadata().ok()?;
    if metadata.is_dir() {
        let shares = dot_git.join(COMMON).symlink_metadata().is_ok();
        return (!shares).then_some(dot_git);
    }
    let text = read(&dot_git)?;
    let directory = root.join(text.strip_prefix(GITDIR)?.trim_end_matches(['\r', '\n'])).canonicalize().ok()?;
    let root = root.canonicalize().ok()?;
    let is_own = directory.is_dir() && (leads_back(&directory, &root) || is_work_tree(&directory, &root));
    (is_own && shared(&directory).is_some()).then_some(directory)
}

/// Whether git may write objects and an index for the work tree with this root: both are in its own git directory or, of a linked work
/// tree, in the repository's, and nothing there is a link. Git would follow one, and an archive can hold any.
#[must_use]
pub fn may_write(root: &Path) -> bool {
    let Some(own) = own_directory(root) else { return false };
    let Some(shared) = shared(&own) else { return false };
    let is_link = |path: &Path| path.is_symlink();
    // Objects are in directories of two digits each.
    let has_links = |objects: &Path| {
        let Ok(entries) = objects.read_dir() else { return true };
        entries.flatten().any(|entry| {
            entry.file_name().len() == 2 && entry.file_type().is_ok_and(|file_type| file_type.is_symlink())
        })
    };
    let objects = shared.join("objects");
    !is_link(&own.join("index")) && !is_link(&objects) && !has_links(&objects)
}

/// Leads from the git directory of a linked work tree to that of its repository.
const COMMON: &str = "commondir";

/// The directory that holds the objects of a git directory: itself, or the one that has it among its work trees. None where it claims
/// to belong to any other.
fn shared(directory: &Path) -> Option<PathBuf> {
    if directory.join(COMMON).symlink_metadata().is_err() {
        return Some(directory.to_path_buf());
    }
    let text = read(&directory.join(COMMON))?;
    let shared = directory.join(text.trim_end_matches(['\r', '\n'])).canonicalize().ok()?;
    let directory = directory.canonicalize().ok()?;
    (directory.parent()? == shared.join("worktrees")).then_some(shared)
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
        assert!(may_write(&place.join("linked")));
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
        assert!(may_write(&place.join("deep/sub")));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_where_a_link_of_gits_leads() {
        use std::os::unix::fs::symlink;
        let other = committed();
        for name in ["index", "objects", "objects/4b"] {
            let directory = committed();
            let place = directory.path();
            assert!(may_write(place));
            let path = place.join(".git").join(name);
            drop(std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path)));
            symlink(other.path(), &path).unwrap();
            assert!(!may_write(place), "{name}");
            assert!(own_directory(place).is_some(), "{name}");
        }
    }

    #[test]
    fn a_repository_that_claims_to_be_a_part_of_another_one_is_not_the_own() {
        let (directory, other) = (committed(), committed());
        let (place, shared) = (directory.path().canonicalize().unwrap(), other.path().join(".git"));
        write(place.join(".git/commondir"), shared.display().to_string());
        assert!(own_directory(&place).is_none() && !may_write(&place));
        // Nor does it help to look like a linked work tree of it.
        let evil = place.join("evil");
        std::fs::rename(place.join(".git"), &evil).unwrap();
        write(place.join(".git"), "gitdir: evil\n");
        write(evil.join("gitdir"), "../.git\n");
        assert!(own_directory(&place).is_none() && !may_write(&place));
        std::fs::remove_file(evil.join("commondir")).unwrap();
        assert!(may_write(&place));
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
