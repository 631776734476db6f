//! The files that a repository's configuration includes. Git reads an included file each time that it is named, ten levels deep, so a few small
//! files can stand for millions; and one of them can be a pipe.

use std::path::{Path, PathBuf};

use super::special::{expanded, is_endless, not_regular};
use crate::diagnostic::{Code, Diagnostic, Result};

/// The most files that a configuration may include, each as often as it is named.
const MAX_FILES: usize = 200;
/// The most that they may hold, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// So deep git follows includes.
const MAX_DEPTH: usize = 10;

/// Checks that git can read a repository's configuration to an end.
///
/// # Errors
///
/// Names what includes too much, and what is not a file.
pub(super) fn check(root: &Path, configurations: impl IntoIterator<Item = PathBuf>) -> Result<()> {
    let mut walk = Walk { root, files: 0, bytes: 0 };
    configurations.into_iter().try_for_each(|path| walk.file(&path, &path, 0))
}

struct Walk<'r> {
    root: &'r Path,
    files: usize,
    bytes: u64,
}

impl Walk<'_> {
    fn file(&mut self, top: &Path, path: &Path, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        if is_endless(path) {
            return Err(not_regular(self.root, path).into());
        }
        let Ok(metadata) = path.metadata() else { return Ok(()) };
        self.files += usize::from(depth > 0);
        self.bytes += metadata.len();
        if self.files > MAX_FILES || self.bytes > MAX_BYTES {
            return Err(self.too_much(top).into());
        }
        // Git says itself what it cannot read.
        let Ok(text) = std::fs::read(path) else { return Ok(()) };
        let directory = path.parent().unwrap_or(path);
        for included in included(&String::from_utf8_lossy(&text)) {
            self.file(top, &expanded(&included, directory), depth + 1)?;
        }
        Ok(())
    }

    fn too_much(&self, top: &Path) -> Diagnostic {
        let shown = top.strip_prefix(self.root).unwrap_or(top);
        let title = format!(
            "the git configuration `{}` includes more than {MAX_FILES} files, or {} MiB",
            shown.display(),
            MAX_BYTES >> 20
        );
        Diagnostic::error(Code::TooMuch, title).help("remove what it includes, or make a fresh clone of the repository")
    }
}

/// The values of all keys `path`, in whatever section: only `include` and `includeIf` have such a key in git's own settings.
fn included(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.to_ascii_lowercase().contains("include") {
        return found;
    }
    // A line that ends with a backslash goes on in the next one.
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    for line in joined.lines() {
        // A key may be after the header of its section.
        let mut rest = line.trim_start();
        if rest.starts_with('[') {
            rest = rest.rfind(']').map_or("", |end| &rest[end + 1..]);
            // The bracket may have been in the value.
            if !rest.contains('=') {
                rest = line.split_once(']').map_or("", |(_, rest)| rest);
            }
        }
        let Some((key, value)) = rest.split_once('=') else { continue };
        if key.trim().eq_ignore_ascii_case("path") {
            found.push(self::value(value));
        }
    }
    found
}

/// A value without its quotes, escapes and comment.
fn value(written: &str) -> String {
    let (mut value, mut is_quoted) = (String::new(), false);
    let mut chars = written.trim().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => is_quoted = !is_quoted,
            '#' | ';' if !is_quoted => break,
            '\\' => value.extend(chars.next().map(|c| match c {
                'n' => '\n',
                't' => '\t',
                'b' => '\u{8}',
                c => c,
            })),
            c => value.push(c),
        }
    }
    value.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::{repository, write};
    use crate::git::{check_files, init};

    #[test]
    fn what_a_configuration_includes_is_found_however_it_is_written() {
        for text in [
            "[include]\n\tpath = a\n",
            "[Include] PATH=a\n",
            "[includeIf \"gitdir:/x]/\"]\n\tpath = \"a\" # b\n",
            "[include]\n\tpa\\\nth = a\n",
            "[include]\npath = \\\n\"a\"\n",
            "[include]\r\n\tpath = a\r\n",
            "[includeIf \"onbranch:main\"] path = a ; b\n",
        ] {
            assert_eq!(included(text), ["a"], "{text}");
        }
        assert!(included("[core]\n\tpath = a\n").is_empty());
    }

    #[test]
    fn a_configuration_that_includes_itself_many_times_over_is_refused() {
        let directory = repository();
        let root = directory.path();
        let config = root.join(".git/config");
        let text = fs_err::read_to_string(&config).unwrap();
        for level in 0..9 {
            let next = format!("[include]\n\tpath = c{}\n", level + 1).repeat(20);
            write(root.join(format!(".git/c{level}")), next);
        }
        write(root.join(".git/c9"), "");
        write(&config, format!("{text}[include]\n\tpath = c0\n"));
        let problem = check_files(root).unwrap_err().0.remove(0);
        assert!(problem.title.contains("`.git/config` includes more than 200 files"), "{problem:?}");
        // One that git ends by itself.
        write(&config, format!("{text}[include]\n\tpath = config\n"));
        check_files(root).unwrap();
        write(&config, format!("{text}[include]\n\tpath = c7\n"));
        assert!(check_files(root).is_err());
        write(&config, format!("{text}[include]\n\tpath = c8\n"));
        check_files(root).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_that_is_included_is_refused() {
        let directory = repository();
        let root = directory.path();
        write(root.join(".git/config"), "[include]\n\tpath = more\n");
        write(root.join(".git/more"), "[include]\n\tpath = ../pipe\n");
        assert!(std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap().success());
        let problem = check_files(root).unwrap_err().0.remove(0);
        assert!(problem.title.contains("`.git/../pipe`"), "{problem:?}");
    }

    #[test]
    fn no_repository_is_made_where_something_has_its_name() {
        let place = tempfile::tempdir().unwrap();
        fs_err::create_dir(place.path().join(".git")).unwrap();
        let problem = init(place.path()).unwrap_err().0.remove(0);
        assert!(problem.title.ends_with("is not a repository"), "{problem:?}");
    }
}
