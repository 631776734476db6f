//! `create-app new`: a template and answers become a project.

mod answers;
mod mistaken;
mod rendering;

use std::collections::BTreeSet;
use std::path::Path;

use self::answers::{answer, facts, say_that_nobody_was_asked};
use super::origin::{self, Access};
use super::{Outcome, inputs, interrupted, render};
use crate::answers::prompt;
use crate::cli::{NewArgs, Vcs};
use crate::diagnostic::{Diagnostic, Diagnostics, Result, Severity};
use crate::lock;
use crate::plan::{Existing, Plan};
use crate::template::Template;
use crate::workspace::{self, Site};
use crate::{git, report};

/// Runs `create-app new`.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written, unless all that is missing is the repository, which the error says.
/// What goes wrong when the project is complete is a warning.
pub(super) fn run(args: &NewArgs) -> Result<Outcome> {
    let path = args.path.as_deref().unwrap_or(Path::new("."));
    mistaken::refuse_template(path, args)?;
    let site = Site::locate(path)?;
    interrupted::finish(&site)?;
    let may_ask = !args.silent && prompt::possible();
    let loaded = origin::load(&site, None, &args.source, Access { may_ask, offline: true })?;
    // A template may be meant to go into what is there.
    let args = &NewArgs { init: args.init || loaded.template.manifest.init, ..args.clone() };
    let existing = existing(args);
    site.check(existing)?;
    super::warn(loaded.warnings, args.strict)?;
    let mut template = loaded.template;
    render::refuse_hooks(&template)?;

    let mentioned = inputs::remembered(&template);
    let facts = facts(args, &site, &template, &mentioned)?;
    let mut resolved = answer(args, &template, &facts, may_ask)?;
    say_that_nobody_was_asked(args, &template, may_ask);
    let rendered = rendering::render(args, &site, &mut template, &mut resolved)?;
    inputs::remember(&mut resolved, &mentioned);

    let recorded = render::recorded(&template, &resolved, &rendered, site.app_dir.as_ref());
    let record = lock::record(&recorded, &BTreeSet::new());
    let trees = rendered.trees;
    let ours = site.read(&trees.app, &trees.repository)?;
    let plan = Plan::new(trees.app, trees.repository, &ours, existing);
    let asides = workspace::create(&site, &plan, &record, existing)?;

    let in_repository = start_repository(args, &site, &template)?;
    if let Err(problems) = super::summary::made(&site, &plan, &template.manifest.ownership.next) {
        let complete =
            |it: Diagnostic| Diagnostic { severity: Severity::Warning, ..it }.help("the project is complete");
        report::diagnostics(&problems.0.into_iter().map(complete).collect::<Vec<_>>());
    }
    super::summary::warn_of_asides(&asides);
    if in_repository {
        report::diagnostics(&super::summary::ignored(&site, &record));
    }
    Ok(Outcome::Clean)
}

fn existing(args: &NewArgs) -> Existing {
    match (args.overwrite, args.init) {
        (true, _) => Existing::Replace,
        (false, true) => Existing::Keep,
        (false, false) => Existing::Refuse,
    }
}

/// Makes the project a repository, unless it is in one already or nobody wants one. Returns whether it is in one now.
fn start_repository(args: &NewArgs, site: &Site, template: &Template) -> Result<bool> {
    if site.repository.is_some() {
        return Ok(true);
    }
    let wanted = match args.vcs {
        Some(vcs) => vcs == Vcs::Git,
        None => !template.manifest.no_vcs && !args.init,
    };
    if !wanted {
        return Ok(false);
    }
    match git::init(&site.app) {
        Ok(()) => Ok(true),
        // The project is there, and complete: what is left to do is said, and what the user asked for is an error.
        Err(problems) => {
            let severity = if args.vcs.is_some() { Severity::Error } else { Severity::Warning };
            let help = format!("the project is complete; run `git init` in `{}` once git works", site.shown());
            let told = problems.0.into_iter().map(|it| Diagnostic { severity, ..it }.help(help.clone())).collect();
            if severity == Severity::Error {
                return Err(Diagnostics(told));
            }
            report::diagnostics(&told);
            Ok(false)
        }
    }
}
