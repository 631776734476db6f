//! Finds a project's template after its author has moved it inside its repository, or split the repository into several templates.

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::Lock;
use crate::report;
use crate::shell;
use crate::source::{self, Files, Loaded};
use crate::template::strip_liquid;
use crate::terminal::escape_control;
use crate::tree::RelPath;

/// At most this many folders are named.
const LISTED: usize = 8;

/// Reads the template that the lock names. Where its folder now holds one other template and is none itself, that one is it, as it is
/// for a new project.
///
/// # Errors
///
/// If there are several possible ones, or none: then the options that name them are reported.
pub(super) fn read(files: &dyn Files, lock: &Lock) -> Result<Loaded> {
    let locked = lock.template.subfolder.as_deref();
    let is_there = |folder: &str| RelPath::new(folder.trim_end_matches('/')).is_ok_and(|it| files.is_folder(&it));
    if let Some(folder) = locked.filter(|folder| !is_there(folder)) {
        let title = format!("this project's template has moved: there is no folder `{folder}` in `{}`", files.source());
        return Err(refuse(title, &possible(files)?));
    }
    let mut folder = locked.map(str::to_owned);
    loop {
        let mut candidates = source::candidates(files, folder.as_deref())?;
        if candidates.is_empty() {
            break;
        }
        // Without a manifest, all of it may still be what it was.
        if folder.as_deref() == locked && !has_manifest(files, locked)? && is_still_there(files, lock)? {
            candidates.insert(0, locked.unwrap_or(".").to_owned());
        }
        match candidates.as_slice() {
            [only] => folder = Some(only.clone()),
            _ => {
                let title = format!(
                    "there are several templates in `{}` now, and it is not clear which one is the project's",
                    files.source()
                );
                return Err(refuse(title, &candidates));
            }
        }
    }
    if folder.as_deref() == locked {
        if had_manifest(lock) && !is_below_manifest(files, locked)? {
            let title = format!(
                "this project's template has moved: `{}` has no manifest",
                files.name_of(locked.unwrap_or_default())
            );
            return Err(refuse(title, &possible(files)?));
        }
    } else if let Some(folder) = &folder {
        report::status(&format!("The template is now in `{}` of its source.", escape_control(folder)));
    }
    source::read(files, folder.as_deref())
}

/// Whether the project was certainly made with a manifest: only there a template says its version.
fn had_manifest(lock: &Lock) -> bool {
    lock.template.version.is_some()
}

fn has_manifest(files: &dyn Files, folder: Option<&str>) -> Result<bool> {
    Ok(files.manifest(folder.unwrap_or_default())?.is_some())
}

/// Whether a folder or one above it has a manifest.
fn is_below_manifest(files: &dyn Files, folder: Option<&str>) -> Result<bool> {
    let mut folder = folder.unwrap_or_default().trim_end_matches('/');
    loop {
        if has_manifest(files, Some(folder))? {
            return Ok(true);
        }
        if folder.is_empty() {
            return Ok(false);
        }
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
}

/// Whether a folder without a manifest has most of the files that the project was made of, so that it may still be the template.
fn is_still_there(files: &dyn Files, lock: &Lock) -> Result<bool> {
    if had_manifest(lock) {
        return Ok(false);
    }
    let tree = files.tree(lock.template.subfolder.as_deref().unwrap_or_default().trim_end_matches('/'))?;
    let known = || lock.files.entries().map(|(path, _)| path);
    let is_in = |path: &&RelPath| tree.keys().any(|file| strip_liquid(file.as_str()) == path.as_str());
    Ok(known().filter(is_in).count() * 2 > known().count())
}

/// Every folder of the source that may be a template.
fn possible(files: &dyn Files) -> Result<Vec<String>> {
    let mut found = source::candidates(files, None)?;
    if found.is_empty() {
        found.push(".".to_owned());
    }
    Ok(found)
}

/// Says which folders there are, and how to name one.
pub(super) fn refuse(title: String, folders: &[String]) -> crate::diagnostic::Diagnostics {
    let options: Vec<String> =
        folders.iter().take(LISTED).map(|folder| format!("`--subfolder {}`", shell::path(folder))).collect();
    let more = if folders.len() > LISTED { " and more" } else { "" };
    let help = format!("choose one: {}{more}", options.join(", "));
    Diagnostic::error(Code::TemplateAmbiguous, title).help(help).into()
}
