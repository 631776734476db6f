//! Copies of other people's repositories: bare, without a work tree, hooks or filters. What is read out of them is what git
//! stored, byte for byte.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::failure::Failure;
use super::{ask, git, lossy, run, unavailable};
use crate::diagnostic::{Code, Diagnostic, Result};

/// What every run of git is told that deals with a repository that is not the user's own.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.ext.allow=never",
    "protocol.fd.allow=never",
];
/// So much of what git says is kept, to judge a failure by.
const MAX_SAID: usize = 64 << 10;

/// How a repository names its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// By 40 digits.
    Sha1,
    /// By 64 digits.
    Sha256,
}

/// How to talk to the other side.
pub struct Contact<'a> {
    /// The address, as git takes it.
    pub from: &'a OsStr,
    /// Whether the user may be asked for a password or the like.
    pub may_ask: bool,
    /// Is told how far git has come.
    pub progress: &'a dyn Fn(&str),
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

/// A bare repository of our own.
#[derive(Debug, Clone)]
pub struct Mirror {
    directory: PathBuf,
}

impl Mirror {
    /// The one that stands at a directory.
    #[must_use]
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf() }
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
        run(git(directory).args(["init", "--quiet", "--bare", "--template=", format]))?;
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
        let mut command = self.git();
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
        let output = ask(self.git().args(["cat-file", "--batch-check"]), input.as_bytes())?;
        let line = lossy(&output.stdout);
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        Ok(if let [object, "commit", _] = words[..] { Some(object.to_owned()) } else { None })
    }

    /// Every file of a commit, in git's order.
    ///
    /// # Errors
    ///
    /// When git is missing or fails, as it does where an object is missing.
    pub fn files(&self, commit: &str) -> Result<Vec<Listed>> {
        let output = ask(self.git().args(["ls-tree", "-r", "-z", "--long", "--full-tree", commit]), &[]);
        let output = output.ok().filter(|output| output.status.success()).ok_or_else(|| self.broken())?;
        Ok(output.stdout.split(|byte| *byte == 0).filter_map(listed).collect())
    }

    /// The content of objects, each handed on with its number as soon as it was read.
    ///
    /// # Errors
    ///
    /// When git is missing or fails, as it does where an object is missing.
    pub fn contents(&self, objects: &[&str], mut take: impl FnMut(usize, Vec<u8>)) -> Result<()> {
        let mut command = self.git();
        command.args(["cat-file", "--batch", "--buffer"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| unavailable(&self.directory, &error))?;
        let input: String = objects.iter().map(|object| format!("{object}\n")).collect();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let read = std::thread::scope(|scope| {
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
            let mut stdout = BufReader::with_capacity(1 << 16, stdout?);
            for (number, object) in objects.iter().enumerate() {
                take(number, content(&mut stdout, object)?);
            }
            Some(())
        });
        let ended = child.wait().is_ok_and(|status| status.success());
        read.filter(|()| ended).ok_or_else(|| self.broken().into())
    }

    /// Says that the copy does not hold what it should.
    fn broken(&self) -> Diagnostic {
        let title = format!("the copy of the template's repository in `{}` is broken", self.directory.display());
        Diagnostic::error(Code::Git, title).help("remove that directory, then run the command again")
    }

    fn git(&self) -> Command {
        let mut command = git(&self.directory);
        command.arg("--git-dir=.");
        quiet(&mut command);
        command
    }
}

/// The branches and tags of another repository, by their full names.
///
/// # Errors
///
/// The outer one is that git does not run, the inner one why it got no answer.
pub fn references(contact: &Contact<'_>) -> Result<std::result::Result<Vec<String>, Failure>> {
    let mut command = git(Path::new("."));
    quiet(&mut command);
    command.args(["ls-remote", "--quiet", "--heads", "--tags", "--refs", "--"]).arg(contact.from);
    let outcome = talk(&mut command, contact)?;
    let names = |text: String| text.lines().filter_map(|line| Some(line.split_once('\t')?.1.to_owned())).collect();
    Ok(outcome.map(names))
}

/// The submodules that the text of a `.gitmodules` names: path and address.
///
/// # Errors
///
/// When git is missing or cannot read the text.
pub fn submodules(text: &[u8]) -> Result<Vec<(String, String)>> {
    let mut command = git(Path::new("."));
    quiet(&mut command);
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

/// No hook, no program but git's own transports, no object from elsewhere.
fn quiet(command: &mut Command) {
    for setting in SETTINGS {
        command.arg("-c").arg(setting);
    }
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
    // The variable overrules the settings, so what it allows is held against them.
    if let Ok(allowed) = std::env::var("GIT_ALLOW_PROTOCOL") {
        let allowed: Vec<&str> = allowed.split(':').filter(|name| !["ext", "fd"].contains(name)).collect();
        command.env("GIT_ALLOW_PROTOCOL", allowed.join(":"));
    }
}

/// Runs git that talks to another machine; returns what it printed.
fn talk(command: &mut Command, contact: &Contact<'_>) -> Result<std::result::Result<String, Failure>> {
    if !contact.may_ask || !std::io::stderr().is_terminal() {
        ask_nobody(command);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |error: std::io::Error| unavailable(Path::new("."), &error);
    let mut child = command.spawn().map_err(failed)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (printed, said) = std::thread::scope(|scope| {
        let printed = scope.spawn(move || {
            let mut text = Vec::new();
            stdout.map(|mut stdout| stdout.read_to_end(&mut text));
            lossy(&text)
        });
        let said = stderr.map(|stderr| listen(stderr, contact.progress)).unwrap_or_default();
        (printed.join().unwrap_or_default(), said)
    });
    let status = child.wait().map_err(failed)?;
    Ok(if status.success() { Ok(printed) } else { Err(Failure::of(&said, status.code())) })
}

/// Where nobody can answer, a question of git's or ssh's would hold everything up.
fn ask_nobody(command: &mut Command) {
    command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let configured = || ask(git(Path::new(".")).args(["config", "--get", "core.sshCommand"]), &[]);
    if !is_set("GIT_SSH") && !is_set("GIT_SSH_COMMAND") && !configured().is_ok_and(|output| output.status.success()) {
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
}

/// Hands on each line as it comes, and keeps those that are no progress.
fn listen(stderr: impl Read, progress: &dyn Fn(&str)) -> String {
    let mut stderr = BufReader::new(stderr);
    let (mut said, mut line) = (String::new(), Vec::new());
    loop {
        let (used, complete, ended) = match stderr.fill_buf() {
            Ok([]) | Err(_) => (0, true, true),
            Ok(bytes) => match bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                Some(at) => {
                    line.extend(&bytes[..=at]);
                    (at + 1, true, false)
                }
                None => {
                    line.extend(bytes);
                    (bytes.len(), line.len() > MAX_SAID, false)
                }
            },
        };
        stderr.consume(used);
        if complete {
            let text = lossy(&line);
            progress(text.trim());
            if !text.ends_with('\r') && said.len() < MAX_SAID {
                said.push_str(&text);
            }
            line.clear();
        }
        if ended {
            return said;
        }
    }
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

/// Reads one answer of `cat-file --batch`: none where it is not that object.
fn content(stdout: &mut impl std::io::BufRead, object: &str) -> Option<Vec<u8>> {
    let mut head = String::new();
    stdout.read_line(&mut head).ok()?;
    let size: usize = head.trim_end().strip_prefix(object)?.strip_prefix(" blob ")?.parse().ok()?;
    let mut bytes = Vec::new();
    stdout.take(size as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() == size + 1).then(|| {
        bytes.truncate(size);
        bytes
    })
}
