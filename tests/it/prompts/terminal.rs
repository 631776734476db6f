//! The program at work, at a terminal of its own.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};

use super::display::Display;

pub(crate) const ENTER: &str = "\r";
pub(crate) const UP: &str = "\x1b[A";
pub(crate) const DOWN: &str = "\x1b[B";
pub(crate) const END: &str = "\x1b[F";
pub(crate) const ESC: &str = "\x1b";
pub(crate) const BACKSPACE: &str = "\x7f";
pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const SHIFT_TAB: &str = "\x1b[Z";

/// Below a text of several lines.
pub(crate) const MORE_LINES: &str = "[two empty lines to finish,";

/// A whole test takes no longer, however slow the machine.
const LIMIT: Duration = Duration::from_secs(30);

/// What a program wrote before it ended arrives within this time: how long a test that fails waits for more.
const LAST_WORDS: Duration = Duration::from_secs(5);

pub(crate) fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/prompts")
}

/// What is to be run, and at which terminal.
pub(crate) struct Setup {
    template: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    shell: Option<String>,
    rows: u16,
    columns: u16,
}

impl Setup {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Runs the command, `"$0" "$@"`, from a shell script.
    pub(crate) fn shell(mut self, script: &str) -> Self {
        self.shell = Some(script.into());
        self
    }

    /// How tall the terminal is; 0 for one that does not know its size.
    pub(crate) fn rows(mut self, rows: u16) -> Self {
        self.rows = rows;
        self
    }

    pub(crate) fn columns(mut self, columns: u16) -> Self {
        self.columns = columns;
        self
    }

    pub(crate) fn run(self) -> Terminal {
        let directory = tempfile::tempdir().unwrap();
        let work = directory.path().join("work");
        std::fs::create_dir(&work).unwrap();
        let columns = if self.rows == 0 { 0 } else { self.columns };
        let size = PtySize { rows: self.rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mode = mode(pty.master.as_ref());
        let deadline = Instant::now() + LIMIT;
        let display = Arc::new(Display::new(size, deadline));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let mut child = pty.slave.spawn_command(self.command(&work)).unwrap();
        let killer = child.clone_killer();
        let process = child.process_id().unwrap();
        let (sender, exit) = mpsc::channel();
        let shown = Arc::clone(&display);
        std::thread::spawn(move || {
            let status = child.wait().unwrap();
            shown.end(Instant::now() + LAST_WORDS);
            sender.send(status)
        });
        let (done, drained) = mpsc::channel();
        let shown = Arc::clone(&display);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                shown.draw(&buffer[..count]);
            }
            done.send(())
        });
        let keyboard = pty.master.take_writer().unwrap();
        let (master, slave) = (pty.master, Some(pty.slave));
        Terminal { directory, keyboard, display, master, slave, mode, exit, drained, killer, process, deadline }
    }

    fn command(&self, work: &Path) -> CommandBuilder {
        let program = env!("CARGO_BIN_EXE_create-app");
        let mut command = match &self.shell {
            Some(script) => {
                let mut command = CommandBuilder::new("sh");
                command.args(["-c", script, program]);
                command
            }
            None => CommandBuilder::new(program),
        };
        command.args(["new", "project", "--vcs", "none", "--path"]);
        command.arg(&self.template);
        command.args(&self.arguments);
        command.cwd(work);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", work.parent().unwrap());
        command.env("TERM", "xterm-256color");
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }
}

/// The program at work, and the terminal that it draws on.
pub(crate) struct Terminal {
    directory: tempfile::TempDir,
    keyboard: Box<dyn Write + Send>,
    display: Arc<Display>,
    master: Box<dyn MasterPty + Send>,
    /// Held open until the program has ended, for the terminal's mode.
    slave: Option<Box<dyn SlavePty + Send>>,
    /// The terminal's mode before the program ran.
    mode: String,
    exit: mpsc::Receiver<ExitStatus>,
    drained: mpsc::Receiver<()>,
    killer: Box<dyn ChildKiller + Send + Sync>,
    process: u32,
    deadline: Instant,
}

impl Terminal {
    #[expect(clippy::new_ret_no_self, reason = "reads well: a terminal for this template, set up further, then run")]
    pub(crate) fn new(case: &str) -> Setup {
        Setup {
            template: cases().join(case),
            arguments: Vec::new(),
            environment: Vec::new(),
            shell: None,
            rows: 30,
            columns: 160,
        }
    }

    /// Where the program runs.
    pub(crate) fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Asks the program to end, as `kill` does.
    pub(crate) fn terminate(&self) {
        let process = nix::unistd::Pid::from_raw(i32::try_from(self.process).unwrap());
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM).unwrap();
    }

    /// Pastes as a terminal does that was asked to mark what is pasted.
    pub(crate) fn paste(&mut self, text: &str) {
        self.wait("a program that takes pasted text", vt100::Screen::bracketed_paste);
        self.press(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Types one line of a text, and waits for the next one to be asked for.
    pub(crate) fn type_line(&mut self, line: &str) {
        self.see(MORE_LINES);
        let (row, _) = self.display.with(|screen, _| screen.cursor_position());
        self.press(&format!("{line}{ENTER}"));
        self.wait("the next line", |screen| {
            screen.cursor_position().0 == row + 1 && screen.contents().contains(MORE_LINES)
        });
    }

    pub(crate) fn see(&self, text: &str) {
        self.see_all(&[text]);
    }

    pub(crate) fn see_all(&self, texts: &[&str]) {
        self.wait(&format!("{texts:?}"), |screen| texts.iter().all(|text| screen.contents().contains(text)));
    }

    pub(crate) fn see_not(&self, text: &str) {
        self.wait(&format!("no {text:?}"), |screen| !screen.contents().contains(text));
    }

    /// Waits for the text on the screen, with a line for each row, to be as described.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        self.wait(what, |screen| is_so(&screen.contents()));
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.display.resize(size);
        self.master.resize(size).unwrap();
    }

    pub(crate) fn contents(&self) -> String {
        self.display.with(|screen, _| screen.contents())
    }

    pub(crate) fn is_coloured(&self) -> bool {
        self.display.with(|screen, _| {
            let (rows, columns) = screen.size();
            let mut cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
            cells.any(|(row, column)| screen.cell(row, column).unwrap().fgcolor() != vt100::Color::Default)
        })
    }

    /// Whether the terminal's mode is another one now than before the program ran.
    pub(crate) fn has_another_mode(&self) -> bool {
        mode(self.master.as_ref()) != self.mode
    }

    /// Checks that the terminal has not been sent this byte.
    pub(crate) fn was_never_sent(&self, byte: u8) {
        self.display.with(|_, bytes| assert!(!bytes.contains(&byte), "{}", bytes.escape_ascii()));
    }

    /// Checks that the terminal has not been sent this text.
    pub(crate) fn was_never_shown(&self, text: &str) {
        self.display.with(|_, bytes| {
            let shown = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!shown, "{}", bytes.escape_ascii());
        });
    }

    /// Checks that the terminal has been sent this text, even if it was wiped off again.
    pub(crate) fn was_once_shown(&self, text: &str) {
        self.display.with(|_, bytes| {
            let shown = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(shown, "{}", bytes.escape_ascii());
        });
    }

    /// Waits for the screen to be as described. The cursor is hidden while the prompt is drawn: such a half is not judged.
    fn wait(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let seen = self.display.wait(|screen| !screen.hide_cursor() && is_so(screen));
        assert!(seen, "waited in vain for {what} on the screen:\n{}", self.contents());
    }

    /// Waits for the program to end and for all that it wrote, and checks that it left the terminal as it was.
    pub(crate) fn exit(&mut self) -> u32 {
        let left = || self.deadline.saturating_duration_since(Instant::now());
        let Ok(status) = self.exit.recv_timeout(left()) else {
            panic!("the program does not end; the screen:\n{}", self.contents());
        };
        assert_eq!(mode(self.master.as_ref()), self.mode, "the terminal's mode is not restored");
        drop(self.slave.take());
        assert_eq!(self.drained.recv_timeout(left()), Ok(()), "something still writes to the terminal");
        self.wait("a cursor, and plain pasting", |screen| !screen.bracketed_paste());
        status.exit_code()
    }

    /// Accepts the answers, which are shown in the end. Returns what the project holds then: the template's only file.
    pub(crate) fn answer(&mut self) -> String {
        self.accept();
        self.made()
    }

    /// Accepts the answers, which are shown in the end.
    pub(crate) fn accept(&mut self) {
        self.see("> Yes");
        self.press(ENTER);
    }

    /// What the project holds at the end, without a question.
    pub(crate) fn made(&mut self) -> String {
        let code = self.exit();
        assert_eq!(code, 0, "the screen:\n{}", self.contents());
        std::fs::read_to_string(self.work().join("project/answer.txt")).unwrap()
    }

    /// Waits for the program to end with an error, and checks that neither a project nor anything else is left beside it.
    pub(crate) fn wrote_nothing(&mut self) {
        let code = self.exit();
        assert_eq!(code, 2, "the screen:\n{}", self.contents());
        let left: Vec<_> = std::fs::read_dir(self.work()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended where the test passed.
        drop(self.killer.kill());
    }
}

/// The terminal's mode in words: canonical or raw, echo, signals, …
fn mode(terminal: &dyn MasterPty) -> String {
    format!("{:?}", terminal.get_termios().unwrap())
}
