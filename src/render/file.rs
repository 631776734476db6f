//! Renders one file of a template: its path and its content.

use bytes::Bytes;

use super::select::Selected;
use super::text::{Findings, Renderer};
use super::{element, paths};
use crate::tree::{Entry, RelPath};

/// What came of one file.
pub(super) struct Rendered {
    /// The template's path, the project's path and the entry, unless a problem prevents it.
    pub(super) entry: Option<(RelPath, RelPath, Entry)>,
    /// What was found out on the way.
    pub(super) found: Findings,
}

/// Renders the path of an entry, and its content unless it is only to be copied.
pub(super) fn render(renderer: &Renderer<'_>, template_path: RelPath, entry: Entry, selected: Selected) -> Rendered {
    let mut found = Findings::default();
    let path = paths::render(renderer, &template_path, &mut found);
    let entry = match entry {
        Entry::Symlink { target } => paths::render_target(renderer, &template_path, &target, &mut found),
        Entry::File { bytes, executable } => {
            let content = if selected == Selected::Render {
                content(renderer, &template_path, bytes, &mut found)
            } else {
                Some(bytes)
            };
            content.map(|bytes| Entry::File { bytes, executable })
        }
    };
    Rendered { entry: path.zip(entry).map(|(path, entry)| (template_path, path, entry)), found }
}

/// Renders a file's bytes; what is not UTF-8, or has no tag, is returned as it came.
fn content(renderer: &Renderer<'_>, path: &RelPath, bytes: Bytes, found: &mut Findings) -> Option<Bytes> {
    let Ok(text) = std::str::from_utf8(&bytes) else { return Some(bytes) };
    if !element::has_liquid(text) {
        return Some(bytes);
    }
    renderer.text(&renderer.names.of(path), text, found).map(|text| text.into())
}
