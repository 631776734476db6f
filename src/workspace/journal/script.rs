//! From a plan to the operations that carry it out, in an order in which each of them can be done.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::before::Before;
use super::operation::{Kind, Operation, Places, Root, Target};
use super::state::{Seen, look};
use super::text::{Index, Journal};
use super::way::{in_the_way, unreachable};
use crate::diagnostic::{Diagnostic, Result};
use crate::digest::Digest;
use crate::limits::PROJECT;
use crate::lock::{BASE, Record};
use crate::plan::{Changes, Effect, Plan, Stamp, effects};
use crate::rooted::{self, Failure as Unreached, Reader, Spot};
use crate::tree::{Mode, RelPath};
use crate::workspace::backup::Backup;
use crate::workspace::site::Site;

/// The operations, and the bytes that they put.
#[derive(Debug)]
pub(in crate::workspace) struct Script<'a> {
    pub(in crate::workspace) journal: Journal,
    /// The entry that each operation puts, empty for those that put nothing.
    pub(in crate::workspace) contents: Vec<Content<'a>>,
    /// The earlier state of git, if the change can be undone once it is done.
    pub(in crate::workspace) before: Option<Before>,
}

/// The new entries of a change.
#[derive(Debug, Default)]
pub(in crate::workspace) struct Content<'a> {
    pub(in crate::workspace) bytes: &'a [u8],
    /// The file whose permissions it gets.
    pub(in crate::workspace) model: Option<Model>,
    /// The file itself, where it is not made of the bytes.
    pub(in crate::workspace) kept: Option<Spot>,
}

/// The file whose permissions another one gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) enum Model {
    /// The one that it replaces.
    Replaced,
    /// A copy of one at a path below the root.
    At(String),
}

/// The entry at a path before and after.
pub(super) struct Step<'a> {
    target: Target,
    before: Option<Stamp>,
    after: Option<After<'a>>,
    /// The file whose permissions it gets, where that is not the one that it replaces.
    model: Option<String>,
}

/// The entry at a path afterwards.
enum After<'a> {
    Bytes(&'a [u8], Mode),
    /// What was there once, and is kept here.
    Kept(Spot, Stamp),
}

impl Step<'_> {
    /// A step that brings back what was there.
    pub(super) fn back(target: Target, before: Option<Stamp>, kept: Option<(Spot, Stamp)>) -> Self {
        Self { target, before, after: kept.map(|(spot, stamp)| After::Kept(spot, stamp)), model: None }
    }
}

impl<'a> Script<'a> {
    /// The operations that bring back what was there; `copies` are made of what is there now.
    pub(super) fn back(
        site: &Site,
        reader: &mut Reader<'_>,
        mut steps: Vec<Step<'a>>,
        copies: Option<&'a Backup>,
    ) -> Result<Self> {
        steps.extend(backup_steps(reader, copies));
        Self::of(site, &Places::new(site), reader, steps)
    }

    /// The operations of a plan, its record and its backup; `files` are the record's. Git's index is not part of them yet.
    pub(in crate::workspace) fn new(
        site: &Site,
        reader: &mut Reader<'_>,
        plan: &'a Plan,
        record: &Record,
        files: &'a BTreeMap<String, Cow<'_, [u8]>>,
        backup: Option<&'a Backup>,
    ) -> Result<Self> {
        // In an app that is the repository's root, one file must not have two names.
        let repository = if site.app_dir.is_some() { Root::Repository } else { Root::App };
        let places = &Places::new(site);
        let mut steps: Vec<Step<'a>> = steps(Root::App, &plan.files.app);
        steps.extend(self::steps(repository, &plan.files.repository));
        steps.extend(record_steps(places, reader, record, files)?);
        steps.extend(backup_steps(reader, backup));
        Self::of(site, places, reader, steps)
    }

    fn of(site: &Site, places: &Places<'_>, reader: &mut Reader<'_>, steps: Vec<Step<'a>>) -> Result<Self> {
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
        let leaves = |directory: &Target| {
            leaving.contains(&directory.folded()) || directory.above().any(|above| leaving.contains(&above.folded()))
        };
        let mut missing = Vec::new();
        for directory in needed {
            if leaves(&directory) || !is_directory(places, reader, &directory)? {
                missing.push(directory);
            }
        }
        let plain = |target, kind| (Operation { target, kind }, Content::default());

        let mut all: Vec<(Operation, Content<'a>)> = Vec::new();
        all.extend(
            deletes.into_iter().filter_map(|step| Some(plain(step.target, Kind::Delete { before: step.before? }))),
        );
        all.extend(emptied.into_iter().map(|dir| plain(dir, Kind::RemoveDir)));
        all.extend(missing.into_iter().map(|dir| plain(dir, Kind::MakeDir)));
        all.extend(puts.into_iter().filter_map(|step| {
            let (bytes, after, kept) = match step.after? {
                After::Bytes(bytes, mode) => (bytes, Stamp { mode, digest: Digest::of(bytes) }, None),
                After::Kept(spot, stamp) => (&[][..], stamp, Some(spot)),
            };
            let replaced = || is_file(step.before).then_some(Model::Replaced);
            let model = step.model.map(Model::At).or_else(replaced).filter(|_| is_file(Some(after)));
            let kind = Kind::Put { before: step.before, after };
            Some((Operation { target: step.target, kind }, Content { bytes, model, kept }))
        }));
        let (operations, contents) = all.into_iter().unzip();
        let app_dir = site.app_dir().to_owned();
        let journal = Journal { app_dir, made: 0, staging: None, bond: None, operations, index: Index::default() };
        Ok(Self { journal, contents, before: None })
    }
}

fn steps<'a>(root: Root, changes: &'a Changes) -> Vec<Step<'a>> {
    let step = |(path, effect): (&RelPath, Effect<'a>)| {
        let after = effect.after.map(|entry| After::Bytes(entry.bytes(), entry.mode()));
        Step { target: Target::file(root, path), before: effect.before, after, model: None }
    };
    effects(changes).into_iter().map(step).collect()
}

/// What changes below `.create-app`: files that differ, and base files that no line of the lock names any more.
fn record_steps<'a>(
    places: &Places<'_>,
    reader: &mut Reader<'_>,
    record: &Record,
    files: &'a BTreeMap<String, Cow<'_, [u8]>>,
) -> Result<Vec<Step<'a>>> {
    let mut steps = Vec::new();
    for (name, bytes) in files {
        let target = Target::record(name);
        let before = stamp_at(places, reader, &target)?;
        let after = Stamp { mode: Mode::File, digest: Digest::of(bytes) };
        if before != Some(after) {
            steps.push(Step { target, before, after: Some(After::Bytes(bytes, Mode::File)), model: None });
        }
    }
    let kept = record.kept();
    for name in names(places, reader, &Target::record(BASE))? {
        if name.parse().is_ok_and(|digest: Digest| !kept.contains(&digest)) {
            let target = Target::record(&format!("{BASE}/{name}"));
            if let before @ Some(_) = stamp_at(places, reader, &target)? {
                steps.push(Step { target, before, after: None, model: None });
            }
        }
    }
    Ok(steps)
}

fn backup_steps<'a>(reader: &mut Reader<'_>, backup: Option<&'a Backup>) -> Vec<Step<'a>> {
    let copies = backup.into_iter().flat_map(|backup| backup.copies.iter().map(move |copy| (backup.number, copy)));
    copies.map(|copy| backup_step(reader, copy)).collect()
}

fn backup_step<'a>(reader: &mut Reader<'_>, (number, copy): (u32, &'a crate::workspace::backup::Copy)) -> Step<'a> {
    // What is staged can be another kind of thing than what is there.
    let is_file = matches!(reader.kind(Path::new(&copy.of)), Ok(Some(rooted::Kind::File)));
    Step {
        target: Target::backup(number, &copy.name),
        before: None,
        after: Some(After::Bytes(copy.entry.bytes(), copy.entry.mode())),
        model: is_file.then(|| copy.of.clone()),
    }
}

fn is_file(stamp: Option<Stamp>) -> bool {
    stamp.is_some_and(|stamp| stamp.mode != Mode::Symlink)
}

/// Whether a directory is there; a file or a link in its place stops everything before anything is written.
fn is_directory(places: &Places<'_>, reader: &mut Reader<'_>, target: &Target) -> Result<bool> {
    let way = places.way(target);
    let in_its_place = |kind| match kind {
        rooted::Kind::Link => Unreached::Link(way.clone().into()),
        kind => Unreached::NotADirectory(way.clone().into(), kind),
    };
    match reader.kind(Path::new(&way)) {
        Ok(None) => Ok(false),
        Ok(Some(rooted::Kind::Directory)) => Ok(true),
        Ok(Some(kind)) => Err(in_the_way(places.root(), &in_its_place(kind))),
        Err(failure) => Err(unreachable("cannot open", places, target, &failure)),
    }
}

/// The names in a directory, none where it is missing.
fn names(places: &Places<'_>, reader: &mut Reader<'_>, target: &Target) -> Result<Vec<String>> {
    match reader.names(Path::new(&places.way(target))) {
        Err(failure) if failure.is_missing() => Ok(Vec::new()),
        names => names.map_err(|failure| unreachable("cannot read", places, target, &failure)),
    }
}

fn stamp_at(places: &Places<'_>, reader: &mut Reader<'_>, target: &Target) -> Result<Option<Stamp>> {
    let seen = match reader.spot(Path::new(&places.way(target))) {
        Err(failure) if failure.is_missing() => return Ok(None),
        Err(failure) => return Err(unreachable("cannot read", places, target, &failure)),
        // No upgrade wrote that, and to tell what it is would take as long as to read it.
        Ok(spot) if spot.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > PROJECT) => {
            return Err(unreachable("cannot read", places, target, &Unreached::TooLarge(PROJECT)));
        }
        Ok(spot) => look(&spot).map_err(|error| Diagnostic::io("cannot read", spot.path(), &error))?,
    };
    Ok(if let Seen::Entry(stamp) = seen { Some(stamp) } else { None })
}
