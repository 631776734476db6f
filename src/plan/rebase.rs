//! Transfers a plan that was made for a copy, as commands left it, to the files as they are.

use std::collections::{BTreeMap, HashSet};

use super::{Action, Change, Changes, Reason, Stamp, applied};
use crate::tree::{Entry, RelPath, Tree};

/// The changes of commands: what is at a path, and what they left there.
pub type Edits = BTreeMap<RelPath, [Option<Entry>; 2]>;

/// The changes between two trees.
#[must_use]
pub fn edits(stands: &Tree, left: &Tree) -> Edits {
    let both = stands.keys().chain(left.keys());
    both.filter(|path| stands.get(*path) != left.get(*path))
        .map(|path| (path.clone(), [stands.get(path).cloned(), left.get(path).cloned()]))
        .collect()
}

/// Lets a plan for `left`, the files with the edits, lead from the files without them to the same result.
pub fn rebase(changes: &mut Changes, left: &Tree, edits: &Edits) {
    let result = applied(changes, left);
    let moves = changes.iter().filter_map(|(path, change)| match &change.action {
        Action::Move { from, before, .. } if edits.contains_key(path) => Some((path.clone(), from.clone(), *before)),
        _ => None,
    });
    // Something is where a file is moved to: the two are not one change any more.
    for (path, from, before) in moves.collect::<Vec<_>>() {
        let reason = changes.get(&path).map_or(Reason::TemplateMoved, |change| change.reason);
        changes.remove(&path);
        set(changes, edits, &path, (result.get(&path), None), reason);
        if !changes.contains_key(&from) {
            set(changes, edits, &from, (result.get(&from), Some(before)), reason);
        }
    }
    for change in changes.values_mut() {
        match &mut change.action {
            Action::Move { from, before, after } => match edits.get(from) {
                Some([Some(stands), _]) => *before = Stamp::of(stands),
                Some([None, _]) => change.action = Action::Create(after.clone()),
                None => {}
            },
            Action::Conflict(conflict) => {
                match conflict.before.as_mut().map(|(from, before)| (edits.get(from), before)) {
                    Some((Some([Some(stands), _]), before)) => *before = Stamp::of(stands),
                    Some((Some([None, _]), _)) => conflict.before = None,
                    _ => {}
                }
            }
            Action::Create(_) | Action::Update { .. } | Action::Delete { .. } | Action::Keep => {}
        }
    }
    let mut left_by_others: HashSet<RelPath> = HashSet::new();
    for (path, change) in &*changes {
        match &change.action {
            Action::Move { from, .. } => drop(left_by_others.insert(from.clone())),
            Action::Conflict(conflict) => {
                left_by_others.insert(path.clone());
                left_by_others.extend(conflict.before.as_ref().map(|(from, _)| from.clone()));
            }
            Action::Create(_) | Action::Update { .. } | Action::Delete { .. } | Action::Keep => {}
        }
    }
    for path in edits.keys().filter(|path| !left_by_others.contains(*path)) {
        let reason = changes.get(path).filter(|change| change.action != Action::Keep).map(|change| change.reason);
        set(changes, edits, path, (result.get(path), None), reason.unwrap_or(Reason::Migrated));
    }
}

/// Sets what happens at one path, where `after` is to be; `before` is what is there, unless the edits know.
fn set(
    changes: &mut Changes,
    edits: &Edits,
    path: &RelPath,
    (after, before): (Option<&Entry>, Option<Stamp>),
    reason: Reason,
) {
    let before = edits.get(path).map_or(before, |[stands, _]| stands.as_ref().map(Stamp::of));
    let action = match (before, after) {
        (Some(before), Some(after)) if before != Stamp::of(after) => Action::Update { before, after: after.clone() },
        (Some(before), None) => Action::Delete { before },
        (None, Some(after)) => Action::Create(after.clone()),
        _ => {
            changes.remove(path);
            return;
        }
    };
    changes.insert(path.clone(), Change { action, reason });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::effects;
    use super::*;

    fn path(name: char) -> RelPath {
        RelPath::new(name.to_string()).unwrap()
    }

    /// Four files, some of them missing, with one of three texts each.
    fn trees() -> impl Strategy<Value = Tree> {
        proptest::collection::btree_map("[a-d]", "[xyz]", 0..4).prop_map(|files| {
            let entry = |(name, text): (String, String)| (RelPath::new(name).unwrap(), Entry::file(text.into_bytes()));
            files.into_iter().map(entry).collect()
        })
    }

    /// A plan that leads from one tree to another; one file that goes and one that comes are a move.
    fn plan(from: &Tree, to: &Tree) -> Changes {
        let mut changes = Changes::new();
        for path in from.keys().chain(to.keys()) {
            set(&mut changes, &Edits::new(), path, (to.get(path), from.get(path).map(Stamp::of)), Reason::Merged);
        }
        let gone = changes.iter().find_map(|(path, change)| match change.action {
            Action::Delete { before } => Some((path.clone(), before)),
            _ => None,
        });
        let new = changes.iter().find_map(|(path, change)| match &change.action {
            Action::Create(after) => Some((path.clone(), after.clone())),
            _ => None,
        });
        if let (Some((from, before)), Some((path, after))) = (gone, new) {
            changes.remove(&from);
            let action = Action::Move { from, before, after };
            changes.insert(path, Change { action, reason: Reason::TemplateMoved });
        }
        changes
    }

    proptest! {
        #[test]
        fn a_rebased_plan_leads_from_what_stands_to_the_same_result(stands in trees(), left in trees(), to in trees()) {
            let mut changes = plan(&left, &to);
            prop_assert_eq!(&applied(&changes, &left), &to);
            rebase(&mut changes, &left, &edits(&stands, &left));
            prop_assert_eq!(&applied(&changes, &stands), &to);
            for (path, effect) in effects(&changes) {
                prop_assert_eq!(effect.before, stands.get(path).map(Stamp::of));
            }
        }
    }

    #[test]
    fn what_only_a_command_changed_says_so() {
        let [a, b, c] = ['a', 'b', 'c'].map(path);
        let file = |text: &'static str| Entry::file(text.as_bytes());
        let stands: Tree = [(a.clone(), file("1")), (b.clone(), file("1"))].into();
        let left: Tree = [(a.clone(), file("2")), (c.clone(), file("3"))].into();
        let mut changes = Changes::from([(a.clone(), Change { action: Action::Keep, reason: Reason::UserDeleted })]);
        rebase(&mut changes, &left, &edits(&stands, &left));
        let actions: Vec<_> = changes.values().map(|change| (&change.action, change.reason)).collect();
        let before = Stamp::of(&file("1"));
        assert_eq!(
            actions,
            [
                (&Action::Update { before, after: file("2") }, Reason::Migrated),
                (&Action::Delete { before }, Reason::Migrated),
                (&Action::Create(file("3")), Reason::Migrated),
            ]
        );
    }
}
