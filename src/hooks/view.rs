//! The tree as scripts see it: like a directory, but in memory, and with the rules for paths that hold for every other file.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::limits::{TEMPLATE, TEMPLATE_FILES};
use crate::tree::{Entry, RelPath, Tree};

/// The value of `env::working_directory`: the same on every machine, so that a script that writes it down writes the same.
pub(super) const WORKING: &str = "/create-app/work";

/// Files, and the directories that a script has emptied.
#[derive(Debug, Default)]
pub(super) struct View {
    files: Tree,
    directories: BTreeSet<String>,
    bytes: u64,
}

/// The error messages for a script.
type Outcome<T> = Result<T, String>;

/// The path that a script means; none for the directory itself.
pub(super) fn path(text: &str) -> Outcome<Option<RelPath>> {
    let inside = text.strip_prefix(WORKING).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let relative = match inside {
        Some(rest) => rest.trim_start_matches('/'),
        None if text.starts_with(['/', '\\']) => return Err("is absolute, and leads out of the template".to_owned()),
        None => text,
    };
    let mut parts = Vec::new();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return Err("leads out of the template".to_owned()),
            ".." => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Ok(None);
    }
    RelPath::new(parts.join("/")).map(Some).map_err(|reason| reason.to_string())
}

fn of(text: &str) -> Outcome<Option<RelPath>> {
    path(text).map_err(|reason| format!("the path `{text}` {reason}"))
}

fn inner(text: &str) -> Outcome<RelPath> {
    of(text)?.ok_or_else(|| format!("`{text}` is the template itself"))
}

impl View {
    pub(super) fn new(files: Tree) -> Self {
        let above = files.keys().flat_map(|path| path.ancestors().map(str::to_owned));
        let directories = above.collect();
        let bytes = files.values().map(|entry| entry.bytes().len() as u64).sum();
        Self { files, directories, bytes }
    }

    pub(super) fn into_files(self) -> Tree {
        self.files
    }

    pub(super) fn files(&self) -> &Tree {
        &self.files
    }

    /// Takes other files, as a command left them.
    pub(super) fn replace(&mut self, files: Tree) {
        *self = Self::new(files);
    }

    /// The bytes of a file.
    pub(super) fn read(&self, path: &RelPath) -> Option<&Bytes> {
        match self.files.get(path)? {
            Entry::File { bytes, .. } => Some(bytes),
            Entry::Symlink { .. } => None,
        }
    }

    pub(super) fn exists(&self, text: &str) -> Outcome<bool> {
        let Some(path) = of(text)? else { return Ok(true) };
        Ok(self.files.contains_key(&path) || self.directories.contains(path.as_str()))
    }

    /// The contents of a directory, as paths that scripts can use.
    pub(super) fn list(&self, text: &str) -> Outcome<Vec<String>> {
        let path = of(text)?;
        let directory = path.as_ref().map(|path| format!("{path}/")).unwrap_or_default();
        match &path {
            Some(path) if self.files.contains_key(path) => return Err(format!("`{text}` is not a directory")),
            Some(path) if !self.directories.contains(path.as_str()) => return Err(format!("`{text}` does not exist")),
            _ => {}
        }
        let below = self.files.keys().map(RelPath::as_str).chain(self.directories.iter().map(String::as_str));
        let names = below.filter_map(|path| path.strip_prefix(&directory)?.split('/').next());
        let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
        Ok(names.into_iter().map(|name| format!("{WORKING}/{directory}{name}")).collect())
    }

    /// Deletes a file, or a directory with all that is in it. What is not there is deleted already.
    pub(super) fn delete(&mut self, text: &str) -> Outcome<Vec<RelPath>> {
        let path = inner(text)?;
        let mut gone: Vec<RelPath> = self.files.remove_entry(&path).map(|(path, _)| path).into_iter().collect();
        for (path, _) in self.take_below(&path) {
            gone.push(path);
        }
        self.bytes = self.files.values().map(|entry| entry.bytes().len() as u64).sum();
        Ok(gone)
    }

    /// Takes a directory out of the tree.
    fn take_below(&mut self, path: &RelPath) -> Vec<(RelPath, Entry)> {
        let below = format!("{path}/");
        let taken: Vec<RelPath> = self.files.keys().filter(|file| file.as_str().starts_with(&below)).cloned().collect();
        self.directories.retain(|directory| directory != path.as_str() && !directory.starts_with(&below));
        taken.into_iter().filter_map(|path| self.files.remove_entry(&path)).collect()
    }

    /// Moves a file or a directory. Returns the moves of files, and the file that was replaced.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Outcome<(Vec<[RelPath; 2]>, Option<RelPath>)> {
        let (source, target) = (inner(from)?, inner(to)?);
        let is_directory = self.directories.contains(source.as_str());
        if !is_directory && !self.files.contains_key(&source) {
            return Err(format!("`{from}` does not exist, so it cannot be renamed"));
        }
        if source == target {
            return Ok((Vec::new(), None));
        }
        self.refuse_file_above(&target)?;
        let below = format!("{target}/");
        let is_filled = |view: &Self| view.files.keys().any(|file| file.as_str().starts_with(&below));
        if self.directories.contains(target.as_str()) && (!is_directory || is_filled(self)) {
            return Err(format!("`{to}` is a directory: delete it first, or use another name"));
        }
        if is_directory && self.files.contains_key(&target) {
            return Err(format!("`{to}` is a file, and `{from}` a directory: delete it first"));
        }
        let own = format!("{source}/");
        if target.as_str().starts_with(&own) {
            return Err(format!("`{from}` cannot be moved into itself"));
        }
        let Some(entry) = self.files.remove(&source) else {
            return self.move_directory(&source, &target).map(|moves| (moves, None));
        };
        let replaced = self.files.insert(target.clone(), entry);
        self.bytes -= replaced.as_ref().map_or(0, |entry| entry.bytes().len() as u64);
        self.add_directories(&target);
        let replaced = replaced.map(|_| target.clone());
        Ok((vec![[source, target]], replaced))
    }

    fn move_directory(&mut self, source: &RelPath, target: &RelPath) -> Outcome<Vec<[RelPath; 2]>> {
        let moved = |path: &str| RelPath::new(format!("{target}{}", &path[source.as_str().len()..]));
        // A path may become too long: nothing has moved then.
        let below = format!("{source}/");
        let files = self.files.keys().filter(|file| file.as_str().starts_with(&below));
        for path in files {
            moved(path.as_str()).map_err(|reason| format!("the path of `{path}` below `{target}` {reason}"))?;
        }
        let inside: Vec<String> = self
            .directories
            .iter()
            .filter(|path| path.starts_with(&below))
            .map(|path| path[below.len()..].to_owned())
            .collect();
        let mut moves = Vec::new();
        for (path, entry) in self.take_below(source) {
            if let Ok(to) = moved(path.as_str()) {
                self.files.insert(to.clone(), entry);
                moves.push([path, to]);
            }
        }
        self.directories.insert(target.as_str().to_owned());
        self.directories.extend(inside.into_iter().map(|path| format!("{target}/{path}")));
        self.add_directories(target);
        Ok(moves)
    }

    /// Makes a file, or gives one another content. Directories above it are made.
    pub(super) fn write(&mut self, text: &str, content: String) -> Outcome<RelPath> {
        let path = inner(text)?;
        if self.directories.contains(path.as_str()) {
            return Err(format!("`{text}` is a directory"));
        }
        let executable = match self.files.get(&path) {
            Some(Entry::Symlink { .. }) => return Err(format!("`{text}` is a link: delete it first")),
            Some(Entry::File { executable, .. }) => *executable,
            None => false,
        };
        self.refuse_file_above(&path)?;
        let before = self.files.get(&path).map_or(0, |entry| entry.bytes().len() as u64);
        let bytes = self.bytes - before + content.len() as u64;
        if bytes > TEMPLATE || self.files.len() >= TEMPLATE_FILES {
            return Err("a template cannot have more than 128 MiB or 200,000 files".to_owned());
        }
        self.bytes = bytes;
        self.files.insert(path.clone(), Entry::File { bytes: content.into(), executable });
        self.add_directories(&path);
        Ok(path)
    }

    fn refuse_file_above(&self, path: &RelPath) -> Outcome<()> {
        let file =
            path.ancestors().find(|above| RelPath::new(*above).is_ok_and(|above| self.files.contains_key(&above)));
        file.map_or(Ok(()), |file| Err(format!("`{file}` is not a directory: nothing can be below it")))
    }

    fn add_directories(&mut self, path: &RelPath) {
        self.directories.extend(path.ancestors().map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(paths: &[&str]) -> View {
        View::new(
            paths.iter().map(|path| (RelPath::new(*path).unwrap(), Entry::file(path.as_bytes().to_vec()))).collect(),
        )
    }

    fn paths(view: &View) -> Vec<&str> {
        view.files.keys().map(RelPath::as_str).collect()
    }

    #[test]
    fn paths_are_understood_as_on_a_disk() {
        for text in ["a/b", "./a/b", "a//b", "a/x/../b", "/create-app/work/a/b", "a/b/"] {
            assert_eq!(path(text).unwrap().unwrap().as_str(), "a/b", "{text}");
        }
        for text in ["", ".", "a/..", WORKING] {
            assert_eq!(path(text), Ok(None), "{text}");
        }
        for text in
            ["..", "../x", "a/../../x", "/etc/passwd", "/create-app/workx", ".git/hooks/x", "a/.git/x", "C:/x", "\\x"]
                .into_iter()
                .chain([".create-app/lock.toml", "con", "a\0b"])
        {
            assert!(path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_and_directories_are_renamed() {
        let mut tree = view(&["a/b/c", "a/d", "e"]);
        tree.rename("a", "x/y").unwrap();
        assert_eq!(paths(&tree), ["e", "x/y/b/c", "x/y/d"]);
        assert_eq!(tree.rename("e", "x/y/d").unwrap().1.unwrap().as_str(), "x/y/d");
        assert_eq!(paths(&tree), ["x/y/b/c", "x/y/d"]);
        for (from, to) in
            [("x", "x/y/z"), ("x/y/d", "x/y/b"), ("x/y/b", "x/y/d"), ("x/y/b", "x/y/d/e"), ("gone", "g"), ("x", "../x")]
        {
            assert!(tree.rename(from, to).is_err(), "{from} {to}");
            assert_eq!(paths(&tree), ["x/y/b/c", "x/y/d"]);
        }
    }

    #[test]
    fn a_directory_stays_when_its_files_are_gone() {
        let mut tree = view(&["a/b", "c/d/e"]);
        tree.delete("a/b").unwrap();
        assert!(tree.exists("a").unwrap() && tree.list("a").unwrap().is_empty());
        tree.delete("a").unwrap();
        tree.delete("nothing").unwrap();
        assert!(!tree.exists("a").unwrap() && tree.list("a").is_err() && tree.delete(".").is_err());
        assert_eq!(tree.list("c").unwrap(), ["/create-app/work/c/d"]);
        assert_eq!(tree.list(".").unwrap(), ["/create-app/work/c"]);
    }

    #[test]
    fn a_file_is_written_where_one_may_be() {
        let mut tree = view(&["a/b"]);
        tree.files.insert(RelPath::new("link").unwrap(), Entry::Symlink { target: "a".into() });
        tree.write("n/m/o", "x".into()).unwrap();
        assert!(tree.exists("n/m").unwrap());
        for path in ["a", "a/b/c", "link", "link/x", "../x", "/etc/x", ".git/hooks/x", ".create-app/lock.toml", "."] {
            assert!(tree.write(path, String::new()).is_err(), "{path}");
        }
    }
}
