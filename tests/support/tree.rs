//! Whole trees on disk, compared exactly: paths, bytes, executable bits, links.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use walkdir::WalkDir;

/// Every file below a directory but `.create-app` and `.git`: what it is, and its bytes or its target.
pub(crate) type Tree = BTreeMap<String, (&'static str, Vec<u8>)>;

/// Reads a tree; empty directories do not count.
pub(crate) fn read(root: &Path) -> Tree {
    let own = |name: &std::ffi::OsStr| name == ".create-app" || name == ".git";
    let entries = WalkDir::new(root).min_depth(1).into_iter().filter_entry(|entry| !own(entry.file_name()));
    let files = entries.map(|entry| entry.unwrap()).filter(|entry| !entry.file_type().is_dir());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            let content = if entry.path_is_symlink() {
                ("link", fs_err::read_link(entry.path()).unwrap().to_string_lossy().replace('\\', "/").into_bytes())
            } else {
                (kind(&entry.metadata().unwrap()), fs_err::read(entry.path()).unwrap())
            };
            (path, content)
        })
        .collect()
}

#[cfg(unix)]
fn kind(metadata: &std::fs::Metadata) -> &'static str {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o100 == 0 { "file" } else { "executable" }
}

#[cfg(not(unix))]
fn kind(_: &std::fs::Metadata) -> &'static str {
    "file"
}

/// What differs, a line each; empty where nothing does.
pub(crate) fn differences(expected: &Tree, actual: &Tree) -> String {
    let paths: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    let lines = paths.into_iter().filter_map(|path| match (expected.get(path), actual.get(path)) {
        (Some(expected), Some(actual)) if expected == actual => None,
        (Some(_), None) => Some(format!("missing: {path}")),
        (None, _) => Some(format!("unexpected: {path}")),
        (Some((kind, _)), Some((actual, _))) if kind != actual => Some(format!("{path} is a {actual}, not a {kind}")),
        (Some((_, expected)), Some((_, actual))) => {
            let [expected, actual] = [expected, actual].map(|bytes| String::from_utf8_lossy(bytes));
            Some(format!("{path} differs\n  expected: {expected:?}\n  actual:   {actual:?}"))
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
