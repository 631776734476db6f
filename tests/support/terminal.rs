//! A program at a terminal that nobody types at.

use std::io::Read as _;
use std::path::Path;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// Runs create-app in a directory with nothing but these variables; returns what was on the screen.
pub(crate) fn create_app(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let pty = native_pty_system().openpty(PtySize { rows: 30, cols: 120, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_create-app"));
    command.args(arguments);
    command.cwd(directory);
    command.env_clear();
    command.env("PATH", std::env::var("PATH").unwrap());
    command.env("TERM", "xterm");
    variables.iter().for_each(|(name, value)| command.env(name, value));
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut shown = Vec::new();
    // A terminal that is gone is an error on some systems.
    drop(reader.read_to_end(&mut shown));
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}
