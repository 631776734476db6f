//! The questions for git about a project that is to be upgraded: it answers while the merge is planned.

use std::thread::{Builder, JoinHandle};

use super::locks;
use super::site::Site;
use crate::digest::Digest;
use crate::git::{self, Committed};
use crate::lock::{BASE, DIRECTORY, LOCK};

/// In a project of more files, git is only asked about those that change.
const MOST: usize = 256;

/// A question that git is at.
#[derive(Debug)]
pub struct Inquiry(Option<JoinHandle<Findings>>);

/// Git's message.
#[derive(Debug, Default)]
pub struct Findings {
    /// The last commit's version of the recorded files.
    pub committed: Committed,
    /// Whether git certainly shows what is in the app's `.create-app`.
    pub shows_record: bool,
}

impl Inquiry {
    /// Asks git, where there is a repository.
    #[must_use]
    pub fn start(site: &Site) -> Self {
        let site = site.clone();
        let asks = site.repository.is_some();
        // Where there can be no more threads, git is asked later.
        Self(asks.then(|| Builder::new().spawn(move || Findings::of(&site)).ok()).flatten())
    }

    /// Waits for git.
    #[must_use]
    pub fn end(self) -> Findings {
        self.0.and_then(|asked| asked.join().ok()).unwrap_or_default()
    }
}

impl Findings {
    /// A failure is not an answer: whoever needs one asks again, and gets the reason.
    fn of(site: &Site) -> Self {
        Self { committed: committed(site).unwrap_or_default(), shows_record: shows_record(site).unwrap_or_default() }
    }
}

fn committed(site: &Site) -> Option<Committed> {
    let lock = locks::of(&site.app).ok()??;
    let app = lock.files.app.keys().chain(lock.moved.values()).map(|path| site.in_repository(path.as_str()));
    let paths: Vec<String> = app.chain(lock.files.repository.keys().map(ToString::to_string)).collect();
    if paths.len() > MOST {
        return None;
    }
    Committed::ask(site.root(), paths.iter().map(String::as_str)).ok()
}

/// Asked of the lock, and of a file of the base that is not there yet, as the next one is not.
fn shows_record(site: &Site) -> Option<bool> {
    let next = Digest::of(site.app.as_os_str().as_encoded_bytes());
    let paths = [DIRECTORY.to_owned(), format!("{DIRECTORY}/{LOCK}"), format!("{DIRECTORY}/{BASE}/{next}")];
    Some(!git::would_ignore(&site.app, paths.iter().map(String::as_str)).ok()?)
}
