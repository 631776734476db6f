//! `system::command`: with consent, in a copy of the tree, and for a limited time.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rhai::{Array, Dynamic, EvalAltResult, NativeCallContext as Context};

use super::engine::Native;
use super::failure::or;
use super::{Consent, Phase, Setting, Shared, State, failure, lock, view};
use crate::diagnostic::{Code, Diagnostics};
use crate::rooted::Root;
use crate::source::read_tree;
use crate::terminal::escape_control;
use crate::tree::{Entry, Tree};

/// The environment that a command is given, and nothing else: programs find their own files by these.
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
/// So much of what a command says is kept, in bytes.
const MAX_SAID: usize = 128 << 10;
/// How often it is looked at whether a command has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the last words of a command that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The file that marks a directory of a cache: no project has one.
const CACHE: &str = "CACHEDIR.TAG";

pub(super) fn call(shared: &Shared, context: &Context<'_>, command: &str, words: Array) -> Native<Dynamic> {
    let words = words.iter().map(ToString::to_string);
    let text = std::iter::once(command.to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    if lock(shared).phase == Phase::Filter {
        return or(context, Err("a filter cannot run a command: run it in a hook".to_owned()));
    }
    if as_recorded(&mut lock(shared)) {
        return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, context.call_position()).into());
    }
    if let Err((reason, help)) = agreed(shared, &text) {
        let mut state = lock(shared);
        let title = format!("the template wants to run a command: `{text}`");
        let problem = failure::at(&state, Code::CommandRefused, title, context.call_position(), &reason).help(help);
        state.failure.get_or_insert_with(|| Diagnostics::from(problem));
        return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, context.call_position()).into());
    }
    let (files, timeout, clock) = {
        let state = lock(shared);
        (state.view.files().clone(), state.setting.timeout, Arc::clone(&state.clock))
    };
    let outcome = clock.waiting(|| run(&text, files, timeout));
    let mut state = lock(shared);
    match outcome {
        Ok((said, files)) => {
            state.view.replace(files);
            let said = said.trim();
            Ok(if said.is_empty() { Dynamic::UNIT } else { said.replace('\0', "").into() })
        }
        Err(reason) => {
            let reason = format!("the command `{text}` {reason}");
            state.failed_command = Some(reason.clone());
            or(context, Err(reason))
        }
    }
}

/// Whether everything up to a command is as it was when the project was rendered: then what was recorded is what comes of the command, which
/// may give something else each time.
fn as_recorded(state: &mut State) -> bool {
    let Setting { recorded, .. } = &state.setting;
    let is_same =
        state.trusts_record && state.answers.asked.iter().all(|(name, answer)| recorded.get(name) == Some(answer));
    state.is_as_recorded |= is_same;
    is_same
}

/// Whether a command may run; if not, why, and what to do.
fn agreed(shared: &Shared, text: &str) -> Result<(), (String, String)> {
    let (consent, is_known, reads_secrets) = {
        let state = lock(shared);
        // A second pass runs the same ones again.
        let is_known = state.passes > 1 && state.commands.iter().any(|known| known == text);
        (state.setting.consent, is_known, state.holds_secrets)
    };
    if reads_secrets {
        let help = "run it in a pre hook, or ask for no secret answer".to_owned();
        return Err(("it could read files that depend on a secret answer".to_owned(), help));
    }
    let clock = Arc::clone(&lock(shared).clock);
    match consent {
        Consent::Given => {}
        _ if is_known => {}
        Consent::Ask(ask) => match clock.waiting(|| ask(&escape_control(text))) {
            Ok(true) => {}
            Ok(false) => {
                let help = "without it, the project would not be what the template's author meant".to_owned();
                return Err(("you did not agree".to_owned(), help));
            }
            Err(problems) => {
                lock(shared).failure = Some(problems);
                return Err(Default::default());
            }
        },
        Consent::Refused(help) => return Err(("nobody agreed to it".to_owned(), help.to_owned())),
    }
    lock(shared).commands.push(text.to_owned());
    Ok(())
}

/// Runs a command in a copy of the tree. Returns what it printed, and the files that it left.
fn run(text: &str, files: Tree, timeout: Duration) -> Result<(String, Tree), String> {
    let unwritten = |error: io::Error| format!("cannot run, because its files cannot be written: {error}");
    let place = tempfile::Builder::new().prefix("create-app-").tempdir().map_err(unwritten)?;
    let root = place.path().join("work");
    fs_err::create_dir(&root).and_then(|()| lay_out(&root, &files)).map_err(unwritten)?;
    let here = root.to_string_lossy().into_owned();
    let (status, said, complaint) = output(&text.replace(view::WORKING, &here), &root, timeout)?;
    if !status.success() {
        let how = status.code().map_or("was stopped".to_owned(), |code| format!("ended with exit code {code}"));
        let complaint = complaint.trim().replace(&here, view::WORKING);
        return Err(if complaint.is_empty() { how } else { format!("{how}: {complaint}") });
    }
    drop_caches(&root);
    let unreadable = |problems: Diagnostics| {
        let titles: Vec<String> = problems.0.into_iter().take(1).map(|problem| problem.title).collect();
        format!("left what no project may have: {}", titles.join(", "))
    };
    let opened = Root::open(&root).map_err(|error| format!("left no directory that can be read: {error}"))?;
    let files = read_tree(&opened).map_err(unreadable)?;
    Ok((said.replace(&here, view::WORKING), files))
}

/// Writes the tree. Links come last, so that no file is written through one.
fn lay_out(root: &Path, files: &Tree) -> io::Result<()> {
    for (path, entry) in files {
        let place = path.below(root);
        if let Some(above) = place.parent() {
            fs_err::create_dir_all(above)?;
        }
        if let Entry::File { bytes, executable } = entry {
            fs_err::File::create_new(&place).and_then(|mut file| io::Write::write_all(&mut file, bytes))?;
            set_executable(&place, *executable)?;
        }
    }
    for (path, entry) in files {
        if let Entry::Symlink { target } = entry {
            link(target, &path.below(root))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn set_executable(path: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if executable { 0o755 } else { 0o644 };
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_executable(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// A command does without links where making one may need a permission.
#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes what a command keeps for the next time, such as Cargo's `target`.
fn drop_caches(root: &Path) {
    let walk = walkdir::WalkDir::new(root).min_depth(2).follow_links(false).into_iter().filter_map(Result::ok);
    let caches: Vec<_> = walk
        .filter(|entry| entry.file_name() == CACHE)
        .filter_map(|entry| Some(entry.path().parent()?.to_path_buf()))
        .collect();
    for cache in caches {
        drop(fs_err::remove_dir_all(cache));
    }
}

type Output = (ExitStatus, String, String);

fn output(text: &str, root: &Path, timeout: Duration) -> Result<Output, String> {
    let failed = |error: io::Error| format!("does not run: {error}");
    let mut child = match plain(text).map(|words| spawn(&words, root)) {
        Some(Ok(child)) => child,
        // It may be something that only a shell knows.
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => spawn(&shell(text), root).map_err(failed)?,
    };
    let said = [child.stdout.take().map(listen), child.stderr.take().map(listen)];
    let status = wait(&mut child, timeout);
    // What it has started ends with it.
    kill_all(&child);
    let Some(status) = status.map_err(failed)? else {
        drop(child.kill());
        drop(child.wait());
        return Err(format!("took longer than {} seconds (--command-timeout)", timeout.as_secs()));
    };
    let [said, complaint] = said.map(|heard| {
        let bytes = heard.and_then(|heard| heard.recv_timeout(LAST_WORDS).ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    Ok((status, said, complaint))
}

/// The words of a command that means the same with and without a shell.
fn plain(text: &str) -> Option<Vec<OsString>> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _-./:@%+,=".contains(c);
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let is_command = words.first().is_some_and(|first| !first.contains('='));
    (cfg!(unix) && is_command && text.chars().all(is_plain)).then(|| words.into_iter().map(OsString::from).collect())
}

/// cargo-generate's guide promises a shell.
fn shell(text: &str) -> Vec<OsString> {
    let shell = if cfg!(windows) { ["cmd", "/C"] } else { ["sh", "-c"] };
    shell.into_iter().map(OsString::from).chain([text.into()]).collect()
}

fn spawn(words: &[OsString], root: &Path) -> io::Result<Child> {
    let [program, arguments @ ..] = words else { return Err(io::ErrorKind::NotFound.into()) };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root).env_clear();
    command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Reads all that a command says, and keeps the beginning. The thread ends with the last process that has the pipe.
fn listen(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    let listener = move || {
        let (mut kept, mut buffer) = (Vec::new(), [0; 8192]);
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            let room = MAX_SAID.saturating_sub(kept.len());
            kept.extend_from_slice(&buffer[..length.min(room)]);
        }
        // Nobody waits for it any more.
        drop(sender.send(kept));
    };
    // Without a thread, it is as if the command had said nothing.
    drop(std::thread::Builder::new().spawn(listener));
    receiver
}

/// Waits for a command; none where it takes too long.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::RelPath;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| (RelPath::new(*path).unwrap(), Entry::file(text.as_bytes().to_vec()))).collect()
    }

    #[test]
    #[cfg(unix)]
    fn a_command_changes_a_copy_that_is_read_back() {
        let before = tree(&[("a.txt", "one"), ("gone", ""), ("d/s.sh", "")]);
        let text = "cat a.txt; rm gone; echo two > a.txt; chmod +x d/s.sh; ln -s a.txt l; mkdir .git target; echo x > .git/x; \
                    echo x > target/CACHEDIR.TAG; echo $SECRET /create-app/work/a";
        let (said, after) = run(text, before, Duration::from_secs(20)).unwrap();
        assert_eq!(said.trim(), "one/create-app/work/a");
        let modes: Vec<_> = after.iter().map(|(path, entry)| (path.as_str(), entry.mode().as_str())).collect();
        assert_eq!(modes, [("a.txt", "100644"), ("d/s.sh", "100755"), ("l", "120000")]);
        assert_eq!(after[&RelPath::new("a.txt").unwrap()].bytes(), b"two\n");
    }

    #[test]
    #[cfg(unix)]
    fn a_command_that_fails_or_does_not_end_says_so() {
        let fails = |text: &str| run(text, Tree::new(), Duration::from_secs(1)).unwrap_err();
        assert_eq!(fails("echo no >&2; exit 3"), "ended with exit code 3: no");
        assert_eq!(fails("sleep 60 & sleep 60"), "took longer than 1 seconds (--command-timeout)");
        assert!(fails("no-such-program-at-all").contains("exit code 127"));
        assert!(fails("mkdir -p a/.git; echo x > a/.git/x").contains("`.git`"));
    }

    #[test]
    fn a_shell_is_only_started_for_what_needs_one() {
        assert_eq!(plain("cargo update --package my-app").map(|words| words.len()), Some(4).filter(|_| cfg!(unix)));
        for text in ["echo a > b", "a && b", "a; b", "$(x)", "`x`", "A=1 b", "echo 'a b'", "a\nb", "ls *", "~/x", ""] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
