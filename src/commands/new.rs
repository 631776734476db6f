//! `create-app new`: a template and answers become a project.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Outcome, inputs, origin};
use crate::answers::built_in::{self, Facts};
use crate::answers::placeholder::Answer;
use crate::answers::{Ask, Resolved, name, prompt, resolve};
use crate::cli::{NewArgs, Vcs};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::{self, LockedTemplate};
use crate::manifest::Ownership;
use crate::plan::{Existing, Plan, Trees};
use crate::render::select::Patterns;
use crate::render::{self, Request};
use crate::template::Template;
use crate::tree::Tree;
use crate::workspace::{self, Site};
use crate::{git, report};

/// Runs `create-app new`.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written.
pub(super) fn run(args: &NewArgs) -> Result<Outcome> {
    let existing = existing(args);
    let site = Site::locate(args.path.as_deref().unwrap_or(Path::new(".")))?;
    site.check(existing)?;
    let may_ask = !args.silent && prompt::possible();
    let loaded = inputs::template(args.template.as_deref(), args.subfolder.as_deref(), may_ask)?;
    super::warn(loaded.warnings, args.strict)?;
    let mut template = loaded.template;
    refuse_hooks(&template)?;
    if let Some(directory) = &args.template {
        template.origin.source = origin::name(&site.app, directory);
    }

    let mentioned = inputs::mentioned(&template);
    let facts = facts(args, &site, &template, &mentioned)?;
    let mut resolved = answer(args, &template, &facts, may_ask)?;
    let trees = render(args, &site, &mut template, &mut resolved)?;
    remember(&mut resolved, &mentioned);

    let record = lock::record(&rendered(&site, &template, &resolved, &trees), &BTreeSet::new());
    let ours = site.read(&trees.app, &trees.repository)?;
    let plan = Plan::new(trees.app, trees.repository, &ours, existing);
    let asides = workspace::create(&site, &plan, &record, existing)?;

    let in_repository = start_repository(args, &site, &template)?;
    super::summary::made(&site, &plan, &template.manifest.ownership.next)?;
    super::summary::warn_of_asides(&asides);
    if in_repository {
        super::summary::warn_of_ignored(&site, &record)?;
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

fn facts(args: &NewArgs, site: &Site, template: &Template, mentioned: &[&str]) -> Result<Facts> {
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
    super::warn(std::mem::take(&mut resolved.warnings), args.strict)?;
    Ok(resolved)
}

/// The next run has other values of these: what this one gave to the project goes into the lock.
pub(super) fn remember(resolved: &mut Resolved, mentioned: &[&str]) {
    // The suffix follows from the app's directory, unless it had to be another.
    for name in mentioned.iter().filter(|name| **name != "app_suffix") {
        if let Some(answer) = resolved.variables.get(*name) {
            resolved.answers.entry((*name).to_owned()).or_insert_with(|| answer.clone());
        }
    }
}

/// Renders the template; again, with a longer suffix, where another app of the repository has the short one.
fn render(args: &NewArgs, site: &Site, template: &mut Template, resolved: &mut Resolved) -> Result<Trees> {
    let may_collide = site.app_dir.is_some() && !args.init && !args.overwrite;
    if !may_collide || resolved.answers.contains_key("app_suffix") {
        let files = std::mem::take(&mut template.files);
        return render_files(args, site, template, files, resolved);
    }
    let trees = render_files(args, site, template, template.files.clone(), resolved)?;
    if !trees.repository.keys().any(|path| path.below(site.root()).symlink_metadata().is_ok()) {
        return Ok(trees);
    }
    let suffix = Answer::Text(built_in::app_suffix(site.app_dir(), true));
    resolved.variables.insert("app_suffix".into(), suffix.clone());
    resolved.answers.insert("app_suffix".into(), suffix);
    let files = std::mem::take(&mut template.files);
    render_files(args, site, template, files, resolved)
}

fn render_files(args: &NewArgs, site: &Site, template: &Template, files: Tree, resolved: &Resolved) -> Result<Trees> {
    let request = Request {
        selection: &resolved.selection,
        declared: template.manifest.declared().collect(),
        variables: &resolved.variables,
        names: &template.names,
        // A slip in the template that we carry is ours to mend, not the user's to live with.
        strict: args.strict || args.template.is_none(),
    };
    let rendered = render::render(files, &request)?;
    report::diagnostics(&rendered.warnings);
    Ok(split(rendered.tree, site, &template.manifest.ownership))
}

/// Takes the files that belong at the repository's root out of an app that lives deeper.
pub(super) fn split(tree: Tree, site: &Site, ownership: &Ownership) -> Trees {
    if site.app_dir.is_none() {
        return Trees { app: tree, repository: Tree::new() };
    }
    let at_the_root = Patterns::of(&ownership.repository);
    let (repository, app) = tree.into_iter().partition(|(path, _)| at_the_root.matches(path.as_str()));
    Trees { app, repository }
}

pub(super) fn rendered<'a>(
    site: &Site,
    template: &'a Template,
    resolved: &'a Resolved,
    trees: &'a Trees,
) -> lock::Rendered<'a> {
    lock::Rendered {
        template: LockedTemplate {
            source: template.origin.source.clone(),
            subfolder: template.origin.subfolder.clone(),
            version: template.manifest.ownership.version.clone(),
            revision: template.origin.revision.clone(),
        },
        app_dir: site.app_dir.clone(),
        answers: &resolved.answers,
        ownership: &template.manifest.ownership,
        app: &trees.app,
        repository: &trees.repository,
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
    if wanted {
        git::init(&site.app)?;
    }
    Ok(wanted)
}
