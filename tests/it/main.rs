//! The tests of whole commands, in one binary: each module says what it tests. `tests/cases/` has those with a folder for each case.

#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

#[cfg(unix)]
mod absent;
mod adoption;
#[cfg(unix)]
mod app;
mod book;
#[cfg(unix)]
mod branches;
mod check;
mod cmd;
#[cfg(unix)]
mod committed_app;
#[cfg(unix)]
mod conflicts;
mod diff;
#[cfg(unix)]
mod e2e;
#[cfg(unix)]
mod environments;
#[cfg(all(unix, debug_assertions))]
mod faults;
mod formatters;
#[cfg(unix)]
mod formatting;
#[cfg(unix)]
mod generate;
#[cfg(unix)]
mod git;
#[cfg(unix)]
mod hooks;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod hostile_git;
mod json;
mod lifecycle;
#[cfg(unix)]
mod lock_files;
mod migrations;
#[cfg(unix)]
mod moves;
#[cfg(unix)]
mod names;
#[cfg(unix)]
mod pager;
mod phase_3;
#[cfg(unix)]
mod prompts;
#[cfg(target_os = "linux")]
mod reading;
mod record;
#[cfg(target_os = "linux")]
mod recording;
#[cfg(unix)]
mod replay;
mod repository;
mod secrets;
#[cfg(unix)]
mod shells;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod summary;
#[path = "../support/mod.rs"]
mod support;
#[cfg(unix)]
mod templates;
mod tools;
mod trace;
#[cfg(unix)]
mod workspace;
