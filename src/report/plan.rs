//! The summary of an upgrade, for a person.

mod aborted;
mod next;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

pub use aborted::aborted;
pub(super) use next::message;

use super::check::change;
use crate::diagnostic::Diagnostic;
use crate::lock::{DIRECTORY, LOCK, Lock, LockedTemplate};
use crate::manifest::Action as Migration;
use crate::migrations::Taken;
use crate::placeholders::Answer;
use crate::plan::{Action, Cause, Change, Conflict, Plan, Todo};
use crate::scope::Scope;
use crate::terminal::{beginning, escape_control};
use crate::tree::RelPath;
use crate::workspace::Backup;

/// At most this many plain changes are listed for a person; the rest is a number.
const LISTED: usize = 40;

/// The paths of an upgrade to commit.
#[derive(Debug)]
pub struct ToCommit {
    /// The paths, below the repository's root.
    pub paths: Vec<String>,
    /// Whether a sparse checkout leaves some of them out: git only adds those when it is told to.
    pub is_left_out: bool,
}

/// The facts to report.
#[derive(Debug)]
pub struct Told<'a> {
    /// The project's path as the user gave it.
    pub shown: String,
    /// The same, to go there.
    pub given: &'a Path,
    /// The app below the repository's root.
    pub app_dir: Option<&'a RelPath>,
    /// The lock before; none for a project without one.
    pub before: Option<&'a Lock>,
    /// The template that a project without one was made from, if that is known.
    pub made_from: Option<&'a LockedTemplate>,
    /// The lock from now on.
    pub lock: &'a Lock,
    /// The changes of the files.
    pub plan: &'a Plan,
    /// The copies that are made first.
    pub backup: Option<&'a Backup>,
    /// Whether anything changes, the record included.
    pub changed: bool,
    /// The paths to commit; `None` if that is not known.
    pub to_commit: Option<&'a ToCommit>,
    /// The conflicts that an earlier upgrade or merge left.
    pub unresolved: &'a [Diagnostic],
    /// The answers that the template calls secret: a lock of an older version of it may hold them.
    pub secret: BTreeSet<&'a str>,
    /// The answers that are known of a project that is adopted, and the source of each.
    pub inferred: BTreeMap<&'a str, String>,
    /// Whether the template is an older one than before.
    pub is_downgrade: bool,
    /// The lock files of package managers that are the project's own.
    pub own_lock_files: &'a BTreeSet<(Scope, String)>,
    /// The steps of the template's migrations.
    pub migrated: &'a [Taken],
}

impl<'a> Told<'a> {
    pub(super) fn conflicted(&self) -> impl Iterator<Item = (Scope, &'a RelPath, &'a Change, &'a Conflict)> {
        self.plan.changes().filter_map(|(scope, path, change)| match &change.action {
            Action::Conflict(conflict) => Some((scope, path, change, &**conflict)),
            _ => None,
        })
    }

    pub(super) fn commands(&self) -> BTreeSet<Todo> {
        let has =
            |scope, path: &str| self.own_lock_files.contains(&(scope, path.to_owned())) || self.lock.lists(scope, path);
        self.plan.commands(self.app_dir, has)
    }

    /// Who changed what the template renders: the answers, where the template is the same.
    pub(super) fn cause(&self) -> Cause {
        match self.before {
            Some(before) if before.template.revision == self.lock.template.revision && !self.answers().is_empty() => {
                Cause::Answers
            }
            _ => Cause::Template,
        }
    }

    /// Where the template was and is, if that changes.
    fn sources(&self) -> Option<[String; 2]> {
        let place = |template: &LockedTemplate| match &template.subfolder {
            Some(subfolder) => format!("{} ({subfolder})", template.source),
            None => template.source.clone(),
        };
        let [old, new] = [place(&self.before?.template), place(&self.lock.template)];
        (old != new).then_some([old, new])
    }

    /// The answers that change, with what they were and are; of a project without a lock, all.
    pub(super) fn answers(&self) -> Vec<(&'a str, [Option<&'a Answer>; 2])> {
        let none: &'a BTreeMap<String, Answer> = const { &BTreeMap::new() };
        let [old, new] = [self.before.map_or(none, |lock| &lock.answers), &self.lock.answers];
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let both = names.into_iter().map(|name| (name.as_str(), [old.get(name), new.get(name)]));
        both.filter(|(_, [old, new])| old != new).collect()
    }
}

/// The changes, the files that were kept and why, the conflicts, and the next steps.
#[must_use]
pub fn human(told: &Told<'_>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _: std::fmt::Result = draw(&mut out, told);
    out
}

fn draw(out: &mut String, told: &Told<'_>) -> std::fmt::Result {
    writeln!(out, "{}", headline(told))?;
    told.migrated.iter().try_for_each(|step| migration(out, step))?;
    for (name, values) in told.answers() {
        if told.secret.contains(name) {
            writeln!(out, "  answer    {}: secret from now on, so not recorded", escape_control(name))?;
            continue;
        }
        if told.before.is_none() {
            writeln!(
                out,
                "  answer    {}: {}{}",
                escape_control(name),
                values[1].map_or_else(String::new, quoted),
                source(told, name)
            )?;
            continue;
        }
        let [old, new] = values.map(|value| value.map_or("none".to_owned(), quoted));
        writeln!(out, "  answer    {}: {old} -> {new}", escape_control(name))?;
    }
    if let Some([old, new]) = told.sources() {
        writeln!(out, "  source    {} -> {}", escape_control(&old), escape_control(&new))?;
    }
    let plain = |change: &Change| !matches!(change.action, Action::Conflict(_) | Action::Keep);
    let listed: Vec<_> = told.plan.changes().filter(|(.., change)| plain(change)).collect();
    // The summary of an adoption lists everything.
    let most = if told.before.is_some() { LISTED } else { usize::MAX };
    listed.iter().take(most).try_for_each(|change| line(out, told, change))?;
    if let Some(rest) = listed.len().checked_sub(most).filter(|rest| *rest > 0) {
        writeln!(out, "  … and {rest} more")?;
    }
    for kept in [true, false] {
        let wanted = |change: &Change| !plain(change) && (change.action == Action::Keep) == kept;
        told.plan.changes().filter(|(.., change)| wanted(change)).try_for_each(|change| line(out, told, &change))?;
    }
    for note in &told.plan.notes {
        let subject = note.subject.to_string();
        writeln!(out, "  note      {}: {}", escape_control(note.path.as_str()), escape_control(&subject))?;
    }
    let is_left_out = || told.plan.notes.iter().any(|note| note.subject.is_left_out());
    if told.changed && told.plan.changes().next().is_none() && !is_left_out() {
        writeln!(out, "  none of your files change, only {DIRECTORY}/{LOCK}")?;
    }
    if let Some(backup) = told.backup {
        writeln!(out, "\nGit does not have these files as they were; copies are in {}:", backup.directory())?;
        backup.copies.iter().try_for_each(|copy| writeln!(out, "  {}", escape_control(&copy.name)))?;
    }
    next::draw(out, told)
}

/// Where an answer of a project that is adopted is from.
fn source(told: &Told<'_>, name: &str) -> String {
    told.inferred.get(name).map_or_else(String::new, |by| format!(" ({})", escape_control(by)))
}

/// The line for a step of a migration; a command is among those to run.
fn migration(out: &mut String, Taken { version, action, is_done, .. }: &Taken) -> std::fmt::Result {
    match action {
        Migration::Note(text) => {
            let mut lines = text.trim().lines();
            writeln!(out, "  note      {version}: {}", escape_control(lines.next().unwrap_or_default()))?;
            lines.try_for_each(|line| writeln!(out, "            {}", escape_control(line)))
        }
        Migration::Run(command) if *is_done => {
            writeln!(out, "  ran       {version}: {}", escape_control(command))
        }
        Migration::Run(_) => Ok(()),
        step => writeln!(out, "  migrated  {version}: {}", escape_control(&step.to_string())),
    }
}

/// At most this much of an answer is shown, in bytes.
const MAX_ANSWER: usize = 400;

fn quoted(answer: &Answer) -> String {
    match answer {
        Answer::Text(text) => format!("\"{}\"", beginning(text, MAX_ANSWER)),
        Answer::Bool(value) => value.to_string(),
        Answer::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
            format!("[{}]", beginning(&items.join(", "), MAX_ANSWER))
        }
        Answer::Nested(_) => format!("[{}]", beginning(&answer.to_string(), MAX_ANSWER)),
    }
}

fn headline(told: &Told<'_>) -> String {
    let shown = escape_control(&told.shown).into_owned();
    let label = told.lock.template.label();
    let versions = match told.before.map(|lock| &lock.template) {
        Some(before) if before.revision == told.lock.template.revision => {
            format!("template {}", escape_control(label.as_deref().unwrap_or("as it was")))
        }
        Some(before) => {
            let what = if told.is_downgrade { "downgrade, template" } else { "template" };
            format!("{what} {}", change(before.label().as_deref(), label.as_deref()))
        }
        None if let Some(from) = told.made_from => {
            format!("adopted, template {}", change(from.label().as_deref(), label.as_deref()))
        }
        None => format!("adopted, template {}", escape_control(label.as_deref().unwrap_or("without version"))),
    };
    match told.conflicted().count() {
        0 if !told.changed => format!("{shown}: already up to date ({versions})"),
        0 => format!("{shown}: {versions}"),
        1 => format!("{shown}: {versions}, with 1 conflict to resolve"),
        n => format!("{shown}: {versions}, with {n} conflicts to resolve"),
    }
}

fn line(out: &mut String, told: &Told<'_>, (scope, path, change): &(Scope, &RelPath, &Change)) -> std::fmt::Result {
    write!(out, "  {:<9} ", action(&change.action))?;
    if let Some(from) = from(path, change) {
        write!(out, "{} -> ", escape_control(from.as_str()))?;
    }
    write!(out, "{}", escape_control(path.as_str()))?;
    if *scope == Scope::Repository {
        write!(out, " (at the repository's root)")?;
    }
    write!(out, ": {}", change.reason.words(told.cause()))?;
    if let Action::Conflict(conflict) = &change.action {
        for (beside, _) in &conflict.beside {
            write!(out, "; see `{}`", escape_control(beside.as_str()))?;
        }
    }
    writeln!(out)
}

/// Where the project's file was, if that is elsewhere.
pub(super) fn from<'a>(path: &RelPath, change: &'a Change) -> Option<&'a RelPath> {
    match &change.action {
        Action::Move { from, .. } => Some(from),
        Action::Conflict(conflict) => conflict.before.as_ref().map(|(from, _)| from).filter(|from| *from != path),
        _ => None,
    }
}

pub(super) fn action(action: &Action) -> &'static str {
    match action {
        Action::Create(_) => "created",
        Action::Update { .. } => "updated",
        Action::Delete { .. } => "deleted",
        Action::Move { .. } => "moved",
        Action::Conflict(_) => "CONFLICT",
        Action::Keep => "kept",
    }
}
