//! A template in memory: its manifest, its files, and where it came from.

use std::collections::BTreeSet;
use std::fmt;

use crate::manifest::Manifest;
use crate::tree::{RelPath, Tree};

/// The manifest's file name.
pub const MANIFEST: &str = "cargo-generate.toml";
/// The suffix that marks a template file for editors, and is dropped.
const LIQUID_SUFFIX: &str = ".liquid";

/// A template as its source delivered it.
#[derive(Debug)]
pub struct Template {
    /// The origin that the lock records.
    pub origin: Origin,
    /// The manifest, empty where the template has none.
    pub manifest: Manifest,
    /// Every file but the manifest, unrendered, under its template path without `.liquid`.
    pub files: Tree,
    /// How messages name its files.
    pub names: Names,
}

/// Where a template came from, as the lock writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `embedded`, what the user gave to `--path`, or the address of a repository, without credentials.
    pub source: String,
    /// The branch, tag or commit of a repository that is followed.
    pub reference: Reference,
    /// The template inside the source, where the source holds several.
    pub subfolder: Option<String>,
    /// Whether its submodules are left out.
    pub skips_submodules: bool,
    /// The commit; elsewhere the digest.
    pub revision: String,
    /// The digest of the template's tree, manifest included.
    pub digest: String,
}

/// The branch, tag or commit of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reference {
    /// The branch that it calls its default one.
    #[default]
    Default,
    /// A branch, whose newest commit is wanted.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit, in any spelling of git's.
    Rev(String),
    /// The newest tag that a version requirement allows.
    Releases {
        /// The requirement: `latest`, or as Cargo writes them.
        requirement: String,
        /// The tag that is the newest one now.
        tag: String,
    },
}

impl Reference {
    /// The key in the lock, which is the flag as well, and the name. None for the default branch. Of releases, it is the tag.
    #[must_use]
    pub fn pair(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Default => None,
            Self::Branch(name) => Some(("branch", name)),
            Self::Tag(name) => Some(("tag", name)),
            Self::Rev(name) => Some(("rev", name)),
            Self::Releases { tag, .. } => Some(("tag", tag)),
        }
    }

    /// The opposite of [`Reference::pair`].
    #[must_use]
    pub fn of(key: &str, name: String) -> Self {
        match key {
            "branch" => Self::Branch(name),
            "tag" => Self::Tag(name),
            "rev" => Self::Rev(name),
            _ => Self::Default,
        }
    }

    /// The requirement, where releases are followed.
    #[must_use]
    pub fn requirement(&self) -> Option<&str> {
        match self {
            Self::Releases { requirement, .. } => Some(requirement),
            _ => None,
        }
    }

    /// The name of the tag, where it is one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Tag(tag) | Self::Releases { tag, .. } => Some(tag),
            _ => None,
        }
    }

    /// Whether it stays where it is: an upgrade does not move away from a tag or a commit by itself.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        matches!(self, Self::Tag(_) | Self::Rev(_))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default branch"),
            Self::Branch(name) => write!(f, "the branch `{name}`"),
            Self::Tag(name) => write!(f, "the tag `{name}`"),
            Self::Rev(name) => write!(f, "the commit `{name}`"),
            Self::Releases { requirement, .. } => write!(f, "the releases `{requirement}`"),
        }
    }
}

/// How messages name a template's files: as its author knows them.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The template's directory as the user gave it; empty for the embedded one.
    pub directory: String,
    /// The files whose names have lost their `.liquid`.
    pub suffixed: BTreeSet<RelPath>,
}

impl Names {
    /// The name of the file with this template path.
    #[must_use]
    pub fn of(&self, path: &RelPath) -> String {
        let suffix = if self.suffixed.contains(path) { ".liquid" } else { "" };
        self.below(&format!("{path}{suffix}"))
    }

    /// A name below the template's directory.
    #[must_use]
    pub fn below(&self, name: &str) -> String {
        match self.directory.trim_end_matches('/') {
            "" => name.to_owned(),
            directory => format!("{directory}/{name}"),
        }
    }
}

/// The path without `.liquid`, unless nothing else would remain of its name.
pub(crate) fn strip_liquid(path: &str) -> &str {
    match path.strip_suffix(LIQUID_SUFFIX) {
        Some(stripped) if !stripped.is_empty() && !stripped.ends_with('/') => stripped,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_is_dropped_unless_it_is_the_whole_name() {
        assert_eq!(strip_liquid("a/b.txt.liquid"), "a/b.txt");
        assert_eq!(strip_liquid("a/.liquid"), "a/.liquid");
    }
}
