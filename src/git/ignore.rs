//! The paths that git ignores.

use std::path::Path;

use super::command::git;
use super::repository::Within;
use super::run::{ask, lossy};
use super::special::check_ignore_files;
use crate::diagnostic::Result;

/// A path that git ignores, and the rule that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The path as it was given.
    pub path: String,
    /// The file that holds the rule: relative to the repository's root, or absolute for the user's own.
    pub file: String,
    /// The rule's line, from 1.
    pub line: usize,
    /// The rule.
    pub pattern: String,
}

/// Which of `paths`, relative to `directory` and with `/`, git ignores. A tracked path is never ignored.
///
/// # Errors
///
/// When git is missing or fails, and where `directory` is in no repository.
pub fn check_ignore<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<Vec<Ignored>> {
    let within = Within::find(directory)?;
    let paths = within.at_root(paths);
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    check_ignore_files(&within.root, paths.iter().map(String::as_str))?;
    let output = ask(git(&within.root).args(["check-ignore", "--verbose", "-z", "--stdin"]), &zero_ended(&paths))?;
    let fields: Vec<String> = output.stdout.split(|byte| *byte == 0).map(lossy).collect();
    let ignored = fields.chunks_exact(4).filter_map(|field| {
        Some(Ignored {
            path: within.below(&field[3])?.to_owned(),
            file: field[0].clone(),
            line: field[1].parse().unwrap_or(0),
            pattern: field[2].clone(),
        })
    });
    // The last rule that matches decides; one that starts with `!` says that the path is not ignored.
    Ok(ignored.filter(|ignored| !ignored.pattern.starts_with('!')).collect())
}

/// Whether a rule of git's ignores any of `paths`, relative to `directory`, were they new. Unlike [`check_ignore`], it takes as
/// long in a large repository as in a small one.
///
/// # Errors
///
/// When git is missing or fails, and where `directory` is in no repository.
pub fn would_ignore<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<bool> {
    let within = Within::find(directory)?;
    let paths = within.at_root(paths);
    check_ignore_files(&within.root, paths.iter().map(String::as_str))?;
    let mut command = git(&within.root);
    let output = ask(command.args(["check-ignore", "--no-index", "-z", "--stdin"]), &zero_ended(&paths))?;
    Ok(!output.stdout.is_empty())
}

/// Paths as git reads them with `-z`.
fn zero_ended(paths: &[String]) -> Vec<u8> {
    paths.iter().flat_map(|path| path.bytes().chain([0])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::{repository, write};

    #[test]
    fn ignored_paths_are_told_with_their_rule() {
        let directory = repository();
        write(directory.path().join(".gitignore"), "# mine\nbase/\n*.toml\n!kept.toml\n");
        let paths = [".create-app/lock.toml", ".create-app/base/00", "kept.toml", "-x", "src/a b\"c", "--help"];
        let rule = |path: &str, line, pattern: &str| Ignored {
            path: path.into(),
            file: ".gitignore".into(),
            line,
            pattern: pattern.into(),
        };
        for place in ["", "apps/shop"] {
            let place = directory.path().join(place);
            fs_err::create_dir_all(&place).unwrap();
            let ignored = check_ignore(&place, paths).unwrap();
            assert_eq!(ignored, [rule(".create-app/lock.toml", 3, "*.toml"), rule(".create-app/base/00", 2, "base/")]);
            assert_eq!(check_ignore(&place, []), Ok(Vec::new()));
            assert_eq!(would_ignore(&place, paths), Ok(true));
            assert_eq!(would_ignore(&place, ["kept.toml", "--help"]), Ok(false));
        }
    }

    #[test]
    fn a_rule_of_the_repository_itself_is_named_from_the_root() {
        let directory = repository();
        write(directory.path().join(".git/info/exclude"), "a\n");
        let ignored = check_ignore(&directory.path().join("b"), ["a"]).unwrap();
        assert_eq!(ignored[0].file, ".git/info/exclude");
    }

    #[test]
    fn many_paths_do_not_block_the_pipe() {
        let directory = repository();
        write(directory.path().join(".gitignore"), "x*\n");
        let paths: Vec<String> = (0..20_000).map(|n| format!("x{n}")).collect();
        assert_eq!(check_ignore(directory.path(), paths.iter().map(String::as_str)).unwrap().len(), 20_000);
    }
}
