//! A command in a copy of a tree: with a clean environment, and for a limited time.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::view;
use crate::process::{self, Ended};
use crate::tree::{Entry, Tree};

/// At most this much of what a command says is kept, in bytes.
const MAX_SAID: usize = 128 << 10;
/// The file that marks a directory of a cache: no project has one.
const CACHE: &str = "CACHEDIR.TAG";

/// Runs a command in a copy of a tree, for a limited time and with a clean environment. Returns what it printed, and what `read` makes of
/// the directory that it left.
///
/// # Errors
///
/// Why it did not run to a good end, as the rest of a sentence that begins with the command.
pub fn run(
    text: &str,
    files: &Tree,
    timeout: Duration,
    read: impl FnOnce(&Path) -> Result<Tree, String>,
) -> Result<(String, Tree), String> {
    let unwritten = |error: io::Error| format!("cannot run, because its files cannot be written: {error}");
    let place = process::place().map_err(unwritten)?;
    let root = place.path().join("work");
    fs_err::create_dir(&root).and_then(|()| lay_out(&root, files)).map_err(unwritten)?;
    let here = root.to_string_lossy().into_owned();
    let (status, said, complaint) = output(&text.replace(view::WORKING, &here), &root, timeout)?;
    if !status.success() {
        let how = status.code().map_or("was stopped".to_owned(), |code| format!("ended with exit code {code}"));
        let complaint = complaint.trim().replace(&here, view::WORKING);
        return Err(if complaint.is_empty() { how } else { format!("{how}: {complaint}") });
    }
    drop_caches(&root, files);
    Ok((said.replace(&here, view::WORKING), read(&root)?))
}

/// Writes the tree. Links come last, so that no file is written through one.
fn lay_out(root: &Path, files: &Tree) -> io::Result<()> {
    for (path, entry) in files {
        let place = path.below(root);
        if let Some(above) = place.parent() {
            fs_err::create_dir_all(above)?;
        }
        if let Entry::File { bytes, executable } = entry {
            fs_err::File::create_new(&place).and_then(|mut file| io::Write::write_all(&mut file, bytes))?;
            set_executable(&place, *executable)?;
        }
    }
    for (path, entry) in files {
        if let Entry::Symlink { target } = entry {
            link(target, &path.below(root))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn set_executable(path: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if executable { 0o755 } else { 0o644 };
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_executable(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// A command does without links where making one may need a permission.
#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes what a command keeps for the next time, such as Cargo's `target`; not what was among the `files`.
fn drop_caches(root: &Path, files: &Tree) {
    let walk = walkdir::WalkDir::new(root).min_depth(2).follow_links(false).into_iter().filter_map(Result::ok);
    let is_new = |path: &Path| {
        let below = path.strip_prefix(root).ok().and_then(Path::to_str).map(|below| below.replace('\\', "/"));
        let prefix = below.map(|below| format!("{below}/"));
        prefix.is_some_and(|prefix| !files.keys().any(|path| path.as_str().starts_with(&prefix)))
    };
    let caches: Vec<_> = walk
        .filter(|entry| entry.file_name() == CACHE)
        .filter_map(|entry| Some(entry.path().parent()?.to_path_buf()))
        .filter(|directory| is_new(directory))
        .collect();
    for cache in caches {
        drop(fs_err::remove_dir_all(cache));
    }
}

type Output = (ExitStatus, String, String);

fn output(text: &str, root: &Path, timeout: Duration) -> Result<Output, String> {
    let run = |words: &[OsString]| process::run(words, root, None, timeout, MAX_SAID);
    let ended = match plain(text).map(|words| run(&words)) {
        Some(Ok(ended)) => Ok(ended),
        // It may be something that only a shell knows.
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => run(&shell(text)),
    };
    let ended = ended.map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => "was interrupted".to_owned(),
        _ => format!("does not run: {error}"),
    })?;
    let Some(Ended { status, said, complaint }) = ended else {
        return Err(format!("took longer than {} seconds (--command-timeout)", timeout.as_secs()));
    };
    let [said, complaint] = [said, complaint].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok((status, said, complaint))
}

/// The words of a command that means the same with and without a shell.
fn plain(text: &str) -> Option<Vec<OsString>> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _-./:@%+,=".contains(c);
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let is_command = words.first().is_some_and(|first| !first.contains('='));
    (cfg!(unix) && is_command && text.chars().all(is_plain)).then(|| words.into_iter().map(OsString::from).collect())
}

/// cargo-generate's guide promises a shell.
fn shell(text: &str) -> Vec<OsString> {
    let shell = if cfg!(windows) { ["cmd", "/C"] } else { ["sh", "-c"] };
    shell.into_iter().map(OsString::from).chain([text.into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::command::left;
    use super::*;
    use crate::tree::RelPath;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| (RelPath::new(*path).unwrap(), Entry::file(text.as_bytes().to_vec()))).collect()
    }

    #[test]
    #[cfg(unix)]
    fn a_command_changes_a_copy_that_is_read_back() {
        let before = tree(&[("a.txt", "one"), ("gone", ""), ("d/s.sh", "")]);
        let text = "cat a.txt; rm gone; echo two > a.txt; chmod +x d/s.sh; ln -s a.txt l; mkdir .git target; echo x > .git/x; \
                    echo x > target/CACHEDIR.TAG; echo x > d/CACHEDIR.TAG; echo $SECRET /create-app/work/a";
        let (said, after) = run(text, &before, Duration::from_secs(20), left).unwrap();
        assert_eq!(said.trim(), "one/create-app/work/a");
        let modes: Vec<_> = after.iter().map(|(path, entry)| (path.as_str(), entry.mode().as_str())).collect();
        assert_eq!(modes, [("a.txt", "100644"), ("d/CACHEDIR.TAG", "100644"), ("d/s.sh", "100755"), ("l", "120000")]);
        assert_eq!(after[&RelPath::new("a.txt").unwrap()].bytes(), b"two\n");
    }

    #[test]
    #[cfg(unix)]
    fn a_command_that_fails_or_does_not_end_says_so() {
        let fails = |text: &str| run(text, &Tree::new(), Duration::from_secs(1), left).unwrap_err();
        assert_eq!(fails("echo no >&2; exit 3"), "ended with exit code 3: no");
        assert_eq!(fails("sleep 60 & sleep 60"), "took longer than 1 seconds (--command-timeout)");
        assert!(fails("no-such-program-at-all").contains("exit code 127"));
        assert!(fails("mkdir -p a/.git; echo x > a/.git/x").contains("`.git`"));
    }

    #[test]
    fn a_shell_is_only_started_for_what_needs_one() {
        assert_eq!(plain("cargo update --package my-app").map(|words| words.len()), Some(4).filter(|_| cfg!(unix)));
        for text in ["echo a > b", "a && b", "a; b", "$(x)", "`x`", "A=1 b", "echo 'a b'", "a\nb", "ls *", "~/x", ""] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
