//! A template where the project's path is expected: cargo-generate takes one there.

use std::path::{Component, Path};

use crate::cli::NewArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::source::{Address, is_owner_and_repository};
use crate::template::MANIFEST;

/// Refuses a path that is the address of a repository, or the directory of a template.
///
/// # Errors
///
/// Says how to give both, the project's path and its template.
pub(super) fn refuse_template(path: &Path, args: &NewArgs) -> Result<()> {
    let shown = path.display();
    let given = args.source.is_given();
    let (title, option) = if let Some(address) = address(path) {
        (format!("`{address}` is the address of a template, not a path for the project"), format!("--git {address}"))
    } else if !given && path.join(MANIFEST).is_file() {
        (format!("`{shown}` contains a template, not a project: it has a `{MANIFEST}`"), format!("--path {shown}"))
    } else if let Some(address) = bare_address(path).filter(|_| !given) {
        let title = format!("`{shown}` looks like the address of a template, and there is no such directory");
        let help = format!(
            "pass the project's path as well, for example `create-app new my-app --git {address}`; \
             for a project at this path, write `./{shown}`"
        );
        return Err(Diagnostic::error(Code::SourceInvalid, title).help(help).into());
    } else {
        return Ok(());
    };
    let help = if given {
        "pass the project's path instead, for example `my-app`".to_owned()
    } else {
        format!("pass the project's path as well, for example `create-app new my-app {option}`")
    };
    Err(Diagnostic::error(Code::SourceInvalid, title).help(help).into())
}

/// The address that a path without a scheme may be meant for: `OWNER/REPO`, or `host.org/OWNER/REPO`, below no directory that exists.
fn bare_address(path: &Path) -> Option<String> {
    let first = path.components().next()?;
    let exists = Path::new(&first).symlink_metadata().is_ok();
    let text = path.to_str().filter(|_| matches!(first, Component::Normal(_)) && !exists)?;
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [_, _] if is_owner_and_repository(text) => Some(text.to_owned()),
        [host, owner, repository, ..]
            if host.contains('.') && is_owner_and_repository(&format!("{owner}/{repository}")) =>
        {
            Some(format!("https://{text}"))
        }
        _ => None,
    }
}

/// The address that a path is, without credentials. What starts with a directory that exists is a path, as it is for git.
fn address(path: &Path) -> Option<String> {
    let exists = path.components().next().is_some_and(|first| match first {
        Component::Normal(first) => Path::new(first).exists(),
        _ => true,
    });
    match Address::parse(path.to_str()?) {
        Ok(address @ Address::Url { .. }) if !exists => Some(address.to_string()),
        _ => None,
    }
}
