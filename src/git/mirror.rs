//! Copies of other people's repositories: bare, without a work tree, hooks or filters. Files are read exactly as git stored
//! them, byte for byte.

use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::command::{creating, mirror, outside};
use super::failure::Failure;
use super::fetch::{Contact, talk};
use super::objects::{Answer, answer};
use super::run::{Ended, ask, lossy, pipe, run};
use crate::diagnostic::{Code, Diagnostic, Result};

/// The text that git writes into the configuration of a bare repository that it makes.
const CONFIGURATION: &[&str] = &[
    "[core]",
    "bare",
    "filemode",
    "hidedotfiles",
    "ignorecase",
    "precomposeunicode",
    "repositoryformatversion",
    "sharedrepository",
    "symlinks",
    "[extensions]",
    "objectformat",
    "refstorage",
    "[receive]",
    "denynonfastforwards",
];

/// How a repository names its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// By 40 digits.
    Sha1,
    /// By 64 digits.
    Sha256,
}

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Git's mode, such as `100644`.
    pub mode: String,
    /// The object's name.
    pub object: String,
    /// The size in bytes; none for a submodule.
    pub size: Option<u64>,
    /// The path from the repository's root.
    pub path: Vec<u8>,
}

/// How long a list is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Length {
    /// Files and directories. The latter count, too: trees without a file can multiply as well as others, since many names may
    /// lead to one tree.
    pub entries: usize,
    /// Bytes.
    pub bytes: u64,
}

/// The files of a commit.
#[derive(Debug, Default)]
pub struct List {
    /// Every file, and every submodule as one, in the order of their paths.
    pub files: Vec<Listed>,
    /// How long the list is, with the directories.
    pub length: Length,
}

impl List {
    fn read(stdout: &mut dyn BufRead, limit: Length) -> ControlFlow<Option<Self>, Option<Self>> {
        let (mut list, mut line) = (Self::default(), Vec::new());
        let mut stdout = stdout.take(limit.bytes.saturating_add(1));
        while stdout.read_until(0, &mut line).is_ok_and(|length| length > 0) {
            list.length.entries += 1;
            list.length.bytes += line.len() as u64;
            if list.length.entries > limit.entries || list.length.bytes > limit.bytes {
                return ControlFlow::Break(None);
            }
            list.files.extend(line.strip_suffix(b"\0").and_then(listed).filter(|listed| listed.mode != "040000"));
            line.clear();
        }
        list.files.sort_by(|a, b| a.path.cmp(&b.path));
        ControlFlow::Continue(Some(list))
    }
}

/// A bare repository of our own.
#[derive(Debug, Clone)]
pub struct Mirror {
    directory: PathBuf,
}

impl Mirror {
    /// The one that was just made in a directory.
    #[must_use]
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf() }
    }

    /// The one in a directory, if there is one as git makes it. A configuration of anybody else's could name programs, and
    /// anything but objects of its own could lead elsewhere.
    #[must_use]
    pub fn open(directory: &Path) -> Option<Self> {
        let is_directory = directory.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let config = directory.join("config");
        let is_file = config.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < 4096);
        let elsewhere = ["commondir", "config.worktree", "objects/info/alternates"];
        let is_elsewhere = elsewhere.iter().any(|name| directory.join(name).symlink_metadata().is_ok());
        if !is_directory || !is_file || is_elsewhere {
            return None;
        }
        let text = std::fs::read_to_string(&config).ok()?.to_ascii_lowercase();
        let is_known = |line: &str| CONFIGURATION.contains(&line.split('=').next().unwrap_or_default().trim());
        text.lines().all(is_known).then(|| Self::at(directory))
    }

    /// Makes an empty one.
    ///
    /// # Errors
    ///
    /// When git is missing or fails.
    pub fn create(directory: &Path, format: Format) -> Result<Self> {
        let format = match format {
            Format::Sha1 => "--object-format=sha1",
            Format::Sha256 => "--object-format=sha256",
        };
        // No template directory of the user's: what it holds is meant for repositories to work in.
        run(creating(directory).args(["init", "--quiet", "--bare", "--template=", format]))?;
        Ok(Self::at(directory))
    }

    /// Fetches what `refspecs` say, with its whole history or with none. The outer error is that git does not run.
    ///
    /// # Errors
    ///
    /// Why nothing was fetched.
    pub fn fetch(
        &self,
        contact: &Contact<'_>,
        refspecs: &[String],
        history: bool,
    ) -> Result<std::result::Result<(), Failure>> {
        let mut command = mirror(&self.directory);
        command.args(["fetch", "--progress", "--prune", "--force", "--no-tags", "--no-recurse-submodules"]);
        command.arg("--no-write-fetch-head");
        match (history, self.directory.join("shallow").exists()) {
            (false, _) => command.arg("--depth=1"),
            (true, true) => command.arg("--unshallow"),
            (true, false) => &mut command,
        };
        command.arg("--").arg(contact.from).args(refspecs);
        talk(&mut command, contact).map(|outcome| outcome.map(drop))
    }

    /// The commit that a revision names, in any of git's spellings. None where there is none, or several.
    ///
    /// # Errors
    ///
    /// When git is missing or fails.
    pub fn commit(&self, revision: &str) -> Result<Option<String>> {
        if revision.contains(['\n', '\0']) {
            return Ok(None);
        }
        // Through standard input, nothing is an option.
        let input = format!("{revision}^{{commit}}\n");
        let output = ask(mirror(&self.directory).args(["cat-file", "--batch-check"]), input.as_bytes())?;
        let line = lossy(&output.stdout);
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        Ok(if let [object, "commit", _] = words[..] { Some(object.to_owned()) } else { None })
    }

    /// The newest commits that changed a folder, up to and including a commit, by first parents.
    ///
    /// # Errors
    ///
    /// When git is missing or fails.
    pub fn history(&self, commit: &str, folder: Option<&str>, most: usize) -> Result<Vec<String>> {
        let mut command = mirror(&self.directory);
        command.args(["--literal-pathspecs", "rev-list", "--first-parent", &format!("--max-count={most}"), commit]);
        command.arg("--").args(folder);
        Ok(lossy(&run(&mut command)?.stdout).lines().map(str::to_owned).collect())
    }

    /// Every file of a commit, in the order of their paths; none if the list is longer than it may be.
    ///
    /// # Errors
    ///
    /// When git is missing or fails, as it does where an object is missing.
    pub fn files(&self, commit: &str, limit: Length) -> Result<Option<List>> {
        let mut command = mirror(&self.directory);
        command.args(["ls-tree", "-r", "-t", "-z", "--long", "--full-tree", commit]);
        let Ended { answer, status, said } = pipe(&mut command, &[], |stdout| List::read(stdout, limit))?;
        match answer {
            Some(_) if lossy(&said).contains("exceeded maximum allowed tree depth") => Ok(None),
            Some(_) if !status.success() => Err(self.broken().into()),
            list => Ok(list),
        }
    }

    /// The content of objects, each handed on with its number as soon as it was read. All together may have `limit` bytes.
    ///
    /// # Errors
    ///
    /// When git is missing or fails, as it does where an object is missing.
    pub fn contents(&self, objects: &[&str], limit: u64, mut take: impl FnMut(usize, Vec<u8>)) -> Result<()> {
        let input: String = objects.iter().map(|object| format!("{object}\n")).collect();
        let read = |stdout: &mut dyn BufRead| {
            let mut left = limit;
            for number in 0..objects.len() {
                match answer(stdout, &mut left) {
                    Some(Answer::Content(content)) => take(number, content),
                    _ => return ControlFlow::Break(false),
                }
            }
            ControlFlow::Continue(true)
        };
        let mut command = mirror(&self.directory);
        let ended = pipe(command.args(["cat-file", "--batch", "--buffer"]), input.as_bytes(), read)?;
        if ended.answer && ended.status.success() { Ok(()) } else { Err(self.broken().into()) }
    }

    /// Says that the copy does not hold what it should.
    fn broken(&self) -> Diagnostic {
        let title = format!("the copy of the template's repository in `{}` is broken", self.directory.display());
        Diagnostic::error(Code::Git, title).help("remove that directory, then run the command again")
    }
}

/// The submodules that the text of a `.gitmodules` names: path and address.
///
/// # Errors
///
/// When git is missing or cannot read the text.
pub fn submodules(text: &[u8]) -> Result<Vec<(String, String)>> {
    let mut command = outside(Path::new("."));
    command.args(["config", "-z", "--file=-", "--no-includes", "--get-regexp", r"^submodule\..*\.(path|url)$"]);
    let output = ask(&mut command, text)?;
    let mut found = std::collections::BTreeMap::<String, [Option<String>; 2]>::new();
    for entry in output.stdout.split(|byte| *byte == 0).map(lossy) {
        let Some((key, value)) = entry.split_once('\n') else { continue };
        let Some((name, field)) = key.rsplit_once('.') else { continue };
        found.entry(name.to_owned()).or_default()[usize::from(field == "url")] = Some(value.to_owned());
    }
    Ok(found.into_values().filter_map(|[path, url]| Some((path?, url?))).collect())
}

/// Reads a line of `ls-tree`: mode, type, object and with `--long` the size, then a tab and the path.
pub(super) fn listed(line: &[u8]) -> Option<Listed> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let head = lossy(&line[..tab]);
    let mut words = head.split_ascii_whitespace();
    let (mode, _, object) = (words.next()?, words.next()?, words.next()?);
    let size = words.next().and_then(|size| size.parse().ok());
    Some(Listed { mode: mode.into(), object: object.into(), size, path: line[tab + 1..].to_vec() })
}
