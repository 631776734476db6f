//! Fetching: the only purpose for which git may run programs, those in the user's own settings.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::command::{for_strangers, outside};
use super::failure::{Failure, Kind};
use super::login::Login;
use super::repository::check_source;
use super::run::{MAX_SAID, beside, lossy, unavailable};
use crate::credentials::hidden;
use crate::diagnostic::Result;
use crate::trace;

/// The longest list of branches and tags that is read, in bytes.
const MAX_LIST: u64 = 16 << 20;
/// More is not fetched, in GiB. It is far more than a template may weigh, as all of a history may be needed.
const MAX_FETCHED: f64 = 4.0;

/// How to talk to the other side.
pub struct Contact<'a> {
    /// The address, as git takes it.
    pub from: &'a OsStr,
    /// Its secret part.
    pub secrets: &'a [String],
    /// Whether the user may be asked for a password or the like.
    pub may_ask: bool,
    /// What the command line says of how to get there.
    pub login: &'a Login,
    /// Is told how far git has come.
    pub progress: &'a dyn Fn(&str),
}

/// The branches and tags of another repository, by their full names.
///
/// # Errors
///
/// The outer one is that git does not run, the inner one why it got no answer.
pub fn references(contact: &Contact<'_>) -> Result<std::result::Result<Vec<String>, Failure>> {
    let mut command = outside(Path::new("."));
    for_strangers(&mut command);
    command.args(["ls-remote", "--quiet", "--heads", "--tags", "--refs", "--"]).arg(contact.from);
    let outcome = talk(&mut command, contact)?;
    let names = |text: String| text.lines().filter_map(|line| Some(line.split_once('\t')?.1.to_owned())).collect();
    Ok(outcome.map(names))
}

/// Runs git that talks to another machine; returns what it printed.
pub(super) fn talk(command: &mut Command, contact: &Contact<'_>) -> Result<std::result::Result<String, Failure>> {
    let asks = contact.may_ask && std::io::stderr().is_terminal();
    if !asks {
        // Where nobody can answer, a question would hold everything up.
        command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
    }
    contact.login.apply(command, asks);
    local(contact.from).map_or(Ok(()), |path| check_source(&path))?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = trace::run();
    let outcome = command.spawn().and_then(|mut child| {
        let heard = hear(&mut child, contact);
        if heard.as_ref().map_or(true, |(_, heard)| heard.is_too_much) {
            drop(child.kill());
        }
        let status = child.wait()?;
        run.ended(command, status, contact.secrets);
        Ok((status, heard?))
    });
    let (status, (printed, heard)) = outcome.map_err(|error| unavailable(command, &error))?;
    if heard.is_too_much {
        let said = format!("it sends more than {MAX_FETCHED} GiB");
        return Ok(Err(Failure { kind: Kind::TooMuch, said }));
    }
    Ok(if status.success() { Ok(printed) } else { Err(Failure::of(&heard.said, status.code(), contact.secrets)) })
}

/// The directory of a repository on this machine.
fn local(from: &OsStr) -> Option<PathBuf> {
    let path = from.to_str().and_then(|from| from.strip_prefix("file://")).map_or(Path::new(from), Path::new);
    path.is_dir().then(|| path.to_path_buf())
}

/// Git's standard output and standard error.
fn hear(child: &mut Child, contact: &Contact<'_>) -> std::io::Result<(String, Heard)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let printed = beside(scope, move || {
            let mut text = Vec::new();
            stdout.map(|stdout| stdout.take(MAX_LIST).read_to_end(&mut text));
            lossy(&text)
        });
        let printed = printed.inspect_err(|_| drop(child.kill()))?;
        let heard = stderr.map(|stderr| listen(stderr, contact)).unwrap_or_default();
        if heard.is_too_much {
            drop(child.kill());
        }
        Ok((printed.join().unwrap_or_default(), heard))
    })
}

/// Git's standard error.
#[derive(Debug, Default)]
struct Heard {
    /// The beginning, without progress.
    said: String,
    /// Whether more was coming than may be fetched.
    is_too_much: bool,
}

/// Hands on each line as it comes, and keeps those that are not progress.
fn listen(stderr: impl Read, contact: &Contact<'_>) -> Heard {
    let mut stderr = BufReader::new(stderr);
    let (mut heard, mut line) = (Heard::default(), Vec::new());
    loop {
        let (used, complete, ended) = match stderr.fill_buf() {
            Ok([]) | Err(_) => (0, true, true),
            Ok(bytes) => match bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                Some(at) => {
                    line.extend(&bytes[..=at]);
                    (at + 1, true, false)
                }
                None => {
                    line.extend(bytes);
                    (bytes.len(), line.len() > MAX_SAID, false)
                }
            },
        };
        stderr.consume(used);
        if complete {
            let text = lossy(&line);
            (contact.progress)(&hidden(text.trim(), contact.secrets));
            heard.is_too_much = gibibytes(&text).is_some_and(|fetched| fetched > MAX_FETCHED);
            // Thousands of warnings may come before the reason.
            let room = if text.contains("warning: ") { MAX_SAID / 8 } else { MAX_SAID };
            if !text.ends_with('\r') && heard.said.len() + text.len() <= room {
                heard.said.push_str(&text);
            }
            line.clear();
        }
        if ended || heard.is_too_much {
            return heard;
        }
    }
}

/// How much was fetched, by a line such as `Receiving objects:  45% (9/20), 1.20 GiB | 3.00 MiB/s`; none for less than a GiB.
fn gibibytes(line: &str) -> Option<f64> {
    let (before, _) = line.split_once(" GiB | ")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> (Heard, Vec<String>) {
        let lines = std::cell::RefCell::new(Vec::new());
        let progress = |line: &str| lines.borrow_mut().push(line.to_owned());
        let secrets = ["s3cr3t".to_owned()];
        let contact =
            Contact { from: OsStr::new(""), secrets: &secrets, may_ask: false, login: Login::OWN, progress: &progress };
        let heard = listen(text.as_bytes(), &contact);
        (heard, lines.into_inner())
    }

    #[test]
    fn progress_is_handed_on_without_credentials_and_not_kept() {
        let (heard, lines) = heard("Fetching https://ann:s3cr3t@x/a\n 10%\r 20%\rfatal: no s3cr3t\n");
        assert_eq!(lines, ["Fetching https://x/a", "10%", "20%", "fatal: no …", ""]);
        assert_eq!(heard.said, "Fetching https://ann:s3cr3t@x/a\nfatal: no s3cr3t\n");
        assert!(!heard.is_too_much);
    }

    #[test]
    fn nothing_is_heard_of_after_too_much_was_fetched() {
        let receiving = |size: &str| format!("Receiving objects: 5% (1/20), {size} | 3.00 MiB/s\r");
        assert!(!heard(&receiving("900.50 MiB")).0.is_too_much && !heard(&receiving("3.99 GiB")).0.is_too_much);
        let (heard, lines) = heard(&format!("{}more\n", receiving("4.01 GiB")));
        assert!(heard.is_too_much && lines.len() == 1);
    }
}
