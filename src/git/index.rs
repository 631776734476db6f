//! Git's index, as far as it holds the versions of files in conflict.

mod lock;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::process::Command;

use self::lock::Unwritten;
use super::command::{chunks, literal, set};
use super::filters::reading;
use super::index_file;
use super::objects::objects;
use super::own::may_write;
use super::run::{ask, lossy, output, refused, run};
use super::status::{status_lines, watched};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::tree::{Entry, Mode};

/// One version of a file in git's index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Indexed {
    /// The path below the repository's root.
    pub path: String,
    /// 0, or in a conflict 1 (base), 2 (ours) or 3 (theirs).
    pub stage: u8,
    /// The mode as git writes it.
    pub mode: String,
    /// The object's name.
    pub object: String,
}

impl fmt::Display for Indexed {
    /// As `git ls-files --stage` prints it and `git update-index --index-info` reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}\t{}", self.mode, self.object, self.stage, self.path)
    }
}

impl Indexed {
    /// The reverse of its text; none for anything else.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (head, path) = line.split_once('\t')?;
        let fields: Vec<&str> = head.split(' ').collect();
        let [mode, object, stage] = fields[..] else { return None };
        let is = |text: &str, digits: &[u8]| !text.is_empty() && text.bytes().all(|byte| digits.contains(&byte));
        let sound = is(mode, b"01234567") && is(object, b"0123456789abcdef") && is(stage, b"0123");
        let stage = stage.parse().ok().filter(|_| sound)?;
        Some(Self { path: path.into(), stage, mode: mode.into(), object: object.into() })
    }
}

/// The index's entries for `paths`, relative to the repository's `root` and with `/`, in order.
///
/// # Errors
///
/// When git is missing or fails.
pub fn indexed(root: &Path, paths: &BTreeSet<&str>) -> Result<Vec<Indexed>> {
    let mut found = Vec::new();
    for chunk in chunks(paths.iter().copied()) {
        let output = run(literal(root).args(["ls-files", "--stage", "-z", "--"]).args(chunk))?;
        let lines = output.stdout.split(|byte| *byte == 0).map(lossy);
        // A path is a pattern, too: of what is below it.
        found.extend(lines.filter_map(|line| Indexed::parse(&line)).filter(|it| paths.contains(it.path.as_str())));
    }
    found.sort();
    Ok(found)
}

/// The same, without starting git where its index can be read.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked.
pub fn entries(root: &Path, paths: &BTreeSet<&str>) -> Result<Vec<Indexed>> {
    let Some((found, _)) = index_file::find(root, paths) else { return indexed(root, paths) };
    let entry = |it: index_file::Entry| Indexed {
        path: it.path,
        stage: u8::try_from(it.stage).unwrap_or_default(),
        mode: format!("{:06o}", it.mode),
        object: it.object,
    };
    let mut found: Vec<Indexed> = found.into_iter().map(entry).collect();
    found.sort();
    Ok(found)
}

/// Whether something in a directory, given below the root and with `/`, may be staged that is not committed: git has noted no tree of
/// it since. What `git reset --soft` leaves is not noticed.
#[must_use]
pub fn may_be_staged(root: &Path, directory: &str) -> bool {
    index_file::is_written(root, directory) != Some(true)
}

/// The versions of `paths`, relative to the repository's `root` and with `/`, that only the index has: neither the last commit nor
/// the work tree holds them.
///
/// # Errors
///
/// When git is missing or fails.
pub fn only_staged(root: &Path, paths: &BTreeSet<&str>) -> Result<Vec<(String, Entry)>> {
    let mut staged = Vec::new();
    for chunk in chunks(paths.iter().copied()) {
        staged.extend(status_lines(root, &chunk)?.iter().filter_map(|line| Staged::parse(line)));
    }
    staged.retain(|it| paths.contains(it.path.as_str()));
    let names: Vec<&str> = staged.iter().map(|it| it.path.as_str()).collect();
    // Where git does not look at the work tree, it takes it for unchanged.
    let watched = if names.is_empty() { BTreeSet::new() } else { watched(root, &names)? };
    staged.retain(|it| it.is_edited || !watched.contains(&it.path));
    let contents = objects(root, staged.iter().map(|it| it.object.as_str()))?;
    let entry = |(it, content): (&Staged, Option<Vec<u8>>)| Some((it.path.clone(), entry(it.mode, content?)));
    Ok(staged.iter().zip(contents).filter_map(entry).collect())
}

/// A file that is staged, and not as the last commit has it.
struct Staged {
    path: String,
    mode: Mode,
    object: String,
    /// Whether the work tree has it otherwise, as far as git looks.
    is_edited: bool,
}

impl Staged {
    /// Reads a line of `git status --porcelain=v2`; none for one of anything else, such as what is staged to be deleted.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.splitn(9, ' ').collect();
        let ["1", state, _, _, mode, _, _, object, path] = fields[..] else { return None };
        let (index, work_tree) = state.split_at_checked(1)?;
        let mode = Mode::parse(mode).filter(|_| index != ".")?;
        Some(Self { path: path.into(), mode, object: object.into(), is_edited: work_tree != "." })
    }
}

/// What a mode and the content of an object make; a link's target that is not text is a file, as it is where there are no links.
fn entry(mode: Mode, content: Vec<u8>) -> Entry {
    match (mode, String::from_utf8(content)) {
        (Mode::Symlink, Ok(target)) => Entry::Symlink { target },
        (mode, content) => {
            let bytes = content.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
            Entry::File { bytes: bytes.into(), executable: mode == Mode::Executable }
        }
    }
}

/// Stores the versions of a file in conflict, each with its stage, as objects of the repository with this root. Nothing is in the
/// index yet.
///
/// # Errors
///
/// When git is missing or fails.
pub fn store<'e>(root: &Path, path: &str, versions: impl IntoIterator<Item = (u8, &'e Entry)>) -> Result<Vec<Indexed>> {
    let version = |(stage, entry): (u8, &Entry)| {
        let object = write_object(root, path, entry)?;
        Ok(Indexed { path: path.to_owned(), stage, mode: entry.mode().as_str().to_owned(), object })
    };
    versions.into_iter().map(version).collect()
}

/// Stores a file as an object of the repository with this root; it is not in the index yet.
///
/// # Errors
///
/// When git is missing or fails.
pub fn store_entry(root: &Path, path: &str, entry: &Entry) -> Result<Indexed> {
    let object = write_object(root, path, entry)?;
    Ok(Indexed { path: path.to_owned(), stage: 0, mode: entry.mode().as_str().to_owned(), object })
}

/// Lets the index hold exactly `entries` of `paths`: `git status` shows those in conflict, and `git mergetool` and
/// `git checkout --ours` work. `name` is the name of any object: they are longer in some repositories.
///
/// # Errors
///
/// When git is missing or fails; the index is as it was then.
pub fn set_index(root: &Path, paths: &BTreeSet<&str>, entries: &[&Indexed], name: &str) -> Result<()> {
    let none = "0".repeat(name.len());
    let cleared = paths.iter().map(|path| format!("0 {none}\t{path}\0"));
    let input: String = cleared.chain(entries.iter().map(|entry| format!("{entry}\0"))).collect();
    lock::patiently(root, || {
        let mut command = durable(root)?;
        let output = output(command.args(["update-index", "-z", "--index-info"]), input.as_bytes())?;
        if output.status.success() {
            return Ok(());
        }
        let problem = refused(&command, &output);
        Err(Unwritten::Refused(output.stderr, Box::new(problem)))
    })
}

/// Stores an entry as git would if it was at `path`; returns its name.
fn write_object(root: &Path, path: &str, entry: &Entry) -> Result<String> {
    let mut command = durable(root)?;
    // What is stored is what git would make of it: no reason to refuse, nor to warn.
    command.args(["-c", "core.safecrlf=false", "hash-object", "-w", "--stdin"]);
    match entry.mode() {
        Mode::Symlink => command.arg("--no-filters"),
        Mode::File | Mode::Executable => command.arg("--path").arg(path),
    };
    let output = ask(&mut command, entry.bytes())?;
    let name = lossy(&output.stdout).trim().to_owned();
    if output.status.success() { Ok(name) } else { Err(refused(&command, &output).into()) }
}

/// Git, which by itself does not care that what it wrote survives a power cut.
///
/// # Errors
///
/// As [`reading`], and if what git writes would be in another repository.
fn durable(root: &Path) -> Result<Command> {
    if !may_write(root) {
        let title = format!("the repository at `{}` has its index or its objects elsewhere", root.display());
        let help = "nothing is written there: make a fresh clone of the repository";
        return Err(Diagnostic::error(Code::Git, title).help(help).into());
    }
    let mut command = reading(root)?;
    set(&mut command, &["core.fsync=added"]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::command::git;
    use crate::git::tests::{repository, write};

    fn paths<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
        names.iter().copied().collect()
    }

    #[test]
    fn the_index_is_read_changed_and_restored() {
        let directory = repository();
        let root = directory.path();
        for name in ["a", "b/c", "d[1]", "d1"] {
            write(root.join(name), name);
        }
        run(git(root).args(["add", "--all"])).unwrap();
        let names = paths(&["a", "b", "d[1]", "ü\t\"x"]);
        let before = indexed(root, &names).unwrap();
        assert_eq!(before.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["a", "d[1]"]);

        let object = before[0].object.clone();
        let conflict = |stage| Indexed { path: "ü\t\"x".into(), stage, mode: "100755".into(), object: object.clone() };
        let after = [conflict(2), conflict(3)];
        set_index(root, &names, &after.each_ref(), &object).unwrap();
        assert_eq!(indexed(root, &names).unwrap(), after);
        assert_eq!(indexed(root, &paths(&["b/c", "d1"])).unwrap().len(), 2);

        set_index(root, &names, &before.iter().collect::<Vec<_>>(), &object).unwrap();
        assert_eq!(indexed(root, &names).unwrap(), before);
    }

    #[test]
    fn what_is_no_line_of_an_index_is_none() {
        let line = "100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 3\ta b";
        assert_eq!(Indexed::parse(line).unwrap().to_string(), line);
        for line in ["", "a", "100644 e6 4\ta", "100644 E6 1\ta", "100644 e6 1 a", "9 e6 1\ta", "100644  1\ta"] {
            assert_eq!(Indexed::parse(line), None, "{line}");
        }
    }
}
