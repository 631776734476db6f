//! The content of git's objects.

use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Output;

use super::command::git;
use super::run::{Ended, pipe, refused};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::limits::PROJECT;

/// The longest head of an answer: the name of an object as it was asked for, its type and its size.
const MAX_HEAD: u64 = 1 << 16;

/// One answer of `cat-file --batch`.
pub(super) enum Answer {
    /// A file's content.
    Content(Vec<u8>),
    /// Something else, or nothing.
    Other,
    /// A file with more bytes than are left to read.
    TooLarge,
}

/// Reads one answer; `None` if git broke off. `left` is what may still be read, in bytes.
pub(super) fn answer(stdout: &mut dyn BufRead, left: &mut u64) -> Option<Answer> {
    let mut head = Vec::new();
    stdout.take(MAX_HEAD).read_until(b'\n', &mut head).ok()?;
    let head = str::from_utf8(&head).ok()?.strip_suffix('\n')?;
    let mut words = head.rsplit(' ');
    let (size, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // ` missing` and ` ambiguous` have neither.
    let Some(size) = size.parse::<u64>().ok().filter(|_| ["blob", "tree", "commit", "tag"].contains(&kind)) else {
        return Some(Answer::Other);
    };
    let Some(rest) = left.checked_sub(size) else { return Some(Answer::TooLarge) };
    *left = rest;
    let mut bytes = Vec::new();
    stdout.take(size + 1).read_to_end(&mut bytes).ok()?;
    // A line break ends every answer.
    bytes.pop().filter(|last| *last == b'\n' && bytes.len() as u64 == size)?;
    Some(if kind == "blob" { Answer::Content(bytes) } else { Answer::Other })
}

/// The content of files by the names of their objects, in order; none for what is not a file, or is not there.
///
/// # Errors
///
/// When git is missing or fails, and if the files are too large to be held.
pub(super) fn objects<'a>(root: &Path, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Option<Vec<u8>>>> {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let input: String = names.iter().map(|name| format!("{name}\n")).collect();
    let read = |stdout: &mut dyn BufRead| {
        let mut left = PROJECT;
        let mut found = Vec::new();
        for name in &names {
            match answer(stdout, &mut left) {
                Some(Answer::Content(content)) => found.push(Some(content)),
                Some(Answer::Other) => found.push(None),
                Some(Answer::TooLarge) => return ControlFlow::Break(Err(too_large(name))),
                None => break,
            }
        }
        ControlFlow::Continue(Ok(found))
    };
    let mut command = git(root);
    let Ended { answer, status, said } = pipe(command.args(["cat-file", "--batch"]), input.as_bytes(), read)?;
    let found = answer?;
    if status.success() && found.len() == names.len() {
        Ok(found)
    } else {
        Err(refused(&command, &Output { status, stdout: Vec::new(), stderr: said }).into())
    }
}

fn too_large(name: &str) -> Diagnostic {
    let title = format!("git holds more than {} MiB for the project's files, up to `{name}`", PROJECT >> 20);
    Diagnostic::error(Code::TooMuch, title).help("remove the large file from the project's repository")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::run::run;
    use crate::git::tests::{repository, write};

    #[test]
    fn each_object_is_read_or_known_not_to_be_a_file() {
        let directory = repository();
        let root = directory.path();
        write(root.join("a b"), "one\ntwo");
        write(root.join("empty"), "");
        run(git(root).args(["add", "--all"])).unwrap();
        let names = [":a b", ":missing", ":empty", ":empty blob 5"];
        let found = objects(root, names).unwrap();
        assert_eq!(found, [Some(b"one\ntwo".to_vec()), None, Some(Vec::new()), None]);
        assert_eq!(objects(root, []), Ok(Vec::new()));
    }

    #[test]
    fn an_answer_is_read_no_further_than_it_may_be() {
        let read = |text: &str, mut left| match answer(&mut text.as_bytes(), &mut left) {
            Some(Answer::Content(content)) => format!("{} {left}", String::from_utf8(content).unwrap()),
            Some(Answer::Other) => "other".into(),
            Some(Answer::TooLarge) => "too large".into(),
            None => "none".into(),
        };
        for (text, expected) in [
            ("12 blob 3\nabc\n", "abc 0"),
            ("12 blob 4\nabcd\n", "too large"),
            ("12 blob 99999999999\n", "too large"),
            ("12 tree 3\nabc\n", "other"),
            ("12 missing\n", "other"),
            ("12 blob 3\nab", "none"),
            ("12 blob 3\nabcd\n", "none"),
            ("12 blob 3", "none"),
            ("", "none"),
        ] {
            assert_eq!(read(text, 3), expected, "{text:?}");
        }
    }
}
