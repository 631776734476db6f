//! The `create-app` command.

use std::process::ExitCode;

use clap::Parser;
use create_app::cli::Cli;
use create_app::{commands, report};

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(outcome) => outcome.into(),
        Err(problems) => {
            report::diagnostics(&problems.0);
            ExitCode::from(2)
        }
    }
}
