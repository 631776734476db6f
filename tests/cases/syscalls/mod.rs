//! Faults from outside: strace lets every system call that writes fail, or kills the process there, the first one, the second
//! one, and so on until the command is done. Whatever happens, the project is as it was or as it should be, at the latest once
//! `upgrade` has run again; an exit code of 2 means that nothing was written.
//!
//! Unlike `tests/it/faults.rs`, nothing of this is known to the program: what it forgot to route through its own steps fails, too,
//! and so does git. Each scenario with each fault is a test of its own, ignored where there is no strace.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use regex::Regex;

mod scenario;

use self::scenario::{ABORT, Kind, SCENARIOS, Scenario, Seen, Stage, differences};
use crate::support::place::Said;

/// The system calls that write, by any of their names; `openat` where it makes or empties a file.
const CALLS: &[&str] = &[
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "copy_file_range",
    "sendfile",
    "openat",
    "creat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "fsync",
    "fdatasync",
    "syncfs",
    "sync",
    "ftruncate",
    "fchmod",
    "fchmodat",
    "chmod",
    "fallocate",
    "utimensat",
];

/// What happens at a call.
const FAULTS: &[&str] = &["error=EIO", "error=ENOSPC", "error=EINTR", "signal=SIGKILL"];

/// So many calls of a scenario are tried with each fault: all of them where there are no more, else every second or third one,
/// beginning at another one for each fault. With `SYSCALLS=all` in the environment, every call is tried with every fault.
const MOST: usize = 24;

/// What is needed, where strace cannot do its work here.
fn missing() -> Option<&'static str> {
    let strace = |words: &[&str]| {
        let mut command = Command::new("strace");
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    match strace(&["-V"]) {
        Err(_) => return Some("they need strace 5.3 or newer: install it from your system's packages"),
        Ok(status) if !status.success() => return Some("they need strace 5.3 or newer, and this one does not run"),
        Ok(_) => {}
    }
    let may = strace(&["-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "inject=mkdir:error=EIO:when=1", "true"]);
    (!may.is_ok_and(|status| status.success()))
        .then_some("they need ptrace, which is not allowed here, and strace 5.3 or newer")
}

pub(crate) fn trials() -> Vec<Trial> {
    let missing = missing();
    if let Some(missing) = missing {
        say(missing);
    }
    let trials = SCENARIOS.iter().flat_map(|scenario| {
        FAULTS.iter().enumerate().map(move |(number, fault)| {
            let name = fault.rsplit('=').next().unwrap().to_lowercase();
            let name = format!("syscalls/{}/{name}", scenario.name);
            Trial::test(name, move || inject(scenario, fault, number)).with_ignored_flag(missing.is_some())
        })
    });
    trials.collect()
}

#[expect(clippy::print_stdout, reason = "whoever runs the tests should know")]
fn say(missing: &str) {
    println!("the tests of system calls are skipped: {missing}");
}

/// Lets the calls of a scenario fail, one in each run.
fn inject(scenario: &Scenario, fault: &str, number: usize) -> Result<(), Failed> {
    let stage = Stage::new(scenario);
    let half_way = half_way(scenario, &stage);
    let calls = calls(scenario, &stage, &half_way);
    assert!(calls.len() > 10, "{calls:?}");
    let step =
        if std::env::var_os("SYSCALLS").is_some_and(|wanted| wanted == "all") { 1 } else { calls.len().div_ceil(MOST) };
    for (call, n) in calls.iter().skip(number % step).step_by(step) {
        start(scenario, &stage, "copy", &half_way);
        let log = stage.place.path("log").to_str().unwrap().to_owned();
        let strace = strace(scenario, &log, call, &format!("inject={call}:{fault}:when={n}"));
        let said = stage.run("copy", &strace, scenario.command);
        let log = std::fs::read_to_string(log).unwrap();
        judge(scenario, &stage, (fault, call), &said).map_err(|problem| {
            let injected: Vec<&str> =
                log.lines().filter(|line| line.contains("INJECTED") || line.contains("SIGKILL")).collect();
            format!("{fault} at {call} number {n}: {problem}\n{}{}\n{}", said.out, said.err, injected.join("\n"))
        })?;
        stage.forget("copy");
    }
    Ok(())
}

/// A copy in which the command can be run: for a recovery, one in which it was killed half-way.
fn start(scenario: &Scenario, stage: &Stage, copy: &str, half_way: &Option<Call>) {
    stage.copy(copy);
    if let Some((call, n)) = half_way {
        let strace = strace(scenario, "/dev/null", call, &format!("inject={call}:signal=SIGKILL:when={n}"));
        let said = stage.run(copy, &strace, scenario.command);
        assert_eq!(said.code, None, "it was to be killed: {}{}", said.out, said.err);
        let seen = stage.seen(copy);
        assert!(seen != stage.before && seen != stage.after, "it was to be killed half-way");
    }
}

/// The words that run a program under strace: with all of its threads, and with git only where that is wanted.
fn strace(scenario: &Scenario, log: &str, trace: &str, inject: &str) -> Vec<String> {
    let children = if scenario.kind == Kind::Git { "--seccomp-bpf" } else { "-bexecve" };
    let words = ["strace", "-f", children, "-qq", "-o", log, "-e", &format!("trace={trace}"), "-e", inject];
    words.map(str::to_owned).to_vec()
}

/// A system call, and its number among those of its name in its thread, as strace counts.
type Call = (String, usize);

/// Where a change is killed that is decided on and not finished, for a scenario that begins there: it has moved half of its
/// files.
fn half_way(scenario: &Scenario, stage: &Stage) -> Option<Call> {
    let calls = (scenario.kind == Kind::Recovery).then(|| calls(scenario, stage, &None))?;
    let last = calls.into_iter().filter(|(call, _)| call.starts_with("rename")).max_by_key(|(_, n)| *n);
    last.map(|(call, n)| (call, n / 2 + 2))
}

/// The calls of a run.
fn calls(scenario: &Scenario, stage: &Stage, half_way: &Option<Call>) -> Vec<Call> {
    start(scenario, stage, "counted", half_way);
    let log = stage.place.path("counted-log");
    let known: Vec<String> = CALLS.iter().map(|call| format!("?{call}")).collect();
    let strace = strace(scenario, log.to_str().unwrap(), &known.join(","), "signal=none");
    stage.run("counted", &strace, scenario.command);
    stage.forget("counted");
    let line = Regex::new(r"^(\d+) +(\w+)\((.*)").unwrap();
    let mut counted: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in std::fs::read_to_string(log).unwrap().lines().filter_map(|text| line.captures(text)) {
        let n = counted.entry((line[1].into(), line[2].into())).or_default();
        *n += 1;
        let writes = &line[2] != "openat" || line[3].contains("O_CREAT") || line[3].contains("O_TRUNC");
        let call = (line[2].to_owned(), *n);
        if writes && !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls
}

fn judge(scenario: &Scenario, stage: &Stage, (fault, call): (&str, &str), said: &Said) -> Result<(), String> {
    let mut seen = stage.seen("copy");
    // What cannot be tidied up is no reason to undo what was done: the next command does it.
    seen.retain(|name, _| !name.contains(".create-app/txn"));
    let is = |state: &Seen| {
        matches(scenario, state, &seen).map_err(|problem| format!("code {:?}, and {problem}", said.code))
    };
    if said.err.contains("panicked") {
        return Err("it panicked".into());
    }
    match said.code {
        // It has only undone what the run before it did, and says so.
        Some(0) if scenario.kind == Kind::Recovery && said.err.contains("Nothing else was changed") => {
            is(&stage.before).or_else(|_| is(&stage.after))?;
        }
        Some(code) if code == stage.code => is(&stage.after)?,
        Some(2) if fault == "error=EINTR" && call == "write" && scenario.kind != Kind::Git => {
            return Err("a call that was only interrupted is not made again".into());
        }
        // What an earlier run has done is not there before this one.
        Some(2) if scenario.kind == Kind::Recovery => {}
        Some(2) if said.err.contains("could not be undone") => {}
        Some(2) => is(&stage.before)?,
        None if fault == "signal=SIGKILL" => {}
        code => return Err(format!("code {code:?}, not {} or 2", stage.code)),
    }
    again(scenario, stage)
}

/// Runs the next command, with nothing in its way: from then on the project is whole.
fn again(scenario: &Scenario, stage: &Stage) -> Result<(), String> {
    remove_lock(stage, "copy");
    if scenario.command == ABORT {
        return abort_again(scenario, stage);
    }
    let upgraded = stage.run("copy", &[], &["upgrade", "work/app", "--silent", "--path", "template"]);
    let seen = stage.seen("copy");
    let is_there = stage.place.has("copy/work/app/.create-app/lock.toml");
    let expected = if scenario.command[0] == "upgrade" || is_there { &stage.after } else { &stage.before };
    let said = || format!("after the next upgrade ({:?}): {}{}", upgraded.code, upgraded.out, upgraded.err);
    matches(scenario, expected, &seen).map_err(|problem| format!("{problem}\n{}", said()))
}

/// Takes the upgrade back, if it is still there, after what was interrupted has been finished or undone.
fn abort_again(scenario: &Scenario, stage: &Stage) -> Result<(), String> {
    let mut said = String::new();
    for _ in 0..2 {
        if matches(scenario, &stage.after, &stage.seen("copy")).is_ok() {
            break;
        }
        let aborted = stage.run("copy", &[], ABORT);
        said = format!("{said}{:?}: {}{}", aborted.code, aborted.out, aborted.err);
    }
    matches(scenario, &stage.after, &stage.seen("copy"))
        .map_err(|problem| format!("{problem}\nafter `upgrade --abort` again: {said}"))
}

/// Says what differs. Where a git has failed, nothing told what it holds, and copies of everything were kept.
fn matches(scenario: &Scenario, expected: &Seen, seen: &Seen) -> Result<(), String> {
    let is_compared = |line: &String| scenario.kind != Kind::Git || !line.contains(".create-app/backup");
    let lines: Vec<String> = differences(expected, seen).into_iter().filter(is_compared).collect();
    if lines.is_empty() {
        Ok(())
    } else {
        Err(format!("the project is neither the old nor the new one\n{}", lines.join("\n")))
    }
}

/// As git itself says what to do about the lock of a git that was killed.
fn remove_lock(stage: &Stage, copy: &str) {
    for name in ["work/.git/index.lock", "work/app/.git/index.lock"].map(|name| format!("{copy}/{name}")) {
        if stage.place.has(&name) {
            stage.place.remove(&name);
        }
    }
}
