//! What the integration tests share.

#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]
#![allow(dead_code, reason = "every test binary compiles all of it and uses a part")]

#[cfg(unix)]
pub(crate) mod app;
pub(crate) mod command;
pub(crate) mod json;
pub(crate) mod place;
#[cfg(unix)]
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod sample;
#[cfg(unix)]
pub(crate) mod terminal;
pub(crate) mod tools;
pub(crate) mod tree;
