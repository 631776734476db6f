//! The corpus of hostile input: each file below `tests/hostile/` is a case, and each input of a case is a test of its own;
//! `README.md` there says what a case may hold. `cargo test --test corpus -- paths` runs those with that word in their names.
//!
//! A case builds what an attacker would hand over, runs create-app on it, and watches everything around the project: the
//! home directory, the cache, the template, a neighbour. The program's processor time and memory are measured, too.
#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

#[cfg(unix)]
mod case;
#[cfg(unix)]
mod judge;
#[cfg(unix)]
mod sandbox;
#[cfg(unix)]
mod setting;
#[cfg(unix)]
mod warden;
#[cfg(unix)]
mod watch;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    use std::sync::Arc;

    use libtest_mimic::{Arguments, Trial};

    if let Some(code) = warden::asked() {
        return code;
    }
    let standard = Arc::new(sandbox::Standard::default());
    let mut faults = case::known_faults();
    let trials = case::all().into_iter().map(|(name, case)| {
        let standard = Arc::clone(&standard);
        let fault = faults.remove(&name);
        let ignored = case.is_ignored() || fault.is_some();
        let trial = Trial::test(name, move || judge::case(&case, &standard).map_err(Into::into));
        trial.with_ignored_flag(ignored).with_kind(fault.unwrap_or_default())
    });
    let mut trials: Vec<Trial> = trials.collect();
    assert!(faults.is_empty(), "known faults of inputs that do not exist: {faults:?}");
    trials.push(Trial::test("the_watch_sees_every_change", || watch::sees_every_change().map_err(Into::into)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The cases hold links, special files and file names that only Unix has.
#[cfg(not(unix))]
fn main() {}
