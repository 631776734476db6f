//! Patches: git applies them, and gets exactly the files that were wanted.

use std::collections::BTreeSet;

use create_app::git;
use create_app::plan::{Difference, patch};
use create_app::tree::{RelPath, Tree};

use crate::files::{read, trees, write};

/// Files of the side `b` are there before, those of `a` afterwards.
pub(crate) fn run(data: &[u8]) {
    let [before, after] = trees(data, [b'b', b'a']);
    for patch in [whole(&before, &after), renamed(&before, &after)].into_iter().flatten() {
        if patch.is_empty() {
            assert_eq!(before, after);
            continue;
        }
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("files");
        std::fs::create_dir(&root).unwrap();
        write(&root, &before);
        let refused = git::apply(&root, &patch).unwrap();
        let text = || String::from_utf8_lossy(&patch).into_owned();
        assert!(refused.is_empty(), "git refuses it: {refused:#?}\n{}", text());
        assert_eq!(read(&root), after, "{}", text());
    }
}

/// File by file, in the order of the paths, as a plan without moves has them.
fn whole(before: &Tree, after: &Tree) -> Option<Vec<u8>> {
    let paths: BTreeSet<&RelPath> = before.keys().chain(after.keys()).collect();
    let differences = paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).map(|path| Difference {
        from: None,
        path: path.as_str(),
        before: before.get(path),
        after: after.get(path),
    });
    Some(patch(&differences.collect::<Vec<_>>()))
}

/// The same, with the first file that goes moved to the first one that comes, as a plan with one move has it.
fn renamed(before: &Tree, after: &Tree) -> Option<Vec<u8>> {
    let (from, old) = before.iter().find(|(path, _)| !after.contains_key(*path))?;
    let (to, new) = after.iter().find(|(path, _)| !before.contains_key(*path))?;
    let rest = before.keys().chain(after.keys()).filter(|path| *path != from && *path != to);
    let paths: BTreeSet<&RelPath> = rest.filter(|path| before.get(*path) != after.get(*path)).collect();
    let single = |path| Difference { from: None, path, before: None, after: None };
    let mut differences =
        vec![Difference { from: Some(from.as_str()), before: Some(old), after: Some(new), ..single(to.as_str()) }];
    differences.extend(paths.into_iter().map(|path| Difference {
        before: before.get(path),
        after: after.get(path),
        ..single(path.as_str())
    }));
    differences.sort_by_key(|difference| difference.path);
    Some(patch(&differences))
}
