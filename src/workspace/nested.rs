//! Directories that the project has elsewhere: repositories of their own, such as submodules, and links in place of a folder of the
//! template. What is in them is not the project's, and nothing is written there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::site::Site;
use crate::diagnostic::{Diagnostic, Result};
use crate::git::{self, Kinds};
use crate::lock::{Base, Bases};
use crate::plan::{Action, Change, Changes, Plan, Reason, Trees};
use crate::rooted::{Kind, Reader, Root};
use crate::tree::{RelPath, Tree};

/// Such directories, each with why nothing is written there.
type Places = BTreeMap<RelPath, Reason>;

/// The directories that the project has elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nested {
    app: Places,
    repository: Places,
}

/// The files of the template that belong into such directories, and are new or changed.
#[derive(Debug, Default)]
pub struct Unwritten {
    app: Places,
    repository: Places,
}

/// Finds such directories, as far as the template has or had files in or at them. `kinds` is what git's index has.
///
/// # Errors
///
/// If a directory cannot be opened.
pub fn nested(site: &Site, kinds: &Kinds, bases: Option<&Bases>, theirs: &Trees) -> Result<Nested> {
    let none = Bases::default();
    let bases = bases.unwrap_or(&none);
    let moved = || bases.moved.values();
    let prefix = site.in_repository("");
    let below = kinds.submodules.iter().filter_map(|path| path.strip_prefix(prefix.as_str()));
    let is_known = |path: &RelPath| bases.files.app.contains_key(path) || theirs.app.contains_key(path);
    let app = find(&site.app, below, bases.files.app.keys().chain(theirs.app.keys()).chain(moved()), is_known)?;
    let all = kinds.submodules.iter().map(String::as_str);
    let is_known = |path: &RelPath| bases.files.repository.contains_key(path) || theirs.repository.contains_key(path);
    let repository = find(site.root(), all, bases.files.repository.keys().chain(theirs.repository.keys()), is_known)?;
    Ok(Nested { app, repository })
}

fn find<'p>(
    root: &Path,
    submodules: impl Iterator<Item = &'p str>,
    paths: impl Iterator<Item = &'p RelPath>,
    is_known: impl Fn(&RelPath) -> bool,
) -> Result<Places> {
    let submodules = submodules.filter_map(|path| RelPath::new(path).ok());
    let mut found: Places = submodules.map(|path| (path, Reason::ElsewhereInGit)).collect();
    let mut places: BTreeSet<&str> = BTreeSet::new();
    for path in paths {
        places.insert(path.as_str());
        places.extend(path.ancestors());
    }
    if places.is_empty() || !root.is_dir() {
        return Ok(Places::new());
    }
    found.retain(|path, _| places.contains(path.as_str()));
    let opened = Root::open(root).map_err(|error| Diagnostic::io("cannot read", root, &error))?;
    let (mut reader, mut other) = (Reader::new(&opened), Reader::new(&opened));
    let mut is_repository = |place: &str| {
        matches!(reader.kind(&Path::new(place).join(".git")), Ok(Some(_))) && {
            let directory = root.join(place);
            git::find_repository(&directory).is_some_and(|repository| repository == directory)
        }
    };
    let mut missing = None;
    for place in places {
        // Below what is missing, there is nothing to look for: a record can name very many such directories.
        if missing.and_then(|missing| place.strip_prefix(missing)).is_some_and(|rest| rest.starts_with('/')) {
            continue;
        }
        let kind = other.kind(Path::new(place));
        if matches!(kind, Ok(None)) {
            missing = Some(place);
            continue;
        }
        // Most places are plain: only of the others, the path is checked.
        let reason = match kind {
            Ok(Some(Kind::Directory)) if is_repository(place) => Reason::ElsewhereInGit,
            Ok(Some(Kind::Link)) => Reason::BehindLink,
            _ => continue,
        };
        let Ok(path) = RelPath::new(place) else { continue };
        // Where the template has, or had, a file or a link itself, the merge has rules for it.
        if reason == Reason::ElsewhereInGit || !is_known(&path) {
            found.insert(path, reason);
        }
    }
    Ok(found)
}

impl Nested {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.app.is_empty() && self.repository.is_empty()
    }

    /// Takes what is in or at such a directory out of what is merged. Returns what the template has there that it did not have before.
    pub fn take(&self, bases: Option<&mut Bases>, theirs: &mut Trees) -> Unwritten {
        if self.is_empty() {
            return Unwritten::default();
        }
        let mut none = Bases::default();
        let bases = bases.unwrap_or(&mut none);
        bases.moved.retain(|_, to| !is_in(&self.app, to));
        Unwritten {
            app: take(&self.app, &mut bases.files.app, &mut theirs.app),
            repository: take(&self.repository, &mut bases.files.repository, &mut theirs.repository),
        }
    }

    /// The trees without what is in or at such a directory.
    #[must_use]
    pub fn without(&self, mut ours: Trees) -> Trees {
        ours.app.retain(|path, _| !is_in(&self.app, path));
        ours.repository.retain(|path, _| !is_in(&self.repository, path));
        ours
    }
}

impl Unwritten {
    /// Adds to a plan that these files are not written.
    pub fn tell(self, plan: &mut Plan) {
        let keep = |changes: &mut Changes, paths: Places| {
            changes.extend(paths.into_iter().map(|(path, reason)| (path, Change { action: Action::Keep, reason })));
        };
        keep(&mut plan.files.app, self.app);
        keep(&mut plan.files.repository, self.repository);
    }
}

/// Why nothing is written at a path; `None` if that is no reason.
fn reason(nested: &Places, path: &RelPath) -> Option<Reason> {
    let above = path.ancestors().filter_map(|above| RelPath::new(above).ok());
    [path.clone()].into_iter().chain(above).find_map(|place| nested.get(&place).copied())
}

fn is_in(nested: &Places, path: &RelPath) -> bool {
    !nested.is_empty() && reason(nested, path).is_some()
}

fn take(nested: &Places, base: &mut Base, theirs: &mut Tree) -> Places {
    if nested.is_empty() {
        return Places::new();
    }
    let mut changed = Places::new();
    theirs.retain(|path, entry| {
        let Some(reason) = reason(nested, path) else { return true };
        let is_news = || {
            let recorded = base.get(path);
            recorded.is_none_or(|it| !it.pristine.once && (!it.is_unedited(entry) || it.pristine.mode != entry.mode()))
        };
        if is_news() {
            changed.insert(path.clone(), reason);
        }
        false
    });
    base.retain(|path, _| !is_in(nested, path));
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Recorded;
    use crate::scope::Scoped;
    use crate::tree::Entry;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    #[test]
    fn what_is_in_another_repository_is_not_merged_and_what_is_new_there_is_told() {
        let entry = |text: &'static str| Entry::file(text.as_bytes());
        let tree =
            |files: &[(&str, &'static str)]| files.iter().map(|&(name, text)| (path(name), entry(text))).collect();
        let nested = Nested {
            app: [(path("docs"), Reason::ElsewhereInGit), (path("file"), Reason::ElsewhereInGit)].into(),
            repository: Places::new(),
        };
        let base = [("docs/a", "1"), ("docs/b", "1"), ("docs-2/a", "1"), ("x", "1")];
        let mut bases = Bases {
            files: Scoped {
                app: base.map(|(name, text)| (path(name), Recorded::of(entry(text)))).into(),
                ..Scoped::default()
            },
            moved: [(path("x"), path("docs/x")), (path("docs-2/a"), path("a"))].into(),
        };
        let app = tree(&[("docs/a", "1"), ("docs/b", "2"), ("docs/deep/c", "1"), ("docs-2/a", "2"), ("file", "1")]);
        let mut theirs = Trees { app, repository: Tree::new() };
        let mut plan = Plan::default();
        nested.take(Some(&mut bases), &mut theirs).tell(&mut plan);
        assert_eq!(bases.files.app.keys().map(RelPath::as_str).collect::<Vec<_>>(), ["docs-2/a", "x"]);
        assert_eq!(bases.moved, [(path("docs-2/a"), path("a"))].into());
        assert_eq!(theirs.app.keys().map(RelPath::as_str).collect::<Vec<_>>(), ["docs-2/a"]);
        assert_eq!(plan.files.app.keys().map(RelPath::as_str).collect::<Vec<_>>(), ["docs/b", "docs/deep/c", "file"]);
        assert!(plan.is_empty());
    }
}
