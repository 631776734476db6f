//! The completion scripts in the shells that they are for: real ones, at a pseudo-terminal, judged by what a Tab makes of a line.

use std::io::{Read as _, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The whole of a test takes no longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A shell that has read its completion script.
struct Shell {
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    killer: Box<dyn ChildKiller + Send + Sync>,
    deadline: Instant,
    _home: tempfile::TempDir,
    _master: Box<dyn MasterPty + Send>,
}

impl Shell {
    /// Starts a shell and types `set_up`, which reads the script of this file name. None where the shell is missing.
    fn start(name: &str, arguments: &[&str], script: &str, set_up: &str) -> Option<Self> {
        if std::process::Command::new(name).arg("--version").output().is_err() {
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let printed = crate::support::command::create_app().args(["completions", name]).output().unwrap();
        assert!(printed.status.success());
        fs_err::write(home.path().join(script), printed.stdout).unwrap();
        let pty = native_pty_system().openpty(PtySize { rows: 40, cols: 100, ..PtySize::default() }).unwrap();
        let mut child = pty.slave.spawn_command(command(name, arguments, home.path())).unwrap();
        let killer = child.clone_killer();
        std::thread::spawn(move || child.wait());
        drop(pty.slave);
        let keyboard = pty.master.take_writer().unwrap();
        let mut reader = pty.master.try_clone_reader().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                drop(sender.send(bytes[..n].to_vec()));
            }
        });
        let screen = vt100::Parser::new(40.try_into().unwrap(), 100.try_into().unwrap(), 0);
        let deadline = Instant::now() + LIMIT;
        let mut shell = Self { keyboard, output, screen, killer, deadline, _home: home, _master: pty.master };
        shell.press(&format!("{set_up}; echo rea''dy\r"));
        shell.see("\nready");
        shell.press("clear\r");
        shell.see_not("ready");
        Some(shell)
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Types the start of a line, a Tab, and gives the line up when `expected` is there.
    #[track_caller]
    fn completes(&mut self, line: &str, expected: &str) {
        self.press(&format!("{line}\t"));
        self.see(expected);
        self.press("\x15\x0c");
        self.see_not(expected);
    }

    #[track_caller]
    fn see(&mut self, text: &str) {
        self.wait(text, |screen| screen.contains(text));
    }

    #[track_caller]
    fn see_not(&mut self, text: &str) {
        self.wait(text, |screen| !screen.contains(text));
    }

    #[track_caller]
    fn wait(&mut self, what: &str, is_so: impl Fn(&str) -> bool) {
        loop {
            let contents = self.screen.screen().contents();
            if is_so(&contents) {
                return;
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.answer(&bytes),
                Err(_) => panic!("waited in vain for {what:?} on the screen:\n{contents}"),
            }
        }
    }

    /// Draws, and answers what fish asks a terminal: which one it is, and where the cursor is.
    fn answer(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        let asked = String::from_utf8_lossy(bytes).into_owned();
        if asked.contains("\x1b[c") || asked.contains("\x1b[0c") {
            self.press("\x1b[?62;c");
        }
        if asked.contains("\x1b[6n") {
            let (row, column) = self.screen.screen().cursor_position();
            self.press(&format!("\x1b[{};{}R", row + 1, column + 1));
        }
    }

    /// The commands, the options of a command, and the values of an option.
    fn completes_all_levels(&mut self) {
        self.completes("create-app upg", "create-app upgrade");
        self.completes("create-app upgrade --dry", "create-app upgrade --dry-run");
        self.completes("create-app check --pristin", "create-app check --pristine");
        self.completes("create-app new --values", "create-app new --values-file");
        self.completes("create-app diff --conflict dif", "create-app diff --conflict diff3");
        self.completes("create-app completions fi", "create-app completions fish");
        self.completes("create-app man upg", "create-app man upgrade");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.killer.kill());
    }
}

fn command(name: &str, arguments: &[&str], home: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(name);
    command.args(arguments);
    command.cwd(home);
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", home);
    command.env("TERM", "xterm");
    command.env("LC_ALL", "C");
    command
}

#[test]
fn bash_completes() {
    match Shell::start("bash", &["--norc", "--noprofile", "-i"], "script", "source ./script") {
        Some(mut shell) => shell.completes_all_levels(),
        None => println!("skipped: bash is not installed"),
    }
}

#[test]
fn zsh_completes() {
    let set_up = "fpath=($PWD $fpath); autoload -U compinit; compinit -u";
    match Shell::start("zsh", &["-f", "-i"], "_create-app", set_up) {
        Some(mut shell) => shell.completes_all_levels(),
        None => println!("skipped: zsh is not installed"),
    }
}

#[test]
fn fish_completes() {
    match Shell::start("fish", &["--no-config", "-i"], "script", "source ./script") {
        Some(mut shell) => shell.completes_all_levels(),
        None => println!("skipped: fish is not installed"),
    }
}
