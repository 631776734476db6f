//! Renders one file of a template: its path and its content.

use bytes::Bytes;

use super::paths;
use super::select::Selected;
use super::text::{Findings, Renderer};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::liquid::element;
use crate::tree::{Entry, RelPath};

/// The outcome for one file.
pub(super) struct Rendered {
    /// The template's path, the project's path and the entry, unless a problem prevents it.
    pub(super) entry: Option<(RelPath, RelPath, Entry)>,
    /// Findings on the way.
    pub(super) found: Findings,
}

/// Renders the path of an entry, and its content unless it is only to be copied. Of a `lenient` render, what fails stays as it is.
pub(super) fn render(
    renderer: &Renderer<'_>,
    template_path: RelPath,
    entry: Entry,
    selected: Selected,
    lenient: bool,
) -> Rendered {
    let mut found = Findings::default();
    let mut path = paths::render(renderer, &template_path, &mut found);
    if path.is_none() && lenient && forgive(&mut found.problems) {
        path = Some(template_path.clone());
    }
    let entry = match entry {
        Entry::Symlink { target } => {
            let rendered = paths::render_target(renderer, &template_path, &target, &mut found);
            rendered.or_else(|| (lenient && forgive(&mut found.problems)).then_some(Entry::Symlink { target }))
        }
        Entry::File { bytes, executable } => {
            let content = if selected == Selected::Render {
                let rendered = content(renderer, &template_path, bytes.clone(), &mut found);
                rendered.or_else(|| (lenient && forgive(&mut found.problems)).then_some(bytes))
            } else {
                Some(bytes)
            };
            content.map(|bytes| Entry::File { bytes, executable })
        }
    };
    Rendered { entry: path.zip(entry).map(|(path, entry)| (template_path, path, entry)), found }
}

/// Makes warnings of the errors of Liquid; false where there are others.
fn forgive(problems: &mut [Diagnostic]) -> bool {
    let is_liquid = |problem: &Diagnostic| matches!(problem.code, Code::LiquidSyntax | Code::LiquidRender);
    let errors = || problems.iter().filter(|problem| problem.is_error());
    if !errors().all(is_liquid) || errors().next().is_none() {
        return false;
    }
    for problem in problems.iter_mut().filter(|problem| problem.is_error()) {
        problem.severity = Severity::Warning;
        problem.help = Some("it is kept as it is in the template".to_owned());
    }
    true
}

/// Renders a file's bytes; what is not UTF-8, or has no tag, is returned as it came.
fn content(renderer: &Renderer<'_>, path: &RelPath, bytes: Bytes, found: &mut Findings) -> Option<Bytes> {
    let Ok(text) = std::str::from_utf8(&bytes) else { return Some(bytes) };
    if !element::has_liquid(text) {
        return Some(bytes);
    }
    renderer.text(&renderer.names.of(path), text, found).map(|text| text.into())
}
