//! A new package inside a Cargo workspace becomes a member of it, as with `cargo new`.
//!
//! The workspace is the nearest one above, as [`Site::above`] goes: in the same repository or, without one, in the user's own directories. Its
//! `Cargo.toml` is somebody's file: it is only changed where it is certain what is to be added, and where.

mod edit;

use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use self::edit::with_member;
use super::replace::replace_file;
use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::limits::{SETTINGS, is_deeply_nested, is_overfull_toml};
use crate::plan::{Action, Change, Plan, Reason, Stamp};
use crate::rooted::{Failure, Root};
use crate::tree::{Entry, RelPath};

/// The manifest of a package or a workspace.
const MANIFEST: &str = "Cargo.toml";
/// The most entries of `members` or `exclude` that are looked at.
const MOST: usize = 10_000;

/// A workspace that a new package becomes a member of.
#[derive(Debug)]
pub struct Membership {
    /// Its manifest.
    manifest: PathBuf,
    before: Entry,
    after: Entry,
}

/// How a new project relates to the workspace around it.
#[derive(Debug, Default)]
pub struct Joined {
    /// What is to be done; `None` if it is a member already, or will be none.
    pub membership: Option<Membership>,
    /// Whether it is, or will be, a member.
    pub is_member: bool,
    /// Why it cannot become one.
    pub warning: Option<Diagnostic>,
}

/// The workspace around a project, by the project's own manifest. A project is not a member where there is no workspace, where that excludes it,
/// and where it is not a package or a workspace of its own.
#[must_use]
pub fn joined(site: &Site, manifest: Option<&Entry>) -> Joined {
    let is_package = manifest.and_then(text).and_then(table).is_some_and(|table| {
        let package = table.get("package").and_then(toml::Value::as_table);
        package.is_some_and(|package| !package.contains_key("workspace")) && !table.contains_key("workspace")
    });
    if !is_package {
        return Joined::default();
    }
    for place in site.above() {
        match in_workspace(site, &place) {
            Ok(Found::Nothing) => {}
            Ok(Found::Member(membership)) => {
                return Joined { membership: Some(membership), is_member: true, warning: None };
            }
            Ok(Found::Covered) => return Joined { is_member: true, ..Joined::default() },
            Ok(Found::Settled) => return Joined::default(),
            Err(warning) => return Joined { warning: Some(warning), ..Joined::default() },
        }
    }
    Joined::default()
}

enum Found {
    /// No workspace is here.
    Nothing,
    /// There is one, and the project is not one of its members.
    Settled,
    /// There is one, which has the project.
    Covered,
    /// There is one, and this is to be done.
    Member(Membership),
}

fn in_workspace(site: &Site, place: &Path) -> std::result::Result<Found, Diagnostic> {
    let manifest = place.join(MANIFEST);
    let warn = |reason: &str| {
        let title = format!("the project was not added to the workspace of `{}`: {reason}", manifest.display());
        let help = "add it to `members` yourself, or pass --no-workspace";
        Diagnostic::warning(Code::WorkspaceUnchanged, title).help(help)
    };
    let Ok(root) = Root::open(place) else { return Ok(Found::Nothing) };
    let bytes = match root.read(MANIFEST, SETTINGS) {
        Ok(bytes) => bytes,
        Err(failure) if failure.is_missing() => return Ok(Found::Nothing),
        Err(Failure::Link(_)) => return Err(warn("it is a link, and nothing is written through a link")),
        Err(failure) => return Err(warn(&failure.diagnostic("cannot read", &manifest).title)),
    };
    let before = Entry::file(bytes);
    let Some(known) = text(&before).and_then(table) else { return Err(warn("it cannot be read as TOML")) };
    let Some(workspace) = known.get("workspace") else { return Ok(Found::Nothing) };
    let member = site.app.strip_prefix(place).ok().and_then(|path| path.to_str()).map(|path| path.replace('\\', "/"));
    let Some(member) = member.filter(|member| !member.is_empty()) else { return Ok(Found::Settled) };
    let list = |key: &str| {
        let entries = workspace.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        entries.filter_map(toml::Value::as_str).take(MOST).map(normalised).collect::<Vec<&str>>()
    };
    let is_excluded = |entry: &&str| Path::new(&member).starts_with(entry);
    if list("members").iter().any(|entry| covers(entry, &member)) {
        return Ok(Found::Covered);
    }
    if list("exclude").iter().any(is_excluded) {
        return Ok(Found::Settled);
    }
    let after = text(&before).and_then(|text| with_member(text, &member));
    let after = after.ok_or_else(|| warn("its `members` are written in a way that cannot be edited safely"))?;
    Ok(Found::Member(Membership { manifest, before, after: Entry::file(after.into_bytes()) }))
}

/// An entry of `members` or `exclude`, without what means nothing.
fn normalised(entry: &str) -> &str {
    entry.trim_start_matches("./").trim_end_matches('/')
}

/// Whether an entry of `members` has a path: as Cargo reads them, where `*` is a part of one name.
fn covers(entry: &str, member: &str) -> bool {
    // To Cargo, a brace is a character like others.
    let braced = entry.replace('{', "[{]").replace('}', "[}]");
    let pattern = || GlobBuilder::new(&braced).literal_separator(true).backslash_escape(false).build();
    entry == member || pattern().is_ok_and(|pattern| pattern.compile_matcher().is_match(member))
}

fn text(entry: &Entry) -> Option<&str> {
    std::str::from_utf8(entry.bytes()).ok()
}

fn table(text: &str) -> Option<toml::Table> {
    let text = text.trim_start_matches('\u{feff}');
    (!is_overfull_toml(text) && !is_deeply_nested(text)).then(|| text.parse().ok()).flatten()
}

impl Membership {
    /// The manifest of the workspace.
    #[must_use]
    pub fn manifest(&self) -> &Path {
        &self.manifest
    }

    /// Makes the change a part of a plan, where it is in the project's repository: all is done, or nothing. Returns what is to be done
    /// afterwards otherwise. Where the template has a say in the file itself, it decides.
    #[must_use]
    pub fn plan(self, site: &Site, plan: &mut Plan) -> Option<Self> {
        if site.repository.is_none() {
            return Some(self);
        }
        let path = self.manifest.strip_prefix(site.root()).ok().and_then(Path::to_str);
        if let Some(path) = path.and_then(|path| RelPath::new(path.replace('\\', "/")).ok()) {
            let action = Action::Update { before: Stamp::of(&self.before), after: self.after };
            plan.files.repository.entry(path).or_insert(Change { action, reason: Reason::Member });
        }
        None
    }

    /// Changes the manifest, where it is what it was: the new one is complete before the old one goes.
    ///
    /// # Errors
    ///
    /// If somebody has changed it, and what cannot be written.
    pub fn write(&self) -> Result<()> {
        let place = self.manifest.parent().unwrap_or(Path::new("."));
        let root = Root::open(place).map_err(|error| Diagnostic::io("cannot open", place, &error))?;
        let now = root.read(MANIFEST, SETTINGS).map_err(|failure| failure.diagnostic("cannot read", &self.manifest))?;
        if now != self.before.bytes() {
            let title = format!("`{}` was changed while create-app was running", self.manifest.display());
            return Err(Diagnostic::error(Code::Busy, title).help("add the project to `members` yourself").into());
        }
        replace_file(&self.manifest, self.after.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_cargo_reads_them() {
        for (entry, member, expected) in [
            ("crates/a", "crates/a", true),
            ("crates/*", "crates/a", true),
            ("crates/*", "crates/a/b", false),
            ("crates/**", "crates/a/b", true),
            ("*", "a", true),
            ("c?ates/[ab]", "crates/b", true),
            ("crates", "crates/a", false),
            ("crates/{a,b}", "crates/a", false),
            ("crates/{a,b}", "crates/{a,b}", true),
            ("*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?/b", "services-and-applications-of-the-company/a", false),
            ("[", "a", false),
        ] {
            assert_eq!(covers(normalised(entry), member), expected, "{entry} {member}");
        }
        assert!(covers(normalised("./a/"), "a"));
    }
}
