//! Collections in brackets.

use std::collections::HashMap;

use super::edit::{At, Editor, Others, wanted};
use super::source::View;
use crate::merge::structured::value::{Comments, Node, Value};

impl Editor<'_> {
    /// A collection, edited; `None` if comments within it change.
    pub(super) fn flow(&mut self, view: View<'_>, want: &Node, others: Others<'_>, at: At) -> Option<String> {
        let text = view.source.text;
        let span = view.part.span.clone();
        let entries = view.entries();
        let (first, last) = (entries.first()?, entries.last()?);
        let is_map = matches!(want.value, Value::Map(_));
        let bracket = span.start + text[span.clone()].find(if is_map { '{' } else { '[' })?;
        let (opening, closing) = (&text[bracket + 1..first.start], &text[last.part.span.end..span.end]);
        let gaps: Vec<&str> = entries.windows(2).map(|pair| &text[pair[0].part.span.end..pair[1].start]).collect();
        let has_comments = std::iter::once(&opening).chain(&gaps).chain([&closing]).any(|gap| gap.contains('#'));
        if has_comments || want.comments.end != view.node.comments.end {
            return None;
        }
        let wanted = wanted(want);
        let is_element = at.in_flow && view.key.is_none();
        let margin = match view.source.is_canvas {
            true => &text[if view.is_root || is_element { span.start } else { view.open }..bracket],
            false if is_element => "",
            false => " ",
        };
        if wanted.is_empty() {
            return Some(format!("{margin}{}", if is_map { "{}" } else { "[]" }));
        }
        let separator = gaps.first().copied().unwrap_or(if opening.contains('\n') { "," } else { ", " });
        let separator =
            if gaps.is_empty() && opening.contains('\n') { format!(",{opening}") } else { separator.to_owned() };
        let [there, was] = [others.side, others.base].map(|other| other.map(View::entries).unwrap_or_default());
        let names: Vec<String> = wanted.iter().map(|(key, node)| self.name(*key, node)).collect();
        let [mut index, mut there_index, mut was_index] = [&entries, &there, &was].map(|entries| self.index(entries));
        let inner = At { column: at.column, is_item: false, in_flow: true };
        let mut out = format!("{margin}{}{opening}", &text[bracket..=bracket]);
        for (number, ((key, node), name)) in wanted.iter().zip(&names).enumerate() {
            self.keys.extend(key.map(str::to_owned));
            let take = |index: &mut HashMap<String, Vec<usize>>, name: &str| index.get_mut(name).and_then(Vec::pop);
            let before = want.before(*key).unwrap_or(name);
            let find = |index: &mut _| take(index, name).or_else(|| take(index, before));
            let own = take(&mut index, name).map(|at| entries[at]);
            let side = find(&mut there_index).map(|at| there[at]);
            let base = find(&mut was_index).map(|at| was[at]);
            let (entry, others) = match own {
                Some(own) => (own, Others { side, base }),
                None => (side?, Others::NONE),
            };
            if own.is_none_or(|own| own.node.comments != node.comments) && node.comments != Comments::default() {
                return None;
            }
            out += if number > 0 { &separator } else { "" };
            out += &self.entry(entry, node, others, inner)?;
            self.keys.truncate(self.keys.len() - usize::from(key.is_some()));
        }
        Some(out + closing)
    }
}
