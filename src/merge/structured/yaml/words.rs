//! Plain scalars that are a text to some readers of YAML, and something else to others.

use std::sync::LazyLock;

use regex::Regex;

/// The words that readers of YAML 1.1 call booleans, beside those that all do. (`y` and `n` are in the specification alone.)
const WORDS: &[&str] = &["yes", "no", "on", "off"];

/// Whether a scalar without quotes, which is a text in YAML 1.2, is a boolean, a number or a time in YAML 1.1: `yes`, `0440`,
/// `12:30`, `2024-01-01`. With quotes, it is another value there.
pub(super) fn is_ambiguous(plain: &str) -> bool {
    static NUMBERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let integer = r"[-+]?(0b[01_]+|0[0-9_]+|0x[0-9a-fA-F_]+|0o[0-7]+|[1-9][0-9_]*(:[0-5]?[0-9])*)";
        let float =
            r"[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*|[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*)";
        let time = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}.*)?";
        Regex::new(&format!("^({integer}|{float}|{time})$")).ok()
    });
    match plain.as_bytes().first() {
        Some(b'y' | b'Y' | b'n' | b'N' | b'o' | b'O') => {
            plain.len() <= 3 && WORDS.contains(&plain.to_ascii_lowercase().as_str())
        }
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => NUMBERS.as_ref().is_some_and(|numbers| numbers.is_match(plain)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_1_1_takes_for_no_text_is_ambiguous() {
        for plain in [
            "yes",
            "No",
            "ON",
            "off",
            "0440",
            "0o17",
            "0b1",
            "1_000",
            "0x1F",
            "12:30",
            "22:22",
            "1:30:00",
            "1.",
            ".5",
            "1_0.5",
            "190:20:30.15",
            "2024-01-01",
            "2024-1-1",
            "2024-01-01T10:00:00Z",
            "2024-01-01 10:00:00 +1",
        ] {
            assert!(is_ambiguous(plain), "{plain}");
        }
        for plain in [
            "", "y", "N", "yep", "only", "1.2.3", "80:80", "8080:80", "v1", "a:1", "10.0.0.1", "-", "--ci", "2024-01",
            "1px",
        ] {
            assert!(!is_ambiguous(plain), "{plain}");
        }
    }
}
