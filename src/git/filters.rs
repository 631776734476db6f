//! Programs with names of their own, which no single setting turns off.
//!
//! Filters turn a file into what git stores. The user's own ones, such as Git LFS, run where git reads files; a repository may
//! not name any. Hooks can have names since git 2.54 (`hook.<name>.command`), and `core.hooksPath` has no say in those.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use super::command::{git, set};
use super::repository::{common, git_directory};
use super::run::{lossy, run};
use super::special::{expanded, is_endless, not_regular};
use crate::diagnostic::{Code, Diagnostic, Result};

/// The longest configuration that is looked at here, in bytes. About a longer one, git is asked.
const MAX_LENGTH: u64 = 1 << 20;
/// The keys of a filter.
const KEYS: [&str; 4] = ["clean", "smudge", "process", "required"];

/// Git for what may read files of the work tree. Writing the index is a part of that, as git reads files then that were changed in
/// the moment in which it looked at them.
///
/// # Errors
///
/// As [`overridden`].
pub(super) fn reading(root: &Path) -> Result<Command> {
    let mut command = git(root);
    set(&mut command, &overridden(root)?);
    Ok(command)
}

/// Settings for the command line that take the filters and hooks of the repository's own configuration out of force: each filter has
/// the value that the user gives it, or none; each hook that the repository says anything about is off.
///
/// Git is asked only if the repository's configuration has one of them, or includes another file.
///
/// # Errors
///
/// When git is missing or fails, and if a filter or a hook cannot be taken out of force.
fn overridden(root: &Path) -> Result<Vec<String>> {
    if is_plain(root) {
        return Ok(Vec::new());
    }
    let listed = run(git(root).args(["config", "--list", "--show-scope", "-z"]))?.stdout;
    let fields: Vec<String> = listed.split(|byte| *byte == 0).map(lossy).collect();
    let mut attributes = fields.iter().filter_map(|field| field.strip_prefix("core.attributesfile\n"));
    if let Some(endless) = attributes.find_map(|path| Some(expanded(path, root)).filter(|path| is_endless(path))) {
        return Err(not_regular(root, &endless).into());
    }
    overrides(fields.chunks_exact(2).map(|field| (field[0].as_str(), field[1].as_str())))
}

/// The words of a configuration that needs to be looked at.
const WORDS: [&str; 4] = ["[hook", "attributesfile", "filter", "include"];

/// Whether the repository's configuration certainly has no filter, no hook with a name, and no file of attributes: it has no such
/// word, and includes no other file.
fn is_plain(root: &Path) -> bool {
    let Some(own) = git_directory(root) else { return false };
    let shared = common(&own);
    let is_plain = |path: &Path| match path.metadata() {
        Ok(metadata) if !metadata.is_file() || metadata.len() > MAX_LENGTH => false,
        Ok(_) => std::fs::read(path).is_ok_and(|text| {
            let text = text.to_ascii_lowercase();
            !WORDS.iter().any(|word| text.windows(word.len()).any(|at| at == word.as_bytes()))
        }),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    [&own, &shared].iter().all(|place| ["config", "config.worktree"].iter().all(|name| is_plain(&place.join(name))))
}

/// The same for a configuration as git lists it: scopes, and keys with their values on the next line.
fn overrides<'l>(listed: impl Iterator<Item = (&'l str, &'l str)>) -> Result<Vec<String>> {
    let (mut users, mut own, mut hooks) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for (scope, entry) in listed {
        let (key, value) = entry.split_once('\n').unwrap_or((entry, "true"));
        let is_users = ["system", "global", "command"].contains(&scope);
        if let Some((hook, _)) = key.strip_prefix("hook.").and_then(|key| key.rsplit_once('.'))
            && !is_users
        {
            hooks.insert(hook);
        }
        let name = key.strip_prefix("filter.").and_then(|key| Some(key.rsplit_once('.')?.1));
        if !name.is_some_and(|name| KEYS.contains(&name)) {
            continue;
        }
        if is_users {
            users.insert(key, value);
        } else {
            own.insert(key);
        }
    }
    // On the command line, the key ends at the first `=`; one that is not UTF-8 would be another one there.
    let hooks = hooks.into_iter().map(|name| format!("hook.{name}"));
    let hooks: Vec<String> = hooks.collect();
    let names = own.iter().copied().map(|key| ("filter", key));
    let mut names = names.chain(hooks.iter().map(|key| ("hook", key.as_str())));
    if let Some((kind, key)) = names.find(|(_, key)| key.contains(['=', char::REPLACEMENT_CHARACTER])) {
        let title = format!("the repository's configuration has a {kind} that cannot be switched off: `{key}`");
        return Err(Diagnostic::error(Code::Git, title).help("remove it from the repository's `.git/config`").into());
    }
    let value = |key: &str| {
        let none = if key.ends_with(".required") { "false" } else { "" };
        users.get(key).copied().unwrap_or(none)
    };
    let filters = own.into_iter().map(|key| format!("{key}={}", value(key)));
    // Git fails where a hook has events and no command, unless it is off.
    let off = |hook: &String| [".enabled=false", ".event=", ".command="].map(|setting| format!("{hook}{setting}"));
    Ok(filters.chain(hooks.iter().flat_map(off)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::{repository, write};

    #[test]
    fn only_a_configuration_with_a_filter_needs_to_be_asked_about() {
        let directory = repository();
        let root = directory.path();
        assert!(is_plain(root));
        let config = root.join(".git/config");
        let text = fs_err::read_to_string(&config).unwrap();
        write(&config, format!("{text}[core]\n\thooksPath = .husky\n"));
        assert!(is_plain(root));
        for more in ["[Filter \"x\"]\n", "[Hook \"x\"]\n", "[hook.x]\n", "[includeIf \"gitdir:/\"]\n", "[ FILTER\"x\"]"]
        {
            write(&config, format!("{text}{more}"));
            assert!(!is_plain(root), "{more}");
        }
        write(&config, &text);
        write(root.join(".git/config.worktree"), "[filter \"x\"]\n");
        assert!(!is_plain(root));
    }

    #[cfg(unix)]
    #[test]
    fn attributes_without_an_end_are_not_read() {
        let directory = repository();
        let root = directory.path();
        let config = root.join(".git/config");
        let text = fs_err::read_to_string(&config).unwrap();
        for (path, is_refused) in [("/dev/zero", true), ("/dev/null", false), ("/nowhere", false)] {
            write(&config, format!("{text}[core]\n\tattributesFile = {path}\n"));
            assert_eq!(reading(root).is_err(), is_refused, "{path}");
        }
    }

    #[test]
    fn filters_of_the_user_stay_and_those_of_the_repository_do_not() {
        let listed = [
            ("global", "filter.lfs.clean\ngit-lfs clean -- %f"),
            ("global", "filter.lfs.required\ntrue"),
            ("global", "filter.mine.clean\nmine"),
            ("local", "filter.lfs.clean\nevil"),
            ("local", "filter.lfs.required"),
            ("worktree", "filter.a.b.process\nevil"),
            ("local", "filter.b.required\ntrue"),
            ("local", "user.name\nfilter"),
            ("command", "core.fsmonitor\nfalse"),
        ];
        let expected = [
            "filter.a.b.process=",
            "filter.b.required=false",
            "filter.lfs.clean=git-lfs clean -- %f",
            "filter.lfs.required=true",
        ];
        assert_eq!(overrides(listed.into_iter()).unwrap(), expected);
        let problem = overrides([("local", "filter.a=b.clean\nevil")].into_iter()).unwrap_err().0.remove(0);
        assert!(problem.title.ends_with("`filter.a=b.clean`"), "{problem:?}");
    }

    #[test]
    fn hooks_of_the_repository_are_off_and_those_of_the_user_stay() {
        let listed = [
            ("global", "hook.mine.command\nmine"),
            ("global", "hook.changed.command\nmine"),
            ("global", "hook.jobs\n2"),
            ("local", "hook.changed.event\npost-index-change"),
            ("worktree", "hook.a.b.command\nevil"),
            ("local", "hook.jobs\n2"),
        ];
        let expected = ["hook.a.b", "hook.changed"]
            .map(|hook| [".enabled=false", ".event=", ".command="].map(|setting| format!("{hook}{setting}")));
        assert_eq!(overrides(listed.into_iter()).unwrap(), expected.concat());
        let problem = overrides([("local", "hook.a=b.event\nx")].into_iter()).unwrap_err().0.remove(0);
        assert!(problem.title.ends_with("has a hook that cannot be switched off: `hook.a=b`"), "{problem:?}");
    }
}
