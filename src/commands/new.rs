//! `create-app new`: a template and answers become a project.

mod answers;
mod mistaken;
mod rendering;

use std::collections::BTreeSet;
use std::path::Path;

use self::answers::{answer, facts, given, known, say_that_nobody_was_asked};
use super::adoption::{self, Inferred};
use super::origin::{self, Access};
use super::{Outcome, inputs, interrupted, render};
use crate::answers::prompt;
use crate::cli::{NewArgs, Vcs};
use crate::diagnostic::Result;
use crate::lock;
use crate::manifest::Ownership;
use crate::merge::{self, Options};
use crate::plan::{Existing, Plan, Trees};
use crate::render::Secret;
use crate::template::Template;
use crate::workspace::{self, Site};
use crate::{git, report};

/// Runs `create-app new`.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written. What goes wrong when the project is complete is a warning.
pub(super) fn run(args: &NewArgs) -> Result<Outcome> {
    let path = args.path.as_deref().unwrap_or(Path::new("."));
    mistaken::refuse_template(path, args)?;
    let site = Site::locate(path)?;
    let has_written = interrupted::finish(&site)?;
    super::concluded(make(args, &site), has_written)
}

fn make(args: &NewArgs, site: &Site) -> Result<Outcome> {
    let may_ask = !args.silent && prompt::possible();
    let loaded = origin::load(site, None, &args.source, Access { may_ask, offline: true, stay: false })?;
    // A template may be meant to go into what is there.
    let args = &NewArgs { init: args.init || loaded.template.manifest.init, ..args.clone() };
    let existing = existing(args);
    site.check(existing)?;
    super::warn(loaded.warnings, args.strict)?;
    let mut template = loaded.template;
    render::refuse_hooks(&template)?;

    let mentioned = inputs::remembered(&template);
    let given = given(args)?;
    let facts = facts(args, site, &template, &given, &mentioned)?;
    let inferred = if existing == Existing::Keep { adoption::answers(site, &template)? } else { Inferred::default() };
    let mut resolved = answer(args, &template, &facts, &known(&inferred, given), may_ask)?;
    say_that_nobody_was_asked(args, &template, may_ask);
    let progress = report::Progress::of_files(template.files.len(), site.shown());
    progress.step("rendering");
    let rendered = rendering::render(args, site, &mut template, &mut resolved)?;
    inputs::remember(&mut resolved, &mentioned);

    let recorded = render::recorded(&template, &resolved, &rendered, site.app_dir.as_ref());
    let record = lock::record(&recorded, &BTreeSet::new());
    let trees = rendered.trees;
    let ours = site.read(&trees.app, &trees.repository)?;
    let plan = plan(trees, &ours, existing, &rendered.ownership, rendered.secret, &inferred);
    workspace::refuse_outside(site, &plan)?;
    report::diagnostics(&workspace::refuse_collisions(site, None, &plan, &Trees::default())?);
    if wants_repository(args, site, &template) {
        // Who asks for a repository in so many words gets all or nothing.
        if args.vcs.is_some() {
            git::require()?;
        }
        git::refuse_remains(&site.app)?;
    }
    progress.step("writing");
    let done = workspace::create(site, &plan, &record, existing)?;

    drop(progress);
    let in_repository = start_repository(args, site, &template);
    let told = inferred.told(&resolved.answers);
    let printed = super::summary::made(site, &plan, &told, &template.manifest.ownership.next);
    super::warn_after_the_fact(printed, "the project is complete");
    super::summary::warn_of(&done);
    if in_repository {
        report::diagnostics(&super::summary::ignored(site, &record));
    }
    Ok(Outcome::Clean)
}

/// The files that are made; with `--init`, what is added to those that are there as well.
fn plan(
    trees: Trees,
    ours: &Trees,
    existing: Existing,
    ownership: &Ownership,
    secret: Secret,
    inferred: &Inferred,
) -> Plan {
    let additions = match existing {
        Existing::Keep => {
            let options = Options { modes: cfg!(unix), secret, ..Options::default() };
            merge::additions(ours, &trees, ownership, &options)
        }
        Existing::Refuse | Existing::Replace => Plan::default(),
    };
    let mut plan = Plan::new(trees.app, trees.repository, ours, existing);
    plan.app.extend(additions.app);
    plan.repository.extend(additions.repository);
    plan.notes = additions.notes.into_iter().chain(inferred.notes.iter().cloned()).collect();
    plan
}

fn existing(args: &NewArgs) -> Existing {
    match (args.overwrite, args.init) {
        (true, _) => Existing::Replace,
        (false, true) => Existing::Keep,
        (false, false) => Existing::Refuse,
    }
}

/// Whether the project is to become a repository.
fn wants_repository(args: &NewArgs, site: &Site, template: &Template) -> bool {
    let wanted = match args.vcs {
        Some(vcs) => vcs == Vcs::Git,
        None => !template.manifest.no_vcs && !args.init,
    };
    wanted && site.repository.is_none()
}

/// Makes the project a repository, where it is to be one. Returns whether it is in one now. The project is there, and complete:
/// what cannot be done is told.
fn start_repository(args: &NewArgs, site: &Site, template: &Template) -> bool {
    if !wants_repository(args, site, template) {
        return site.repository.is_some();
    }
    let started = git::init(&site.app);
    let is_started = started.is_ok();
    let help = format!("the project is complete; run `git init` in `{}` once git works", site.shown());
    super::warn_after_the_fact(started, &help);
    is_started
}
