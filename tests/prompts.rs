//! The questions, as a user sees and answers them: the real program at a pseudo-terminal, judged by the screen it draws and
//! by the project it writes. `tests/prompts/<case>/` holds the templates.
//!
//! Unix only: Windows' pseudo-terminal redraws what a program writes, so neither the bytes nor the terminal's mode are the
//! program's own there.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

mod support;

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};

const ENTER: &str = "\r";
const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const END: &str = "\x1b[F";
const ESC: &str = "\x1b";
const BACKSPACE: &str = "\x7f";
const CTRL_C: &str = "\x03";

/// Below a text of several lines.
const MORE_LINES: &str = "[two empty lines to finish, esc to cancel]";

/// A whole test takes no longer, however slow the machine.
const LIMIT: Duration = Duration::from_secs(30);

/// What a program wrote before it ended arrives within this time: how long a test that fails waits for more.
const LAST_WORDS: Duration = Duration::from_secs(5);

#[test]
fn enter_accepts_the_default_that_is_shown() {
    let mut terminal = Terminal::new("string").run();
    terminal.see("? What is it called? (My shop)");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "My shop\n");
    terminal.see("✔ What is it called? My shop");
}

#[test]
fn what_is_typed_replaces_the_default() {
    let mut terminal = Terminal::new("string").run();
    terminal.see("(My shop)");
    terminal.press("Ünï 日本");
    terminal.see("(My shop) Ünï 日本");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "Ünï 日本\n");
}

#[test]
fn a_pasted_line_end_is_no_part_of_a_one_line_answer() {
    let mut terminal = Terminal::new("string").run();
    terminal.see("(My shop)");
    terminal.paste("one\ntwo\n");
    terminal.see("two");
    terminal.press(ENTER);
    terminal.see(r"✗ `one\ntwo\n` has several lines");
    terminal.press(&format!("{}{ENTER}", BACKSPACE.repeat(4)));
    assert_eq!(terminal.answer(), "one\n");
}

#[test]
fn a_rule_is_shown_until_it_is_met_and_holds_the_submission_back() {
    let rule = "give a value that matches the regular expression `^[a-z][a-z0-9-]*$`";
    let mut terminal = Terminal::new("regex").run();
    terminal.see("? Which slug?");
    terminal.see(&format!("! {rule}"));
    terminal.press("my");
    terminal.see("Which slug? my");
    terminal.see_not(rule);
    terminal.press(" Shop");
    terminal.see("Which slug? my Shop");
    terminal.see(rule);
    terminal.press(ENTER);
    terminal.see("✗ `my Shop` does not match `^[a-z][a-z0-9-]*$`");
    terminal.press(&format!("{}-shop", BACKSPACE.repeat(5)));
    terminal.see("Which slug? my-shop");
    terminal.see_not(rule);
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "my-shop\n");
}

#[test]
fn the_rule_below_the_line_cannot_be_chosen_as_the_answer() {
    let mut terminal = Terminal::new("unanchored").run();
    terminal.see("! give a value that matches the regular expression `[0-9]`");
    terminal.press("x");
    terminal.see("version? x");
    terminal.press(&format!("{DOWN}\t{ENTER}"));
    terminal.see("✗ `x` does not match `[0-9]`");
    terminal.press("7y");
    terminal.see("version? x7y");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "x7y\n");
}

#[test]
fn a_question_without_a_default_needs_an_answer() {
    let mut terminal = Terminal::new("required").run();
    terminal.see("? Who owns it?");
    terminal.press(ENTER);
    terminal.see("an empty answer is no answer");
    terminal.press("Ann");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "Ann\n");
}

#[test]
fn an_empty_answer_is_one_where_its_rule_allows_it() {
    let mut terminal = Terminal::new("optional").run();
    terminal.see("? Any remark?");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[]\n");
}

#[test]
fn the_arrows_start_at_the_default() {
    let mut terminal = Terminal::new("choice").run();
    terminal.see("> mysql");
    terminal.press(DOWN);
    terminal.see("> postgres");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "postgres\n");
    terminal.see("✔ Which database? postgres");
}

#[test]
fn typing_filters_the_choices() {
    let mut terminal = Terminal::new("choice").run();
    terminal.see("> mysql");
    terminal.press("SQL");
    terminal.see_not("postgres");
    terminal.see("> sqlite");
    terminal.press("x");
    terminal.see_not("sqlite");
    // Nothing matches: there is nothing to accept, and the question stays.
    terminal.press(&format!("{ENTER}{BACKSPACE}"));
    terminal.see("> sqlite");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "sqlite\n");
}

#[test]
fn many_choices_scroll_and_wrap_around() {
    let mut terminal = Terminal::new("many").rows(12).run();
    terminal.see("> region-100");
    assert!(terminal.contents().lines().count() <= 12);
    terminal.see("? Which region?");
    terminal.press(END);
    terminal.see("> region-200");
    terminal.press(DOWN);
    terminal.see("> region-001");
    terminal.press(UP);
    terminal.see("> region-200");
    terminal.press("17");
    terminal.see("> region-017");
    terminal.press(&format!("{DOWN}{DOWN}"));
    terminal.see("> region-170");
    terminal.see("? Which region? 17");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "region-170\n");
}

#[test]
fn a_yes_or_no_question_shows_its_default_and_insists_on_either() {
    let mut terminal = Terminal::new("bool").run();
    terminal.see("? With documentation? (Y/n)");
    terminal.press(ENTER);
    terminal.see("✔ With documentation? yes");
    terminal.see("? With tests? y/n");
    terminal.press("maybe\r");
    terminal.see("✗ type y or n");
    terminal.press(&format!("{}N\r", BACKSPACE.repeat(5)));
    terminal.see("✔ With tests? no");
    assert_eq!(terminal.answer(), "true false\n");
}

#[test]
fn the_default_of_a_list_is_preselected_and_keeps_its_order() {
    let mut terminal = Terminal::new("array").run();
    terminal.see("[x] docker");
    terminal.see("[x] ci");
    terminal.see("[ ] nix");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "docker|ci\n");
}

#[test]
fn space_toggles_items_even_those_with_a_comma() {
    let mut terminal = Terminal::new("array").run();
    terminal.see("> [x] ci");
    terminal.press(" ");
    terminal.see("> [ ] ci");
    terminal.press(DOWN);
    terminal.see("> [ ] docs, examples");
    terminal.press(" ");
    terminal.see("> [x] docs, examples");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "docs, examples|docker\n");
    terminal.see("✔ Which extras? docs, examples, docker");
}

#[test]
fn a_text_has_several_lines_and_two_empty_ones_end_it() {
    let mut terminal = Terminal::new("text").run();
    terminal.see("? What is it about?");
    terminal.type_line("A place");
    terminal.type_line("");
    terminal.type_line("for all");
    terminal.type_line("");
    terminal.press(ENTER);
    // Refused as a whole: the lines come back, one by one, to be mended.
    terminal.see("! the text does not match `shop`");
    terminal.see("? What is it about? A place");
    terminal.type_line(&format!("{}shop", BACKSPACE.repeat(5)));
    terminal.see("✔ What is it about? A shop");
    terminal.type_line("");
    terminal.type_line(".");
    terminal.type_line("");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[A shop\n\nfor all.]\n");
}

#[test]
fn a_pasted_text_keeps_its_lines() {
    let mut terminal = Terminal::new("text").run();
    terminal.see("? What is it about?");
    terminal.paste("A shop.\n\n\n\tFor everybody.\n");
    terminal.see("For everybody.");
    terminal.press(ENTER);
    terminal.see_all(&["✔ What is it about? A shop.", MORE_LINES]);
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[A shop.\n\n\n\tFor everybody.]\n");
}

#[test]
fn enter_accepts_the_default_of_a_text() {
    let mut terminal = Terminal::new("text-default").run();
    terminal.see(r"? What is it about? (A shop.\nFor everybody.)");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[A shop.\nFor everybody.]\n");
}

#[test]
fn the_editor_is_the_users_own_and_its_text_is_checked() {
    let script = cases().join("editor.sh");
    let mut terminal = Terminal::new("editor").env("VISUAL", &format!("sh '{}' --wait", script.display())).run();
    terminal.see("? Release notes? [(e) to open sh, (enter) to submit]");
    terminal.see("[default: Nothing yet.]");
    terminal.press("e");
    terminal.press(ENTER);
    terminal.see("✗ the text does not match `[.!]$`");
    terminal.press("e");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[First line\n\nThe end.]\n");
    terminal.see("✔ Release notes? First line (and 2 more lines)");
}

#[test]
fn the_editor_need_not_be_opened_for_the_default() {
    let mut terminal = Terminal::new("editor").env("EDITOR", "no-such-editor").run();
    terminal.see("? Release notes? [(e) to open no-such-editor");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[Nothing yet.]\n");
}

#[test]
fn an_editor_that_cannot_be_run_costs_no_answer() {
    let mut terminal = Terminal::new("editor").env("EDITOR", "no-such-editor").run();
    terminal.see("(e) to open no-such-editor");
    terminal.press("e");
    terminal.see("! cannot edit with `no-such-editor`: no such file or directory; VISUAL and EDITOR name the editor");
    terminal.type_line("Typed here.");
    terminal.type_line("");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "[Typed here.]\n");
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let mut terminal = Terminal::new("several").run();
    terminal.see("? What is it called?");
    terminal.press("shop\r");
    terminal.see("> sqlite");
    terminal.press(DOWN);
    terminal.see("> mysql");
    assert_ne!(mode(terminal.master.as_ref()), terminal.mode, "keys are read one by one");
    terminal.press(CTRL_C);
    terminal.see("cancelled; nothing was written");
    terminal.see("A005");
    terminal.wrote_nothing();
}

#[test]
fn esc_leaves_nothing_behind() {
    let mut terminal = Terminal::new("several").run();
    terminal.see("? What is it called?");
    terminal.press("sho");
    terminal.see("called? sho");
    terminal.press(ESC);
    terminal.see("cancelled; nothing was written");
    terminal.wrote_nothing();
}

#[test]
fn what_a_template_says_cannot_act_on_the_terminal() {
    let mut terminal = Terminal::new("hostile").run();
    terminal.see(r"? \u{1b}]0;owned\u{7}\u{1b}[2JWhat is it");
    terminal.see(r"called? (a\u{9b}31mb)");
    terminal.press("b");
    terminal.see(r"! give a value that matches the regular expression `[a\u{1b}]`");
    terminal.press(&format!("{BACKSPACE}{ENTER}"));
    terminal.see(r"called? a\u{9b}31mb");
    terminal.see(r"? Which\r\u{202e} kind?");
    terminal.see(r"> li\u{1b}[1Ab");
    terminal.see(r"  bin\u{8}\u{8}\u{8}");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "a\u{9b}31mb li\u{1b}[1Ab\n");
    terminal.display.with(|_, bytes| assert!(!bytes.contains(&b'\x07'), "{}", bytes.escape_ascii()));
}

#[test]
fn neither_can_what_is_said_about_its_questions() {
    let mut terminal = Terminal::new("hostile").argument("--silent").run();
    terminal.wrote_nothing();
    terminal.see(r"-d 'kind=li\u{1b}[1Ab|bin\u{8}\u{8}\u{8}'");
    terminal.see(r"Which\r\u{202e} kind?");
    terminal.display.with(|_, bytes| assert!(!bytes.contains(&b'\x08'), "{}", bytes.escape_ascii()));
}

#[test]
fn standard_output_stays_clean() {
    let mut terminal = Terminal::new("choice").shell("exec \"$0\" \"$@\" >../stdout.txt").run();
    terminal.see("> mysql");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "mysql\n");
    let stdout = std::fs::read_to_string(terminal.work().join("../stdout.txt")).unwrap();
    assert!(!stdout.contains("Which database?"), "{stdout}");
    assert!(!stdout.contains('\x1b'), "{stdout:?}");
}

#[test]
fn colour_is_used_unless_the_user_wants_none() {
    for (name, value, coloured) in [("NO_COLOR", "", true), ("NO_COLOR", "1", false), ("CLICOLOR", "0", false)] {
        let mut terminal = Terminal::new("choice").env(name, value).run();
        terminal.see("> mysql");
        assert_eq!(terminal.is_coloured(), coloured, "{name}={value}");
        terminal.press(ENTER);
        assert_eq!(terminal.answer(), "mysql\n");
        terminal.see("✔ Which database? mysql");
        assert_eq!(terminal.is_coloured(), coloured, "{name}={value}");
    }
}

#[test]
fn a_terminal_of_unknown_size_is_no_obstacle() {
    let mut terminal = Terminal::new("choice").rows(0).run();
    terminal.see("> mysql");
    terminal.press(ENTER);
    assert_eq!(terminal.answer(), "mysql\n");
}

/// A project of the first version of a template, which is then upgraded to the second.
fn upgrade() -> Terminal {
    let script = format!(
        "\"$0\" \"$@\" --silent >../made.txt && exec \"$0\" upgrade project --path '{}'",
        cases().join("upgrade/2").display()
    );
    Terminal::new("upgrade/1").shell(&script).run()
}

#[test]
fn an_upgrade_asks_what_is_new_and_nothing_else() {
    let mut terminal = upgrade();
    terminal.see("? Which region?");
    assert!(!terminal.contents().contains("What is it called?"), "{}", terminal.contents());
    terminal.press(&format!("EU{ENTER}"));
    terminal.see("✗ `EU` does not match `^[a-z]+$`");
    terminal.press(&format!("{BACKSPACE}{BACKSPACE}eu{ENTER}"));
    assert_eq!(terminal.answer(), "My shop in eu\n");
    terminal.see("✔ Which region? eu");
    terminal.see("updated   answer.txt: changed in the template");
    let lock = std::fs::read_to_string(terminal.work().join("project/.create-app/lock.toml")).unwrap();
    assert!(lock.contains("region = \"eu\"") && lock.contains("title = \"My shop\""), "{lock}");
}

#[test]
fn ctrl_c_leaves_a_project_as_it_was() {
    let mut terminal = upgrade();
    terminal.see("? Which region?");
    assert!(terminal.work().join("project/.create-app/busy").exists(), "it is held while its user thinks");
    terminal.press(&format!("eu{CTRL_C}"));
    assert_eq!(terminal.exit(), 2);
    terminal.see("cancelled; nothing was written");
    let project = terminal.work().join("project");
    assert_eq!(std::fs::read_to_string(project.join("answer.txt")).unwrap(), "My shop\n");
    let names = |path: &Path| -> Vec<_> {
        let mut names: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&project), [".create-app", "answer.txt"]);
    assert_eq!(names(&project.join(".create-app")), [".gitattributes", ".gitignore", "base", "lock.toml"]);
}

#[test]
fn without_a_terminal_every_missing_answer_is_listed_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let output = support::command::create_app()
        .args(["new", "project", "--vcs", "none", "--path"])
        .arg(cases().join("several"))
        .current_dir(&directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_lists_missing(&stderr);
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn nobody_is_asked_where_the_question_would_not_be_seen() {
    let mut terminal = Terminal::new("several").shell("exec \"$0\" \"$@\" 2>../stderr.txt").run();
    terminal.wrote_nothing();
    let stderr = terminal.work().join("../stderr.txt");
    assert_lists_missing(&std::fs::read_to_string(stderr).unwrap());
    assert!(!terminal.contents().contains("What is it called?"));
}

#[test]
fn nobody_is_asked_at_a_terminal_that_cannot_draw() {
    let mut terminal = Terminal::new("several").env("TERM", "dumb").run();
    terminal.wrote_nothing();
    assert_lists_missing(&terminal.contents());
}

#[test]
fn silent_never_asks() {
    let mut terminal = Terminal::new("several").argument("--silent").run();
    terminal.wrote_nothing();
    assert_lists_missing(&terminal.contents());
}

#[test]
fn silent_takes_the_defaults() {
    let mut terminal = Terminal::new("array").argument("--silent").run();
    assert_eq!(terminal.answer(), "docker|ci\n");
    assert!(!terminal.contents().contains("Which extras?"));
}

/// The answers that have no default, each with how to give it; and not the one that has.
fn assert_lists_missing(message: &str) {
    for name in ["title", "database", "extras"] {
        assert!(message.contains(&format!("-d '{name}=")), "{name} is not listed in\n{message}");
    }
    assert!(!message.contains("-d 'docs="), "docs has a default:\n{message}");
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/prompts")
}

/// What is to be run, and at which terminal.
struct Setup {
    template: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    shell: Option<String>,
    rows: u16,
}

impl Setup {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Runs the command, `"$0" "$@"`, from a shell script.
    fn shell(mut self, script: &str) -> Self {
        self.shell = Some(script.into());
        self
    }

    /// How tall the terminal is; 0 for one that does not know its size.
    fn rows(mut self, rows: u16) -> Self {
        self.rows = rows;
        self
    }

    fn run(self) -> Terminal {
        let directory = tempfile::tempdir().unwrap();
        let work = directory.path().join("work");
        std::fs::create_dir(&work).unwrap();
        let columns = if self.rows == 0 { 0 } else { 100 };
        let size = PtySize { rows: self.rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mode = mode(pty.master.as_ref());
        let deadline = Instant::now() + LIMIT;
        let display = Arc::new(Display::new(size, deadline));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let mut child = pty.slave.spawn_command(self.command(&work)).unwrap();
        let killer = child.clone_killer();
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
        Terminal { directory, keyboard, display, master, slave, mode, exit, drained, killer, deadline }
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
struct Terminal {
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
    deadline: Instant,
}

impl Terminal {
    #[expect(clippy::new_ret_no_self, reason = "reads well: a terminal for this template, set up further, then run")]
    fn new(case: &str) -> Setup {
        Setup { template: cases().join(case), arguments: Vec::new(), environment: Vec::new(), shell: None, rows: 30 }
    }

    /// Where the program runs.
    fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Pastes as a terminal does that was asked to mark what is pasted.
    fn paste(&mut self, text: &str) {
        self.wait("a program that takes pasted text", vt100::Screen::bracketed_paste);
        self.press(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Types one line of a text, and waits for the next one to be asked for.
    fn type_line(&mut self, line: &str) {
        self.see(MORE_LINES);
        let (row, _) = self.display.with(|screen, _| screen.cursor_position());
        self.press(&format!("{line}{ENTER}"));
        self.wait("the next line", |screen| {
            screen.cursor_position().0 == row + 1 && screen.contents().contains(MORE_LINES)
        });
    }

    fn see(&self, text: &str) {
        self.see_all(&[text]);
    }

    fn see_all(&self, texts: &[&str]) {
        self.wait(&format!("{texts:?}"), |screen| texts.iter().all(|text| screen.contents().contains(text)));
    }

    fn see_not(&self, text: &str) {
        self.wait(&format!("no {text:?}"), |screen| !screen.contents().contains(text));
    }

    fn contents(&self) -> String {
        self.display.with(|screen, _| screen.contents())
    }

    fn is_coloured(&self) -> bool {
        self.display.with(|screen, _| {
            let (rows, columns) = screen.size();
            let mut cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
            cells.any(|(row, column)| screen.cell(row, column).unwrap().fgcolor() != vt100::Color::Default)
        })
    }

    /// Waits for the screen to be as described. The cursor is hidden while the prompt is drawn: such a half is not judged.
    fn wait(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let seen = self.display.wait(|screen| !screen.hide_cursor() && is_so(screen));
        assert!(seen, "waited in vain for {what} on the screen:\n{}", self.contents());
    }

    /// Waits for the program to end and for all that it wrote, and checks that it left the terminal as it was.
    fn exit(&mut self) -> u32 {
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

    /// What the project holds at the end: the template's only file.
    fn answer(&mut self) -> String {
        let code = self.exit();
        assert_eq!(code, 0, "the screen:\n{}", self.contents());
        std::fs::read_to_string(self.work().join("project/answer.txt")).unwrap()
    }

    /// Waits for the program to end with an error, and checks that neither a project nor anything else is left beside it.
    fn wrote_nothing(&mut self) {
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

/// What the terminal shows, drawn by another thread.
struct Display {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser,
    /// Every byte that was drawn.
    bytes: Vec<u8>,
    /// Nothing is drawn any more after it: the program has ended, or takes too long.
    deadline: Instant,
}

impl Display {
    fn new(size: PtySize, deadline: Instant) -> Self {
        let parser = match (NonZero::new(size.rows), NonZero::new(size.cols)) {
            (Some(rows), Some(columns)) => vt100::Parser::new(rows, columns, 0),
            _ => vt100::Parser::default(),
        };
        Self { state: Mutex::new(State { parser, bytes: Vec::new(), deadline }), changed: Condvar::new() }
    }

    fn draw(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.parser.process(bytes);
        state.bytes.extend(bytes);
        drop(state);
        self.changed.notify_all();
    }

    fn end(&self, deadline: Instant) {
        let mut state = self.state.lock().unwrap();
        state.deadline = state.deadline.min(deadline);
        drop(state);
        self.changed.notify_all();
    }

    /// Looks at the screen, and at every byte that led to it.
    fn with<T>(&self, look: impl FnOnce(&vt100::Screen, &[u8]) -> T) -> T {
        let state = self.state.lock().unwrap();
        look(state.parser.screen(), &state.bytes)
    }

    /// Waits for the screen to be so, and returns whether it is.
    fn wait(&self, is_so: impl Fn(&vt100::Screen) -> bool) -> bool {
        let mut state = self.state.lock().unwrap();
        loop {
            let left = state.deadline.saturating_duration_since(Instant::now());
            if is_so(state.parser.screen()) || left.is_zero() {
                return is_so(state.parser.screen());
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}
