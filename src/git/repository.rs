//! Where a repository is, found without running git.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::includes;
use crate::diagnostic::{Code, Diagnostic, Result};

/// The longest file of git's own that is read here, in bytes: they hold one line.
const MAX_LENGTH: u64 = 1 << 16;
/// The longest file of rules or names that git is let to read, in bytes.
pub(super) const MAX_TEXT: u64 = 64 << 20;

/// The root of the work tree that `path` is in: the nearest directory, `path` itself first, whose `.git` is a repository or the
/// file that leads to one (in a linked work tree or a submodule). A directory that looks like a bare repository is not one. A
/// `.git` that cannot be read may be one, which [`check_files`] refuses.
///
/// `path` should be absolute; it need not exist.
#[must_use]
pub fn find_repository(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|directory| is_repository(&directory.join(".git"))).map(Path::to_path_buf)
}

/// Whether git would stop at this `.git`, if it could read it: it walks past anything else.
fn is_repository(dot_git: &Path) -> bool {
    if unreadable(dot_git).is_some() || has_no_head_to_read(dot_git) {
        return true;
    }
    if dot_git.is_dir() { is_git_directory(dot_git) } else { line(dot_git).is_some_and(|it| it.starts_with(GITDIR)) }
}

/// What the file `.git` of a linked work tree or a submodule begins with. Behind it, git takes all but the line's end.
pub(super) const GITDIR: &str = "gitdir: ";

/// Git's own test of a directory.
fn is_git_directory(directory: &Path) -> bool {
    let head = directory.join("HEAD");
    // A branch, or a commit. Old versions made a link of the former, which leads nowhere before the first commit.
    let is_head =
        |text: String| text.starts_with("ref:") || text.trim_end().bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_head = head.is_symlink() || line(&head).is_some_and(is_head);
    let common = common(directory);
    has_head && common.join("objects").is_dir() && common.join("refs").is_dir()
}

/// What has to be read to know whether this `.git` is a repository, and cannot be; `None` if it can, or if nothing is there.
/// Git itself walks past a repository that it cannot read. To act as if there were none would be to guess: what it protects would
/// be overwritten.
fn unreadable(dot_git: &Path) -> Option<(PathBuf, Error)> {
    let read = |path: &Path| {
        // To open a pipe would wait for somebody who writes.
        if path.metadata()?.is_file() { File::open(path).map(drop) } else { Ok(()) }
    };
    let fails = |path: PathBuf| {
        let error = read(&path).err()?;
        let is_absent = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        (!is_absent).then_some((path, error))
    };
    dot_git.symlink_metadata().ok()?;
    let of_directory = || {
        let common = common(dot_git);
        [dot_git.join("HEAD"), dot_git.join("commondir"), common.join("objects"), common.join("refs")]
    };
    let is_no_line = |path: &PathBuf| path.metadata().is_ok_and(|it| it.is_file()) && line(path).is_none();
    // Git would follow bytes that are not text, and more of them than are read here, to a directory that nobody has looked at.
    let no_line = || {
        let own = dot_git.parent().and_then(git_directory);
        let leads = [Some(dot_git.to_path_buf()), own.map(|own| own.join("commondir"))];
        let found = leads.into_iter().flatten().find(is_no_line)?;
        Some((found, Error::other("it is not one short line of text")))
    };
    fails(dot_git.to_path_buf()).or_else(|| of_directory().into_iter().find_map(fails)).or_else(no_line)
}

/// Whether a directory has a `HEAD` that git would never finish reading: a pipe, a device, or far too long a file.
fn has_no_head_to_read(directory: &Path) -> bool {
    directory.join("HEAD").metadata().is_ok_and(|metadata| !metadata.is_file() || metadata.len() >= MAX_LENGTH)
}

/// The text of a small regular file.
pub(super) fn line(path: &Path) -> Option<String> {
    let is_small = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < MAX_LENGTH);
    // To git, a NUL would end it.
    is_small.then(|| std::fs::read_to_string(path).ok()).flatten().filter(|text| !text.contains('\0'))
}

/// The repository's own directory: `.git`, or the one that the file of this name leads to.
pub(super) fn git_directory(root: &Path) -> Option<PathBuf> {
    let dot_git = root.join(".git");
    if dot_git.is_dir() {
        return Some(dot_git);
    }
    let directory = root.join(line(&dot_git)?.strip_prefix(GITDIR)?.trim_end_matches(['\r', '\n']));
    directory.is_dir().then_some(directory)
}

/// The files of a repository that git reads before it does anything, whatever they are, and how long each may be, in bytes. Git
/// holds most of them in memory.
const READ_FIRST: [(&str, u64); 13] = [
    ("HEAD", MAX_LENGTH),
    ("commondir", MAX_LENGTH),
    // What it includes counts as well.
    ("config", u64::MAX),
    ("config.worktree", u64::MAX),
    ("index", 1 << 30),
    ("info/attributes", MAX_TEXT),
    ("info/exclude", MAX_TEXT),
    ("info/grafts", MAX_TEXT),
    ("info/sparse-checkout", MAX_TEXT),
    ("objects/info/alternates", MAX_LENGTH),
    ("objects/info/commit-graph", u64::MAX),
    ("packed-refs", 1 << 29),
    ("shallow", MAX_TEXT),
];

/// Checks that git can read the repository at `root` to an end: an archive can hold a pipe or a link to an endless device where
/// git expects a file, and git would wait forever or fill the memory. The same goes for a configuration that includes millions.
///
/// # Errors
///
/// Names what is not a file, what cannot be read, and what is too much.
pub fn check_files(root: &Path) -> Result<()> {
    if let Some((path, error)) = unreadable(&root.join(".git")) {
        let problem = Diagnostic { code: Code::Git, ..Diagnostic::io("cannot read", &path, &error) };
        return Err(problem.help("make the repository readable, or run the command as the user who owns it").into());
    }
    git_directory(root).map_or(Ok(()), |own| check_directory(root, &own))
}

/// The same for a repository that git is to fetch from: with or without a work tree. Somewhere else, there is nothing to check.
///
/// # Errors
///
/// As [`check_files`].
pub(super) fn check_source(path: &Path) -> Result<()> {
    let bare = || Some(path.to_path_buf()).filter(|path| path.join("objects").is_dir());
    let Some(own) = git_directory(path).or_else(bare) else { return Ok(()) };
    check_directory(path, &own)?;
    check_alternates(&common(&own).join("objects"), 0)
}

fn check_directory(root: &Path, own: &Path) -> Result<()> {
    let shared = common(own);
    let branch = line(&own.join("HEAD")).and_then(|head| Some(head.strip_prefix("ref:")?.trim().to_owned()));
    let branch = branch.iter().map(|name| (name.as_str(), MAX_LENGTH));
    for (name, limit) in READ_FIRST.into_iter().chain(branch) {
        check_file(&own.join(name), limit)?;
        if shared != own {
            check_file(&shared.join(name), limit)?;
        }
    }
    let mut places = vec![own.to_path_buf()];
    places.extend((shared != own).then_some(shared));
    let configurations = places.iter().flat_map(|place| ["config", "config.worktree"].map(|name| place.join(name)));
    includes::check(root, configurations)
}

/// Checks that git gets to the end of a file, if it is there.
fn check_file(path: &Path, limit: u64) -> Result<()> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => Err(not_a_file(path).into()),
        Ok(metadata) if metadata.len() > limit => Err(too_long(path, limit).into()),
        _ => Ok(()),
    }
}

/// So deep git follows object directories that name others.
const MAX_ALTERNATES: usize = 5;

/// Checks what leads from one object directory to others.
fn check_alternates(objects: &Path, depth: usize) -> Result<()> {
    let file = objects.join("info/alternates");
    check_file(&file, MAX_LENGTH)?;
    let Some(text) = line(&file).filter(|_| depth < MAX_ALTERNATES) else { return Ok(()) };
    let named: BTreeSet<&str> = text.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    if named.len() > MAX_ALTERNATES {
        let title = format!("`{}` lists more than {MAX_ALTERNATES} other object directories", file.display());
        return Err(Diagnostic::error(Code::TooMuch, title).help("make a fresh clone of the repository").into());
    }
    named.into_iter().try_for_each(|name| check_alternates(&objects.join(name), depth + 1))
}

fn not_a_file(path: &Path) -> Diagnostic {
    let title = format!("`{}` is not a file, and git would never finish reading it", path.display());
    Diagnostic::error(Code::Git, title).help("remove it, or make a fresh clone of the repository")
}

/// Says what is too long for git to read.
pub(super) fn too_long(path: &Path, limit: u64) -> Diagnostic {
    let (number, unit) = if limit < 1 << 20 { (limit >> 10, "KiB") } else { (limit >> 20, "MiB") };
    let title = format!("`{}` is larger than {number} {unit}, and git would read all of it", path.display());
    Diagnostic::error(Code::TooMuch, title).help("remove it, or make a fresh clone of the repository")
}

/// The directory that a linked work tree shares with the others; elsewhere the same one.
pub(super) fn common(git_directory: &Path) -> PathBuf {
    let common = line(&git_directory.join("commondir"));
    common
        .map_or_else(|| git_directory.to_path_buf(), |common| git_directory.join(common.trim_end_matches(['\r', '\n'])))
}

/// Whether the repository belongs to the user, by the files that git looks at before it trusts a repository.
#[cfg(unix)]
pub(super) fn is_own(root: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid().as_raw();
    let paths = [Some(root.to_path_buf()), Some(root.join(".git")), git_directory(root)];
    let is_own = |path: PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.uid() == user);
    paths.into_iter().flatten().all(is_own)
}

/// Windows says who owns a file only through calls that are not available here.
#[cfg(not(unix))]
pub(super) fn is_own(_: &Path) -> bool {
    true
}

/// A directory of a work tree: git runs at the root, and is given paths that lead from there to this directory.
pub(super) struct Within {
    /// The root of the work tree.
    pub(super) root: PathBuf,
    /// The way from the root: empty, or with `/` at the end.
    prefix: String,
}

impl Within {
    /// Finds the repository around a directory.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(super) fn find(directory: &Path) -> Result<Self> {
        let unknown = |what: &str| {
            Diagnostic::error(Code::Git, format!("`{}` {what}", directory.display()))
                .help("run the command in a repository, or `git init` first")
        };
        let root = find_repository(directory).ok_or_else(|| unknown("is not in a git repository"))?;
        let parts = directory.strip_prefix(&root).ok().map(|below| below.iter().map(|part| part.to_str()).collect());
        let parts: Vec<&str> = parts.flatten().ok_or_else(|| unknown("has a path that is not UTF-8"))?;
        let prefix = parts.iter().map(|part| format!("{part}/")).collect();
        Ok(Self { root, prefix })
    }

    /// The paths as they are called at the root.
    pub(super) fn at_root<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        paths.into_iter().map(|path| format!("{}{path}", self.prefix)).collect()
    }

    /// The path as it is called in the directory; none for what is elsewhere.
    pub(super) fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.prefix.as_str())
    }

    /// The directory itself, for git; `None` if it is the root.
    pub(super) fn itself(&self) -> Option<&str> {
        Some(self.prefix.as_str()).filter(|prefix| !prefix.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::{repository, write};

    #[test]
    fn a_repository_is_found_from_anywhere_below_it() {
        let directory = repository();
        let root = directory.path();
        assert_eq!(find_repository(root).as_deref(), Some(root));
        assert_eq!(find_repository(&root.join("not/there/yet")).as_deref(), Some(root));
        write(root.join("linked/.git"), "gitdir: ../.git/worktrees/linked\n");
        assert_eq!(find_repository(&root.join("linked/app")), Some(root.join("linked")));
    }

    #[test]
    fn what_only_looks_like_a_repository_is_passed_by() {
        let directory = repository();
        let root = directory.path();
        fs_err::create_dir_all(root.join("a/.git")).unwrap();
        write(root.join("a/b/.git"), "a file of the user's");
        write(root.join("c/.git/HEAD"), "ref: refs/heads/main\n");
        for (name, head) in [("d", "nonsense"), ("e", "ref: refs/heads/main\n")] {
            write(root.join(name).join("HEAD"), head);
            write(root.join(name).join(".git/HEAD"), "nonsense");
            for path in ["objects", "refs", ".git/objects", ".git/refs"] {
                fs_err::create_dir_all(root.join(name).join(path)).unwrap();
            }
        }
        for path in ["a/b/c", "c", "d", "e/refs"] {
            assert_eq!(find_repository(&root.join(path)).as_deref(), Some(root), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_a_file_is_not_read() {
        let directory = repository();
        let root = directory.path();
        fs_err::create_dir_all(root.join("a")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", root.join("a/.git")).unwrap();
        assert_eq!(find_repository(&root.join("a")).as_deref(), Some(root));
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_an_error_and_not_absent() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = repository();
        let root = directory.path();
        let set = |path: &Path, mode| fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let [dot_git, app] = [root.join(".git"), root.join("app")];
        write(app.join("file"), "");
        for (path, mode) in [(dot_git.clone(), 0o755), (dot_git.join("HEAD"), 0o644)] {
            set(&path, 0);
            // Root reads everything.
            if path.read_dir().is_err() && std::fs::read(&path).is_err() {
                assert_eq!(find_repository(&app).as_deref(), Some(root));
                assert!(check_files(root).unwrap_err().0[0].title.starts_with("cannot read"));
            }
            set(&path, mode);
        }
        check_files(root).unwrap();
        symlink(".git", app.join(".git")).unwrap();
        assert_eq!(find_repository(&app).as_deref(), Some(app.as_path()), "a link that leads to itself");
        assert!(check_files(&app).unwrap_err().0[0].title.starts_with("cannot read"));
    }

    #[test]
    fn the_directory_of_a_linked_work_tree_and_what_it_shares_are_found() {
        let directory = repository();
        let root = directory.path();
        let own = root.join(".git/worktrees/linked");
        write(own.join("commondir"), "../..\n");
        write(root.join("linked/.git"), "gitdir: ../.git/worktrees/linked\n");
        let found = git_directory(&root.join("linked")).unwrap();
        assert_eq!(found.canonicalize().unwrap(), own.canonicalize().unwrap());
        assert_eq!(common(&found).canonicalize().unwrap(), root.join(".git").canonicalize().unwrap());
        assert_eq!(common(&root.join(".git")), root.join(".git"));
        assert!(is_own(root) && is_own(&root.join("linked")));
    }

    #[test]
    fn paths_are_called_from_the_root() {
        let directory = repository();
        let within = Within::find(&directory.path().join("apps/shop")).unwrap();
        assert_eq!(within.at_root(["a", "b/c"]), ["apps/shop/a", "apps/shop/b/c"]);
        assert_eq!(within.below("apps/shop/b/c"), Some("b/c"));
        assert_eq!((within.below("apps/shopping"), within.itself()), (None, Some("apps/shop/")));
        assert_eq!(Within::find(directory.path()).unwrap().itself(), None);
    }
}
