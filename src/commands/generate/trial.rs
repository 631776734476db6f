//! `create-app generate --test`: a temporary project from the template, for one command.

use std::ffi::OsString;
use std::process::Command;

use crate::cli::{NewArgs, Vcs};
use crate::commands::{Outcome, new};
use crate::diagnostic::{Code, Diagnostic, Facts, Result};
use crate::interrupt::Watch;
use crate::process;
use crate::report;

/// The variable that has another command than `cargo test`.
const COMMAND: &str = "CARGO_GENERATE_TEST_CMD";
/// The name of a project that has none.
const NAME: &str = "create-app-test";

/// Makes a project in a temporary directory, and runs the user's command in it.
///
/// # Errors
///
/// As for `new`, and if the command cannot be started.
pub(super) fn run(args: NewArgs, arguments: &[OsString]) -> Result<Outcome> {
    let failed = |error: &std::io::Error| Diagnostic::io("cannot write to", &std::env::temp_dir(), error);
    let directory = process::place().map_err(|error| failed(&error))?;
    let name = args.name.clone().unwrap_or_else(|| NAME.to_owned());
    let args = NewArgs {
        // A name may be a path, too; the project is made below the directory whatever it is called.
        path: Some(directory.path().join(NAME)),
        name: Some(name),
        destination: None,
        vcs: Some(Vcs::None),
        force_git_init: false,
        no_workspace: true,
        fleeting: true,
        ..args
    };
    let (outcome, app) = new::made(&args, new::Typed::InFull)?;
    let Some(app) = app else { return Ok(outcome) };
    let typed = std::env::var(COMMAND).unwrap_or_default();
    let mut words = typed.split_whitespace();
    let (program, rest) = words.next().map_or(("cargo", vec!["test"]), |program| (program, words.collect()));
    report::status(&format!("Running `{}` ...", [&[program][..], &rest].concat().join(" ")));
    // The directory goes with the end of this, also where that is by Ctrl-C.
    let _watch = Watch::new();
    let status = Command::new(program).args(rest).args(arguments).current_dir(&app).status();
    let status = status.map_err(|error| {
        Diagnostic::error(Code::CommandFailed, format!("cannot run `{program}`: {error}"))
            .about(Facts::Command { command: program.to_owned(), reason: error.to_string() })
            .help(format!("install it, or name another command in {COMMAND}"))
    })?;
    if status.success() {
        report::closing("Done! The tests of the project passed")?;
        return Ok(Outcome::Clean);
    }
    report::status("Testing failed");
    Ok(Outcome::Differences)
}
