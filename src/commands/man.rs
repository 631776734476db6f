//! `create-app man`: the manual, a page for each command.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::Outcome;
use crate::cli::Cli;
use crate::diagnostic::{Diagnostic, Result};
use crate::report;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Prints the page of a command, or the one of `create-app` itself.
///
/// # Errors
///
/// When it cannot be printed.
pub(super) fn run(name: Option<&str>) -> Result<Outcome> {
    // The page names a page for each command, and `help` has none.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let page = name.and_then(|name| command.find_subcommand(name)).unwrap_or(&command).clone();
    let mut text = Vec::new();
    let rendered = Man::new(page.version(VERSION)).source(format!("create-app {VERSION}")).render(&mut text);
    rendered.map_err(|error| Diagnostic::io("cannot print", Path::new("the manual page"), &error))?;
    report::result(&String::from_utf8_lossy(&text)).map(|()| Outcome::Clean)
}
