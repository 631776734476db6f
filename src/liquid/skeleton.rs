//! Keeps literal text out of Liquid's parser, which reads some 8 MB a second: every long stretch leaves a marker behind, the
//! short text that remains is rendered, and the markers are expanded.

use super::element::WHITE_SPACE;
use super::meter::MAX_OUTPUT;
use super::scan::{Kind, Scan};

/// A stretch that is no longer costs Liquid less than its marker.
const SHORTEST: usize = 5;

/// A text without its long literal stretches.
pub(crate) struct Skeleton<'t> {
    /// The text that Liquid renders.
    pub(crate) text: String,
    literals: Vec<&'t str>,
    marker: char,
}

/// Takes the literal stretches out of a text, or returns `None` where every private character already means something.
pub(crate) fn skeleton<'t>(text: &'t str, scan: &Scan, used: Markers) -> Option<Skeleton<'t>> {
    let marker = unused_marker(text, used)?;
    let mut skeleton = Skeleton { text: String::new(), literals: Vec::new(), marker };
    for (at, piece) in scan.pieces.iter().enumerate() {
        let stretch = &text[piece.span.clone()];
        let movable = scan.movable && !piece.watched;
        match piece.kind {
            Kind::Liquid => skeleton.text.push_str(stretch),
            Kind::Quoted | Kind::Text if !movable => skeleton.text.push_str(stretch),
            Kind::Text if stretch.len() <= SHORTEST => skeleton.text.push_str(stretch),
            Kind::Verbatim | Kind::Quoted | Kind::Text => {
                let is_liquid = |at: Option<usize>, which: fn(&str) -> bool| {
                    let beside = at.and_then(|at| scan.pieces.get(at)).filter(|piece| piece.kind == Kind::Liquid);
                    beside.is_some_and(|piece| which(&text[piece.span.clone()]))
                };
                let (start, end) = (is_liquid(at.checked_sub(1), trims_after), is_liquid(Some(at + 1), trims_before));
                // White space after an element that takes it, too, is that one's, and it is kept with it.
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

/// Whether an element takes away the white space after it.
fn trims_after(element: &str) -> bool {
    element.ends_with("-%}") || element.ends_with("-}}")
}

/// Whether an element takes away the white space before it.
fn trims_before(element: &str) -> bool {
    element.starts_with("{%-") || element.starts_with("{{-")
}

impl<'t> Skeleton<'t> {
    /// Moves a stretch out, without the white space that a trim marker beside it takes away: Liquid would look at that again
    /// and again.
    fn literal(&mut self, stretch: &'t str, trimmed_start: bool, trimmed_end: bool) {
        let stretch = if trimmed_start { stretch.trim_start_matches(WHITE_SPACE) } else { stretch };
        let stretch = if trimmed_end { stretch.trim_end_matches(WHITE_SPACE) } else { stretch };
        if stretch.is_empty() {
            return;
        }
        let marker = self.marker;
        self.text.push_str(&format!("{marker}{}{marker}", self.literals.len()));
        self.literals.push(stretch);
    }

    /// About how long the text is with the literal stretches in their places.
    fn length(&self, rendered: &str) -> usize {
        let numbers = rendered.split(self.marker).filter_map(|number| number.parse::<usize>().ok());
        let literals = numbers.filter_map(|number| self.literals.get(number)).map(|literal| literal.len());
        literals.fold(rendered.len(), usize::saturating_add)
    }

    /// Puts the literal stretches back into what Liquid rendered; `None` where that is too large.
    pub(crate) fn expand(&self, rendered: String) -> Option<String> {
        if self.literals.is_empty() {
            return Some(rendered);
        }
        let mut text = String::with_capacity(self.length(&rendered).min(MAX_OUTPUT));
        let mut rest = rendered.as_str();
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

/// Which of the private characters that can be markers some texts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Markers([bool; 256]);

impl Markers {
    /// None.
    pub(crate) const NONE: Self = Self([false; 256]);

    /// Those that a text has, too.
    #[must_use]
    pub(crate) fn and(mut self, text: &str) -> Self {
        for marker in text.chars().filter_map(|c| u32::from(c).checked_sub(u32::from(FIRST_MARKER))) {
            if let Some(used) = self.0.get_mut(marker as usize) {
                *used = true;
            }
        }
        self
    }

    /// The first that is free.
    fn free(self) -> Option<char> {
        let free = u32::try_from(self.0.iter().position(|used| !used)?).ok()?;
        char::from_u32(u32::from(FIRST_MARKER) + free)
    }
}

const FIRST_MARKER: char = '\u{e000}';

/// A private character that neither the text has, nor any value: `used` are those that some value has.
pub(crate) fn unused_marker(text: &str, used: Markers) -> Option<char> {
    // Hardly any text has one: it is searched for the first alone.
    let first = used.free()?;
    if text.contains(first) { used.and(text).free() } else { Some(first) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::liquid::github::Known;
    use crate::liquid::scan::scan;

    /// The text that is left for Liquid, with `|` for the marker's character.
    fn left(text: &str) -> String {
        let skeleton = skeleton(text, &scan(text, &Known::new([("name", true)])), Markers::NONE).unwrap();
        skeleton.text.replace(skeleton.marker, "|")
    }

    #[test]
    fn only_what_liquid_must_see_is_left() {
        for (text, expected) in [
            ("a long text {{ name }}, and more\n", "|0|{{ name }}|1|"),
            ("short{{ name }}\n", "short{{ name }}\n"),
            ("      \n{% if name %}\n          text\n{% endif %}", "|0|{% if name %}|1|{% endif %}"),
            ("      \n{%- if name -%}\n          text\n{% endif %}", "{%- if name -%}|0|{% endif %}"),
            ("text      {%- if name %}      text{% endif -%}      ", "|0|{%- if name %}|1|{% endif -%}"),
            ("  text  {{- name -}}  text  ", "|0|{{- name -}}|1|"),
            ("  text  ${{ github.sha }}  text  ", "|0||1||2|"),
            ("{{ name -}}      ${{ github.sha }}", "{{ name -}}|0|"),
            (
                "a long text{% capture x %}seen here{% endcapture %}a long text",
                "|0|{% capture x %}seen here{% endcapture %}|1|",
            ),
            ("{% raw %}  {{ a }}  {% endraw %}", "{% raw %}|0|{% endraw %}"),
            ("{% raw -%}  {{ a }}  {%- endraw %}", "{% raw -%}|0|{%- endraw %}"),
            ("{% raw -%}  {{ a -}}  {%- endraw %}", "{% raw -%}  {{ a -}}  {%- endraw %}"),
            ("a long text{% mystery %}a long text", "a long text{% mystery %}a long text"),
        ] {
            assert_eq!(left(text), expected, "{text}");
        }
    }
}
