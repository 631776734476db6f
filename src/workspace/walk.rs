//! Every file of a project that is in no git repository, less what its ignore files leave out.

use std::io;
use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::diagnostic::{Diagnostic, Result};
use crate::limits::Budget;
use crate::lock::{DIRECTORY, LOCK};
use crate::rooted::{Failure, Kind, Reader, Root};

const GITIGNORE: &str = ".gitignore";
const ACTION: &str = "cannot read all ignore files of the project";
/// The most of all ignore files that is read, in bytes: to make patterns of them takes long.
const LIMIT: u64 = 256 << 10;
/// At most this many files are looked at: in a larger directory, what was moved is not found.
const MOST: usize = 500_000;

/// The paths of all files and links below a directory, with `/`; of a `.create-app`, the lock alone. What cannot be read is
/// left out: it can only be a file that was moved.
///
/// # Errors
///
/// If the directory itself cannot be opened, and if the ignore files are too large together.
pub(super) fn files(directory: &Path) -> Result<Vec<String>> {
    let root = Root::open(directory).map_err(|error| Diagnostic::io("cannot read", directory, &error))?;
    let mut walk = Walk {
        reader: Reader::new(&root),
        directory,
        global: Gitignore::global().0,
        budget: Budget::new(LIMIT),
        found: Vec::new(),
    };
    let mut open = vec![(String::new(), Vec::new())];
    while let Some((below, rules)) = open.pop() {
        if walk.found.len() > MOST {
            break;
        }
        open.extend(walk.visit(&below, rules)?);
    }
    Ok(walk.found)
}

/// The rules that hold in a directory: those of each directory above that has any, with its path.
type Rules = Vec<(usize, std::sync::Arc<Gitignore>)>;

struct Walk<'a> {
    reader: Reader<'a>,
    directory: &'a Path,
    global: Gitignore,
    budget: Budget,
    found: Vec<String>,
}

impl Walk<'_> {
    /// Collects the files of a directory; returns the directories in it, the first one last.
    fn visit(&mut self, below: &str, mut rules: Rules) -> Result<Vec<(String, Rules)>> {
        let Ok(entries) = self.reader.entries(Path::new(below)) else { return Ok(Vec::new()) };
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        if entries.iter().any(|(name, kind)| name == GITIGNORE && *kind == Kind::File) {
            rules.extend(self.rules(&prefix)?.map(|found| (prefix.len(), found)));
        }
        let mut directories = Vec::new();
        for (name, kind) in entries {
            let Some(path) = name.to_str().map(|name| format!("{prefix}{name}")) else { continue };
            let is_directory = kind == Kind::Directory;
            if name == ".git" || self.is_ignored(&path, is_directory, &rules) {
                continue;
            }
            match kind {
                Kind::Directory if name == DIRECTORY => self.found.push(format!("{path}/{LOCK}")),
                Kind::Directory => directories.push((path, rules.clone())),
                Kind::File | Kind::Link => self.found.push(path),
                _ => {}
            }
        }
        directories.reverse();
        Ok(directories)
    }

    fn rules(&mut self, prefix: &str) -> Result<Option<std::sync::Arc<Gitignore>>> {
        let path = format!("{prefix}{GITIGNORE}");
        let read = self.reader.regular(Path::new(&path)).and_then(|file| file.read(LIMIT));
        let text = match read {
            Ok(bytes) if self.budget.take(bytes.len() as u64) => String::from_utf8_lossy(&bytes).into_owned(),
            Ok(_) => return Err(Failure::TooLarge(LIMIT).diagnostic(ACTION, &self.directory.join(path)).into()),
            Err(Failure::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(failure) => return Err(failure.diagnostic(ACTION, &self.directory.join(path)).into()),
        };
        let mut builder = GitignoreBuilder::new("");
        for line in text.lines() {
            // A line that is not a pattern ignores nothing, as in git.
            drop(builder.add_line(None, line));
        }
        Ok(builder.build().ok().map(std::sync::Arc::new))
    }

    /// The nearest rule that says something decides.
    fn is_ignored(&self, path: &str, is_directory: bool, rules: &Rules) -> bool {
        let matched = rules.iter().rev().map(|(from, rules)| rules.matched(&path[*from..], is_directory));
        let matched = matched.chain([self.global.matched(path, is_directory)]);
        matched
            .into_iter()
            .find(|matched| !matched.is_none())
            .is_some_and(|matched| matches!(matched, Match::Ignore(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn ignore_files_hold_from_their_directory_downwards() {
        let folder = folder(&[
            (".gitignore", "*.log\n/target\nnode_modules/\n"),
            ("a.log", ""),
            ("a/b.log", ""),
            ("a/.gitignore", "!keep.log\nc\n"),
            ("a/keep.log", ""),
            ("a/c/d", ""),
            ("b/c/d", ""),
            ("b/target/e", ""),
            ("target/e", ""),
            ("x/node_modules/y/z", ""),
            (".git/HEAD", ""),
            ("apps/shop/.create-app/lock.toml", ""),
            ("apps/shop/.create-app/base/0", ""),
        ]);
        let expected =
            [".gitignore", "a/.gitignore", "a/keep.log", "apps/shop/.create-app/lock.toml", "b/c/d", "b/target/e"];
        let mut found = files(folder.path()).unwrap();
        found.sort();
        assert_eq!(found, expected);
    }

    #[cfg(unix)]
    #[test]
    fn neither_links_nor_pipes_are_followed() {
        let outside = folder(&[("secret", ""), ("rules", "*\n")]);
        let folder = folder(&[("a", ""), ("b/c", "")]);
        std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("rules"), folder.path().join("b/.gitignore")).unwrap();
        let pipe = folder.path().join(".gitignore");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(files(folder.path()).unwrap(), ["a", "out", "b/.gitignore", "b/c"]);
        fs_err::remove_file(&pipe).unwrap();
        fs_err::write(&pipe, vec![b'x'; LIMIT as usize]).unwrap();
        assert!(files(folder.path()).is_ok());
        fs_err::remove_file(folder.path().join("b/.gitignore")).unwrap();
        fs_err::write(folder.path().join("b/.gitignore"), "x").unwrap();
        assert!(files(folder.path()).is_err());
    }
}
