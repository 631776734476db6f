//! Keeps literal text out of Liquid's parser, which reads some 8 MB a second: every long stretch leaves a marker behind, the
//! short text that remains is rendered, and the markers are expanded.

use super::element;
use super::engine::MAX_OUTPUT;
use super::language::RANGE_GUARD;
use super::scan::{Kind, Scan};

/// A stretch shorter than this costs Liquid less than its marker.
const SHORTEST: usize = 16;

/// A text without its long literal stretches.
pub(super) struct Skeleton<'t> {
    /// What Liquid renders.
    pub(super) text: String,
    literals: Vec<&'t str>,
    marker: char,
}

/// Takes the literal stretches out of a text, or returns `None` where every private character already means something.
pub(super) fn skeleton<'t>(text: &'t str, scan: &Scan, used: &str) -> Option<Skeleton<'t>> {
    let marker = unused_marker(text, used)?;
    let mut skeleton = Skeleton { text: String::new(), literals: Vec::new(), marker };
    for piece in &scan.pieces {
        let stretch = &text[piece.span.clone()];
        match piece.kind {
            Kind::Liquid => skeleton.liquid(stretch),
            Kind::Verbatim => skeleton.literal(stretch),
            Kind::Quoted if scan.movable => skeleton.literal(stretch),
            Kind::Text if scan.movable && stretch.len() > SHORTEST => skeleton.literal(stretch),
            Kind::Text | Kind::Quoted => skeleton.text.push_str(stretch),
        }
    }
    Some(skeleton)
}

impl<'t> Skeleton<'t> {
    fn liquid(&mut self, element: &str) {
        if let Some(guard) = range_guard(element) {
            self.text.push_str(&guard);
        }
        self.text.push_str(element);
    }

    /// Moves a stretch out, but for the white space at its ends: trim markers of the neighbours need it.
    fn literal(&mut self, stretch: &'t str) {
        const WHITE_SPACE: [char; 4] = [' ', '\n', '\r', '\t'];
        let core = stretch.trim_start_matches(WHITE_SPACE);
        let start = stretch.len() - core.len();
        let core = core.trim_end_matches(WHITE_SPACE);
        self.text.push_str(&stretch[..start]);
        if !core.is_empty() {
            let marker = self.marker;
            self.text.push_str(&format!("{marker}{}{marker}", self.literals.len()));
            self.literals.push(core);
        }
        self.text.push_str(&stretch[start + core.len()..]);
    }

    /// Puts the literal stretches back into what Liquid rendered; `None` where that is too large.
    pub(super) fn expand(&self, rendered: &str) -> Option<String> {
        let mut text =
            String::with_capacity(rendered.len() + self.literals.iter().map(|literal| literal.len()).sum::<usize>());
        let mut rest = rendered;
        while let Some((before, after)) = rest.split_once(self.marker) {
            text.push_str(before);
            let literal = after.split_once(self.marker).and_then(|(number, rest)| {
                let literal = self.literals.get(number.parse::<usize>().ok()?)?;
                Some((literal, rest))
            });
            match literal {
                Some((literal, after)) => {
                    text.push_str(literal);
                    rest = after;
                }
                None => {
                    text.push(self.marker);
                    rest = after;
                }
            }
            if text.len() > MAX_OUTPUT {
                return None;
            }
        }
        text.push_str(rest);
        Some(text)
    }
}

/// A private character that neither the text nor any value has.
pub(super) fn unused_marker(text: &str, used: &str) -> Option<char> {
    ('\u{e000}'..='\u{e0ff}').find(|&marker| !text.contains(marker) && !used.contains(marker))
}

/// The guard for a loop over a range: with the loop's own trim marker, so that it changes nothing.
pub(super) fn range_guard(element: &str) -> Option<String> {
    if !matches!(element::tag_name(element)?, "for" | "tablerow") {
        return None;
    }
    let start = element.find('(')?;
    let end = start + element[start..].find(')')?;
    let trim = if element.starts_with("{%-") { "-" } else { "" };
    element[start..end].contains("..").then(|| format!("{{%{trim} {RANGE_GUARD} {} %}}", &element[start..=end]))
}

/// A text whose loops over ranges are guarded, and that is otherwise as it was.
#[cfg(test)]
pub(super) fn guard_ranges(text: &str) -> String {
    let scan = super::scan::scan(text, &super::github::Known::new([]));
    let guarded = scan.pieces.iter().map(|piece| {
        let stretch = &text[piece.span.clone()];
        range_guard(stretch).unwrap_or_default() + stretch
    });
    guarded.collect()
}
