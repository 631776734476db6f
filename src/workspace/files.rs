//! The project's files at given paths, or what is in their way: no link is followed, and what is held is bounded.

use std::collections::BTreeSet;
use std::path::Path;

use super::guard::in_the_way;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::limits::{Budget, MERGED, PROJECT};
use crate::lock::{Base, Recorded};
use crate::parallel;
use crate::rooted::{Failure, Kind, Reader, Regular, Root};
use crate::tree::{Entry, RelPath, Tree};

/// From so many paths on, starting threads costs little in comparison.
const PARALLEL: usize = 64;

/// A file may have so many more bytes, when it is read, than when it was opened.
const GROWTH: u64 = 1 << 20;

/// Reads the files below a directory.
#[derive(Debug)]
pub(super) struct Files<'a> {
    root: Option<Root>,
    directory: &'a Path,
    base: &'a Base,
    held: &'a Budget,
}

impl<'a> Files<'a> {
    /// The files below a directory, which may be missing. What is as it was rendered is not held twice; `held` is what may be
    /// held of the rest.
    ///
    /// # Errors
    ///
    /// If the directory cannot be opened.
    pub(super) fn open(directory: &'a Path, base: &'a Base, held: &'a Budget) -> Result<Self> {
        let root = match Root::open(directory) {
            Ok(root) => Some(root),
            Err(error) if Failure::from(std::io::Error::from(error.kind())).is_missing() => None,
            Err(error) => return Err(Diagnostic::io("cannot read", directory, &error).into()),
        };
        Ok(Self { root, directory, base, held })
    }

    /// The entries at these paths, or in their way: a file or link where they have a directory, and, where one of them is a
    /// directory, something in it that is at none of these paths.
    ///
    /// # Errors
    ///
    /// Unreadable files, anything but files, directories and links, and more than the limit.
    pub(super) fn at(&self, paths: &BTreeSet<&RelPath>) -> Result<Tree> {
        let Some(root) = &self.root else { return Ok(Tree::new()) };
        let known = paths;
        let paths: Vec<&RelPath> = paths.iter().copied().collect();
        let read = |reader: &mut Reader<'_>, path: &&RelPath| self.stands(reader, path, known);
        let found: Result<Vec<_>> = if paths.len() < PARALLEL {
            let mut reader = Reader::new(root);
            paths.iter().map(|path| read(&mut reader, path)).collect()
        } else {
            parallel::map(paths.iter().collect(), PARALLEL, || Reader::new(root), read)
        };
        match found {
            Ok(found) => Ok(found.into_iter().flatten().collect()),
            Err(problems) if problems.0.iter().all(|problem| problem.code == Code::TooMuch) => {
                Err(self.too_much(&mut Reader::new(root), &paths))
            }
            Err(problems) => Err(problems),
        }
    }

    /// The entries at these paths, where nothing may be in their way.
    ///
    /// # Errors
    ///
    /// As [`Files::at`], and if something is in the way.
    pub(super) fn in_place<'p>(&self, paths: impl Iterator<Item = &'p RelPath>) -> Result<Tree> {
        let Some(root) = &self.root else { return Ok(Tree::new()) };
        let mut reader = Reader::new(root);
        let found = |path: &'p RelPath| Ok(self.entry(&mut reader, path)?.map(|entry| (path.clone(), entry)));
        paths.map(found).filter_map(Result::transpose).collect()
    }

    /// The names of the files beside these that end as they do when they are put there: `.theirs` or `.orig`.
    ///
    /// # Errors
    ///
    /// If a directory cannot be read.
    pub(super) fn side_files<'p>(&self, paths: impl Iterator<Item = &'p RelPath>) -> Result<Tree> {
        let Some(root) = &self.root else { return Ok(Tree::new()) };
        let mut reader = Reader::new(root);
        let directories: BTreeSet<&str> = paths.map(|path| path.ancestors().next().unwrap_or_default()).collect();
        let mut found = Tree::new();
        for directory in directories {
            let entries = reader.entries(Path::new(directory));
            let entries = entries.map_err(|failure| self.unreadable(directory, &failure))?;
            let files = entries.iter().filter(|(_, kind)| matches!(kind, Kind::File | Kind::Link));
            let names = files.filter_map(|(name, _)| name.to_str());
            let names = names.filter(|name| name.ends_with(".theirs") || name.ends_with(".orig"));
            let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
            let paths = names.filter_map(|name| RelPath::new(format!("{prefix}{name}")).ok());
            found.extend(paths.map(|path| (path, Entry::file(b"".as_slice()))));
        }
        Ok(found)
    }

    fn entry(&self, reader: &mut Reader<'_>, path: &RelPath) -> Result<Option<Entry>> {
        let stands = |at: &Path, what: &str| Err(in_the_way(&self.directory.join(at), what));
        let relative = Path::new(path.as_str());
        match reader.regular(relative) {
            Ok(file) => self.file(path, file),
            Err(Failure::Link(link)) if link == relative => Ok(self.link(reader, relative)?.map(|(_, entry)| entry)),
            Err(Failure::Link(link)) => stands(&link, "is a link, and nothing is written through a link"),
            Err(Failure::NotADirectory(at, _)) => stands(&at, "is a file, where the template has a directory"),
            Err(Failure::NotRegular(_)) => stands(relative, "is a directory, where the template has a file"),
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(self.unreadable(path.as_str(), &failure)),
        }
    }

    fn stands(
        &self,
        reader: &mut Reader<'_>,
        path: &RelPath,
        known: &BTreeSet<&RelPath>,
    ) -> Result<Option<(RelPath, Entry)>> {
        match reader.regular(Path::new(path.as_str())) {
            Ok(file) => Ok(self.file(path, file)?.map(|entry| (path.clone(), entry))),
            Err(Failure::NotRegular(Kind::Directory)) => self.occupant(reader, path, known),
            Err(Failure::Link(link)) => self.link(reader, &link),
            Err(Failure::NotADirectory(above, Kind::File)) => {
                let Some(above) = rel_path(&above) else { return Ok(None) };
                self.stands(reader, &above, known)
            }
            Err(Failure::NotADirectory(above, _)) => Err(self.neither(&above)),
            Err(Failure::NotRegular(_)) => Err(self.neither(Path::new(path.as_str()))),
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(self.unreadable(path.as_str(), &failure)),
        }
    }

    /// A file's entry. One that is the app's own since it was rendered is nobody's business, and may have grown large: then it
    /// is left out.
    fn file(&self, path: &RelPath, file: Regular) -> Result<Option<Entry>> {
        let (length, executable) = (file.length(), file.is_executable());
        let recorded = self.base.get(path);
        if length > MERGED && recorded.is_some_and(|recorded| recorded.pristine.once) {
            return Ok(None);
        }
        let rendered = recorded.and_then(Recorded::bytes).filter(|bytes| bytes.len() as u64 == length);
        let too_large = || self.unreadable(path.as_str(), &Failure::TooLarge(PROJECT));
        // What was rendered is held already. Everything else counts before it is read: several threads read at once.
        if rendered.is_none() && !self.held.take(length) {
            return Err(too_large());
        }
        let bytes =
            file.read(length.saturating_add(GROWTH)).map_err(|failure| self.unreadable(path.as_str(), &failure))?;
        if let Some(rendered) = rendered {
            if *rendered == bytes {
                return Ok(Some(Entry::File { bytes: rendered.clone(), executable }));
            }
            if !self.held.take(bytes.len() as u64) {
                return Err(too_large());
            }
        }
        Ok(Some(Entry::File { bytes: bytes.into_boxed_slice().into(), executable }))
    }

    fn link(&self, reader: &mut Reader<'_>, path: &Path) -> Result<Option<(RelPath, Entry)>> {
        let target = match reader.link(path) {
            Ok(target) => target.to_string_lossy().into_owned(),
            Err(failure) => return Err(self.unreadable(&path.to_string_lossy(), &failure)),
        };
        let target = if cfg!(windows) { target.replace('\\', "/") } else { target };
        Ok(rel_path(path).map(|path| (path, Entry::Symlink { target })))
    }

    /// Something below a directory that is at none of the known paths, which tells the merge that the directory stays. Files at
    /// known paths are read anyway, and may go. That something is there counts, not what it is.
    fn occupant(
        &self,
        reader: &mut Reader<'_>,
        directory: &RelPath,
        known: &BTreeSet<&RelPath>,
    ) -> Result<Option<(RelPath, Entry)>> {
        let found = |path: RelPath| Ok(Some((path, Entry::file(b"".as_slice()))));
        let mut open = vec![directory.clone()];
        let (mut empty, mut has_files) = (None, false);
        while let Some(above) = open.pop() {
            let entries = reader.entries(Path::new(above.as_str()));
            let entries = entries.map_err(|failure| self.unreadable(above.as_str(), &failure))?;
            // Git refuses to be asked about what is in a submodule.
            let is_submodule = entries.iter().any(|(name, _)| name == ".git");
            if above != *directory && (is_submodule || entries.is_empty()) {
                // Both are told by the name of the directory, unless a file is to be in it.
                let is_needed = known.iter().any(|path| path.ancestors().any(|needed| needed == above.as_str()));
                match is_submodule {
                    _ if is_needed => {}
                    true => return found(above),
                    false => empty = Some(above),
                }
                continue;
            }
            for (name, kind) in entries {
                let path = name.to_str().and_then(|name| RelPath::new(format!("{above}/{name}")).ok());
                match (path, kind) {
                    (Some(path), Kind::Directory) => open.push(path),
                    (Some(path), _) if known.contains(&path) => has_files = true,
                    (Some(path), _) => return found(path),
                    // No template can have such a name: another one says as much.
                    (None, _) => {
                        let mut names = (0_usize..).map_while(|n| RelPath::new(format!("{above}/{n}")).ok());
                        if let Some(path) = names.find(|path| !known.contains(path)) {
                            return found(path);
                        }
                    }
                }
            }
        }
        // A directory without any file is not a part of the project: it has to be moved out of the way.
        empty.filter(|_| has_files).map_or(Ok(None), found)
    }

    fn unreadable(&self, path: &str, failure: &Failure) -> Diagnostics {
        failure.diagnostic("cannot read", &self.directory.join(path)).into()
    }

    fn neither(&self, path: &Path) -> Diagnostics {
        let path = self.directory.join(path);
        let title = format!("`{}` is neither a file nor a link, where the template has a file", path.display());
        let help = "move it out of the way, then run the command again";
        Diagnostic::error(Code::TargetExists, title).help(help).into()
    }

    /// Names the largest of the files that are too much together.
    fn too_much(&self, reader: &mut Reader<'_>, paths: &[&RelPath]) -> Diagnostics {
        let length = |path: &&&RelPath| match reader.stat(Path::new(path.as_str())) {
            Ok(Some((Kind::File, length))) => length,
            _ => 0,
        };
        let largest = paths.iter().max_by_key(length).map(|path| path.below(self.directory)).unwrap_or_default();
        let limit = PROJECT >> 20;
        let title = format!("this project's versions of the template's files are larger than {limit} MiB in total");
        let help = format!("the largest is `{}`: move it to a path that the template does not have", largest.display());
        Diagnostic::error(Code::TooMuch, title).help(help).into()
    }
}

fn rel_path(path: &Path) -> Option<RelPath> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    RelPath::new(parts?.join("/")).ok()
}
