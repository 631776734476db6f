//! The next steps after an upgrade, as lines that a shell takes: what is not a command is a comment.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Told;
use crate::manifest::Action;
use crate::plan::{Conflict, Reason, Todo};
use crate::scope::Scope;
use crate::shell;
use crate::terminal::escape_control;
use crate::tree::RelPath;

/// More paths than this are not named in one command: directories are, then.
const NAMED: usize = 40;

pub(super) fn draw(out: &mut String, told: &Told<'_>) -> std::fmt::Result {
    let commands = told.commands();
    let conflicts: Vec<_> = told.conflicted().collect();
    let to_commit = told.to_commit.filter(|_| told.changed);
    let asked = told.migrated.iter().filter_map(|step| match &step.action {
        Action::Run(command) if !step.is_done => Some(command),
        _ => None,
    });
    let asked: Vec<&String> = asked.collect();
    if conflicts.is_empty() && commands.is_empty() && asked.is_empty() && to_commit.is_none() {
        return Ok(());
    }
    writeln!(out, "\nNext steps:\n")?;
    if told.shown != "." {
        writeln!(out, "  cd {}", shell::place(told.given))?;
    }
    for (scope, path, change, conflict) in &conflicts {
        writeln!(out, "  # {}", how_to_resolve(told, *scope, path, change.reason, conflict))?;
    }
    // Nothing can be installed while there are conflict markers in a manifest, and nothing is committed with them.
    commands.iter().try_for_each(|todo| command(out, told, todo))?;
    // The author's own, which nobody agreed to.
    if !asked.is_empty() {
        writeln!(
            out,
            "  # the template asks you to run {}; with --allow-commands, create-app does that before the merge",
            if asked.len() == 1 { "this command" } else { "these commands" }
        )?;
    }
    asked.iter().try_for_each(|command| writeln!(out, "  {}", escape_control(command)))?;
    let Some(paths) = to_commit else {
        return if conflicts.is_empty() { Ok(()) } else { writeln!(out, "  create-app check") };
    };
    let (named, is_cut) = covered(&paths.paths);
    if is_cut {
        writeln!(out, "  # these directories may contain other changes of yours: check 'git status' first")?;
    }
    let words: Vec<String> = named.iter().map(|path| shell::path(&seen_from_app(told, path)).into_owned()).collect();
    // Without this, git adds nothing where the checkout leaves files out, as it may do with the base.
    let sparse = if paths.is_left_out { " --sparse" } else { "" };
    writeln!(out, "  git add --all{sparse} -- {}", words.join(" "))?;
    let check = if conflicts.is_empty() { "" } else { "create-app check && " };
    writeln!(out, "  {check}git commit --message {}", shell::quoted(&message(told)))
}

/// The paths, or so many directories that hold all of them, as few levels up as possible; and whether it is these.
fn covered(paths: &[String]) -> (BTreeSet<&str>, bool) {
    let mut found: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
    let mut depth = found.iter().map(|path| path.matches('/').count()).max().unwrap_or_default();
    let is_cut = found.len() > NAMED && depth > 0;
    while found.len() > NAMED && depth > 0 {
        let cut = |path: &'_ str| path.match_indices('/').nth(depth - 1).map(|(at, _)| at);
        found = found.into_iter().map(|path| cut(path).map_or(path, |at| &path[..at])).collect();
        depth -= 1;
    }
    (found, is_cut)
}

/// The message of a commit of the upgrade.
pub(in crate::report) fn message(told: &Told<'_>) -> String {
    let after = &told.lock.template;
    let to = after.label().map(|label| format!(" {label}")).unwrap_or_default();
    match told.before.map(|lock| &lock.template) {
        None => format!("Adopt template{to}"),
        Some(before) if before.revision != after.revision => match before.label().filter(|_| !to.is_empty()) {
            Some(from) if from != to.trim_start() => format!("Upgrade template {from} ->{to}"),
            _ => format!("Upgrade template{to}"),
        },
        Some(_) => {
            let names: Vec<&str> = told.answers().into_iter().map(|(name, _)| name).collect();
            if names.is_empty() {
                format!("Upgrade template{to}")
            } else {
                format!("Change answers: {}", names.join(", "))
            }
        }
    }
}

/// A path below the repository's root, as seen from the app.
fn seen_from_app(told: &Told<'_>, path: &str) -> String {
    let Some(app_dir) = told.app_dir else { return path.to_owned() };
    match path.strip_prefix(app_dir.as_str()) {
        Some("") => ".".to_owned(),
        Some(below) if below.starts_with('/') => below[1..].to_owned(),
        _ => app_dir.way_up() + path,
    }
}

fn command(out: &mut String, told: &Told<'_>, todo: &Todo) -> std::fmt::Result {
    let run = todo.install.command();
    match from_app(told, todo.scope, todo.directory.as_deref().unwrap_or_default()).trim_end_matches('/') {
        "" => writeln!(out, "  {run}"),
        directory => writeln!(out, "  (cd {} && {run})", shell::path(directory)),
    }
}

/// What to do about a conflict. A shell may take even a comment for a command, so every word of others in it is quoted.
fn how_to_resolve(told: &Told<'_>, scope: Scope, path: &RelPath, reason: Reason, conflict: &Conflict) -> String {
    let path = place(told, scope, path);
    let beside: Vec<String> = conflict.beside.iter().map(|(beside, _)| place(told, scope, beside)).collect();
    match (beside.as_slice(), reason) {
        ([], Reason::DeletedButEdited | Reason::DeletedButMoved) => format!("{path}: remove it, or keep it as it is"),
        ([], _) => {
            let label = told.lock.template.label().map(|label| format!(" {label}"));
            let theirs = shell::quoted(&format!("template{}", label.unwrap_or_default()));
            format!("{path}: choose between the lines of 'yours' and {theirs}")
        }
        (beside, _) => format!("{path}: copy what you need from {}, then remove that", beside.join(", ")),
    }
}

/// The word of a path, as seen from the app.
fn place(told: &Told<'_>, scope: Scope, path: &RelPath) -> String {
    shell::path(&from_app(told, scope, path.as_str())).into_owned()
}

/// A path, as seen from the app.
fn from_app(told: &Told<'_>, scope: Scope, path: &str) -> String {
    told.app_dir.filter(|_| scope == Scope::Repository).map(RelPath::way_up).unwrap_or_default() + path
}
