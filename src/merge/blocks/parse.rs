//! Finds the blocks of a file: what is between `create-app:begin NAME` and `create-app:end NAME`.

use std::collections::HashSet;
use std::ops::Range;

use crate::merge::text::lines;
use crate::plan::BlockProblem;
use crate::tree::RelPath;

/// A block of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) name: String,
    /// Whether it goes after the first heading of a file that lacks it.
    pub(super) top: bool,
    /// The block with its markers' lines, in bytes of the file.
    pub(super) whole: Range<usize>,
    /// The text between the markers' lines.
    pub(super) inner: Range<usize>,
}

/// How comments begin, and how they end where they do before the line's end.
const COMMENTS: &[(&str, &str)] =
    &[("<!--", "-->"), ("/*", "*/"), ("{/*", "*/}"), ("#", ""), ("//", ""), ("--", ""), (";", ""), ("%", "")];

/// The file's own comments: in Markdown and its like, `#` begins a heading.
fn comments(path: &RelPath) -> &'static [(&'static str, &'static str)] {
    if is_markup(path) { &COMMENTS[..1] } else { COMMENTS }
}

/// Whether the file is Markdown or HTML.
pub(super) fn is_markup(path: &RelPath) -> bool {
    let name = path.file_name().to_lowercase();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| matches!(extension, "md" | "markdown" | "html" | "htm" | "xml" | "svg"))
}

/// The blocks of a file, in order.
///
/// # Errors
///
/// Says which marker cannot be understood.
pub(super) fn parse(path: &RelPath, bytes: &[u8]) -> Result<Vec<Block>, BlockProblem> {
    let comments = comments(path);
    let mut fence = Fence::new(path);
    let mut blocks: Vec<Block> = Vec::new();
    let mut names = HashSet::new();
    let mut open: Option<(usize, Block)> = None;
    let mut at = 0;
    for (index, text) in lines(bytes).enumerate() {
        let (line, start) = (index + 1, at);
        at += text.len();
        if fence.contains(text) {
            continue;
        }
        let Some(marker) = marker(text, comments) else { continue };
        let Some(name) = marker.name else { return Err(BlockProblem::Nameless { line }) };
        match (marker.begins, open.take()) {
            (true, Some(_)) => return Err(BlockProblem::Nested { line }),
            (true, None) if names.contains(&name) => return Err(BlockProblem::Duplicate { line }),
            (true, None) => {
                let block = Block { name, top: marker.top, whole: start..at, inner: at..at };
                open = Some((line, block));
            }
            (false, Some((_, mut block))) if block.name == name => {
                block.inner.end = start;
                block.whole.end = at;
                names.insert(name);
                blocks.push(block);
            }
            (false, _) => return Err(BlockProblem::Unbalanced { line }),
        }
    }
    match open {
        Some((line, _)) => Err(BlockProblem::Unbalanced { line }),
        None => Ok(blocks),
    }
}

struct Marker {
    begins: bool,
    name: Option<String>,
    top: bool,
}

/// The marker that a line is: a comment of its own.
fn marker(line: &[u8], comments: &[(&str, &str)]) -> Option<Marker> {
    let line = std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}').trim();
    let text = comments.iter().find_map(|(begin, end)| line.strip_prefix(begin)?.strip_suffix(end))?.trim();
    let (begins, rest) = match text.strip_prefix("create-app:begin") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("create-app:end")?),
    };
    if rest.starts_with(|c: char| !c.is_whitespace()) {
        return None;
    }
    let mut words = rest.split_whitespace();
    let name = words.next().map(str::to_owned);
    Some(Marker { begins, name, top: words.any(|word| word == "top") })
}

/// Tells which lines of a Markdown file are code: markers there are examples.
pub(super) struct Fence {
    is_markdown: bool,
    open: Option<(u8, usize)>,
}

impl Fence {
    pub(super) fn new(path: &RelPath) -> Self {
        let name = path.file_name().to_lowercase();
        Self { is_markdown: name.ends_with(".md") || name.ends_with(".markdown"), open: None }
    }

    /// Whether the next line is code, or begins or ends it.
    pub(super) fn contains(&mut self, line: &[u8]) -> bool {
        if !self.is_markdown {
            return false;
        }
        let text = line.trim_ascii();
        let character = text.first().copied().filter(|first| b"`~".contains(first));
        let length = text.iter().take_while(|&&byte| Some(byte) == character).count();
        match (self.open, character) {
            (None, Some(character)) if length >= 3 => {
                self.open = Some((character, length));
                true
            }
            (None, _) => false,
            (Some((opening, least)), Some(character)) => {
                if character == opening && length >= least && length == text.len() {
                    self.open = None;
                }
                true
            }
            (Some(_), None) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Result<Vec<String>, BlockProblem> {
        let blocks = parse(&RelPath::new(path).unwrap(), text.as_bytes())?;
        let name = |block: Block| {
            let top = if block.top { "^" } else { "" };
            format!("{}{top}={}", block.name, &text[block.inner])
        };
        Ok(blocks.into_iter().map(name).collect())
    }

    #[test]
    fn every_comment_syntax_has_markers() {
        let cases = [
            ("a.md", "<!-- ", " -->"),
            ("a.html", "<!--", "-->"),
            ("a.css", "/* ", " */"),
            ("a.tsx", "{/* ", " */}"),
            ("a.sh", "# ", ""),
            ("a.ts", "  // ", ""),
            ("a.sql", "-- ", ""),
            ("a.ini", "; ", ""),
            ("a.tex", "% ", ""),
        ];
        for (path, begin, end) in cases {
            let text = format!("x\r\n{begin}create-app:begin a{end}\r\nin\r\n{begin}create-app:end a{end}");
            assert_eq!(names(path, &text), Ok(vec!["a=in\r\n".into()]), "{path}");
        }
    }

    #[test]
    fn other_lines_are_no_markers() {
        for text in [
            "// create-app:beginner a",
            "create-app:begin a",
            "x // create-app:begin a",
            "/* create-app:begin a",
            "\u{80}",
        ] {
            assert_eq!(names("a.ts", text), Ok(vec![]), "{text}");
        }
        assert_eq!(names("a.md", "# create-app:begin a"), Ok(vec![]));
        assert_eq!(parse(&RelPath::new("a").unwrap(), b"# \xff create-app:begin a\n"), Ok(vec![]));
    }

    #[test]
    fn code_in_markdown_is_an_example() {
        let text = "```html\n<!-- create-app:begin a -->\n~~~\n```x\n```\n<!-- create-app:begin b top -->\n<!-- create-app:end b -->\n";
        assert_eq!(names("a.md", text), Ok(vec!["b^=".into()]));
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        use BlockProblem as P;
        let cases = [
            ("#create-app:begin a\n", P::Unbalanced { line: 1 }),
            ("\n#create-app:end a\n", P::Unbalanced { line: 2 }),
            ("#create-app:begin a\n#create-app:end b\n", P::Unbalanced { line: 2 }),
            ("#create-app:begin a\n#create-app:begin b\n", P::Nested { line: 2 }),
            ("#create-app:begin a\n#create-app:end a\n#create-app:begin a\n", P::Duplicate { line: 3 }),
            ("#create-app:begin\n", P::Nameless { line: 1 }),
        ];
        for (text, problem) in cases {
            assert_eq!(names("a", text), Err(problem), "{text}");
        }
    }
}
