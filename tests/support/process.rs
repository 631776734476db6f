//! Processes that end with the test, whatever becomes of it, together with everything that they started.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What a command may take; the slowest one of the tests needs a tenth of it.
const LIMIT: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(10);

/// What a finished command left.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    /// Both of its outputs, in the order in which their lines came.
    pub(crate) output: String,
}

impl Finished {
    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> String {
        assert!(self.code == code, "exit code {}, not {code}\n{}", self.code, self.output);
        self.output
    }

    /// Fails the test unless the command succeeded.
    #[track_caller]
    pub(crate) fn succeeds(self) -> String {
        self.exits(0)
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Finished {
    Running::start(command).finish()
}

/// A command that runs, leader of its own process group.
pub(crate) struct Running {
    child: Child,
    lines: Arc<(Mutex<Vec<String>>, Condvar)>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Running {
    /// Starts a command without input, unless it has been given one.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let lines = Arc::default();
        let stdout = read(child.stdout.take().expect("piped"), &lines);
        let stderr = read(child.stderr.take().expect("piped"), &lines);
        Self { child, lines, readers: vec![stdout, stderr] }
    }

    /// Waits until a line of the output contains `text`, and returns that line.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            let (lines, changed) = &*self.lines;
            let lines = lines.lock().expect("no reader panics");
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let (lines, _) = changed.wait_timeout(lines, POLL).expect("no reader panics");
            let ended =
                self.child.try_wait().expect("our own child").is_some() && self.readers.iter().all(|r| r.is_finished());
            let seen = lines.iter().any(|line| line.contains(text));
            assert!(seen || !ended && Instant::now() < deadline, "never printed {text:?}:\n{}", lines.concat());
        }
    }

    /// Sends a signal to the command alone, as GitHub's runner does when a run is cancelled.
    pub(crate) fn signal(&self, name: &str) {
        send(name, &self.child.id().to_string());
    }

    /// Sends a signal to the one process below it whose command line contains `text`.
    #[track_caller]
    pub(crate) fn signal_below(&self, text: &str, name: &str) {
        let below = descendants(self.child.id());
        let found: Vec<_> = below.iter().filter(|(_, arguments)| arguments.contains(text)).collect();
        let [(process, _)] = found.as_slice() else { panic!("not one process runs {text:?}: {below:#?}") };
        send(name, process);
    }

    /// Whether the command has ended.
    #[track_caller]
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_some()
    }

    /// The command lines of everything that runs in its group.
    pub(crate) fn arguments(&self) -> String {
        let ps = Command::new("ps").args(["-A", "-ww", "-o", "pgid=,args="]).output().expect("ps is on every Unix");
        let group = self.child.id().to_string();
        let lines = String::from_utf8_lossy(&ps.stdout).into_owned();
        let own = lines.lines().filter(|line| line.split_whitespace().next() == Some(&group));
        own.fold(String::new(), |text, line| text + line + "\n")
    }

    /// Ends it at once, with everything that it started, and returns what it had printed.
    pub(crate) fn kill(mut self) -> String {
        self.end_group();
        self.child.wait().expect("our own child");
        for reader in self.readers.drain(..) {
            reader.join().expect("no reader panics");
        }
        self.output()
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                break status;
            }
            assert!(Instant::now() < deadline, "still running after {LIMIT:?}:\n{}", self.output());
            thread::sleep(POLL);
        };
        // Nobody may outlive it and keep its pipes open.
        self.end_group();
        for reader in self.readers.drain(..) {
            reader.join().expect("no reader panics");
        }
        Finished { code: code(status), output: self.output() }
    }

    /// What it has printed.
    pub(crate) fn output(&self) -> String {
        self.lines.0.lock().expect("no reader panics").concat()
    }

    fn end_group(&self) {
        send("KILL", &format!("-{}", self.child.id()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_group();
        drop(self.child.wait());
    }
}

/// The processes that a process has started, directly or through others: their ids and command lines.
fn descendants(ancestor: u32) -> Vec<(String, String)> {
    let ps = Command::new("ps").args(["-A", "-ww", "-o", "pid=,ppid=,args="]).output().expect("ps is on every Unix");
    let text = String::from_utf8_lossy(&ps.stdout).into_owned();
    let row = |line: &str| {
        let (process, rest) = line.trim_start().split_once(' ')?;
        let (parent, arguments) = rest.trim_start().split_once(' ')?;
        Some((parent.to_owned(), process.to_owned(), arguments.to_owned()))
    };
    let rows: Vec<_> = text.lines().filter_map(row).collect();
    let children = |of: &str| {
        rows.iter()
            .filter(|(parent, ..)| parent == of)
            .map(|(_, process, arguments)| (process.clone(), arguments.clone()))
            .collect::<Vec<_>>()
    };
    let mut found = children(&ancestor.to_string());
    let mut at = 0;
    while let Some((process, _)) = found.get(at).cloned() {
        found.extend(children(&process));
        at += 1;
    }
    found
}

/// As a shell counts.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().expect("it ended by code or by signal"))
}

/// A process, or a group with a minus sign, that is gone already is as good as one that ends.
fn send(signal: &str, target: &str) {
    let kill = Command::new("kill").args(["-s", signal, "--", target]).stderr(Stdio::null()).status();
    kill.expect("kill is on every Unix");
}

fn read(pipe: impl Read + Send + 'static, lines: &Arc<(Mutex<Vec<String>>, Condvar)>) -> thread::JoinHandle<()> {
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            lines.0.lock().expect("no reader panics").push(text);
            lines.1.notify_all();
            line.clear();
        }
    })
}
