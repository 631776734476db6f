//! An upgrade, for programs.

use serde::Serialize;

use super::{Told, action, from};
use crate::answers::placeholder::Answer;
use crate::migrations::Action as Migration;
use crate::plan::{Action, Change, Todo};
use crate::report::check::JsonProblem;
use crate::report::{self, JsonTemplate};
use crate::tree::RelPath;
use crate::workspace::Backup;

/// The version of the JSON.
const FORMAT: u32 = 1;

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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    migrations: Vec<JsonMigration<'a>>,
    answers: Vec<JsonAnswer<'a>>,
    changes: Vec<JsonChange<'a>>,
    notes: Vec<JsonNote<'a>>,
    backup: Option<JsonBackup<'a>>,
    commands: Vec<JsonCommand>,
    commit: Option<JsonCommit<'a>>,
    problems: Vec<JsonProblem<'a>>,
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
    Run { command: &'a str },
}

/// An answer that changes.
#[derive(Serialize)]
struct JsonAnswer<'a> {
    name: &'a str,
    before: Option<String>,
    after: Option<String>,
    /// What told it, of a project that is adopted.
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
    places: Option<usize>,
    beside: Vec<&'a str>,
}

#[derive(Serialize)]
struct JsonNote<'a> {
    path: &'a str,
    text: String,
}

#[derive(Serialize)]
pub(super) struct JsonBackup<'a> {
    directory: String,
    files: Vec<&'a str>,
}

impl<'a> JsonBackup<'a> {
    pub(super) fn of(backup: &'a Backup) -> Self {
        let files = backup.copies.iter().map(|copy| copy.name.as_str()).collect();
        Self { directory: backup.directory(), files }
    }
}

/// What is to be committed, below the repository's root, and with which message.
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

/// Everything, for programs.
#[must_use]
pub fn json(command: &str, told: &Told<'_>) -> String {
    let notes = told.plan.notes.iter();
    let commands = told.commands().into_iter();
    report::json(&Json {
        format: FORMAT,
        command,
        path: &told.shown,
        app_dir: told.app_dir.map(RelPath::as_str),
        changed: told.changed,
        conflicts: told.conflicted().count(),
        before: told.before.map(|lock| &lock.template).or(told.made_from).map(JsonTemplate::of),
        after: JsonTemplate::of(&told.lock.template),
        migrations: told.migrated.iter().map(json_migration).collect(),
        answers: told.answers().into_iter().map(|answer| json_answer(told, answer)).collect(),
        changes: told.changes().map(|change| json_change(told, change)).collect(),
        notes: notes.map(|note| JsonNote { path: note.path.as_str(), text: note.subject.to_string() }).collect(),
        backup: told.backup.map(JsonBackup::of),
        commands: commands
            .map(|todo| JsonCommand { directory: below(told, &todo), run: todo.install.command() })
            .collect(),
        commit: told.to_commit.filter(|_| told.changed).map(|what| JsonCommit {
            paths: &what.paths,
            sparse: what.is_left_out,
            message: super::next::message(told),
        }),
        problems: told.unresolved.iter().map(JsonProblem::of).collect(),
    })
}

fn json_migration((version, step): &(String, Migration)) -> JsonMigration<'_> {
    let step = match step {
        Migration::Rename(rename) => JsonStep::Rename { from: rename.from(), to: rename.to() },
        Migration::RenameAnswer { from, to } => JsonStep::RenameAnswer { from, to },
        Migration::SetAnswer { name, .. } => JsonStep::SetAnswer { name },
        Migration::DeleteAnswer(name) => JsonStep::DeleteAnswer { name },
        Migration::Note(text) => JsonStep::Note { text },
        Migration::Run(command) => JsonStep::Run { command },
    };
    JsonMigration { version, step }
}

fn json_answer<'a>(told: &'a Told<'_>, (name, values): (&'a str, [Option<&Answer>; 2])) -> JsonAnswer<'a> {
    let shown = |_: &&Answer| !told.secret.contains(name);
    let [before, after] = values.map(|value| value.filter(shown).map(ToString::to_string));
    let from = told.inferred.get(name).map(String::as_str);
    JsonAnswer { name, before, after, from }
}

fn json_change<'a>(told: &Told<'_>, (repository, path, change): (bool, &'a RelPath, &'a Change)) -> JsonChange<'a> {
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
        reason: change.reason.words(told.cause()),
        places,
        beside,
    }
}

/// Where a command is to be run, below the repository's root or, for an app that is it, below the app.
fn below(told: &Told<'_>, todo: &Todo) -> String {
    let app_dir = told.app_dir.filter(|_| !todo.repository).map(RelPath::as_str);
    [app_dir, todo.directory.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("/")
}
