//! Template and answers in, trees out.

pub mod select;
