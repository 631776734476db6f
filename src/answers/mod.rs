//! The values given to a template's questions: who is asked, in which order, and what they may say.

pub mod configuration;
pub mod given;
pub mod interview;
pub mod name;
pub mod prompt;
mod resolve;

pub use resolve::{Ask, Resolved, resolve, resolve_with};
