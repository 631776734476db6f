//! Programs of the tests, and what they see of the environment of whoever runs the tests.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

/// What git reads instead of the user's and the system's settings.
const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// The variables of this process that create-app, cargo-generate or git would read.
pub(crate) fn inherited() -> Vec<OsString> {
    const NAMES: &[&str] = &["CARGO_NAME", "CARGO_EMAIL", "CLICOLOR", "CLICOLOR_FORCE", "CREATE_APP_LOG"];
    let is_read = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_GENERATE_") || name.starts_with("GIT_") || NAMES.contains(&&*name)
    };
    std::env::vars_os().map(|(name, _)| name).filter(is_read).collect()
}

/// A program that sees none of the user's own values, names, colours and git settings, and nothing to read.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for name in inherited() {
        command.env_remove(name);
    }
    command.env("CREATE_APP_STATE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("state"));
    // No configuration of cargo-generate.
    command.env("CARGO_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cargo-home"));
    command.env("NO_COLOR", "1").env("GIT_CONFIG_GLOBAL", NOWHERE).env("GIT_CONFIG_SYSTEM", NOWHERE);
    command
}

/// The built create-app, in the same way.
pub(crate) fn create_app() -> Command {
    command(env!("CARGO_BIN_EXE_create-app"))
}
