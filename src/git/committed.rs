//! The version in the last commit.

use std::collections::BTreeMap;
use std::path::Path;

use super::command::{chunks, literal};
use super::mirror::{Listed, listed};
use super::run::{lossy, run};
use crate::diagnostic::Result;

/// The last commit's version of some files: mode and object, or nothing.
#[derive(Debug, Default)]
pub struct Committed(BTreeMap<String, Option<(u32, String)>>);

impl Committed {
    /// What it has of `paths`, relative to the repository's root and with `/`. It takes as long as the directories on the way
    /// are large, however large the rest of the repository is.
    ///
    /// # Errors
    ///
    /// When git is missing or fails, as it does where there is no commit.
    pub fn ask<'a>(root: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut known = BTreeMap::new();
        for chunk in chunks(paths) {
            // What is below a directory is not listed: a commit may have one where the paths have a file.
            let output = run(literal(root).args(["ls-tree", "-z", "--full-tree", "HEAD", "--"]).args(&chunk))?;
            known.extend(chunk.into_iter().map(|path| (path.to_owned(), None)));
            for Listed { path, mode, object, .. } in output.stdout.split(|byte| *byte == 0).filter_map(listed) {
                let version = u32::from_str_radix(&mode, 8).ok().map(|mode| (mode, object));
                known.entry(lossy(&path)).and_modify(|known| *known = version);
            }
        }
        Ok(Self(known))
    }

    /// Whether git was asked about this path.
    pub(super) fn knows(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Whether the last commit has this mode and this object at a path.
    pub(super) fn has(&self, path: &str, mode: u32, object: &str) -> bool {
        self.0.get(path).and_then(Option::as_ref).is_some_and(|known| known.0 == mode && known.1 == object)
    }
}
