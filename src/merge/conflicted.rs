//! The conflicts that a plan leaves, as the lock records them: later, nothing else counts as a conflict of ours.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::lock::{Conflicted, Conflicts, Pristine};
use crate::plan::{Action, Changes, Plan};
use crate::tree::{Entry, RelPath};

/// The conflicts of a plan. `secret` are the files whose digests must not be recorded either.
#[must_use]
pub fn conflicts(plan: &Plan, secret: &BTreeSet<RelPath>) -> Conflicts {
    plan.files.as_ref().map(|changes| of(changes, secret))
}

fn of(changes: &Changes, secret: &BTreeSet<RelPath>) -> BTreeMap<RelPath, Conflicted> {
    let mut found = BTreeMap::new();
    for (path, change) in changes {
        let Action::Conflict(conflict) = &change.action else { continue };
        let is_secret = secret.contains(path);
        let beside = conflict.beside.iter().map(|(beside, entry)| (beside.clone(), written(entry, is_secret)));
        found.extend(beside);
        // A new file whose place is taken is itself what was put beside another one.
        match (&conflict.before, &conflict.after) {
            (None, Some(after)) if conflict.stages.is_none() => {
                found.insert(path.clone(), written(after, is_secret));
            }
            _ => drop(found.insert(path.clone(), Conflicted::File)),
        }
    }
    found
}

fn written(entry: &Entry, is_secret: bool) -> Conflicted {
    let digest = (!is_secret).then(|| Digest::of(entry.bytes()));
    Conflicted::Beside(Pristine {
        mode: entry.mode(),
        digest,
        masked: None,
        formatted: None,
        once: false,
        large: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Change, Conflict, Reason, Stamp};
    use crate::scope::Scoped;

    #[test]
    fn the_file_and_what_was_put_beside_it_are_recorded() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let entry = |text: &'static str| Entry::file(text.as_bytes());
        let conflict = |before: Option<&str>, beside: &[&str]| {
            let conflict = Conflict {
                before: before.map(|from| (path(from), Stamp::of(&entry("ours")))),
                after: Some(entry("after")),
                stages: None,
                beside: beside.iter().map(|name| (path(name), entry("theirs"))).collect(),
                places: 1,
            };
            Change { action: Action::Conflict(Box::new(conflict)), reason: Reason::BothChanged }
        };
        let app: Changes = [
            (path("a"), conflict(Some("a"), &[])),
            (path("b"), conflict(Some("b"), &["b.theirs"])),
            (path("key"), conflict(Some("key"), &["key.theirs"])),
            (path("taken.theirs"), conflict(None, &[])),
            (path("kept"), Change { action: Action::Keep, reason: Reason::UserDeleted }),
        ]
        .into();
        let plan = Plan { files: Scoped { app, ..Scoped::default() }, ..Plan::default() };
        let found = conflicts(&plan, &[path("key")].into());
        let theirs = written(&entry("theirs"), false);
        let expected: BTreeMap<RelPath, Conflicted> = [
            ("a", Conflicted::File),
            ("b", Conflicted::File),
            ("b.theirs", theirs),
            ("key", Conflicted::File),
            ("key.theirs", written(&entry("theirs"), true)),
            ("taken.theirs", written(&entry("after"), false)),
        ]
        .map(|(name, left)| (path(name), left))
        .into();
        assert_eq!(found.app, expected);
        assert!(found.repository.is_empty() && conflicts(&Plan::default(), &BTreeSet::new()).is_empty());
    }
}
