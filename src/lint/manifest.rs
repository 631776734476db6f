//! The manifest on its own.

use super::Linted;
use crate::diagnostic::{Code, Diagnostic, Found, did_you_mean};
use crate::liquid::has_liquid;
use crate::manifest::{Conditional, Manifest};
use crate::placeholders::built_in;
use crate::placeholders::condition;
use crate::placeholders::{Kind, Placeholder};

pub(super) fn check(linted: &Linted<'_>, found: &mut Found) {
    let manifest = linted.manifest;
    manifest.conditionals.iter().for_each(|conditional| names(linted, conditional, found));
    manifest.declared().for_each(|placeholder| plain_default(manifest, placeholder, found));
    let selection = &manifest.selection;
    if let (Some(_), Some([first, ..])) = (&selection.include, selection.exclude.as_deref()) {
        let problem = Diagnostic::warning(Code::ManifestRule, "`exclude` has no effect beside `include`");
        let problem = problem.at(manifest.place(first.span.clone()), "ignored");
        found.push(problem.help("remove one of the two lists: with `include`, all other files are copied"));
    }
}

/// A condition is false where it uses a name that nobody knows.
fn names(linted: &Linted<'_>, conditional: &Conditional, found: &mut Found) {
    let manifest = linted.manifest;
    if conditional.condition.is_none() {
        return;
    }
    let known = || manifest.declared().map(|it| it.name.as_str()).chain(built_in::names());
    let expression = &conditional.expression;
    let others = condition::others(&expression.value, known()).into_iter();
    for (name, at) in others.filter(|(name, _)| !linted.may_be_set(name)) {
        let span = manifest.inside(expression, at..at + name.len());
        let help = did_you_mean(&name, known()).unwrap_or_else(|| {
            "a condition can only use the answers to placeholders and built-in variables".to_owned()
        });
        let title = format!("`{name}` is not a placeholder, so a condition that uses it is false");
        let problem = Diagnostic::warning(Code::ManifestValue, title);
        found.push(problem.at(manifest.place(span), "unknown").help(help));
    }
}

/// A default in `[placeholders]` is taken as it is written.
fn plain_default(manifest: &Manifest, placeholder: &Placeholder, found: &mut Found) {
    if placeholder.depends.default.is_some() {
        return;
    }
    let defaults: Vec<&String> = match &placeholder.kind {
        Kind::Text { default, .. } | Kind::Choice { default, .. } => default.iter().collect(),
        Kind::Array { default, .. } => default.iter().flatten().collect(),
        Kind::Bool { .. } => return,
    };
    if defaults.into_iter().any(|default| has_liquid(default)) {
        let name = &placeholder.name;
        let title = format!("the default of `{name}` has Liquid in it, which is not rendered");
        let problem = Diagnostic::warning(Code::ManifestValue, title);
        let problem = problem.at(manifest.place(placeholder.span.clone()), "shown with its default as it is written");
        found.push(
            problem.help(format!("write `default` under `[create-app.placeholders.{name}]`: there it is Liquid")),
        );
    }
}
