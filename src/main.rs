//! The `create-app` command.

use std::process::ExitCode;

use create_app::cli::Cli;
use create_app::{commands, interrupt, report};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let outcome = match Cli::read(&words) {
        Ok(cli) => commands::run(cli).map(ExitCode::from),
        Err(said) => {
            report::for_programs(words.iter().any(|word| word == "--json"));
            report::usage(&said).map(|()| ExitCode::from(if said.use_stderr() { 2 } else { 0 }))
        }
    };
    let code = outcome.unwrap_or_else(|problems| {
        report::diagnostics(&problems.0);
        ExitCode::from(2)
    });
    interrupt::end_as_asked();
    code
}
