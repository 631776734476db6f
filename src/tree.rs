//! An in-memory set of files: relative path → entry. Every path in a [`Tree`] is safe to write below a project.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

/// The most bytes in a name.
const MAX_NAME: usize = 255;
/// The most bytes in a path: no system takes more.
const MAX_PATH: usize = 4_095;

/// Why a path may not be written. The texts complete "the path … ".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    /// Nothing, or nothing between two slashes.
    #[error("has an empty component")]
    Empty,
    /// `/etc`, `C:\x`, `\\host\share`.
    #[error("is absolute")]
    Absolute,
    /// `.` or `..`.
    #[error("has the component `{0}`, which could leave the project")]
    Relative(String),
    /// A character that some file system treats as a separator, a stream or the end of the name.
    #[error("has the character {0:?}, which is not portable in a file name")]
    Character(char),
    /// `CON`, `nul.txt`, …: devices on Windows.
    #[error("has the component `{0}`, which is a device name on Windows")]
    Reserved(String),
    /// Ends in a dot or a space, which Windows drops.
    #[error("has the component `{0}`, whose last character Windows drops")]
    Trailing(String),
    /// `.git`, `.create-app`, or a name that a file system takes for one of them.
    #[error("leads into `{0}`, which a template may not write")]
    Protected(&'static str),
    /// Longer than file systems take.
    #[error("has a component of more than 255 bytes")]
    TooLong,
    /// Longer than systems take.
    #[error("has more than {MAX_PATH} bytes")]
    TooLongInAll,
}

/// A path below the project: `/` between non-empty components, nothing that leaves the project, no name that is special
/// on one of the supported systems, UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(String);

impl RelPath {
    /// Checks a path with `/` as its separator.
    ///
    /// # Errors
    ///
    /// Says why the path may not be written, on any of the supported systems: a project made on Linux is also checked
    /// out on Windows.
    pub fn new(path: impl Into<String>) -> Result<Self, PathError> {
        let path = path.into();
        let drive = matches!(path.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
        if path.starts_with(['/', '\\']) || drive {
            return Err(PathError::Absolute);
        }
        if path.len() > MAX_PATH {
            return Err(PathError::TooLongInAll);
        }
        path.split('/').try_for_each(check_component)?;
        Ok(Self(path))
    }

    /// The path with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// How many components it has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.split('/').count()
    }

    /// The way from a directory at this path to the root: `../` for each component.
    #[must_use]
    pub fn way_up(&self) -> String {
        "../".repeat(self.depth())
    }

    /// The directories above it, nearest first, without the project itself.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.0.rmatch_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// The path on disk below `root`.
    #[must_use]
    pub fn below(&self, root: &std::path::Path) -> std::path::PathBuf {
        let mut path = root.to_path_buf();
        path.extend(self.0.split('/'));
        path
    }

    /// Names for what is put beside it: `NAME.SUFFIX`, `NAME.2.SUFFIX` and so on. A name that would be too long is cut.
    pub fn beside(&self, suffix: &str) -> impl Iterator<Item = Self> {
        let name = self.file_name();
        let directory = self.0.strip_suffix(name).unwrap_or_default();
        let endings = (1_usize..).map(move |n| if n == 1 { format!(".{suffix}") } else { format!(".{n}.{suffix}") });
        let paths = endings.map(move |ending| {
            let name = &name[..name.floor_char_boundary(MAX_NAME.saturating_sub(ending.len()))];
            Self::new(format!("{directory}{name}{ending}")).ok()
        });
        paths.take_while(Option::is_some).flatten()
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_component(name: &str) -> Result<(), PathError> {
    if name.is_empty() {
        return Err(PathError::Empty);
    }
    if name == "." || name == ".." {
        return Err(PathError::Relative(name.into()));
    }
    if let Some(directory) = protected(name) {
        return Err(PathError::Protected(directory));
    }
    if let Some(character) = name.chars().find(|&c| c.is_control() || c == '\\' || c == ':') {
        return Err(PathError::Character(character));
    }
    if name.ends_with(['.', ' ']) {
        return Err(PathError::Trailing(name.into()));
    }
    if is_device(name) {
        return Err(PathError::Reserved(name.into()));
    }
    if name.len() > MAX_NAME {
        return Err(PathError::TooLong);
    }
    Ok(())
}

/// The protected directory that a file system could take `name` for: HFS+ ignores some code points, NTFS trailing dots,
/// spaces, streams and case (the rules of git's own `is_ntfs_dotgit` and `is_hfs_dotgit`), and NTFS knows both by short names.
fn protected(name: &str) -> Option<&'static str> {
    let visible: String = name.chars().filter(|&c| !is_ignorable(c)).collect();
    let stem = visible.split(':').next().unwrap_or("").trim_end_matches(['.', ' ']).to_lowercase();
    let mut all = [(".git", "git"), (".create-app", "create")].into_iter();
    all.find(|(directory, letters)| stem == *directory || is_short_name(&stem, letters)).map(|(directory, _)| directory)
}

/// Whether NTFS could give this short name to a name that starts with `letters`: those and a number or, from the fifth such name
/// on, two of them with a checksum and a number. Which number it is depends on what was there first.
fn is_short_name(name: &str, letters: &str) -> bool {
    let Some((start, number)) = name.split_once('~') else { return false };
    let checksum = |rest: &str| rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_start = start == letters || start.strip_prefix(&letters[..2]).is_some_and(checksum);
    is_start && matches!(number.as_bytes(), [b'1'..=b'9'])
}

fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim_end().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|n| matches!(n, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT")
}

/// The entry at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// Its content. Copies share it, so that a file that several stages hold is in memory once.
        bytes: Bytes,
        /// Whether its executable bit is set.
        executable: bool,
    },
    /// A symbolic link.
    Symlink {
        /// Its target, with `/`.
        target: String,
    },
}

impl Entry {
    /// A file that is not executable.
    pub fn file(bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        let bytes = match bytes.into() {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Self::File { bytes, executable: false }
    }

    /// The bytes that make the entry: a file's content, or a link's target, as git stores them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::File { bytes, .. } => bytes,
            Self::Symlink { target } => target.as_bytes(),
        }
    }

    /// The mode as git writes it: `100644`, `100755` or `120000`.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self {
            Self::File { executable: false, .. } => Mode::File,
            Self::File { executable: true, .. } => Mode::Executable,
            Self::Symlink { .. } => Mode::Symlink,
        }
    }
}

/// The kind of an [`Entry`], as git distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A regular file.
    File,
    /// A regular file with its executable bit set.
    Executable,
    /// A symbolic link.
    Symlink,
}

impl Mode {
    /// `100644`, `100755` or `120000`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
        }
    }

    /// The reverse of [`Mode::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::File, Self::Executable, Self::Symlink].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A set of files, in path order.
pub type Tree = BTreeMap<RelPath, Entry>;

/// A name as a system sees it that takes names for the same where only case or the encoding of letters differs, as macOS and Windows do.
#[must_use]
pub fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfd().collect()
}

/// In what two names differ that are [`folded`] to the same, and how to show them so that it can be seen.
#[must_use]
pub fn differ_in(one: &str, other: &str) -> (&'static str, [String; 2]) {
    if one.nfc().eq(other.nfc()) {
        return ("the encoding of their letters", [one, other].map(|name| name.escape_default().to_string()));
    }
    ("case", [one, other].map(str::to_owned))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_that_some_systems_take_for_one_are_folded_to_one() {
        for (one, other, what) in [
            ("Readme.md", "README.md", "case"),
            ("r\u{e9}sum\u{e9}", "re\u{301}sume\u{301}", "the encoding of their letters"),
            ("R\u{c9}SUM\u{c9}", "re\u{301}sume\u{301}", "case"),
            ("\u{3a3}", "\u{3c2}", "case"),
            ("\u{212b}", "\u{e5}", "case"),
        ] {
            assert_eq!(folded(one), folded(other));
            assert_eq!(differ_in(one, other).0, what, "{one}");
        }
        assert_ne!(folded("a"), folded("\u{e4}"));
        let (_, shown) = differ_in("\u{e9}", "e\u{301}");
        assert_eq!(shown, ["\\u{e9}", "e\\u{301}"]);
    }

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_paths_are_accepted() {
        for path in [
            "a",
            "a/b.txt",
            ".github/workflows/ci.yml",
            "ünï/©.md",
            "a b",
            "what?.md",
            ".gitignore",
            "console.ts",
            "create~10",
            "created~1",
            "gits~1",
            "cr1a2~1",
            "com10",
            "..a",
        ] {
            assert!(RelPath::new(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn unsafe_paths_are_refused_with_the_reason() {
        use PathError as E;
        let cases = [
            ("", E::Empty),
            ("a//b", E::Empty),
            ("/etc/passwd", E::Absolute),
            ("\\\\host\\share", E::Absolute),
            ("C:/x", E::Absolute),
            ("c:\\x", E::Absolute),
            ("c:x", E::Character(':')),
            ("../x", E::Relative("..".into())),
            ("a/./b", E::Relative(".".into())),
            ("a\\..\\b", E::Character('\\')),
            ("a\0b", E::Character('\0')),
            ("a\x1b[2J", E::Character('\x1b')),
            ("ab:c", E::Character(':')),
            ("NUL", E::Reserved("NUL".into())),
            ("x/com1.txt", E::Reserved("com1.txt".into())),
            ("a./b", E::Trailing("a.".into())),
            ("a /b", E::Trailing("a ".into())),
            (".git/config", E::Protected(".git")),
            ("sub/.GIT/config", E::Protected(".git")),
            (".git . /x", E::Protected(".git")),
            (".g\u{200c}it/x", E::Protected(".git")),
            ("GIT~1/x", E::Protected(".git")),
            (".git::$INDEX_ALLOCATION/x", E::Protected(".git")),
            (".Create-App/lock.toml", E::Protected(".create-app")),
            ("CREATE~1/lock.toml", E::Protected(".create-app")),
            ("create~9 ./x", E::Protected(".create-app")),
            ("a/CR1a2F~1/x", E::Protected(".create-app")),
            ("git~2/config", E::Protected(".git")),
            ("GI09af~1/config", E::Protected(".git")),
        ];
        for (path, reason) in cases {
            assert_eq!(RelPath::new(path), Err(reason), "{path:?}");
        }
        assert_eq!(RelPath::new("x".repeat(256)), Err(E::TooLong));
        assert!(RelPath::new(format!("{}x", "a/".repeat(2047))).is_ok());
        assert_eq!(RelPath::new(format!("{}x", "a/".repeat(2048))), Err(E::TooLongInAll));
    }

    proptest! {
        #[test]
        fn an_accepted_path_stays_below_the_project(path in "[a-zA-Z./\\\\: ~]{0,12}") {
            if let Ok(path) = RelPath::new(path) {
                let root = std::path::Path::new("/project");
                let below = path.below(root);
                prop_assert!(below.starts_with(root));
                prop_assert!(below.components().all(|c| c != std::path::Component::ParentDir));
                prop_assert_eq!(below.components().count(), root.components().count() + path.as_str().split('/').count());
            }
        }
    }
}
