//! `create-app completions`: the completion script for a shell.

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::Outcome;
use crate::cli::Cli;
use crate::diagnostic::Result;
use crate::report;

const NAME: &str = "create-app";

/// Prints the completion script of a shell.
///
/// # Errors
///
/// When it cannot be printed.
pub(super) fn run(shell: Shell) -> Result<Outcome> {
    report::result(&script(shell)).map(|()| Outcome::Clean)
}

fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Fish => fish(),
        shell => generated(shell, NAME),
    }
}

/// clap_complete spells a name with a dash in two ways in bash's script, and then finds no option of a subcommand. So the
/// functions get a name without one, and only the line that registers them has the real one.
fn bash() -> String {
    const WITHOUT_DASH: &str = "create_app";
    let script = generated(Shell::Bash, WITHOUT_DASH);
    let register = |line: &str| match line.strip_suffix(WITHOUT_DASH) {
        Some(start) if start.trim_start().starts_with("complete ") => format!("{start}{NAME}\n"),
        _ => format!("{line}\n"),
    };
    script.lines().map(register).collect()
}

/// clap_complete leaves out the values of what is not an option: the name of a shell, or of a command.
fn fish() -> String {
    let mut script = generated(Shell::Fish, NAME);
    for command in commands().get_subcommands() {
        let values = command.get_positionals().flat_map(Arg::get_possible_values);
        let values: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        if !values.is_empty() {
            let (name, values) = (command.get_name(), values.join(" "));
            let line =
                format!("complete -c {NAME} -n \"__fish_create_app_using_subcommand {name}\" -f -a \"{values}\"\n");
            script.push_str(&line);
        }
    }
    script
}

fn generated(shell: Shell, name: &str) -> String {
    let mut script = Vec::new();
    generate(shell, &mut commands(), name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The commands without the short form of `new`: where a path may come first, zsh completes nothing but paths.
fn commands() -> Command {
    let full = Cli::command();
    let about = full.get_about().cloned().unwrap_or_default();
    Command::new(NAME)
        .about(about)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .args(full.get_arguments().filter(|argument| argument.is_global_set()).cloned())
        .subcommands(full.get_subcommands().cloned())
}
