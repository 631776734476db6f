//! How the lock refers to a template's directory.

use std::path::Path;

use crate::workspace::Site;

/// How the lock names the template in `directory`: as seen from the app where the user gave a relative path, or where both are
/// in one repository, so that it means the same on every machine that has both. Else as the user gave it.
pub(super) fn name(site: &Site, directory: &Path) -> String {
    let written = |path: &Path| path.to_string_lossy().replace('\\', "/");
    let moves_along =
        |path: &Path| directory.is_relative() || site.repository.as_ref().is_some_and(|root| path.starts_with(root));
    let target = directory.canonicalize().ok().filter(|path| moves_along(path));
    match target.and_then(|target| pathdiff::diff_paths(target, &site.app)) {
        Some(path) if path.as_os_str().is_empty() => ".".into(),
        Some(path) => written(&path),
        None => written(directory),
    }
}

/// A directory that cannot be mistaken for anything else that `--git` takes.
pub(super) fn below_here(name: String) -> String {
    if name.starts_with(['.', '/']) || Path::new(&name).is_absolute() { name } else { format!("./{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_named_from_the_app() {
        // Relative paths are relative to this crate, where the tests run.
        let name = |app: &str| name(&Site::locate(Path::new(app)).unwrap(), Path::new("src"));
        assert_eq!(name("a/b"), "../../src");
        assert_eq!(name("src"), ".");
    }

    #[test]
    fn a_directory_below_the_app_is_not_mistaken_for_a_repository_on_github() {
        assert_eq!(
            ["t", "a/b", "../t", ".", "/t"].map(|name| below_here(name.into())),
            ["./t", "./a/b", "../t", ".", "/t"]
        );
    }
}
