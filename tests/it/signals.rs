//! Ctrl-C and its relatives while a program of somebody else's runs: it ends too, and nothing stays behind.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::place::Place;

/// What is waited for in vain fails the test.
const LIMIT: Duration = Duration::from_secs(30);

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn interrupted(signal: Signal, hook: &str) -> String {
    let place = Place::new();
    place.write("t/cargo-generate.toml", "[hooks]\npost = [\"post.rhai\"]\n");
    place.write("t/a.txt", "{{ project-name }}\n");
    let pid = place.path("pid");
    let command = format!("echo $$ > '{}.new'; mv '{0}.new' '{0}'; sleep 100; true", pid.display());
    place.write("t/post.rhai", hook.replace("COMMAND", &format!("system::command({command:?})")));
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "");
    command.args(["new", "shop", "--path", "t", "--silent", "--allow-commands", "--vcs", "none"]);
    command.env("XDG_CACHE_HOME", place.path("cache"));
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_for("the command", || pid.exists());
    assert!(place.path("cache/create-app/run").read_dir().unwrap().next().is_some(), "the command runs in a copy");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(signal as i32), "{output:?}");
    let shell = Pid::from_raw(place.read("pid").trim().parse().unwrap());
    wait_for("the end of the command", || kill(shell, None).is_err());
    assert!(!place.has("shop"), "nothing was written");
    assert!(place.path("cache/create-app/run").read_dir().unwrap().next().is_none(), "the copy is gone");
    String::from_utf8(output.stderr).unwrap()
}

/// Whether the tests were started with a signal ignored, as `nohup` does: then the program ignores it, too.
fn is_ignored(signal: Signal) -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << (signal as i32 - 1)) != 0
}

#[test]
fn a_command_of_a_template_ends_with_the_program() {
    assert!(!is_ignored(Signal::SIGTERM));
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().filter(|signal| !is_ignored(*signal)) {
        let said = interrupted(signal, "COMMAND;\n");
        assert!(said.contains("was interrupted") && said.contains("nothing was written"), "{said}");
    }
}

#[test]
fn no_script_goes_on_after_that() {
    let said = interrupted(Signal::SIGTERM, "try { COMMAND; } catch { print(\"went on\"); }\n");
    assert!(!said.contains("went on"), "{said}");
}
