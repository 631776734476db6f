//! Which versions lie between two others, and match.

use semver::{Comparator, Op, Version, VersionReq};

use crate::diagnostic::{Code, Diagnostic, Result};

/// The version of a record.
pub(super) fn recorded(text: &str) -> Result<Version> {
    Version::parse(text).map_err(|_| {
        let title = format!("the template's version in the lock, `{text:.100}`, cannot be compared with others");
        let help = "write the version that the project was made with into `version` under `[template]`, as in `1.2.3`";
        Diagnostic::error(Code::LockInvalid, title).help(help).into()
    })
}

/// The oldest version after `before`, up to `after`, that matches; `None` if `before` matches itself.
///
/// The versions that a template has had are not known. What a requirement matches begins at one of its own bounds, or right
/// after `before`; so one of these matches if any version does.
pub(super) fn first_match(requirement: &VersionReq, before: Option<&Version>, after: &Version) -> Option<Version> {
    if before.is_some_and(|before| requirement.matches(before)) {
        return None;
    }
    let bounds = requirement.comparators.iter().filter_map(lower_bound);
    let next = before.map(|before| Version::new(before.major, before.minor, before.patch.saturating_add(1)));
    let candidates = bounds.chain(next).chain([Version::new(0, 0, 0), after.clone()]);
    let between = |version: &Version| version <= after && before.is_none_or(|before| version > before);
    candidates.filter(|version| between(version) && requirement.matches(version)).min()
}

/// The oldest version that a comparator lets through; `None` if it has no lower end.
fn lower_bound(comparator: &Comparator) -> Option<Version> {
    let part = |part: Option<u64>| part.unwrap_or_default();
    let [minor, patch] = [part(comparator.minor), part(comparator.patch)];
    let at = Version { pre: comparator.pre.clone(), ..Version::new(comparator.major, minor, patch) };
    let above = || match (comparator.minor, comparator.patch) {
        (None, _) => Version::new(comparator.major.saturating_add(1), 0, 0),
        (_, None) => Version::new(comparator.major, minor.saturating_add(1), 0),
        _ if !comparator.pre.is_empty() => Version::new(comparator.major, minor, patch),
        _ => Version::new(comparator.major, minor, patch.saturating_add(1)),
    };
    match comparator.op {
        Op::Greater => Some(above()),
        Op::Less | Op::LessEq => None,
        _ => Some(at),
    }
}
