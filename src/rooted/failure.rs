//! Why something below a directory is not read.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use cap_fs_ext::FileTypeExt as _;
use cap_std::fs::FileType;
use thiserror::Error;

use crate::diagnostic::{Code, Diagnostic, Severity};

/// The entry that a name refers to in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, wherever it leads.
    Link,
    /// A named pipe.
    Pipe,
    /// A device.
    Device,
    /// A socket.
    Socket,
    /// Something that only this system knows.
    Other,
}

impl Kind {
    /// The kind of a file type.
    pub(super) fn of(file_type: FileType) -> Self {
        match file_type {
            it if it.is_file() => Self::File,
            it if it.is_dir() => Self::Directory,
            it if it.is_symlink() => Self::Link,
            it if it.is_fifo() => Self::Pipe,
            it if it.is_block_device() || it.is_char_device() => Self::Device,
            it if it.is_socket() => Self::Socket,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Kind {
    /// With its article.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Link => "a link",
            Self::Pipe => "a named pipe",
            Self::Device => "a device",
            Self::Socket => "a socket",
            Self::Other => "a special file",
        })
    }
}

/// Why something is not read. Paths are below the root. The texts complete "cannot read …: ".
#[derive(Debug, Error)]
pub enum Failure {
    /// A link, at the end of the path or on the way.
    #[error("it is reached through the link `{}`", .0.display())]
    Link(PathBuf),
    /// On the way, where only a directory can be.
    #[error("`{}` is {}, not a directory", .0.display(), .1)]
    NotADirectory(PathBuf, Kind),
    /// At the end, where only a regular file is read.
    #[error("it is {0}, not a regular file")]
    NotRegular(Kind),
    /// More bytes than the limit, which is given in bytes.
    #[error("it is larger than {}", size(*.0))]
    TooLarge(u64),
    /// An error of the operating system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Failure {
    /// Whether there is nothing at the path, nor a reason to expect something: also below a file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::NotADirectory(_, Kind::File) => true,
            Self::Io(error) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
            _ => false,
        }
    }

    /// The error for the user; `action` reads like "cannot read", and `path` is what messages call the file.
    #[must_use]
    pub fn diagnostic(&self, action: &str, path: &Path) -> Diagnostic {
        let (code, help) = match self {
            Self::Io(error) => return Diagnostic::io(action, path, error),
            Self::TooLarge(_) => (Code::TooMuch, "make it smaller, or remove it"),
            Self::Link(_) => (Code::NotRegular, "replace the link with what it points to, or remove it"),
            Self::NotADirectory(..) => (Code::NotRegular, "replace it with a directory, or remove it"),
            Self::NotRegular(_) => (Code::NotRegular, "replace it with a regular file, or remove it"),
        };
        let reason = match self {
            Self::Link(link) if path.ends_with(link) => "it is a link, and links are not followed here".to_owned(),
            Self::Link(link) => format!("`{}` is a link, and links are not followed here", link.display()),
            other => other.to_string(),
        };
        let title = format!("{action} `{}`: {reason}", path.display());
        Diagnostic { severity: Severity::Error, ..Diagnostic::error(code, title).help(help) }
    }
}

/// A number of bytes in words: in MiB where it is a whole number of them.
#[must_use]
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        whole if whole >= 1 << 20 && whole.is_multiple_of(1 << 20) => format!("{} MiB", whole >> 20),
        whole if whole >= 1 << 10 && whole.is_multiple_of(1 << 10) => format!("{} KiB", whole >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
