//! The commands of a template's migrations: with consent, they run before the merge, in a copy of the project's files.

use std::path::Path;
use std::sync::Arc;

use crate::answers::prompt;
use crate::cli::CommandArgs;
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::hooks::run_in_copy;
use crate::manifest::Action;
use crate::manifest::{Manifest, Renamed};
use crate::migrations::{Migrated, Taken};
use crate::plan::{Edits, edits};
use crate::report;
use crate::terminal::{beginning, escape_control};
use crate::tree::{Entry, RelPath, Tree};

/// At most this many lines of what a command prints are shown.
const SHOWN: usize = 40;
/// At most this many characters of a line are shown.
const WIDTH: usize = 300;

/// Runs the commands that were agreed to, one after the other, in a copy of `files`; `read` reads what one left of the files that it is
/// given. Marks each that has run. Returns what they changed.
///
/// # Errors
///
/// If a command fails, and if the files cannot be read; nothing is kept of what any of them did.
pub(super) fn run(
    migrated: &mut Migrated,
    manifest: &Manifest,
    (args, may_ask): (&CommandArgs, bool),
    files: impl FnOnce() -> Result<Tree>,
    read: impl Fn(&Path, &Tree) -> std::result::Result<Tree, String>,
) -> Result<Edits> {
    let mut files = Some(files);
    let mut states: Option<[Tree; 2]> = None;
    for (at, renamed) in &migrated.commands {
        let Some(taken @ Taken { action: Action::Run(command), .. }) = migrated.steps.get(*at) else { continue };
        if !is_agreed(taken, command, args, may_ask)? {
            continue;
        }
        let [before, now] = match (states.take(), files.take()) {
            (Some(states), _) => states,
            (None, Some(files)) => {
                let files = files()?;
                [files.clone(), files]
            }
            (None, None) => return Ok(Edits::new()),
        };
        let (there, moved) = with_new_names(now, renamed);
        report::status(&format!("Running `{}`", escape_control(command)));
        let ran = run_in_copy(command, &there, args.timeout(), |directory| read(directory, &there));
        let (said, after) = ran.map_err(|reason| {
            let place = Place::new(&manifest.name, Arc::clone(&manifest.text), taken.span.clone());
            Diagnostic::error(Code::CommandFailed, format!("the command `{}` {reason}", beginning(command, WIDTH)))
                .at(place, "this step of a migration")
                .help("nothing was written; without --allow-commands, the upgrade leaves the command to you")
        })?;
        said.lines()
            .take(SHOWN)
            .for_each(|line| report::status(&format!("  {}", escape_control(&beginning(line, WIDTH)))));
        states = Some([before, with_old_names(after, &moved)]);
        if let Some(taken) = migrated.steps.get_mut(*at) {
            taken.is_done = true;
        }
    }
    Ok(states.map_or_else(Edits::new, |[before, now]| edits(&before, &now)))
}

fn is_agreed(taken: &Taken, command: &str, args: &CommandArgs, may_ask: bool) -> Result<bool> {
    if args.allow_commands || !may_ask {
        return Ok(args.allow_commands);
    }
    let (version, command) = (escape_control(&taken.version), escape_control(command));
    let question = format!(
        "The template's migration to {version} wants to run this command, in a copy of your files, before the merge:\n{command}\nRun it?"
    );
    prompt::confirm(&question, false)
}

/// The files by the names that earlier steps gave them, where those are free; and which have another name.
fn with_new_names(mut files: Tree, renamed: &[Renamed]) -> (Tree, Vec<(RelPath, RelPath)>) {
    let pairs = renamed.iter().filter_map(|it| Some((RelPath::new(&it.from).ok()?, RelPath::new(&it.to).ok()?)));
    let taken: Vec<_> = pairs.filter_map(|(from, to)| Some((files.remove(&from)?, from, to))).collect();
    let mut moved = Vec::new();
    for (entry, from, to) in taken {
        match is_free(&files, &to) {
            true => {
                files.insert(to.clone(), entry);
                moved.push((from, to));
            }
            false => drop(files.insert(from, entry)),
        }
    }
    (files, moved)
}

/// The reverse: the merge itself gives the files their new names.
fn with_old_names(mut files: Tree, moved: &[(RelPath, RelPath)]) -> Tree {
    let taken: Vec<_> = moved.iter().filter_map(|(from, to)| Some((files.remove(to)?, from, to))).collect();
    for (entry, from, to) in taken {
        let name = if is_free(&files, from) { from } else { to };
        files.insert(name.clone(), entry);
    }
    files
}

/// Whether a file can be put at a path: it is not a directory, and no file is in its way.
fn is_free(files: &Tree, path: &RelPath) -> bool {
    let is_file = |above: &str| RelPath::new(above).is_ok_and(|above| files.contains_key(&above));
    let below = format!("{path}/");
    let is_directory = || {
        let mut after = files.range(path.clone()..).skip_while(|(other, _)| other.as_str() < below.as_str());
        after.next().is_some_and(|(other, _)| other.as_str().starts_with(&below))
    };
    !files.contains_key(path) && !path.ancestors().any(is_file) && !is_directory()
}

/// Lets files be what is said of each: an entry, or nothing.
pub(super) fn put<'e>(files: &mut Tree, entries: impl Iterator<Item = (&'e RelPath, Option<&'e Entry>)>) {
    for (path, entry) in entries {
        match entry {
            Some(entry) => files.insert(path.clone(), entry.clone()),
            None => files.remove(path),
        };
    }
}
