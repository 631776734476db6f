//! Files in which only marked blocks belong to the template: each block is merged on its own, and every other byte of the
//! project's file stays as it is.

mod insert;
mod parse;
#[cfg(test)]
mod tests;

use crate::contents::{Uniform, convert, same_lines, uniform};
use crate::merge::known::Known;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use self::parse::{Block, parse};
use super::content;
use super::text::{Region, Side, TextMerge};
use crate::plan::BlockProblem;
use crate::tree::RelPath;

/// The project's file with the template's blocks merged into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Merged {
    /// The whole file.
    pub(super) merge: TextMerge<'static>,
    /// The blocks that the user removed and the template changed.
    pub(super) removed: Vec<String>,
    /// The project's file with the blocks as they were rendered: what a conflict's base is.
    pub(super) base: Vec<u8>,
    /// The project's file with the blocks as they are rendered now: what a conflict's other side is.
    pub(super) theirs: Vec<u8>,
}

/// Merges the blocks of `theirs` into `ours`. Without a base, every block that ours lacks is inserted.
///
/// # Errors
///
/// Says which marker, of whichever version, cannot be understood: then nothing is guessed.
pub(super) fn merge(
    path: &RelPath,
    known: Known<'_>,
    base: Option<&[u8]>,
    ours: &[u8],
    theirs: &[u8],
) -> Result<Merged, BlockProblem> {
    let base = File::read(path, base.unwrap_or_default())?;
    let ours = File::read(path, ours)?;
    let theirs = File::read(path, theirs)?;
    let (merge, removed) = merge_files(path, known, &base, &ours, &theirs);
    if merge.is_clean() {
        return Ok(Merged { merge, removed, base: Vec::new(), theirs: Vec::new() });
    }
    let rebased = rebase(&base, &ours);
    let pristine = File::read(path, &rebased)?;
    let theirs = merge_files(path, known, &base, &pristine, &theirs).0.choose(Side::Theirs);
    Ok(Merged { merge, removed, base: rebased, theirs })
}

/// How many blocks a file has.
///
/// # Errors
///
/// Says which marker cannot be understood.
pub(super) fn count(path: &RelPath, bytes: &[u8]) -> Result<usize, BlockProblem> {
    Ok(parse(path, bytes)?.len())
}

/// A version of the file and its blocks.
struct File<'a> {
    bytes: &'a [u8],
    blocks: Vec<Block>,
    /// Where each block is among them.
    places: HashMap<String, usize>,
    ending: Uniform,
}

impl<'a> File<'a> {
    fn read(path: &RelPath, bytes: &'a [u8]) -> Result<Self, BlockProblem> {
        let blocks = parse(path, bytes)?;
        let places = blocks.iter().enumerate().map(|(at, block)| (block.name.clone(), at)).collect();
        Ok(Self { bytes, blocks, places, ending: uniform(bytes) })
    }

    fn find(&self, name: &str) -> Option<&Block> {
        self.places.get(name).map(|&at| &self.blocks[at])
    }

    fn inner(&self, name: &str) -> Option<&'a [u8]> {
        self.find(name).map(|block| &self.bytes[block.inner.clone()])
    }

    fn whole(&self, name: &str) -> Option<&'a [u8]> {
        self.find(name).map(|block| &self.bytes[block.whole.clone()])
    }
}

/// What happens to a part of the project's file.
struct Edit {
    range: Range<usize>,
    with: TextMerge<'static>,
}

fn merge_files(
    path: &RelPath,
    known: Known<'_>,
    base: &File<'_>,
    ours: &File<'_>,
    theirs: &File<'_>,
) -> (TextMerge<'static>, Vec<String>) {
    let mut edits: Vec<Edit> =
        ours.blocks.iter().map(|block| merge_block(path, known, block, base, ours, theirs)).collect();
    let lacking = theirs.blocks.iter().filter(|block| ours.find(&block.name).is_none());
    let (known, new): (Vec<&Block>, Vec<&Block>) = lacking.partition(|block| base.find(&block.name).is_some());
    let changed = known.iter().filter(|block| base.inner(&block.name) != theirs.inner(&block.name));
    let removed = changed.map(|block| block.name.clone()).collect();
    edits.extend(insert::edits(path, ours, theirs, &new));
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    (apply(ours.bytes, edits), removed)
}

/// A block that the project has.
fn merge_block(
    path: &RelPath,
    known: Known<'_>,
    block: &Block,
    base: &File<'_>,
    ours: &File<'_>,
    theirs: &File<'_>,
) -> Edit {
    let name = &block.name;
    let (base_inner, our_inner) = (base.inner(name), &ours.bytes[block.inner.clone()]);
    if let Some(their_inner) = theirs.inner(name) {
        let with = content::merge(path, known, base_inner, our_inner, their_inner).merge;
        return Edit { range: block.inner.clone(), with };
    }
    let our_whole = &ours.bytes[block.whole.clone()];
    let with = match base_inner {
        // A block of the user's own.
        None => TextMerge::resolved(Side::Ours, our_whole.to_vec()),
        Some(base_inner) if same_lines(base_inner, our_inner) => TextMerge::default(),
        Some(_) => TextMerge {
            regions: vec![Region::Conflict {
                base: base.whole(name).unwrap_or_default().to_vec().into(),
                ours: our_whole.to_vec().into(),
                theirs: Cow::Borrowed(b""),
            }],
            ..TextMerge::default()
        },
    };
    Edit { range: block.whole.clone(), with }
}

/// The project's file with each block as the base has it.
fn rebase(base: &File<'_>, ours: &File<'_>) -> Vec<u8> {
    let edits = ours.blocks.iter().filter_map(|block| {
        let with = TextMerge::resolved(Side::Base, with_ending_of(ours, base.inner(&block.name)?).into_owned());
        Some(Edit { range: block.inner.clone(), with })
    });
    apply(ours.bytes, edits.collect()).choose(Side::Ours)
}

/// Replaces parts of `ours`, given in order.
fn apply(ours: &[u8], edits: Vec<Edit>) -> TextMerge<'static> {
    let mut merge = TextMerge::default();
    let mut cursor = 0;
    let keep = |merge: &mut TextMerge<'static>, range: Range<usize>| {
        merge.push(Region::Resolved { side: Side::Ours, bytes: ours[range].to_vec().into() });
    };
    for Edit { range, with } in edits {
        keep(&mut merge, cursor..range.start);
        merge.append(with);
        cursor = range.end;
    }
    keep(&mut merge, cursor..ours.len());
    merge
}

/// `bytes` with the line ending of `file`, where it has one.
fn with_ending_of<'b>(file: &File<'_>, bytes: &'b [u8]) -> Cow<'b, [u8]> {
    match file.ending {
        Uniform::Ending(ending) => convert(bytes, ending),
        Uniform::Any | Uniform::Mixed => Cow::Borrowed(bytes),
    }
}
