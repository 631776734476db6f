//! What an upgrade does, for a person and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::check::change;
use crate::lock::{Lock, LockedTemplate};
use crate::plan::{Action, Change, Install, Plan, Reason};
use crate::terminal::escape_control;
use crate::tree::RelPath;
use crate::workspace::Backup;

/// The version of the JSON.
const FORMAT: u32 = 1;
/// So many plain changes are listed for a person; the rest is a number.
const LISTED: usize = 40;

/// What is to be told.
#[derive(Debug)]
pub struct Told<'a> {
    /// The project's path as the user gave it.
    pub shown: String,
    /// The app below the repository's root.
    pub app_dir: Option<&'a RelPath>,
    /// The template before; none for a project without a lock.
    pub before: Option<&'a LockedTemplate>,
    /// The lock from now on.
    pub lock: &'a Lock,
    /// What is done to the files.
    pub plan: &'a Plan,
    /// What is kept beforehand.
    pub backup: Option<&'a Backup>,
    /// Whether anything changes, the record included.
    pub changed: bool,
}

impl<'a> Told<'a> {
    /// Every change, with whether it is at the repository's root.
    fn changes(&self) -> impl Iterator<Item = (bool, &'a RelPath, &'a Change)> {
        let app = self.plan.app.iter().map(|(path, change)| (false, path, change));
        app.chain(self.plan.repository.iter().map(|(path, change)| (true, path, change)))
    }

    fn conflicts(&self) -> usize {
        self.changes().filter(|(.., change)| matches!(change.action, Action::Conflict(_))).count()
    }

    /// The commands to run, each with its directory below the repository's root or, for an app that is it, below the app.
    fn commands(&self) -> BTreeSet<(String, Install)> {
        let commands = self.changes().filter_map(|(repository, path, change)| {
            let install = match change.reason {
                Reason::LockFile(install) => install,
                _ if change.action == Action::Keep => return None,
                _ => Install::of(path.file_name()).or_else(|| self.manager(repository, path))?,
            };
            let parts = [self.app_dir.filter(|_| !repository).map(RelPath::as_str), path.ancestors().next()];
            Some((parts.into_iter().flatten().collect::<Vec<_>>().join("/"), install))
        });
        commands.collect()
    }

    /// The package manager of a manifest: the one whose lock file the template has beside it.
    fn manager(&self, repository: bool, path: &RelPath) -> Option<Install> {
        let directory = path.as_str().strip_suffix("package.json")?;
        let files = if repository { &self.lock.repository_files } else { &self.lock.files };
        let beside = files.keys().filter_map(|file| file.as_str().strip_prefix(directory));
        beside.filter(|name| !name.contains('/')).find_map(Install::of)
    }
}

/// What came, what was kept and why, what conflicts, and what to do.
#[must_use]
pub fn human(told: &Told<'_>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _: std::fmt::Result = draw(&mut out, told);
    out
}

fn draw(out: &mut String, told: &Told<'_>) -> std::fmt::Result {
    let conflicts = told.conflicts();
    writeln!(out, "{}", headline(told, conflicts))?;
    let plain = |change: &Change| !matches!(change.action, Action::Conflict(_) | Action::Keep);
    let listed: Vec<_> = told.changes().filter(|(.., change)| plain(change)).collect();
    listed.iter().take(LISTED).try_for_each(|change| line(out, change))?;
    if let Some(rest) = listed.len().checked_sub(LISTED).filter(|rest| *rest > 0) {
        writeln!(out, "  … and {rest} more")?;
    }
    for kept in [true, false] {
        let wanted = |change: &Change| !plain(change) && (change.action == Action::Keep) == kept;
        told.changes().filter(|(.., change)| wanted(change)).try_for_each(|change| line(out, &change))?;
    }
    for note in &told.plan.notes {
        let subject = note.subject.to_string();
        writeln!(out, "  note      {}: {}", escape_control(note.path.as_str()), escape_control(&subject))?;
    }
    if let Some(backup) = told.backup {
        writeln!(out, "\nGit does not hold these as they were; copies are in {}:", backup.directory())?;
        backup.files.iter().try_for_each(|(path, _)| writeln!(out, "  {}", escape_control(path)))?;
    }
    next(out, told, conflicts)
}

fn headline(told: &Told<'_>, conflicts: usize) -> String {
    let shown = escape_control(&told.shown).into_owned();
    let versions = match told.before {
        Some(before) if before.revision == told.lock.template.revision => {
            format!("template {}", escape_control(told.lock.template.version.as_deref().unwrap_or("as it was")))
        }
        Some(before) => {
            format!("template {}", change(before.version.as_deref(), told.lock.template.version.as_deref()))
        }
        None => format!(
            "adopted, template {}",
            escape_control(told.lock.template.version.as_deref().unwrap_or("without version"))
        ),
    };
    match conflicts {
        0 if !told.changed => format!("{shown}: nothing to do ({versions})"),
        0 => format!("{shown}: {versions}"),
        1 => format!("{shown}: {versions}, with 1 conflict to resolve"),
        n => format!("{shown}: {versions}, with {n} conflicts to resolve"),
    }
}

fn line(out: &mut String, (repository, path, change): &(bool, &RelPath, &Change)) -> std::fmt::Result {
    write!(out, "  {:<9} ", action(&change.action))?;
    if let Some(from) = from(path, change) {
        write!(out, "{} -> ", escape_control(from.as_str()))?;
    }
    write!(out, "{}", escape_control(path.as_str()))?;
    if *repository {
        write!(out, " (at the repository's root)")?;
    }
    write!(out, ": {}", change.reason)?;
    if let Action::Conflict(conflict) = &change.action {
        for (beside, _) in &conflict.beside {
            write!(out, "; see `{}`", escape_control(beside.as_str()))?;
        }
    }
    writeln!(out)
}

/// Where the project's file was, if that is elsewhere.
fn from<'a>(path: &RelPath, change: &'a Change) -> Option<&'a RelPath> {
    match &change.action {
        Action::Move { from, .. } => Some(from),
        Action::Conflict(conflict) => conflict.before.as_ref().map(|(from, _)| from).filter(|from| *from != path),
        _ => None,
    }
}

fn action(action: &Action) -> &'static str {
    match action {
        Action::Create(_) => "created",
        Action::Update { .. } => "updated",
        Action::Delete { .. } => "deleted",
        Action::Move { .. } => "moved",
        Action::Conflict(_) => "CONFLICT",
        Action::Keep => "kept",
    }
}

fn next(out: &mut String, told: &Told<'_>, conflicts: usize) -> std::fmt::Result {
    let commands = told.commands();
    if conflicts == 0 && commands.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat now:\n")?;
    if conflicts > 0 {
        writeln!(out, "  resolve the conflicts (`git status` lists those that git knows), then `git add` the files")?;
        writeln!(out, "  create-app check")?;
    }
    for (directory, install) in commands {
        let place = if directory.is_empty() { String::new() } else { format!(" (in {})", escape_control(&directory)) };
        writeln!(out, "  {}{place}", install.command())?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    command: &'a str,
    path: &'a str,
    app_dir: Option<&'a str>,
    changed: bool,
    conflicts: usize,
    before: Option<JsonTemplate<'a>>,
    after: JsonTemplate<'a>,
    changes: Vec<JsonChange<'a>>,
    notes: Vec<JsonNote<'a>>,
    backup: Option<JsonBackup<'a>>,
    commands: Vec<JsonCommand>,
}

#[derive(Serialize)]
struct JsonTemplate<'a> {
    source: &'a str,
    subfolder: Option<&'a str>,
    version: Option<&'a str>,
    revision: &'a str,
}

#[derive(Serialize)]
struct JsonChange<'a> {
    path: &'a str,
    root: &'static str,
    action: &'static str,
    from: Option<&'a str>,
    reason: String,
    places: Option<usize>,
    beside: Vec<&'a str>,
}

#[derive(Serialize)]
struct JsonNote<'a> {
    path: &'a str,
    text: String,
}

#[derive(Serialize)]
struct JsonBackup<'a> {
    directory: String,
    files: Vec<&'a str>,
}

#[derive(Serialize)]
struct JsonCommand {
    directory: String,
    run: &'static str,
}

/// Everything, for programs.
#[must_use]
pub fn json(command: &str, told: &Told<'_>) -> String {
    let notes = told.plan.notes.iter();
    let commands = told.commands().into_iter();
    super::json(&Json {
        format: FORMAT,
        command,
        path: &told.shown,
        app_dir: told.app_dir.map(RelPath::as_str),
        changed: told.changed,
        conflicts: told.conflicts(),
        before: told.before.map(template),
        after: template(&told.lock.template),
        changes: told.changes().map(json_change).collect(),
        notes: notes.map(|note| JsonNote { path: note.path.as_str(), text: note.subject.to_string() }).collect(),
        backup: told.backup.map(|backup| JsonBackup {
            directory: backup.directory(),
            files: backup.files.iter().map(|(path, _)| path.as_str()).collect(),
        }),
        commands: commands.map(|(directory, install)| JsonCommand { directory, run: install.command() }).collect(),
    })
}

fn template(template: &LockedTemplate) -> JsonTemplate<'_> {
    JsonTemplate {
        source: &template.source,
        subfolder: template.subfolder.as_deref(),
        version: template.version.as_deref(),
        revision: &template.revision,
    }
}

fn json_change<'a>((repository, path, change): (bool, &'a RelPath, &'a Change)) -> JsonChange<'a> {
    let (places, beside) = match &change.action {
        Action::Conflict(conflict) => {
            (Some(conflict.places), conflict.beside.iter().map(|(path, _)| path.as_str()).collect())
        }
        _ => (None, Vec::new()),
    };
    JsonChange {
        path: path.as_str(),
        root: if repository { "repository" } else { "app" },
        action: match &change.action {
            Action::Conflict(_) => "conflict",
            other => action(other),
        },
        from: from(path, change).map(RelPath::as_str),
        reason: change.reason.to_string(),
        places,
        beside,
    }
}
