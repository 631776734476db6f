//! How a Rust file is to be formatted: the edition of the package it is in, and the settings that `cargo fmt` would use there.

use std::collections::HashMap;
use std::path::Path;

use crate::limits::{SETTINGS, is_deeply_nested, is_overfull_toml};
use crate::rooted::Root;
use crate::tree::{Entry, RelPath, Tree};
use crate::workspace::Site;

/// The edition of a package that names none.
const FIRST_EDITION: &str = "2015";
/// The names of the file with rustfmt's settings; the first one that exists is used.
const CONFIG: [&str; 2] = [".rustfmt.toml", "rustfmt.toml"];

/// How a file is formatted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Setting {
    /// The edition, four digits.
    pub(crate) edition: String,
    /// The text of `rustfmt.toml`; empty where there is none.
    pub(crate) config: String,
}

/// What of a `Cargo.toml` counts here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Manifest {
    /// The edition of the package; `None` if it is the workspace's. No package, no entry.
    package: Option<Option<String>>,
    /// The edition that a workspace gives to its packages.
    workspace: Option<String>,
}

/// The contents of one directory.
#[derive(Debug, Clone, Default)]
struct Directory {
    manifest: Option<Manifest>,
    config: Option<String>,
}

/// The directories of a tree, and those above it.
pub(crate) struct Places<'a> {
    /// The trees in which a file is looked for, one after the other.
    trees: Vec<&'a Tree>,
    /// The directory of the project's own files.
    own: Option<Root>,
    known: HashMap<String, Directory>,
    above: Vec<Directory>,
}

impl<'a> Places<'a> {
    /// Of an app's files.
    pub(crate) fn of_app(site: &Site, trees: Vec<&'a Tree>) -> Self {
        let above = site.above().iter().map(|place| Directory::on_disk(place)).collect();
        Self { trees, own: Root::open(&site.app).ok(), known: HashMap::new(), above }
    }

    /// Of the files at the repository's root.
    pub(crate) fn of_repository(trees: Vec<&'a Tree>) -> Self {
        Self { trees, own: None, known: HashMap::new(), above: Vec::new() }
    }

    /// How the file at a path is formatted; `None` if it is not Rust, or in no package.
    pub(crate) fn setting(&mut self, path: &RelPath) -> Option<Setting> {
        if !is_rust(path) {
            return None;
        }
        let directories = || path.ancestors().chain([""]);
        for above in directories() {
            if !self.known.contains_key(above) {
                let directory = Directory::in_trees(&self.trees, self.own.as_ref(), above);
                self.known.insert(above.to_owned(), directory);
            }
        }
        let inside = directories().filter_map(|above| self.known.get(above));
        let chain: Vec<&Directory> = inside.chain(&self.above).collect();
        let edition = edition(chain.iter().filter_map(|directory| directory.manifest.as_ref()))?;
        let is_edition = edition.len() == 4 && edition.bytes().all(|byte| byte.is_ascii_digit());
        let config = chain.iter().find_map(|directory| directory.config.clone()).unwrap_or_default();
        is_edition.then_some(Setting { edition, config })
    }
}

/// Whether a path is that of a Rust file.
pub(crate) fn is_rust(path: &RelPath) -> bool {
    path.as_str().ends_with(".rs") && path.file_name() != ".rs"
}

/// The edition of the nearest package, as Cargo finds it.
fn edition<'m>(manifests: impl Iterator<Item = &'m Manifest>) -> Option<String> {
    let mut inherits = false;
    for manifest in manifests {
        match &manifest.package {
            Some(Some(edition)) if !inherits => return Some(edition.clone()),
            Some(None) => inherits = true,
            _ => {}
        }
        if manifest.workspace.is_some() {
            return manifest.workspace.clone();
        }
    }
    None
}

impl Directory {
    /// What the trees have or, where none does, the project's own directory.
    fn in_trees(trees: &[&Tree], own: Option<&Root>, directory: &str) -> Self {
        let text = |name: &str| {
            let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
            let path = RelPath::new(path).ok()?;
            let bytes = match trees.iter().find_map(|tree| tree.get(&path)) {
                Some(Entry::File { bytes, .. }) => bytes.to_vec(),
                Some(Entry::Symlink { .. }) => return None,
                None => own?.read(path.as_str(), SETTINGS).ok()?,
            };
            String::from_utf8(bytes).ok()
        };
        Self::of(text)
    }

    fn on_disk(place: &Path) -> Self {
        let root = Root::open(place).ok();
        Self::of(|name| String::from_utf8(root.as_ref()?.read(name, SETTINGS).ok()?).ok())
    }

    fn of(text: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            manifest: text("Cargo.toml").and_then(|text| Manifest::parse(&text)),
            config: CONFIG.iter().find_map(|name| text(name)),
        }
    }
}

impl Manifest {
    fn parse(text: &str) -> Option<Self> {
        if text.len() as u64 > SETTINGS || is_overfull_toml(text) || is_deeply_nested(text) {
            return None;
        }
        let table: toml::Table = text.parse().ok()?;
        let inner = |table: &toml::Table, key: &str| table.get(key).and_then(toml::Value::as_table).cloned();
        let package = inner(&table, "package").map(|package| match package.get("edition") {
            None => Some(FIRST_EDITION.to_owned()),
            Some(toml::Value::String(edition)) => Some(edition.clone()),
            Some(_) => None,
        });
        let shared = inner(&table, "workspace").and_then(|workspace| inner(&workspace, "package"));
        let edition = shared.and_then(|shared| Some(shared.get("edition")?.as_str()?.to_owned()));
        Some(Self { package, workspace: edition })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edition_of(files: &[(&str, &str)], path: &str) -> Option<String> {
        let tree: Tree = files
            .iter()
            .map(|(path, text)| (RelPath::new(*path).unwrap(), Entry::file(text.as_bytes().to_vec())))
            .collect();
        let setting = Places::of_repository(vec![&tree]).setting(&RelPath::new(path).unwrap())?;
        Some(format!("{} {}", setting.edition, setting.config).trim().to_owned())
    }

    #[test]
    fn the_edition_is_that_of_the_nearest_package() {
        let workspace = ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n[workspace.package]\nedition = \"2024\"\n");
        let own = ("a/Cargo.toml", "[package]\nname = \"a\"\nedition = \"2018\"\n");
        let shared = ("a/Cargo.toml", "[package]\nname = \"a\"\nedition.workspace = true\n");
        let none = ("a/Cargo.toml", "[package]\nname = \"a\"\n");
        let of = |files: &[_]| edition_of(files, "a/src/main.rs");
        assert_eq!(of(&[workspace, own]).as_deref(), Some("2018"));
        assert_eq!(of(&[workspace, shared]).as_deref(), Some("2024"));
        assert_eq!(of(&[workspace, none]).as_deref(), Some("2015"));
        assert_eq!(of(&[workspace]).as_deref(), Some("2024"));
        assert_eq!(of(&[shared]), None);
        assert_eq!(of(&[("a/Cargo.toml", "[package]\nedition = \"--emit\"\n")]), None);
        assert_eq!(of(&[("a/Cargo.toml", "not toml"), workspace]).as_deref(), Some("2024"));
        assert_eq!(of(&[]), None);
        assert_eq!(edition_of(&[own], "a/readme.md"), None);
    }

    #[test]
    fn the_nearest_settings_count() {
        let files = [
            ("Cargo.toml", "[package]\nedition = \"2021\"\n"),
            ("rustfmt.toml", "a = 1"),
            ("src/.rustfmt.toml", "b = 1"),
        ];
        assert_eq!(edition_of(&files, "src/main.rs").as_deref(), Some("2021 b = 1"));
        assert_eq!(edition_of(&files, "build.rs").as_deref(), Some("2021 a = 1"));
    }
}
