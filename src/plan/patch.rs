//! Differences between files as a patch that `git apply` takes: text in hunks, binaries as git's own binary patches, modes,
//! symbolic links and renames. Pure: files in, bytes out.

use std::ops::Range;

use sha1::{Digest as _, Sha1};
use similar::{DiffOp, group_diff_ops};

use crate::contents;
use crate::deflated::Encoder;
use crate::diff;
use crate::digest::hex;
use crate::limits::MERGED;
use crate::lock::{BASE, DIRECTORY};
use crate::tree::{Entry, Mode};

/// A patch is written in parts of about this many bytes; the patch of one file can be more.
const PART: usize = 1 << 20;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// The decision about one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference<'a> {
    /// Where it was, if that is elsewhere.
    pub from: Option<&'a str>,
    /// Where it is; where it was, if it has gone.
    pub path: &'a str,
    /// The old entry; `None` if it is new.
    pub before: Option<&'a Entry>,
    /// The new version; `None` if it has gone.
    pub after: Option<&'a Entry>,
}

impl Difference<'_> {
    /// How many lines come and go; none for a binary file.
    #[must_use]
    pub fn lines(&self) -> Option<(usize, usize)> {
        let [before, after] = [self.before, self.after].map(|entry| entry.map_or(&b""[..], Entry::bytes));
        if is_binary(before) || is_binary(after) {
            return None;
        }
        let (old, new) = (lines(before), lines(after));
        let ops = diff::ops(&old, &new);
        let changed = ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
        Some(
            changed.fold((0, 0), |(added, removed), op| (added + op.new_range().len(), removed + op.old_range().len())),
        )
    }
}

/// The patch. Paths are relative to the repository's root.
#[must_use]
pub fn patch(differences: &[Difference<'_>]) -> Vec<u8> {
    let mut whole = Vec::new();
    let Ok(()) = patch_to(differences, |part| {
        whole.extend_from_slice(part);
        Ok::<(), std::convert::Infallible>(())
    });
    whole
}

/// The patch, given to `write` in parts, so that it is never held as a whole.
///
/// # Errors
///
/// As `write`.
pub fn patch_to<E>(differences: &[Difference<'_>], mut write: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let mut out = Vec::new();
    let mut encoder = None;
    for difference in differences {
        if out.len() > PART {
            write(&out)?;
            out = Vec::new();
        }
        match (difference.before, difference.after) {
            // Git, too, shows a file that became a link, or the reverse, as one that went and one that came.
            (Some(before), Some(after)) if is_link(before) != is_link(after) => {
                let old = difference.from.unwrap_or(difference.path);
                file(&mut out, &mut encoder, &Difference { from: None, path: old, after: None, ..*difference });
                file(&mut out, &mut encoder, &Difference { from: None, before: None, ..*difference });
            }
            _ => file(&mut out, &mut encoder, difference),
        }
    }
    write(&out)
}

fn is_link(entry: &Entry) -> bool {
    entry.mode() == Mode::Symlink
}

/// The encoder is made for the first binary file, and used for all.
fn file(out: &mut Vec<u8>, encoder: &mut Option<Encoder>, difference: &Difference<'_>) {
    let (before, after) = (difference.before, difference.after);
    let (old, new) = (difference.from.unwrap_or(difference.path), difference.path);
    let mut line = |text: String| {
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    };
    line(format!("diff --git {} {}", quote("a/", old), quote("b/", new)));
    match (before, after) {
        (None, Some(after)) => line(format!("new file mode {}", after.mode().as_str())),
        (Some(before), None) => line(format!("deleted file mode {}", before.mode().as_str())),
        (Some(before), Some(after)) if before.mode() != after.mode() => {
            line(format!("old mode {}", before.mode().as_str()));
            line(format!("new mode {}", after.mode().as_str()));
        }
        _ => {}
    }
    if difference.from.is_some() {
        line(format!("rename from {}", quote("", old)));
        line(format!("rename to {}", quote("", new)));
    }
    let [before_bytes, after_bytes] = [before, after].map(|entry| entry.map_or(&b""[..], Entry::bytes));
    if before.is_some() && after.is_some() && before_bytes == after_bytes {
        return;
    }
    let mode = match (before, after) {
        (Some(before), Some(after)) if before.mode() == after.mode() => format!(" {}", after.mode().as_str()),
        _ => String::new(),
    };
    line(format!("index {}..{}{mode}", name(before), name(after)));
    if is_binary(before_bytes) || is_binary(after_bytes) {
        line("GIT binary patch".into());
        let mut packed =
            |bytes| if is_packed(new) { stored(bytes) } else { encoder.get_or_insert_default().encode(bytes) };
        literal(out, after_bytes.len(), &packed(after_bytes));
        literal(out, before_bytes.len(), &packed(before_bytes));
        return;
    }
    let (old_lines, new_lines) = (lines(before_bytes), lines(after_bytes));
    let groups = group_diff_ops(diff::ops(&old_lines, &new_lines), CONTEXT);
    if !groups.is_empty() {
        // A tab ends a name that has a space in it.
        let end = |path: &str| if path.contains(' ') { "\t" } else { "" };
        let header = |prefix, path, entry: Option<&Entry>| match entry {
            Some(_) => format!("{}{}", quote(prefix, path), end(path)),
            None => "/dev/null".to_owned(),
        };
        line(format!("--- {}", header("a/", old, before)));
        line(format!("+++ {}", header("b/", new, after)));
    }
    groups.iter().for_each(|group| hunk(out, group, &old_lines, &new_lines));
}

fn hunk(out: &mut Vec<u8>, ops: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) {
    let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return };
    let range = |range: Range<usize>| match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        n => format!("{},{n}", range.start + 1),
    };
    let old_range = range(first.old_range().start..last.old_range().end);
    let new_range = range(first.new_range().start..last.new_range().end);
    out.extend_from_slice(format!("@@ -{old_range} +{new_range} @@\n").as_bytes());
    for op in ops {
        if let DiffOp::Equal { .. } = op {
            old[op.old_range()].iter().for_each(|line| marked(out, b' ', line));
            continue;
        }
        old[op.old_range()].iter().for_each(|line| marked(out, b'-', line));
        new[op.new_range()].iter().for_each(|line| marked(out, b'+', line));
    }
}

fn marked(out: &mut Vec<u8>, mark: u8, line: &[u8]) {
    out.push(mark);
    out.extend_from_slice(line);
    if !line.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

/// Lines as git sees them: each ends with its line feed.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').collect()
}

/// As git judges it; and what is too large to be compared line by line.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.len() as u64 > MERGED || contents::is_binary(bytes)
}

/// The name that git gives to a file's bytes; a patch of a binary file must have it.
fn name(entry: Option<&Entry>) -> String {
    let Some(entry) = entry else { return "0".repeat(40) };
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", entry.bytes().len()));
    hash.update(entry.bytes());
    hex(&hash.finalize())
}

/// Whether a file is deflated already, as those of the base are.
fn is_packed(path: &str) -> bool {
    let mut above = path.rsplit('/').skip(1);
    above.next() == Some(BASE) && above.next() == Some(DIRECTORY)
}

/// Bytes in zlib's format (RFC 1950, 1951), in blocks that are not deflated.
fn stored(bytes: &[u8]) -> Vec<u8> {
    // 32 KB window, fastest level.
    let mut out = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    loop {
        let block = blocks.next().unwrap_or_default();
        let length = u16::try_from(block.len()).unwrap_or_default();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
        if blocks.peek().is_none() {
            break;
        }
    }
    out.extend_from_slice(&adler2::adler32_slice(bytes).to_be_bytes());
    out
}

/// Bytes as a binary patch has them: in zlib's format, then in base 85, up to 52 bytes a line. `length` is that of what is packed.
fn literal(out: &mut Vec<u8>, length: usize, packed: &[u8]) {
    const DIGITS: &[u8; 85] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    out.extend_from_slice(format!("literal {length}\n").as_bytes());
    for line in packed.chunks(52) {
        // The length: `A` to `Z` for 1 to 26, `a` to `z` for 27 to 52.
        let length = u8::try_from(line.len()).unwrap_or_default();
        out.push(if length <= 26 { b'A' + length - 1 } else { b'a' + length - 27 });
        for word in line.chunks(4) {
            let mut padded = [0; 4];
            padded[..word.len()].copy_from_slice(word);
            let mut number = u32::from_be_bytes(padded);
            let mut digits = [0; 5];
            for digit in digits.iter_mut().rev() {
                *digit = DIGITS[(number % 85) as usize];
                number /= 85;
            }
            out.extend_from_slice(&digits);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// A path as git writes it: in quotes where a character in it could be misread.
fn quote(prefix: &str, path: &str) -> String {
    let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
    if path.chars().all(plain) {
        return format!("{prefix}{path}");
    }
    let mut out = format!("\"{prefix}");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(before: &'static str, after: &'static str) -> String {
        let [before, after] = [before, after].map(|text| Entry::file(text.as_bytes()));
        let difference = Difference { from: None, path: "a b", before: Some(&before), after: Some(&after) };
        String::from_utf8(patch(&[difference])).unwrap()
    }

    #[test]
    fn text_is_shown_in_hunks_with_what_is_around() {
        let expected = "\
diff --git a/a b b/a b
--- a/a b\t
+++ b/a b\t
@@ -1,3 +1,3 @@
 a
-b
+B
 c
";
        let actual = text("a\nb\nc\n", "a\nB\nc\n");
        let without_names =
            |text: &str| text.lines().filter(|line| !line.starts_with("index")).collect::<Vec<_>>().join("\n");
        assert_eq!(without_names(&actual), expected.trim_end_matches('\n'));
        assert!(text("a\n", "a").ends_with("@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"));
        assert!(text("", "a\n").ends_with("@@ -0,0 +1 @@\n+a\n"));
    }

    #[test]
    fn a_patch_of_many_files_is_written_in_parts() {
        let entry = Entry::file("line\n".repeat(PART / 10).into_bytes());
        let paths: Vec<String> = (0..10).map(|n| format!("{n}.txt")).collect();
        let new = |path| Difference { from: None, path, before: None, after: Some(&entry) };
        let differences: Vec<_> = paths.iter().map(|path| new(path)).collect();
        let mut parts = Vec::new();
        let Ok(()) = patch_to(&differences, |part| {
            parts.push(part.to_vec());
            Ok::<(), std::convert::Infallible>(())
        });
        assert_eq!(parts.concat(), patch(&differences));
        assert!(parts.len() > 3 && parts.iter().all(|part| part.len() < 2 * PART));
    }

    #[test]
    fn files_have_the_names_that_git_gives_them() {
        let empty = Entry::file(&b""[..]);
        assert_eq!(name(Some(&empty)), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    }

    #[test]
    fn what_is_stored_can_be_inflated() {
        for length in [0, 1, 65_535, 65_536, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|n: u32| (n % 251) as u8).collect();
            assert_eq!(miniz_oxide::inflate::decompress_to_vec_zlib(&stored(&bytes)).ok(), Some(bytes));
        }
        assert!(is_packed(".create-app/base/00") && is_packed("apps/shop/.create-app/base/00"));
        assert!(!is_packed("base/00") && !is_packed(".create-app/base") && !is_packed(".create-app/lock.toml"));
    }

    #[test]
    fn nothing_to_tell_is_no_hunk() {
        let run = Entry::File { bytes: "x".into(), executable: true };
        let plain = Entry::file(&b"x"[..]);
        let difference = Difference { from: Some("old"), path: "new", before: Some(&plain), after: Some(&run) };
        let expected = "diff --git a/old b/new\nold mode 100644\nnew mode 100755\nrename from old\nrename to new\n";
        assert_eq!(String::from_utf8(patch(&[difference])).unwrap(), expected);
        assert_eq!(quote("a/", "tab\t\"x\""), "\"a/tab\\011\\\"x\\\"\"");
    }
}
