//! `create-app check`: how each file compares with what was rendered. Offline: no template, no render, no hook.

use std::path::{Path, PathBuf};

use super::origin::{self, Access};
use super::{Outcome, interrupted};
use crate::cli::CheckArgs;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Result};
use crate::formatting::{self, Rustfmt};
use crate::limits::CHECKED_FILES;
use crate::lock::LockedTemplate;
use crate::merge::state::judge_all;
use crate::render::Secret;
use crate::report;
use crate::report::check::{Checked, Newer};
use crate::source;
use crate::workspace::{self, Needed, Project, Uncommitted};

/// Runs `create-app check`. A path that cannot be checked does not keep the others from it.
///
/// # Errors
///
/// If a path is not a project, or if something cannot be read. A record that is broken is a finding, not an error.
pub(super) fn run(args: &CheckArgs) -> Result<Outcome> {
    let (mut failures, mut files) = (Vec::new(), 0);
    let check = |path: &PathBuf| {
        // One blob of git's can be the lock of very many directories.
        let checked = if files > CHECKED_FILES { Err(too_many(path).into()) } else { check(path, args) };
        let mut checked = checked.unwrap_or_else(|problems| Checked {
            shown: workspace::shown(path).into_owned(),
            problems: problems.0,
            failed: true,
            ..Checked::default()
        });
        let places = checked.problems.iter_mut().filter_map(|problem| problem.place.as_deref_mut());
        places.for_each(Place::shrink);
        if checked.failed {
            failures.extend(checked.problems.iter().cloned());
        }
        files += checked.files().count();
        checked
    };
    let checked: Vec<Checked> = args.paths.iter().map(check).collect();
    let clean = !checked.iter().any(|checked| checked.fails(args.pristine));
    if args.json {
        report::result(&report::json::check(&checked, clean))?;
    } else {
        report::summary(&report::check::human(&checked))?;
    }
    let mut told = report::Told::default();
    checked.iter().filter(|checked| !checked.failed).for_each(|checked| told.tell(&checked.problems));
    told.finish();
    if !failures.is_empty() {
        return Err(Diagnostics(failures));
    }
    Ok(if clean { Outcome::Clean } else { Outcome::Differences })
}

fn too_many(path: &Path) -> Diagnostic {
    let title = format!(
        "`{}` was not checked: the projects before it have more than {CHECKED_FILES} files in total",
        workspace::shown(path)
    );
    Diagnostic::error(Code::TooMuch, title).help("check fewer projects at a time")
}

fn check(path: &Path, args: &CheckArgs) -> Result<Checked> {
    let site = interrupted::open(path)?;
    let shown = site.shown().to_string();
    let mut project = match Project::read(site) {
        Ok(project) => project,
        Err(problems) if problems.0.iter().all(|problem| problem.code == Code::LockInvalid) => {
            return Ok(Checked { shown, problems: problems.0, ..Checked::default() });
        }
        Err(problems) => return Err(problems),
    };
    let uncommitted = Uncommitted::ask(&project);
    let ours = workspace::judged(&mut project, Needed::ToJudge)?;
    let mixed = workspace::mixed(&project, &ours, &project.lock)?.map(|it| it.warning);
    formatting::settle_all(&Rustfmt::new(), &project.site, &mut project.bases, &ours, None, (true, &Secret::new()));
    let left = workspace::leftovers(&project, &ours)?;
    let newer = if args.upstream || args.source.is_given() { newer(&project, args)? } else { None };
    let uncommitted = uncommitted.end().filter(|_| left.lock.is_none());
    let warnings = [project.left_unchecked(), mixed, uncommitted];
    Ok(Checked {
        shown,
        app_dir: project.site.app_dir.clone(),
        files: judge_all(&project.bases, &ours, &left.found),
        template: Some(project.lock.template),
        newer,
        problems: left.lock.into_iter().chain(project.broken).chain(warnings.into_iter().flatten()).collect(),
        failed: false,
    })
}

/// The template, where it is newer than the project. An old copy of it would tell nothing.
fn newer(project: &Project, args: &CheckArgs) -> Result<Option<Newer>> {
    let access = Access { may_ask: false, offline: false, stay: false };
    let locked = &project.lock.template;
    let loaded = origin::load(&project.site, Some(&project.lock), &args.source, access)?;
    let (new, version) = (&loaded.template.origin, &loaded.template.manifest.ownership.version);
    if let Some([new, old]) = origin::older(new, version.as_deref(), locked) {
        report::status(&format!("`{new}` is older than the project's template, `{old}`."));
    }
    let mut newer = origin::is_newer(&loaded, locked).then(|| Newer {
        version: version.clone(),
        revision: new.revision.clone(),
        tag: new.reference.tag().map(str::to_owned),
        releases: 0,
    });
    if let Some(old) = locked.reference.tag().filter(|_| new.source == locked.source) {
        let tags = origin::tags(&project.site, locked, &args.source.login()?, access)?;
        match &mut newer {
            Some(newer) => newer.releases = newer.tag.as_deref().map_or(0, |new| source::between(old, new, &tags)),
            None if args.source.is_given() => {}
            None => newer = beyond(locked, old, &tags),
        }
    }
    Ok(newer)
}

/// A release that is newer than the tag with which the project stays; one that is newer than its requirement allows is only reported.
fn beyond(locked: &LockedTemplate, old: &str, tags: &[String]) -> Option<Newer> {
    let (newest, releases) = source::newer_than(old, tags)?;
    if let Some(requirement) = locked.reference.requirement() {
        report::status(&format!("Release `{newest}` is available, but `{requirement}` does not allow it."));
        return None;
    }
    Some(Newer { version: None, revision: newest.to_owned(), tag: Some(newest.to_owned()), releases })
}
