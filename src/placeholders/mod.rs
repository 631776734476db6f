//! What a manifest declares and a condition looks at: questions, what counts as an answer to one, and the variables that need none.

pub mod built_in;
pub mod choice;
pub mod condition;
pub mod pattern;
mod placeholder;

pub use placeholder::{Answer, Depends, Input, Kind, Placeholder, Rejection, When, Wording};
