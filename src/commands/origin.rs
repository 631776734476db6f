//! Which template is meant, by the command line or by the lock, and how the lock names it.

use std::path::Path;

use super::inputs;
use crate::cli::SourceArgs;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::LockedTemplate;
use crate::report::{self, Progress};
use crate::source::{self, Address, AddressError, Directory, Files, Loaded, Wanted};
use crate::template::{Origin, Reference};
use crate::tree::RelPath;
use crate::workspace::Site;

/// What the lock calls the template that this binary carries.
pub(super) const EMBEDDED: &str = "embedded";

/// How a template is to be had.
#[derive(Clone, Copy)]
pub(super) struct Access {
    /// Whether the user may be asked.
    pub(super) may_ask: bool,
    /// Whether a repository that was fetched before will do, where it cannot be fetched now.
    pub(super) offline: bool,
}

/// Loads the template that the command line names, else the one that the lock does, else the embedded one.
///
/// # Errors
///
/// Where it has gone or cannot be read, and where what was given does not fit together.
pub(super) fn load(site: &Site, locked: Option<&LockedTemplate>, args: &SourceArgs, access: Access) -> Result<Loaded> {
    let in_git = locked.filter(|locked| locked.is_in_git());
    let asked = args.reference();
    if let Some(path) = &args.directory {
        return from_directory(site, path, locked, args, access);
    }
    if let Some(given) = &args.git {
        let address = Address::given(given, Path::is_dir).map_err(|reason| refuse(given, &reason))?;
        let here = std::env::current_dir().unwrap_or_default();
        let reference = asked.unwrap_or_default();
        let repository = Repository { address: &address, base: &here, reference: &reference, locked: None };
        let mut loaded = repository.load(Folder::of(args, locked), access)?;
        if let Address::Path(path) = &address {
            loaded.template.origin.source = below_here(name(site, path));
        }
        return Ok(loaded);
    }
    if let Some(locked) = in_git {
        return from_lock(site, locked, args, access);
    }
    if let Some((flag, _)) = asked.as_ref().and_then(Reference::pair) {
        let title = format!("`--{flag}` is for a template in git, and this one is not");
        return Err(Diagnostic::error(Code::SourceInvalid, title)
            .help("say where its repository is with --git")
            .into());
    }
    match locked.filter(|locked| locked.source != EMBEDDED) {
        Some(locked) => from_locked_directory(site, locked, args.subfolder.as_deref()),
        None if args.subfolder.is_some() => {
            let title = "`--subfolder` is for a template with folders, and the embedded one has none to choose from";
            Err(Diagnostic::error(Code::SourceInvalid, title)
                .help("say where the template is with --path or --git")
                .into())
        }
        None => source::embedded(),
    }
}

/// A template in a repository.
struct Repository<'a> {
    address: &'a Address,
    base: &'a Path,
    reference: &'a Reference,
    /// The commit, where it is pinned.
    locked: Option<&'a str>,
}

/// The folder of a repository or directory to look in.
#[derive(Clone, Copy)]
enum Folder<'a> {
    /// What the user asked for; of several templates in there, the user chooses.
    Asked(&'a str),
    /// The one that another source had, where it is there; else the user chooses.
    Known(Option<&'a str>),
    /// This one and no other.
    Locked(Option<&'a str>),
}

impl<'a> Folder<'a> {
    /// For a source that may be another one than that of the lock.
    fn of(args: &'a SourceArgs, locked: Option<&'a LockedTemplate>) -> Self {
        let known = || Self::Known(locked.and_then(|locked| locked.subfolder.as_deref()));
        args.subfolder.as_deref().map_or_else(known, Self::Asked)
    }

    fn read(self, files: &dyn Files, may_ask: bool) -> Result<Loaded> {
        let is_there = |folder: &&str| RelPath::new(*folder).is_ok_and(|folder| files.is_folder(&folder));
        match self {
            Self::Asked(folder) => inputs::choose_template(files, Some(folder), may_ask),
            Self::Known(folder) => inputs::choose_template(files, folder.filter(is_there), may_ask),
            Self::Locked(folder) => source::read(files, folder),
        }
    }
}

impl Repository<'_> {
    fn load(&self, folder: Folder<'_>, access: Access) -> Result<Loaded> {
        let progress = Progress::new(&format!("Fetching {}", self.address));
        let step = |line: &str| progress.step(line);
        let commit = source::fetch(Wanted {
            address: self.address,
            base: self.base,
            reference: self.reference,
            commit: self.locked,
            may_ask: access.may_ask,
            offline: access.offline,
            progress: &step,
        })?;
        progress.clear();
        report::diagnostics(commit.note.as_slice());
        let mut loaded = folder.read(&commit, access.may_ask)?;
        loaded.template.origin.reference = self.reference.clone();
        loaded.template.origin.revision = commit.name.clone();
        Ok(loaded)
    }
}

/// The template in the repository that the lock names. A tag or a commit stays what it was, unless another one is asked for.
fn from_lock(site: &Site, locked: &LockedTemplate, args: &SourceArgs, access: Access) -> Result<Loaded> {
    let address = Address::parse(&locked.source).map_err(|reason| refuse(&locked.source, &reason))?;
    let asked = args.reference();
    let reference = asked.as_ref().unwrap_or(&locked.reference);
    let pinned = asked.is_none() && reference.is_pinned();
    let repository = Repository {
        address: &address,
        base: &site.app,
        reference,
        locked: pinned.then_some(locked.revision.as_str()),
    };
    let folder = args.subfolder.as_deref().or(locked.subfolder.as_deref());
    let mut loaded = repository.load(Folder::Locked(folder), access)?;
    let origin = &mut loaded.template.origin;
    origin.source.clone_from(&locked.source);
    if pinned && access.offline {
        let stays =
            format!("The project stays with {reference} of its template: --tag, --rev or --branch say otherwise.");
        report::status(&stays);
    }
    if asked.is_none() && is_same(origin, locked) {
        // A commit that does not touch the template is no reason to change the project.
        origin.revision.clone_from(&locked.revision);
    }
    Ok(loaded)
}

fn from_directory(
    site: &Site,
    path: &Path,
    locked: Option<&LockedTemplate>,
    args: &SourceArgs,
    access: Access,
) -> Result<Loaded> {
    let spelling = path.to_string_lossy();
    let directory = Directory::open(path, &spelling)?;
    let mut loaded = Folder::of(args, locked).read(&directory, access.may_ask)?;
    loaded.template.origin.source = name(site, path);
    Ok(loaded)
}

fn from_locked_directory(site: &Site, locked: &LockedTemplate, subfolder: Option<&str>) -> Result<Loaded> {
    let source = locked.source.as_str();
    let directory = site.app.join(source);
    if !directory.is_dir() {
        let title =
            format!("the template of this project is gone: there is no directory `{source}`, seen from the app");
        return Err(Diagnostic::error(Code::TemplateNotFound, title)
            .help("say where it is now with `create-app upgrade --path DIR`")
            .into());
    }
    source::from_path(&directory, source, subfolder.or(locked.subfolder.as_deref()))
}

fn refuse(address: &str, reason: &AddressError) -> Diagnostic {
    let help = "give a URL, host:path, gh:owner/repo or a directory";
    Diagnostic::error(Code::SourceInvalid, format!("the address `{address}` {reason}")).help(help)
}

/// How the lock names the template in `directory`: as seen from the app where the user gave a relative path, or where both are
/// in one repository, so that it means the same on every machine that has both. Else as the user gave it.
fn name(site: &Site, directory: &Path) -> String {
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
fn below_here(name: String) -> String {
    if name.starts_with(['.', '/']) || Path::new(&name).is_absolute() { name } else { format!("./{name}") }
}

/// Whether the template is what the lock knows, whatever else may have changed around it.
fn is_same(origin: &Origin, locked: &LockedTemplate) -> bool {
    origin.revision == locked.revision || locked.digest.as_ref() == Some(&origin.digest)
}

/// Whether a loaded template is newer than the one that the lock names: another revision, and no older version.
pub(super) fn is_newer(loaded: &Loaded, locked: &LockedTemplate) -> bool {
    let version = |text: &Option<String>| semver::Version::parse(text.as_deref()?).ok();
    let (new, old) = (version(&loaded.template.manifest.ownership.version), version(&locked.version));
    let older = new.zip(old).is_some_and(|(new, old)| new < old);
    !is_same(&loaded.template.origin, locked) && !older
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
