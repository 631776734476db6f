//! Files that earlier commits had.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::command::{chunks, git, literal};
use super::objects::objects;
use super::run::{ask, lossy, run};
use crate::diagnostic::Result;

/// The content of files that an ancestor of this commit added, or of the one that is being merged or picked; `paths` are
/// relative to `root`, the repository's root. Those that no commit added, as far as this clone knows, are left out.
///
/// It takes as long as git's history is long.
///
/// # Errors
///
/// When git is missing or fails.
pub fn once_added(root: &Path, paths: &[&str]) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut heads = git(root);
    heads.args(["rev-parse", "--revs-only", "HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD"]);
    let heads = lossy(&run(&mut heads)?.stdout);
    let wanted: BTreeSet<&str> = paths.iter().copied().collect();
    let mut chunks = chunks(wanted.iter().copied());
    // To go through the history for each of many chunks takes long: then for the directory that all are in, once.
    if chunks.len() > 1 {
        chunks = vec![vec![common(&wanted)]];
    }
    let mut names = BTreeMap::new();
    for chunk in chunks.into_iter().filter(|_| !heads.is_empty()) {
        let mut list = literal(root);
        list.args(["rev-list", "--full-history"]).args(heads.lines()).arg("--").args(&chunk);
        let commits = run(&mut list)?.stdout;
        let mut added = literal(root);
        added.args(["diff-tree", "--stdin", "--root", "-m", "-r", "-z", "--no-renames", "--no-commit-id"]);
        added.args(["--no-ext-diff", "--no-textconv"]);
        let output = ask(added.arg("--diff-filter=A").arg("--").args(&chunk), &commits)?;
        // `:000000 100644 0000… e69d… A`, then the path.
        let fields: Vec<String> = output.stdout.split(|byte| *byte == 0).map(lossy).collect();
        for field in fields.chunks_exact(2).filter(|field| wanted.contains(field[1].as_str())) {
            let name = field[0].split(' ').nth(3).unwrap_or_default();
            names.insert(field[1].clone(), name.to_owned());
        }
    }
    let contents = objects(root, names.values().map(String::as_str))?;
    Ok(names.into_keys().zip(contents).filter_map(|(path, content)| Some((path, content?))).collect())
}

/// The directory that holds all of these paths.
fn common<'p>(paths: &BTreeSet<&'p str>) -> &'p str {
    let (Some(first), Some(last)) = (paths.first(), paths.last()) else { return "." };
    let shared = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    match first.as_bytes()[..shared].iter().rposition(|byte| *byte == b'/') {
        Some(at) => &first[..at],
        None => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::{repository, write};

    #[test]
    fn what_a_commit_added_is_found_when_it_has_gone() {
        let directory = repository();
        let root = directory.path();
        assert_eq!(once_added(root, &["a"]), Ok(BTreeMap::new()));
        let commit = || {
            run(git(root).args(["add", "--all"])).unwrap();
            let identity = ["-c", "user.name=A", "-c", "user.email=a@x"];
            run(git(root).args(identity).args(["commit", "--quiet", "--message", "x", "--allow-empty"])).unwrap();
        };
        write(root.join("a"), "first");
        write(root.join("d/[b]"), "second");
        commit();
        fs_err::remove_file(root.join("a")).unwrap();
        fs_err::remove_dir_all(root.join("d")).unwrap();
        commit();
        commit();
        let found = once_added(root, &["a", "d/[b]", "d/b", "never"]).unwrap();
        let expected = [("a", "first"), ("d/[b]", "second")];
        assert_eq!(common(&["a/b/c", "a/b/d", "a/bc"].into()), "a");
        assert_eq!(common(&["a/b/c", "a/b/d"].into()), "a/b");
        assert_eq!(common(&["a", "b"].into()), ".");
        let expected: BTreeMap<String, Vec<u8>> =
            expected.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
        assert_eq!(found, expected);
        // At most this many that git is asked once for all of them.
        let never: Vec<String> = (0..5000).map(|number| format!("never/{number}")).collect();
        let many: Vec<&str> = ["a", "d/[b]"].into_iter().chain(never.iter().map(String::as_str)).collect();
        assert_eq!(once_added(root, &many).unwrap(), expected);
    }
}
