//! `diff` at a terminal: coloured, and paged as git pages.

use std::io::{Read as _, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::place::Place;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// The whole of a test takes no longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A project whose template has changed in `lines` lines.
fn project(lines: usize) -> Place {
    let place = Place::new();
    let text = |word: &str| (0..lines).map(|n| format!("{word} {n}\n")).collect::<String>();
    place.write("template/a.txt", text("old"));
    place.git("", &["init", "--quiet", "."]);
    place.app("", &["app", "--silent", "--path", "template"]).ended(0);
    place.write("template/a.txt", text("new"));
    place
}

/// What a terminal got, and the exit code.
struct Shown {
    text: String,
    code: u32,
}

impl Shown {
    #[track_caller]
    fn has(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "no {text:?} in\n{}", self.text);
        self
    }

    #[track_caller]
    fn has_not(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} in\n{}", self.text);
        self
    }
}

/// Runs `diff` at a terminal with these variables; `keys` are typed as soon as `ready` is on the screen.
fn at_a_terminal(place: &Place, arguments: &[&str], variables: &[(&str, &str)], keys: &[&str]) -> Shown {
    let pty = native_pty_system().openpty(PtySize { rows: 30, cols: 120, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_create-app"));
    command.args([&["diff", "app", "--silent"], arguments].concat());
    command.cwd(place.path(""));
    command.env_clear();
    let own = [
        ("PATH", std::env::var("PATH").unwrap()),
        ("HOME", place.path("").to_string_lossy().into_owned()),
        ("TERM", "xterm-256color".into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
    ];
    own.iter().for_each(|(name, value)| command.env(name, value));
    variables.iter().for_each(|(name, value)| command.env(name, value));
    let mut child = pty.slave.spawn_command(command).unwrap();
    let mut killer = child.clone_killer();
    drop(pty.slave);
    let mut keyboard = pty.master.take_writer().unwrap();
    let mut reader = pty.master.try_clone_reader().unwrap();
    let (sender, screen) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = reader.read(&mut bytes) {
            drop(sender.send(bytes[..n].to_vec()));
        }
    });
    let (mut shown, mut keys) = (Vec::new(), keys.iter());
    loop {
        match screen.recv_timeout(LIMIT) {
            Ok(bytes) => shown.extend(bytes),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                killer.kill().unwrap();
                panic!("it does not end:\n{}", String::from_utf8_lossy(&shown));
            }
        }
        let asked = String::from_utf8_lossy(&shown).matches("ready").count();
        if asked > 0
            && let Some(key) = keys.next()
        {
            keyboard.write_all(key.as_bytes()).unwrap();
            keyboard.flush().unwrap();
        }
    }
    let text = String::from_utf8_lossy(&shown).replace('\r', "");
    Shown { text, code: child.wait().unwrap().exit_code() }
}

/// A pager that marks its lines.
const MARKS: &str = "sed 's/^/paged:/'";

#[test]
fn the_pager_is_the_one_that_git_would_use() {
    let place = project(3);
    let run = |variables: &[(&str, &str)]| {
        let shown = at_a_terminal(&place, &[], variables, &[]);
        assert_eq!(shown.code, 1);
        shown
    };
    run(&[("PAGER", MARKS)]).has("paged:\u{1b}[1mdiff --git");
    // A repository's own setting would be a program that a checkout names.
    place.git("app", &["config", "core.pager", "sed s/^/own:/"]);
    run(&[("PAGER", MARKS)]).has("paged:").has_not("own:");
    place.write(".gitconfig", "[core]\n\tpager = sed s/^/core:/\n");
    run(&[("PAGER", MARKS)]).has("core:").has_not("own:");
    run(&[("PAGER", MARKS), ("GIT_PAGER", "sed s/^/variable:/")]).has("variable:").has_not("core:");
    for none in ["", "cat"] {
        run(&[("PAGER", MARKS), ("GIT_PAGER", none)]).has("\u{1b}[32m+new 0").has_not("paged:").has_not("core:");
    }
    run(&[("GIT_PAGER", "no-such-pager")]).has("+new 2");
    run(&[("GIT_PAGER", "env | grep -E '^(LESS|LV)='")]).has("LESS=FRX\nLV=-c\n");
    run(&[("GIT_PAGER", "env | grep LESS="), ("LESS", "R")]).has("LESS=R\n");
}

#[test]
fn every_view_is_paged_and_none_of_them_in_a_pipe() {
    let place = project(3);
    for arguments in [&[][..], &["--stat"], &["--name-only"], &["--upstream"]] {
        at_a_terminal(&place, arguments, &[("PAGER", MARKS)], &[]).has("paged:");
    }
    at_a_terminal(&place, &["--json"], &[("PAGER", MARKS)], &[]).has("\"format\": 1").has_not("paged:");
    let nothing = at_a_terminal(&place, &["--local"], &[("PAGER", MARKS)], &[]);
    assert_eq!((nothing.text.as_str(), nothing.code), ("", 0));
    let mut piped = place.command(env!("CARGO_BIN_EXE_create-app"), "");
    let piped = piped.args(["diff", "app", "--silent"]).env("PAGER", MARKS).output().unwrap();
    assert!(piped.stdout.starts_with(b"diff --git"));
}

#[test]
fn without_colour_the_pager_gets_none() {
    let place = project(3);
    for variables in [&[("NO_COLOR", "1")][..], &[("TERM", "dumb")]] {
        let shown = at_a_terminal(&place, &[], &[&[("PAGER", MARKS)], variables].concat(), &[]);
        shown.has("paged:+new 0").has_not("\u{1b}");
    }
}

#[test]
fn a_pager_that_is_left_early_is_no_error() {
    let place = project(20_000);
    let shown = at_a_terminal(&place, &[], &[("PAGER", "head -n 1")], &[]);
    assert_eq!((shown.code, shown.text.lines().count()), (1, 1), "{}", shown.text);
}

#[test]
fn an_interrupt_is_for_the_pager() {
    let place = project(3);
    let pager =
        "trap 'echo caught' INT; cat > /dev/null; echo ready; while ! read line < /dev/tty; do :; done; echo left";
    let shown = at_a_terminal(&place, &[], &[("PAGER", pager)], &["\u{3}", "\n"]);
    shown.has("caught").has("left");
    assert_eq!(shown.code, 1);
}
