//! Runs the commands of a case and says what is wrong with what came of them.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fs_err as fs;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tempfile::TempDir;
use walkdir::WalkDir;

use super::case::{Case, Run};
use super::sandbox::{RAN, Sandbox, Standard, program};
use super::setting;
use super::warden::{self, Report};
use super::watch::{Snapshot, is_at_or_below};

/// When a program is killed, whatever it is doing.
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(2);

/// Words of a program that has lost control of itself.
const LOST: &[&str] = &["panicked", "RUST_BACKTRACE", "stack overflow", "memory allocation of", "internal error"];

type Verdict = Result<(), String>;

/// Builds a case, and runs it.
pub(crate) fn case(case: &Case, standard: &Standard) -> Verdict {
    let sandbox = setting::build(case, standard);
    for run in &case.run {
        for command in &run.commands {
            one(&sandbox, run, command).map_err(|problem| format!("create-app {command}\n{problem}"))?;
        }
    }
    Ok(())
}

fn one(sandbox: &Sandbox, run: &Run, command: &str) -> Verdict {
    let before = Snapshot::of(sandbox.root());
    let words = shell_words::split(&sandbox.filled(command)).unwrap();
    let words: Vec<String> = words.into_iter().flat_map(|word| spread(sandbox, word)).collect();
    // A patch for a program is the bytes of files.
    let is_raw = run.raw
        || !run.terminal && words[0] == "diff" && !words.iter().any(|word| word == "--stat" || word == "--name-only");
    let (output, report) = observe(sandbox, run, words)?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let problems = [
        ended(run, &report),
        said(sandbox, run, &text),
        if is_raw { Ok(()) } else { shown(run, &output, &text) },
        bounded(run, &report, if is_raw { 0 } else { output.len() }),
        unchanged(sandbox, run, command, &report, &before),
        left(sandbox, run),
    ];
    let problems: Vec<String> = problems.into_iter().filter_map(Result::err).collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\n--- {report:?}\n{:.6000}",
        problems.join("\n"),
        text.escape_debug().to_string().replace("\\n", "\n")
    ))
}

/// A word as a shell would hand it over: `DIRECTORY/*` is all that is there, in order.
fn spread(sandbox: &Sandbox, word: String) -> Vec<String> {
    let Some(directory) = word.strip_suffix("/*") else { return vec![word] };
    let entries = fs::read_dir(sandbox.path(directory)).unwrap();
    let mut words: Vec<String> =
        entries.map(|entry| format!("{directory}/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
    words.sort_unstable();
    words
}

/// Runs create-app under a warden, and returns what it printed, both outputs together.
pub(crate) fn observe(sandbox: &Sandbox, run: &Run, words: Vec<String>) -> Result<(Vec<u8>, Report), String> {
    let desk = tempfile::tempdir().unwrap();
    let words = warden::words(desk.path().join("report"), &program(), words);
    let mut environment = sandbox.environment();
    environment.extend(run.env.iter().map(|(name, value)| (name.clone(), sandbox.filled(value))));
    let at = sandbox.path(&run.at);
    let output = if run.terminal {
        let mut command = CommandBuilder::from_argv(words.iter().map(Into::into).collect());
        command.cwd(at);
        command.env_clear();
        environment.iter().for_each(|(name, value)| command.env(name, value));
        command.env("TERM", "xterm-256color");
        at_terminal(command)?
    } else {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(at).env_clear().envs(environment);
        piped(command, &desk)?
    };
    let report = fs::read(desk.path().join("report")).map_err(|_| "the warden has left no report".to_owned())?;
    Ok((output, serde_json::from_slice(&report).unwrap()))
}

fn piped(mut command: Command, desk: &TempDir) -> Result<Vec<u8>, String> {
    let path = desk.path().join("output");
    let file = std::fs::File::create(&path).unwrap();
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).process_group(0);
    let mut child = command.spawn().unwrap();
    let group = Pid::from_raw(child.id().try_into().unwrap());
    let ended = within(|| child.try_wait().unwrap().is_some());
    // What it started and left behind ends with it.
    let _: nix::Result<()> = killpg(group, Signal::SIGKILL);
    child.wait().unwrap();
    let output = fs::read(path).unwrap();
    if ended { Ok(output) } else { Err(hung(&output)) }
}

fn at_terminal(command: CommandBuilder) -> Result<Vec<u8>, String> {
    let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).unwrap();
    let mut child = pty.slave.spawn_command(command).unwrap();
    let group = Pid::from_raw(child.process_id().unwrap().try_into().unwrap());
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let reading = std::thread::spawn(move || {
        let mut output = Vec::new();
        // A terminal whose last program has ended is an error to read from.
        drop(std::io::Read::read_to_end(&mut reader, &mut output));
        output
    });
    let ended = within(|| child.try_wait().unwrap().is_some());
    let _: nix::Result<()> = killpg(group, Signal::SIGKILL);
    child.wait().unwrap();
    let output = reading.join().unwrap();
    if ended { Ok(output) } else { Err(hung(&output)) }
}

fn within(mut is_done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + DEADLINE;
    while !is_done() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(POLL);
    }
    true
}

fn hung(output: &[u8]) -> String {
    format!("still running after {DEADLINE:?}\n{:.2000}", output.escape_ascii().to_string())
}

fn ended(run: &Run, report: &Report) -> Verdict {
    match report.code {
        Some(code) if run.code.has(&code) => Ok(()),
        code => Err(format!("exit code {code:?} (signal {:?}), not {:?}", report.signal, run.code)),
    }
}

fn said(sandbox: &Sandbox, run: &Run, text: &str) -> Verdict {
    let missing = run.says.iter().map(|words| sandbox.filled(words)).filter(|words| !text.contains(words));
    let missing = missing.map(|words| format!("does not say `{words}`"));
    let never = run.never.iter().map(|words| sandbox.filled(words)).filter(|words| text.contains(words));
    let never = never.map(|words| format!("says `{words}`"));
    let lost = LOST.iter().filter(|words| text.contains(**words)).map(|words| format!("says `{words}`"));
    nothing(missing.chain(never).chain(lost))
}

/// Whether what was printed is safe to look at: text of others must not act on a terminal, hide, or change its order.
fn shown(run: &Run, output: &[u8], text: &str) -> Verdict {
    let is_ours = |c: char| c == '\n' || c == '\t' && !run.terminal || c == '\r' && run.terminal;
    let found = text.chars().find(|&c| (c.is_control() && !is_ours(c)) || hides(c));
    nothing(found.into_iter().map(|c| format!("prints {c:?} as it is: {:.300}", output.escape_ascii().to_string())))
}

/// Characters that are not seen and change how what is around them is shown.
fn hides(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn bounded(run: &Run, report: &Report, printed: usize) -> Verdict {
    let time = report.milliseconds / 1000 >= i64::try_from(run.seconds).unwrap();
    let memory = report.kibibytes / 1024 >= i64::try_from(run.mebibytes).unwrap();
    let time = time.then(|| format!("takes {} ms of processor time", report.milliseconds));
    let memory = memory.then(|| format!("takes {} MiB", report.kibibytes / 1024));
    let printed = (printed / 1024 > run.kibibytes_printed).then(|| format!("prints {} KiB", printed / 1024));
    nothing([time, memory, printed].into_iter().flatten())
}

/// Whether only that has changed which the case allows; where the exit code says that nothing was written, nothing has.
fn unchanged(sandbox: &Sandbox, run: &Run, command: &str, report: &Report, before: &Snapshot) -> Verdict {
    let after = Snapshot::of(sandbox.root());
    let writes = ["new ", "upgrade "].iter().any(|word| command.starts_with(word));
    let may_change = |path: &[u8]| match report.code {
        // The cache is filled before anything is written, a journal of a project without git is kept in the state directory,
        // and nothing refers to the objects that a conflict would have needed.
        Some(2) if is_at_or_below(path, "cache") => run.changes.iter().any(|name| name == "cache"),
        Some(2) if is_at_or_below(path, "state") => writes,
        Some(2) => writes && path.windows(14).any(|part| part == b"/.git/objects/"),
        _ if is_at_or_below(path, "state") => writes,
        _ => run.changes.iter().any(|name| is_at_or_below(path, name)),
    };
    let ran =
        std::fs::read_to_string(sandbox.path(RAN)).ok().map(|text| format!("a program of the attacker's ran: {text}"));
    nothing(ran.into_iter().chain(before.differences(&after, &may_change).into_iter().take(20)))
}

/// Whether what is left is what the case says.
fn left(sandbox: &Sandbox, run: &Run) -> Verdict {
    let holds = run.holds.iter().filter_map(|(name, text)| {
        let found = fs::read(sandbox.path(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match found {
            Ok(found) if found.contains(&sandbox.filled(text)) => None,
            found => Some(format!("{name} holds {found:?}")),
        }
    });
    let absent = run.absent.iter().filter(|name| sandbox.path(name).symlink_metadata().is_ok());
    let absent = absent.map(|name| format!("{name} is there"));
    let kept = run.nowhere.iter().flat_map(|words| kept(sandbox, words));
    nothing(holds.chain(absent).chain(kept))
}

/// Where create-app keeps these words: as they are, in the name of a file, or deflated.
fn kept(sandbox: &Sandbox, words: &str) -> Vec<String> {
    let own = |path: &Path| {
        let below = path.strip_prefix(sandbox.root()).unwrap();
        below.starts_with("cache")
            || below.starts_with("state")
            || below.iter().any(|part| part == ".create-app" || part == ".git")
    };
    let has = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase().contains(&words.to_lowercase());
    let files = WalkDir::new(sandbox.root()).into_iter().map(Result::unwrap).filter(|entry| own(entry.path()));
    let found = files.filter(|entry| {
        let bytes = if entry.file_type().is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
        let inflated = decompress_to_vec_zlib_with_limit(&bytes, 64 << 20).unwrap_or_default();
        has(entry.file_name().as_encoded_bytes()) || has(&bytes) || has(&inflated)
    });
    found.map(|entry| format!("`{words}` is kept in {}", entry.path().display())).collect()
}

fn nothing(problems: impl Iterator<Item = String>) -> Verdict {
    let problems: Vec<String> = problems.collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}
