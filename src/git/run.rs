//! Runs git, and reads its answer as far as it is worth reading.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use super::command::subcommand;
use super::failure::short;
use crate::diagnostic::{Code, Diagnostic, Result};

/// The longest answer that is held, in bytes.
const MAX_ANSWER: u64 = 256 << 20;
/// This much of git's standard error is kept, in bytes. The reason of a failure is short.
pub(super) const MAX_SAID: usize = 64 << 10;
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
        let title = format!("`git {}` has an answer of more than 256 MiB", subcommand(command));
        Diagnostic::error(Code::TooMuch, title).help("run the command in the repository that it is meant for")
    })?;
    Ok(Output { status, stdout, stderr: said })
}

/// What came of a run.
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
/// When git does not run.
pub(super) fn pipe<T>(
    command: &mut Command,
    input: &[u8],
    read: impl FnOnce(&mut dyn BufRead) -> ControlFlow<T, T>,
) -> Result<Ended<T>> {
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let outcome = command.spawn().and_then(|mut child| {
        let talked = std::thread::scope(|scope| {
            let talked = talk(scope, &mut child, input, read);
            if talked.is_err() {
                // The threads end with it.
                drop(child.kill());
            }
            talked.map(|(answer, said)| (answer, said.join().unwrap_or_default()))
        });
        let status = child.wait()?;
        let (answer, said) = talked?;
        Ok(Ended { answer, status, said })
    });
    Ok(outcome.map_err(|error| unavailable(command, &error))?)
}

type Talked<'scope, T> = (T, ScopedJoinHandle<'scope, Vec<u8>>);

fn talk<'scope, T>(
    scope: &'scope Scope<'scope, '_>,
    child: &mut Child,
    input: &'scope [u8],
    read: impl FnOnce(&mut dyn BufRead) -> ControlFlow<T, T>,
) -> io::Result<Talked<'scope, T>> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let said = beside(scope, move || stderr.map(keep).unwrap_or_default())?;
    // Git may answer before it has read everything, so somebody must listen meanwhile. Whether it has read
    // everything is its own affair, and its exit code says so.
    let write = move || stdin.map(|mut stdin| stdin.write_all(input));
    if input.len() > MIN_PIPE {
        beside(scope, write)?;
    } else {
        drop(write());
    }
    let mut stdout = BufReader::with_capacity(1 << 16, stdout.ok_or(ErrorKind::BrokenPipe)?);
    let answer = match read(&mut stdout) {
        ControlFlow::Continue(answer) => answer,
        ControlFlow::Break(answer) => {
            drop(child.kill());
            answer
        }
    };
    Ok((answer, said))
}

/// Starts a thread. The system may refuse, which is an error like any other.
pub(super) fn beside<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, work)
}

/// Reads to the end, and keeps the beginning.
fn keep(mut stderr: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let read = stderr.by_ref().take(MAX_SAID as u64).read_to_end(&mut kept);
    drop(read.and_then(|_| io::copy(&mut stderr, &mut io::sink())));
    kept
}

/// Says that git does not run.
pub(super) fn unavailable(command: &Command, error: &io::Error) -> Diagnostic {
    let directory = command.get_current_dir().unwrap_or(Path::new("."));
    if error.kind() == ErrorKind::NotFound && directory.is_dir() {
        return Diagnostic::error(Code::Git, "git is not installed, or not on the path")
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
