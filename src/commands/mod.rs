//! The commands, each as its pipeline.

mod adoption;
mod check;
mod completions;
mod deciding;
mod diff;
mod hooking;
mod inputs;
mod interrupted;
mod man;
mod merging;
mod new;
mod origin;
mod prospect;
mod render;
mod suffix;
mod summary;
mod test;
mod upgrade;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::diagnostic::{Diagnostic, Diagnostics, Result, Severity};
use crate::report;

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
    match cli.command {
        None => new::run(&cli.new, new::Typed::Short),
        Some(Command::New(args)) => new::run(&args, new::Typed::InFull),
        Some(Command::Upgrade(args)) => upgrade::run(&args),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Test(args)) => test::run(&args),
        Some(Command::Completions { shell }) => completions::run(shell),
        Some(Command::Man { command }) => man::run(command.as_deref()),
    }
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
