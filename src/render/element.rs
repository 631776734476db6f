//! What a single tag or output looks like.

/// White space as Liquid's grammar has it; tabs are text.
pub(super) const WHITE_SPACE: [char; 3] = [' ', '\n', '\r'];

/// Tags that open a block.
pub(super) const BLOCKS: &[&str] =
    &["if", "unless", "for", "case", "capture", "tablerow", "ifchanged", "raw", "comment"];

/// Every tag of the dialect, with those that close or divide a block.
pub(super) const TAGS: &[&str] = &[
    "assign",
    "break",
    "capture",
    "case",
    "comment",
    "continue",
    "cycle",
    "decrement",
    "else",
    "elsif",
    "endcapture",
    "endcase",
    "endcomment",
    "endfor",
    "endif",
    "endraw",
    "endtablerow",
    "endunless",
    "for",
    "if",
    "ifchanged",
    "increment",
    "raw",
    "tablerow",
    "unless",
    "when",
];

/// Whether the text has any Liquid at all.
pub(super) fn has_liquid(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Where the next `{{` or `{%` at or after `from` begins.
pub(super) fn next_open(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(brace) = bytes.get(at..)?.iter().position(|&byte| byte == b'{') {
        at += brace;
        if matches!(bytes.get(at + 1), Some(b'{' | b'%')) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Where the tag or output that opens at `start` ends, quoted text skipped.
pub(super) fn end_of(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let close = if bytes.get(start + 1)? == &b'{' { b"}}" } else { b"%}" };
    let mut at = start + 2;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at += 1 + bytes[at + 1..].iter().position(|&byte| byte == quote)? + 1,
            _ if bytes[at..].starts_with(close) => return Some(at + 2),
            _ => at += 1,
        }
    }
    None
}

/// The name of a tag, `None` for an output.
pub(super) fn tag_name(element: &str) -> Option<&str> {
    let inner = element.strip_prefix("{%")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner).trim_start_matches(WHITE_SPACE);
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    Some(&inner[..end])
}

/// Whether an element that opens in this text could end behind it; also true where to find out would take too long.
pub(super) fn may_reach_out(text: &str) -> bool {
    const MOST_BYTES: usize = 1 << 24;
    let (mut at, mut read) = (0, 0);
    while let Some(open) = next_open(text, at) {
        let Some(end) = end_of(text, open) else { return true };
        read += end - open;
        if read > MOST_BYTES {
            return true;
        }
        at = open + 2;
    }
    false
}
