//! The values given to a template's questions: who is asked, in which order, and what they may say.

pub mod condition;
pub mod placeholder;
pub mod prompt;
