//! Reads a command line, and explains mistakes in it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, ValueEnum as _};

use super::{Cli, Colour, Command};
use crate::credentials::without_credentials;

/// Other tools' names for a command, and which of ours does the same, if any.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("add", ""),
    ("adopt", "upgrade"),
    ("apply", "upgrade"),
    ("build", ""),
    ("config", ""),
    ("copy", "new"),
    ("create", "new"),
    ("deploy", ""),
    ("destroy", ""),
    ("dev", ""),
    ("doctor", "check"),
    ("info", "check"),
    ("init", "new"),
    ("install", ""),
    ("link", "upgrade"),
    ("lint", "test"),
    ("list", ""),
    ("login", ""),
    ("logout", ""),
    ("publish", ""),
    ("recopy", "upgrade"),
    ("remove", ""),
    ("rollback", ""),
    ("run", ""),
    ("search", ""),
    ("show", "diff"),
    ("start", ""),
    ("status", "check"),
    ("sync", "upgrade"),
    ("uninstall", ""),
    ("update", "upgrade"),
    ("validate", "check"),
    ("verify", "check"),
    ("version", "--version"),
];

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it; or holds what `--help` and `--version` ask for.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let words = &output_options_last(&without_cargo(words));
        Self::refuse_slip(words.get(1).map(OsString::as_os_str))?;
        let mut read = Self::command()
            .color(colour(words).into())
            .try_get_matches_from(words)
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| Self::without_value(words, Self::without_credentials(error)))?;
        let verbose = read.output.verbose;
        match &mut read.command {
            Some(Command::New(args)) => args.new.verbose = verbose,
            Some(Command::Generate(args)) => {
                args.new.verbose = verbose;
                args.perhaps_values = perhaps_values(words);
            }
            _ => read.new.new.verbose = verbose,
        }
        match &read.new.path {
            Some(path) if read.command.is_none() => Self::refuse_late_command(path).map(|()| read),
            _ => Ok(read),
        }
    }

    /// Quotes an address, such as one that is where none is expected, without its credentials.
    fn without_credentials(mut error: clap::Error) -> clap::Error {
        for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
            if let Some(ContextValue::String(text)) = error.get(kind)
                && text.contains("://")
            {
                let text = without_credentials(text).into_owned();
                error.insert(kind, ContextValue::String(text));
            }
        }
        error
    }

    /// Does not quote an argument that may be the value of a `-d NAME VALUE`, and a secret.
    fn without_value(words: &[OsString], error: clap::Error) -> clap::Error {
        let said = error.to_string();
        if !error.use_stderr() || !perhaps_values(words).iter().any(|value| said.contains(value)) {
            return error;
        }
        let title = "the value of -d is not NAME=VALUE, and another argument is too many";
        Self::command().error(ErrorKind::UnknownArgument, format!("{title}\n\n  tip: write -d NAME=VALUE as one word"))
    }

    /// Refuses a command that is after an option, where it would be the path of a project.
    fn refuse_late_command(path: &Path) -> Result<(), clap::Error> {
        let mut known = Self::command();
        known.build();
        if !known
            .get_subcommands()
            .any(|command| command.get_name_and_visible_aliases().iter().any(|name| path.as_os_str() == *name))
        {
            return Ok(());
        }
        let name = path.display();
        let title = format!("`{name}` is a command: put it before its options");
        let tip = format!("to create a project with this name, run `create-app new {name}` with these options");
        Err(known.error(ErrorKind::ArgumentConflict, format!("{title}\n\n  tip: {tip}")))
    }

    /// Refuses a first word that is almost that of a command, or that other tools have as a command: it would make a project of
    /// that name, which nobody meant.
    ///
    /// # Errors
    ///
    /// Names the command, if there is one, and how to make a project of such a name.
    fn refuse_slip(first: Option<&OsStr>) -> Result<(), clap::Error> {
        let Some(word) = first.and_then(OsStr::to_str) else { return Ok(()) };
        let mut known = Self::command();
        known.build();
        let names: Vec<&str> = known.get_subcommands().flat_map(clap::Command::get_name_and_visible_aliases).collect();
        if names.contains(&word) {
            return Ok(());
        }
        let nearest = names.iter().map(|name| (strsim::osa_distance(word, name), *name)).min();
        let slip = nearest.filter(|(distance, near)| *distance <= near.len() / 3).map(|(_, near)| near);
        let other = OTHER_WORDS.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours);
        let Some(near) = other.or(slip) else { return Ok(()) };
        let text = |text: &str| ContextValue::String(text.to_owned());
        let mut error = clap::Error::new(ErrorKind::InvalidSubcommand).with_cmd(&known);
        error.insert(ContextKind::InvalidSubcommand, text(word));
        let make = format!("to create a project with this name, run `create-app new {}`", crate::shell::word(word));
        let mut tips = vec![make.into()];
        match near {
            "" => {}
            option if option.starts_with('-') => tips.insert(0, format!("run `create-app {option}`").into()),
            command => drop(error.insert(ContextKind::SuggestedSubcommand, text(command))),
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        Err(error)
    }
}

/// The words that follow a `-d NAME` or `-d NAME=`: each may be a value, and a secret.
fn perhaps_values(words: &[OsString]) -> Vec<String> {
    let is_bare = |name: &str| !name.contains('=') || name.ends_with('=');
    // `-d NAME`, `-dNAME`, `-sdNAME` or `--define=NAME`.
    let attached = |option: &str| {
        let name = option.strip_prefix("--define=").map(str::to_owned);
        name.or_else(|| {
            let flags = option.strip_prefix('-').filter(|flags| !flags.starts_with('-'))?;
            flags.split_once('d').map(|(_, name)| name.to_owned())
        })
    };
    let texts: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let value = |at: usize| match attached(&texts[at]) {
        Some(name) if !name.is_empty() => is_bare(&name).then_some(at + 1),
        None if texts[at] != "--define" => None,
        _ => texts.get(at + 1).is_some_and(|name| is_bare(name)).then_some(at + 2),
    };
    let values = (0..texts.len()).filter_map(|at| texts.get(value(at)?));
    values
        .filter(|value| !value.is_empty() && !value.starts_with('-'))
        .map(|value| value.clone().into_owned())
        .collect()
}

/// Leaves out the word with which cargo starts a program of the name `cargo-create-app`.
fn without_cargo(words: &[OsString]) -> Vec<OsString> {
    let mut words = words.to_vec();
    let is_cargo =
        words.first().is_some_and(|program| Path::new(program).file_stem() == Some(OsStr::new("cargo-create-app")));
    if is_cargo && words.get(1).is_some_and(|word| word == "create-app") {
        words.remove(1);
    }
    words
}

/// Moves what says how to print from before the command, where git and others have it, to after its name.
fn output_options_last(words: &[OsString]) -> Vec<OsString> {
    let mut at = 1;
    while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
        at += match word {
            "--quiet" | "--verbose" | "-q" | "-v" => 1,
            "--color" => 2,
            _ if word.starts_with("--color=") => 1,
            _ => break,
        };
    }
    let mut moved = words.to_vec();
    if at > 1 && at < words.len() && !words[at].as_encoded_bytes().starts_with(b"-") {
        moved[1..=at].rotate_right(1);
    }
    moved
}

/// The colours that a command line asks for, also where the rest of it is wrong.
fn colour(words: &[OsString]) -> Colour {
    let next = words.iter().skip_while(|word| *word != "--color").nth(1).and_then(|word| word.to_str());
    let joined = words.iter().find_map(|word| word.to_str()?.strip_prefix("--color="));
    joined.or(next).and_then(|text| Colour::from_str(text, false).ok()).unwrap_or(Colour::Auto)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cli::PAGES;

    #[test]
    fn words_of_other_tools_make_no_project() {
        let read = |words: &[&str]| Cli::read(&words.iter().map(OsString::from).collect::<Vec<_>>());
        for (word, ours) in OTHER_WORDS {
            let said = read(&["create-app", word]).unwrap_err().to_string();
            assert!(said.contains(&format!("unrecognized subcommand '{word}'")), "{said}");
            assert!(said.contains(ours) && said.contains(&format!("run `create-app new {word}`")), "{said}");
            assert!(read(&["create-app", "new", word]).is_ok());
            assert!(ours.is_empty() || ours.starts_with('-') || PAGES.contains(ours), "{ours}");
        }
        assert!(read(&["create-app", "shop"]).is_ok() && read(&["create-app", "./list"]).is_ok());
    }

    #[test]
    fn cargo_may_start_it() {
        let read = |words: &[&str]| Cli::read(&words.iter().map(OsString::from).collect::<Vec<_>>());
        let cli = read(&["/x/cargo-create-app", "create-app", "generate", "t", "--quiet"]).unwrap();
        assert!(matches!(&cli.command, Some(Command::Generate(args)) if args.template.as_deref() == Some("t")));
        let cli = read(&["cargo-create-app", "generate", "t"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Generate(_))));
        assert!(read(&["create-app", "new", "shop", "--quiet", "--verbose"]).is_err());
    }

    #[test]
    fn options_of_the_output_may_come_before_the_command() {
        let read = |words: &[&str]| Cli::read(&words.iter().map(OsString::from).collect::<Vec<_>>());
        for options in [&["--quiet"][..], &["--color", "never"], &["--color=never", "--quiet"], &["-v"], &["--verbose"]]
        {
            let cli = read(&[&["create-app"], options, &["check", "a"]].concat()).unwrap();
            assert!(matches!(&cli.command, Some(Command::Check(args)) if args.paths == [PathBuf::from("a")]));
            assert_eq!(cli.output.quiet, options.contains(&"--quiet"));
            let is_plain = options.iter().any(|option| option.ends_with("never"));
            assert_eq!(cli.output.color == Colour::Never, is_plain);
            let cli = read(&[&["create-app"], options, &["shop"]].concat()).unwrap();
            assert!(cli.command.is_none() && cli.new.path == Some(PathBuf::from("shop")));
            let said = read(&[&["create-app"], options, &["list"]].concat()).unwrap_err().to_string();
            assert!(said.contains("run `create-app new list`"), "{said}");
        }
        for words in [&["create-app", "--color"][..], &["create-app", "--quiet"], &["create-app", "--color", "check"]] {
            assert!(read(words).is_err());
        }
        // What else is there is told as before.
        assert!(read(&["create-app", "--quiet", "--silent", "check"]).is_err());
    }
}
