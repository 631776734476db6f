//! Runs a program for a limited time, in an environment with nothing of the user's in it but where programs find their own files.

use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use etcetera::BaseStrategy as _;
use tempfile::TempDir;

use crate::interrupt::{self, Watch};

/// The environment that a program is given, and nothing else: programs find their own files by these.
const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "COMSPEC",
    "PATHEXT",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
];
/// The longest pause between two looks at whether a program has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// The first one: most programs that format a file have ended by then.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// How long the last words of a program that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A directory for a program to run in. Those above it are the user's own: Cargo, rustup and others look for settings there, and everybody may
/// write to the system's directory for temporary files, which is taken where there is no other.
///
/// # Errors
///
/// If it cannot be made.
pub(crate) fn place() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("create-app-");
    let own = etcetera::base_strategy::choose_native_strategy().ok();
    let own = own.map(|strategy| strategy.cache_dir().join("create-app").join("run"));
    let made = own.and_then(|own| fs_err::create_dir_all(&own).and_then(|()| builder.tempdir_in(&own)).ok());
    made.map_or_else(|| builder.tempdir(), Ok)
}

/// A program that has ended.
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// The beginning of what it wrote to its output.
    pub(crate) said: Vec<u8>,
    /// The beginning of what it wrote as errors.
    pub(crate) complaint: Vec<u8>,
}

/// Runs a program with its arguments in a directory. `input` is what it reads, `kept` how many bytes of its output and of its errors are
/// kept. None where it takes longer than `timeout`: it was ended then, with what it had started.
///
/// # Errors
///
/// Where it cannot be started or waited for; [`io::ErrorKind::Interrupted`] where Ctrl-C or the like came meanwhile: it was ended then, too.
pub(crate) fn run(
    words: &[OsString],
    directory: &Path,
    input: Option<Bytes>,
    timeout: Duration,
    kept: usize,
) -> io::Result<Option<Ended>> {
    let end = Instant::now() + timeout;
    let _watch = Watch::new();
    let mut child = spawn(words, directory, input.is_some())?;
    let said = child.stdout.take().map(|pipe| listen(pipe, kept));
    let complaint = child.stderr.take().map(|pipe| listen(pipe, kept));
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // One that reads nothing ends without it.
        drop(std::thread::Builder::new().spawn(move || drop(pipe.write_all(&input))));
    }
    let status = wait(&mut child, end);
    // What it has started ends with it.
    kill_all(&child);
    let Ok(Some(status)) = status else {
        drop(child.kill());
        drop(child.wait());
        return status.map(|_| None);
    };
    let [said, complaint] =
        [said, complaint].map(|heard| heard.and_then(|heard| heard.recv_timeout(LAST_WORDS).ok()).unwrap_or_default());
    Ok(Some(Ended { status, said, complaint }))
}

fn spawn(words: &[OsString], directory: &Path, reads: bool) -> io::Result<Child> {
    let [program, arguments @ ..] = words else { return Err(io::ErrorKind::NotFound.into()) };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).env_clear();
    command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.stdin(if reads { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Reads all that a program says, and keeps the beginning. The thread ends with the last process that has the pipe.
fn listen(mut pipe: impl Read + Send + 'static, most: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    let listener = move || {
        let (mut kept, mut buffer) = (Vec::new(), [0; 8192]);
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            let room = most.saturating_sub(kept.len());
            kept.extend_from_slice(&buffer[..length.min(room)]);
        }
        // Nobody waits for it any more.
        drop(sender.send(kept));
    };
    // Without a thread, it is as if the program had said nothing.
    drop(std::thread::Builder::new().spawn(listener));
    receiver
}

/// Waits for a program; `None` if it takes too long.
fn wait(child: &mut Child, end: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if interrupt::is_caught() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}

#[cfg(unix)]
fn kill_all(child: &Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // A group that is gone needs no more.
        let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_all(_: &Child) {}
