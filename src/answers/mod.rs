//! The values given to a template's questions: who is asked, in which order, and what they may say.

pub mod built_in;
pub mod condition;
pub mod given;
pub mod name;
pub mod pattern;
pub mod placeholder;
pub mod prompt;
mod resolve;

pub use resolve::{Ask, Resolved, resolve, resolve_with};
