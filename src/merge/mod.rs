//! Base, ours and theirs in; a merge as a value out. Markers are drawn later, by [`draw`], where something is written.

pub mod content;
pub mod draw;
pub mod ending;
mod lines;
#[cfg(test)]
mod oracle;
mod refine;
mod structured;
pub mod text;
