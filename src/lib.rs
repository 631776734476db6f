//! `create-app` makes a project from a template, remembers how, and keeps it up to date with the template.
//!
//! ```text
//!  source ──► Template ──┐
//!                        ├─► render ──► Tree (theirs) ──┐
//!  placeholders ► Answers┘                              │
//!  .create-app/base ──────────────────► Tree (base) ────┼─► merge ──► Plan ──► apply / show
//!  the project's files ───────────────► Tree (ours) ────┘
//! ```
//!
//! `source`, `answers::prompt`, `git`, `rooted`, `workspace` and `report` touch the world. Everything between them is pure: values in,
//! values out; no disk, clock, environment or terminal.

pub mod answers;
pub mod cli;
pub mod commands;
mod credentials;
pub mod date;
pub mod diagnostic;
pub mod diff;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod git;
pub mod hooks;
pub mod limits;
pub mod lint;
pub mod lock;
pub mod manifest;
pub mod merge;
pub mod migrations;
mod parallel;
pub mod plan;
pub mod render;
pub mod report;
pub mod rooted;
pub mod shell;
pub mod source;
pub mod template;
pub mod terminal;
pub mod tree;
pub mod workspace;
