//! A project that was made.

use std::collections::BTreeSet;

use serde::Serialize;

use super::upgrade::JsonNote;
use super::{FORMAT, Template, render, root};
use crate::lock::Lock;
use crate::placeholders::Answer;
use crate::plan::{Action, Cause, Change, Plan};
use crate::report::plan::action;
use crate::scope::Scope;
use crate::tree::RelPath;

#[derive(Serialize)]
struct Made<'a> {
    format: u32,
    command: &'static str,
    path: &'a str,
    app_dir: Option<&'a str>,
    template: Template<'a>,
    answers: Vec<JsonAnswer<'a>>,
    files: Vec<JsonFile<'a>>,
    notes: Vec<JsonNote<'a>>,
    repository_created: bool,
    next: Vec<&'a str>,
}

#[derive(Serialize)]
struct JsonAnswer<'a> {
    name: &'a str,
    value: Option<String>,
    secret: bool,
}

#[derive(Serialize)]
struct JsonFile<'a> {
    path: &'a str,
    root: &'static str,
    action: &'static str,
    reason: String,
    reason_code: &'static str,
}

/// A new project: where it is, what it was made from, and what is to be run next. Of a secret answer, only the name is reported.
#[must_use]
pub fn made<'a>(
    (shown, app_dir): (&'a str, Option<&'a RelPath>),
    lock: &'a Lock,
    secret: &BTreeSet<&'a str>,
    plan: &'a Plan,
    repository_created: bool,
    next: impl Iterator<Item = &'a str>,
) -> String {
    let known = lock.answers.iter().filter(|(name, _)| !secret.contains(name.as_str()));
    let mut answers: Vec<JsonAnswer<'_>> = known.map(|(name, answer)| told(name, Some(answer))).collect();
    answers.extend(secret.iter().map(|name| told(name, None)));
    render(&Made {
        format: FORMAT,
        command: "new",
        path: shown,
        app_dir: app_dir.map(RelPath::as_str),
        template: Template::of(&lock.template),
        answers,
        files: plan.changes().map(file).collect(),
        notes: plan.notes.iter().map(JsonNote::of).collect(),
        repository_created,
        next: next.collect(),
    })
}

fn told<'a>(name: &'a str, answer: Option<&Answer>) -> JsonAnswer<'a> {
    JsonAnswer { name, value: answer.map(ToString::to_string), secret: answer.is_none() }
}

fn file<'a>((scope, path, change): (Scope, &'a RelPath, &'a Change)) -> JsonFile<'a> {
    JsonFile {
        path: path.as_str(),
        root: root(scope),
        action: match &change.action {
            Action::Conflict(_) => "conflict",
            other => action(other),
        },
        reason: change.reason.words(Cause::Template),
        reason_code: change.reason.code(),
    }
}
