//! Git's index, read without starting git: starting git takes longer than all these look-ups, and longer still in a large
//! repository.
//!
//! It goes through the file entry by entry and keeps none, by git's `gitformat-index`. If anything differs from that
//! format, there is no answer, and git has to be asked. The checksum at the end is not verified: git does not do so, either.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::path::Path;
use std::time::SystemTime;

use super::repository::git_directory;
use super::run::lossy;
use crate::digest::hex;

/// Where a name's length says no more than that it is at least this long.
const LONG_NAME: u16 = 0xfff;
const LONG_NAME_LENGTH: usize = LONG_NAME as usize;
/// The longest entry that is believed, in bytes: systems take paths of 4,096.
const LONGEST: usize = 1 << 20;
const EXTENDED: u16 = 1 << 14;
const ASSUME_VALID: u16 = 1 << 15;
const SKIP_WORKTREE: u16 = 1 << 14;
const INTENT_TO_ADD: u16 = 1 << 13;

/// How much is before the name of an object: the stat and the mode.
const STAT: usize = 40;
/// How much is read at once.
const CHUNK: usize = 1 << 16;
/// At most this many bytes of noted trees are read.
const MOST_TREES: u32 = 1 << 24;

/// A file in the index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Below the repository's root, with `/`.
    pub(super) path: String,
    /// 0, or in a conflict 1 (base), 2 (ours) or 3 (theirs).
    pub(super) stage: u16,
    /// As git writes it: `0o100644` and the like.
    pub(super) mode: u32,
    /// The name of the object.
    pub(super) object: String,
    /// Whether git was told not to look at the file (`skip-worktree` or `assume-unchanged`).
    pub(super) is_hidden: bool,
    /// Whether the file was only announced: the index has no content for it.
    pub(super) is_announced: bool,
    /// The file's metadata when git last read it.
    pub(super) stat: Stat,
}

/// An entry as it is there.
struct Raw<'b> {
    path: &'b [u8],
    /// The stat, the mode and the name of the object.
    head: &'b [u8],
    flags: u16,
    more_flags: u16,
}

impl Raw<'_> {
    fn stage(&self) -> u16 {
        self.flags >> 12 & 3
    }

    fn read(&self) -> Entry {
        let number = |at: usize| number(&self.head[4 * at..]).unwrap_or_default();
        let [changed, modified] = [0, 2].map(|at| (number(at), number(at + 1)));
        let [inode, user, group, size] = [5, 7, 8, 9].map(number);
        Entry {
            path: lossy(self.path),
            stage: self.stage(),
            mode: number(6),
            object: hex(&self.head[STAT..]),
            is_hidden: self.flags & ASSUME_VALID != 0 || self.more_flags & SKIP_WORKTREE != 0,
            is_announced: self.more_flags & INTENT_TO_ADD != 0,
            stat: Stat { changed, modified, inode, user, group, size },
        }
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_be_bytes)
}

fn flags(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().copied().map(u16::from_be_bytes)
}

/// What a system says of a file: seconds and nanoseconds of its last changes, and the rest as far as 32 bits hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stat {
    changed: (u32, u32),
    modified: (u32, u32),
    inode: u32,
    user: u32,
    group: u32,
    size: u32,
}

impl Stat {
    /// A file's current metadata, and its mode as git writes it; `None` if it says less than git asks for.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> Option<(Self, u32)> {
        use std::os::unix::fs::MetadataExt;
        let metadata = path.symlink_metadata().ok()?;
        let mode = match metadata.is_symlink() {
            true => 0o120_000,
            false if metadata.mode() & 0o100 != 0 => 0o100_755,
            false => 0o100_644,
        };
        // As git does: the lower bits are compared.
        let low = |value: u64| (value & u64::from(u32::MAX)) as u32;
        let time = |seconds: i64, nanoseconds: i64| (low(seconds.cast_unsigned()), low(nanoseconds.cast_unsigned()));
        let stat = Self {
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            inode: low(metadata.ino()),
            user: metadata.uid(),
            group: metadata.gid(),
            size: low(metadata.size()),
        };
        Some((stat, mode))
    }

    /// A file's current metadata, and its mode as git writes it; `None` if it says less than git asks for.
    #[cfg(not(unix))]
    pub(super) fn of(_: &Path) -> Option<(Self, u32)> {
        None
    }

    /// Whether a file with this stat is certainly as git read it, if git wrote the index at this moment (git's "racily clean" rule).
    /// A file that changed at the same moment may have been read before the change; git marks those that it knows of as empty.
    pub(super) fn is_settled(&self, written: SystemTime) -> bool {
        let written = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (seconds, nanoseconds) = (u64::from(self.modified.0), self.modified.1);
        // Without nanoseconds it may be a file system that counts in steps of two seconds.
        let is_older = if nanoseconds == 0 {
            seconds + 2 < written.as_secs()
        } else {
            (seconds, nanoseconds) < (written.as_secs(), written.subsec_nanos())
        };
        is_older && self.size > 0
    }
}

/// The paths in conflict; `None` if git has to be asked.
pub(super) fn unmerged(root: &Path) -> Option<BTreeSet<String>> {
    let unmerged = |found: &mut BTreeSet<String>, entry: &Raw<'_>| {
        if entry.stage() > 0 {
            found.insert(lossy(entry.path));
        }
    };
    Some(read(root, unmerged)?.0)
}

/// The paths of what is neither a plain file nor in conflict, with its mode as git writes it; `None` if git has to be asked.
pub(super) fn special(root: &Path) -> Option<Vec<(String, u32)>> {
    let special = |found: &mut Vec<(String, u32)>, entry: &Raw<'_>| {
        let mode = number(&entry.head[24..]).unwrap_or_default();
        if entry.stage() == 0 && mode != 0o100_644 {
            found.push((lossy(entry.path), mode));
        }
    };
    Some(read(root, special)?.0)
}

/// Whether git has written the tree of a directory, given below the root, since something in it was last staged: then a commit is likely
/// to have it. `None` if git has to be asked, as where it does not note trees.
pub(super) fn is_written(root: &Path, directory: &str) -> Option<bool> {
    let path = git_directory(root)?.join("index");
    let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut file = File::open(path).ok()?;
    [20, 32].into_iter().find_map(|object| {
        file.rewind().ok()?;
        let mut reader = Reader::new(&file, metadata.len(), object);
        reader.trees = Some(Vec::new());
        reader.entries(|_| {})?;
        is_written_in(&mut reader.trees?.as_slice(), object, "", directory).ok()
    })
}

/// Looks for a directory in the trees that git has noted, each with those in it after it; the text at the front is that of the first one.
/// An error is that they end before they should.
fn is_written_in(trees: &mut &[u8], object: usize, above: &str, wanted: &str) -> Result<bool, ()> {
    let mut until = |end: u8| {
        let at = trees.iter().position(|byte| *byte == end).ok_or(())?;
        let (text, rest) = trees.split_at(at);
        *trees = &rest[1..];
        std::str::from_utf8(text).map_err(drop)
    };
    let (name, count, below) = (until(0)?, until(b' ')?, until(b'\n')?);
    let (is_noted, below) = (!count.starts_with('-'), below.parse::<u32>().map_err(drop)?);
    if is_noted {
        *trees = trees.get(object..).ok_or(())?;
    }
    let path = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
    if path == wanted {
        return Ok(is_noted);
    }
    // Only the way to the wanted one is followed deeper, so it is as deep as that.
    let is_on_way = path.is_empty() || wanted.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'));
    for _ in 0..below {
        if is_on_way && is_written_in(trees, object, &path, wanted)? {
            return Ok(true);
        } else if !is_on_way {
            pass_over(trees, object)?;
        }
    }
    Ok(false)
}

/// Goes over one tree and those in it.
fn pass_over(trees: &mut &[u8], object: usize) -> Result<(), ()> {
    let mut left = 1_u64;
    while left > 0 {
        let at = trees.iter().position(|byte| *byte == 0).ok_or(())?;
        let rest = &trees[at + 1..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or(())?;
        let (count, below) = std::str::from_utf8(&rest[..end]).map_err(drop)?.split_once(' ').ok_or(())?;
        let noted = if count.starts_with('-') { 0 } else { object };
        *trees = rest.get(end + 1 + noted..).ok_or(())?;
        left += below.parse::<u32>().map(u64::from).map_err(drop)?;
        left -= 1;
    }
    Ok(())
}

/// The entries of these paths, in their order, and when the index was written; `None` if git has to be asked.
pub(super) fn find(root: &Path, paths: &BTreeSet<&str>) -> Option<(Vec<Entry>, SystemTime)> {
    // Both are sorted by bytes, so it is enough to look at the first path that is not passed yet.
    let paths: Vec<&[u8]> = paths.iter().map(|path| path.as_bytes()).collect();
    let find = |(found, passed): &mut (Vec<Entry>, usize), entry: &Raw<'_>| {
        *passed += paths[*passed..].iter().take_while(|path| **path < entry.path).count();
        if paths.get(*passed).is_some_and(|path| *path == entry.path) {
            found.push(entry.read());
        }
    };
    let ((found, _), written) = read(root, find)?;
    Some((found, written))
}

/// Shows each entry of the index of the work tree with this root to `visit`, in the order of the paths, and returns what that
/// made of them, and when the index was written. A repository without an index has no entries.
fn read<T: Default>(root: &Path, visit: impl Fn(&mut T, &Raw<'_>)) -> Option<(T, SystemTime)> {
    let path = git_directory(root)?.join("index");
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return None;
    }
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Some((T::default(), SystemTime::UNIX_EPOCH)),
        file => file.ok()?,
    };
    let metadata = file.metadata().ok()?;
    // Nothing in the file says how long the names of its objects are; but with the wrong length nothing fits.
    let found = [20, 32].into_iter().find_map(|object| {
        file.rewind().ok()?;
        let mut found = T::default();
        let mut reader = Reader::new(&file, metadata.len(), object);
        reader.entries(|entry| visit(&mut found, entry))?;
        Some(found)
    });
    Some((found?, metadata.modified().ok()?))
}

/// A file that is gone through.
struct Reader<R> {
    from: R,
    /// What has been read and not been gone over, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    /// How many bytes of the file have not been gone over.
    left: u64,
    /// How many bytes the name of an object has.
    object: usize,
    /// The path of the last entry, where the next one says only how it differs.
    path: Vec<u8>,
    /// The trees that git has noted, where they are wanted.
    trees: Option<Vec<u8>>,
}

impl<R: Read> Reader<R> {
    fn new(from: R, length: u64, object: usize) -> Self {
        Self { from, buffer: Vec::new(), start: 0, left: length, object, path: Vec::new(), trees: None }
    }

    fn entries(&mut self, mut visit: impl FnMut(&Raw<'_>)) -> Option<()> {
        let head = self.ahead(12)?;
        let (version, count) = (number(&head[4..])?, number(&head[8..])?);
        if !head.starts_with(b"DIRC") || !(2..=4).contains(&version) {
            return None;
        }
        self.pass(12)?;
        for _ in 0..count {
            let length = if version == 4 { self.compressed(&mut visit) } else { self.padded(&mut visit) };
            self.pass(length?)?;
        }
        self.extensions()
    }

    /// Shows the next entry of version 2 or 3; returns its length.
    fn padded(&mut self, visit: impl FnOnce(&Raw<'_>)) -> Option<usize> {
        let (flags, more_flags, head) = self.head()?;
        let length = match usize::from(flags & LONG_NAME) {
            LONG_NAME_LENGTH => self.name(head)?,
            length => length,
        };
        // One to eight zeros make it a multiple of eight bytes.
        let whole = (head + length + 1).next_multiple_of(8);
        let named = STAT + self.object;
        let bytes = &self.ahead(whole)?[..whole];
        let (path, zeros) = bytes[head..].split_at(length);
        let is_name = length >= usize::from(flags & LONG_NAME) && !path.is_empty() && !path.contains(&0);
        if !is_name || zeros.iter().any(|zero| *zero != 0) {
            return None;
        }
        visit(&Raw { path, head: &bytes[..named], flags, more_flags });
        Some(whole)
    }

    /// Shows the next entry of version 4; returns its length. It says how much of the last path to drop, and what to add to the rest.
    fn compressed(&mut self, visit: impl FnOnce(&Raw<'_>)) -> Option<usize> {
        let (flags, more_flags, head) = self.head()?;
        let (dropped, width) =
            offset(self.ahead(head + 1)?.get(head..)?).or_else(|| offset(self.ahead(head + 4)?.get(head..)?))?;
        let added = self.name(head + width)?;
        let mut path = std::mem::take(&mut self.path);
        path.truncate(path.len().checked_sub(dropped)?);
        let named = STAT + self.object;
        let bytes = self.ahead(head + width + added + 1)?;
        path.extend_from_slice(&bytes[head + width..head + width + added]);
        let length = usize::from(flags & LONG_NAME);
        if path.is_empty() || path.len() < length || path.len() > length && length < LONG_NAME_LENGTH {
            return None;
        }
        visit(&Raw { path: &path, head: &bytes[..named], flags, more_flags });
        self.path = path;
        Some(head + width + added + 1)
    }

    /// The flags of the next entry, and how much is before its name.
    fn head(&mut self) -> Option<(u16, u16, usize)> {
        let head = STAT + self.object + 2;
        let first = flags(&self.ahead(head)?[head - 2..])?;
        if first & EXTENDED == 0 {
            return Some((first, 0, head));
        }
        Some((first, flags(&self.ahead(head + 2)?[head..])?, head + 2))
    }

    /// How many bytes there are from `start` on, of what is ahead, to the next zero.
    fn name(&mut self, start: usize) -> Option<usize> {
        let mut length = start + 1;
        loop {
            let ahead = self.ahead(length)?;
            if let Some(end) = ahead[start..].iter().position(|byte| *byte == 0) {
                return Some(end);
            }
            length = Some(ahead.len() + 1).filter(|length| *length < LONGEST)?;
        }
    }

    /// Goes over what follows the entries. What git must understand begins with a small letter, such as the link to another
    /// index, and the directories of a sparse one.
    fn extensions(&mut self) -> Option<()> {
        while self.left > self.object as u64 {
            let are_wanted = self.trees.is_some();
            let head = self.ahead(8)?;
            let (is_optional, size) = (head[0].is_ascii_uppercase(), number(&head[4..])?);
            let is_wanted = are_wanted && head.starts_with(b"TREE") && size <= MOST_TREES;
            if !is_optional {
                return None;
            }
            self.pass(8)?;
            if is_wanted {
                self.trees = Some(self.ahead(size as usize)?[..size as usize].to_vec());
            }
            self.pass(size as usize)?;
        }
        (self.left == self.object as u64).then_some(())
    }

    /// The next bytes: as many as are asked for, or more.
    fn ahead(&mut self, length: usize) -> Option<&[u8]> {
        if self.buffer.len() - self.start < length {
            self.buffer.drain(..self.start);
            self.start = 0;
            self.from.by_ref().take(length.max(CHUNK) as u64).read_to_end(&mut self.buffer).ok()?;
        }
        self.buffer.get(self.start..).filter(|ahead| ahead.len() >= length)
    }

    /// Goes over so many bytes, read or not.
    fn pass(&mut self, length: usize) -> Option<()> {
        self.left = self.left.checked_sub(length as u64)?;
        let read = length.min(self.buffer.len() - self.start);
        self.start += read;
        let rest = (length - read) as u64;
        let passed = if rest == 0 { 0 } else { io::copy(&mut self.from.by_ref().take(rest), &mut io::sink()).ok()? };
        (passed == rest).then_some(())
    }
}

/// The entries of an index of these bytes, as `git ls-files --stage` prints them.
#[cfg(fuzzing)]
pub(crate) fn listed(bytes: &[u8]) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let line = |entry: Entry| format!("{:06o} {} {}\t{}", entry.mode, entry.object, entry.stage, entry.path);
    Reader::new(bytes, bytes.len() as u64, 20).entries(|entry| found.push(line(entry.read())))?;
    Some(found)
}

/// A number as packs have it, and its width: seven bits a byte, the highest ones first, and no number can be written in two ways.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value = value << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
        value += 1;
    }
    None
}

#[cfg(test)]
mod tests;
