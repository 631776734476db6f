//! Where a project without a path goes: below a directory, under its name, which the template's init hooks can set; or into that directory
//! itself, if the template wants that.

use std::path::{Path, PathBuf};

use super::answers::{Begun, begin};
use crate::answers::given::{GivenValues, spell};
use crate::answers::name::{self, sanitise};
use crate::answers::prompt;
use crate::cli::NewArgs;
use crate::commands::{interrupted, origin};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::placeholders::{Input, Kind, Placeholder};
use crate::report;
use crate::template::Template;
use crate::workspace::Site;

/// Stands for the name of a project until that is known. No project has it.
const UNNAMED: &str = ".create-app-unnamed";

/// A project whose place is known.
pub(super) struct Placed {
    pub(super) site: Site,
    /// The arguments, with the name.
    pub(super) args: NewArgs,
    /// The init hooks, where they had to run first.
    pub(super) begun: Option<Begun>,
    /// Whether something that was interrupted there was finished.
    pub(super) has_written: bool,
}

/// Where the project goes, as far as that is known before there is a template.
///
/// # Errors
///
/// If the name is none, and as [`Site::locate`].
pub(super) fn first(args: &NewArgs) -> Result<Site> {
    locate(args, &path(args)?)
}

/// Where the project goes. What is not known of it yet is its name, or that the template goes into the directory itself.
///
/// # Errors
///
/// If there is no name, and as [`Site::locate`].
pub(super) fn settled(
    args: &NewArgs,
    site: Site,
    template: &mut Template,
    given: &GivenValues,
    may_ask: bool,
) -> Result<Placed> {
    let is_init = args.init || template.manifest.init;
    let mut placed = Placed { site, args: NewArgs { init: is_init, ..args.clone() }, begun: None, has_written: false };
    if args.path.is_some() {
        return Ok(placed);
    }
    if is_init && !args.init {
        report::status("The template is expanded into the directory itself, as with --init.");
    }
    if placed.args.name.is_none() {
        placed.args.name = given.get("project-name").and_then(|given| spell(&given.value));
    }
    if placed.args.name.is_none() && !is_init {
        let begun = begin(&placed.args, &placed.site, template, given, may_ask)?;
        placed.args.name = Some(begun.name().map_or_else(|| ask(args, may_ask), Ok)?);
        placed.begun = Some(begun);
    }
    let path = path(&placed.args)?;
    if path != placed.site.given() {
        placed.site = locate(args, &path)?;
        placed.has_written = interrupted::finish(&placed.site)?;
        origin::name_again(&placed.site, &args.source, template);
    }
    Ok(placed)
}

fn path(args: &NewArgs) -> Result<PathBuf> {
    if let Some(path) = &args.path {
        return Ok(path.clone());
    }
    let destination = args.destination.as_deref().unwrap_or(Path::new(""));
    if args.init {
        return Ok(if destination.as_os_str().is_empty() { ".".into() } else { destination.into() });
    }
    let Some(name) = &args.name else { return Ok(destination.join(UNNAMED)) };
    // It is a path now, which leads nowhere else.
    if args.force {
        name::check_forced(name)?;
    } else {
        name::check(name, None)?;
    }
    Ok(destination.join(name))
}

fn locate(args: &NewArgs, path: &Path) -> Result<Site> {
    let site = Site::locate(path)?;
    Ok(if args.force_git_init { site.apart() } else { site })
}

/// Asks for the name.
fn ask(args: &NewArgs, may_ask: bool) -> Result<String> {
    if !may_ask {
        let title = "the project has no name";
        return Err(Diagnostic::error(Code::AnswerMissing, title).help("pass it with --name").into());
    }
    let kind = Kind::Text { input: Input::Line, default: None, regex: None };
    let question = Placeholder::new("project-name", "Project name", kind);
    let answer = prompt::ask(&question)?.to_string();
    Ok(if args.force { answer } else { sanitise(&answer) })
}
