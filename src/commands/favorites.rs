//! The user's configuration of cargo-generate: where it is, and its settings for a new project.

use std::path::{Path, PathBuf};

use super::Outcome;
use super::pipeline::inputs;
use crate::answers::configuration::{self, Configuration};
use crate::cli::NewArgs;
use crate::credentials::without_credentials;
use crate::diagnostic::{Code, Diagnostic, Result, listed, nearest};
use crate::report;
use crate::terminal::escape_control;

/// Reads the configuration that the command line names, else the one of the user, if there is one.
///
/// # Errors
///
/// If it cannot be read, or is not a configuration.
pub(super) fn read(named: Option<&Path>) -> Result<Configuration> {
    let Some(path) = named.map(Path::to_path_buf).or_else(of_the_user) else { return Ok(Configuration::default()) };
    let text = inputs::named_text(&path, "configuration", Code::Configuration)?;
    configuration::read(&path.to_string_lossy(), &text)
}

/// `cargo-generate.toml`, else `cargo-generate`, in cargo's directory.
fn of_the_user() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").filter(|directory| !directory.is_empty()).map(PathBuf::from);
    let directory = set.or_else(|| etcetera::home_dir().ok().map(|home| home.join(".cargo")))?;
    ["cargo-generate.toml", "cargo-generate"].map(|name| directory.join(name)).into_iter().find(|path| path.is_file())
}

/// Adds what the configuration gives to every project: values, and a key for ssh.
pub(super) fn apply(configuration: Configuration, args: &mut NewArgs) {
    let own = std::mem::take(&mut args.defaults);
    args.defaults = configuration.values;
    args.defaults.extend(own);
    if args.source.identity.is_none() {
        args.source.identity = configuration.identity.map(PathBuf::from);
    }
}

/// The arguments of `create-app new`, with the values of the configuration where the command line says that there is a template for it.
///
/// # Errors
///
/// As [`read`], and if there is no such favorite.
pub(super) fn applied(mut args: NewArgs) -> Result<NewArgs> {
    let is_embedded = args.source.embedded || !args.source.is_given();
    if is_embedded && args.favorite.is_none() && args.config.is_none() {
        return Ok(args);
    }
    let configuration = read(args.config.as_deref())?;
    if let Some(name) = args.favorite.take() {
        let favorite = configuration.favorites.get(&name).ok_or_else(|| {
            let known = || configuration.favorites.keys().map(String::as_str);
            let help = match nearest(&name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if configuration.favorites.is_empty() => {
                    "the configuration has no favorites; pass the template with --git or --path".to_owned()
                }
                None => format!("there are {}", listed(known())),
            };
            Diagnostic::error(
                Code::SourceInvalid,
                format!("there is no favorite `{}`", escape_control(&without_credentials(&name))),
            )
            .help(help)
        })?;
        args.prefer(favorite);
    }
    apply(configuration, &mut args);
    Ok(args)
}

/// Lists the favorites that start with `prefix`, each with its description.
///
/// # Errors
///
/// As [`read`].
pub(super) fn list(named: Option<&Path>, prefix: &str) -> Result<Outcome> {
    let configuration = read(named)?;
    let favorites: Vec<_> = configuration.favorites.iter().filter(|(name, _)| name.starts_with(prefix)).collect();
    if favorites.is_empty() {
        report::status("No favorites defined");
        return Ok(Outcome::Clean);
    }
    let width = favorites.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default() + 2;
    for (name, favorite) in favorites {
        let description = favorite.description.as_deref().unwrap_or("no description");
        report::line(&format!("  {:width$}{}", escape_control(name), escape_control(description)))?;
    }
    Ok(Outcome::Clean)
}
