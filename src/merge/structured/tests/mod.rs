//! Whole files, merged and drawn as `upgrade` would write them.

mod beds;
mod form;
mod json;
mod judge;
pub(in crate::merge) mod laws;
mod renames;
mod sides;
mod toml;
mod yaml;
mod yaml_edits;
mod yaml_hostile;

use crate::merge::content;
use crate::merge::draw::{Style, draw};
use crate::merge::known::Known;
use crate::tree::RelPath;

/// The merged file with markers, for the template's version 2.
fn drawn(path: &str, base: &str, ours: &str, theirs: &str) -> String {
    text(path, Some(base), ours, theirs, Style::Merge)
}

fn text(path: &str, base: Option<&str>, ours: &str, theirs: &str, style: Style) -> String {
    let merge = content::merge(
        &RelPath::new(path).unwrap(),
        Known::default(),
        base.map(str::as_bytes),
        ours.as_bytes(),
        theirs.as_bytes(),
    )
    .merge;
    String::from_utf8(draw(&merge, style, "2")).unwrap()
}

/// A text from lines.
fn lines<const N: usize>(lines: [&str; N]) -> String {
    lines.map(|line| format!("{line}\n")).concat()
}
