//! `create-app diff`: what an upgrade would do, as a patch; or what one side has changed since the last one.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;

use super::prospect::{self, Prospect};
use super::{Outcome, interrupted};
use crate::cli::DiffArgs;
use crate::diagnostic::Result;
use crate::git;
use crate::lock::DIRECTORY;
use crate::merge::{Base, is_edited, state};
use crate::plan::{Action, Changes, Difference, effects};
use crate::report;
use crate::tree::{Entry, RelPath, Tree};
use crate::workspace::{self, Project};

/// Runs `create-app diff`.
///
/// # Errors
///
/// Whatever keeps the project or its template from being read.
pub(super) fn run(args: &DiffArgs) -> Result<Outcome> {
    let files = match (args.local, args.upstream) {
        (true, _) => local(args)?,
        (false, true) => upstream(&prospect::find(interrupted::open(&args.path)?, &args.render)?),
        (false, false) => planned(&prospect::find(interrupted::open(&args.path)?, &args.render)?)?,
    };
    let differences: Vec<Difference<'_>> = files.iter().map(File::difference).collect();
    let pager = || git::pager(&args.path).unwrap_or_else(default_pager);
    let own = |difference: &&Difference<'_>| !is_record(difference.path);
    let listed: Vec<Difference<'_>> = differences.iter().filter(own).copied().collect();
    if args.json {
        report::result(&report::diff::json(&listed))?;
    } else if args.name_only {
        report::paged(&report::diff::names(&listed), pager)?;
    } else if args.stat {
        report::paged(&report::diff::stat(&listed), pager)?;
    } else if std::io::stdout().is_terminal() {
        report::paged(&report::diff::coloured(&listed), pager)?;
    } else {
        report::bytes(&crate::plan::patch(&differences))?;
    }
    Ok(if differences.is_empty() { Outcome::Clean } else { Outcome::Differences })
}

/// Without git, whose settings name one.
fn default_pager() -> String {
    std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned())
}

/// A file that differs; its paths are below the repository's root.
struct File {
    from: Option<String>,
    path: String,
    before: Option<Entry>,
    after: Option<Entry>,
}

impl File {
    fn difference(&self) -> Difference<'_> {
        Difference {
            from: self.from.as_deref(),
            path: &self.path,
            before: self.before.as_ref(),
            after: self.after.as_ref(),
        }
    }
}

fn is_record(path: &str) -> bool {
    path.split('/').any(|name| name == DIRECTORY)
}

/// What an upgrade would do, the record included.
fn planned(prospect: &Prospect) -> Result<Vec<File>> {
    let (site, plan, ours) = (&prospect.site, &prospect.plan, &prospect.ours);
    let mut files = of_plan(&plan.app, &ours.app, |path| site.in_repository(path.as_str()));
    files.extend(of_plan(&plan.repository, &ours.repository, ToString::to_string));
    files.extend(record(prospect)?);
    Ok(files)
}

/// What changes in the record. Files of the base that stay are in neither list.
fn record(prospect: &Prospect) -> Result<Vec<File>> {
    let after = prospect.record.files();
    let kept = prospect.record.lock.base();
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
        // A rename, unless another file takes the place that is left, or stood in the place that is taken.
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

/// What the project has changed since it was rendered.
fn local(args: &DiffArgs) -> Result<Vec<File>> {
    let project = Project::read(interrupted::open(&args.path)?)?;
    let (site, bases) = (&project.site, &project.bases);
    let ours = workspace::ours(site, bases, &crate::plan::Trees::default())?;
    let modes = workspace::compares_modes(site)?;
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
    let mut files = side(&bases.app, &ours.app, &|path| site.in_repository(path.as_str()));
    files.extend(side(&bases.repository, &ours.repository, &ToString::to_string));
    Ok(files)
}

/// The entry, without what is no edit: other line endings alone, and modes where they are not compared.
fn since(before: &Entry, now: &Entry, modes: bool) -> Entry {
    match (before, now) {
        (Entry::File { bytes: old, executable: was }, Entry::File { bytes, executable }) => Entry::File {
            bytes: if is_edited(before, now) { bytes.clone() } else { old.clone() },
            executable: if modes { *executable } else { *was },
        },
        _ => now.clone(),
    }
}

/// What the template has changed since the project was rendered.
fn upstream(prospect: &Prospect) -> Vec<File> {
    let Some(project) = &prospect.recorded else { return Vec::new() };
    let side = |base: &Base, theirs: &Tree, name: &dyn Fn(&RelPath) -> String| -> Vec<File> {
        let known = base.iter().filter_map(|(path, recorded)| Some((path, recorded.entry.as_ref()?)));
        let changed = known.filter(|(path, before)| theirs.get(*path) != Some(before));
        let changed = changed.map(|(path, before)| (path, Some(before.clone()), theirs.get(path).cloned()));
        let new = theirs.iter().filter(|(path, _)| !base.contains_key(path));
        let all = changed.chain(new.map(|(path, entry)| (path, None, Some(entry.clone()))));
        all.map(|(path, before, after)| File { from: None, path: name(path), before, after }).collect()
    };
    let mut files = side(&project.bases.app, &prospect.theirs.app, &|path| prospect.site.in_repository(path.as_str()));
    files.extend(side(&project.bases.repository, &prospect.theirs.repository, &ToString::to_string));
    files
}
