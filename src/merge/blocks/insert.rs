//! Where a block goes that the project's file lacks.

use super::parse::{Block, Fence, is_markup};
use super::{Edit, File, with_ending_of};
use crate::contents::LineEnding;
use crate::merge::text::{Side, TextMerge, lines};
use crate::tree::RelPath;

/// Inserts new blocks: those marked `top` after the first heading, the others at the end; in the template's order.
pub(super) fn edits(path: &RelPath, ours: &File<'_>, theirs: &File<'_>, new: &[&Block]) -> Vec<Edit> {
    let ending = LineEnding::first(ours.bytes).or_else(|| LineEnding::first(theirs.bytes)).unwrap_or(LineEnding::Lf);
    let texts = |top: bool| {
        let blocks = new.iter().filter(move |block| block.top == top);
        let texts =
            blocks.map(|block| complete(with_ending_of(ours, &theirs.bytes[block.whole.clone()]).into_owned(), ending));
        texts.collect::<Vec<_>>()
    };
    let place = |at: usize, texts: Vec<Vec<u8>>| {
        (!texts.is_empty()).then(|| Edit { range: at..at, with: paragraphs(ours.bytes, at, &texts, ending) })
    };
    let at_the_top = place(top(path, ours), texts(true));
    let at_the_end = place(ours.bytes.len(), texts(false));
    at_the_top.into_iter().chain(at_the_end).collect()
}

/// The text with a final newline.
fn complete(mut text: Vec<u8>, ending: LineEnding) -> Vec<u8> {
    if !text.ends_with(b"\n") && !text.ends_with(b"\r") {
        text.extend_from_slice(ending.as_bytes());
    }
    text
}

/// Texts, with a blank line between them and around them.
fn paragraphs(file: &[u8], at: usize, texts: &[Vec<u8>], ending: LineEnding) -> TextMerge<'static> {
    let (before, after) = file.split_at(at);
    let newline = ending.as_bytes();
    let mut out = Vec::new();
    if before.last().is_some_and(|last| !matches!(last, b'\n' | b'\r')) {
        out.extend_from_slice(newline);
    }
    if lines(before).last().is_some_and(|line| !is_blank(line)) {
        out.extend_from_slice(newline);
    }
    out.extend_from_slice(&texts.join(newline));
    if lines(after).next().is_some_and(|line| !is_blank(line)) {
        out.extend_from_slice(newline);
    }
    TextMerge::resolved(Side::Theirs, out)
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

/// Where a block marked `top` goes: after the first heading and a blank line below it; in a file without headings, before
/// everything but front matter, or the line that names the interpreter.
fn top(path: &RelPath, ours: &File<'_>) -> usize {
    let start = preamble(ours.bytes);
    let heading = if is_markup(path) { after_heading(path, ours, start) } else { None };
    let at = heading.unwrap_or(start);
    match lines(&ours.bytes[at..]).next() {
        Some(line) if at > 0 && is_blank(line) => at + line.len(),
        _ => at,
    }
}

/// The end of front matter, or of a `#!` line.
fn preamble(bytes: &[u8]) -> usize {
    let mut at = 0;
    for (index, line) in lines(bytes).enumerate() {
        let is_fence = line.trim_ascii_end() == b"---";
        at += line.len();
        match index {
            0 if line.starts_with(b"#!") => return at,
            0 if !is_fence => return 0,
            0 => {}
            _ if is_fence => return at,
            _ => {}
        }
    }
    0
}

/// The end of the first heading that is in no block.
fn after_heading(path: &RelPath, ours: &File<'_>, start: usize) -> Option<usize> {
    let mut fence = Fence::new(path);
    let mut at = start;
    let mut previous_is_text = false;
    let mut blocks = ours.blocks.iter().peekable();
    for line in lines(&ours.bytes[start..]) {
        let line_start = at;
        at += line.len();
        let is_code = fence.contains(line);
        while blocks.next_if(|block| block.whole.end <= line_start).is_some() {}
        let is_block = blocks.peek().is_some_and(|block| block.whole.contains(&line_start));
        if is_code || is_block {
            previous_is_text = false;
            continue;
        }
        if is_heading(line) || (previous_is_text && is_underline(line)) {
            return Some(at);
        }
        previous_is_text = !is_blank(line);
    }
    None
}

fn is_heading(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let level = line.iter().take_while(|&&byte| byte == b'#').count();
    let is_atx = (1..=6).contains(&level) && line.get(level).is_none_or(u8::is_ascii_whitespace);
    is_atx || line.to_ascii_lowercase().windows(5).any(|window| window == b"</h1>")
}

fn is_underline(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let all = |character: u8| line.len() >= 2 && line.iter().all(|&byte| byte == character);
    all(b'=') || all(b'-')
}
