//! From a plan to the operations that carry it out, in an order in which each of them can be done.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::operation::{Kind, Operation, Places, Root, Target};
use super::text::{Index, Journal};
use crate::diagnostic::{Diagnostic, Result};
use crate::lock::{BASE, Digest, Record};
use crate::plan::{Changes, Effect, Plan, Stamp, effects};
use crate::tree::{Mode, RelPath};
use crate::workspace::backup::Backup;
use crate::workspace::guard::{Seen, look};
use crate::workspace::site::Site;

/// The operations, and the bytes that they put.
#[derive(Debug)]
pub(in crate::workspace) struct Script<'a> {
    pub(in crate::workspace) journal: Journal,
    /// What each operation puts, empty for those that put nothing.
    pub(in crate::workspace) contents: Vec<Content<'a>>,
}

/// What is put.
#[derive(Debug, Default)]
pub(in crate::workspace) struct Content<'a> {
    pub(in crate::workspace) bytes: &'a [u8],
    /// The file whose permissions it gets: the one that it replaces, or is a copy of.
    pub(in crate::workspace) model: Option<PathBuf>,
}

/// What stands at a path before and after.
struct Step<'a> {
    target: Target,
    before: Option<Stamp>,
    after: Option<(&'a [u8], Mode)>,
    /// The file whose permissions it gets, where that is not the one that it replaces.
    model: Option<PathBuf>,
}

impl<'a> Script<'a> {
    /// The operations of a plan, its record and its backup; `files` are the record's. Git's index is not part of them yet.
    pub(in crate::workspace) fn new(
        site: &Site,
        places: &Places<'_>,
        plan: &'a Plan,
        record: &Record,
        files: &'a BTreeMap<String, Cow<'_, [u8]>>,
        backup: Option<&'a Backup>,
    ) -> Result<Self> {
        // In an app that is the repository's root, one file must not have two names.
        let repository = if site.app_dir.is_some() { Root::Repository } else { Root::App };
        let mut steps: Vec<Step<'a>> = steps(Root::App, &plan.app);
        steps.extend(self::steps(repository, &plan.repository));
        steps.extend(record_steps(places, record, files)?);
        steps.extend(backup.into_iter().flat_map(|backup| backup_steps(places, backup)));
        Ok(Self::of(site, places, steps))
    }

    fn of(site: &Site, places: &Places<'_>, steps: Vec<Step<'a>>) -> Self {
        let (mut puts, mut deletes): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.after.is_some());
        deletes.sort_by(|a, b| b.target.cmp(&a.target));
        // The lock is last: until it is there, the project is what it was.
        puts.sort_by_key(|step| step.target.is_lock());
        let needed: BTreeSet<Target> = puts.iter().flat_map(|step| step.target.above()).collect();
        let emptied: BTreeSet<Target> = deletes.iter().flat_map(|step| step.target.above()).collect();
        let emptied: Vec<Target> = emptied.into_iter().rev().filter(|dir| !needed.contains(dir)).collect();
        // Where the file system ignores case, what is removed may be what is needed in another spelling.
        let leaving: BTreeSet<_> =
            deletes.iter().map(|step| &step.target).chain(&emptied).map(Target::folded).collect();
        let missing = needed.into_iter().filter(|dir| leaving.contains(&dir.folded()) || !places.path(dir).is_dir());
        let missing: Vec<Target> = missing.collect();
        let plain = |target, kind| (Operation { target, kind }, Content::default());

        let mut all: Vec<(Operation, Content<'a>)> = Vec::new();
        all.extend(
            deletes.into_iter().filter_map(|step| Some(plain(step.target, Kind::Delete { before: step.before? }))),
        );
        all.extend(emptied.into_iter().map(|dir| plain(dir, Kind::RemoveDir)));
        all.extend(missing.into_iter().map(|dir| plain(dir, Kind::MakeDir)));
        all.extend(puts.into_iter().filter_map(|step| {
            let (bytes, mode) = step.after?;
            let after = Stamp { mode, digest: Digest::of(bytes) };
            let replaced = || is_file(step.before).then(|| places.path(&step.target));
            let model = step.model.or_else(replaced).filter(|_| is_file(Some(after)));
            let kind = Kind::Put { before: step.before, after };
            Some((Operation { target: step.target, kind }, Content { bytes, model }))
        }));
        let (operations, contents) = all.into_iter().unzip();
        Self {
            journal: Journal { app_dir: site.app_dir().to_owned(), made: 0, operations, index: Index::default() },
            contents,
        }
    }
}

fn steps<'a>(root: Root, changes: &'a Changes) -> Vec<Step<'a>> {
    let step = |(path, effect): (&RelPath, Effect<'a>)| {
        let after = effect.after.map(|entry| (entry.bytes(), entry.mode()));
        Step { target: Target::file(root, path), before: effect.before, after, model: None }
    };
    effects(changes).into_iter().map(step).collect()
}

/// What changes below `.create-app`: files that differ, and base files that no line of the lock names any more.
fn record_steps<'a>(
    places: &Places<'_>,
    record: &Record,
    files: &'a BTreeMap<String, Cow<'_, [u8]>>,
) -> Result<Vec<Step<'a>>> {
    let mut steps = Vec::new();
    for (name, bytes) in files {
        let target = Target::record(name);
        let before = stamp_at(places, &target)?;
        let after = Stamp { mode: Mode::File, digest: Digest::of(bytes) };
        if before != Some(after) {
            steps.push(Step { target, before, after: Some((bytes, Mode::File)), model: None });
        }
    }
    let kept = record.lock.base();
    let names = std::fs::read_dir(places.path(&Target::record(BASE))).into_iter().flatten();
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    for name in names.filter(|name| name.parse().is_ok_and(|digest: Digest| !kept.contains(&digest))) {
        let target = Target::record(&format!("{BASE}/{name}"));
        if let before @ Some(_) = stamp_at(places, &target)? {
            steps.push(Step { target, before, after: None, model: None });
        }
    }
    Ok(steps)
}

fn backup_steps<'a>(places: &Places<'_>, backup: &'a Backup) -> impl Iterator<Item = Step<'a>> {
    backup.copies.iter().map(|copy| {
        let target = Target::backup(backup.number, &copy.name);
        let file = places.repository().join(&copy.of);
        // What is staged can be another kind of thing than what stands there.
        let model = file.symlink_metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file);
        Step { target, before: None, after: Some((copy.entry.bytes(), copy.entry.mode())), model }
    })
}

fn is_file(stamp: Option<Stamp>) -> bool {
    stamp.is_some_and(|stamp| stamp.mode != Mode::Symlink)
}

fn stamp_at(places: &Places<'_>, target: &Target) -> Result<Option<Stamp>> {
    let path = places.path(target);
    match look(&path).map_err(|error| Diagnostic::io("cannot read", &path, &error))? {
        Seen::Entry(entry) => Ok(Some(Stamp::of(&entry))),
        Seen::Nothing | Seen::Other => Ok(None),
    }
}
