//! A template in memory: its manifest, its files, and where it came from.

use crate::manifest::Manifest;
use crate::tree::Tree;

/// The manifest's file name.
pub const MANIFEST: &str = "cargo-generate.toml";

/// A template as its source delivered it.
#[derive(Debug)]
pub struct Template {
    /// What the lock remembers of where it came from.
    pub origin: Origin,
    /// The manifest, empty where the template has none.
    pub manifest: Manifest,
    /// Every file but the manifest, unrendered, under its template path.
    pub files: Tree,
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
