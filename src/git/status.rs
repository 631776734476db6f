//! Git's versions of a work tree's files, and which of them are in conflict. Most of it is in its index, which is read
//! without starting git; what is not certain there, git is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::command::{chunks, git, literal};
use super::committed::Committed;
use super::filters::reading;
use super::index_file::{self, Entry, Stat};
use super::run::{lossy, run};
use super::special::check_ignore_files;
use crate::diagnostic::Result;

/// How git has a file that a change would replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileStatus {
    /// Tracked, and not as the last commit has it.
    Dirty,
    /// In conflict.
    Unmerged,
    /// Not at all: untracked, ignored, another repository's, never committed, or git was told not to look at it.
    Nowhere,
}

/// The paths that are in conflict, relative to `root`, the repository's root.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked.
pub fn unmerged(root: &Path) -> Result<BTreeSet<String>> {
    index_file::unmerged(root).map_or_else(|| unmerged_by_git(root), Ok)
}

/// Which of `paths`, relative to `root` and with `/`, the last commit does not have as they are, and why. All of them are files
/// or links that exist, or are in the index. `committed` is what is known of the last commit.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked, as it does where `root` is in no repository.
pub fn status(root: &Path, committed: &Committed, paths: &BTreeSet<&str>) -> Result<BTreeMap<String, FileStatus>> {
    let known = known(root, paths).unwrap_or_else(|| paths.iter().map(|path| (*path, Known::Unsure)).collect());
    let mut held = BTreeMap::new();
    let (mut same, mut open) = (Vec::new(), Vec::new());
    for (path, known) in known {
        match known {
            Known::Held(how) => drop(held.insert(path.to_owned(), how)),
            Known::Same(entry) => same.push((path, entry)),
            Known::Unsure => open.push(path),
        }
    }
    let unknown = same.iter().map(|(path, _)| *path).filter(|path| !committed.knows(path));
    let found = Committed::ask(root, unknown).unwrap_or_default();
    // Where there is no commit, or now another one than when git was asked, git has more to say.
    let is_committed = |(path, entry): &(&str, Entry)| {
        [committed, &found].iter().any(|committed| committed.has(path, entry.mode, &entry.object))
    };
    open.extend(same.iter().filter(|it| !is_committed(it)).map(|(path, _)| *path));
    held.extend(status_by_git(root, open)?);
    Ok(held)
}

/// Whether a file, relative to `root` and with `/`, is as the index has it; `None` if git would have to read it.
#[must_use]
pub fn is_as_indexed(root: &Path, path: &str) -> Option<bool> {
    match known(root, &[path].into())?.pop()?.1 {
        Known::Same(_) => Some(true),
        Known::Held(_) => Some(false),
        Known::Unsure => None,
    }
}

/// The index's entries for a path.
enum Known {
    /// This.
    Held(FileStatus),
    /// The file is as it was when git last read it, mode and all, and that is this entry.
    Same(Entry),
    /// Git would have to read the file.
    Unsure,
}

fn known<'a>(root: &Path, paths: &BTreeSet<&'a str>) -> Option<Vec<(&'a str, Known)>> {
    let (entries, written) = index_file::find(root, paths)?;
    let is_same = |entry: &Entry| {
        let now = Stat::of(&root.join(&entry.path));
        !entry.is_announced && entry.stat.is_settled(written) && now == Some((entry.stat, entry.mode))
    };
    let mut all: BTreeMap<&str, Known> = paths.iter().map(|path| (*path, Known::Held(FileStatus::Nowhere))).collect();
    for entry in entries {
        let Some(known) = all.get_mut(entry.path.as_str()) else { continue };
        *known = match entry.stage {
            0 if entry.is_hidden => Known::Held(FileStatus::Nowhere),
            0 if is_same(&entry) => Known::Same(entry),
            0 => Known::Unsure,
            _ => Known::Held(FileStatus::Unmerged),
        };
    }
    Some(all.into_iter().collect())
}

/// The status, according to git.
fn status_by_git<'a>(root: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<BTreeMap<String, FileStatus>> {
    let mut held = BTreeMap::new();
    for chunk in chunks(paths) {
        let watched = watched(root, &chunk)?;
        let unwatched = chunk.iter().filter(|path| !watched.contains(**path));
        held.extend(unwatched.map(|path| ((*path).to_owned(), FileStatus::Nowhere)));
        let mut has_commit = true;
        for line in status_lines(root, &chunk)? {
            let after = |fields: usize| line.splitn(fields + 1, ' ').nth(fields).unwrap_or_default().to_owned();
            match line.as_bytes().first() {
                Some(b'#') => has_commit &= line != "# branch.oid (initial)",
                Some(b'u') => drop(held.insert(after(10), FileStatus::Unmerged)),
                Some(b'1') => {
                    held.entry(after(8)).or_insert(if has_commit { FileStatus::Dirty } else { FileStatus::Nowhere });
                }
                _ => {}
            }
        }
    }
    Ok(held)
}

/// The paths below a directory of the repository with this root, or in all of it, that the last commit does not have as they are:
/// changed, staged, in conflict, or untracked and not ignored. The first ones, at most `limit`.
///
/// # Errors
///
/// When git is missing or fails.
pub fn uncommitted(root: &Path, below: Option<&str>, limit: usize) -> Result<Vec<String>> {
    check_ignore_files(root, below)?;
    let mut status = reading(root)?;
    status.args(["--literal-pathspecs", "--no-optional-locks", "status", "--porcelain=v1", "-z", "--no-renames"]);
    status.args(["--untracked-files=normal", "--ignore-submodules=all", "--"]).args(below);
    let output = run(&mut status)?;
    // Two letters and a blank, then the path.
    let paths = output.stdout.split(|byte| *byte == 0).filter_map(|line| line.get(3..));
    Ok(paths.take(limit).map(lossy).collect())
}

/// The lines of `git status --porcelain=v2` for tracked files of these paths, and of the branch.
pub(super) fn status_lines(root: &Path, paths: &[&str]) -> Result<Vec<String>> {
    const OPTIONS: [&str; 7] = [
        "--porcelain=v2",
        "-z",
        "--branch",
        "--no-ahead-behind",
        "--no-renames",
        "--untracked-files=no",
        // In a submodule, git would run another git, by the submodule's configuration.
        "--ignore-submodules=all",
    ];
    // What git learns of the files on its way could go into the index, but an editor's git may have that just now.
    let mut status = reading(root)?;
    status.args(["--literal-pathspecs", "--no-optional-locks", "status"]).args(OPTIONS);
    let output = run(status.arg("--").args(paths))?;
    Ok(output.stdout.split(|byte| *byte == 0).map(lossy).collect())
}

/// Which of `paths` are tracked without a flag that hides their changes (`skip-worktree`, `assume-unchanged`).
pub(super) fn watched(root: &Path, paths: &[&str]) -> Result<BTreeSet<String>> {
    let output = run(literal(root).args(["ls-files", "-v", "-z", "--"]).args(paths))?;
    let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
    Ok(lines.filter_map(|line| line.strip_prefix("H ").map(str::to_owned)).collect())
}

/// Conflicts, according to git.
fn unmerged_by_git(root: &Path) -> Result<BTreeSet<String>> {
    let output = run(git(root).args(["ls-files", "--unmerged", "-z"]))?;
    let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
    Ok(lines.filter_map(|line| line.split_once('\t').map(|(_, path)| path.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::command::creating;
    use crate::git::index::{Indexed, set_index};
    use crate::git::tests::{repository, write};

    const PATHS: [&str; 8] = ["a", "assumed", "b/c", "b/left out", "intended", "untracked", "ü\t\"x", "z"];

    fn call(root: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
        run(git(root).args(identity).args(arguments)).unwrap();
    }

    fn commit_all(root: &Path) {
        call(root, &["add", "--all"]);
        call(root, &["commit", "--quiet", "--message", "All"]);
    }

    /// Files in every state that git's index knows.
    fn fill(root: &Path) {
        for path in PATHS {
            write(root.join(path), path);
        }
        call(root, &["add", "--all", "--", ":!untracked", ":!intended"]);
        call(root, &["commit", "--quiet", "--message", "All"]);
        call(root, &["add", "--intent-to-add", "intended"]);
        call(root, &["update-index", "--assume-unchanged", "assumed"]);
        call(root, &["update-index", "--skip-worktree", "b/left out"]);
        let object = worktree_object(root);
        let version =
            |path: &str, stage| Indexed { path: path.into(), stage, mode: "100644".into(), object: object.clone() };
        let versions = [version("a", 1), version("a", 2), version("a", 3), version("ü\t\"x", 3)];
        set_index(root, &["a", "ü\t\"x"].into(), &versions.iter().collect::<Vec<_>>(), &object).unwrap();
    }

    fn worktree_object(root: &Path) -> String {
        let output = run(git(root).args(["rev-parse", "HEAD:a"])).unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Holds what is read against what git says.
    fn compare(root: &Path) -> BTreeMap<String, FileStatus> {
        assert_eq!(index_file::unmerged(root).map(Ok), Some(unmerged_by_git(root)));
        let paths: BTreeSet<&str> = PATHS.into_iter().filter(|path| root.join(path).exists()).collect();
        assert!(known(root, &paths).is_some(), "this index is understood");
        let by_git = status_by_git(root, paths.iter().copied()).unwrap();
        let asked = Committed::ask(root, paths.iter().copied()).unwrap_or_default();
        for committed in [Committed::default(), asked] {
            assert_eq!(status(root, &committed, &paths).as_ref(), Ok(&by_git));
        }
        by_git
    }

    fn is_same(root: &Path, path: &str) -> bool {
        matches!(known(root, &[path].into()).unwrap()[..], [(_, Known::Same(_))])
    }

    /// As after some time: git trusts what its index says of a file only where the file is older.
    fn settle(root: &Path) {
        std::thread::sleep(std::time::Duration::from_millis(20));
        call(root, &["status", "--porcelain"]);
        let index = std::fs::File::options().append(true).open(root.join(".git/index")).unwrap();
        index.set_modified(std::time::SystemTime::now()).unwrap();
    }

    #[test]
    fn each_version_of_the_index_is_read_as_git_reads_it() {
        let directory = repository();
        let root = directory.path();
        fill(root);
        for arguments in [
            &["update-index", "--index-version", "4"][..],
            &["update-index", "--index-version", "2"],
            &["update-index", "--untracked-cache"],
        ] {
            call(root, arguments);
            let held = compare(root);
            assert_eq!(held.values().filter(|held| **held == FileStatus::Unmerged).count(), 2, "{held:?}");
            assert_eq!(held.values().filter(|held| **held == FileStatus::Nowhere).count(), 3, "{held:?}");
            assert_eq!(held.get("intended"), Some(&FileStatus::Dirty));
            assert_eq!(held.get("z"), None);
        }
    }

    #[test]
    fn git_holds_what_the_last_commit_has_and_nothing_else() {
        let directory = repository();
        let root = directory.path();
        for path in PATHS {
            write(root.join(path), path);
        }
        call(root, &["add", "--all"]);
        assert_eq!(
            compare(root),
            PATHS.map(|path| (path.to_owned(), FileStatus::Nowhere)).into(),
            "there is no commit"
        );
        call(root, &["commit", "--quiet", "--message", "All"]);
        settle(root);
        assert_eq!(compare(root), BTreeMap::new());
        assert!(PATHS.into_iter().all(|path| is_same(root, path)), "git need not be asked");

        // Another file of the same length; the same file, only newer; a staged change, undone in the file or not.
        write(root.join("a"), "b");
        write(root.join("assumed"), "assumed");
        for path in ["z", "b/c"] {
            write(root.join(path), "staged");
            call(root, &["add", path]);
        }
        write(root.join("z"), "z");
        call(root, &["rm", "--quiet", "--cached", "untracked"]);
        write(root.join("new"), "new");
        let dirty = ["a", "b/c", "z"].map(|path| (path.to_owned(), FileStatus::Dirty));
        let held: BTreeMap<_, _> = dirty.into_iter().chain([("untracked".to_owned(), FileStatus::Nowhere)]).collect();
        assert_eq!(compare(root), held);
        settle(root);
        assert_eq!(compare(root), held);
        assert!(is_same(root, "b/c"));
    }

    #[cfg(unix)]
    #[test]
    fn a_bit_and_a_link_are_changes() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = repository();
        let root = directory.path();
        write(root.join("a"), "a");
        symlink("a", root.join("z")).unwrap();
        commit_all(root);
        settle(root);
        assert_eq!(compare(root), BTreeMap::new());
        std::fs::set_permissions(root.join("a"), PermissionsExt::from_mode(0o755)).unwrap();
        fs_err::remove_file(root.join("z")).unwrap();
        write(root.join("z"), "a");
        assert_eq!(compare(root).len(), 2);
        call(root, &["add", "--all"]);
        settle(root);
        assert_eq!(compare(root).len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_bit_that_only_the_index_has_is_a_change() {
        let directory = repository();
        let root = directory.path();
        write(root.join("a"), "a");
        call(root, &["add", "--all"]);
        call(root, &["update-index", "--chmod=+x", "a"]);
        call(root, &["commit", "--quiet", "--message", "All"]);
        settle(root);
        assert_eq!(compare(root), [("a".to_owned(), FileStatus::Dirty)].into());
        call(root, &["config", "core.fileMode", "false"]);
        assert_eq!(compare(root), BTreeMap::new());
    }

    #[test]
    fn a_commit_since_git_was_asked_counts() {
        let directory = repository();
        let root = directory.path();
        for text in ["one", "two"] {
            write(root.join("a"), text);
            commit_all(root);
        }
        let asked_before = Committed::ask(root, ["a"]).unwrap();
        write(root.join("a"), "more");
        call(root, &["commit", "--quiet", "--all", "--message", "more"]);
        settle(root);
        assert_eq!(status(root, &asked_before, &["a"].into()), Ok(BTreeMap::new()));
    }

    #[test]
    fn an_empty_file_is_read_by_git() {
        let directory = repository();
        let root = directory.path();
        write(root.join("a"), "");
        commit_all(root);
        settle(root);
        assert!(!is_same(root, "a"));
        assert_eq!(compare(root), BTreeMap::new());
    }

    /// A file that was changed in the same moment in which git looked at it, to another one of the same size.
    #[test]
    fn a_file_as_new_as_the_index_is_not_trusted() {
        let directory = repository();
        let root = directory.path();
        for round in 0..5 {
            write(root.join("a"), format!("{round:>3}"));
            call(root, &["add", "a"]);
            call(root, &["commit", "--quiet", "--message", "One"]);
            write(root.join("a"), format!("{round:<3}"));
            assert_eq!(compare(root), [("a".to_owned(), FileStatus::Dirty)].into());
        }
    }

    #[test]
    fn an_index_elsewhere_is_found() {
        let directory = repository();
        let root = directory.path();
        fill(root);
        let linked = root.join("linked");
        call(root, &["worktree", "add", "--quiet", "--detach", "linked"]);
        call(&linked, &["rm", "--quiet", "-r", "--cached", "."]);
        call(&linked, &["commit", "--quiet", "--message", "None"]);
        fill(&linked);
        assert_ne!(compare(&linked), BTreeMap::new());
        assert_ne!(compare(root), BTreeMap::new());
    }

    #[test]
    fn longer_names_of_objects_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        run(creating(root).args(["init", "--quiet", "--object-format=sha256"])).unwrap();
        fill(root);
        assert_ne!(compare(root), BTreeMap::new());
    }

    #[test]
    fn a_repository_without_an_index_tracks_nothing() {
        let directory = repository();
        assert_eq!(index_file::unmerged(directory.path()), Some(BTreeSet::new()));
        let held = status(directory.path(), &Committed::default(), &["a"].into());
        assert_eq!(held, Ok([("a".to_owned(), FileStatus::Nowhere)].into()));
    }

    #[test]
    fn an_index_that_leaves_directories_out_is_left_to_git() {
        let directory = repository();
        let root = directory.path();
        for path in PATHS {
            write(root.join(path), path);
        }
        commit_all(root);
        call(root, &["sparse-checkout", "init", "--cone", "--sparse-index"]);
        assert!(known(root, &["a"].into()).is_none());
        assert_eq!(unmerged(root), Ok(BTreeSet::new()));
        let held = status(root, &Committed::default(), &["a", "b/c"].into());
        assert_eq!(held, Ok([("b/c".to_owned(), FileStatus::Nowhere)].into()));
    }

    #[test]
    fn an_index_in_two_parts_is_left_to_git() {
        let directory = repository();
        let root = directory.path();
        fill(root);
        call(root, &["update-index", "--split-index"]);
        assert!(known(root, &["a"].into()).is_none());
        assert_eq!(unmerged(root).map(|unmerged| unmerged.len()), Ok(2));
        let held = status(root, &Committed::default(), &["a", "z"].into());
        assert_eq!(held, Ok([("a".to_owned(), FileStatus::Unmerged)].into()));
    }
}
