//! `create-app` creates a project from a template, records how, and keeps it up to date with the template.
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
mod contents;
mod credentials;
pub mod date;
pub mod deflated;
pub mod diagnostic;
mod diff;
pub mod digest;
mod formatting;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod git;
#[allow(unreachable_pub, reason = "what a room has for others is pub in it")]
mod hooks;
pub mod interrupt;
#[cfg(test)]
mod layers;
mod limits;
mod lint;
pub mod liquid;
pub mod lock;
pub mod manifest;
pub mod merge;
mod migrations;
mod parallel;
pub mod patterns;
pub mod placeholders;
pub mod plan;
mod process;
pub mod render;
pub mod report;
#[allow(unreachable_pub, reason = "what a room has for others is pub in it")]
mod rooted;
pub mod scope;
mod shell;
pub mod source;
pub mod spanned;
pub mod template;
mod terminal;
mod trace;
pub mod tree;
#[allow(unreachable_pub, reason = "what a room has for others is pub in it")]
mod workspace;
