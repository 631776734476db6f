//! Finds a file that git has but the disk does not, and the operation that git is in the middle of.

use std::path::Path;

use super::command::literal;
use super::index::indexed;
use super::objects::objects;
use super::repository::git_directory;
use super::run::{lossy, run};
use crate::diagnostic::Result;

/// Where git holds a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// In its index.
    Index,
    /// In its index, in conflict.
    Conflict,
    /// In the last commit only.
    Commit,
    /// In the other commit of what it is in the middle of.
    Operation(Operation),
}

/// The operation that git is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `git merge`
    Merge,
    /// `git rebase`
    Rebase,
    /// `git cherry-pick`
    CherryPick,
    /// `git revert`
    Revert,
    /// `git bisect`
    Bisect,
}

impl Operation {
    /// The name of git's command for it.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Rebase => "rebase",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
            Self::Bisect => "bisect",
        }
    }
}

/// What tells of an operation in a git directory.
const TRACES: [(&str, Operation); 7] = [
    ("rebase-merge", Operation::Rebase),
    ("rebase-apply", Operation::Rebase),
    ("MERGE_HEAD", Operation::Merge),
    ("CHERRY_PICK_HEAD", Operation::CherryPick),
    ("REVERT_HEAD", Operation::Revert),
    ("REBASE_HEAD", Operation::Rebase),
    ("BISECT_LOG", Operation::Bisect),
];

/// The commits that an operation is about, besides the last one: names for git, or files of its directory that hold one.
const OTHERS: [&str; 4] = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD"];
const NAMED_IN: [&str; 4] =
    ["rebase-merge/orig-head", "rebase-merge/onto", "rebase-apply/orig-head", "rebase-apply/onto"];

/// The operation that git is in the middle of, in the work tree with this root; found without running it.
#[must_use]
pub fn operation(root: &Path) -> Option<Operation> {
    let own = git_directory(root)?;
    TRACES.iter().find(|(name, _)| own.join(name).symlink_metadata().is_ok()).map(|(_, operation)| *operation)
}

/// Where git holds the file at a path, relative to `root` and with `/`; `None` if it holds no such file.
///
/// # Errors
///
/// When git is missing or fails.
pub fn holder(root: &Path, path: &str) -> Result<Option<Holder>> {
    let entries = indexed(root, &[path].into())?;
    if let Some(entry) = entries.first() {
        return Ok(Some(if entry.stage == 0 { Holder::Index } else { Holder::Conflict }));
    }
    let operation = operation(root);
    let mut names = vec![format!("HEAD:{path}")];
    if operation.is_some() {
        names.extend(OTHERS.iter().map(|name| format!("{name}:{path}")));
        let own = git_directory(root);
        let named = NAMED_IN.iter().filter_map(|name| hexadecimal(&own.as_ref()?.join(name)));
        names.extend(named.map(|commit| format!("{commit}:{path}")));
    }
    let held = objects(root, names.iter().map(String::as_str))?;
    let at = held.iter().position(Option::is_some);
    Ok(at.and_then(|at| if at == 0 { Some(Holder::Commit) } else { operation.map(Holder::Operation) }))
}

/// Whether git may have left a file in conflict: a merge or the like is going on, or one that leaves no trace but that of its result.
/// Found without running git.
#[must_use]
pub fn may_be_merging(root: &Path) -> bool {
    const RESULTS: [&str; 2] = ["AUTO_MERGE", "SQUASH_MSG"];
    let own = git_directory(root);
    let is_there = |name: &&str| own.as_ref().is_some_and(|own| own.join(name).symlink_metadata().is_ok());
    operation(root).is_some() || RESULTS.iter().any(is_there)
}

/// The index's entries for a file in conflict: its base, ours and theirs. All are none where it is in no conflict.
///
/// # Errors
///
/// When git is missing or fails.
pub fn stages(root: &Path, path: &str) -> Result<[Option<Vec<u8>>; 3]> {
    let mut found = [None, None, None];
    let entries = indexed(root, &[path].into())?;
    let unmerged: Vec<_> = entries.iter().filter(|entry| (1..=3).contains(&entry.stage)).collect();
    let contents = objects(root, unmerged.iter().map(|entry| entry.object.as_str()))?;
    for (entry, content) in unmerged.iter().zip(contents) {
        found[usize::from(entry.stage) - 1] = content;
    }
    Ok(found)
}

/// The versions of a file from the last commits before this one, newest first, at most `limit`: each with the version before it,
/// where there is one.
///
/// # Errors
///
/// When git is missing or fails, and if they are too large together.
pub fn introduced(root: &Path, path: &str, limit: usize) -> Result<Vec<[Option<Vec<u8>>; 2]>> {
    let mut list = literal(root);
    list.args(["rev-list", "--full-history", &format!("--max-count={limit}"), "HEAD", "--", path]);
    let commits = lossy(&run(&mut list)?.stdout);
    let names: Vec<String> =
        commits.lines().flat_map(|commit| [format!("{commit}:{path}"), format!("{commit}^:{path}")]).collect();
    let mut contents = objects(root, names.iter().map(String::as_str))?.into_iter();
    let pairs = std::iter::from_fn(|| Some([contents.next()?, contents.next()?]));
    Ok(pairs.collect())
}

/// The name of a commit in a small file.
fn hexadecimal(path: &Path) -> Option<String> {
    let is_small = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= 65);
    let text = std::fs::read_to_string(path).ok().filter(|_| is_small)?;
    let text = text.trim();
    (text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::command::git;
    use crate::git::run::run;
    use crate::git::tests::{repository, write};

    #[test]
    fn a_file_is_found_in_the_index_and_in_the_last_commit() {
        let directory = repository();
        let root = directory.path();
        let call = |arguments: &[&str]| {
            let identity = ["-c", "user.name=A", "-c", "user.email=a@x"];
            run(git(root).args(identity).args(arguments)).unwrap();
        };
        assert_eq!(holder(root, "d/a"), Ok(None));
        write(root.join("d/a"), "text");
        assert_eq!(holder(root, "d/a"), Ok(None));
        call(&["add", "--all"]);
        assert_eq!(holder(root, "d/a"), Ok(Some(Holder::Index)));
        call(&["commit", "--quiet", "--message", "x"]);
        call(&["rm", "--quiet", "d/a"]);
        assert_eq!(holder(root, "d/a"), Ok(Some(Holder::Commit)));
        call(&["commit", "--quiet", "--message", "x"]);
        assert_eq!((holder(root, "d/a"), holder(root, "d")), (Ok(None), Ok(None)));
        let other = String::from_utf8(run(git(root).args(["rev-parse", "HEAD^"])).unwrap().stdout).unwrap();
        write(root.join(".git/MERGE_HEAD"), &other);
        assert_eq!(operation(root), Some(Operation::Merge));
        assert_eq!(holder(root, "d/a"), Ok(Some(Holder::Operation(Operation::Merge))));
        fs_err::remove_file(root.join(".git/MERGE_HEAD")).unwrap();
        write(root.join(".git/rebase-merge/orig-head"), &other);
        assert_eq!(holder(root, "d/a"), Ok(Some(Holder::Operation(Operation::Rebase))));
    }
}
