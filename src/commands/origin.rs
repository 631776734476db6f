//! The template that the lock names: where it is now, and how a template is named there.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::LockedTemplate;
use crate::source::{self, Loaded};

/// What the lock calls the template that this binary carries.
pub(super) const EMBEDDED: &str = "embedded";

/// Loads the template that made the project at `app`.
///
/// # Errors
///
/// Where it has gone, or cannot be read.
pub(super) fn load(app: &Path, template: &LockedTemplate) -> Result<Loaded> {
    let source = template.source.as_str();
    if source == EMBEDDED {
        return source::embedded();
    }
    let directory = app.join(source);
    if !directory.is_dir() {
        let title =
            format!("the template of this project is gone: there is no directory `{source}`, seen from the app");
        return Err(Diagnostic::error(Code::TemplateNotFound, title)
            .help("say where it is now with `create-app upgrade --path DIR`")
            .into());
    }
    source::from_path(&directory, source, template.subfolder.as_deref())
}

/// How the lock names the template in `directory`, as the user gave it: a relative path is relative to the app, so that it
/// means the same wherever a later command is run.
pub(super) fn name(app: &Path, directory: &Path) -> String {
    let written = |path: &Path| path.to_string_lossy().replace('\\', "/");
    if directory.is_absolute() {
        return written(directory);
    }
    let relative = directory.canonicalize().ok().and_then(|target| pathdiff::diff_paths(target, app));
    match relative {
        Some(path) if path.as_os_str().is_empty() => ".".into(),
        relative => written(&relative.unwrap_or_else(|| directory.to_path_buf())),
    }
}

/// Whether a loaded template is newer than the one that the lock names: another revision, and no older version.
pub(super) fn is_newer(loaded: &Loaded, locked: &LockedTemplate) -> bool {
    let version = |text: &Option<String>| semver::Version::parse(text.as_deref()?).ok();
    let (new, old) = (version(&loaded.template.manifest.ownership.version), version(&locked.version));
    let older = new.zip(old).is_some_and(|(new, old)| new < old);
    loaded.template.origin.revision != locked.revision && !older
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_named_from_the_app() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        fs_err::create_dir_all(root.join("templates/api")).unwrap();
        assert_eq!(
            name(&root.join("apps/shop"), &root.join("templates/api")),
            root.join("templates/api").to_string_lossy()
        );
        // Relative paths are relative to this crate, where the tests run.
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(name(&here.join("a/b"), Path::new("src")), "../../src");
        assert_eq!(name(&here.join("src"), Path::new("src")), ".");
    }
}
