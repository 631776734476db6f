//! The user's rustfmt. It formats untrusted code, so it reads one text and writes one, away from every project, for a limited time: no
//! `rust-toolchain.toml` of a project chooses what runs, and no `mod` leads to another file.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tempfile::TempDir;

use super::place::Setting;
use crate::digest::Digest;
use crate::process::{self, Ended};
use crate::terminal::escape_control;

/// How long one file may take.
const FOR_A_FILE: Duration = Duration::from_secs(5);
/// How long all files of a run may take.
const IN_ALL: Duration = Duration::from_secs(30);
/// Larger files are not formatted, in bytes.
const LARGEST: usize = 1 << 20;
/// At most this many files are not formatted for a reason that is reported.
const TOLD: usize = 5;
/// The name of the file with rustfmt's settings.
const SETTINGS: &str = "rustfmt.toml";

/// The rustfmt of a run, which is looked for when it is first needed.
pub(crate) struct Rustfmt {
    directory: OnceLock<Result<TempDir, String>>,
    start: Instant,
    refused: Mutex<Vec<String>>,
    /// How many files there was no time left for.
    late: AtomicUsize,
    known: Mutex<HashMap<(Digest, Setting), Option<Bytes>>>,
}

impl Rustfmt {
    pub(crate) fn new() -> Self {
        Self {
            directory: OnceLock::new(),
            start: Instant::now(),
            refused: Mutex::default(),
            late: AtomicUsize::new(0),
            known: Mutex::default(),
        }
    }

    /// A file as rustfmt writes it; `None` if there is no rustfmt, if it does not take the file, or if it takes too long. `name` is
    /// what messages call it, where it is reported.
    pub(crate) fn format(&self, name: Option<&str>, text: &Bytes, setting: &Setting) -> Option<Bytes> {
        let key = (Digest::of(text), setting.clone());
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(&key) {
            return known.clone();
        }
        let formatted = self.format_now(name, text, setting);
        known().insert(key, formatted.clone());
        formatted
    }

    fn format_now(&self, name: Option<&str>, text: &Bytes, setting: &Setting) -> Option<Bytes> {
        if text.len() > LARGEST || std::str::from_utf8(text).is_err() {
            return None;
        }
        let directory = self.directory.get_or_init(find).as_ref().ok()?;
        let Some(left) = IN_ALL.checked_sub(self.start.elapsed()) else {
            self.late.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        // Each file has its own directory: several are formatted at once, with different settings.
        let place = tempfile::tempdir_in(directory).ok()?;
        fs_err::File::create_new(place.path().join(SETTINGS))
            .and_then(|mut file| file.write_all(setting.config.as_bytes()))
            .ok()?;
        let words = ["rustfmt", "--quiet", "--edition", &setting.edition, "--config-path"].map(OsString::from);
        let words = [&words[..], &[place.path().join(SETTINGS).into_os_string()]].concat();
        let kept = text.len().saturating_mul(4).saturating_add(4096);
        let ended = process::run(&words, top(place.path()), Some(text.clone()), left.min(FOR_A_FILE), kept).ok()?;
        match ended {
            Some(Ended { status, said, .. }) if status.success() && said.len() < kept && !said.is_empty() => {
                Some(said.into())
            }
            Some(Ended { complaint, .. }) => {
                self.refuse(name, complaint_of(&complaint));
                None
            }
            None => {
                self.refuse(name, "it took too long".to_owned());
                None
            }
        }
    }

    fn refuse(&self, name: Option<&str>, reason: String) {
        let Some(name) = name else { return };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.push(format!("`{}` is not formatted: {reason}", escape_control(name)));
    }

    /// What kept files from being formatted, as far as anything was to be formatted.
    pub(crate) fn told(&self) -> Vec<String> {
        if let Some(Err(reason)) = self.directory.get() {
            return vec![format!("Rust files stay as the template has them: {reason}.")];
        }
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let more = refused.len().saturating_sub(TOLD);
        let mut told: Vec<String> = refused.iter().take(TOLD).cloned().collect();
        told.sort();
        told.extend((more > 0).then(|| format!("{more} more files are not formatted.")));
        told.extend(late(self.late.load(Ordering::Relaxed)));
        told
    }
}

/// What is said where there was no time left for so many files.
fn late(files: usize) -> Option<String> {
    let files = match files {
        0 => return None,
        1 => "1 Rust file is".to_owned(),
        more => format!("{more} Rust files are"),
    };
    let seconds = IN_ALL.as_secs();
    Some(format!("{files} compared and written without rustfmt, which took {seconds} seconds for the files before."))
}

/// The directory that rustfmt runs in, the uppermost one: rustup looks for a `rust-toolchain.toml` in each above, and everybody may put one into
/// the system's directory for temporary files.
fn top(place: &Path) -> &Path {
    place.ancestors().last().unwrap_or(place)
}

/// A directory for rustfmt's settings, where there is a rustfmt; else why not.
fn find() -> Result<TempDir, String> {
    const HOW: &str = "`rustup component add rustfmt` installs it";
    let directory = tempfile::Builder::new().prefix("create-app-").tempdir();
    let directory = directory.map_err(|error| format!("rustfmt has no directory to run in: {error}"))?;
    let version = ["rustfmt", "--version"].map(OsString::from);
    match process::run(&version, top(directory.path()), None, FOR_A_FILE, 4096) {
        Ok(Some(ended)) if ended.status.success() => Ok(directory),
        Ok(Some(ended)) => Err(format!("rustfmt does not run ({}); {HOW}", complaint_of(&ended.complaint))),
        Ok(None) => Err("rustfmt does not respond".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!("rustfmt is not installed; {HOW}")),
        Err(error) => Err(format!("rustfmt does not run: {error}")),
    }
}

/// The first line of rustfmt's complaint.
fn complaint_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Warning:"));
    let line: String = lines.next().unwrap_or("rustfmt does not say why").chars().take(200).collect();
    escape_control(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_there_was_no_time_for_are_told() {
        let Some(start) = Instant::now().checked_sub(IN_ALL + FOR_A_FILE) else { return };
        let directory = OnceLock::from(tempfile::tempdir().map_err(|error| error.to_string()));
        let rustfmt = Rustfmt { start, directory, ..Rustfmt::new() };
        let setting = Setting { edition: "2021".to_owned(), config: String::new() };
        assert_eq!(rustfmt.told(), [] as [String; 0]);
        assert_eq!(rustfmt.format(None, &"fn a( ){}".into(), &setting), None);
        assert_eq!(
            rustfmt.told(),
            ["1 Rust file is compared and written without rustfmt, which took 30 seconds for the files before."]
        );
        assert_eq!(rustfmt.format(Some("b.rs"), &"fn b( ){}".into(), &setting), None);
        assert!(rustfmt.told()[0].starts_with("2 Rust files are"));
    }
}
