//! Projects made and changed on a real disk; pure parts are tested beside their code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::disk::Disk;
use super::fuse::Fuse;
use super::*;
use crate::lock::{self, LockedTemplate, Rendered};
use crate::manifest::Ownership;
use crate::plan::{Action, Change, Changes, Reason, Stamp, Trees};
use crate::scope::Scoped;
use crate::tree::{Entry, RelPath, Tree};

mod changes;
mod faults;
mod fresh;
mod hostile;
#[cfg(target_os = "linux")]
mod mounts;
mod record;
mod site;

pub(super) fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

/// A tree of text files; `*` before a path makes it executable, and `->` before a text makes it a link.
pub(super) fn tree(files: &[(&str, &str)]) -> Tree {
    let entry = |text: &str, executable| match text.strip_prefix("->") {
        Some(target) => Entry::Symlink { target: target.into() },
        None => Entry::File { bytes: text.as_bytes().to_vec().into(), executable },
    };
    let one = |&(name, text): &(&str, &str)| match name.strip_prefix('*') {
        Some(name) => (path(name), entry(text, true)),
        None => (path(name), entry(text, false)),
    };
    files.iter().map(one).collect()
}

/// What a command does with rendered trees, up to the point where something is written.
pub(super) struct Prepared {
    pub(super) site: Site,
    pub(super) plan: Plan,
    pub(super) record: Record,
    pub(super) existing: Existing,
}

pub(super) fn prepare(target: &Path, app: &Tree, repository: &Tree, existing: Existing) -> Result<Prepared> {
    let site = Site::locate(target)?;
    site.check(existing)?;
    let ours = site.read(app, repository)?;
    let record = record(&site, app, repository);
    let plan = Plan::new(Trees { app: app.clone(), repository: repository.clone() }, &ours, existing);
    Ok(Prepared { site, plan, record, existing })
}

fn record(site: &Site, app: &Tree, repository: &Tree) -> Record {
    let template = LockedTemplate { source: "embedded".into(), revision: "r".into(), ..LockedTemplate::default() };
    let (answers, ownership) = (BTreeMap::new(), Ownership::default());
    let app_dir = site.app_dir.clone();
    let (answers, ownership, secret) = (&answers, &ownership, &BTreeMap::new());
    let rendered =
        Rendered { template, app_dir, date: None, answers, ownership, secret, trees: Scoped { app, repository } };
    lock::record(&rendered, &BTreeSet::new())
}

/// What an upgrade of an unedited project does: these files, which are known to be there, become others.
pub(super) fn prepare_upgrade(target: &Path, ours: &Trees, theirs: &Trees) -> Prepared {
    let site = Site::locate(target).unwrap();
    let record = record(&site, &theirs.app, &theirs.repository);
    let mut plan = Plan::new(theirs.clone(), ours, Existing::Replace);
    let delete = |ours: &Tree, theirs: &Tree, changes: &mut Changes| {
        for (path, entry) in ours.iter().filter(|(path, _)| !theirs.contains_key(path)) {
            let action = Action::Delete { before: Stamp::of(entry) };
            changes.insert(path.clone(), Change { action, reason: Reason::Overwritten });
        }
    };
    delete(&ours.app, &theirs.app, &mut plan.files.app);
    delete(&ours.repository, &theirs.repository, &mut plan.files.repository);
    Prepared { site, plan, record, existing: Existing::Replace }
}

impl Prepared {
    pub(super) fn create(&self, disk: &Disk) -> Result<Vec<Aside>> {
        create_with(disk, &self.site, &self.plan, &self.record, self.existing).map(|done| done.asides)
    }
}

pub(super) fn make(target: &Path, app: &Tree, repository: &Tree, existing: Existing) -> Result<()> {
    prepare(target, app, repository, existing)?.create(&Disk::default()).map(drop)
}

/// Where the journal of a change of this project is, if one was interrupted.
pub(super) fn txn(site: &Site) -> Option<PathBuf> {
    journal::pending(site).unwrap().0.map(|pending| pending.path().to_path_buf())
}

pub(super) fn is_decided(site: &Site) -> bool {
    journal::pending(site).unwrap().0.is_some_and(|pending| pending.is_decided())
}

/// Makes a directory what git takes for the root of a repository, which is much faster than git.
pub(super) fn repository(root: impl AsRef<Path>) {
    let directory = root.as_ref().join(".git");
    write(directory.join("HEAD"), "ref: refs/heads/main\n");
    for name in ["objects", "refs"] {
        fs_err::create_dir(directory.join(name)).unwrap();
    }
}

pub(super) fn write(path: impl AsRef<Path>, text: &str) {
    fs_err::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs_err::File::create(path.as_ref())
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .unwrap();
}

/// Everything below a directory, one line each: path, kind or mode, content.
pub(super) fn list(root: &Path) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(root).min_depth(1).into_iter().map(std::result::Result::unwrap);
    entries.map(|entry| (name_below(root, entry.path()), describe(entry.path()))).collect()
}

fn name_below(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/")
}

fn describe(path: &Path) -> String {
    let metadata = path.symlink_metadata().unwrap();
    if metadata.is_dir() {
        return "directory".into();
    }
    if metadata.is_symlink() {
        return format!("-> {}", fs_err::read_link(path).unwrap().display());
    }
    let bytes = fs_err::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if rooted::is_executable(&metadata) { format!("*{text}") } else { text }
}

/// The same, without what create-app keeps for itself.
pub(super) fn list_project(root: &Path) -> Vec<String> {
    let all = list(root).into_iter().filter(|(name, _)| !name.contains(".create-app"));
    all.map(|(name, content)| format!("{name}: {content}")).collect()
}

/// The title of an error, and its help, with the directory that is different each time left out.
pub(super) fn message(directory: &TempDir, result: Result<impl Sized>) -> String {
    let Err(problems) = result else { panic!("an error") };
    let lines = problems
        .0
        .iter()
        .map(|problem| format!("{} {} ({})", problem.code, problem.title, problem.help.as_deref().unwrap_or_default()));
    let text = lines.collect::<Vec<_>>().join("\n");
    let root = directory.path().canonicalize().unwrap();
    text.replace(root.to_str().unwrap(), "ROOT").replace(directory.path().to_str().unwrap(), "ROOT")
}

/// A directory for one test, in memory where that can be had: tests by the thousand need no disk.
pub(super) fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A directory for one test, and the path of a project that is not there yet.
pub(super) fn place() -> (TempDir, PathBuf) {
    let directory = directory();
    let target = directory.path().join("shop");
    (directory, target)
}

pub(super) fn killed_after(steps: usize) -> Disk {
    Disk { fuse: Fuse::after(steps).into() }
}

pub(super) fn trees(app: &[(&str, &str)], repository: &[(&str, &str)]) -> Trees {
    Trees { app: tree(app), repository: tree(repository) }
}
