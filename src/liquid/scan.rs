//! Finds the Liquid in a text: where tags begin and end, and which stretches are literal.
//!
//! The scanner need not agree with Liquid's grammar in everything. It only promises that a literal stretch holds nothing
//! that Liquid would read as a tag; what is between literal stretches reaches Liquid byte for byte.

use std::collections::BTreeSet;
use std::ops::Range;

use super::element::{
    BLOCKS, MAX_DEPTH, WHITE_SPACE, end_of, has_deep_brackets, has_liquid, may_reach_out, next_open, tag_name, words,
};
use super::github::{self, Bound, Effort, Known};

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
pub(crate) struct Scan {
    /// The pieces in order.
    pub(crate) pieces: Vec<Piece>,
    /// Whether literals may leave their places at all: false where Liquid code might see any of them.
    pub(crate) movable: bool,
    /// What it has taken to find them, besides reading the text once.
    pub(crate) effort: Effort,
    /// Where the scan has given up, and why.
    pub(crate) excess: Option<Excess>,
}

/// A place of a text that is too much for Liquid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) span: Range<usize>,
    pub(crate) title: &'static str,
    pub(crate) label: &'static str,
    pub(crate) help: &'static str,
}

/// The most that the tags of a text may have, in bytes: Liquid's parser takes hundreds of bytes of memory for each.
const MAX_TAGS: usize = 256 << 10;
/// The most pieces of a text.
const MAX_PIECES: usize = 256 << 10;

impl Excess {
    fn deep(span: Range<usize>) -> Self {
        Self {
            span,
            title: "tags are nested too deeply",
            label: "this is the innermost one that is allowed",
            help: "split the file, or flatten its conditions",
        }
    }

    fn many(span: Range<usize>) -> Self {
        Self {
            span,
            title: "the tags of this file are larger than 256 KiB in total",
            label: "this one goes over the limit",
            help: "split the file, or exclude it from rendering in cargo-generate.toml",
        }
    }

    fn hard(span: Range<usize>) -> Self {
        Self {
            span,
            title: "it takes too long to find the tags of this file",
            label: "stopped here",
            help: "close every brace and quote, or exclude the file from rendering in cargo-generate.toml",
        }
    }
}

impl Scan {
    /// The regions of the tags and outputs.
    pub(crate) fn tags(&self) -> impl Iterator<Item = Range<usize>> {
        self.pieces.iter().filter(|piece| piece.kind == Kind::Liquid).map(|piece| piece.span.clone())
    }

    /// The bytes of the longest tag. What outputs and assignments do is counted when they do it.
    pub(crate) fn longest_tag(&self, text: &str) -> usize {
        let counted = |span: &Range<usize>| !matches!(tag_name(&text[span.clone()]), None | Some("assign"));
        self.tags().filter(counted).map(|span| span.len()).max().unwrap_or_default()
    }
}

/// A stretch of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
    /// Whether a block around it can see it. An expression of GitHub Actions leaves its place all the same: Liquid must not.
    pub(crate) watched: bool,
}

/// The meaning of a [`Piece`] to Liquid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
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
pub(crate) fn scan(text: &str, known: &Known<'_>) -> Scan {
    let locals = local_names(text);
    // A decoded text could hold a marker of its own.
    let movable = memchr::memmem::find(text.as_bytes(), b"url_decode").is_none();
    let scan = Scan { pieces: Vec::new(), movable, effort: Effort::default(), excess: None };
    let bound = Bound { known, locals: &locals };
    let mut scanner =
        Scanner { text, bound: &bound, scan, literal: 0, watching: 0, tags: 0, look_ahead: MAX_LOOK_AHEAD };
    let mut at = 0;
    while let Some(start) = next_open(text, at) {
        at = scanner.element(start);
        if scanner.is_too_much(start..at) {
            break;
        }
    }
    scanner.text_until(text.len());
    scanner.scan
}

/// How many bytes are read to find out whether an element inside `raw` could end after it.
const MAX_LOOK_AHEAD: usize = 16 << 20;

struct Scanner<'t, 'k> {
    text: &'t str,
    bound: &'k Bound<'k>,
    scan: Scan,
    /// Where the literal stretch that is being collected begins.
    literal: usize,
    /// How many of the open blocks can see the text inside them.
    watching: usize,
    /// The bytes of all tags so far.
    tags: usize,
    /// The rest of [`MAX_LOOK_AHEAD`].
    look_ahead: usize,
}

impl Scanner<'_, '_> {
    /// Whether the text is too much for Liquid, or for us, with the element at `span`.
    fn is_too_much(&mut self, span: Range<usize>) -> bool {
        if self.scan.effort.is_too_much() {
            self.scan.excess = Some(Excess::hard(span));
        } else if self.tags > MAX_TAGS || self.scan.pieces.len() > MAX_PIECES {
            self.scan.excess = Some(Excess::many(span));
        }
        self.scan.excess.is_some()
    }

    /// Takes the element that opens at `start`; returns where to go on.
    fn element(&mut self, start: usize) -> usize {
        let after_dollar = self.text[start..].starts_with("{{") && self.text[..start].ends_with('$');
        if after_dollar && let Some(left) = github::left_alone(self.text, start, self.bound, &mut self.scan.effort) {
            return self.verbatim(start - 1, left);
        }
        let Some(end) = end_of(self.text, start) else {
            // Unclosed: Liquid will say so. Nothing after it is certainly literal.
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

    /// A `${{ … }}` that is left as it is, but for the outputs inside it.
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
        // see, or is not an end to it, only Liquid knows where the block ends.
        let ends = is_bare(&self.text[end..], &[["end", block].concat()]);
        if !ends || may_reach_out(inside, &mut self.look_ahead) || block == "comment" && !is_plain(inside) {
            self.scan.movable = false;
        }
        let kind = if has_liquid(inside) { Kind::Quoted } else { Kind::Text };
        self.push(start..end, kind);
        end
    }

    fn push(&mut self, span: Range<usize>, kind: Kind) {
        self.text_until(span.start);
        self.literal = span.end;
        if kind == Kind::Liquid {
            self.tags += span.len();
        }
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
pub(crate) fn unclosed(text: &str, scan: &Scan) -> Option<Range<usize>> {
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

/// How many branches the open blocks, and how many parts a condition may have: Liquid recurses into them, too.
const MAX_BRANCHES: usize = 250;

/// What of a text is too much for Liquid, if anything is.
pub(crate) fn too_much(text: &str, scan: &Scan) -> Option<Excess> {
    if scan.excess.is_some() {
        return scan.excess.clone();
    }
    let mut nesting = Nesting::default();
    let (mut before, mut quoted, mut look_ahead) = (None, 0, MAX_LOOK_AHEAD);
    for piece in &scan.pieces {
        let stretch = &text[piece.span.clone()];
        match piece.kind {
            Kind::Liquid => {
                before = tag_name(stretch);
                if nesting.is_too_deep(stretch) {
                    return Some(Excess::deep(piece.span.clone()));
                }
            }
            Kind::Quoted => {
                // Where it stays in its place, Liquid's parser takes it apart.
                quoted += if scan.movable { 0 } else { stretch.len() };
                if quoted > MAX_TAGS {
                    return Some(Excess::many(piece.span.clone()));
                }
                match is_quoted_too_deep(stretch, before == Some("comment"), &mut look_ahead) {
                    Some(true) => return Some(Excess::deep(piece.span.clone())),
                    Some(false) => {}
                    None => return Some(Excess::hard(piece.span.clone())),
                }
            }
            Kind::Text | Kind::Verbatim => {}
        }
    }
    None
}

/// Whether Liquid would recurse too deeply into `raw` or `comment`: it parses the elements of both, and the blocks
/// of a comment. None where to find out takes more than `look_ahead` bytes.
fn is_quoted_too_deep(quoted: &str, is_comment: bool, look_ahead: &mut usize) -> Option<bool> {
    let (mut nesting, mut at, mut raw_until) = (Nesting::default(), 0, 0);
    while let Some(open) = next_open(quoted, at) {
        at = open + 2;
        let end = end_of(quoted, open).unwrap_or(quoted.len());
        *look_ahead = look_ahead.checked_sub(end - open)?;
        let element = &quoted[open..end];
        let is_tag = is_comment && open >= raw_until && element.starts_with("{%");
        if has_deep_brackets(element) || (is_tag && nesting.is_too_deep(element)) {
            return Some(true);
        }
        if is_tag && tag_name(element) == Some("raw") {
            raw_until = end_of_block(quoted, end, "raw").unwrap_or(quoted.len());
        }
    }
    Some(false)
}

/// How deep the elements of a text are.
#[derive(Default)]
struct Nesting {
    depth: usize,
    /// How many branches each open block has, and all of them.
    branches: Vec<usize>,
    all_branches: usize,
}

impl Nesting {
    /// Takes the next element; returns whether that is too deep.
    fn is_too_deep(&mut self, element: &str) -> bool {
        step(&mut self.depth, element, |name| BLOCKS.contains(&name));
        while self.branches.len() > self.depth + 1 {
            self.all_branches -= self.branches.pop().unwrap_or_default();
        }
        self.branches.resize(self.depth + 1, 0);
        if tag_name(element) == Some("elsif") {
            self.branches[self.depth] += 1;
            self.all_branches += 1;
        }
        self.depth > MAX_DEPTH
            || self.all_branches > MAX_BRANCHES
            || has_deep_brackets(element)
            || words(element).filter(|(word, _)| matches!(*word, "and" | "or")).count() > MAX_BRANCHES
    }
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
/// takes all that is before that, the end of the comment as well.
fn is_plain(comment: &str) -> bool {
    const NAMES: &[&str] = &["comment", "endcomment", "raw", "endraw"];
    comment.match_indices("{%").all(|(open, _)| is_bare(&comment[open..], NAMES))
}

/// The names that this text itself binds.
pub(crate) fn local_names(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut at = 0;
    while let Some(open) = next_open(text, at) {
        if let Some(name @ ("assign" | "capture" | "for" | "tablerow")) = tag_name(&text[open..]) {
            let inner = text[open..].split_once(name).map_or("", |(_, rest)| rest).trim_start_matches(WHITE_SPACE);
            let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(inner.len());
            names.insert(&inner[..end]);
        }
        // `{{%` has a tag in it.
        at = open + 1;
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
        let deep = |text: &str| too_much(text, &scan(text, &Known::new([]))).is_some();
        assert!(!deep(&nested(50)));
        assert!(deep(&nested(200_000)));
        assert!(deep(&"{% comment %}".repeat(200_000)));
        assert!(!deep(&format!("{{% raw %}}{}{{% endraw %}}", "{% if a %}".repeat(1000))));
        let others = |tag: &str| format!("{{% comment %}}{}{{% endcomment %}}", tag.repeat(1000));
        assert!(
            deep(&others("{% if a %}")) && deep(&others("{% elsif a %}")) && !deep(&others("{% if a %}{% endif %}"))
        );
        assert!(!deep(&format!(
            "{{% comment %}}{{% raw %}}{}{{% endraw %}}{{% endcomment %}}",
            "{% if a %}".repeat(1000)
        )));
        for block in ["raw", "comment"] {
            assert!(deep(&format!("{{% {block} %}}{{{{ {}{{% end{block} %}}", "a[".repeat(1000))));
        }
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let excess = |text: &str| scan(text, &Known::new([])).excess.map(|excess| excess.title);
        assert_eq!(excess(&"{{ a }}".repeat(30_000)), None);
        assert_eq!(excess(&"{{ a }}".repeat(300_000)), Some(Excess::many(0..0).title));
        assert_eq!(excess(&"${{ a }}".repeat(300_000)), Some(Excess::many(0..0).title));
        assert_eq!(excess(&"${{ a {{ b }} ".repeat(70_000)), Some(Excess::hard(0..0).title));
        assert_eq!(excess(&"${{ 'a' 'b' }} ".repeat(5_000)), Some(Excess::hard(0..0).title));
        assert_eq!(excess(&"${{ a && 'b' }} ".repeat(5_000)), None);
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
        let is_too_deep = |text: &str| too_much(text, &scan(text, &known)).is_some();
        let chain = |branches: usize| format!("{{% if a %}}{}{{% endif %}}", "{% elsif b %}x".repeat(branches));
        assert!(!is_too_deep(&chain(200)) && is_too_deep(&chain(300)));
        assert!(!is_too_deep(&chain(200).repeat(3)));
        let condition = |parts: usize| format!("{{% if a {}%}}x{{% endif %}}", "or a ".repeat(parts));
        assert!(!is_too_deep(&condition(200)) && is_too_deep(&condition(300)));
        assert!(is_too_deep(&condition(300).replace("or a ", "or'a'")));
        assert!(!is_too_deep("{{ 'or or or' }}"));
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
