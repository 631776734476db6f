//! Rules for lists and maps by their place: one table, which a template can extend.
//!
//! `docs/upgrade.md` says the same in words.

mod table;

use self::table::{EXCLUSIVE, LISTS, OPEN_MAPS, ORDERED_MAPS, Row};
use crate::manifest::{ListOrder, ListRule as Declared};
use crate::tree::RelPath;

/// Whether the order of a list has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has none.
    Set,
    /// It has one.
    Sequence,
    /// A set, unless an element begins with `!`: that removes what those before it have chosen.
    Patterns,
    /// The list is one value: its elements have no identity of their own.
    Single,
}

/// By what an element of a list is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity<'r> {
    /// By the first of these keys that it has; else by all of it.
    Keys(&'r [&'r str]),
    /// The same, with keys that a template names.
    Named(&'r [String]),
    /// By all of these keys that it has; else by all of it.
    Composite(&'r [&'r str]),
    /// By `NAME` of `NAME=value`.
    Variable,
    /// By the container's port.
    Port,
    /// By the container's path.
    Volume,
    /// By the normalised name of a package, without its version.
    Package,
    /// By `id`, `name`, `uses` without its version, or `run`.
    Step,
}

/// How a list is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule<'r> {
    pub(super) kind: Kind,
    pub(super) identity: Identity<'r>,
    /// Whether it is in the table: a list that is not may be a tuple.
    pub(super) is_known: bool,
}

/// How elements of lists are known that the table does not have.
const DEFAULT: Rule<'static> = Rule {
    kind: Kind::Sequence,
    identity: Identity::Keys(&["id", "key", "name", "binding", "tag", "label"]),
    is_known: false,
};

/// The rules for one file.
#[derive(Debug)]
pub(super) struct Rules<'r> {
    declared: &'r [&'r Declared],
    lists: Vec<&'static Row>,
    path: &'r str,
}

impl<'r> Rules<'r> {
    /// The rules for the file at `path`: those that the template declares for it, then those of the table.
    pub(super) fn new(path: &'r RelPath, declared: &'r [&'r Declared]) -> Self {
        let path = path.as_str();
        let lists = LISTS.iter().filter(|row| is_in(row.files, path)).collect();
        Self { declared, lists, path }
    }

    /// The rule for the list at `keys`.
    pub(super) fn list(&self, keys: &[&str]) -> Rule<'r> {
        if let Some(rule) = self.declared.iter().find(|rule| matches(&rule.keys, keys)) {
            let identity = match &rule.identity[..] {
                [] => DEFAULT.identity,
                names => Identity::Named(names),
            };
            let kind = match rule.order {
                ListOrder::Set => Kind::Set,
                ListOrder::Sequence => Kind::Sequence,
            };
            return Rule { kind, identity, is_known: true };
        }
        let row = self.lists.iter().find(|row| row.keys.iter().any(|pattern| matches(pattern, keys)));
        row.map_or(DEFAULT, |row| Rule { kind: row.kind, identity: row.identity, is_known: true })
    }

    /// Whether the order of the keys of the map at `keys` has a meaning.
    pub(super) fn is_ordered_map(&self, keys: &[&str]) -> bool {
        ORDERED_MAPS
            .iter()
            .any(|(files, patterns)| is_in(files, self.path) && patterns.iter().any(|pattern| matches(pattern, keys)))
    }

    /// Whether the map at `keys` holds entries that do not depend on each other, such as the dependencies of a package.
    pub(super) fn is_open_map(&self, keys: &[&str]) -> bool {
        OPEN_MAPS.iter().any(|pattern| matches(pattern, keys))
    }
}

/// Whether two keys exclude each other in one map.
pub(super) fn exclusive_keys() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    EXCLUSIVE.iter()
}

/// Whether the path, or its file name, is like one of `patterns`.
fn is_in(patterns: &[&str], path: &str) -> bool {
    let like = |pattern: &&str| match pattern.matches('/').count() {
        0 => is_like(pattern, path.rsplit('/').next().unwrap_or(path)),
        slashes => {
            let start = path.rmatch_indices('/').nth(slashes).map_or(0, |(at, _)| at + 1);
            is_like(pattern, &path[start..])
        }
    };
    patterns.iter().any(like)
}

/// Whether a text is like a pattern, in which each `*` stands for any characters but a slash.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let end = text.find('/').unwrap_or(text.len());
    (0..=end).any(|at| text.is_char_boundary(at) && is_like(rest, &text[at..]))
}

/// Whether keys are like a pattern, in which `*` stands for any key, and `**` for any number of keys.
///
/// Only the last `**` is ever tried again with one key more: what an earlier one could do, a later one can do as well. So this takes
/// the product of both lengths at most.
fn matches(pattern: &str, keys: &[&str]) -> bool {
    let (mut pattern, mut at) = (Some(pattern), 0);
    let mut again: Option<(Option<&str>, usize)> = None;
    loop {
        let (first, rest) =
            match pattern.map(|pattern| pattern.split_once('.').map_or((pattern, None), |it| (it.0, Some(it.1)))) {
                Some((first, rest)) => (Some(first), rest),
                None => (None, None),
            };
        match (first, keys.get(at)) {
            (None, None) => return true,
            (Some("**"), _) => {
                again = Some((rest, at));
                pattern = rest;
                continue;
            }
            (Some(first), Some(key)) if first == "*" || first == *key => {
                at += 1;
                pattern = rest;
                continue;
            }
            _ => {}
        }
        match &mut again {
            Some((rest, from)) if *from < keys.len() => {
                *from += 1;
                (pattern, at) = (*rest, *from);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_like_a_pattern() {
        let cases = [
            ("a", "a", true),
            ("a", "b", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("**.b", "b", true),
            ("**.b", "a.a.b", true),
            ("**.b", "a.b.c", false),
            ("a.**", "a", true),
            ("a.**", "a.b.c", true),
            ("a.**.c", "a.c", true),
            ("a.**.c.**.e", "a.c.c.d.e", true),
            ("a.**.c.**.e", "a.b.d.e", false),
            ("**.*.**", "a", true),
            ("**.a.b", "a.a.b", true),
            ("**.a.*.c", "a.a.b.c", true),
        ];
        for (pattern, keys, expected) in cases {
            assert_eq!(matches(pattern, &keys.split('.').collect::<Vec<_>>()), expected, "{pattern} {keys}");
        }
        assert!(matches("**", &[]) && !matches("a", &[]));
        // Tried in every way, this would never end.
        assert!(!matches(&format!("{}zz", "**.a.".repeat(60)), &["a"; 120]));
    }

    #[test]
    fn a_file_is_known_by_its_name_or_path() {
        assert!(is_in(&["wrangler*.toml"], "apps/a/wrangler.toml"));
        assert!(is_in(&["wrangler*.toml"], "wrangler.test.toml"));
        assert!(is_in(&[".vscode/tasks.json"], "a/.vscode/tasks.json"));
        assert!(!is_in(&[".vscode/tasks.json"], "a.vscode/tasks.json"));
        assert!(!is_in(&["wrangler*.toml"], "wrangler.json"));
    }

    #[test]
    fn what_a_template_declares_comes_first() {
        let path = RelPath::new("a/wrangler.json").unwrap();
        let declared = Declared {
            file: "wrangler.json".to_owned(),
            keys: "**.services".to_owned(),
            order: ListOrder::Sequence,
            identity: vec!["service".to_owned()],
        };
        let declared = [&declared];
        let rules = Rules::new(&path, &declared);
        assert_eq!(rules.list(&["services"]).kind, Kind::Sequence);
        assert_eq!(rules.list(&["env", "x", "r2_buckets"]).kind, Kind::Set);
        assert_eq!(rules.list(&["unknown"]), DEFAULT);
    }
}
