//! A template where the project's path is expected: cargo-generate takes one there.

use std::path::{Component, Path};

use crate::cli::NewArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::source::Address;
use crate::template::MANIFEST;

/// Refuses a path that is the address of a repository, or the directory of a template.
///
/// # Errors
///
/// Says how to give both, the project's path and its template.
pub(super) fn refuse_template(path: &Path, args: &NewArgs) -> Result<()> {
    let what = if let Some(address) = address(path) {
        Some((
            format!("`{address}` is the address of a template, not a path for the project"),
            format!("--git {address}"),
        ))
    } else if !args.source.is_given() && path.join(MANIFEST).is_file() {
        let shown = path.display();
        Some((format!("`{shown}` holds a template, not a project: it has a `{MANIFEST}`"), format!("--path {shown}")))
    } else {
        None
    };
    let Some((title, option)) = what else { return Ok(()) };
    let help = if args.source.is_given() {
        "give the project's path instead, for example `my-app`".to_owned()
    } else {
        format!("give the project's path as well, for example `create-app new my-app {option}`")
    };
    Err(Diagnostic::error(Code::SourceInvalid, title).help(help).into())
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
