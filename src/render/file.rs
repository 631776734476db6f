//! Renders one file of a template: its path and its content.

use bytes::Bytes;

use super::select::Selected;
use super::text::Renderer;
use super::{element, paths};
use crate::diagnostic::Diagnostic;
use crate::tree::{Entry, RelPath};

/// What came of one file.
pub(super) struct Rendered {
    /// The template's path, the project's path and the entry, unless a problem prevents it.
    pub(super) entry: Option<(RelPath, RelPath, Entry)>,
    /// Errors and warnings.
    pub(super) problems: Vec<Diagnostic>,
}

/// Renders the path of an entry, and its content unless it is only to be copied.
pub(super) fn render(renderer: &Renderer<'_>, template_path: RelPath, entry: Entry, selected: Selected) -> Rendered {
    let mut problems = Vec::new();
    let path = paths::render(renderer, &template_path, &mut problems);
    let entry = match entry {
        Entry::Symlink { target } => paths::render_target(renderer, &template_path, &target, &mut problems),
        Entry::File { bytes, executable } => {
            let content = if selected == Selected::Render {
                content(renderer, &template_path, bytes, &mut problems)
            } else {
                Some(bytes)
            };
            content.map(|bytes| Entry::File { bytes, executable })
        }
    };
    Rendered { entry: path.zip(entry).map(|(path, entry)| (template_path, path, entry)), problems }
}

/// Renders a file's bytes; what is not UTF-8, or has no tag, is returned as it came.
fn content(renderer: &Renderer<'_>, path: &RelPath, bytes: Bytes, problems: &mut Vec<Diagnostic>) -> Option<Bytes> {
    let Ok(text) = std::str::from_utf8(&bytes) else { return Some(bytes) };
    if !element::has_liquid(text) {
        return Some(bytes);
    }
    renderer.text(&renderer.names.of(path), text, problems).map(|text| text.into())
}
