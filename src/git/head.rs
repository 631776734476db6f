//! Which commit a work tree is at, found without running git wherever its files say so.

use std::io::Read as _;
use std::path::Path;

use super::command::git;
use super::repository::{common, git_directory, line};
use super::run::{ask, lossy};
use crate::diagnostic::Result;

/// The most bytes of `packed-refs` that are read here.
const LIMIT: u64 = 16 << 20;

/// The commit that the work tree with this root is at; none before the first one.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked.
pub fn head(root: &Path) -> Result<Option<String>> {
    match from_files(root) {
        Some(found) => Ok(Some(found)),
        None => by_git(root),
    }
}

fn from_files(root: &Path) -> Option<String> {
    let own = git_directory(root)?;
    let text = line(&own.join("HEAD"))?;
    let text = text.trim_end();
    let Some(name) = text.strip_prefix("ref:") else { return object(text) };
    let name = name.trim();
    if !name.starts_with("refs/") || name.split('/').any(|part| part == "..") {
        return None;
    }
    let shared = common(&own);
    let loose = [&own, &shared].into_iter().find_map(|place| object(line(&place.join(name))?.trim_end()));
    loose.or_else(|| packed(&shared, name))
}

fn packed(shared: &Path, name: &str) -> Option<String> {
    let path = shared.join("packed-refs");
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LIMIT);
    let mut text = String::new();
    is_file.then(|| std::fs::File::open(&path).ok())??.take(LIMIT).read_to_string(&mut text).ok()?;
    text.lines().find_map(|line| object(line.strip_suffix(name)?.strip_suffix(' ')?))
}

fn object(text: &str) -> Option<String> {
    let is_object = [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_object.then(|| text.to_owned())
}

fn by_git(root: &Path) -> Result<Option<String>> {
    let output = ask(git(root).args(["rev-parse", "--verify", "--quiet", "HEAD"]), &[])?;
    Ok(object(lossy(&output.stdout).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::run::run;
    use crate::git::tests::repository;

    #[test]
    fn the_commit_is_found_wherever_git_keeps_it() {
        let directory = repository();
        let root = directory.path();
        assert_eq!(head(root), Ok(None));
        let call = |arguments: &[&str]| {
            let identity = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
            run(git(root).args(identity).args(arguments)).unwrap();
        };
        call(&["commit", "-q", "--allow-empty", "-m", "One"]);
        for step in [&["status"][..], &["pack-refs", "--all"], &["checkout", "-q", "--detach"]] {
            call(step);
            let expected = by_git(root).unwrap();
            assert!(expected.is_some() && from_files(root) == expected, "{step:?}");
        }
        call(&["worktree", "add", "-q", "--detach", "linked"]);
        call(&["commit", "-q", "--allow-empty", "-m", "Two"]);
        let linked = root.join("linked");
        assert_ne!(head(root), head(&linked));
        assert_eq!(from_files(&linked), by_git(&linked).unwrap());
    }
}
