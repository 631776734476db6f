//! An upgrade, done or undone.

use serde::Serialize;

use super::{FORMAT, Problem, Template, render, root};
use crate::manifest::Action as Migration;
use crate::migrations::Taken;
use crate::placeholders::Answer;
use crate::plan::{Action, Change, Note, Todo};
use crate::report::plan::{Told, action, from, message};
use crate::scope::Scope;
use crate::tree::RelPath;
use crate::workspace::Backup;

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    command: &'static str,
    path: &'a str,
    app_dir: Option<&'a str>,
    changed: bool,
    conflicts: usize,
    before: Option<Template<'a>>,
    after: Template<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    migrations: Vec<JsonMigration<'a>>,
    answers: Vec<JsonAnswer<'a>>,
    changes: Vec<JsonChange<'a>>,
    notes: Vec<JsonNote<'a>>,
    backup: Option<JsonBackup<'a>>,
    commands: Vec<JsonCommand>,
    commit: Option<JsonCommit<'a>>,
    problems: Vec<Problem<'a>>,
}

/// A step of a migration.
#[derive(Serialize)]
struct JsonMigration<'a> {
    version: &'a str,
    #[serde(flatten)]
    step: JsonStep<'a>,
}

#[derive(Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum JsonStep<'a> {
    Rename { from: &'a str, to: &'a str },
    RenameAnswer { from: &'a str, to: &'a str },
    SetAnswer { name: &'a str },
    DeleteAnswer { name: &'a str },
    Note { text: &'a str },
    Run { command: &'a str, ran: bool },
}

/// An answer that changes.
#[derive(Serialize)]
struct JsonAnswer<'a> {
    name: &'a str,
    before: Option<String>,
    after: Option<String>,
    /// Its source, of a project that is adopted.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonChange<'a> {
    path: &'a str,
    root: &'static str,
    action: &'static str,
    from: Option<&'a str>,
    reason: String,
    reason_code: &'static str,
    cause: &'static str,
    places: Option<usize>,
    beside: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct JsonNote<'a> {
    path: &'a str,
    code: &'static str,
    text: String,
}

impl<'a> JsonNote<'a> {
    pub(super) fn of(note: &'a Note) -> Self {
        Self { path: note.path.as_str(), code: note.subject.code(), text: note.subject.to_string() }
    }
}

#[derive(Serialize)]
struct JsonBackup<'a> {
    directory: String,
    files: Vec<&'a str>,
}

impl<'a> JsonBackup<'a> {
    fn of(backup: &'a Backup) -> Self {
        let files = backup.copies.iter().map(|copy| copy.name.as_str()).collect();
        Self { directory: backup.directory(), files }
    }
}

/// The paths to commit, below the repository's root, and the message.
#[derive(Serialize)]
struct JsonCommit<'a> {
    paths: &'a [String],
    /// Whether `git add` needs `--sparse` for them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sparse: bool,
    message: String,
}

#[derive(Serialize)]
struct JsonCommand {
    directory: String,
    run: &'static str,
}

/// Everything.
#[must_use]
pub fn upgrade(told: &Told<'_>) -> String {
    let commands = told.commands().into_iter();
    render(&Json {
        format: FORMAT,
        command: "upgrade",
        path: &told.shown,
        app_dir: told.app_dir.map(RelPath::as_str),
        changed: told.changed,
        conflicts: told.conflicted().count(),
        before: told.before.map(|lock| &lock.template).or(told.made_from).map(Template::of),
        after: Template::of(&told.lock.template),
        migrations: told.migrated.iter().map(json_migration).collect(),
        answers: told.answers().into_iter().map(|answer| json_answer(told, answer)).collect(),
        changes: told.plan.changes().map(|change| json_change(told, change)).collect(),
        notes: told.plan.notes.iter().map(JsonNote::of).collect(),
        backup: told.backup.map(JsonBackup::of),
        commands: commands
            .map(|todo| JsonCommand { directory: below(told, &todo), run: todo.install.command() })
            .collect(),
        commit: told.to_commit.filter(|_| told.changed).map(|what| JsonCommit {
            paths: &what.paths,
            sparse: what.is_left_out,
            message: message(told),
        }),
        problems: told.unresolved.iter().map(Problem::of).collect(),
    })
}

fn json_migration(taken: &Taken) -> JsonMigration<'_> {
    let step = match &taken.action {
        Migration::Rename(rename) => JsonStep::Rename { from: rename.from(), to: rename.to() },
        Migration::RenameAnswer { from, to } => JsonStep::RenameAnswer { from, to },
        Migration::SetAnswer { name, .. } => JsonStep::SetAnswer { name },
        Migration::DeleteAnswer(name) => JsonStep::DeleteAnswer { name },
        Migration::Note(text) => JsonStep::Note { text },
        Migration::Run(command) => JsonStep::Run { command, ran: taken.is_done },
    };
    JsonMigration { version: &taken.version, step }
}

fn json_answer<'a>(told: &'a Told<'_>, (name, values): (&'a str, [Option<&Answer>; 2])) -> JsonAnswer<'a> {
    let shown = |_: &&Answer| !told.secret.contains(name);
    let [before, after] = values.map(|value| value.filter(shown).map(ToString::to_string));
    let from = told.inferred.get(name).map(String::as_str);
    JsonAnswer { name, before, after, from }
}

fn json_change<'a>(told: &Told<'_>, (scope, path, change): (Scope, &'a RelPath, &'a Change)) -> JsonChange<'a> {
    let (places, beside) = match &change.action {
        Action::Conflict(conflict) => {
            (Some(conflict.places), conflict.beside.iter().map(|(path, _)| path.as_str()).collect())
        }
        _ => (None, Vec::new()),
    };
    JsonChange {
        path: path.as_str(),
        root: root(scope),
        action: match &change.action {
            Action::Conflict(_) => "conflict",
            other => action(other),
        },
        from: from(path, change).map(RelPath::as_str),
        reason: change.reason.words(told.cause()),
        reason_code: change.reason.code(),
        cause: told.cause().code(),
        places,
        beside,
    }
}

/// Where a command is to be run, below the repository's root or, for an app that is it, below the app.
fn below(told: &Told<'_>, todo: &Todo) -> String {
    let app_dir = told.app_dir.filter(|_| todo.scope == Scope::App).map(RelPath::as_str);
    [app_dir, todo.directory.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("/")
}

#[derive(Serialize)]
struct Abort<'a> {
    format: u32,
    command: &'static str,
    path: &'a str,
    files: &'a [String],
    backup: Option<JsonBackup<'a>>,
}

/// An upgrade that was undone.
#[must_use]
pub fn aborted(shown: &str, paths: &[String], backup: Option<&Backup>) -> String {
    let backup = backup.map(JsonBackup::of);
    render(&Abort { format: FORMAT, command: "abort", path: shown, files: paths, backup })
}
