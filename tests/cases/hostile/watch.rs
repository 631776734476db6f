//! What is in a sandbox before and after a run: every path, its kind, its mode and its bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use fs_err as fs;
use walkdir::WalkDir;

/// The bytes of larger files are not kept: that one was written shows in its times.
const KEPT: u64 = 8 << 20;

#[derive(PartialEq, Eq)]
pub(crate) enum Seen {
    Directory { mode: u32 },
    File { mode: u32, bytes: Vec<u8> },
    Large { mode: u32, size: u64, inode: u64, changed: (i64, i64) },
    Link { target: Vec<u8> },
    Special { kind: &'static str, inode: u64 },
    Unreadable,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory { mode } => write!(f, "directory {mode:o}"),
            Self::File { mode, bytes } => write!(f, "file {mode:o} `{}`", bytes.escape_ascii()),
            Self::Large { mode, size, .. } => write!(f, "file {mode:o} of {size} bytes"),
            Self::Link { target } => write!(f, "link to `{}`", target.escape_ascii()),
            Self::Special { kind, .. } => f.write_str(kind),
            Self::Unreadable => f.write_str("unreadable"),
        }
    }
}

/// A sandbox as it is.
pub(crate) struct Snapshot(BTreeMap<Vec<u8>, Seen>);

impl Snapshot {
    pub(crate) fn of(root: &Path) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        let entries = WalkDir::new(root).min_depth(1).into_iter();
        let seen = entries.map(|entry| match entry {
            Ok(entry) => {
                let path = entry.path().strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
                (path, look(entry.path()))
            }
            Err(error) => {
                let path = error.path().unwrap_or(root);
                (path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec(), Seen::Unreadable)
            }
        });
        Self(seen.collect())
    }

    /// What has changed since, a line each; what is below one of `allowed` may change.
    pub(crate) fn differences(&self, after: &Self, allowed: &dyn Fn(&[u8]) -> bool) -> Vec<String> {
        let paths = self.0.keys().chain(after.0.keys().filter(|path| !self.0.contains_key(*path)));
        let watched = paths.filter(|path| !allowed(path));
        let line = |path: &Vec<u8>| {
            let what = match (self.0.get(path), after.0.get(path)) {
                (before, after) if before == after => return None,
                (None, Some(now)) => format!("made: {now:?}"),
                (Some(_), None) => "removed".to_owned(),
                (before, after) => format!("changed: {before:?}, now {after:?}"),
            };
            Some(format!("{}: {what:.300}", path.escape_ascii()))
        };
        watched.filter_map(line).collect()
    }
}

/// Whether a path of the sandbox is this one or below it.
pub(crate) fn is_at_or_below(path: &[u8], allowed: &str) -> bool {
    path.strip_prefix(allowed.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

fn look(path: &Path) -> Seen {
    use std::os::unix::ffi::OsStrExt as _;
    let metadata = fs::symlink_metadata(path).unwrap();
    let (kind, mode) = (metadata.file_type(), metadata.mode() & 0o7777);
    if kind.is_dir() {
        return Seen::Directory { mode };
    }
    if kind.is_symlink() {
        return Seen::Link { target: fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec() };
    }
    if !kind.is_file() {
        let kind = if kind.is_fifo() { "FIFO" } else { "special file" };
        return Seen::Special { kind, inode: metadata.ino() };
    }
    if metadata.len() > KEPT {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        return Seen::Large { mode, size: metadata.len(), inode: metadata.ino(), changed };
    }
    std::fs::read(path).map_or(Seen::Unreadable, |bytes| Seen::File { mode, bytes })
}

/// Whether every kind of change is seen: a corpus that watches nothing would pass.
pub(crate) fn sees_every_change() -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    type Change = (&'static str, fn(&Path));
    let changes: &[Change] = &[
        ("a new file", |root| fs::write(root.join("new"), "").unwrap()),
        ("a new directory", |root| fs::create_dir(root.join("d/new")).unwrap()),
        ("other bytes", |root| fs::write(root.join("d/file"), "two").unwrap()),
        ("another mode", |root| {
            fs::set_permissions(root.join("d/file"), std::fs::Permissions::from_mode(0o755)).unwrap();
        }),
        ("a file that is gone", |root| fs::remove_file(root.join("d/file")).unwrap()),
        ("another target", |root| {
            fs::remove_file(root.join("link")).unwrap();
            fs::os::unix::fs::symlink("d", root.join("link")).unwrap();
        }),
        ("a byte of a large file", |root| {
            let large = fs::OpenOptions::new().write(true).open(root.join("large")).unwrap();
            std::os::unix::fs::FileExt::write_all_at(large.file(), b"x", KEPT).unwrap();
        }),
    ];
    for (what, change) in changes {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join("d/file"), "one").unwrap();
        fs::File::create(root.join("large")).unwrap().set_len(2 * KEPT).unwrap();
        fs::os::unix::fs::symlink("d/file", root.join("link")).unwrap();
        let before = Snapshot::of(root);
        let again = before.differences(&Snapshot::of(root), &|_| false);
        change(root);
        let seen = before.differences(&Snapshot::of(root), &|_| false);
        if !again.is_empty() || seen.is_empty() {
            return Err(format!("{what}: {again:?} without it, {seen:?} with it"));
        }
    }
    Ok(())
}
