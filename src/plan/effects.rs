//! The effects of a plan on the files, path by path: what is applied, and what a patch shows.

use std::collections::BTreeMap;

use super::{Action, Changes, Stamp};
use crate::tree::{Entry, RelPath, Tree};

/// The effect on one path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect<'a> {
    /// The current entry; `None` if nothing is.
    pub before: Option<Stamp>,
    /// The entry afterwards; `None` if nothing is.
    pub after: Option<&'a Entry>,
}

/// Everything that changes on disk. Moves are taken apart, and side files are included: every path appears once, also one
/// that a file leaves and another one takes. Entries that stay as they are are left out.
#[must_use]
pub fn effects(changes: &Changes) -> BTreeMap<&RelPath, Effect<'_>> {
    let mut effects: BTreeMap<&RelPath, Effect<'_>> = BTreeMap::new();
    let mut leave = |path, stamp: Stamp| effects.entry(path).or_default().before = Some(stamp);
    for (path, change) in changes {
        match &change.action {
            Action::Update { before, .. } | Action::Delete { before } => leave(path, *before),
            Action::Move { from, before, .. } => leave(from, *before),
            Action::Conflict(conflict) => {
                if let Some((from, before)) = &conflict.before {
                    leave(from, *before);
                }
            }
            Action::Create(_) | Action::Keep => {}
        }
    }
    let mut put = |path, entry| effects.entry(path).or_default().after = Some(entry);
    for (path, change) in changes {
        match &change.action {
            Action::Create(after) | Action::Update { after, .. } | Action::Move { after, .. } => put(path, after),
            Action::Conflict(conflict) => {
                conflict.after.iter().for_each(|after| put(path, after));
                conflict.beside.iter().for_each(|(path, entry)| put(path, entry));
            }
            Action::Delete { .. } | Action::Keep => {}
        }
    }
    effects.retain(|_, effect| match (effect.before, effect.after) {
        (Some(before), Some(after)) => before.mode != after.mode() || before != Stamp::of(after),
        (before, after) => before.is_some() || after.is_some(),
    });
    effects
}

/// What a plan leaves of a tree that it was made for.
#[must_use]
pub fn applied(changes: &Changes, ours: &Tree) -> Tree {
    let mut after = ours.clone();
    for (path, effect) in effects(changes) {
        match effect.after {
            Some(entry) => after.insert(path.clone(), entry.clone()),
            None => after.remove(path),
        };
    }
    after
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Conflict, Reason};
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn entry(text: &'static str) -> Entry {
        Entry::file(text.as_bytes())
    }

    fn drawn(changes: Vec<(&str, Action)>) -> Vec<String> {
        let change = |action| Change { action, reason: Reason::Merged };
        let changes: Changes = changes.into_iter().map(|(name, action)| (path(name), change(action))).collect();
        let text = |entry: &Entry| String::from_utf8_lossy(entry.bytes()).into_owned();
        let line = |(path, effect): (&&RelPath, &Effect<'_>)| {
            let after = effect.after.map_or("-".into(), text);
            format!("{path} {} {after}", if effect.before.is_some() { "was" } else { "new" })
        };
        effects(&changes).iter().map(line).collect()
    }

    #[test]
    fn a_move_leaves_one_path_and_takes_another() {
        let moved = |from, text| Action::Move { from: path(from), before: Stamp::of(&entry(text)), after: entry(text) };
        assert_eq!(drawn(vec![("b", moved("a", "A"))]), ["a was -", "b new A"]);
        assert_eq!(drawn(vec![("b", moved("a", "A")), ("a", moved("b", "B"))]), ["a was B", "b was A"]);
        let again = Action::Create(entry("N"));
        assert_eq!(drawn(vec![("b", moved("a", "A")), ("a", again)]), ["a was N", "b new A"]);
    }

    #[test]
    fn what_a_conflict_keeps_in_its_place_is_no_effect() {
        let conflict = Conflict {
            before: Some((path("a"), Stamp::of(&entry("ours")))),
            after: Some(entry("ours")),
            stages: None,
            beside: vec![(path("a.theirs"), entry("theirs"))],
            places: 1,
        };
        assert_eq!(drawn(vec![("a", Action::Conflict(Box::new(conflict)))]), ["a.theirs new theirs"]);
        assert!(drawn(vec![("a", Action::Keep)]).is_empty());
    }
}
