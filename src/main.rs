//! The `create-app` command.

use std::process::ExitCode;

use clap::Parser;
use create_app::cli::Cli;
use create_app::{commands, report};

fn main() -> ExitCode {
    let first = std::env::args_os().nth(1);
    let outcome = match Cli::refuse_slip(first.as_deref()).and_then(|()| Cli::try_parse()) {
        Ok(cli) => commands::run(cli).map(ExitCode::from),
        Err(said) => report::usage(&said).map(|()| ExitCode::from(if said.use_stderr() { 2 } else { 0 })),
    };
    outcome.unwrap_or_else(|problems| {
        report::diagnostics(&problems.0);
        ExitCode::from(2)
    })
}
