//! Keeps literal text out of Liquid's parser, which reads some 8 MB a second: every long stretch leaves a marker behind, the
//! short text that remains is rendered, and the markers are expanded.

use super::element::{self, WHITE_SPACE};
use super::engine::MAX_OUTPUT;
use super::language::RANGE_GUARD;
use super::scan::{Kind, Scan};

/// A stretch that is no longer costs Liquid less than its marker.
const SHORTEST: usize = 5;

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
    for (at, piece) in scan.pieces.iter().enumerate() {
        let stretch = &text[piece.span.clone()];
        let movable = scan.movable && !piece.watched;
        match piece.kind {
            Kind::Liquid => skeleton.liquid(stretch),
            Kind::Quoted | Kind::Text if !movable => skeleton.text.push_str(stretch),
            Kind::Text if stretch.len() <= SHORTEST => skeleton.text.push_str(stretch),
            Kind::Verbatim | Kind::Quoted | Kind::Text => {
                let is_liquid = |at: Option<usize>, which: fn(&str) -> bool| {
                    let beside = at.and_then(|at| scan.pieces.get(at)).filter(|piece| piece.kind == Kind::Liquid);
                    beside.is_some_and(|piece| which(&text[piece.span.clone()]))
                };
                let (start, end) = (is_liquid(at.checked_sub(1), trims_after), is_liquid(Some(at + 1), trims_before));
                // White space behind an element that takes it, too, is that one's, and it is kept with it.
                if piece.kind == Kind::Quoted && end && trims_after(stretch.trim_end_matches(WHITE_SPACE)) {
                    skeleton.text.push_str(stretch);
                } else {
                    skeleton.literal(stretch, start, end);
                }
            }
        }
    }
    Some(skeleton)
}

/// Whether an element takes away the white space behind it.
fn trims_after(element: &str) -> bool {
    element.ends_with("-%}") || element.ends_with("-}}")
}

/// Whether an element takes away the white space before it.
fn trims_before(element: &str) -> bool {
    element.starts_with("{%-") || element.starts_with("{{-")
}

impl<'t> Skeleton<'t> {
    fn liquid(&mut self, element: &str) {
        if let Some(guard) = range_guard(element) {
            self.text.push_str(&guard);
        }
        self.text.push_str(element);
    }

    /// Moves a stretch out; the white space at its start or end stays where a trim marker may take it away.
    fn literal(&mut self, stretch: &'t str, trimmed_start: bool, trimmed_end: bool) {
        if stretch.trim_matches(WHITE_SPACE).is_empty() && (trimmed_start || trimmed_end) {
            self.text.push_str(stretch);
            return;
        }
        let start = if trimmed_start { stretch.len() - stretch.trim_start_matches(WHITE_SPACE).len() } else { 0 };
        let end = if trimmed_end { stretch.trim_end_matches(WHITE_SPACE).len() } else { stretch.len() };
        let marker = self.marker;
        self.text.push_str(&stretch[..start]);
        self.text.push_str(&format!("{marker}{}{marker}", self.literals.len()));
        self.text.push_str(&stretch[end..]);
        self.literals.push(&stretch[start..end]);
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
#[cfg(any(test, fuzzing))]
pub(super) fn guard_ranges(text: &str) -> String {
    let scan = super::scan::scan(text, &super::github::Known::new([]));
    let guarded = scan.pieces.iter().map(|piece| {
        let stretch = &text[piece.span.clone()];
        range_guard(stretch).unwrap_or_default() + stretch
    });
    guarded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::github::Known;
    use crate::render::scan::scan;

    /// The text that is left for Liquid, with `|` for the marker's character.
    fn left(text: &str) -> String {
        let skeleton = skeleton(text, &scan(text, &Known::new([("name", true)])), "").unwrap();
        skeleton.text.replace(skeleton.marker, "|")
    }

    #[test]
    fn only_what_liquid_must_see_is_left() {
        for (text, expected) in [
            ("a long text {{ name }}, and more\n", "|0|{{ name }}|1|"),
            ("short{{ name }}\n", "short{{ name }}\n"),
            ("      \n{% if name %}\n          text\n{% endif %}", "|0|{% if name %}|1|{% endif %}"),
            (
                "      \n{%- if name -%}\n          text\n{% endif %}",
                "      \n{%- if name -%}\n          |0|{% endif %}",
            ),
            ("text      {%- if name %}      text{% endif -%}      ", "|0|      {%- if name %}|1|{% endif -%}      "),
            ("  text  {{- name -}}  text  ", "|0|  {{- name -}}  |1|"),
            ("  text  ${{ github.sha }}  text  ", "|0||1||2|"),
            ("{{ name -}}      ${{ github.sha }}", "{{ name -}}      |0|"),
            (
                "a long text{% capture x %}seen here{% endcapture %}a long text",
                "|0|{% capture x %}seen here{% endcapture %}|1|",
            ),
            ("{% raw %}  {{ a }}  {% endraw %}", "{% raw %}|0|{% endraw %}"),
            ("{% raw -%}  {{ a }}  {%- endraw %}", "{% raw -%}  |0|  {%- endraw %}"),
            ("{% raw -%}  {{ a -}}  {%- endraw %}", "{% raw -%}  {{ a -}}  {%- endraw %}"),
            ("a long text{% mystery %}a long text", "a long text{% mystery %}a long text"),
        ] {
            assert_eq!(left(text), expected, "{text}");
        }
    }
}
