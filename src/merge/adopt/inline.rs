//! A literal in one line: `profiles: { dev: {}, prod: {} },`.

use std::ops::Range;

use super::slots::{code, key};

/// A line with what its literal lacked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) line: String,
    /// The keys that have a different value in each.
    pub(super) differing: Vec<String>,
}

/// Puts the entries that a line's literal lacks into it, each after the one that it follows. Every character of the line
/// stays, in order. Nothing where the line is not a literal whose entries can be told apart.
pub(super) fn widen(line: &str, theirs: &[(&str, String)]) -> Option<Missing> {
    if line.contains(['`', '\\']) || line.contains("/*") {
        return None;
    }
    let code = line.split(" // ").next()?;
    let open = code.find('{')?;
    let entries = entries(code, open + 1)?;
    let ours = |wanted: &str| entries.iter().position(|entry| key(&line[entry.clone()]) == wanted);
    let mut inserted: Vec<(usize, String)> = Vec::new();
    let mut differing = Vec::new();
    let mut after = None;
    for (key, text) in theirs {
        match ours(key) {
            Some(at) => {
                if flat(&line[entries[at].clone()]).replace('\'', "\"") != text.replace('\'', "\"") {
                    differing.push((*key).to_owned());
                }
                after = Some(at);
            }
            None => inserted.push((after.map_or(0, |at: usize| at + 1), text.clone())),
        }
    }
    Some(Missing { line: put(line, open + 1, &entries, &inserted), differing })
}

fn put(line: &str, start: usize, entries: &[Range<usize>], inserted: &[(usize, String)]) -> String {
    let (mut out, mut from) = (line[..start].to_owned(), start);
    for at in 0..=entries.len() {
        let texts: Vec<&str> = inserted.iter().filter(|(place, _)| *place == at).map(|(_, text)| &**text).collect();
        if !texts.is_empty() {
            let texts = texts.join(", ");
            if let Some(next) = entries.get(at) {
                out.push_str(&line[from..next.start]);
                out.push_str(&format!("{texts}, "));
                from = next.start;
            } else if let Some(last) = entries.last() {
                out.push_str(&line[from..last.end]);
                out.push_str(&format!(", {texts}"));
                from = last.end;
            } else {
                out.push_str(&format!(" {texts} "));
                from += line[from..].find('}').unwrap_or_default();
            }
        }
    }
    out + &line[from..]
}

/// The entries of the literal that begins at `start`, without white space around them; it must end in the line, and be
/// followed by brackets, commas and the like alone.
fn entries(line: &str, start: usize) -> Option<Vec<Range<usize>>> {
    let (mut entries, mut from, mut open, mut quote) = (Vec::new(), start, Vec::new(), None);
    let mut push = |range: Range<usize>| {
        let text = &line[range.clone()];
        let begin = range.start + text.len() - text.trim_start().len();
        if !text.trim().is_empty() {
            entries.push(begin..begin + text.trim().len());
        }
    };
    for (at, character) in line[start..].char_indices().map(|(at, character)| (start + at, character)) {
        match (quote, character) {
            (Some(end), _) if end != character => {}
            (Some(_), _) => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '[' | '{') => open.push(character),
            (None, ',') if open.is_empty() => {
                push(from..at);
                from = at + 1;
            }
            (None, ')' | ']' | '}') if open.pop().is_none() => {
                push(from..at);
                let ends = line[at + 1..].trim().trim_matches([')', ',', ';', '}']).trim();
                let is_literal = character == '}' && ["", "as const"].contains(&ends);
                return is_literal.then_some(entries);
            }
            _ => {}
        }
    }
    None
}

/// An entry in one line, without comments and the comma after it.
pub(super) fn flat(text: &str) -> String {
    let lines = text.lines().map(code).filter(|line| !line.starts_with("//"));
    let text = lines.collect::<Vec<_>>().join(" ");
    let text = text.trim().trim_end_matches(',').replace(", }", " }");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widened(line: &str) -> Option<(String, Vec<String>)> {
        let theirs = [("staging", "staging: { domain: \"s\" }".to_owned()), ("prod", "prod: {}".to_owned())];
        widen(line, &theirs).map(|missing| (missing.line, missing.differing))
    }

    fn line(text: &str) -> String {
        widened(text).unwrap().0
    }

    #[test]
    fn an_entry_comes_behind_the_one_that_it_follows() {
        assert_eq!(line("a: { dev: {}, prod: {} },\n"), "a: { staging: { domain: \"s\" }, dev: {}, prod: {} },\n");
        assert_eq!(line("a: { staging: 1 }"), "a: { staging: 1, prod: {} }");
        assert_eq!(line("a: {}, // c"), "a: { staging: { domain: \"s\" }, prod: {} }, // c");
        assert_eq!(line("{ x: \"}\", staging: [1, 2], }"), "{ x: \"}\", staging: [1, 2], prod: {}, }");
    }

    #[test]
    fn values_that_differ_are_named() {
        assert_eq!(widened("a: { staging: 1, prod: {} }").unwrap().1, ["staging"]);
        assert_eq!(widened("a: { staging: {  domain: \"s\" }, prod: {} }").unwrap().1, [""; 0]);
    }

    #[test]
    fn what_is_no_literal_of_one_line_is_left() {
        for line in
            ["a: 1,", "a: {", "a: f({ b: 1 }, 2),", "a: { `}` }", "a: { b: \"\\\"}\" }", "a: { b: c }.d,", "a: 1, // {"]
        {
            assert_eq!(widened(line), None, "{line}");
        }
    }

    #[test]
    fn a_value_of_several_lines_becomes_one() {
        assert_eq!(flat("// c\nstaging: {\n  // d\n  domain: \"s\", // e\n},\n"), "staging: { domain: \"s\" }");
    }
}
