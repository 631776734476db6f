//! A pager, run as git runs one: by the shell, with git's settings for `less` and `lv` unless the user has their own.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Settings of pagers: to end where the text fits on the screen, to show colours, and not to clear the screen.
const SETTINGS: &[(&str, &str)] = &[("LESS", "FRX"), ("LV", "-c")];

/// The exit code of a shell that cannot run a command, or does not find it.
const CANNOT_RUN: [Option<i32>; 2] = [Some(126), Some(127)];

/// Shows a text with a pager, and waits for its end. Returns whether there was one that could be run.
pub(super) fn show(text: &str, pager: &str) -> bool {
    if text.is_empty() || pager.is_empty() || pager == "cat" {
        return false;
    }
    let mut command = Command::new("sh");
    command.args(["-c", pager]).stdin(Stdio::piped());
    let unset = SETTINGS.iter().filter(|(name, _)| std::env::var_os(name).is_none());
    command.envs(unset.copied());
    leave_interrupts_to_the_pager();
    let Ok(mut child) = command.spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that was left before the end of the text is not an error.
        drop(stdin.write_all(text.as_bytes()));
    }
    child.wait().is_ok_and(|status| !CANNOT_RUN.contains(&status.code()))
}

/// Ctrl-C stops what a pager does, not the pager: ending before it would leave two programs at one terminal.
fn leave_interrupts_to_the_pager() {
    #[cfg(unix)]
    drop(signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::default()));
}
