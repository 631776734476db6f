//! What is left to do after an upgrade, as lines that a shell takes: what is no command is a comment.

use std::fmt::Write as _;

use super::Told;
use crate::migrations::Action;
use crate::plan::{Conflict, Reason, Todo};
use crate::shell;
use crate::terminal::escape_control;
use crate::tree::RelPath;

/// More files than this are not named in one command.
const NAMED: usize = 8;

pub(super) fn draw(out: &mut String, told: &Told<'_>) -> std::fmt::Result {
    let commands = told.commands();
    let conflicts: Vec<_> = told.conflicted().collect();
    let asked = told.migrated.iter().filter_map(|(_, step)| match step {
        Action::Run(command) => Some(command),
        _ => None,
    });
    let asked: Vec<&String> = asked.collect();
    if conflicts.is_empty() && commands.is_empty() && asked.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat now:\n")?;
    if told.shown != "." {
        writeln!(out, "  cd {}", shell::path(&told.shown))?;
    }
    for (repository, path, change, conflict) in &conflicts {
        writeln!(out, "  # {}", how_to_resolve(told, *repository, path, change.reason, conflict))?;
    }
    if !conflicts.is_empty() {
        let unmerged = conflicts.iter().filter(|(.., conflict)| told.in_git && conflict.stages.is_some());
        let unmerged: Vec<String> = unmerged.map(|(repository, path, ..)| place(told, *repository, path)).collect();
        match unmerged.len() {
            0 => {}
            1..=NAMED => writeln!(out, "  git add -- {}", unmerged.join(" "))?,
            _ => writeln!(out, "  git add FILE…")?,
        }
        writeln!(out, "  create-app check")?;
    }
    commands.iter().try_for_each(|todo| command(out, told, todo))?;
    // The author's own, which nothing but a person runs.
    asked.iter().try_for_each(|command| writeln!(out, "  {}", escape_control(command)))
}

fn command(out: &mut String, told: &Told<'_>, todo: &Todo) -> std::fmt::Result {
    let run = todo.install.command();
    match from_app(told, todo.repository, todo.directory.as_deref().unwrap_or_default()).trim_end_matches('/') {
        "" => writeln!(out, "  {run}"),
        directory => writeln!(out, "  (cd {} && {run})", shell::path(directory)),
    }
}

/// What to do about a conflict. A shell may take even a comment for a command, so every word of others in it is quoted.
fn how_to_resolve(told: &Told<'_>, repository: bool, path: &RelPath, reason: Reason, conflict: &Conflict) -> String {
    let path = place(told, repository, path);
    let beside: Vec<String> = conflict.beside.iter().map(|(beside, _)| place(told, repository, beside)).collect();
    match (beside.as_slice(), reason) {
        ([], Reason::DeletedButEdited | Reason::DeletedButMoved) => format!("{path}: remove it, or keep it as it is"),
        ([], _) => {
            let label = told.lock.template.label().map(|label| format!(" {label}"));
            let theirs = shell::quoted(&format!("template{}", label.unwrap_or_default()));
            format!("{path}: choose between the lines of 'yours' and of {theirs}")
        }
        (beside, _) => format!("{path}: take what you need of {}, and remove that", beside.join(", ")),
    }
}

/// The word of a path, as seen from the app.
fn place(told: &Told<'_>, repository: bool, path: &RelPath) -> String {
    shell::path(&from_app(told, repository, path.as_str())).into_owned()
}

/// A path, as seen from the app.
fn from_app(told: &Told<'_>, repository: bool, path: &str) -> String {
    let depth = told.app_dir.filter(|_| repository).map_or(0, |app_dir| app_dir.as_str().split('/').count());
    "../".repeat(depth) + path
}
