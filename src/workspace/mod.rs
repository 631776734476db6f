//! stub
use crate::diagnostic::{Diagnostic, Result};
use crate::tree::{Entry, Tree};
use std::path::Path;
/// stub
pub fn replace_tree(dir: &Path, tree: &Tree) -> Result<()> {
    drop(fs_err::remove_dir_all(dir));
    for (p, e) in tree {
        let f = p.below(dir);
        let io = |err: std::io::Error| Diagnostic::io("cannot write", &f, &err);
        fs_err::create_dir_all(f.parent().unwrap_or(dir)).map_err(io)?;
        match e {
            Entry::Symlink { target } => std::os::unix::fs::symlink(target, &f).map_err(io)?,
            Entry::File { bytes, executable } => {
                fs_err::write(&f, bytes).map_err(io)?;
                if *executable {
                    use std::os::unix::fs::PermissionsExt as _;
                    fs_err::set_permissions(&f, std::fs::Permissions::from_mode(0o755)).map_err(io)?;
                }
            }
        }
    }
    Ok(())
}
