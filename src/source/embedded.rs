//! The template inside the binary.

use include_dir::{Dir, DirEntry, include_dir};

use super::{Loaded, ManifestFile, load};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::template::MANIFEST;
use crate::tree::{Entry, RelPath, Tree};

/// How messages call the template.
const NAME: &str = "<embedded template>";

static TEMPLATE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/template");

/// The template that this version of create-app carries.
///
/// # Errors
///
/// None in a release: the tests load it.
pub fn embedded() -> Result<Loaded> {
    let mut files = Tree::new();
    collect(&TEMPLATE, &mut files)?;
    let manifest = TEMPLATE.get_file(MANIFEST).and_then(include_dir::File::contents_utf8);
    let manifest = manifest.map(|text| ManifestFile { name: format!("{NAME}/{MANIFEST}"), text: text.into() });
    load(("embedded".into(), None), manifest.as_ref(), files, NAME.to_owned())
}

fn collect(directory: &'static Dir<'static>, files: &mut Tree) -> Result<()> {
    for entry in directory.entries() {
        match entry {
            DirEntry::Dir(directory) => collect(directory, files)?,
            DirEntry::File(file) if file.path() == std::path::Path::new(MANIFEST) => {}
            DirEntry::File(file) => {
                let path = file.path().to_string_lossy().replace('\\', "/");
                let path = RelPath::new(path).map_err(|reason| {
                    Diagnostic::error(Code::UnsafePath, format!("the embedded template's path {reason}"))
                })?;
                // A binary has no place for file modes: what starts like a script is executable, on every platform.
                let executable = file.contents().starts_with(b"#!");
                files.insert(path, Entry::File { bytes: file.contents().into(), executable });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_loads_without_a_warning() {
        let loaded = embedded().unwrap();
        assert_eq!(loaded.warnings, []);
        assert!(loaded.template.files.contains_key(&RelPath::new("alchemy.config.ts").unwrap()));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_executable_on_disk_is_executable_in_the_binary() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("template");
        let on_disk = super::super::from_path(&directory, "template", None).unwrap();
        assert_eq!(on_disk.template.files, embedded().unwrap().template.files);
    }
}
