//! What a file system does not keep of a file, and git's index therefore has alone: that it is executable (`core.fileMode=false`), or
//! that it is a link (`core.symlinks=false`, where a text file holds the target). Merges see files as git does; the disk gets, and is
//! compared with, what it can keep.

use std::collections::BTreeSet;

use super::complete::Needed;
use super::project::Project;
use super::site::Site;
use crate::diagnostic::Result;
use crate::git::{self, Disk, Kinds};
use crate::limits::SETTINGS;
use crate::plan::{Action, Change, Changes, Plan, Stamp, Trees};
use crate::rooted::Root;
use crate::tree::{Entry, Mode, RelPath, Tree};

/// The project's files as `check` and `diff --local` judge them: as git sees them, and without those of other repositories in it.
/// Completes what is known of the base.
///
/// # Errors
///
/// As [`super::ours`], [`super::complete`] and [`lent`].
pub fn judged(project: &mut Project, needed: Needed) -> Result<Trees> {
    let ours = super::ours(&project.site, &project.bases, &Trees::default(), &project.room)?;
    super::complete(project, &ours, needed)?;
    let site = &project.site;
    let kinds = kinds(site)?;
    let mut ours = super::nested(site, &kinds, Some(&project.bases), &Trees::default())?.without(ours);
    lent(site, &kinds, &mut ours, &Trees::default())?;
    Ok(ours)
}

/// What kinds of files git's index has; nothing outside a repository.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked.
pub fn kinds(site: &Site) -> Result<Kinds> {
    site.repository.as_deref().map_or(Ok(Kinds::default()), git::kinds)
}

/// The properties of files that a work tree's file system does not keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lent {
    /// Whether links are text files.
    links: bool,
    /// The modes that the project's files have on the disk, where git has others.
    app: Tree,
    repository: Tree,
}

/// Lets the project's files be what git's index says that they are, where the disk cannot say so.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked.
pub fn lent(site: &Site, kinds: &Kinds, ours: &mut Trees, theirs: &Trees) -> Result<Lent> {
    let Some(root) = site.repository.as_deref() else { return Ok(Lent::default()) };
    let app = differing(kinds, &ours.app, |path| site.in_repository(path.as_str()));
    let repository = differing(kinds, &ours.repository, ToString::to_string);
    let is_new = |theirs: &Tree, ours: &Tree| {
        theirs.iter().any(|(path, entry)| entry.mode() == Mode::Symlink && ours.get(path) != Some(entry))
    };
    let may_differ = !app.is_empty() || !repository.is_empty();
    if !may_differ && !is_new(&theirs.app, &ours.app) && !is_new(&theirs.repository, &ours.repository) {
        return Ok(Lent::default());
    }
    let disk = disk(root)?;
    let [app, repository] = if disk.modes {
        [app, repository]
    } else {
        [tracked(root, app, |path| site.in_repository(path.as_str()))?, tracked(root, repository, ToString::to_string)?]
    };
    let mut lent = Lent { links: !disk.links, ..Lent::default() };
    lent.app = be_as_in_git(&mut ours.app, app, disk);
    lent.repository = be_as_in_git(&mut ours.repository, repository, disk);
    Ok(lent)
}

/// What the disk of a new project keeps. Git is only asked where its configuration has one of these settings switched off: it writes
/// them into every new repository.
#[must_use]
pub fn kept_by_disk(site: &Site) -> Disk {
    let all = Disk { modes: true, links: true };
    let root = site.repository.as_deref().unwrap_or(&site.app);
    let is_off = git::own_directory(root).and_then(|own| Root::open(&own).ok()).is_some_and(|own| {
        let text = own.read("config", SETTINGS).map(|bytes| String::from_utf8_lossy(&bytes).to_lowercase());
        let is_off = |line: &str| {
            let is_key = ["filemode", "symlinks"].iter().any(|key| line.trim_start().starts_with(key));
            is_key && !line.trim_end().ends_with("true")
        };
        text.is_ok_and(|text| text.lines().any(is_off))
    });
    if is_off { disk(root).unwrap_or(all) } else { all }
}

fn disk(root: &std::path::Path) -> Result<Disk> {
    let disk = git::disk(root)?;
    Ok(Disk { modes: disk.modes && cfg!(unix), ..disk })
}

/// The files whose kind is another one in the index, with the index's mode.
fn differing(kinds: &Kinds, ours: &Tree, name: impl Fn(&RelPath) -> String) -> Vec<(RelPath, Mode)> {
    let differs = |(path, entry): (&RelPath, &Entry)| {
        let name = name(path);
        let indexed = match entry.mode() {
            Mode::Symlink => return None,
            _ if kinds.links.contains(&name) => Mode::Symlink,
            _ if kinds.executables.contains(&name) => Mode::Executable,
            _ => Mode::File,
        };
        (indexed != entry.mode()).then(|| (path.clone(), indexed))
    };
    ours.iter().filter_map(differs).collect()
}

/// Those that git tracks: of others, it knows nothing.
fn tracked(
    root: &std::path::Path,
    mut differing: Vec<(RelPath, Mode)>,
    name: impl Fn(&RelPath) -> String,
) -> Result<Vec<(RelPath, Mode)>> {
    let names: Vec<String> = differing.iter().map(|(path, _)| name(path)).collect();
    let indexed = git::indexed(root, &names.iter().map(String::as_str).collect())?;
    let tracked: BTreeSet<String> = indexed.into_iter().map(|it| it.path).collect();
    differing.retain(|(path, _)| tracked.contains(&name(path)));
    Ok(differing)
}

/// Returns the files as they are on the disk.
fn be_as_in_git(ours: &mut Tree, differing: Vec<(RelPath, Mode)>, disk: Disk) -> Tree {
    let mut lent = Tree::new();
    for (path, mode) in differing {
        let Some(entry) = ours.get_mut(&path) else { continue };
        let Entry::File { bytes, .. } = &*entry else { continue };
        let as_in_git = match mode {
            Mode::Symlink if disk.links => continue,
            Mode::Symlink => match String::from_utf8(bytes.to_vec()) {
                Ok(target) => Entry::Symlink { target },
                Err(_) => continue,
            },
            _ if disk.modes => continue,
            mode => Entry::File { bytes: bytes.clone(), executable: mode == Mode::Executable },
        };
        lent.insert(path, std::mem::replace(entry, as_in_git));
    }
    lent
}

impl Lent {
    /// Whether the disk keeps everything.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The plan as it is carried out on this disk.
    #[must_use]
    pub fn on_disk(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        self.put(&mut plan.files.app, &self.app);
        self.put(&mut plan.files.repository, &self.repository);
        plan
    }

    fn put(&self, changes: &mut Changes, lent: &Tree) {
        let stand = |path: &RelPath, before: &mut Stamp| {
            if let Some(entry) = lent.get(path) {
                *before = Stamp::of(entry);
            }
        };
        let write = |entry: &mut Entry| {
            if let (true, Entry::Symlink { target }) = (self.links, &*entry) {
                *entry = Entry::file(target.clone().into_bytes());
            }
        };
        for (path, Change { action, .. }) in changes {
            match action {
                Action::Create(after) => write(after),
                Action::Delete { before } => stand(path, before),
                Action::Update { before, after } => {
                    stand(path, before);
                    write(after);
                }
                Action::Move { from, before, after } => {
                    stand(from, before);
                    write(after);
                }
                Action::Conflict(conflict) => {
                    conflict.before.iter_mut().for_each(|(from, before)| stand(from, before));
                    conflict.after.iter_mut().for_each(write);
                    conflict.beside.iter_mut().for_each(|(_, entry)| write(entry));
                }
                Action::Keep => {}
            }
        }
    }
}

/// The paths whose kind only the index can have after a plan: with the mode that it needs there.
///
/// # Errors
///
/// When git is missing or fails, if it has to be asked.
pub(super) fn only_in_index(site: &Site, plan: &Plan) -> Result<Vec<(String, Entry)>> {
    let Some(root) = site.repository.as_deref() else { return Ok(Vec::new()) };
    let mut found = of(&plan.files.app, |path| site.in_repository(path.as_str()));
    found.extend(of(&plan.files.repository, ToString::to_string));
    if found.is_empty() {
        return Ok(found);
    }
    let disk = disk(root)?;
    found.retain(|(_, entry)| match entry.mode() {
        Mode::Symlink => !disk.links,
        Mode::Executable | Mode::File => !disk.modes,
    });
    let ignored = git::check_ignore(root, found.iter().map(|(path, _)| path.as_str()))?;
    let ignored: BTreeSet<String> = ignored.into_iter().map(|it| it.path).collect();
    found.retain(|(path, _)| !ignored.contains(path));
    Ok(found)
}

/// What comes as something else than a plain file, or becomes another kind of file.
fn of(changes: &Changes, name: impl Fn(&RelPath) -> String) -> Vec<(String, Entry)> {
    let effects = crate::plan::effects(changes);
    let conflicts: BTreeSet<&RelPath> = changes
        .iter()
        .filter(|(_, change)| matches!(change.action, Action::Conflict(_)))
        .map(|(path, _)| path)
        .collect();
    let changed = effects.into_iter().filter_map(|(path, effect)| {
        let after = effect.after.filter(|_| !conflicts.contains(path))?;
        let before = effect.before.map_or(Mode::File, |before| before.mode);
        (before != after.mode()).then(|| (name(path), after.clone()))
    });
    changed.collect()
}
