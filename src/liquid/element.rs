//! The syntax of a single tag or output.

/// White space as Liquid's grammar has it; tabs are text.
pub(crate) const WHITE_SPACE: [char; 3] = [' ', '\n', '\r'];

/// Tags that open a block.
pub(crate) const BLOCKS: &[&str] =
    &["if", "unless", "for", "case", "capture", "tablerow", "ifchanged", "raw", "comment"];

/// Every tag of the dialect, with those that close or divide a block.
pub(crate) const TAGS: &[&str] = &[
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
pub(crate) fn has_liquid(text: &str) -> bool {
    next_open(text, 0).is_some()
}

/// Where the next `{{` or `{%` at or after `from` begins.
pub(crate) fn next_open(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut braces = memchr::memchr_iter(b'{', bytes.get(from..)?).map(|brace| from + brace);
    braces.find(|brace| matches!(bytes.get(brace + 1), Some(b'{' | b'%')))
}

/// Where the tag or output that opens at `start` ends, quoted text skipped.
pub(crate) fn end_of(text: &str, start: usize) -> Option<usize> {
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
pub(crate) fn tag_name(element: &str) -> Option<&str> {
    let inner = element.strip_prefix("{%")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner).trim_start_matches(WHITE_SPACE);
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    Some(&inner[..end])
}

/// The identifiers of a tag outside quotes, each with the last character before it that is not white space.
pub(crate) fn words(element: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    let mut rest = element;
    let mut before = None;
    std::iter::from_fn(move || {
        loop {
            let c = rest.chars().next()?;
            if c.is_ascii_alphabetic() || c == '_' {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
                let word = rest[..end].trim_end_matches('-');
                let found = (word, before);
                before = Some('a');
                rest = &rest[word.len()..];
                return Some(found);
            }
            let skip = match c {
                '"' | '\'' => rest[1..].find(c).map_or(rest.len(), |end| end + 2),
                _ => c.len_utf8(),
            };
            if !c.is_whitespace() {
                before = Some(c);
            }
            rest = &rest[skip..];
        }
    })
}

/// Whether an element that opens in this text could end after it; also true where to find out takes more than `bytes`, which it
/// reduces by what it took.
pub(crate) fn may_reach_out(text: &str, bytes: &mut usize) -> bool {
    let mut at = 0;
    while let Some(open) = next_open(text, at) {
        let Some(end) = end_of(text, open) else { return true };
        match bytes.checked_sub(end - open) {
            Some(left) => *bytes = left,
            None => return true,
        }
        at = open + 2;
    }
    false
}

/// How deeply brackets may be nested in each other, and blocks: Liquid recurses into both.
pub(crate) const MAX_DEPTH: usize = 100;

/// Whether brackets are nested too deeply in an element: `{{ a[b[c[…`.
pub(crate) fn has_deep_brackets(element: &str) -> bool {
    let bytes = element.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b'"' | b'\'' => at += bytes[at + 1..].iter().position(|&other| other == byte).map_or(0, |end| end + 1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_where_they_are_in_each_other() {
        let nested = |depth: usize| format!("{{{{ {}b{} }}}}", "a[']'][".repeat(depth), "]".repeat(depth));
        assert!(!has_deep_brackets(&nested(MAX_DEPTH)) && has_deep_brackets(&nested(MAX_DEPTH + 1)));
        assert!(!has_deep_brackets(&format!("{{{{ {} }}}}", "a[b].c".repeat(1000))));
        assert!(!has_deep_brackets(&format!("{{{{ '{}' }}}}", "[".repeat(1000))));
        assert!(!has_deep_brackets("{{ a['") && has_deep_brackets(&format!("{{{{ '{}", "[".repeat(1000))));
    }
}
