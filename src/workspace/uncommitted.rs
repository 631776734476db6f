//! Whether git has the record as it is on the disk: what is not committed is not there for others, nor for the next upgrade.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread::{Builder, JoinHandle};

use super::project::Project;
use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git::{self, Committed, Sparse};
use crate::lock::{BASE, DIRECTORY, LOCK};

/// A question that git is at, while the project's files are read.
#[derive(Debug)]
pub struct Uncommitted {
    asked: Option<JoinHandle<Result<Option<Diagnostic>>>>,
}

impl Uncommitted {
    /// Asks git, where there is a repository.
    #[must_use]
    pub fn ask(project: &Project) -> Self {
        let site = &project.site;
        let in_record = |name: &str| site.in_repository(&format!("{DIRECTORY}/{name}"));
        let lock = in_record(LOCK);
        let base: Vec<String> =
            project.lock.base().into_iter().map(|digest| in_record(&format!("{BASE}/{digest}"))).collect();
        let asked = site.repository.clone().and_then(|root| {
            let site = site.clone();
            let ask = move || match is_uncommitted(&root, &lock, &base)? {
                true => warning(&site, &root, &base).map(Some),
                false => Ok(None),
            };
            // Where there can be no more threads, it is not worth an error.
            Builder::new().spawn(ask).ok()
        });
        Self { asked }
    }

    /// Waits for git. A warning where something of the record is not committed; where git fails, there is nothing to say.
    #[must_use]
    pub fn end(self) -> Option<Diagnostic> {
        self.asked?.join().ok()?.unwrap_or_default()
    }
}

/// Says that something of the record is not committed, and how it is added, also where a sparse checkout leaves the base out.
fn warning(site: &Site, root: &Path, base: &[String]) -> Result<Diagnostic> {
    let is_left_out = Sparse::of(root)?.is_some_and(|sparse| base.iter().any(|path| sparse.leaves_out(path)));
    let options: &[&str] = if is_left_out { &["--all", "--sparse"] } else { &["--all"] };
    let title = format!("`{}` has uncommitted changes", site.name_of(DIRECTORY));
    let add = site.git_add(options, DIRECTORY);
    let help = format!("commit all of it together with the files that it describes: `{add}`");
    Ok(Diagnostic::warning(Code::Uncommitted, title).help(help))
}

/// What the base has is named by its digest, so it is enough that git has a file of that name.
fn is_uncommitted(root: &Path, lock: &str, base: &[String]) -> Result<bool> {
    if git::head(root)?.is_none() {
        return Ok(false);
    }
    let paths: BTreeSet<&str> = base.iter().map(String::as_str).collect();
    let tracked = git::entries(root, &paths)?;
    if tracked.len() < paths.len() || tracked.iter().any(|entry| entry.stage > 0) {
        return Ok(true);
    }
    let directory = lock.strip_suffix(LOCK).unwrap_or_default().trim_end_matches('/');
    // To start git takes as long as all the rest, and mostly it has nothing to say.
    if git::is_as_indexed(root, lock) == Some(true) && !git::may_be_staged(root, directory) {
        return Ok(false);
    }
    Ok(!git::status(root, &Committed::default(), &[lock].into())?.is_empty())
}
