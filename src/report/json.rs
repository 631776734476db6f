//! The output for programs. Each version of it has a module, and the number in `format`; docs/json-v1.schema.json describes every field.
//!
//! Fields and values may be added to a version. To remove one, or to change what it means, takes another version.

mod v1;

pub use v1::{Case, aborted, check, diff, made, tested, upgrade};
pub(super) use v1::{line, note, usage};
