//! Words of commands that are printed for pasting: each is safe in a shell, whatever its text is.

use std::borrow::Cow;
use std::path::Path;

use crate::terminal::is_hidden;

/// A word of a command, quoted where a POSIX shell needs it.
#[must_use]
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| (c.is_alphanumeric() && !is_hidden(c)) || "/._-+@%=:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('=') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(quoted(text))
}

/// The word of a path: one that begins with `-` is not an option.
#[must_use]
pub(crate) fn path(text: &str) -> Cow<'_, str> {
    if text.starts_with('-') { Cow::Owned(word(&format!("./{text}")).into_owned()) } else { word(text) }
}

/// The word of a path whose name may not be text: its bytes are spelled out then, so that the word leads to this path and no other.
#[must_use]
pub(crate) fn place(path: &Path) -> Cow<'_, str> {
    match path.to_str() {
        Some(text) => self::path(text),
        None => Cow::Owned(spelled(path)),
    }
}

/// A path of bytes that are not UTF-8, in quotes.
#[cfg(unix)]
fn spelled(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = path.as_os_str().as_bytes();
    let mut out = String::from(if bytes.starts_with(b"-") { "$'./" } else { "$'" });
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push(&mut out, c));
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out + "'"
}

/// No shell can be told such a name here.
#[cfg(not(unix))]
fn spelled(path: &Path) -> String {
    self::path(&path.to_string_lossy()).into_owned()
}

/// A word in quotes, needed or not.
///
/// What a terminal would act on is spelled out as in `$'\x1b'`. A backslash is, too: inside single quotes, it means something to fish.
/// There, as in shells that do not know `$'…'`, the word is then a wrong one, but still only a word: it has no quote inside.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    if !text.contains(|c| is_hidden(c) || c == '\\') {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let mut out = String::from("$'");
    text.chars().for_each(|c| push(&mut out, c));
    out + "'"
}

/// Appends a character as it can be in `$'…'`.
fn push(out: &mut String, c: char) {
    if is_hidden(c) || matches!(c, '\\' | '\'' | '!') {
        let mut bytes = [0; 4];
        c.encode_utf8(&mut bytes).bytes().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    } else {
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for (text, expected) in [
            ("a/b.ts", "a/b.ts"),
            ("größe", "größe"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(id)", "'$(id)'"),
            ("~", "'~'"),
            ("=ls", "'=ls'"),
            ("a\nb", r"$'a\x0ab'"),
            ("\u{1b}[2J'\\!", r"$'\x1b[2J\x27\x5c\x21'"),
            ("a\u{200b}", r"$'a\xe2\x80\x8b'"),
        ] {
            assert_eq!(word(text), expected);
        }
        assert_eq!(path("-n"), "./-n");
        assert_eq!(path("-n x"), "'./-n x'");
        assert_eq!(quoted("x"), "'x'");
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_spelled_out() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let word = |bytes| place(Path::new(OsStr::from_bytes(bytes))).into_owned();
        assert_eq!(word(b"a b"), "'a b'");
        assert_eq!(word(b"-a"), "./-a");
        assert_eq!(word(b"a\xff\xc3\xa9 \x1b'"), r"$'a\xffé \x1b\x27'");
        assert_eq!(word(b"-\xff"), r"$'./-\xff'");
    }

    #[test]
    #[cfg(unix)]
    fn a_shell_reads_a_word_as_it_was() {
        // What bash alone knows is tried where it is there.
        for text in [
            "a b",
            "it's $(id) `id` \"x\"",
            "-n",
            "a\n'b'\\!",
            "\u{1b}[2J\u{200b}",
            "*?[a]{b,c}",
            "~",
            "#x",
            "a;b&c|d<e>f",
        ] {
            let script = format!("printf %s {}", word(text));
            let output = std::process::Command::new("bash").args(["-c", &script]).output();
            if let Ok(output) = output {
                let printed = if text.starts_with('-') { continue } else { String::from_utf8(output.stdout).unwrap() };
                assert_eq!(printed, text, "{script}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_word_is_hidden_and_its_quotes_are_closed(text in any::<String>()) {
            let word = word(&text).into_owned();
            prop_assert!(!word.contains(is_hidden));
            if !word.starts_with("$'") {
                prop_assert_eq!(shell_words::split(&word).unwrap(), [text]);
            } else {
                prop_assert_eq!(word.matches('\'').count(), 2, "{}", word);
            }
        }
    }
}
