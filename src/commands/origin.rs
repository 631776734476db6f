//! The template that the lock names: where it is now, and how a template is named there.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::LockedTemplate;
use crate::source::{self, Loaded};
use crate::workspace::Site;

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

/// How the lock names the template in `directory`: as seen from the app where the user gave a relative path, or where both
/// are in one repository, so that it means the same on every machine that has both. Else as the user gave it.
pub(super) fn name(site: &Site, directory: &Path) -> String {
    let written = |path: &Path| path.to_string_lossy().replace('\\', "/");
    let moves_along =
        |path: &Path| directory.is_relative() || site.repository.as_ref().is_some_and(|root| path.starts_with(root));
    let target = directory.canonicalize().ok().filter(|path| moves_along(path));
    let relative = target.and_then(|target| pathdiff::diff_paths(target, &site.app));
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
        let name = |app: &Path, directory: &Path| name(&Site::locate(app).unwrap(), directory);
        let template = root.join("templates/api");
        assert_eq!(name(&root.join("apps/shop"), &template), template.to_string_lossy());
        fs_err::create_dir(root.join(".git")).unwrap();
        fs_err::write(root.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        // Relative paths are relative to this crate, where the tests run.
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(name(&here.join("a/b"), Path::new("src")), "../../src");
        assert_eq!(name(&here.join("src"), Path::new("src")), ".");
    }
}
