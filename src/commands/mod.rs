//! The commands, each as its pipeline.

mod adoption;
mod check;
mod completions;
mod diff;
mod favorites;
mod generate;
mod interrupted;
mod man;
mod migrating;
mod new;
mod origin;
mod pipeline;
mod prospect;
mod summary;
mod test;
mod upgrade;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::diagnostic::{Diagnostic, Diagnostics, Result, Severity};
use crate::{report, trace};

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do.
    Clean,
    /// There are differences or conflicts.
    Differences,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Clean => Self::SUCCESS,
            Outcome::Differences => Self::from(1),
        }
    }
}

/// Runs the command that was typed.
///
/// # Errors
///
/// Everything that stopped it.
pub fn run(cli: Cli) -> Result<Outcome> {
    report::configure(cli.output.quiet, cli.output.color);
    report::for_programs(cli.is_for_programs());
    if cli.output.verbose || wants_log() {
        trace::listen(report::trace);
    }
    let _stage = trace::stage("the command");
    match cli.command {
        None => new::run(&favorites::applied(cli.new.into())?, new::Typed::Short),
        Some(Command::New(args)) => new::run(&favorites::applied(args.into())?, new::Typed::InFull),
        Some(Command::Generate(args)) => generate::run(args),
        Some(Command::Upgrade(args)) => upgrade::run(&args),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Test(args)) => test::run(&args),
        Some(Command::Completions { shell }) => completions::run(shell),
        Some(Command::Man { command }) => man::run(command.as_deref()),
    }
}

/// Whether `CREATE_APP_LOG` asks for what `--verbose` does.
fn wants_log() -> bool {
    std::env::var_os("CREATE_APP_LOG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Shows warnings, or makes errors of them.
fn warn(warnings: Vec<Diagnostic>, strict: bool) -> Result<()> {
    if strict && !warnings.is_empty() {
        let errors = warnings.into_iter().map(|warning| Diagnostic { severity: Severity::Error, ..warning });
        return Err(Diagnostics(errors.collect()));
    }
    report::diagnostics(&warnings);
    Ok(())
}

/// Makes warnings of what failed when everything was written already: the exit code says what was done.
fn warn_after_the_fact(result: Result<()>, help: &str) {
    if let Err(problems) = result {
        let warning = |it: Diagnostic| Diagnostic { severity: Severity::Warning, ..it }.help(help);
        report::diagnostics(&problems.0.into_iter().map(warning).collect::<Vec<_>>());
    }
}

/// How a command ends. Where something was changed, what failed is shown, but the exit code 2 means that nothing was written.
fn concluded(result: Result<Outcome>, has_written: bool) -> Result<Outcome> {
    match result {
        Err(problems) if has_written => {
            report::diagnostics(&problems.0);
            Ok(Outcome::Differences)
        }
        result => result,
    }
}
