//! Which comment belongs to which entry of a document.
//!
//! A comment after something on its line belongs to that; another one to the next entry, or, after the last one of a
//! bracketed container, to the container. Comments at the top of a file belong to the file where an empty line follows. One right
//! below something, with an empty line after it, may be about either: it is kept with the next entry, but apart.

use std::ops::Range;

use super::value::{Comments, Node, Value};

/// Where the entries of a document are in its text, gathered while it is parsed.
#[derive(Debug, Default)]
pub(super) struct Outline {
    entries: Vec<Entry>,
    /// Containers that end with a bracket, and whose they are.
    containers: Vec<(Range<usize>, Option<usize>)>,
}

#[derive(Debug)]
struct Entry {
    span: Range<usize>,
    parent: Option<usize>,
    /// The place in the parent.
    at: usize,
}

/// The start of an entry that has no place in the text: a table of TOML that only those below it name.
pub(super) const NOWHERE: usize = usize::MAX;

/// A comment, with its markers.
#[derive(Debug)]
pub(super) struct Comment {
    pub(super) span: Range<usize>,
    pub(super) text: String,
}

impl Comment {
    pub(super) fn new(text: &str, span: Range<usize>) -> Option<Self> {
        let comment = text.get(span.clone())?.trim();
        // The lines of a block are indented as its place is.
        let lines: Vec<&str> = comment.lines().map(str::trim).collect();
        Some(Self { span, text: lines.join("\n") })
    }
}

/// Where a comment is, as seen from its owner.
enum Place {
    Apart,
    Before,
    Behind,
    End,
}

impl Outline {
    /// Adds an entry, and returns its number; what is within it is added later.
    pub(super) fn entry(&mut self, parent: Option<usize>, at: usize, span: Range<usize>) -> usize {
        self.entries.push(Entry { span, parent, at });
        self.entries.len() - 1
    }

    /// Sets the end of an entry, where it was not known when the entry was added.
    pub(super) fn end(&mut self, entry: usize, end: usize) {
        self.entries.get_mut(entry).into_iter().for_each(|entry| entry.span.end = end);
    }

    /// Adds the container that is the value of an entry, or of the document.
    pub(super) fn container(&mut self, entry: Option<usize>, span: Range<usize>) {
        self.containers.push((span, entry));
    }

    /// Each entry: its number, its parent, and its place in that.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, Option<usize>, usize)> {
        self.entries.iter().enumerate().map(|(number, entry)| (number, entry.parent, entry.at))
    }

    /// Where an entry is; `None` if it has no place in the text.
    pub(super) fn span(&self, entry: usize) -> Option<Range<usize>> {
        self.entries.get(entry).map(|entry| entry.span.clone()).filter(|span| span.start < NOWHERE)
    }

    /// Gives each comment, in the order of the text, to what it belongs to.
    pub(super) fn attach(self, text: &str, comments: Vec<Comment>, root: &mut Node) -> Self {
        if comments.is_empty() {
            return self;
        }
        let mut finder = Finder::new(self, text);
        let header = finder.header(&comments);
        let apart = finder.apart(&comments);
        let (mut last, mut line, mut seen) = ((0, false), 0, 0);
        for (number, comment) in comments.into_iter().enumerate() {
            // All of a long text may be on one line.
            let new = text[seen..comment.span.start].rfind('\n');
            line = new.map_or(line, |end| seen + end + 1);
            seen = comment.span.start;
            let alone = text[line.max(last.0)..comment.span.start].trim().is_empty() && (line >= last.0 || !last.1);
            let (owner, place) = match alone {
                true if number < header => (None, Place::Before),
                true => match finder.above(&comment.span) {
                    (owner, Place::Before) if apart[number] => (owner, Place::Apart),
                    owner => owner,
                },
                false => finder.behind(line, comment.span.start),
            };
            last = (comment.span.end, !alone);
            let Some(node) = finder.node(root, owner) else { continue };
            node.add(comment.text, &place);
        }
        finder.outline
    }
}

impl Node {
    fn add(&mut self, comment: String, place: &Place) {
        let Comments { apart, before, behind, end } = &mut self.comments;
        match place {
            Place::Apart => apart.push(comment),
            Place::Before => before.push(comment),
            Place::Behind => behind.push(comment),
            Place::End => end.push(comment),
        }
    }
}

struct Finder<'t> {
    text: &'t str,
    outline: Outline,
    /// The entries by their start, outer ones first.
    by_start: Vec<usize>,
    /// The entries by their end, outer ones last.
    by_end: Vec<usize>,
    /// How many containers begin before the last comment asked for, and those of them that are open.
    begun: usize,
    open: Vec<usize>,
}

impl<'t> Finder<'t> {
    fn new(mut outline: Outline, text: &'t str) -> Self {
        let known = |at: &usize| outline.entries[*at].span.start < NOWHERE;
        let mut by_start: Vec<usize> = (0..outline.entries.len()).filter(known).collect();
        by_start.sort_by_key(|&at| outline.entries[at].span.start);
        let mut by_end: Vec<usize> = (0..outline.entries.len()).rev().filter(known).collect();
        by_end.sort_by_key(|&at| outline.entries[at].span.end);
        outline.containers.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        Self { text, outline, by_start, by_end, begun: 0, open: Vec::new() }
    }

    fn span(&self, entry: usize) -> &Range<usize> {
        &self.outline.entries[entry].span
    }

    /// How many of the comments are the file's own.
    fn header(&self, comments: &[Comment]) -> usize {
        let first = self.by_start.first().map_or(self.text.len(), |&at| self.span(at).start);
        let first = self.outline.containers.iter().map(|(span, _)| span.start).fold(first, usize::min);
        let top = comments.iter().take_while(|comment| comment.span.end <= first).count();
        let next = |number: usize| comments.get(number + 1).map_or(first, |next| next.span.start.min(first));
        let gap = |number: usize| self.text.get(comments[number].span.end..next(number)).unwrap_or_default();
        let ends = (0..top).rev().find(|&number| gap(number).matches('\n').count() > 1);
        ends.map_or(0, |number| number + 1)
    }

    /// For each comment, whether it is right below something, with an empty line between it and what follows.
    fn apart(&self, comments: &[Comment]) -> Vec<bool> {
        let newlines = |gap: Option<&str>| gap.unwrap_or_default().matches('\n').count();
        let blank_before = |at: usize| {
            let text = &self.text[..at];
            newlines(text.get(text.trim_end().len()..)) != 1
        };
        let blank_after = |at: usize| {
            let text = &self.text[at..];
            newlines(text.get(..text.len() - text.trim_start().len())) > 1
        };
        let (mut apart, mut group) = (vec![false; comments.len()], 0);
        for (at, comment) in comments.iter().enumerate() {
            let follows = at > 0 && newlines(self.text.get(comments[at - 1].span.end..comment.span.start)) == 1;
            let is_joined = follows && self.text[comments[at - 1].span.end..comment.span.start].trim().is_empty();
            if !is_joined {
                group = at;
            }
            if blank_after(comment.span.end) && !blank_before(comments[group].span.start) {
                apart[group..=at].iter_mut().for_each(|apart| *apart = true);
            }
        }
        apart
    }

    /// The owner of a comment with nothing before it on its line.
    fn above(&mut self, comment: &Range<usize>) -> (Option<usize>, Place) {
        let at = self.by_start.partition_point(|&at| self.outline.entries[at].span.start < comment.end);
        let next = self.by_start.get(at).copied();
        while let Some((span, _)) =
            self.outline.containers.get(self.begun).filter(|(span, _)| span.start < comment.start)
        {
            let start = span.start;
            self.close(start);
            self.open.push(self.begun);
            self.begun += 1;
        }
        self.close(comment.start);
        let inner = self.open.last().map(|&at| &self.outline.containers[at]);
        match (inner, next) {
            (Some((span, owner)), next) if next.is_none_or(|next| self.span(next).start >= span.end) => {
                (*owner, Place::End)
            }
            (_, Some(next)) => (Some(next), Place::Before),
            _ if self.by_start.is_empty() => (None, Place::Before),
            _ => (None, Place::End),
        }
    }

    fn close(&mut self, at: usize) {
        while self.open.last().is_some_and(|&open| self.outline.containers[open].0.end <= at) {
            self.open.pop();
        }
    }

    /// The owner of a comment after something on the line that starts at `line`.
    fn behind(&self, line: usize, comment: usize) -> (Option<usize>, Place) {
        let place = |at: usize| self.by_start.partition_point(|&entry| self.span(entry).start < at);
        let started = self.by_start[place(line)..place(comment)].last();
        let place = |at: usize| self.by_end.partition_point(|&entry| self.span(entry).end <= at);
        let ended = &self.by_end[place(line)..place(comment)];
        // All that ended on the line and started before it are within each other, so they are few.
        let mut both = ended.iter().rev().filter(|&&at| self.span(at).start >= line).peekable();
        let end = both.peek().map(|&&at| self.span(at).end);
        // Of entries with one end, it is the innermost's: `- uses: a # b`.
        let both = both.take_while(|&&at| Some(self.span(at).end) == end).last();
        let owner = both.or(started).or(ended.last());
        (owner.copied(), Place::Behind)
    }

    fn node<'n>(&self, root: &'n mut Node, owner: Option<usize>) -> Option<&'n mut Node> {
        let mut path = Vec::new();
        let mut next = owner;
        while let Some(entry) = next.and_then(|at| self.outline.entries.get(at)) {
            path.push(entry.at);
            next = entry.parent;
        }
        let mut node = root;
        for at in path.into_iter().rev() {
            node = match &mut node.value {
                Value::List(list) => list.items.get_mut(at)?,
                Value::Map(map) => map.pairs.get_index_mut(at)?.1,
                Value::Scalar(_) | Value::Text(_) | Value::Any => return None,
            };
        }
        Some(node)
    }
}
