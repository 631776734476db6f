//! How a document is written, besides its values, order and comments: quotes, spaces, brackets or lines, indentation.

use super::comments::Outline;
use super::value::{Document, Node, Value};

/// Longer lists are not looked into.
const MAX_ITEMS: usize = 200;

/// A document in its text.
#[derive(Clone, Copy)]
pub(super) struct Written<'d> {
    text: &'d str,
    outline: &'d Outline,
    root: &'d Node,
}

/// An entry of a document, or its root.
#[derive(Clone, Copy)]
struct View<'w> {
    file: &'w File<'w>,
    entry: Option<usize>,
    node: &'w Node,
}

/// A document with its entries by their places.
struct File<'d> {
    document: Written<'d>,
    /// The entries of the root, and of each entry: their numbers by their places.
    entries: Vec<Vec<usize>>,
}

impl File<'_> {
    /// The number of the entry at a place in another one, or in the root.
    fn child(&self, parent: Option<usize>, at: usize) -> Option<usize> {
        self.entries.get(parent.map_or(0, |parent| parent + 1))?.get(at).copied()
    }
}

impl<'d> Written<'d> {
    pub(super) fn new(text: &'d str, document: &'d Document) -> Self {
        Self { text, outline: &document.outline, root: &document.root }
    }

    fn file(self) -> File<'d> {
        let mut entries = vec![Vec::new()];
        for (number, parent, at) in self.outline.places() {
            entries.push(Vec::new());
            // Each comes after the one before it, and after its parent.
            let siblings: &mut Vec<usize> = &mut entries[parent.map_or(0, |parent| parent + 1)];
            if siblings.len() == at {
                siblings.push(number);
            }
        }
        File { entries, document: self }
    }
}

/// A step from an entry to one in it.
#[derive(Clone, Copy)]
enum Step<'w> {
    Key(&'w str),
    /// The element of a list that has the value of this one.
    Item(&'w Node),
}

/// Whether `theirs` writes something in another way than `base`, and the merged text does not write it like that. That is only parsed where
/// there is such a thing.
pub(super) fn is_left_out(
    base: Written<'_>,
    theirs: Written<'_>,
    merged: &str,
    parse: impl FnOnce() -> Option<Document>,
) -> bool {
    let files = [base, theirs].map(Written::file);
    let rewritten = rewritten(&files);
    if rewritten.is_empty() {
        return false;
    }
    let Some(document) = parse() else { return false };
    let file = Written::new(merged, &document).file();
    let root = View { file: &file, entry: None, node: file.document.root };
    rewritten.iter().any(|(theirs, way)| {
        let merged = way.iter().try_fold(root, |view, step| view.enter(*step));
        merged.is_some_and(|merged| merged.differs(*theirs))
    })
}

/// The entries that the second file writes in another way than the first one, each with the way to it. Such that one of them has not, and such
/// whose value is of another kind, say nothing.
fn rewritten<'w>(files: &'w [File<'w>; 2]) -> Vec<(View<'w>, Vec<Step<'w>>)> {
    let root = files.each_ref().map(|file| View { file, entry: None, node: file.document.root });
    let (mut found, mut open) = (Vec::new(), vec![(root, Vec::new())]);
    while let Some(([base, theirs], way)) = open.pop() {
        if base.differs(theirs) {
            found.push((theirs, way.clone()));
        }
        let mut inner = Vec::new();
        match (&base.node.value, &theirs.node.value) {
            (Value::Map(before), Value::Map(after)) => {
                for (at, (key, node)) in after.pairs.iter().enumerate() {
                    if let Some((base_at, _, known)) = before.pairs.get_full(key) {
                        inner.push((base.child(base_at, known), theirs.child(at, node), Step::Key(key)));
                    }
                }
            }
            (Value::List(before), Value::List(after)) if after.items.len() <= MAX_ITEMS => {
                for (at, node) in after.items.iter().enumerate() {
                    if let Some(base_at) = place(&before.items, node) {
                        let base = base.child(base_at, &before.items[base_at]);
                        inner.push((base, theirs.child(at, node), Step::Item(node)));
                    }
                }
            }
            _ => {}
        }
        // Most are written alike, with all that is in them.
        let rewritten = inner.into_iter().filter(|(base, theirs, _)| !base.is_same_text(*theirs));
        open.extend(rewritten.map(|(base, theirs, step)| ([base, theirs], [&way[..], &[step]].concat())));
    }
    found
}

/// The place of an element with the value of `node` in a list that is not too long.
fn place(items: &[Node], node: &Node) -> Option<usize> {
    let is_same = |other: &Node| other.value.is_same(&node.value);
    if items.len() <= MAX_ITEMS { items.iter().position(is_same) } else { None }
}

/// What of a text an entry has for itself.
enum Own {
    /// All of it, for a value with nothing in it: its lines without their margins.
    Leaf(String),
    /// The text around the entries in it.
    Inner(Around),
    /// It has no place of its own.
    Nowhere,
}

/// The text around the entries of a list or map: spaces as they are within a line, and margins as seen from its own line.
#[derive(Debug, PartialEq, Eq)]
struct Around {
    open: String,
    between: Option<String>,
    close: String,
}

impl Around {
    fn differs(&self, other: &Self) -> bool {
        let is_between = self.between.is_some() && other.between.is_some() && self.between != other.between;
        is_between || self.open != other.open || self.close != other.close
    }
}

impl<'w> View<'w> {
    /// Whether it is written in another way than `other`, without what is in it.
    fn differs(self, other: View<'_>) -> bool {
        match (self.own(), other.own()) {
            (Own::Leaf(own), Own::Leaf(others)) if self.node.value.is_same(&other.node.value) => own != others,
            (Own::Leaf(own), Own::Leaf(others)) => skeleton(&own) != skeleton(&others),
            (Own::Inner(own), Own::Inner(others)) => own.differs(&others),
            (Own::Nowhere, Own::Nowhere) => false,
            (Own::Leaf(_), _) | (_, Own::Leaf(_)) => false,
            _ => true,
        }
    }

    /// Its text, where all that is in it is there, too: the header of a TOML table has nothing in it.
    fn whole(self) -> Option<&'w str> {
        let outline = self.file.document.outline;
        let span = outline.span(self.entry?)?;
        let first = self.file.child(self.entry, 0).and_then(|child| outline.span(child));
        let is_within = first.is_none_or(|first| span.start <= first.start && first.end <= span.end);
        self.file.document.text.get(span).filter(|_| is_within)
    }

    fn is_same_text(self, other: View<'_>) -> bool {
        self.whole().is_some_and(|text| other.whole() == Some(text))
    }

    fn enter(self, step: Step<'_>) -> Option<Self> {
        match (&self.node.value, step) {
            (Value::Map(map), Step::Key(key)) => map.pairs.get_full(key).map(|(at, _, node)| self.child(at, node)),
            (Value::List(list), Step::Item(node)) => place(&list.items, node).map(|at| self.child(at, &list.items[at])),
            _ => None,
        }
    }

    fn child(self, at: usize, node: &'w Node) -> Self {
        Self { entry: self.file.child(self.entry, at), node, ..self }
    }

    /// The root has no own text: what is around all entries is spaces and comments, and brackets that stay.
    fn own(self) -> Own {
        let (text, outline) = (self.file.document.text, self.file.document.outline);
        let Some(span) = self.entry.and_then(|entry| outline.span(entry)) else { return Own::Nowhere };
        let Some(own) = text.get(span.clone()) else { return Own::Nowhere };
        let count = match &self.node.value {
            Value::Map(map) => map.pairs.len(),
            Value::List(list) => list.items.len(),
            Value::Scalar(_) | Value::Text(_) | Value::Any => 0,
        };
        if count == 0 {
            return Own::Leaf(own.lines().map(str::trim).collect::<Vec<_>>().join("\n"));
        }
        let children = (0..count).filter_map(|at| self.file.child(self.entry, at));
        let children = children.filter_map(|child| outline.span(child));
        let mut children: Vec<_> =
            children.filter(|child| span.start <= child.start && child.end <= span.end).collect();
        children.sort_by_key(|child| child.start);
        let (Some(first), Some(last)) = (children.first(), children.last()) else {
            return Own::Inner(Around { open: own.to_owned(), between: None, close: String::new() });
        };
        // All of a long text may be on one line, and then no margin is asked for.
        let line = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
        let column = if own.contains('\n') { span.start - line(span.start) } else { 0 };
        let gap = |from: usize, to: usize| spaces(text.get(from..to).unwrap_or_default(), column);
        Own::Inner(Around {
            open: gap(span.start, first.start),
            between: children.windows(2).next().map(|pair| gap(pair[0].end, pair[1].start)),
            close: gap(last.end, span.end),
        })
    }
}

/// A gap between entries without its comments and empty lines; where it ends on another line, its last margin counts from `column`, where
/// the entry around it starts.
fn spaces(gap: &str, column: usize) -> String {
    let Some((first, rest)) = gap.split_once('\n') else { return without_comment(gap).to_owned() };
    let mut lines = rest.split('\n').map(without_comment);
    let filled = lines.clone().map(str::trim).filter(|line| !line.is_empty());
    let margin = lines.next_back().map_or(0, |line| line.len() - line.trim_start().len());
    let words: Vec<&str> = std::iter::once(without_comment(first).trim_end()).chain(filled).collect();
    format!("{}\n{}", words.join("\n"), margin.abs_diff(column))
}

/// A line of a gap without its comment: a gap has neither texts nor keys.
fn without_comment(line: &str) -> &str {
    let end = ["//", "/*", "#"].iter().filter_map(|mark| line.find(mark)).min();
    end.map_or(line, |end| line[..end].trim_end())
}

/// How an entry is written, whatever it holds: every text and every word is the same.
fn skeleton(text: &str) -> String {
    let (mut out, mut quote, mut is_escaped) = (String::with_capacity(text.len()), None, false);
    for character in text.chars() {
        if quote.is_some() {
            if quote == Some(character) && !is_escaped {
                quote = None;
                out.push(character);
            }
            is_escaped = character == '\\' && !is_escaped;
            continue;
        }
        match character {
            '"' | '\'' => {
                quote = Some(character);
                out.push(character);
            }
            '=' | ':' | ',' | '[' | ']' | '{' | '}' | ' ' | '\t' | '\n' => out.push(character),
            _ if out.ends_with('_') => {}
            _ => out.push('_'),
        }
    }
    out
}
