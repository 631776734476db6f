//! The files that differ: by a plan, or since the project was rendered.

use std::collections::{BTreeMap, BTreeSet};

use crate::commands::prospect::Prospect;
use crate::contents::is_edited;
use crate::diagnostic::Result;
use crate::formatting::{self, Rustfmt};
use crate::lock::Base;
use crate::lock::{DIRECTORY, Lock, Pristine};
use crate::merge::state;
use crate::plan::{Action, Changes, Difference, effects};
use crate::render::Secret;
use crate::tree::{Entry, RelPath, Tree};
use crate::workspace::{self, Needed, Project};

/// A file that differs; its paths are below the repository's root.
pub(super) struct File {
    from: Option<String>,
    path: String,
    before: Option<Entry>,
    after: Option<Entry>,
}

/// The files that depend on a secret answer, or did; their paths are below the repository's root.
pub(super) fn secret(prospect: &Prospect) -> BTreeSet<String> {
    let locks = [Some(&prospect.record.lock), prospect.recorded.as_ref().map(|project| &project.lock)];
    let secret = |files: &BTreeMap<RelPath, Pristine>, lock: &Lock, name: &dyn Fn(&RelPath) -> String| {
        let secret = files.iter().filter(|(_, pristine)| pristine.digest.is_none());
        let places = secret.flat_map(|(path, _)| [Some(path), lock.moved.get(path)].into_iter().flatten());
        places.map(name).collect::<Vec<String>>()
    };
    let of = |lock: &Lock| {
        let app = secret(&lock.files.app, lock, &|path| prospect.site.in_repository(path.as_str()));
        [app, secret(&lock.files.repository, lock, &ToString::to_string)].concat()
    };
    locks.into_iter().flatten().flat_map(of).collect()
}

impl File {
    pub(super) fn difference(&self) -> Difference<'_> {
        Difference {
            from: self.from.as_deref(),
            path: &self.path,
            before: self.before.as_ref(),
            after: self.after.as_ref(),
        }
    }
}

/// The changes of an upgrade, including the record.
pub(super) fn planned(prospect: &Prospect) -> Result<Vec<File>> {
    let (site, plan, ours) = (&prospect.site, &prospect.plan, &prospect.ours);
    let mut files = of_plan(&plan.files.app, &ours.app, |path| site.in_repository(path.as_str()));
    files.extend(of_plan(&plan.files.repository, &ours.repository, ToString::to_string));
    files.extend(record(prospect)?);
    Ok(files)
}

/// The changes of the record. Files of the base that stay are in neither list.
fn record(prospect: &Prospect) -> Result<Vec<File>> {
    let after = prospect.record.files();
    let kept = prospect.record.kept();
    let before = workspace::record(&prospect.site, |digest| {
        kept.contains(digest) && !prospect.record.base.contains_key(digest)
    })?;
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let files = names.into_iter().map(|name| File {
        from: None,
        path: prospect.site.in_repository(&format!("{DIRECTORY}/{name}")),
        before: before.get(name).map(|bytes| Entry::file(bytes.clone())),
        after: after.get(name).map(|bytes| Entry::file(bytes.to_vec())),
    });
    Ok(files.filter(|file| file.before != file.after).collect())
}

fn of_plan(changes: &Changes, ours: &Tree, name: impl Fn(&RelPath) -> String) -> Vec<File> {
    let mut effects = effects(changes);
    let mut files = Vec::new();
    for (path, change) in changes {
        let from = match &change.action {
            Action::Move { from, .. } => Some(from),
            Action::Conflict(conflict) => conflict.before.as_ref().map(|(from, _)| from).filter(|from| *from != path),
            _ => None,
        };
        // A rename, unless another file takes the place that is left, or was in the place that is taken.
        let Some(from) = from else { continue };
        let leaves = effects.get(from).is_some_and(|effect| effect.after.is_none());
        let after = effects.get(path).filter(|effect| effect.before.is_none()).and_then(|effect| effect.after);
        if let (true, Some(after)) = (leaves, after) {
            let (before, after) = (ours.get(from).cloned(), Some(after.clone()));
            files.push(File { from: Some(name(from)), path: name(path), before, after });
            effects.remove(from);
            effects.remove(path);
        }
    }
    files.extend(effects.into_iter().map(|(path, effect)| File {
        from: None,
        path: name(path),
        before: effect.before.and_then(|_| ours.get(path).cloned()),
        after: effect.after.cloned(),
    }));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The project's changes since it was rendered.
pub(super) fn local(mut project: Project) -> Result<Vec<File>> {
    project.refuse_displaced()?;
    let ours = workspace::judged(&mut project, Needed::ToMerge)?;
    formatting::settle_all(&Rustfmt::new(), &project.site, &mut project.bases, &ours, None, (true, &Secret::new()));
    let (site, bases) = (&project.site, &project.bases);
    let modes = workspace::compares_modes(site);
    let side = |base: &Base, ours: &Tree, name: &dyn Fn(&RelPath) -> String| -> Vec<File> {
        let moved = state::moved(base, ours, &bases.moved);
        let changed = base.iter().filter_map(|(path, recorded)| {
            let before = recorded.entry.clone()?;
            let place = Some(path).filter(|path| ours.contains_key(path)).or_else(|| moved.get(path)).unwrap_or(path);
            let after = ours.get(place).map(|entry| since(&before, entry, modes));
            let from = (place != path).then(|| name(path));
            let differs = from.is_some() || after.as_ref() != Some(&before);
            differs.then(|| File { from, path: name(place), before: Some(before), after })
        });
        changed.collect()
    };
    let mut files = side(&bases.files.app, &ours.app, &|path| site.in_repository(path.as_str()));
    files.extend(side(&bases.files.repository, &ours.repository, &ToString::to_string));
    Ok(files)
}

/// The entry, without what is not an edit: other line endings alone, and modes where they are not compared.
fn since(before: &Entry, now: &Entry, modes: bool) -> Entry {
    match (before, now) {
        (Entry::File { bytes: old, executable: was }, Entry::File { bytes, executable }) => Entry::File {
            bytes: if is_edited(before, now) { bytes.clone() } else { old.clone() },
            executable: if modes { *executable } else { *was },
        },
        _ => now.clone(),
    }
}

/// The template's changes since the project was rendered.
pub(super) fn upstream(prospect: &Prospect) -> Vec<File> {
    let Some(project) = &prospect.recorded else { return Vec::new() };
    let side = |base: &Base, theirs: &Tree, name: &dyn Fn(&RelPath) -> String| -> Vec<File> {
        let known = base.iter().filter_map(|(path, recorded)| Some((path, recorded.entry.as_ref()?)));
        let changed = known.filter(|(path, before)| theirs.get(*path) != Some(before));
        let changed = changed.map(|(path, before)| (path, Some(before.clone()), theirs.get(path).cloned()));
        let new = theirs.iter().filter(|(path, _)| !base.contains_key(path));
        let all = changed.chain(new.map(|(path, entry)| (path, None, Some(entry.clone()))));
        all.map(|(path, before, after)| File { from: None, path: name(path), before, after }).collect()
    };
    let mut files =
        side(&project.bases.files.app, &prospect.theirs.app, &|path| prospect.site.in_repository(path.as_str()));
    files.extend(side(&project.bases.files.repository, &prospect.theirs.repository, &ToString::to_string));
    files
}
