//! The differences between expected and actual output, for a person: the beginning of it, and how much more there is.

use std::collections::BTreeSet;

use similar::{DiffOp, group_diff_ops};

use crate::diff;
use crate::limits::MERGED;
use crate::terminal::beginning;
use crate::tree::{Entry, RelPath, Tree};

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;
/// The longest part of a line that is shown, in bytes.
const LINE: usize = 400;

/// What is shown of all the differences of a run: the first lines, and how many more there are.
#[derive(Debug)]
pub(super) struct Shown {
    /// How many lines may still be shown.
    left: usize,
    hidden: usize,
}

impl Default for Shown {
    fn default() -> Self {
        Self { left: 2_000, hidden: 0 }
    }
}

impl Shown {
    /// Returns how many lines were not shown.
    pub(super) fn hidden(&self) -> usize {
        self.hidden
    }

    fn part(&mut self) -> Part<'_> {
        // One case, or one file, must not hide all others.
        Part { most: PART, text: String::new(), hidden: 0, shown: self }
    }
}

/// The most lines that are shown of one case.
const PART: usize = 500;

/// The part of one case that is shown.
struct Part<'s> {
    most: usize,
    text: String,
    hidden: usize,
    shown: &'s mut Shown,
}

impl Part<'_> {
    /// Whether no further line is shown.
    fn is_full(&self) -> bool {
        self.most == 0 || self.shown.left == 0
    }

    fn line(&mut self, mark: &str, line: &str) {
        if self.is_full() {
            self.hidden += 1;
            return;
        }
        self.most -= 1;
        self.shown.left -= 1;
        self.text.push_str(mark);
        self.text.push_str(&shortened(line));
        self.text.push('\n');
    }

    fn finish(mut self) -> String {
        if self.hidden > 0 {
            let lines = if self.hidden == 1 { "line" } else { "lines" };
            self.text.push_str(&format!("… and {} more {lines}\n", self.hidden));
            self.shown.hidden += self.hidden;
        }
        self.text
    }
}

/// A line as it is shown; what acts on a terminal is spelled out where lines are printed.
fn shortened(line: &str) -> std::borrow::Cow<'_, str> {
    if line.len() <= LINE { line.into() } else { beginning(line, LINE) }
}

/// The parts of two cases, or of the expected and the actual outcome of one.
pub(super) struct Outcome<'a> {
    /// The files.
    pub(super) tree: &'a Tree,
    /// The output of an upgrade.
    pub(super) summary: Option<&'a [u8]>,
}

/// A patch from what is expected to what was made: by `verb`, such as "rendered". Empty where nothing differs.
pub(super) fn between(expected: &Outcome<'_>, made: &Outcome<'_>, verb: &str, shown: &mut Shown) -> String {
    let mut part = shown.part();
    let paths: BTreeSet<&RelPath> = expected.tree.keys().chain(made.tree.keys()).collect();
    for path in paths {
        entries(&mut part, path, [expected.tree.get(path), made.tree.get(path)], verb);
    }
    if let (Some(expected), Some(made)) = (expected.summary, made.summary) {
        bytes(
            &mut part,
            [expected, made],
            &["expected summary.txt".to_owned(), "the output of the upgrade".to_owned()],
        );
    }
    part.finish()
}

fn entries(part: &mut Part<'_>, path: &RelPath, both: [Option<&Entry>; 2], verb: &str) {
    match both {
        [Some(_), None] => part.line("missing: ", path.as_str()),
        [None, Some(_)] => part.line("unexpected: ", path.as_str()),
        [Some(expected), Some(made)] if expected.mode() != made.mode() => {
            let (expected, made) = (expected.mode().as_str(), made.mode().as_str());
            part.line("mode: ", &format!("{path} is {made}, expected {expected}"));
        }
        [Some(expected), Some(made)] => {
            bytes(part, [expected.bytes(), made.bytes()], &[format!("expected/{path}"), format!("{verb}/{path}")]);
        }
        [None, None] => {}
    }
}

/// A patch between two versions of a file, with the names of both.
fn bytes(part: &mut Part<'_>, [expected, made]: [&[u8]; 2], [old, new]: &[String; 2]) {
    if expected == made {
        return;
    }
    if part.is_full() || [expected, made].iter().any(|side| side.len() as u64 > MERGED) {
        // What is not shown is not compared line by line either.
        part.line("differs: ", new);
        return;
    }
    let [expected_lines, made_lines] = [expected, made].map(lines);
    let groups = group_diff_ops(diff::ops(&expected_lines, &made_lines), CONTEXT);
    part.line("--- ", old);
    part.line("+++ ", new);
    groups.iter().for_each(|group| hunk(part, group, &expected_lines, &made_lines));
}

fn hunk(part: &mut Part<'_>, ops: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) {
    let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return };
    let range = |start: usize, end: usize| match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    };
    let old_range = range(first.old_range().start, last.old_range().end);
    let new_range = range(first.new_range().start, last.new_range().end);
    part.line("", &format!("@@ -{old_range} +{new_range} @@"));
    for op in ops {
        let sides: [(&str, &[&[u8]]); 2] = match op {
            DiffOp::Equal { .. } => [(" ", &old[op.old_range()]), ("", &[])],
            _ => [("-", &old[op.old_range()]), ("+", &new[op.new_range()])],
        };
        for (mark, lines) in sides {
            lines.iter().for_each(|line| marked(part, mark, line));
        }
    }
}

fn marked(part: &mut Part<'_>, mark: &str, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    match text.strip_suffix('\n') {
        Some(text) => part.line(mark, text),
        None => {
            part.line(mark, &text);
            part.line("", "\\ No newline at end of file");
        }
    }
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: impl IntoIterator<Item = (String, String)>) -> Tree {
        let entry = |text: String| Entry::File { bytes: text.into(), executable: false };
        files.into_iter().map(|(path, text)| (RelPath::new(path).unwrap(), entry(text))).collect()
    }

    fn shown(expected: &Tree, made: &Tree, shown: &mut Shown) -> String {
        let [expected, made] = [expected, made].map(|tree| Outcome { tree, summary: None });
        between(&expected, &made, "rendered", shown)
    }

    #[test]
    fn after_the_first_lines_of_a_case_the_rest_is_counted() {
        let lines = |line: &str| tree([("a.txt".to_owned(), format!("{line}\n").repeat(5_000))]);
        let mut all = Shown::default();
        let text = shown(&lines("one"), &lines("two"), &mut all);
        assert_eq!(text.lines().count(), PART + 1);
        assert!(text.ends_with("-one\n… and 9503 more lines\n"), "{}", &text[text.len() - 100..]);
        assert_eq!(all.hidden(), 9_503);
        // The cases after it have lines of their own, until there are very many.
        let shown: Vec<usize> = (0..6).map(|_| shown(&lines("one"), &lines("two"), &mut all).lines().count()).collect();
        assert_eq!(shown, [PART + 1, PART + 1, PART + 1, 1, 1, 1]);
    }

    #[test]
    fn many_files_and_long_lines_are_not_shown_as_a_whole() {
        let many = tree((0..10_000).map(|n| (format!("{n}.txt"), String::new())));
        let text = shown(&many, &Tree::new(), &mut Shown::default());
        assert_eq!(text.lines().next_back(), Some("… and 9500 more lines"));
        let long = tree([("a".to_owned(), "x".repeat(1 << 20))]);
        let text = shown(&long, &tree([("a".to_owned(), String::new())]), &mut Shown::default());
        assert!(text.len() < 2 * LINE && text.contains("xx…\n\\ No newline"), "{text}");
        let huge = tree([("a".to_owned(), "x\n".repeat(5 << 20))]);
        assert_eq!(shown(&huge, &long, &mut Shown::default()), "differs: rendered/a\n");
    }
}
