//! Copies of the project's own files that a change replaces or removes and that git does not hold. They are part of the change.

use std::collections::BTreeSet;

use super::site::Site;
use crate::lock::DIRECTORY;
use crate::tree::{Entry, RelPath};

/// What is to be kept, by paths below the repository's root, or below an app that is it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unheld {
    /// Files as they are there.
    pub files: Vec<(String, Entry)>,
    /// Files as only git's index has them.
    pub staged: Vec<(String, Entry)>,
}

/// Copies to make, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The number of the directory, `.create-app/backup/1` or the first that is free.
    pub(super) number: u32,
    /// The copies, by their names.
    pub copies: Vec<Copy>,
}

/// A copy to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its path below the directory: that of its file, or `NAME.staged` beside it.
    pub name: String,
    /// The path of its file.
    pub(super) of: String,
    /// Its contents.
    pub(super) entry: Entry,
}

impl Backup {
    /// The directory, below the app.
    #[must_use]
    pub fn directory(&self) -> String {
        directory(self.number)
    }
}

/// Where this will be kept; `None` if there is nothing to keep.
#[must_use]
pub fn backup(site: &Site, unheld: Unheld) -> Option<Backup> {
    let is_free = |number: &u32| site.app.join(directory(*number)).symlink_metadata().is_err();
    let number = (1..).find(is_free)?;
    let copies = copies(unheld);
    (!copies.is_empty()).then_some(Backup { number, copies })
}

fn directory(number: u32) -> String {
    format!("{DIRECTORY}/backup/{number}")
}

fn copies(Unheld { files, staged }: Unheld) -> Vec<Copy> {
    let paths = files.iter().chain(&staged).map(|(path, _)| path);
    // No other copy can have the name of a file, nor of a directory above one.
    let mut taken: BTreeSet<String> = paths.flat_map(|path| above(path).chain([path.clone()])).collect();
    let files = files.into_iter().map(|(path, entry)| Copy { name: path.clone(), of: path, entry });
    let mut copies: Vec<Copy> = files.collect();
    for (of, entry) in staged {
        let name = staged_name(&of, &taken);
        taken.insert(name.clone());
        copies.push(Copy { name, of, entry });
    }
    copies.sort_by(|a, b| a.name.cmp(&b.name));
    copies
}

fn above(path: &str) -> impl Iterator<Item = String> {
    path.match_indices('/').map(|(at, _)| path[..at].to_owned())
}

fn staged_name(path: &str, taken: &BTreeSet<String>) -> String {
    const SUFFIX: &str = "staged";
    let file = RelPath::new(path).ok();
    let free = file.and_then(|file| file.beside(SUFFIX).find(|name| !taken.contains(name.as_str())));
    free.map_or_else(|| format!("{path}.{SUFFIX}"), |name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[&str], staged: &[&str]) -> Vec<String> {
        let all = |paths: &[&str]| paths.iter().map(|path| ((*path).to_owned(), Entry::file(b""))).collect();
        copies(Unheld { files: all(files), staged: all(staged) }).into_iter().map(|copy| copy.name).collect()
    }

    #[test]
    fn what_is_staged_is_beside_its_file_under_a_name_of_its_own() {
        assert_eq!(names(&["a/b"], &["a/b", "c"]), ["a/b", "a/b.staged", "c.staged"]);
        assert_eq!(names(&["a", "a.staged"], &["a"]), ["a", "a.2.staged", "a.staged"]);
        assert_eq!(names(&["a", "a.staged/x"], &["a"]), ["a", "a.2.staged", "a.staged/x"]);
        assert_eq!(names(&[], &["a", "a.staged"]), ["a.2.staged", "a.staged.staged"]);
        let long = |end: &str| "x".repeat(250) + end;
        let staged = names(&[], &[&long("1"), &long("2")]);
        assert_eq!(staged, [format!("{}.2.staged", &long("")[..246]), format!("{}.staged", &long("")[..248])]);
    }
}
