//! Renders a template with its answers into the files of a project and their record.

use std::sync::Arc;

use crate::answers::Resolved;
use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::hooks::{self, Done, Filters, Hooks};
use crate::lint::{self, Linted};
use crate::liquid::{Scripts, Total};
use crate::lock::{self, LockedTemplate};
use crate::manifest::Ownership;
use crate::patterns::Patterns;
use crate::plan::Trees;
use crate::render::owned::{self, Owned};
use crate::render::select::{Selected, Selector};
use crate::render::{self, Request};
use crate::report;
use crate::template::Template;
use crate::tree::{RelPath, Tree};

/// The file that makes a folder of a template a test case.
pub(in crate::commands) const CASE: &str = "case.toml";

/// What is not in the template and its answers.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct Setting<'a> {
    /// The app below the repository's root; `None` if it is the root.
    pub(in crate::commands) app_dir: Option<&'a RelPath>,
    /// The date that `"now" | date` shows.
    pub(in crate::commands) date: Date,
    /// Whether an unknown variable is an error.
    pub(in crate::commands) strict: bool,
    /// Whether what Liquid cannot render stays as it is.
    pub(in crate::commands) lenient: bool,
    /// The series that this render belongs to, if a run has many.
    pub(in crate::commands) total: Option<&'a Arc<Total>>,
    /// The template's hooks; those of init have run.
    pub(in crate::commands) hooks: &'a Hooks,
}

/// A rendered template.
pub(in crate::commands) struct Rendered {
    /// Its files.
    pub(in crate::commands) trees: Trees,
    /// The date that they show, where they show one.
    pub(in crate::commands) date: Option<Date>,
    /// The files that depend on a secret answer.
    pub(in crate::commands) secret: render::Secret,
    /// Whose the files are: the template's patterns, with the answers in them.
    pub(in crate::commands) ownership: Ownership,
}

/// Renders the template's files, and shows likely mistakes in them.
pub(in crate::commands) fn render(
    template: &Template,
    files: Tree,
    resolved: &Resolved,
    setting: &Setting<'_>,
) -> Result<Rendered> {
    let manifest = &template.manifest;
    let mut variables = resolved.variables.clone();
    let files = setting.hooks.pre(files, &mut variables)?;
    let filters = Filters::new(setting.hooks, &files, &variables);
    let mut request = Request {
        selection: &resolved.selection,
        ownership: &manifest.ownership,
        declared: template.manifest.declared().collect(),
        variables: &variables,
        secrets: template.manifest.ownership.secret_names(),
        names: &template.names,
        strict: setting.strict,
        lenient: setting.lenient,
        date: setting.date,
        total: setting.total,
        scripts: filters.clone().map(|filters| filters as Arc<dyn Scripts>),
    };
    let Owned { ownership, selection } = owned::owned(manifest, &files, &request)?;
    (request.selection, request.ownership) = (&selection, &ownership);
    let rendered = render::render(files, &request)?;
    report::diagnostics(&rendered.warnings);
    let Done { mut tree, secret } = setting.hooks.post(rendered.tree, rendered.secret, &variables)?;
    if setting.hooks.has_post() {
        let (checked, warnings) = render::checked(tree, &template.names)?;
        report::diagnostics(&warnings);
        tree = checked;
    }
    let trees = split(tree, setting.app_dir, &Patterns::of(&ownership.repository));
    let date = rendered.date.or_else(|| {
        (setting.hooks.is_dated() || filters.is_some_and(|filters| filters.is_dated())).then_some(setting.date)
    });
    Ok(Rendered { trees, date, secret, ownership })
}

/// Refuses a template whose test cases would be part of every project.
///
/// # Errors
///
/// The first of them, and how to leave them out.
pub(in crate::commands) fn refuse_rendered_cases(files: &Tree, resolved: &Resolved) -> Result<()> {
    let selector = Selector::new(files, &resolved.selection)?;
    let is_case = |path: &&RelPath| path.as_str().starts_with("tests/") && path.file_name() == CASE;
    let mut rendered = files.keys().filter(is_case).filter(|path| selector.select(path) != Selected::Drop);
    rendered.next().map_or(Ok(()), |path| {
        Err(Diagnostic::error(Code::TestCase, format!("the test case `{path}` would be part of every project"))
            .help("add `ignore = [\"tests\"]` to the table `[template]` of the manifest")
            .into())
    })
}

/// The template's files that the manifest, its conditions or `.genignore` leave out.
///
/// # Errors
///
/// As [`Selector::new`].
pub(in crate::commands) fn left_out(files: &Tree, resolved: &Resolved) -> Result<Vec<RelPath>> {
    let selector = Selector::new(files, &resolved.selection)?;
    Ok(files.keys().filter(|path| selector.select(path) == Selected::Drop).cloned().collect())
}

/// Refuses a template of whose `files` something looks wrong although they render.
///
/// # Errors
///
/// All that looks wrong.
pub(in crate::commands) fn lint(
    template: &Template,
    files: &Tree,
    resolved: &Resolved,
    rendered: &Rendered,
) -> Result<()> {
    let linted = Linted {
        manifest: &template.manifest,
        files,
        names: &template.names,
        selection: &resolved.selection,
        variables: &resolved.variables,
        trees: &rendered.trees,
        ownership: &rendered.ownership,
        secret: &rendered.secret,
        scripts: hooks::words(&template.manifest, files),
    };
    crate::commands::warn(lint::findings(&linted)?, true)
}

/// Renders the template's files for the last time: it has none afterwards.
pub(in crate::commands) fn render_once(
    template: &mut Template,
    resolved: &Resolved,
    setting: &Setting<'_>,
) -> Result<Rendered> {
    let files = std::mem::take(&mut template.files);
    render(template, files, resolved, setting)
}

/// Takes the files that belong `at_the_root` of the repository out of an app that lives deeper.
pub(in crate::commands) fn split(tree: Tree, app_dir: Option<&RelPath>, at_the_root: &Patterns) -> Trees {
    if app_dir.is_none() {
        return Trees { app: tree, repository: Tree::new() };
    }
    let (repository, app) = tree.into_iter().partition(|(path, _)| at_the_root.matches(path.as_str()));
    Trees { app, repository }
}

/// The record of a render.
pub(super) fn recorded<'a>(
    template: &'a Template,
    resolved: &'a Resolved,
    rendered: &'a Rendered,
    app_dir: Option<&RelPath>,
) -> lock::Rendered<'a> {
    lock::Rendered {
        template: locked(template),
        app_dir: app_dir.cloned(),
        answers: &resolved.answers,
        date: rendered.date,
        ownership: &rendered.ownership,
        secret: &rendered.secret,
        trees: rendered.trees.as_ref(),
    }
}

/// The template as the lock names it.
pub(in crate::commands) fn locked(template: &Template) -> LockedTemplate {
    let origin = template.origin.clone();
    LockedTemplate {
        source: origin.source,
        reference: origin.reference,
        subfolder: origin.subfolder,
        skips_submodules: origin.skips_submodules,
        version: template.manifest.ownership.version.clone(),
        digest: Some(origin.digest).filter(|digest| *digest != origin.revision),
        revision: origin.revision,
    }
}
