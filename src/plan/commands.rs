//! The commands that the user has to run after a plan.

use std::collections::BTreeSet;
use std::fmt;

use super::{Action, Change, Install, Plan, Reason};
use crate::scope::Scope;
use crate::tree::RelPath;

/// A command that the user should run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Todo {
    /// Where `directory` begins.
    pub scope: Scope,
    /// The directory in which to run it; none for the app, or the repository's root, itself.
    pub directory: Option<String>,
    /// The command.
    pub install: Install,
}

impl fmt::Display for Todo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run `{}`", self.install.command())?;
        match &self.directory {
            Some(directory) => write!(f, " in {directory}"),
            None => Ok(()),
        }
    }
}

impl Plan {
    /// The commands that bring lock files, and what is installed, up to date: for each lock file that changes or was not
    /// merged, and for each manifest that changes and has a lock file in the template, beside it or above.
    ///
    /// `has` says whether the template has a path. `app_dir` is the app below that root; above it, too, may be the lock file of an app's manifest.
    #[must_use]
    pub fn commands(&self, app_dir: Option<&RelPath>, has: impl Fn(Scope, &str) -> bool) -> BTreeSet<Todo> {
        self.changes()
            .filter_map(|(scope, path, change)| {
                let found = command(path, change, &|path: &str| has(scope, path));
                if let Some((directory, install)) = found {
                    return Some(Todo { scope, directory, install });
                }
                let above = app_dir.filter(|_| scope == Scope::App)?;
                let manifest = RelPath::new(format!("{above}/{}", path.file_name())).ok()?;
                let (directory, install) = command(&manifest, change, &|path: &str| has(Scope::Repository, path))?;
                Some(Todo { scope: Scope::Repository, directory, install })
            })
            .collect()
    }
}

fn command(path: &RelPath, change: &Change, has: &dyn Fn(&str) -> bool) -> Option<(Option<String>, Install)> {
    let beside = path.ancestors().next().map(str::to_owned);
    if let Reason::LockFile(install) = change.reason {
        return Some((beside, install));
    }
    if matches!(change.action, Action::Keep | Action::Delete { .. }) {
        return None;
    }
    if let Some(install) = Install::of(path.file_name()) {
        return Some((beside, install));
    }
    let directories = path.ancestors().map(Some).chain([None]);
    let mut found = directories.filter_map(|directory| {
        let below = |name: &str| directory.map_or_else(|| name.to_owned(), |directory| format!("{directory}/{name}"));
        let name = Install::lock_files(path.file_name()).iter().find(|name| has(&below(name)))?;
        Some((directory.map(str::to_owned), Install::of(name)?))
    });
    found.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Changes;
    use crate::scope::Scoped;
    use crate::tree::Entry;

    fn commands(changed: &str, reason: Reason, files: &[&str]) -> Vec<String> {
        let action =
            if matches!(reason, Reason::LockFile(_)) { Action::Keep } else { Action::Create(Entry::file(&b""[..])) };
        let app: Changes = [(RelPath::new(changed).unwrap(), Change { action, reason })].into();
        let plan = Plan { files: Scoped { app, ..Scoped::default() }, ..Plan::default() };
        plan.commands(None, |scope, path| scope == Scope::App && files.contains(&path))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_manifest_is_installed_by_the_nearest_lock_file() {
        let changed = |path: &str, files: &[&str]| commands(path, Reason::TemplateChanged, files);
        assert_eq!(changed("package.json", &["bun.lock", "a/yarn.lock"]), ["run `bun install`"]);
        assert_eq!(changed("a/b/package.json", &["bun.lock"]), ["run `bun install`"]);
        assert_eq!(changed("a/b/package.json", &["a/pnpm-lock.yaml", "bun.lock"]), ["run `pnpm install` in a"]);
        assert_eq!(changed("Cargo.toml", &["bun.lock", "Cargo.lock"]), ["run `cargo update --workspace`"]);
        assert_eq!(changed("package.json", &["Cargo.lock"]), [""; 0]);
        assert_eq!(changed("a.ts", &["bun.lock"]), [""; 0]);
    }

    #[test]
    fn the_lock_file_of_a_workspace_is_above_the_app() {
        let change = Change { action: Action::Create(Entry::file(&b""[..])), reason: Reason::Added };
        let path = RelPath::new("package.json").unwrap();
        let (plan, shop) = (
            Plan { files: Scoped { app: [(path, change)].into(), ..Scoped::default() }, ..Plan::default() },
            RelPath::new("apps/shop").unwrap(),
        );
        let commands =
            |file: &str| plan.commands(Some(&shop), |scope, path| scope == Scope::Repository && path == file);
        let todo = |directory: Option<&str>, install| {
            BTreeSet::from([Todo { scope: Scope::Repository, directory: directory.map(str::to_owned), install }])
        };
        assert_eq!(commands("pnpm-lock.yaml"), todo(None, Install::Pnpm));
        assert_eq!(commands("apps/yarn.lock"), todo(Some("apps"), Install::Yarn));
        assert_eq!(commands("other/yarn.lock"), BTreeSet::new());
    }

    #[test]
    fn a_lock_file_is_brought_up_to_date_whether_it_was_taken_or_kept() {
        assert_eq!(commands("a/bun.lock", Reason::TemplateChanged, &["a/bun.lock"]), ["run `bun install` in a"]);
        assert_eq!(commands("bun.lock", Reason::LockFile(Install::Bun), &[]), ["run `bun install`"]);
    }
}
