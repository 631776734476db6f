//! Puts the slots that only the template has into the project's source file, and leaves every line of it alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::inline::{self, Missing};
use super::margins::Margins;
use super::slots::{DEFAULT, Nesting, Slot, code, find_default, margin, slots, tell_apart};
use crate::plan::Subject;
use crate::tree::RelPath;

/// Files whose slots can be told by their indentation and brackets.
const EXTENSIONS: &[&str] = &[
    "ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "css", "scss", "rs", "go", "java", "kt", "swift", "c", "h",
    "cpp", "cs", "py", "tf", "hcl",
];

/// The project's file with the template's missing slots, and what the user should know of it. Nothing where the two are
/// not alike enough, or where the result could not be right.
pub(super) fn merge(path: &RelPath, ours: &str, theirs: &str) -> Option<(String, Vec<Subject>)> {
    let extension = path.file_name().rsplit_once('.')?.1;
    if !EXTENSIONS.contains(&extension) || !is_balanced(ours) || !is_balanced(theirs) {
        return None;
    }
    let [ours, theirs] = [ours, theirs].map(|text| text.split_inclusive('\n').collect::<Vec<&str>>());
    let mut outline = Outline {
        ours: &ours,
        theirs: &theirs,
        margins: Margins::new(&ours, &theirs),
        inserted: BTreeMap::new(),
        widened: BTreeMap::new(),
        imports: Vec::new(),
        notes: Vec::new(),
    };
    outline.level(0..ours.len(), 0..theirs.len(), None, "")?;
    outline.import();
    let text = outline.text();
    is_balanced(&text).then_some((text, outline.notes))
}

struct Outline<'t> {
    ours: &'t [&'t str],
    theirs: &'t [&'t str],
    margins: Margins<'t>,
    /// What goes before which line of ours.
    inserted: BTreeMap<usize, String>,
    /// Lines of ours that hold a whole literal, with what it lacked.
    widened: BTreeMap<usize, String>,
    /// Imports that ours lacks: before which line they would go, and their text.
    imports: Vec<(usize, String)>,
    notes: Vec<Subject>,
}

impl Outline<'_> {
    /// Inserts what a level of ours lacks. Nothing where it does not resemble the template's.
    fn level(&mut self, ours: Range<usize>, theirs: Range<usize>, nesting: Option<Nesting>, name: &str) -> Option<()> {
        let mut our_slots = slots(self.ours, ours.clone());
        let mut their_slots = slots(self.theirs, theirs);
        find_default(&mut our_slots, self.ours);
        find_default(&mut their_slots, self.theirs);
        tell_apart([(&mut our_slots, self.ours), (&mut their_slots, self.theirs)]);
        let by_key: BTreeMap<&str, &Slot> = our_slots.iter().map(|slot| (slot.key.as_str(), slot)).collect();
        if nesting.is_none() && !self.is_alike(&their_slots, &our_slots, &by_key) {
            return None;
        }
        let indent = our_slots.first().map_or("", |slot| margin(self.ours[slot.head]));
        let mut place = our_slots.first().map_or(ours.start, |slot| slot.lines.start);
        for slot in &their_slots {
            if let Some(&our_slot) = by_key.get(slot.key.as_str()) {
                self.both(our_slot, slot, name);
                place = self.behind(our_slot, &our_slots, nesting);
            } else {
                self.insert(place, slot, nesting, indent);
            }
        }
        Some(())
    }

    /// Whether ours has at least half of the template's slots, and a default export of the same kind.
    fn is_alike(&self, theirs: &[Slot], ours: &[Slot], by_key: &BTreeMap<&str, &Slot>) -> bool {
        let real: Vec<&Slot> = theirs.iter().filter(|slot| !slot.is_import(self.theirs)).collect();
        let matched = real.iter().filter(|slot| by_key.contains_key(slot.key.as_str())).count();
        let kind = |slots: &[Slot], lines: &[&str]| {
            let default = slots.iter().find(|slot| slot.key == DEFAULT)?;
            Some((default.nests(lines), code(lines[default.head]).contains("=>")))
        };
        let kinds = kind(ours, self.ours).zip(kind(theirs, self.theirs));
        matched > 0 && matched * 2 >= real.len() && kinds.is_none_or(|(ours, theirs)| ours == theirs)
    }

    /// A slot that both have: what differs within stays the project's, but for what a literal lacks.
    fn both(&mut self, ours: &Slot, theirs: &Slot, name: &str) {
        if ours.code(self.ours) == theirs.code(self.theirs) {
            return;
        }
        let name = match (name, ours.key.as_str()) {
            ("", DEFAULT) => String::new(),
            ("", key) => key.to_owned(),
            (name, key) => format!("{name}.{key}"),
        };
        match (ours.nests(self.ours), theirs.nests(self.theirs)) {
            (Some(nesting), Some(their_nesting)) if nesting == their_nesting => {
                // A level below a literal or a type is never refused.
                let _: Option<()> = self.level(ours.body.clone(), theirs.body.clone(), Some(nesting), &name);
            }
            (None, Some(Nesting::Literal)) => self.widen(ours, theirs, name),
            _ => self.notes.push(Subject::value_kept(name, theirs.value(self.theirs))),
        }
    }

    /// A literal that ours has in one line gets there what it lacks.
    fn widen(&mut self, ours: &Slot, theirs: &Slot, name: String) {
        let entries = slots(self.theirs, theirs.body.clone());
        let entries = entries.iter().map(|entry| (entry.key.as_str(), inline::flat(&entry.text(self.theirs))));
        let widened = inline::widen(self.ours[ours.head], &entries.collect::<Vec<_>>());
        match widened.filter(|_| ours.body.is_empty()) {
            Some(Missing { line, differing }) => {
                self.widened.insert(ours.head, line);
                self.notes.extend(differing.into_iter().map(|key| Subject::value_kept(format!("{name}.{key}"), "")));
            }
            None => self.notes.push(Subject::value_kept(name, "")),
        }
    }

    /// The line after a slot; before it, where it is the last of a literal and has no comma.
    fn behind(&self, slot: &Slot, all: &[Slot], nesting: Option<Nesting>) -> usize {
        let is_last = all.last() == Some(slot);
        let ends_in_comma = self.ours[slot.lines.clone()].last().is_none_or(|line| code(line).ends_with(','));
        let needs_comma = nesting == Some(Nesting::Literal) && is_last && !ends_in_comma;
        if needs_comma { slot.lines.start } else { slot.lines.end }
    }

    fn insert(&mut self, at: usize, slot: &Slot, nesting: Option<Nesting>, indent: &str) {
        if slot.is_import(self.theirs) {
            self.imports.push((at, slot.text(self.theirs)));
            return;
        }
        let mut text = self.margins.fit(&self.theirs[slot.lines.clone()], margin(self.theirs[slot.head]), indent);
        if nesting == Some(Nesting::Literal) && !code(text.lines().last().unwrap_or_default()).ends_with(',') {
            text = format!("{},\n", text.trim_end());
        }
        self.put(at, &text);
    }

    fn put(&mut self, at: usize, text: &str) {
        let place = self.inserted.entry(at).or_default();
        place.push_str(text);
        if !text.ends_with('\n') {
            place.push('\n');
        }
    }

    /// Inserts the imports that something inserted uses; the others are left out, and said.
    fn import(&mut self) {
        let code: String = self.inserted.values().map(String::as_str).collect();
        let used: BTreeSet<&str> = words(&code).collect();
        let ours: String = self.ours.concat();
        let known: BTreeSet<&str> = words(&ours).collect();
        for (at, text) in std::mem::take(&mut self.imports) {
            let names: Vec<&str> = names(&text).collect();
            let wanted = names.iter().any(|name| used.contains(name) && !known.contains(name));
            if wanted && !names.iter().any(|name| known.contains(name)) {
                self.put(at, &text);
            } else if !names.iter().all(|name| known.contains(name)) || names.is_empty() {
                self.notes.push(Subject::ImportLeftOut(text.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (at, line) in self.ours.iter().enumerate() {
            self.inserted.get(&at).into_iter().for_each(|text| out.push_str(text));
            out.push_str(self.widened.get(&at).map_or(line, String::as_str));
        }
        if let Some(text) = self.inserted.get(&self.ours.len()) {
            if !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
            out.push_str(text);
        }
        out
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').filter(|word| !word.is_empty())
}

/// The names that an import brings: not its keywords, nor the words of the module's own name.
fn names(import: &str) -> impl Iterator<Item = &str> {
    let import = import.trim_end();
    let quoted = import.find(['"', '\'']).unwrap_or(import.len());
    let keywords = ["import", "from", "use", "export", "as", "type", "default", "crate", "self", "super"];
    words(&import[..quoted]).filter(move |word| !keywords.contains(word))
}

/// Whether every bracket has its partner; those in strings count, too.
fn is_balanced(text: &str) -> bool {
    let mut open = Vec::new();
    for character in text.chars() {
        match character {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(character) => return false,
            _ => {}
        }
    }
    open.is_empty()
}
