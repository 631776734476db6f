//! Git, as a judge.

use std::path::Path;
use std::process::{Command, Stdio};

/// Git in `directory`, without anybody's settings.
pub(crate) fn git(directory: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(directory).env_clear();
    git.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").env("LC_ALL", "C");
    git.stdin(Stdio::null());
    git
}

/// Whether this input is one of the few for which git is started: the same ones in each run.
pub(crate) fn is_asked(data: &[u8], one_in: u64) -> bool {
    // FNV-1a.
    let hash = data
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 20) % one_in == 0
}
