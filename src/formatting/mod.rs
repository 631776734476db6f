//! Formats Rust files with rustfmt. cargo-generate formats the files that it creates, so new projects contain formatted files.
//!
//! The record has the render before formatting: it is the same on every machine, whichever rustfmt is installed. Beside it, the lock has the
//! digest of the formatted file. Before a merge, base and theirs become what ours is, formatted or not ([`settle`]), so that
//! formatting alone is not an edit and no change of the template.

mod place;
mod rustfmt;
mod settle;

use std::collections::BTreeMap;

use bytes::Bytes;

use self::place::{Places, Setting, is_rust};
pub(crate) use self::rustfmt::Rustfmt;
use self::settle::{Sides, settle};
use crate::digest::Digest;
use crate::lock::Bases;
use crate::lock::{Lock, Pristine};
use crate::manifest::Manifest;
use crate::parallel;
use crate::plan::Trees;
use crate::render::Secret;
use crate::tree::{Entry, RelPath, Tree};
use crate::workspace::Site;

/// Whether a template wants its Rust files formatted: the hook `fmt` says so in so many words, else `[template] fmt` does, and without it, they are.
pub(crate) fn wanted(manifest: &Manifest) -> bool {
    manifest.hooks.formats || manifest.fmt.unwrap_or(true)
}

/// The files of a new project, with Rust formatted. What depends on a secret answer stays: what is recorded of it has markers, which are not Rust.
pub(crate) fn formatted(rustfmt: &Rustfmt, site: &Site, trees: &Trees, secret: &Secret) -> Trees {
    let app = all(rustfmt, Places::of_app(site, vec![&trees.app]), &trees.app, secret);
    let repository = all(rustfmt, Places::of_repository(vec![&trees.repository]), &trees.repository, secret);
    Trees { app, repository }
}

fn all(rustfmt: &Rustfmt, mut places: Places<'_>, tree: &Tree, secret: &Secret) -> Tree {
    let candidates = tree.iter().filter(|(path, _)| !secret.contains_key(*path));
    let jobs: Vec<Job> = candidates.filter_map(|(path, entry)| Job::of(&mut places, path, entry)).collect();
    let mut formatted = tree.clone();
    formatted.extend(run(rustfmt, jobs));
    formatted
}

/// A file to format.
struct Job {
    path: RelPath,
    bytes: Bytes,
    executable: bool,
    setting: Setting,
}

impl Job {
    fn of(places: &mut Places<'_>, path: &RelPath, entry: &Entry) -> Option<Self> {
        let Entry::File { bytes, executable } = entry else { return None };
        let setting = places.setting(path)?;
        Some(Self { executable: *executable, ..Self::new(path, bytes, &setting) })
    }

    fn new(path: &RelPath, bytes: &Bytes, setting: &Setting) -> Self {
        Self { path: path.clone(), bytes: bytes.clone(), executable: false, setting: setting.clone() }
    }
}

/// Files as rustfmt formats them; those that it rejects are left out.
fn run(rustfmt: &Rustfmt, jobs: Vec<Job>) -> BTreeMap<RelPath, Entry> {
    let format = |(): &mut (), Job { path, bytes, executable, setting }: Job| {
        let bytes = rustfmt.format(Some(path.as_str()), &bytes, &setting)?;
        Some((path, Entry::File { bytes, executable }))
    };
    let done: Vec<Option<(RelPath, Entry)>> = match jobs.len() {
        0 | 1 => jobs.into_iter().map(|job| format(&mut (), job)).collect(),
        _ => parallel::map(jobs, 1, || (), format),
    };
    done.into_iter().flatten().collect()
}

/// Formats files that are asked for one by one afterwards, and says nothing of those that rustfmt does not take.
fn warm(rustfmt: &Rustfmt, jobs: Vec<Job>) {
    if jobs.len() > 1 {
        let format = |(): &mut (), job: Job| drop(rustfmt.format(None, &job.bytes, &job.setting));
        parallel::map::<_, _, _, Vec<()>>(jobs, 1, || (), format);
    }
}

/// Lets formatting alone be no difference between what is recorded and the project's files, and between what the template rendered and renders.
pub(crate) fn settle_all(
    rustfmt: &Rustfmt,
    site: &Site,
    bases: &mut Bases,
    ours: &Trees,
    mut theirs: Option<&mut Trees>,
    (wanted, secret): (bool, &Secret),
) {
    if !has_rust(bases, theirs.as_deref()) {
        return;
    }
    let before = theirs.as_deref().cloned().unwrap_or_default();
    let mut places = Places::of_app(site, vec![&ours.app, &before.app]);
    let new = theirs.as_deref_mut().map(|theirs| &mut theirs.app);
    settle(rustfmt, &mut places, Sides { base: &mut bases.files.app, ours: &ours.app, theirs: new, wanted, secret });
    let mut places = Places::of_repository(vec![&ours.repository, &before.repository]);
    let new = theirs.map(|theirs| &mut theirs.repository);
    let (base, ours) = (&mut bases.files.repository, &ours.repository);
    settle(rustfmt, &mut places, Sides { base, ours, theirs: new, wanted, secret });
}

fn has_rust(bases: &Bases, theirs: Option<&Trees>) -> bool {
    let known = bases.files.entries().map(|(path, _)| path);
    let new = theirs.into_iter().flat_map(|theirs| theirs.entries().map(|(path, _)| path));
    known.chain(new).any(is_rust)
}

/// Notes in a lock what the files are when they are formatted. Where the render of a file is the one of the lock before, what that one says stays:
/// another rustfmt is nothing new.
pub(crate) fn note(lock: &mut Lock, written: &Trees, before: Option<&Lock>) {
    for (scope, (files, tree)) in lock.files.as_mut().zip(written.as_ref()) {
        let before = before.map(|lock| lock.files.of(scope));
        for (path, pristine) in files.iter_mut().filter(|(path, pristine)| is_rust(path) && pristine.bytes().is_some())
        {
            let old: Option<&Pristine> = before.and_then(|files| files.get(path));
            pristine.formatted = match old.filter(|old| old.digest == pristine.digest) {
                Some(old) => old.formatted,
                None => {
                    let now = tree.get(path).map(|entry| Digest::of(entry.bytes()));
                    now.filter(|digest| Some(*digest) != pristine.digest)
                }
            };
        }
    }
}
