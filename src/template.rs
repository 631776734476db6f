//! A template in memory: its manifest, its files, and where it came from.

use std::collections::BTreeSet;

use crate::manifest::Manifest;
use crate::tree::{RelPath, Tree};

/// The manifest's file name.
pub const MANIFEST: &str = "cargo-generate.toml";

/// A template as its source delivered it.
#[derive(Debug)]
pub struct Template {
    /// What the lock remembers of where it came from.
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
    /// `embedded`, or what the user gave to `--path`.
    pub source: String,
    /// The template inside the source, where the source holds several.
    pub subfolder: Option<String>,
    /// The digest of the template's tree, manifest included.
    pub revision: String,
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
