//! Files that are not as the record says, but as another record of the project says: a merge took one side of the lock, and both sides
//! of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::locks::understood;
use super::project::Project;
use crate::answers::given;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::digest::Digest;
use crate::git;
use crate::lock::Base;
use crate::lock::{BASE, DIRECTORY, LOCK, Lock, Pristine};
use crate::plan::Trees;
use crate::rooted::{Reader, Root};
use crate::tree::{RelPath, Tree};

/// At most this many older locks are looked at.
const OLDER: usize = 100;
/// At most this many files are named.
const NAMED: usize = 3;

/// A record that has lost answers.
#[derive(Debug)]
pub struct Mixed {
    /// Says so.
    pub warning: Diagnostic,
    /// The base's version of the files, although no line of the lock names it.
    pub digests: BTreeSet<Digest>,
}

/// Whether files of the project are what other answers render, and `lock` does not know these answers: their base is
/// there, and no line of the lock names it. Such a file looks edited, and what changes in the template for these answers never comes.
///
/// # Errors
///
/// If the base's directory cannot be read.
pub fn mixed(project: &Project, ours: &Trees, lock: &Lock) -> Result<Option<Mixed>> {
    let bases = &project.bases;
    let sides = bases.files.as_ref().zip(ours.as_ref()).zip(lock.files.as_ref());
    let edited = sides.into_iter().flat_map(|(_, ((base, ours), lock))| edited(base, ours, lock));
    let edited: Vec<(&RelPath, Digest)> = edited.collect();
    if edited.is_empty() {
        return Ok(None);
    }
    let others = others(project, lock)?;
    let mixed: BTreeMap<&RelPath, Digest> = edited.into_iter().filter(|(_, digest)| others.contains(digest)).collect();
    if mixed.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = mixed.keys().take(NAMED).map(|path| format!("`{path}`")).collect();
    let more = if mixed.len() > NAMED { " and more" } else { "" };
    let title = format!(
        "the files do not match the recorded answers: {}{more} were rendered with other answers",
        names.join(", ")
    );
    let help = match answers(project, lock, &mixed) {
        Some(given) => format!("record what a merge lost: `{} {given}`", project.site.command("upgrade")),
        None => "pass the answers that a merge lost to `create-app upgrade`, with -d".to_owned(),
    };
    let warning = Diagnostic::warning(Code::RecordMixed, title).help(help);
    Ok(Some(Mixed { warning, digests: mixed.into_values().collect() }))
}

/// The files that were edited, each with the digest of what it is now, if that is not what the lock has.
fn edited<'a>(
    base: &'a Base,
    ours: &'a Tree,
    lock: &'a BTreeMap<RelPath, Pristine>,
) -> impl Iterator<Item = (&'a RelPath, Digest)> {
    base.iter().filter_map(|(path, recorded)| {
        let entry =
            ours.get(path).filter(|entry| recorded.pristine.bytes().is_some() && !recorded.is_unedited(entry))?;
        let digest = Digest::of(entry.bytes());
        let is_recorded = lock.get(path).is_some_and(|line| line.digest == Some(digest));
        (!is_recorded).then_some((path, digest))
    })
}

/// What the base's directory holds, and no line of this lock or of the one before names: what that one named is there because of it.
fn others(project: &Project, lock: &Lock) -> Result<Vec<Digest>> {
    let directory = &project.site.app;
    let root = Root::open(directory).map_err(|error| Diagnostic::io("cannot read", directory, &error))?;
    let below = Path::new(DIRECTORY).join(BASE);
    let names = match Reader::new(&root).names(&below) {
        Ok(names) => names,
        Err(failure) if failure.is_missing() => Vec::new(),
        Err(failure) => return Err(failure.diagnostic("cannot read", &directory.join(&below)).into()),
    };
    let named = [lock.base(), project.lock.base()];
    let digests = names.iter().filter_map(|name| name.parse::<Digest>().ok());
    Ok(digests.filter(|digest| !named.iter().any(|named| named.contains(digest))).collect())
}

/// The answers with which these files were rendered, as an older lock of the project has them, as options: what the commit that
/// recorded them changed, and the lock has otherwise. None where that is not certain.
fn answers(project: &Project, lock: &Lock, mixed: &BTreeMap<&RelPath, Digest>) -> Option<String> {
    let root = project.site.repository.as_deref()?;
    let path = project.site.in_repository(&format!("{DIRECTORY}/{LOCK}"));
    // Without git's help there is just no suggestion.
    let older = git::introduced(root, &path, OLDER).unwrap_or_default();
    let mut found = BTreeMap::new();
    for pair in older {
        let [Some(after), Some(before)] = pair.map(|bytes| understood(bytes?)) else { continue };
        let lines = |lock: &Lock, path: &RelPath| {
            lock.files.app.get(path).or_else(|| lock.files.repository.get(path)).and_then(|line| line.digest)
        };
        let is_its = |(path, digest): (&&RelPath, &Digest)| {
            lines(&after, path) == Some(*digest) && lines(&before, path) != Some(*digest)
        };
        if !mixed.iter().any(is_its) {
            continue;
        }
        let changed = after.answers.into_iter().filter(|(name, answer)| before.answers.get(name) != Some(answer));
        for (name, answer) in changed.filter(|(name, answer)| lock.answers.get(name) != Some(answer)) {
            found.entry(name).or_insert(answer);
        }
    }
    let given = found.iter().map(|(name, answer)| given::option(name, answer));
    Some(given.collect::<Option<Vec<_>>>()?.join(" ")).filter(|given| !given.is_empty())
}
