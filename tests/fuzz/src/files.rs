//! Trees: in an input, and on the disk.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use create_app::tree::{Entry, RelPath, Tree};

use crate::versions::parts;

/// The trees of an input. Each part is a file: a line `SIDES MODE PATH`, and its content. Sides are letters, one for each
/// tree that has the file; the mode is `x` for an executable file, `l` for a link, and anything else for a file.
pub(crate) fn trees<const N: usize>(data: &[u8], sides: [u8; N]) -> [Tree; N] {
    let mut trees = [const { Tree::new() }; N];
    for part in parts(data).into_iter().take(16) {
        let end = part.iter().position(|&byte| byte == b'\n').unwrap_or(part.len());
        let (header, content) = (&part[..end], part.get(end + 1..).unwrap_or_default());
        let Some((of, mode, path)) = header_of(header) else { continue };
        let Some(entry) = entry(mode, content) else { continue };
        for (tree, _) in trees.iter_mut().zip(sides).filter(|(_, side)| of.as_bytes().contains(side)) {
            tree.insert(path.clone(), entry.clone());
        }
    }
    trees.map(possible)
}

fn header_of(header: &[u8]) -> Option<(&str, &str, RelPath)> {
    let mut words = std::str::from_utf8(header).ok()?.splitn(3, ' ');
    Some((words.next()?, words.next()?, RelPath::new(words.next()?).ok()?))
}

fn entry(mode: &str, content: &[u8]) -> Option<Entry> {
    if mode != "l" {
        return Some(Entry::File { bytes: content.to_vec().into(), executable: mode == "x" });
    }
    let target = std::str::from_utf8(content).ok()?;
    let fits = !target.is_empty() && target.len() < 1024 && !target.contains('\0');
    fits.then(|| Entry::Symlink { target: target.to_owned() })
}

/// Without the files that stand where others need a directory.
pub(crate) fn possible(mut tree: Tree) -> Tree {
    let directories: BTreeSet<String> = tree.keys().flat_map(RelPath::ancestors).map(str::to_owned).collect();
    tree.retain(|path, _| !directories.contains(path.as_str()));
    tree
}

/// Writes a tree into an empty directory.
pub(crate) fn write(root: &Path, tree: &Tree) {
    for (path, entry) in tree {
        let full = root.join(path.as_str());
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        match entry {
            Entry::Symlink { target } => symlink(target, &full).unwrap(),
            Entry::File { bytes, executable } => {
                fs::write(&full, bytes).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(&full, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

/// Reads a directory.
pub(crate) fn read(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![String::new()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(root.join(&directory)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            let metadata = entry.path().symlink_metadata().unwrap();
            let found = if metadata.is_dir() {
                open.push(path);
                continue;
            } else if metadata.is_symlink() {
                Entry::Symlink { target: fs::read_link(entry.path()).unwrap().into_os_string().into_string().unwrap() }
            } else {
                let executable = metadata.permissions().mode() & 0o100 != 0;
                Entry::File { bytes: fs::read(entry.path()).unwrap().into(), executable }
            };
            tree.insert(RelPath::new(path).unwrap(), found);
        }
    }
    tree
}
