//! What a merge of a file would stumble over: for the author of the template.

use std::ops::Range;

use super::blocks;
use super::structured;
use crate::plan::BlockProblem;
use crate::tree::RelPath;

/// Why a file is not what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The expected format.
    pub format: &'static str,
    /// The problem.
    pub reason: String,
    /// Where, in bytes.
    pub span: Range<usize>,
}

/// A larger document is not looked at: parsers take many times its size.
const LARGEST: usize = 4 << 20;

/// Why a file that should be JSON, TOML or YAML cannot be parsed; `None` if it can, if its name says something else, and if it has
/// tags of another template language in it.
#[must_use]
pub fn fault(path: &RelPath, text: &str) -> Option<Fault> {
    // An expression of GitHub Actions is an ordinary text.
    let has_tags = text.match_indices("{{").any(|(at, _)| !text[..at].ends_with('$')) || text.contains("{%");
    if has_tags || text.len() > LARGEST { None } else { structured::fault(path, text) }
}

/// Which markers a file has of blocks, or which one cannot be understood.
///
/// # Errors
///
/// Says what is wrong.
pub fn count_blocks(path: &RelPath, bytes: &[u8]) -> Result<usize, BlockProblem> {
    blocks::count(path, bytes)
}
