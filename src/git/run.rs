//! Runs git, and reads its output up to a limit.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use super::command::subcommand;
use super::failure::short;
use super::special;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::trace;

/// The longest answer that is held, in bytes.
const MAX_ANSWER: u64 = 128 << 20;
/// This much of git's standard error is kept, in bytes. The reason of a failure is short.
pub(super) const MAX_SAID: usize = 64 << 10;
/// A question takes less, unless git waits for something or the repository is very large.
const LONG: Duration = Duration::from_secs(5);
/// Every pipe takes this much before anybody reads, in bytes.
const MIN_PIPE: usize = 4096;

/// Runs git to its end, with `input` as its standard input. Exit code 1 is an answer to a question: "no" of
/// `check-ignore`, "not set" of `config`.
pub(super) fn ask(command: &mut Command, input: &[u8]) -> Result<Output> {
    let output = output(command, input)?;
    match output.status.code() {
        Some(0 | 1) => Ok(output),
        _ => Err(refused(command, &output).into()),
    }
}

/// Runs git to its end; every exit code but 0 is a failure.
pub(super) fn run(command: &mut Command) -> Result<Output> {
    let output = ask(command, &[])?;
    if output.status.success() { Ok(output) } else { Err(refused(command, &output).into()) }
}

/// Runs git to its end, with `input` as its standard input, whatever its exit code.
///
/// # Errors
///
/// When git does not run, or its answer is too long.
pub(super) fn output(command: &mut Command, input: &[u8]) -> Result<Output> {
    let all = |stdout: &mut dyn BufRead| {
        let mut bytes = Vec::new();
        let read = stdout.take(MAX_ANSWER + 1).read_to_end(&mut bytes);
        match read {
            Ok(length) if length as u64 <= MAX_ANSWER => ControlFlow::Continue(Some(bytes)),
            _ => ControlFlow::Break(None),
        }
    };
    let Ended { answer, status, said } = pipe(command, input, all)?;
    let stdout = answer.ok_or_else(|| {
        let title = format!("`git {}` printed more than {} MiB", subcommand(command), MAX_ANSWER >> 20);
        Diagnostic::error(Code::TooMuch, title).help("check that this is the right repository")
    })?;
    Ok(Output { status, stdout, stderr: said })
}

/// The outcome of a run.
pub(super) struct Ended<T> {
    /// What was made of standard output.
    pub(super) answer: T,
    pub(super) status: ExitStatus,
    /// The beginning of standard error.
    pub(super) said: Vec<u8>,
}

/// Runs git with `input` as its standard input, while `read` reads its standard output: to the end, or as far as it likes. If that
/// breaks off, git is stopped.
///
/// # Errors
///
/// When git does not run, and if it waits for something that is not a file.
pub(super) fn pipe<T>(
    command: &mut Command,
    input: &[u8],
    read: impl FnOnce(&mut dyn BufRead) -> ControlFlow<T, T>,
) -> Result<Ended<T>> {
    let root = work_tree(command);
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = trace::run();
    let outcome = command.spawn().and_then(|mut child| {
        let talked = std::thread::scope(|scope| {
            let talked = talk(scope, &mut child, input, root.as_deref(), read);
            if talked.is_err() {
                // The threads end with it.
                drop(child.kill());
            }
            talked.map(|(answer, heard)| (answer, heard.join().unwrap_or_default()))
        });
        let status = child.wait()?;
        run.ended(command, status, &[]);
        let (answer, heard) = talked?;
        Ok((Ended { answer, status, said: heard.said }, heard.obstacle))
    });
    match outcome {
        Ok((ended, None)) => Ok(ended),
        Ok((_, Some(obstacle))) => Err(obstacle.into()),
        Err(error) => Err(unavailable(command, &error).into()),
    }
}

/// The root of the work tree that git is asked about, if it is asked about one.
fn work_tree(command: &Command) -> Option<PathBuf> {
    let is_asked = command.get_args().any(|argument| argument == "--work-tree=.");
    command.get_current_dir().filter(|_| is_asked).map(Path::to_path_buf)
}

type Talked<'scope, T> = (T, ScopedJoinHandle<'scope, Heard>);

fn talk<'scope, T>(
    scope: &'scope Scope<'scope, '_>,
    child: &mut Child,
    input: &'scope [u8],
    root: Option<&'scope Path>,
    read: impl FnOnce(&mut dyn BufRead) -> ControlFlow<T, T>,
) -> io::Result<Talked<'scope, T>> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let id = child.id();
    let heard = beside(scope, move || stderr.map(|stderr| listen(stderr, id, root)).unwrap_or_default())?;
    // Git may answer before it has read everything, so somebody must listen meanwhile. That it does not want to read everything is
    // its own affair, and its exit code says so.
    let write = move || match stdin.map(|mut stdin| stdin.write_all(input)) {
        Some(Err(error)) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    };
    let written = if input.len() > MIN_PIPE { Err(beside(scope, write)?) } else { Ok(write()) };
    let mut stdout = BufReader::with_capacity(1 << 16, stdout.ok_or(ErrorKind::BrokenPipe)?);
    let answer = match read(&mut stdout) {
        ControlFlow::Continue(answer) => answer,
        ControlFlow::Break(answer) => {
            drop(child.kill());
            answer
        }
    };
    // What git was told only in part, it has understood otherwise, whatever its exit code is.
    written.unwrap_or_else(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked"))))?;
    Ok((answer, heard))
}

/// What was heard of git while it ran.
#[derive(Debug, Default)]
struct Heard {
    /// The beginning of standard error.
    said: Vec<u8>,
    /// The reason why git waited and was stopped.
    obstacle: Option<Diagnostic>,
}

/// Reads standard error to its end, and keeps the beginning. A git that takes long in a work tree may wait for a pipe in there, and
/// then it is stopped.
fn listen(mut stderr: ChildStderr, id: u32, root: Option<&Path>) -> Heard {
    let (mut heard, mut buffer, mut watched) = (Heard::default(), [0; 4096], root);
    loop {
        if let Some(root) = watched.filter(|_| !is_heard_of(&stderr, LONG)) {
            watched = None;
            heard.obstacle = special::find(root);
            if heard.obstacle.is_some() {
                stop(id);
            }
        }
        match stderr.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return heard,
            Ok(length) => {
                let room = MAX_SAID.saturating_sub(heard.said.len());
                heard.said.extend_from_slice(&buffer[..length.min(room)]);
            }
        }
    }
}

/// Waits until there is something to read, or the end; false where the time is over before.
#[cfg(unix)]
fn is_heard_of(stderr: &ChildStderr, time: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let limit = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: 0 };
    !matches!(poll(&mut [PollFd::new(stderr, PollFlags::IN)], Some(&limit)), Ok(0))
}

/// There are no pipes among files.
#[cfg(not(unix))]
fn is_heard_of(_: &ChildStderr, _: Duration) -> bool {
    true
}

/// Stops a child that nobody has waited for, so that no other process can have its number.
#[cfg(unix)]
fn stop(id: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(child) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It may have ended just now.
        kill_process(child, Signal::KILL).unwrap_or_default();
    }
}

#[cfg(not(unix))]
fn stop(_: u32) {}

/// Starts a thread. The system may refuse, which is an error like any other.
pub(super) fn beside<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, work)
}

/// Says that git does not run.
pub(super) fn unavailable(command: &Command, error: &io::Error) -> Diagnostic {
    let directory = command.get_current_dir().unwrap_or(Path::new("."));
    if error.kind() == ErrorKind::NotFound && directory.is_dir() {
        return Diagnostic::error(Code::Git, "git is not installed, or not on the PATH")
            .help("install git from https://git-scm.com/downloads, then run the command again");
    }
    let problem = Diagnostic { code: Code::Git, ..Diagnostic::io("cannot run git in", directory, error) };
    match error.kind() {
        // There are too many processes or threads.
        ErrorKind::WouldBlock => problem.help("end other programs or raise the limit (`ulimit -u`), then try again"),
        _ => problem,
    }
}

/// Says why git failed.
pub(super) fn refused(command: &Command, output: &Output) -> Diagnostic {
    let name = subcommand(command);
    let text = lossy(&output.stderr);
    let reason = text.lines().map(str::trim).find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let reason = reason.or_else(|| text.lines().next()).unwrap_or("it was stopped");
    if output.status.code() == Some(129) {
        return too_old(reason);
    }
    let title = format!("`git {name}` failed: {}", short(reason.trim_start_matches("fatal: ")));
    Diagnostic::error(Code::Git, title).help("fix the problem that git reports, then try again")
}

/// Git ends so where it does not know an option.
fn too_old(said: &str) -> Diagnostic {
    Diagnostic::error(Code::Git, format!("git is too old: {said}"))
        .help("install git 2.30 or newer, then run the command again")
}

/// Bytes as text. What git prints is almost always UTF-8.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
