//! What holds of every diagnostic.

use create_app::diagnostic::Diagnostic;
use create_app::fuzzing;

/// Each place is inside its text, the drawing succeeds, and what it shows does not act on a terminal.
pub(crate) fn check<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) {
    // A hostile text has as many problems as it likes; drawing is what takes time.
    for (number, diagnostic) in diagnostics.into_iter().enumerate() {
        if let Some(place) = &diagnostic.place {
            assert!(place.text.get(place.span.clone()).is_some(), "outside of the text: {diagnostic:?}");
            let (line, column) = place.line_column();
            assert!(line >= 1 && column >= 1, "{diagnostic:?}");
        }
        if number < 20 {
            let drawn = plain(&fuzzing::draw(diagnostic));
            let acting = drawn.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(acting, None, "{drawn:?}");
        }
    }
}

/// The text without the renderer's own colours: `ESC [ digits and semicolons m`.
fn plain(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let parameters = &rest[at + 2..];
        let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(parameters.len());
        match parameters[end..].strip_prefix('m') {
            Some(after) => rest = after,
            None => {
                out.push('\u{1b}');
                rest = parameters;
            }
        }
    }
    out + rest
}
