//! `rename`: paths by pattern.

use std::fmt::Write as _;

use regex::Regex;

use crate::tree::RelPath;

/// Paths of one form become paths of another.
///
/// `*` is any part of a name, and `**` any number of directories, or all that is below one. Both patterns have the same wildcards in
/// the same order: what one of them matched takes its place in the new path. Without a wildcard, a path is that of a file, or of
/// a directory with all that is in it.
#[derive(Debug, Clone)]
pub struct PathRename {
    from: String,
    to: String,
    /// What every path that matches begins with: to look for that is quicker.
    head: String,
    regex: Regex,
}

/// The longest pattern, in bytes.
const MAX_LENGTH: usize = 1_000;
/// The limit of a compiled pattern, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'p> {
    Text(&'p str),
    /// `*`.
    Name,
    /// `**/`.
    Directories,
    /// `**` at the end.
    Rest,
}

impl PathRename {
    /// Reads both patterns.
    ///
    /// # Errors
    ///
    /// Says what is wrong with them.
    pub fn new(from: &str, to: &str) -> Result<Self, String> {
        let [source, target] = [from, to].map(|pattern| pattern.trim_end_matches('/'));
        for pattern in [source, target] {
            check(pattern)?;
        }
        let [before, after] = [source, target].map(pieces);
        let wildcards = |pieces: &[Piece<'_>]| -> Vec<String> {
            pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_))).map(|piece| format!("{piece:?}")).collect()
        };
        if wildcards(&before) != wildcards(&after) {
            return Err(format!("`{from}` and `{to}` do not have the same wildcards in the same order"));
        }
        if source == target {
            return Err(format!("`{from}` is renamed to itself"));
        }
        let mut expression = String::from("^");
        for piece in &before {
            match piece {
                Piece::Text(text) => expression += &regex::escape(text),
                Piece::Name => expression += "([^/]*)",
                Piece::Directories => expression += "((?:[^/]+/)*)",
                Piece::Rest => expression += "(.+)",
            }
        }
        // A directory goes with all that is in it.
        if !matches!(before.last(), Some(Piece::Rest)) {
            expression += "((?:/.*)?)";
        }
        expression += "$";
        let regex = regex::RegexBuilder::new(&expression).size_limit(MAX_SIZE).build();
        let regex = regex.map_err(|_| format!("`{from}` has too many wildcards"))?;
        let head = match before.first() {
            Some(Piece::Text(text)) => (*text).to_owned(),
            _ => String::new(),
        };
        Ok(Self { from: source.to_owned(), to: target.to_owned(), head, regex })
    }

    /// The pattern of the old paths.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The pattern of the new paths.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The new path of a file; `None` if it keeps its own.
    #[must_use]
    pub fn apply(&self, path: &str) -> Option<String> {
        let found =
            Some(path).filter(|path| path.starts_with(&self.head)).and_then(|path| self.regex.captures(path))?;
        let mut groups = found.iter().skip(1).map(|group| group.map_or("", |group| group.as_str()));
        let mut renamed = String::with_capacity(path.len());
        for piece in pieces(&self.to) {
            // Writing to a string cannot fail.
            let _: std::fmt::Result = match piece {
                Piece::Text(text) => write!(renamed, "{text}"),
                _ => write!(renamed, "{}", groups.next().unwrap_or_default()),
            };
        }
        groups.for_each(|below| renamed += below);
        Some(renamed)
    }
}

fn check(pattern: &str) -> Result<(), String> {
    if pattern.len() > MAX_LENGTH {
        return Err(format!("the pattern has more than {MAX_LENGTH} bytes"));
    }
    RelPath::new(pattern.replace("**", "x").replace('*', "x"))
        .map_err(|error| format!("`{pattern:.100}` cannot be a path in a project: {error}"))?;
    let alone = |name: &str| name == "**" || !name.contains("**");
    if !pattern.split('/').all(alone) {
        return Err(format!("in `{pattern:.100}`, `**` is not a whole path component"));
    }
    Ok(())
}

fn pieces(pattern: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), pattern);
    while let Some(at) = rest.find('*') {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        let (piece, length) = match &rest[at..] {
            tail if tail.starts_with("**/") => (Piece::Directories, 3),
            tail if tail.starts_with("**") => (Piece::Rest, 2),
            _ => (Piece::Name, 1),
        };
        pieces.push(piece);
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}
