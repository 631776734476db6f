//! Where a project is, or will be, and what is there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::files::Files;
use super::locks;
use crate::credentials::{has_credentials, without_credentials};
use crate::diagnostic::{Code, Diagnostic, Result, io_reason};
use crate::git;
use crate::limits::{Budget, PROJECT};
use crate::lock::Base;
use crate::lock::{DIRECTORY, LOCK};
use crate::plan::{Existing, Trees};
use crate::scope::Scope;
use crate::shell;
use crate::tree::{RelPath, Tree};

/// Where a project is, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The app's directory: absolute, and without links as far as it exists.
    pub app: PathBuf,
    /// The root of the git work tree around it, if there is one.
    pub repository: Option<PathBuf>,
    /// The app's path below that root; `None` if the app is the root, or if there is no repository: what a lock says
    /// about it moves nothing.
    pub app_dir: Option<RelPath>,
    /// The path as the user gave it, for messages.
    given: PathBuf,
}

impl Site {
    /// Finds out where `path` is. Nothing needs to be there, and git is not run.
    ///
    /// # Errors
    ///
    /// If the path is an address, leads through something that is not a directory, or cannot be named in the files of a
    /// repository.
    pub fn locate(path: &Path) -> Result<Self> {
        refuse_address(path)?;
        let app = resolve(path)?;
        let repository = git::find_repository(&app);
        repository.as_deref().map_or(Ok(()), git::check_files)?;
        let app_dir = match &repository {
            Some(root) if *root != app => Some(app_dir(path, app.strip_prefix(root).unwrap_or(&app))?),
            _ => None,
        };
        Ok(Self { app, repository, app_dir, given: path.to_path_buf() })
    }

    /// The same place for a project that becomes a repository of its own, whatever is around it.
    #[must_use]
    pub fn apart(self) -> Self {
        match self.app_dir {
            Some(_) => Self { repository: None, app_dir: None, ..self },
            None => self,
        }
    }

    /// The app's path below the repository's root, as templates know it: `.` where the app is the root.
    #[must_use]
    pub fn app_dir(&self) -> &str {
        self.app_dir.as_ref().map_or(".", RelPath::as_str)
    }

    /// A path below the app, as it is called below the root.
    #[must_use]
    pub fn in_repository(&self, path: &str) -> String {
        match &self.app_dir {
            Some(app_dir) => format!("{app_dir}/{path}"),
            None => path.to_owned(),
        }
    }

    /// A path below the app, as messages call it.
    #[must_use]
    pub fn name_of(&self, path: &str) -> String {
        let given = self.given.to_string_lossy();
        let given = if cfg!(windows) { given.replace('\\', "/") } else { given.into_owned() };
        match given.trim_end_matches('/') {
            "" | "." => path.to_owned(),
            given => format!("{given}/{path}"),
        }
    }

    /// The path as the user gave it.
    #[must_use]
    pub fn shown(&self) -> std::path::Display<'_> {
        self.given.display()
    }

    /// A command of create-app's for this project, to be pasted into a shell.
    #[must_use]
    pub fn command(&self, name: &str) -> String {
        format!("create-app {name} {}", shell::place(&self.given))
    }

    /// A command of git's for paths that are relative to the repository's root, to be pasted into a shell here.
    #[must_use]
    pub fn in_git(&self, arguments: &[&str]) -> String {
        let mut words = vec!["git".to_owned()];
        if here().as_deref() != Some(self.root()) {
            words.extend(["-C".to_owned(), shell::place(self.root()).into_owned()]);
        }
        words.extend(arguments.iter().map(|word| shell::word(word).into_owned()));
        words.join(" ")
    }

    /// The command that passes git a path below the app, for pasting into a shell here.
    #[must_use]
    pub fn git_add(&self, options: &[&str], path: &str) -> String {
        if here().as_deref() == Some(&*self.app) {
            return [&["git", "add"], options, &["--", &*shell::path(path)]].concat().join(" ");
        }
        self.in_git(&[&["add"], options, &["--", &self.in_repository(path)]].concat())
    }

    /// The path as the user gave it, to go there.
    #[must_use]
    pub fn given(&self) -> &Path {
        &self.given
    }

    /// What belongs at the repository's root goes below this directory: the root, or the app where that is the same.
    #[must_use]
    pub fn root(&self) -> &Path {
        let depth = self.app_dir.as_ref().map_or(0, RelPath::depth);
        self.app.ancestors().nth(depth).unwrap_or(&self.app)
    }

    /// Where the paths of files begin.
    #[must_use]
    pub fn place(&self, scope: Scope) -> &Path {
        match scope {
            Scope::App => &self.app,
            Scope::Repository => self.root(),
        }
    }

    /// Whether a project that create-app made is here, as far as one can see: what cannot be read is not absent.
    #[must_use]
    pub fn has_lock(&self) -> bool {
        use std::io::ErrorKind::{NotADirectory, NotFound};
        let found = self.app.join(DIRECTORY).join(LOCK).symlink_metadata();
        found.map_or_else(|error| !matches!(error.kind(), NotFound | NotADirectory), |_| true)
    }

    /// The paths below the repository's root that belong to the project that is here. None where there is none, or
    /// where its lock cannot be understood: it is not known whose they are.
    ///
    /// # Errors
    ///
    /// If the lock is there and cannot be read.
    pub fn owned(&self) -> Result<BTreeSet<RelPath>> {
        Ok(locks::of(&self.app)?.map(|lock| lock.files.repository.into_keys().collect()).unwrap_or_default())
    }

    /// Checks that a new project can be made here. A directory that is empty but for `.git` is as good as none.
    ///
    /// # Errors
    ///
    /// Says what is in the way, and what to do about it.
    pub fn check(&self, existing: Existing) -> Result<()> {
        let metadata = match self.app.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Diagnostic::io("cannot read", &self.given, &error).into()),
            Ok(metadata) => metadata,
        };
        if !metadata.is_dir() {
            let kind = if metadata.is_symlink() { "a broken link" } else { "a file" };
            return Err(self.in_the_way(&format!("is {kind}"), "choose another name, or move it out of the way"));
        }
        match existing {
            Existing::Replace => Ok(()),
            Existing::Keep | Existing::Refuse if self.has_lock() => Err(self.in_the_way(
                "is already a project created by create-app",
                "run `create-app upgrade` there, or pass --overwrite to recreate it",
            )),
            Existing::Keep => Ok(()),
            Existing::Refuse if self.is_vacant()? => Ok(()),
            Existing::Refuse => Err(self.in_the_way(
                "already exists and is not empty",
                "choose another name, or pass --init to add to it and keep its files, or --overwrite to replace them",
            )),
        }
    }

    /// What is where these trees' files go: a file or a link, each as an entry.
    ///
    /// # Errors
    ///
    /// If something else is there, such as a directory, if the way there leads through a link, and if more
    /// is there than can be held.
    pub fn read(&self, app: &Tree, repository: &Tree) -> Result<Trees> {
        let (none, held) = (Base::new(), Budget::new(PROJECT));
        let read = |root: &Path, tree: &Tree| Files::open(root, &none, &held)?.in_place(tree.keys());
        Ok(Trees { app: read(&self.app, app)?, repository: read(self.root(), repository)? })
    }

    /// The names of all files that were put beside others in the directories of these, without what is in them.
    ///
    /// # Errors
    ///
    /// If such a directory cannot be read.
    pub fn side_files(&self, of: &Trees) -> Result<Trees> {
        let (none, held) = (Base::new(), Budget::new(0));
        let find = |root: &Path, tree: &Tree| Files::open(root, &none, &held)?.side_files(tree.keys());
        Ok(Trees { app: find(&self.app, &of.app)?, repository: find(self.root(), &of.repository)? })
    }

    fn is_vacant(&self) -> Result<bool> {
        let entries = std::fs::read_dir(&self.app)
            .and_then(|mut entries| entries.try_fold(true, |vacant, entry| Ok(vacant && entry?.file_name() == ".git")));
        entries.map_err(|error| Diagnostic::io("cannot read", &self.given, &error).into())
    }

    fn in_the_way(&self, what: &str, help: &str) -> crate::diagnostic::Diagnostics {
        Diagnostic::error(Code::TargetExists, format!("`{}` {what}", self.given.display())).help(help).into()
    }
}

/// A path as it may be shown: without credentials where it is an address.
#[must_use]
pub(crate) fn shown(path: &Path) -> Cow<'_, str> {
    let text = path.to_string_lossy();
    if is_address(path, &text) { without_credentials(&text).into_owned().into() } else { text }
}

/// What is there has its name already.
fn is_address(path: &Path, text: &str) -> bool {
    text.contains("://") || has_credentials(text) && path.symlink_metadata().is_err()
}

/// A directory with such a name would hold the password of an address that was meant for `--git`.
fn refuse_address(path: &Path) -> Result<()> {
    let text = path.to_string_lossy();
    if !is_address(path, &text) {
        return Ok(());
    }
    let title = format!("`{}` is an address, not the path of a project", without_credentials(&text));
    Err(Diagnostic::error(Code::SourceInvalid, title).help("pass the address of a template with --git").into())
}

/// How the names start that directories have beside an app until it is complete, or when it has gone.
pub(super) fn prefix_beside(app: &Path) -> String {
    let name = app.file_name().unwrap_or_default().to_string_lossy();
    format!(".{}.create-app-", &name[..name.floor_char_boundary(200)])
}

/// Makes a path absolute and resolves its links as far as it exists; the rest is taken as it is written.
fn resolve(path: &Path) -> Result<PathBuf> {
    let failed = |error: &std::io::Error| Diagnostic::io("cannot find", path, error);
    let absolute = std::path::absolute(path).map_err(|error| {
        let title = format!("cannot find the current directory: {}", io_reason(&error));
        Diagnostic::error(Code::Io, title).help("change to a directory that exists, or pass an absolute path")
    })?;
    let mut rest = Vec::new();
    let mut existing = absolute.as_path();
    loop {
        match existing.canonicalize() {
            Ok(found) if rest.is_empty() || found.is_dir() => return Ok(append(plain(found), &rest)),
            Ok(_) => return Err(no_directory(existing)),
            // A link that leads nowhere is what is there; what is below it can be nowhere.
            Err(_) if existing.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) => {
                let Some(parent) = existing.parent().filter(|_| rest.is_empty()) else {
                    return Err(no_directory(existing));
                };
                let parent = parent.canonicalize().map_err(|error| failed(&error))?;
                return Ok(plain(parent).join(existing.file_name().unwrap_or_default()));
            }
            Err(error) if error.kind() == ErrorKind::NotADirectory || error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&error).into()),
        }
        let mut components = existing.components();
        match components.next_back() {
            Some(last @ (Component::Normal(_) | Component::ParentDir)) => rest.push(last),
            _ => return Err(failed(&ErrorKind::NotFound.into()).into()),
        }
        existing = components.as_path();
    }
}

/// Appends components that do not exist, last one first; `..` removes the one before it.
fn append(mut path: PathBuf, rest: &[Component<'_>]) -> PathBuf {
    for component in rest.iter().rev() {
        match component {
            Component::ParentDir => drop(path.pop()),
            component => path.push(component),
        }
    }
    path
}

/// Without the `\\?\` that Windows puts before a canonical path, where it is not needed: other programs cannot read it.
fn plain(path: PathBuf) -> PathBuf {
    let drive = path.to_str().and_then(|text| text.strip_prefix(r"\\?\"));
    match drive {
        Some(drive) if cfg!(windows) && drive.as_bytes().get(1) == Some(&b':') && drive.len() < 240 => drive.into(),
        _ => path,
    }
}

fn no_directory(path: &Path) -> crate::diagnostic::Diagnostics {
    Diagnostic::error(Code::TargetExists, format!("`{}` is not a directory", path.display()))
        .help("choose another path, or move it out of the way")
        .into()
}

fn app_dir(given: &Path, below: &Path) -> Result<RelPath> {
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    let reason = match parts.map(|parts| RelPath::new(parts.join("/"))) {
        Some(Ok(path)) => return Ok(path),
        Some(Err(error)) => error.to_string(),
        None => "is not UTF-8".into(),
    };
    let title = format!("the path of `{}` below the root of its repository {reason}", given.display());
    Err(Diagnostic::error(Code::UnsafePath, title).help("choose another path").into())
}

/// Where the shell is that commands are pasted into.
fn here() -> Option<PathBuf> {
    std::env::current_dir().and_then(|here| here.canonicalize()).ok()
}
