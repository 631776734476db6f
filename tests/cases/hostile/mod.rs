//! The corpus of hostile input: each file below `tests/hostile/` is a case, and each input of a case is a test of its own;
//! `README.md` there says what a case may hold. `cargo test --test cases -- hostile/paths` runs those with that word in their names.
//!
//! A case builds what an attacker would hand over, runs create-app on it, and watches everything around the project: the
//! home directory, the cache, the template, a neighbour. The program's processor time and memory are measured, too.

mod case;
mod judge;
mod sandbox;
mod setting;
pub(crate) mod warden;
mod watch;

use std::sync::Arc;

use libtest_mimic::Trial;

use super::trial;

/// The cases hold links, special files and file names that only Unix has.
pub(crate) fn trials() -> Vec<Trial> {
    let standard = Arc::new(sandbox::Standard::default());
    let mut faults = case::known_faults();
    let trials = case::all().into_iter().map(|(name, case)| {
        let standard = Arc::clone(&standard);
        let fault = faults.remove(&name);
        let ignored = case.is_ignored() || fault.is_some();
        let trial = trial(format!("hostile/{name}"), move || judge::case(&case, &standard));
        trial.with_ignored_flag(ignored).with_kind(fault.unwrap_or_default())
    });
    let mut trials: Vec<Trial> = trials.collect();
    assert!(faults.is_empty(), "known faults of inputs that do not exist: {faults:?}");
    trials.push(trial("hostile/the_watch_sees_every_change".to_owned(), watch::sees_every_change));
    trials
}
