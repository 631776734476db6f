//! The proof that a journal was written here, by this machine, for this project: where it came with an archive or a copy,
//! the marks in it do not fit.
//!
//! The seal is an empty file that is made together with the journal's directory, and never touched again. Its inode and the
//! time of its last change are written down in the journal; nobody can choose that time, so a copy has another one.

use std::fmt;
use std::fs::Metadata;
use std::str::FromStr;

/// A file or directory, as this machine knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workspace) struct Mark {
    /// The file system; its number can be another one after a restart.
    device: u64,
    /// Which file it is there.
    inode: u64,
    /// A time that belongs to it, in nanoseconds: of a seal its last change, of a directory its birth, where that is known.
    time: Option<i128>,
}

impl Mark {
    /// Of a seal.
    #[cfg(unix)]
    pub(super) fn of_seal(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), time: Some(changed) }
    }

    /// Of a seal.
    #[cfg(not(unix))]
    pub(super) fn of_seal(metadata: &Metadata) -> Self {
        Self::of_directory(metadata)
    }

    /// Of a project's directory.
    #[cfg(unix)]
    pub(super) fn of_directory(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), inode: metadata.ino(), time: born(metadata) }
    }

    /// Of a project's directory: there is nothing but its birth that would tell it from others.
    #[cfg(not(unix))]
    pub(super) fn of_directory(metadata: &Metadata) -> Self {
        Self { device: 0, inode: 0, time: born(metadata) }
    }

    /// Its time, in nanoseconds.
    pub(super) fn time(self) -> Option<i128> {
        self.time
    }

    /// Whether a seal is the one that this mark is of.
    pub(super) fn is_seal(self, seal: Self) -> bool {
        self.inode == seal.inode && self.time.is_some() && self.time == seal.time
    }

    /// Whether a directory is the one that this mark is of. Where its file system got another number since, its birth
    /// tells, or that the seals are on the same one: `beside` was there then, and `beside_now` is now.
    pub(super) fn is_directory(self, now: Self, beside: Self, beside_now: Self) -> bool {
        let same_birth = self.time.is_some() && self.time == now.time;
        let unknown_birth = self.time.is_none() || now.time.is_none();
        let same_device = self.device == now.device
            || same_birth
            || (self.device == beside.device && now.device == beside_now.device);
        self.inode == now.inode && (same_birth || unknown_birth) && same_device
    }

    /// The part of a name by which the journal of a directory outside git is found.
    pub(super) fn key(self) -> String {
        format!("{:x}-{:x}", self.device, self.inode)
    }
}

fn born(metadata: &Metadata) -> Option<i128> {
    let born = metadata.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i128::try_from(born.as_nanos()).ok()
}

impl fmt::Display for Mark {
    /// Three fields between spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.device, self.inode)?;
        match self.time {
            Some(time) => write!(f, "{time}"),
            None => f.write_str("-"),
        }
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fields: Vec<&str> = text.split(' ').collect();
        let [device, inode, time] = fields[..] else { return Err(()) };
        let time = if time == "-" { None } else { Some(time.parse().map_err(drop)?) };
        Ok(Self { device: device.parse().map_err(drop)?, inode: inode.parse().map_err(drop)?, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(device: u64, inode: u64, time: Option<i128>) -> Mark {
        Mark { device, inode, time }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        for mark in [mark(1, 2, Some(3)), mark(0, u64::MAX, None), mark(1, 2, Some(-1))] {
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        for text in ["", "1 2", "1 2 3 4", "1 2 x", "-1 2 3", "1  2"] {
            assert_eq!(text.parse::<Mark>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_seal_is_told_by_inode_and_time_wherever_its_disk_is() {
        let seal = mark(1, 2, Some(3));
        assert!(seal.is_seal(seal) && seal.is_seal(mark(9, 2, Some(3))));
        assert!(!seal.is_seal(mark(1, 4, Some(3))) && !seal.is_seal(mark(1, 2, Some(4))));
        assert!(!mark(1, 2, None).is_seal(mark(1, 2, None)), "without a time, nothing is certain");
    }

    #[test]
    fn a_directory_on_a_disk_with_another_number_is_told_by_its_birth_or_its_seal() {
        let [seal, other] = [mark(1, 7, Some(3)), mark(2, 7, Some(3))];
        let directory = mark(1, 2, Some(3));
        assert!(directory.is_directory(directory, seal, seal));
        assert!(directory.is_directory(mark(2, 2, Some(3)), seal, seal), "its birth");
        assert!(!directory.is_directory(mark(1, 2, Some(4)), seal, seal), "its number went to another one");
        assert!(!directory.is_directory(mark(1, 3, Some(3)), seal, seal), "its copy");
        let unknown = mark(1, 2, None);
        assert!(unknown.is_directory(mark(1, 2, None), seal, seal));
        assert!(unknown.is_directory(mark(2, 2, None), seal, other), "on the seal's disk, then and now");
        assert!(!unknown.is_directory(mark(2, 2, None), seal, seal));
    }
}
