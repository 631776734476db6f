//! What the integration tests share.

#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]
#![allow(dead_code, reason = "every test binary compiles all of it and uses a part")]

pub(crate) mod place;
pub(crate) mod programs;
pub(crate) mod tools;
pub(crate) mod tree;
