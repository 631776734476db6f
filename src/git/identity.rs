//! Who the user is.

use std::path::Path;

use super::command::{git, outside};
use super::repository::find_repository;
use super::run::{ask, lossy};

/// Who the user is, for the built-in variables `authors` and `username`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user's name.
    pub name: Option<String>,
    /// The user's mail address.
    pub email: Option<String>,
}

impl Identity {
    /// Asks the environment and then git, in cargo-generate's order. Runs git only where the environment leaves a
    /// question open, which takes some milliseconds: call it only when a template wants to know.
    ///
    /// A git that is missing or fails has no answer; that is not an error.
    #[must_use]
    pub fn find(directory: &Path) -> Self {
        let environment = |name: &str| std::env::var(name).ok();
        Self::from(&environment, || user_settings(directory))
    }

    fn from(environment: &dyn Fn(&str) -> Option<String>, settings: impl FnOnce() -> Self) -> Self {
        let first = |names: &[&str]| {
            let values = names.iter().filter_map(|name| environment(name));
            values.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
        };
        let name = first(&["CARGO_NAME", "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"]);
        let email = first(&["CARGO_EMAIL", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"]);
        let settings = if name.is_some() && email.is_some() { Self::default() } else { settings() };
        let email = email.or(settings.email).or_else(|| first(&["EMAIL"]));
        Self {
            name: name.or(settings.name).or_else(|| first(&["USER", "USERNAME", "NAME"])),
            email: email.map(|email| email.trim_start_matches('<').trim_end_matches('>').to_owned()),
        }
    }
}

/// `user.name` and `user.email` as they hold in `directory`; the last value of each wins, as everywhere in git.
///
/// A new project's directory is not there yet: what holds around it will hold in it.
fn user_settings(directory: &Path) -> Identity {
    let Some(existing) = directory.ancestors().find(|ancestor| ancestor.is_dir()) else { return Identity::default() };
    let root = std::path::absolute(existing).ok().and_then(|existing| find_repository(&existing));
    let mut command = root.map_or_else(|| outside(existing), |root| git(&root));
    command.args(["config", "-z", "--get-regexp", r"^user\.(name|email)$"]);
    let Ok(output) = ask(&mut command, &[]) else { return Identity::default() };
    let mut identity = Identity::default();
    for entry in output.stdout.split(|byte| *byte == 0).map(lossy) {
        let Some((key, value)) = entry.split_once('\n') else { continue };
        let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match key {
            "user.name" => identity.name = value,
            "user.email" => identity.email = value,
            _ => {}
        }
    }
    identity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::{repository, write};

    fn identity(environment: &[(&str, &str)], settings: (&str, &str)) -> Identity {
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Identity::from(&lookup, || Identity { name: some(settings.0), email: some(settings.1) })
    }

    #[test]
    fn the_user_is_named_in_cargo_generates_order() {
        let author = |environment: &[(&str, &str)], settings| {
            let Identity { name, email } = identity(environment, settings);
            format!("{} <{}>", name.unwrap_or_default(), email.unwrap_or_default())
        };
        let git = ("Git", "git@x");
        assert_eq!(author(&[("CARGO_NAME", "Cargo"), ("GIT_AUTHOR_NAME", "A")], git), "Cargo <git@x>");
        assert_eq!(author(&[("GIT_COMMITTER_NAME", "C"), ("USER", "u")], git), "C <git@x>");
        assert_eq!(author(&[("USER", "u"), ("EMAIL", "u@x")], git), "Git <git@x>");
        assert_eq!(author(&[("USER", "u"), ("EMAIL", " <u@x> ")], ("", "")), "u <u@x>");
        assert_eq!(author(&[("CARGO_NAME", " "), ("NAME", "n")], ("", "")), "n <>");
        assert_eq!(author(&[("EMAIL", "e@x")], ("", "")), " <e@x>");
    }

    #[test]
    fn git_is_not_asked_when_the_environment_knows() {
        let environment = |name: &str| Some(name.to_lowercase());
        let identity = Identity::from(&environment, || panic!("not needed"));
        let expected = Identity { name: Some("cargo_name".into()), email: Some("cargo_email".into()) };
        assert_eq!(identity, expected);
    }

    #[test]
    fn the_settings_of_a_repository_are_read() {
        let directory = repository();
        let config = directory.path().join(".git/config");
        let text = fs_err::read_to_string(&config).unwrap();
        write(&config, format!("{text}[user]\n\tname = Grace \\\"H\\\"\n\temail = g@navy\n\temail = grace@navy\n"));
        let expected = Identity { name: Some("Grace \"H\"".into()), email: Some("grace@navy".into()) };
        assert_eq!(user_settings(directory.path()), expected);
        assert_eq!(user_settings(&directory.path().join("not/made/yet")), expected);
    }
}
