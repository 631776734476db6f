//! Collections in block style: an entry begins on a line of its own, in the column of the others.

use std::collections::HashMap;

use super::edit::{At, Editor, Others, Written, has_none_above, wanted};
use super::source::View;
use crate::merge::structured::value::{Comments, Node, Value};

/// How the entries of a collection are put below each other.
struct Layout<'s> {
    column: usize,
    /// Empty lines above the first entry.
    opening: &'s str,
    /// Whether there is an empty line above each other entry.
    is_spaced: bool,
}

impl Editor<'_> {
    /// A collection, edited.
    pub(super) fn block(&mut self, view: View<'_>, want: &Node, others: Others<'_>, at: At) -> Option<Written> {
        let entries = view.entries();
        let first = entries.first()?;
        let wanted = wanted(want);
        if wanted.is_empty() {
            return Some(Written::Inline(if matches!(want.value, Value::Map(_)) { " {}" } else { " []" }.to_owned()));
        }
        let layout = Layout {
            column: if view.source.is_canvas { first.column() } else { self.column(view, at) },
            opening: blank(first.lead),
            is_spaced: entries.len() > 1 && entries.iter().skip(1).all(|entry| !blank(entry.lead).is_empty()),
        };
        let [there, was] = [others.side, others.base].map(|other| other.map(View::entries).unwrap_or_default());
        let names: Vec<String> = wanted.iter().map(|(key, node)| self.name(*key, node)).collect();
        let [mut index, mut there_index, mut was_index] = [&entries, &there, &was].map(|entries| self.index(entries));
        let is_compact = match view.source.is_canvas {
            true => view.is_compact(),
            false => at.is_item && view.properties().is_empty() && !view.is_root,
        };
        let is_compact = is_compact && has_none_above(&wanted[0].1.comments) && want.comments.behind.is_empty();
        let inner = At { column: layout.column, is_item: !view.is_map(), in_flow: false };
        let mut out = String::new();
        for (number, ((key, node), name)) in wanted.iter().zip(&names).enumerate() {
            self.keys.extend(key.map(str::to_owned));
            let take = |index: &mut HashMap<String, Vec<usize>>, name: &str| index.get_mut(name).and_then(Vec::pop);
            let before = want.before(*key).unwrap_or(name);
            let find = |index: &mut _| take(index, name).or_else(|| take(index, before));
            let own = take(&mut index, name);
            let side = find(&mut there_index).map(|at| there[at]);
            let base = find(&mut was_index).map(|at| was[at]);
            let (entry, others) = match own {
                Some(own) => (entries[own], Others { side, base }),
                None => (side?, Others::NONE),
            };
            let text = self.entry(entry, node, others, inner)?;
            self.keys.truncate(self.keys.len() - usize::from(key.is_some()));
            if number == 0 && is_compact {
                out = text;
                continue;
            }
            let is_first = own == Some(0) || (own.is_none() && entry.lead.is_empty());
            out.push('\n');
            out += &layout.lead(entry, &node.comments, side, is_first, number)?;
            out.extend(std::iter::repeat_n(' ', layout.column));
            out += &text;
        }
        Some(match is_compact {
            true => Written::Compact(out, layout.column),
            false => Written::Block { properties: view.properties().to_owned(), lines: out },
        })
    }

    /// Where the entries of a collection of the other text begin here.
    fn column(&self, view: View<'_>, at: At) -> usize {
        let below = match (at.is_item, view.is_map()) {
            _ if view.is_root => 0,
            (true, _) => self.style.item(),
            (false, true) => self.style.step(),
            (false, false) => self.style.list(),
        };
        at.column + below
    }
}

impl Layout<'_> {
    /// The lines above an entry at a place; `was_first` in its own text.
    fn lead(
        &self,
        entry: View<'_>,
        comments: &Comments,
        side: Option<View<'_>>,
        was_first: bool,
        at: usize,
    ) -> Option<String> {
        let has =
            |view: &View<'_>| view.node.comments.is_same_above(comments) && (!view.in_flow || has_none_above(comments));
        let known = Some(entry).filter(has).or(side.filter(has));
        let lines = match known {
            Some(known) if known.source.is_canvas => known.lead.to_owned(),
            Some(known) => self.fit(known.lead),
            None => blank(entry.lead).to_owned() + self.compose(comments).as_str(),
        };
        let own = lines.trim_start_matches('\n');
        Some(match at {
            0 if was_first && entry.source.is_canvas => lines,
            0 => format!("{}{own}", self.opening),
            _ if was_first && !self.is_spaced => own.to_owned(),
            _ if self.is_spaced && comments.apart.is_empty() && !lines.starts_with('\n') => format!("\n{own}"),
            _ => lines,
        })
    }

    fn fit(&self, lead: &str) -> String {
        let line = |line: &str| match line.trim() {
            "" => "\n".to_owned(),
            comment => format!("{:1$}{comment}\n", "", self.column),
        };
        lead.lines().map(line).collect()
    }

    fn compose(&self, comments: &Comments) -> String {
        let lines = |comments: &[String]| -> String { comments.iter().map(|comment| self.fit(comment)).collect() };
        let apart = if comments.apart.is_empty() { "" } else { "\n" };
        format!("{}{apart}{}", lines(&comments.apart), lines(&comments.before))
    }
}

/// The empty lines that some lines begin with.
fn blank(lines: &str) -> &str {
    &lines[..lines.len() - lines.trim_start_matches('\n').len()]
}
