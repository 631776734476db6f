//! The tests that have a folder for each case: each case is a test of its own, with its own name, which the standard harness cannot do
//! for data. `cargo test --test cases -- render/` runs those with that word in their names, and `SNAPSHOTS=overwrite` rewrites what they
//! expect.

#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

#[cfg(unix)]
mod hostile;
mod render;
mod snapshots;
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod syscalls;
mod upgrade;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    #[cfg(unix)]
    if let Some(code) = hostile::warden::asked() {
        return code;
    }
    let trials = [
        render::trials(),
        snapshots::trials(),
        upgrade::trials(),
        #[cfg(target_os = "linux")]
        syscalls::trials(),
        #[cfg(unix)]
        hostile::trials(),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect()).exit_code()
}

/// A test that fails with what `run` returns, or where it panics.
fn trial(name: String, run: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    Trial::test(name, move || run().map_err(Failed::from))
}

/// Whether what is expected is to be rewritten.
fn is_overwritten() -> bool {
    std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite")
}
