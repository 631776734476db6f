//! `create-app new`: a template and answers become a project.

use std::collections::BTreeSet;
use std::path::Path;

use super::origin::{self, Access};
use super::render::{self, Rendered, Setting};
use super::{Outcome, inputs, interrupted};
use crate::answers::built_in::{self, Facts};
use crate::answers::placeholder::Answer;
use crate::answers::{Ask, Resolved, name, prompt, resolve};
use crate::cli::{NewArgs, Vcs};
use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result, Severity};
use crate::lock;
use crate::plan::{Existing, Plan, Trees};
use crate::template::Template;
use crate::tree::{RelPath, Tree};
use crate::workspace::{self, Site};
use crate::{git, report};

/// Runs `create-app new`.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written, unless all that is missing is the repository, which the error says.
/// What goes wrong when the project is complete is a warning.
pub(super) fn run(args: &NewArgs) -> Result<Outcome> {
    let site = Site::locate(args.path.as_deref().unwrap_or(Path::new(".")))?;
    interrupted::finish(&site)?;
    let may_ask = !args.silent && prompt::possible();
    let loaded = origin::load(&site, None, &args.source, Access { may_ask, offline: true })?;
    // A template may be meant to go into what is there.
    let args = &NewArgs { init: args.init || loaded.template.manifest.init, ..args.clone() };
    let existing = existing(args);
    site.check(existing)?;
    super::warn(loaded.warnings, args.strict)?;
    let mut template = loaded.template;
    refuse_hooks(&template)?;

    let mentioned = inputs::remembered(&template);
    let facts = facts(args, &site, &template, &mentioned)?;
    let mut resolved = answer(args, &template, &facts, may_ask)?;
    say_that_nobody_was_asked(args, &template, may_ask);
    let rendered = render(args, &site, &mut template, &mut resolved)?;
    remember(&mut resolved, &mentioned);

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

/// A project without its hooks is not what the template's author meant.
pub(super) fn refuse_hooks(template: &Template) -> Result<()> {
    let Some(hook) = template.manifest.hooks.first() else { return Ok(()) };
    Err(Diagnostic::error(Code::Unsupported, "the template has hooks")
        .at(template.manifest.place(hook.span.clone()), "a Rhai script that would have to run")
        .help("this version of create-app runs no hooks; make this project with cargo-generate")
        .into())
}

fn facts(args: &NewArgs, site: &Site, template: &Template, mentioned: &BTreeSet<&str>) -> Result<Facts> {
    let directory = site.app.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = args.name.clone().or(directory).unwrap_or_default();
    name::check(&name, template.manifest.ownership.name_pattern.as_ref())?;
    Ok(Facts {
        name,
        app_suffix: built_in::app_suffix(site.app_dir(), false),
        app_dir: site.app_dir().to_owned(),
        is_init: args.init,
        within_cargo_project: site.app.ancestors().any(|directory| directory.join("Cargo.toml").exists()),
        author: inputs::author(mentioned, &site.app),
    })
}

fn answer(args: &NewArgs, template: &Template, facts: &Facts, may_ask: bool) -> Result<Resolved> {
    let mut given = inputs::environment()?;
    given.extend(inputs::given(args.values_file.as_deref(), &args.define)?);
    let mut user = prompt::ask;
    let mut ask = if may_ask { Ask::User(&mut user) } else { Ask::Nobody };
    let mut resolved = resolve(&template.manifest, built_in::variables(facts), &given, &mut ask)?;
    let mut warnings = std::mem::take(&mut resolved.warnings);
    warnings.extend(inputs::forget_unused(template, &mut resolved));
    super::warn(warnings, args.strict)?;
    Ok(resolved)
}

/// Tells a person who gets defaults without having asked for them why.
fn say_that_nobody_was_asked(args: &NewArgs, template: &Template, may_ask: bool) {
    if !may_ask && !args.silent && !template.manifest.placeholders.is_empty() && prompt::is_watched() {
        report::status("Nobody was asked, because there is no terminal to ask at; -d NAME=VALUE gives other answers.");
    }
}

/// The next run may have other values of these, in a renamed directory or on another machine: what this one gave to the
/// project goes into the lock.
pub(super) fn remember(resolved: &mut Resolved, mentioned: &BTreeSet<&str>) {
    // The suffix follows from the app's directory, unless it had to be another.
    for name in mentioned.iter().filter(|name| **name != "app_suffix").chain(&["project-name"]) {
        if let Some(answer) = resolved.variables.get(*name) {
            resolved.answers.entry((*name).to_owned()).or_insert_with(|| answer.clone());
        }
    }
}

/// Renders the template; again, with a longer suffix, where something else of the repository has a path that the short
/// one gives.
fn render(args: &NewArgs, site: &Site, template: &mut Template, resolved: &mut Resolved) -> Result<Rendered> {
    let date = inputs::date();
    if site.app_dir.is_none() {
        let files = std::mem::take(&mut template.files);
        return render_files(args, site, template, files, resolved, date);
    }
    let owned = site.owned();
    let rendered = render_files(args, site, template, template.files.clone(), resolved, date)?;
    let taken = taken(site, &owned, &rendered.trees);
    if taken.is_empty() {
        return Ok(rendered);
    }
    lengthen_suffix(site, template, resolved, &taken)?;
    let files = std::mem::take(&mut template.files);
    let rendered = render_files(args, site, template, files, resolved, date)?;
    let taken = self::taken(site, &owned, &rendered.trees);
    if taken.is_empty() { Ok(rendered) } else { Err(refuse_taken(&taken)) }
}

/// Names the app's files at the repository's root after all of its path, since the last part of it is taken there.
///
/// # Errors
///
/// Where that does not help: the user gave the suffix, or the name is the template's own.
pub(super) fn lengthen_suffix<'p>(
    site: &Site,
    template: &Template,
    resolved: &mut Resolved,
    taken: impl IntoIterator<Item = &'p RelPath>,
) -> Result<()> {
    let is_ours = !template.manifest.declared().any(|placeholder| placeholder.name == "app_suffix");
    if !is_ours || resolved.answers.contains_key("app_suffix") {
        return Err(refuse_taken(taken));
    }
    let suffix = Answer::Text(built_in::app_suffix(site.app_dir(), true));
    resolved.variables.insert("app_suffix".into(), suffix.clone());
    resolved.answers.insert("app_suffix".into(), suffix);
    Ok(())
}

/// The paths at the repository's root where something stands that is not this app's.
fn taken(site: &Site, owned: &BTreeSet<RelPath>, trees: &Trees) -> Vec<RelPath> {
    let stands = |path: &&RelPath| path.below(site.root()).symlink_metadata().is_ok();
    trees.repository.keys().filter(|path| !owned.contains(*path)).filter(stands).cloned().collect()
}

pub(super) fn refuse_taken<'p>(taken: impl IntoIterator<Item = &'p RelPath>) -> Diagnostics {
    let refuse = |path: &RelPath| {
        let title = format!("`{path}` at the repository's root exists, and is not this app's");
        Diagnostic::error(Code::TargetExists, title)
            .help("move it out of the way, or give the app's files another name with -d app_suffix=-NAME")
    };
    Diagnostics(taken.into_iter().map(refuse).collect())
}

fn render_files(
    args: &NewArgs,
    site: &Site,
    template: &Template,
    files: Tree,
    resolved: &Resolved,
    date: Date,
) -> Result<Rendered> {
    // A slip in the template that we carry is ours to mend, not the user's to live with.
    let strict = args.strict || template.origin.source == origin::EMBEDDED;
    render::render(template, files, resolved, &Setting { app_dir: site.app_dir.as_ref(), date, strict })
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
