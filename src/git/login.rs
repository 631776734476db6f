//! The command line's settings for how git connects to other machines.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::settings::setting;
use crate::diagnostic::{Code, Diagnostic, Result};

/// The command line's settings for fetching, instead of the user's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// A private key for ssh.
    pub identity: Option<PathBuf>,
    /// A configuration file of git, in place of the user's.
    pub configuration: Option<PathBuf>,
}

impl Login {
    /// The user's own settings alone.
    pub const OWN: &'static Self = &Self { identity: None, configuration: None };

    /// What was named; `~/` and `$HOME/` are the user's directory, as with cargo-generate.
    ///
    /// # Errors
    ///
    /// If a file is not there.
    pub fn new(identity: Option<&Path>, configuration: Option<&Path>) -> Result<Self> {
        let found = |option: &str, path: &Path| {
            let path = expanded(path);
            // Git runs in another directory.
            match std::path::absolute(&path) {
                Ok(absolute) if absolute.is_file() => Ok(absolute),
                _ => {
                    let title = format!("path does not exist: {}", path.display());
                    Err(Diagnostic::error(Code::SourceInvalid, title)
                        .help(format!("pass an existing file with {option}")))
                }
            }
        };
        Ok(Self {
            identity: identity.map(|path| found("--identity", path)).transpose()?,
            configuration: configuration.map(|path| found("--gitconfig", path)).transpose()?,
        })
    }

    /// Tells git. Where nobody is asked, ssh asks nobody either.
    pub(super) fn apply(&self, command: &mut Command, asks: bool) {
        if let Some(file) = &self.configuration {
            command.env("GIT_CONFIG_GLOBAL", file);
        }
        if let Some(ssh) = ssh(self, asks) {
            command.env("GIT_SSH_COMMAND", ssh);
        }
    }
}

/// The command that git runs for ssh; `None` if its own choice is right.
fn ssh(login: &Login, asks: bool) -> Option<OsString> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = || set("GIT_SSH_COMMAND").or_else(|| setting("core.sshCommand").map(OsString::from));
    let Some(identity) = &login.identity else {
        // A question of ssh's would hold everything up; who has a command of their own has seen to that.
        return (!asks && own().is_none() && set("GIT_SSH").is_none()).then(|| "ssh -o BatchMode=yes".into());
    };
    let mut command = own().unwrap_or_else(|| "ssh".into());
    command.push(" -i ");
    command.push(quoted(identity));
    command.push(" -o IdentitiesOnly=yes");
    if !asks {
        command.push(" -o BatchMode=yes");
    }
    Some(command)
}

/// A path as one word for the shell that git runs ssh with.
fn quoted(path: &Path) -> OsString {
    let mut word = OsString::from("'");
    let text = path.to_string_lossy();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    word.push(text.replace('\'', "'\\''"));
    word.push("'");
    word
}

/// With the user's directory in place of `~` or `$HOME` at the start.
fn expanded(path: &Path) -> PathBuf {
    let rest = ["~", "$HOME"].iter().find_map(|start| path.strip_prefix(start).ok());
    rest.and_then(|rest| Some(etcetera::home_dir().ok()?.join(rest))).unwrap_or_else(|| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word_whatever_its_name_is() {
        let login = |name: &str| Login { identity: Some(name.into()), configuration: None };
        let ends = |name: &str, asks| ssh(&login(name), asks).unwrap().into_string().unwrap();
        assert!(ends("/a b/k", true).ends_with(" -i '/a b/k' -o IdentitiesOnly=yes"));
        assert!(
            ends("/k'; touch x #", false).ends_with(" -i '/k'\\''; touch x #' -o IdentitiesOnly=yes -o BatchMode=yes")
        );
    }

    #[test]
    fn a_key_that_is_not_there_is_an_error() {
        let problem = Login::new(Some(Path::new("id_foobarbak")), None).unwrap_err().0.remove(0);
        assert_eq!(problem.title, "path does not exist: id_foobarbak");
        let home = expanded(Path::new("~/k"));
        assert!(home.is_absolute() && home == expanded(Path::new("$HOME/k")));
        assert_eq!(expanded(Path::new("~ann/k")), Path::new("~ann/k"));
    }
}
