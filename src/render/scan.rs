//! Finds the Liquid in a text: where tags begin and end, and which stretches are literal.
//!
//! The scanner need not agree with Liquid's grammar in everything. It only promises that a literal stretch holds nothing
//! that Liquid would read as a tag; what stands between literal stretches reaches Liquid byte for byte.

use std::collections::BTreeSet;
use std::ops::Range;

use super::element::{BLOCKS, WHITE_SPACE, end_of, has_liquid, may_reach_out, next_open, tag_name};
use super::github::{self, Known};

/// Blocks that can measure or compare the text inside them: it must stay in place there.
const WATCHING: &[&str] = &["capture", "ifchanged", "tablerow"];

/// Tags that never look at the literal text around them. Others might.
const TRANSPARENT: &[&str] = &[
    "assign",
    "break",
    "case",
    "comment",
    "continue",
    "cycle",
    "decrement",
    "else",
    "elsif",
    "endcase",
    "endcomment",
    "endfor",
    "endif",
    "endraw",
    "endunless",
    "for",
    "if",
    "increment",
    "raw",
    "unless",
    "when",
];

/// A text, cut into pieces that cover it without gaps.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// The pieces in order.
    pub(super) pieces: Vec<Piece>,
    /// Whether literals may leave their places at all: false where Liquid code might see any of them.
    pub(super) movable: bool,
}

impl Scan {
    /// The regions of the tags and outputs.
    pub(super) fn tags(&self) -> impl Iterator<Item = Range<usize>> {
        self.pieces.iter().filter(|piece| piece.kind == Kind::Liquid).map(|piece| piece.span.clone())
    }
}

/// A stretch of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    /// Whether a block around it can see it. An expression of GitHub Actions leaves its place all the same: Liquid must not.
    pub(super) watched: bool,
}

/// What a [`Piece`] is to Liquid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text without an opening brace pair, outside and inside `raw` and `comment`.
    Text,
    /// Text that has to stay as it is although it has opening brace pairs: an expression of GitHub Actions.
    Verbatim,
    /// The inside of `raw` or `comment` with opening brace pairs: Liquid itself keeps or drops it.
    Quoted,
    /// A tag or an output.
    Liquid,
}

/// Cuts a text into its pieces. `known` decides which `${{ … }}` are Liquid.
pub(super) fn scan(text: &str, known: &Known<'_>) -> Scan {
    let names = local_names(text);
    // A decoded text could hold a marker of its own.
    let movable = !text.contains("url_decode");
    let scan = Scan { pieces: Vec::new(), movable };
    let mut scanner = Scanner { text, known: &known.with_locals(&names), scan, literal: 0, watching: 0 };
    let mut at = 0;
    while let Some(start) = next_open(text, at) {
        at = scanner.element(start);
    }
    scanner.text_until(text.len());
    scanner.scan
}

struct Scanner<'t, 'k> {
    text: &'t str,
    known: &'k Known<'k>,
    scan: Scan,
    /// Where the literal stretch that is being collected begins.
    literal: usize,
    /// How many of the open blocks can see the text inside them.
    watching: usize,
}

impl Scanner<'_, '_> {
    /// Takes the element that opens at `start`; returns where to go on.
    fn element(&mut self, start: usize) -> usize {
        let after_dollar = self.text[start..].starts_with("{{") && self.text[..start].ends_with('$');
        if after_dollar && let Some(left) = github::left_alone(self.text, start, self.known) {
            return self.verbatim(start - 1, left);
        }
        let Some(end) = end_of(self.text, start) else {
            // Unclosed: Liquid will say so. Nothing behind it is literal for certain.
            self.push(start..self.text.len(), Kind::Liquid);
            return self.text.len();
        };
        self.push(start..end, Kind::Liquid);
        match tag_name(&self.text[start..end]) {
            Some("raw") => self.quoted(end, "raw"),
            Some("comment") => self.quoted(end, "comment"),
            Some(name) => {
                step(&mut self.watching, &self.text[start..end], |name| WATCHING.contains(&name));
                let is_known =
                    [TRANSPARENT, WATCHING].iter().any(|tags| tags.contains(&name)) || name.starts_with("end");
                self.scan.movable &= is_known;
                end
            }
            None => end,
        }
    }

    /// A `${{ … }}` that is left as it stands, but for the outputs inside it.
    fn verbatim(&mut self, start: usize, left: github::Left) -> usize {
        let mut from = start;
        for output in left.outputs {
            self.push(from..output.start, Kind::Verbatim);
            from = output.end;
            self.push(output, Kind::Liquid);
        }
        self.push(from..left.end, Kind::Verbatim);
        left.end
    }

    /// The inside of a block whose content Liquid does not interpret.
    fn quoted(&mut self, start: usize, block: &str) -> usize {
        let Some(end) = end_of_block(self.text, start, block) else {
            self.push(start..self.text.len(), Kind::Quoted);
            self.scan.movable = false;
            return self.text.len();
        };
        let inside = &self.text[start..end];
        // Liquid looks for the end of the block element by element: where one of them could reach over the end that we
        // see, or is no end to it, only Liquid knows where the block ends.
        let ends = is_bare(&self.text[end..], &[["end", block].concat()]);
        if !ends || may_reach_out(inside) || block == "comment" && !is_plain(inside) {
            self.scan.movable = false;
        }
        let kind = if has_liquid(inside) { Kind::Quoted } else { Kind::Text };
        self.push(start..end, kind);
        end
    }

    fn push(&mut self, span: Range<usize>, kind: Kind) {
        self.text_until(span.start);
        self.literal = span.end;
        if !span.is_empty() {
            self.scan.pieces.push(Piece { span, kind, watched: self.watching > 0 });
        }
    }

    fn text_until(&mut self, end: usize) {
        if self.literal < end {
            self.scan.pieces.push(Piece { span: self.literal..end, kind: Kind::Text, watched: self.watching > 0 });
        }
    }
}

/// The innermost block that is opened and never closed, if any.
pub(super) fn unclosed(text: &str, scan: &Scan) -> Option<Range<usize>> {
    let mut open = Vec::new();
    for tag in scan.tags() {
        match tag_name(&text[tag.clone()]) {
            Some(name) if BLOCKS.contains(&name) => open.push(tag),
            Some(name) if name.starts_with("end") => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// How deeply blocks, and brackets in a tag, may nest: Liquid recurses into both.
const MAX_DEPTH: usize = 100;
/// How many branches the open blocks, and how many parts a condition may have: Liquid recurses into them, too.
const MAX_BRANCHES: usize = 250;

/// The first element that is nested too deeply, if any.
pub(super) fn too_deep(text: &str, scan: &Scan) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let mut branches: Vec<usize> = vec![0];
    let too_deep = |piece: &&Piece| {
        let stretch = &text[piece.span.clone()];
        match piece.kind {
            Kind::Liquid => {
                step(&mut depth, stretch, |name| BLOCKS.contains(&name));
                branches.resize(depth + 1, 0);
                if tag_name(stretch) == Some("elsif") {
                    branches[depth] += 1;
                }
                depth > MAX_DEPTH
                    || branches.iter().sum::<usize>() > MAX_BRANCHES
                    || stretch.bytes().filter(|&byte| byte == b'[').count() > MAX_DEPTH
                    || stretch.split(WHITE_SPACE).filter(|word| matches!(*word, "and" | "or")).count() > MAX_BRANCHES
            }
            // Comments nest, and Liquid recurses into them, too.
            Kind::Quoted => {
                let mut depth = 0;
                stretch.match_indices("{%").any(|(open, _)| {
                    step(&mut depth, &stretch[open..], |name| name == "comment");
                    depth > MAX_DEPTH
                })
            }
            Kind::Text | Kind::Verbatim => false,
        }
    };
    scan.pieces.iter().find(too_deep).map(|piece| piece.span.clone())
}

/// Goes into the block that an element opens, or out of the one that it closes.
fn step(depth: &mut usize, element: &str, is_block: impl Fn(&str) -> bool) {
    match tag_name(element) {
        Some(name) if is_block(name) => *depth += 1,
        Some(name) if name.strip_prefix("end").is_some_and(is_block) => *depth = depth.saturating_sub(1),
        _ => {}
    }
}

/// Where the end tag of the `raw` or `comment` block begins whose content starts at `from`. Comments nest, and respect `raw`.
fn end_of_block(text: &str, from: usize, block: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = from;
    while let Some(open) = text[at..].find("{%").map(|open| at + open) {
        let name = tag_name(&text[open..])?;
        at = open + 2;
        match (block, name) {
            ("raw", "endraw") => return Some(open),
            ("comment", "endcomment") if depth == 0 => return Some(open),
            ("comment", "endcomment") => depth -= 1,
            ("comment", "comment") => {
                depth += 1;
                at = end_of(text, open)?;
            }
            ("comment", "raw") => at = end_of_block(text, end_of(text, open)?, "raw")? + 2,
            _ => {}
        }
    }
    None
}

/// Whether a text begins with a tag that has one of these names and nothing else.
fn is_bare(text: &str, names: &[impl AsRef<str>]) -> bool {
    let inner = end_of(text, 0).map_or("", |end| &text[2..end - 2]);
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let name = inner.strip_suffix('-').unwrap_or(inner).trim_matches(WHITE_SPACE);
    names.iter().any(|it| it.as_ref() == name)
}

/// Whether a comment has no other tags than such as Liquid reads in it as we do. It looks for the end of any other block, too, and
/// takes all that stands before that, the end of the comment as well.
fn is_plain(comment: &str) -> bool {
    const NAMES: &[&str] = &["comment", "endcomment", "raw", "endraw"];
    comment.match_indices("{%").all(|(open, _)| is_bare(&comment[open..], NAMES))
}

/// The names that this text itself binds.
fn local_names(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{%").map(|open| at + open) {
        if let Some(name @ ("assign" | "capture" | "for" | "tablerow")) = tag_name(&text[open..]) {
            let inner = text[open..].split_once(name).map_or("", |(_, rest)| rest).trim_start_matches(WHITE_SPACE);
            let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(inner.len());
            names.insert(&inner[..end]);
        }
        at = open + 2;
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(text: &str) -> Vec<(&str, Kind)> {
        let known = Known::new([("name", true), ("list", false)]);
        scan(text, &known).pieces.into_iter().map(|piece| (&text[piece.span], piece.kind)).collect()
    }

    #[test]
    fn tags_end_where_their_quotes_allow() {
        use Kind::{Liquid, Text};
        assert_eq!(pieces(r#"a{{ "}}" }}b"#), [("a", Text), (r#"{{ "}}" }}"#, Liquid), ("b", Text)]);
        assert_eq!(pieces("{% if a == '%}' %}x"), [("{% if a == '%}' %}", Liquid), ("x", Text)]);
        assert_eq!(pieces("no tags { at } all"), [("no tags { at } all", Text)]);
        assert_eq!(pieces("x {{ y"), [("x ", Text), ("{{ y", Liquid)]);
    }

    #[test]
    fn raw_and_comment_are_not_looked_into() {
        use Kind::{Liquid, Quoted, Text};
        assert_eq!(
            pieces("{% raw %}${{ x }}{% endraw %}."),
            [("{% raw %}", Liquid), ("${{ x }}", Quoted), ("{% endraw %}", Liquid), (".", Text)]
        );
        assert_eq!(
            pieces("{%- comment -%}{% comment %}{{{% endcomment %}{%endcomment%}."),
            [
                ("{%- comment -%}", Liquid),
                ("{% comment %}{{{% endcomment %}", Quoted),
                ("{%endcomment%}", Liquid),
                (".", Text)
            ]
        );
    }

    #[test]
    fn text_that_liquid_can_measure_stays_in_place() {
        let known = Known::new([]);
        let watched = |text: &str| -> Vec<String> {
            let pieces = scan(text, &known).pieces.into_iter().filter(|piece| piece.watched);
            pieces.filter(|piece| piece.kind != Kind::Liquid).map(|piece| text[piece.span].to_owned()).collect()
        };
        assert_eq!(watched("a{% capture x %}b{% endcapture %}c"), ["b"]);
        assert_eq!(
            watched(
                "a{%- ifchanged -%}b{% tablerow i in l %}c{% raw %}{{ d }}{% endraw %}{% endtablerow %}e{% endifchanged %}f"
            ),
            ["b", "c", "{{ d }}", "e"]
        );
        assert_eq!(watched("{% endcapture %}a{% raw %}{% capture x %}{% endraw %}b"), [""; 0]);
        assert!(scan("{% capture x %}long{% endcapture %}", &known).movable);
        assert!(!scan("{% mystery %}", &known).movable);
        assert!(!scan("{% comment %}{% for a in b %}{% endcomment %}", &known).movable);
        assert!(!scan("{% comment %}{% endcomment x %}{% endcomment %}", &known).movable);
        assert!(!scan("{% raw %}{% endraw x %}{% endraw %}", &known).movable);
        assert!(!scan("{% raw %}{% endraw-x %}{% endraw %}", &known).movable);
        assert!(scan("{%- raw -%} {% if %} {%- endraw -%}", &known).movable);
        assert!(scan("{% comment %}{% comment %}{{ a }}{% endcomment %}{% endcomment %}", &known).movable);
        assert!(!scan("{% raw %}{{ \"{% endraw %}\" }}{% endraw %}", &known).movable);
        assert!(scan("{% for a in b %}{% if a %}x{% endif %}{% endfor %}", &known).movable);
    }

    #[test]
    fn comments_may_not_nest_without_end() {
        let nested = |depth: usize| format!("{}{}", "{% comment %}".repeat(depth), "{% endcomment %}".repeat(depth));
        let deep = |text: &str| too_deep(text, &scan(text, &Known::new([]))).is_some();
        assert!(!deep(&nested(50)));
        assert!(deep(&nested(200_000)));
        assert!(deep(&"{% comment %}".repeat(200_000)));
        assert!(!deep(&format!("{{% raw %}}{}{{% endraw %}}", "{% if a %}".repeat(1000))));
    }

    #[test]
    fn text_full_of_braces_is_read_in_time() {
        let braces = "{{ ".repeat(200_000);
        for text in [
            format!("{{% raw %}}{braces}{{% endraw %}}"),
            format!("{{% raw %}}{braces}}}}}{{% endraw %}}"),
            format!("${braces}"),
            "${{ x ".repeat(100_000),
        ] {
            scan(&text, &Known::new([]));
        }
    }

    #[test]
    fn what_liquid_would_recurse_into_too_deeply_is_found() {
        let known = Known::new([]);
        let is_too_deep = |text: &str| too_deep(text, &scan(text, &known)).is_some();
        let chain = |branches: usize| format!("{{% if a %}}{}{{% endif %}}", "{% elsif b %}x".repeat(branches));
        assert!(!is_too_deep(&chain(200)) && is_too_deep(&chain(300)));
        assert!(!is_too_deep(&chain(200).repeat(3)));
        let condition = |parts: usize| format!("{{% if a {}%}}x{{% endif %}}", "or a ".repeat(parts));
        assert!(!is_too_deep(&condition(200)) && is_too_deep(&condition(300)));
        let nested = |depth: usize| format!("{}{}", "{% if a %}".repeat(depth), "{% endif %}".repeat(depth));
        assert!(!is_too_deep(&nested(100)) && is_too_deep(&nested(101)));
    }

    proptest! {
        #[test]
        fn the_pieces_cover_the_text(text in r#"([a-z $'"\n]|\{\{|\}\}|\{%|%\}|raw|endraw|comment|endcomment| name |-){0,24}"#) {
            let known = Known::new([("name", true)]);
            let mut at = 0;
            for piece in scan(&text, &known).pieces {
                prop_assert_eq!(piece.span.start, at);
                prop_assert!(piece.span.end > at);
                at = piece.span.end;
                if piece.kind == Kind::Text {
                    prop_assert!(!has_liquid(&text[piece.span]));
                }
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
