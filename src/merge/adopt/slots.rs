//! The outline of a source file: slots, each with its comments, its head, the deeper lines below it, and its closer.

use std::collections::BTreeMap;
use std::ops::Range;

/// A declaration, a statement or an entry of a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// The key to match it by.
    pub(super) key: String,
    /// All its lines; blank lines and comments above the head are its own.
    pub(super) lines: Range<usize>,
    /// The line of the head.
    pub(super) head: usize,
    /// The deeper lines; empty where there are none.
    pub(super) body: Range<usize>,
}

impl Slot {
    /// The slot's lines without blank ones above it.
    pub(super) fn text(&self, lines: &[&str]) -> String {
        let own = &lines[self.lines.clone()];
        let start = own.iter().take_while(|line| line.trim().is_empty()).count();
        own[start..].concat()
    }

    /// The slot's lines without its comments and white space, and without the comma after it; all quotes are the same.
    pub(super) fn code(&self, lines: &[&str]) -> String {
        let lines = lines[self.lines.clone()].iter().map(|line| code(line)).filter(|line| !is_comment(line));
        lines.collect::<Vec<_>>().join(" ").trim().trim_end_matches([',', ';']).replace('\'', "\"")
    }

    /// The text after the key, in a slot of one line.
    pub(super) fn value<'t>(&self, lines: &[&'t str]) -> &'t str {
        let head = code(lines[self.head]).trim_end_matches([',', ';']);
        let value = head.split_once([':', '=']).filter(|_| self.body.is_empty());
        value.map_or("", |(_, value)| value.trim())
    }

    /// Whether it brings a name from elsewhere.
    pub(super) fn is_import(&self, lines: &[&str]) -> bool {
        let head = lines[self.head].trim_start();
        ["import ", "import{", "from ", "use ", "export * from"].iter().any(|word| head.starts_with(word))
    }

    /// Whether its body is made of slots as well: the entries of a literal, or the members of a type. The bodies of
    /// functions are not.
    pub(super) fn nests(&self, lines: &[&str]) -> Option<Nesting> {
        if self.body.is_empty() {
            return None;
        }
        let head = code(lines[self.head]);
        let before = head.strip_suffix(['{', '[', '('])?.trim_end();
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if before.is_empty() || before.ends_with([':', '=', '(', '[', ',']) || matches!(word, "default" | "return") {
            return Some(Nesting::Literal);
        }
        const TYPES: &[&str] = &["class", "interface", "enum", "impl", "struct", "trait", "mod", "namespace", "@media"];
        let is_type = before.split_whitespace().any(|word| TYPES.contains(&word)) && !before.contains('(');
        is_type.then_some(Nesting::Members)
    }
}

/// What the slots of a body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Entries, with commas between them.
    Literal,
    /// Members of a type.
    Members,
}

/// A line without its comment and white space.
pub(super) fn code(line: &str) -> &str {
    let line = line.find(" // ").map_or(line, |at| &line[..at]);
    line.trim()
}

fn is_comment(line: &str) -> bool {
    ["//", "/*", "*", "#", "--", "<!--"].iter().any(|begin| line.trim_start().starts_with(begin))
}

fn is_closer(line: &str) -> bool {
    line.trim_start().starts_with(['}', ')', ']'])
}

/// The white space before a line.
pub(in crate::merge) fn margin(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn indent(line: &str) -> usize {
    margin(line).len()
}

/// The slots of some lines, in order. Keys are unique: an ambiguous one becomes the whole head, with its number.
pub(super) fn slots(lines: &[&str], range: Range<usize>) -> Vec<Slot> {
    let level = lines[range.clone()].iter().filter(|line| !line.trim().is_empty()).map(|line| indent(line)).min();
    let level = level.unwrap_or_default();
    let mut slots = Vec::new();
    let (mut start, mut at) = (range.start, range.start);
    while at < range.end {
        let line = lines[at];
        if line.trim().is_empty() || (is_comment(line) && !line.starts_with("#!")) {
            at += 1;
            continue;
        }
        let head = at;
        let (body, end) = extent(lines, head, range.end, level);
        slots.push(Slot { key: key(line), lines: start..end, head, body });
        (start, at) = (end, end);
    }
    slots
}

/// The deeper lines below a head, and the end of the slot, after its closers.
fn extent(lines: &[&str], head: usize, end: usize, level: usize) -> (Range<usize>, usize) {
    let deeper = |from: usize| {
        let mut last = from;
        for (at, line) in lines.iter().enumerate().take(end).skip(from) {
            if line.trim().is_empty() {
                continue;
            }
            if indent(line) <= level {
                break;
            }
            last = at + 1;
        }
        last
    };
    let body = head + 1..deeper(head + 1);
    let mut at = body.end;
    while at < end && is_closer(lines[at]) && indent(lines[at]) == level {
        at = deeper(at + 1);
    }
    (body, at)
}

/// The key of a module's only default export, however it is written.
pub(super) const DEFAULT: &str = "export default";

/// The text before `:`, `=`, `{` or `(`, without the quotes that a key may have.
pub(super) fn key(head: &str) -> String {
    let head = code(head);
    if head.starts_with("export default ") {
        return DEFAULT.to_owned();
    }
    let key = head.split([':', '=', '{', '(']).next().unwrap_or_default().trim_end_matches([',', ';']).trim();
    let key = key.trim_matches(['"', '\'']);
    if key.is_empty() { head.to_owned() } else { key.to_owned() }
}

/// Where the default export is a name, what it names is it: `const config = {…}` above `export default config`.
pub(super) fn find_default(slots: &mut [Slot], lines: &[&str]) {
    let exported = slots.iter().position(|slot| slot.key == DEFAULT);
    let name = |at: usize| {
        let name = code(lines[slots[at].head]).strip_prefix(DEFAULT)?.trim_end_matches(';').trim();
        name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$').then(|| format!("const {name}"))
    };
    let Some((at, name)) = exported.and_then(|at| Some((at, name(at)?))) else { return };
    if let Some(named) = slots.iter().position(|slot| slot.key == name) {
        slots[at].key = code(lines[slots[at].head]).to_owned();
        slots[named].key = DEFAULT.to_owned();
    }
}

/// Makes the keys of both sides unique, and imports be known by all of their text.
pub(super) fn tell_apart(sides: [(&mut Vec<Slot>, &[&str]); 2]) {
    let mut counts: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for (side, (slots, _)) in sides.iter().enumerate() {
        slots.iter().for_each(|slot| *counts.entry((side, slot.key.clone())).or_default() += 1);
    }
    let ambiguous = |key: &str| (0..2).any(|side| counts.get(&(side, key.to_owned())).is_some_and(|&n| n > 1));
    for (slots, lines) in sides {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for slot in slots {
            if slot.is_import(lines) {
                slot.key = slot.text(lines).split_whitespace().collect::<Vec<_>>().join(" ");
            } else if ambiguous(&slot.key) {
                let head = code(lines[slot.head]).to_owned();
                let count = seen.entry(head.clone()).or_default();
                *count += 1;
                slot.key = format!("{head} {count}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> Vec<String> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let slots = slots(&lines, 0..lines.len());
        slots.iter().map(|slot| format!("{} {:?} {:?}", slot.key, slot.lines, slot.body)).collect()
    }

    #[test]
    fn a_slot_is_its_comments_head_body_and_closer() {
        let text =
            "// c\nexport default {\n  a: 1,\n\n  b: 2,\n};\n\nconst x = 1;\nif (x) {\n  y()\n} else {\n  z()\n}\n";
        assert_eq!(outline(text), ["export default 0..6 2..5", "const x 6..8 8..8", "if 8..13 9..10"]);
    }

    #[test]
    fn only_literals_and_types_nest() {
        let nests = |head: &str| {
            let lines = [head, "  x\n", "}\n"];
            slots(&lines, 0..3)[0].nests(&lines)
        };
        for head in
            ["a: {\n", "const a = [\n", "export default defineConfig({\n", "export default { // c\n", "return {\n"]
        {
            assert_eq!(nests(head), Some(Nesting::Literal), "{head}");
        }
        assert_eq!(nests("export class A {\n"), Some(Nesting::Members));
        for head in ["function a() {\n", "if (a) {\n", "const f = () => {\n", "a\n"] {
            assert_eq!(nests(head), None, "{head}");
        }
    }
}
