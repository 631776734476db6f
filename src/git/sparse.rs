//! The paths that a sparse checkout leaves out, by its own rules: also of paths that git does not know yet.

use std::io::Read as _;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::command::git;
use super::repository::git_directory;
use super::run::{ask, lossy};
use crate::diagnostic::{Code, Diagnostic, Result};

/// The longest list of rules that is read, in bytes: to make patterns of them takes long.
const LIMIT: u64 = 256 << 10;

/// The rules of a sparse checkout.
#[derive(Debug)]
pub struct Sparse {
    rules: Gitignore,
    /// Whether its rules are directories (git's cone mode), not patterns.
    pub is_cone: bool,
}

impl Sparse {
    /// The rules of the work tree with this root; `None` if everything is checked out, which git is asked only if there are rules.
    ///
    /// # Errors
    ///
    /// When git is missing or fails, and if the rules cannot be read.
    pub fn of(root: &Path) -> Result<Option<Self>> {
        let Some(path) = git_directory(root).map(|own| own.join("info/sparse-checkout")) else { return Ok(None) };
        if !path.metadata().is_ok_and(|metadata| metadata.is_file()) || !is_set(root, "core.sparseCheckout")? {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = std::fs::File::open(&path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
        let length = read.map_err(|error| Diagnostic::io("cannot read", &path, &error))?;
        if length as u64 > LIMIT {
            let title = format!("the rules of the sparse checkout are larger than {} KiB", LIMIT >> 10);
            return Err(Diagnostic::error(Code::TooMuch, title).help("run the command in a complete clone").into());
        }
        let mut rules = GitignoreBuilder::new(root);
        // Git ignores a rule that is none as well.
        lossy(&bytes).lines().for_each(|line| drop(rules.add_line(None, line)));
        let rules = rules.build().unwrap_or_else(|_| Gitignore::empty());
        Ok(Some(Self { rules, is_cone: is_set(root, "core.sparseCheckoutCone")? }))
    }

    /// Whether a file at this path, relative to the root and with `/`, is left out. The last rule for the path decides, else the last
    /// one for the nearest directory above it that has any.
    #[must_use]
    pub fn leaves_out(&self, path: &str) -> bool {
        !self.rules.matched_path_or_any_parents(path, false).is_ignore()
    }
}

fn is_set(root: &Path, key: &str) -> Result<bool> {
    let output = ask(git(root).args(["config", "--type=bool", "--get", key]), &[])?;
    Ok(lossy(&output.stdout).trim() == "true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::run::run;
    use crate::git::tests::{repository, write};

    const PATHS: [&str; 9] = ["top", "a/x", "a/b/x", "a/b/c/x", "a/other/x", "d/x", "d/e/x", "f/x.md", "f/x"];

    /// The paths that git checks out by these rules.
    fn checked_out(root: &Path, set: &[&str]) -> Vec<&'static str> {
        run(git(root).args(["sparse-checkout", "set"]).args(set)).unwrap();
        PATHS.into_iter().filter(|path| root.join(path).exists()).collect()
    }

    #[test]
    fn the_rules_mean_what_they_mean_to_git() {
        let directory = repository();
        let root = directory.path();
        for path in PATHS {
            write(root.join(path), path);
        }
        run(git(root).args(["add", "--all"])).unwrap();
        let identity = ["-c", "user.name=A", "-c", "user.email=a@x"];
        run(git(root).args(identity).args(["commit", "--quiet", "--message", "x"])).unwrap();
        assert!(Sparse::of(root).unwrap().is_none());
        for set in [
            &["--cone"][..],
            &["--cone", "a/b", "d"],
            &["--cone", "a/b/c"],
            &["--no-cone", "/*", "!/a/"],
            &["--no-cone", "/a/", "!/a/b/", "*.md"],
            &["--no-cone", "x", "!/d/e/"],
        ] {
            let expected = checked_out(root, set);
            let sparse = Sparse::of(root).unwrap().unwrap();
            assert_eq!(
                PATHS.into_iter().filter(|path| !sparse.leaves_out(path)).collect::<Vec<_>>(),
                expected,
                "{set:?}"
            );
            assert_eq!(sparse.is_cone, set[0] == "--cone");
        }
        run(git(root).args(["sparse-checkout", "disable"])).unwrap();
        assert!(Sparse::of(root).unwrap().is_none());
    }
}
