//! A record that git has but the disk does not, and files that a sparse checkout leaves out: neither counts as missing.

use std::path::Path;

use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git::{self, Holder, Sparse};
use crate::lock::{BASE, DIRECTORY, LOCK};
use crate::plan::{Changes, Plan, effects};

/// Why there is no lock here, where one should be: git holds it, or a part of the record is left without it.
///
/// # Errors
///
/// When git fails.
pub(super) fn absent_record(site: &Site) -> Result<Option<Diagnostic>> {
    let Some(root) = site.repository.as_deref() else { return Ok(torn(site)) };
    let path = site.in_repository(&format!("{DIRECTORY}/{LOCK}"));
    let Some(holder) = git::holder(root, &path)? else { return Ok(torn(site)) };
    let shown = site.name_of(&format!("{DIRECTORY}/{LOCK}"));
    let record = site.in_repository(DIRECTORY);
    let sparse = Sparse::of(root)?.filter(|sparse| sparse.leaves_out(&path));
    let (code, what, help) = match (holder, sparse) {
        (Holder::Index, Some(sparse)) => (
            Code::NotCheckedOut,
            "is left out by this sparse checkout".to_owned(),
            format!("check it out with `{}`, then run the command again", add(site, &sparse, &record)),
        ),
        (Holder::Index, None) => (
            Code::LockMissing,
            "is in git's index, but not on the disk".to_owned(),
            format!("restore it with `{}`, then run the command again", check_out(site, root, &path, &record)?),
        ),
        (Holder::Conflict, _) => (
            Code::LockMissing,
            "has a merge conflict, and is not on the disk: one side removed it".to_owned(),
            format!(
                "keep the side that has it (`{}`), or remove it (`{}`)",
                site.in_git(&["checkout", "--theirs", "--", &path]),
                site.in_git(&["rm", "-r", "--", &record])
            ),
        ),
        (Holder::Commit, _) => (
            Code::LockMissing,
            "is in the last commit, but not on the disk".to_owned(),
            format!(
                "restore it with `{}`; to give the project another record, commit its removal first",
                site.in_git(&["checkout", "HEAD", "--", &record])
            ),
        ),
        (Holder::Operation(operation), _) => (
            Code::LockMissing,
            format!("is on the other side of a `git {}` that is not finished", operation.command()),
            format!("finish or abort the {}, then run the command again", operation.command()),
        ),
    };
    Ok(Some(Diagnostic::error(code, format!("`{shown}` {what}")).help(help)))
}

/// The rest of a record without its lock.
fn torn(site: &Site) -> Option<Diagnostic> {
    site.app.join(DIRECTORY).join(BASE).is_dir().then(|| {
        let title = format!("`{}` has a base, but no `{LOCK}`", site.name_of(DIRECTORY));
        Diagnostic::error(Code::LockMissing, title).help(
            "restore the lock from wherever the project came from; if there is none, remove the directory, \
                and run the command again",
        )
    })
}

/// Refuses to adopt a project while git is in the middle of something, or with changes that are not committed: what was added
/// could not be told from them, nor undone.
///
/// # Errors
///
/// Says so, and when git fails.
pub fn refuse_unsettled(site: &Site, allow_dirty: bool) -> Result<()> {
    const SHOWN: usize = 3;
    let Some(root) = site.repository.as_deref() else { return Ok(()) };
    if let Some(operation) = git::operation(root) {
        let name = operation.command();
        let title = format!("`{}` cannot be adopted: a `git {name}` is not finished", site.shown());
        let help = format!("finish or abort the {name}, then run the command again");
        return Err(Diagnostic::error(Code::Uncommitted, title).help(help).into());
    }
    if allow_dirty {
        return Ok(());
    }
    let changed = git::uncommitted(root, site.app_dir.as_ref().map(|path| path.as_str()), SHOWN + 1)?;
    if changed.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> = changed.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
    let more = if changed.len() > SHOWN { " and more" } else { "" };
    let title = format!("`{}` has uncommitted changes: {}{more}", site.shown(), listed.join(", "));
    let help = "commit or stash them, so that you can see what the adoption adds; or pass --allow-dirty";
    Err(Diagnostic::error(Code::Uncommitted, title).help(help).into())
}

/// Refuses a plan that would put a file where a sparse checkout leaves files out: nobody would see it.
///
/// # Errors
///
/// Every such file, and when git fails.
pub fn refuse_outside(site: &Site, plan: &Plan) -> Result<()> {
    let Some(root) = site.repository.as_deref() else { return Ok(()) };
    let Some(sparse) = Sparse::of(root)? else { return Ok(()) };
    let mut created = created(&plan.files.app, |path| site.in_repository(path));
    created.extend(self::created(&plan.files.repository, str::to_owned));
    if !site.has_lock() {
        created.push(site.in_repository(&format!("{DIRECTORY}/{LOCK}")));
    }
    let hidden = git::left_out(root, created.iter().map(String::as_str))?;
    let outside = created.iter().filter(|path| sparse.leaves_out(path) || hidden.contains(*path));
    let problems: Vec<Diagnostic> = outside.map(|path| left_out(site, &sparse, path)).collect();
    if problems.is_empty() { Ok(()) } else { Err(Diagnostics(problems)) }
}

/// The files that a plan puts where nothing is, by their names below the root.
fn created(changes: &Changes, name: impl Fn(&str) -> String) -> Vec<String> {
    let created = effects(changes).into_iter().filter(|(_, effect)| effect.before.is_none() && effect.after.is_some());
    created.map(|(path, _)| name(path.as_str())).collect()
}

/// Says that a sparse checkout leaves a file out; `path` is its name below the root.
pub(super) fn left_out(site: &Site, sparse: &Sparse, path: &str) -> Diagnostic {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let help = match folder {
        "" => format!(
            "check everything out with `{}`, or use a complete clone",
            site.in_git(&["sparse-checkout", "disable"])
        ),
        folder => format!("check it out with `{}`, or use a complete clone", add(site, sparse, folder)),
    };
    Diagnostic::error(Code::NotCheckedOut, format!("`{path}` is left out by this sparse checkout")).help(help)
}

/// The command that checks out the record, also where git was told to skip its lock.
fn check_out(site: &Site, root: &Path, lock: &str, record: &str) -> Result<String> {
    let skipped = git::left_out(root, [lock])?;
    Ok(match skipped.is_empty() {
        true => site.in_git(&["checkout", "--", record]),
        false => site.in_git(&["checkout", "--ignore-skip-worktree-bits", "--", record]),
    })
}

/// The command that adds a directory to a sparse checkout.
fn add(site: &Site, sparse: &Sparse, directory: &str) -> String {
    if sparse.is_cone {
        return site.in_git(&["sparse-checkout", "add", directory]);
    }
    site.in_git(&["sparse-checkout", "add", &format!("/{directory}/")])
}
