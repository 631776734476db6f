//! `create-app diff`: what an upgrade would do, as a patch; or what one side has changed since the last one.

mod files;

use std::collections::BTreeSet;
use std::io::IsTerminal as _;

use self::files::{File, local, planned, secret, upstream};
use super::{Outcome, interrupted, prospect};
use crate::cli::DiffArgs;
use crate::diagnostic::Result;
use crate::lock::DIRECTORY;
use crate::plan::Difference;
use crate::workspace::Project;
use crate::{git, report};

/// Runs `create-app diff`.
///
/// # Errors
///
/// Whatever keeps the project or its template from being read.
pub(super) fn run(args: &DiffArgs) -> Result<Outcome> {
    let (files, secret, broken) = if args.local {
        let mut project = Project::read(interrupted::open(&args.path)?)?;
        // A file whose base is broken may be edited, and nothing is shown of it.
        let broken = std::mem::take(&mut project.broken);
        // What is not recorded cannot differ from it.
        (local(project)?, BTreeSet::new(), broken)
    } else {
        let prospect = prospect::find(interrupted::open(&args.path)?, &args.render, None)?;
        (if args.upstream { upstream(&prospect) } else { planned(&prospect)? }, secret(&prospect), Vec::new())
    };
    let differences: Vec<Difference<'_>> = files.iter().map(File::difference).collect();
    let pager = || git::pager().unwrap_or_else(default_pager);
    let own = |difference: &&Difference<'_>| !is_record(difference.path);
    let listed: Vec<Difference<'_>> = differences.iter().filter(own).copied().collect();
    let is_coloured = std::io::stdout().is_terminal() || report::wants_colours();
    let is_patch = !(args.json || args.name_only || args.stat || is_coloured);
    if listed.is_empty() && !differences.is_empty() && !is_patch {
        report::status("None of your files change, only the record in .create-app.");
    }
    if args.json {
        report::result(&report::json::diff(&listed, &secret))?;
    } else if args.name_only {
        report::paged(&report::diff::names(&listed), pager)?;
    } else if args.stat {
        report::paged(&report::diff::stat(&listed), pager)?;
    } else if is_coloured {
        report::paged(&report::diff::coloured(&listed), pager)?;
    } else {
        crate::plan::patch_to(&differences, report::patch)?;
    }
    report::diagnostics(&broken);
    Ok(if differences.is_empty() && broken.is_empty() { Outcome::Clean } else { Outcome::Differences })
}

/// Without git, whose settings name one.
fn default_pager() -> String {
    std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned())
}

fn is_record(path: &str) -> bool {
    path.split('/').any(|name| name == DIRECTORY)
}
