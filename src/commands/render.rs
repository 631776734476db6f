//! From a template and its answers to the files of a project, and to what the record says of them.

use std::sync::Arc;

use crate::answers::Resolved;
use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::hooks::{self, Done, Filters, Hooks};
use crate::lint::{self, Linted};
use crate::lock::{self, LockedTemplate};
use crate::manifest::Ownership;
use crate::plan::Trees;
use crate::render::owned::{self, Owned};
use crate::render::select::{Patterns, Selected, Selector};
use crate::render::{self, Request, Total};
use crate::report;
use crate::template::Template;
use crate::tree::{RelPath, Tree};

/// The file that makes a folder of a template a test case.
pub(super) const CASE: &str = "case.toml";

/// What is not in the template and its answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    /// The app below the repository's root; none where it is the root.
    pub(super) app_dir: Option<&'a RelPath>,
    /// What `"now" | date` shows.
    pub(super) date: Date,
    /// Whether an unknown variable is an error.
    pub(super) strict: bool,
    /// What this render is one of, where a run has many.
    pub(super) total: Option<&'a Arc<Total>>,
    /// The template's hooks; those of init have run.
    pub(super) hooks: &'a Hooks,
}

/// A rendered template.
pub(super) struct Rendered {
    /// Its files.
    pub(super) trees: Trees,
    /// The date that they show, where they show one.
    pub(super) date: Option<Date>,
    /// The files that depend on a secret answer.
    pub(super) secret: render::Secret,
    /// Whose the files are: the template's patterns, with the answers in them.
    pub(super) ownership: Ownership,
}

/// Renders the template's files, and shows what looks like a slip in them.
pub(super) fn render(template: &Template, files: Tree, resolved: &Resolved, setting: &Setting<'_>) -> Result<Rendered> {
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
        date: setting.date,
        total: setting.total,
        scripts: filters.clone().map(|filters| filters as Arc<dyn render::Scripts>),
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
pub(super) fn refuse_rendered_cases(files: &Tree, resolved: &Resolved) -> Result<()> {
    let selector = Selector::new(files, &resolved.selection)?;
    let is_case = |path: &&RelPath| path.as_str().starts_with("tests/") && path.file_name() == CASE;
    let mut rendered = files.keys().filter(is_case).filter(|path| selector.select(path) != Selected::Drop);
    rendered.next().map_or(Ok(()), |path| {
        Err(Diagnostic::error(Code::TestCase, format!("the test case `{path}` would be part of every project"))
            .help("add `ignore = [\"tests\"]` to the table `[template]` of the manifest")
            .into())
    })
}

/// Refuses a template of whose `files` something looks wrong although they render.
///
/// # Errors
///
/// All that looks wrong.
pub(super) fn lint(template: &Template, files: &Tree, resolved: &Resolved, rendered: &Rendered) -> Result<()> {
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
    super::warn(lint::findings(&linted)?, true)
}

/// Renders the template's files for the last time: it has none afterwards.
pub(super) fn render_once(template: &mut Template, resolved: &Resolved, setting: &Setting<'_>) -> Result<Rendered> {
    let files = std::mem::take(&mut template.files);
    render(template, files, resolved, setting)
}

/// Takes the files that belong `at_the_root` of the repository out of an app that lives deeper.
pub(super) fn split(tree: Tree, app_dir: Option<&RelPath>, at_the_root: &Patterns) -> Trees {
    if app_dir.is_none() {
        return Trees { app: tree, repository: Tree::new() };
    }
    let (repository, app) = tree.into_iter().partition(|(path, _)| at_the_root.matches(path.as_str()));
    Trees { app, repository }
}

/// What is recorded of a render.
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
        app: &rendered.trees.app,
        repository: &rendered.trees.repository,
    }
}

/// The template as the lock names it.
pub(super) fn locked(template: &Template) -> LockedTemplate {
    let origin = template.origin.clone();
    LockedTemplate {
        source: origin.source,
        reference: origin.reference,
        subfolder: origin.subfolder,
        version: template.manifest.ownership.version.clone(),
        digest: Some(origin.digest).filter(|digest| *digest != origin.revision),
        revision: origin.revision,
    }
}
