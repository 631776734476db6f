//! Credentials in addresses and in git's messages about them. They are only for git: nothing else may keep or show them.
//!
//! A URL has them as `user:password@`, in its query, in its fragment or as a parameter of its path. In a mistyped URL, they are
//! in a text that is not a URL.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Is shown in place of what may be a secret, where nothing else marks the gap.
const GAP: &str = "…";
/// A shorter secret may well be a word of a message.
const MIN_SECRET: usize = 4;

/// The character before a host, and similar ones: an input method can type another one.
pub(crate) const AT: [char; 3] = ['@', '\u{ff20}', '\u{fe6b}'];

/// What may be shown of a text that was meant to be an address: it need not be one.
#[must_use]
pub(crate) fn without_credentials(text: &str) -> Cow<'_, str> {
    let scheme = text.find("://").filter(|at| text[..*at].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let (scheme, rest) = text.split_at(scheme.map_or(0, |at| at + 3));
    let Some(at) = rest.rfind(AT) else { return cut(text, scheme.len()) };
    // `git@host` gives nothing away.
    if scheme.is_empty() && !rest[..at].contains(':') {
        return cut(text, 0);
    }
    // Where does the secret end: here, or is the `@` a part of it?
    if rest[..at].contains(['?', '#', ';']) {
        return format!("{scheme}{GAP}").into();
    }
    let host = rest[at..].trim_start_matches(AT);
    format!("{scheme}{}", cut_host(host, true)).into()
}

fn cut(text: &str, start: usize) -> Cow<'_, str> {
    let is_path = text.starts_with(['/', '.', '~', '\\']) || text.get(1..3) == Some(":\\");
    match &text[start..] {
        path if start == 0 && is_path && !path.contains('?') && !path.starts_with("//") => text.into(),
        rest => format!("{}{}", &text[..start], cut_host(rest, start > 0)).into(),
    }
}

/// Whether a text that is meant to be a path of the user's own looks like an address with credentials: `user:password@host/x` or
/// `host/x?token=y`, with a scheme before it or not.
#[must_use]
pub(crate) fn has_credentials(text: &str) -> bool {
    // The drive of Windows is not a user.
    let is_drive =
        text.get(1..3).is_some_and(|rest| [":\\", ":/"].contains(&rest)) && text.as_bytes()[0].is_ascii_alphabetic();
    let text = if is_drive { &text[3..] } else { text };
    let has_user = text.rfind(AT).is_some_and(|at| text[..at].contains(':'));
    has_user || text.split_once(['?', '#']).is_some_and(|(_, query)| has_value(query))
}

/// A host and a path, without what may be a secret in them. Only a URL certainly has a host.
fn cut_host(text: &str, is_url: bool) -> String {
    let (host, path) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
    // It may be `user:password%40host`.
    if is_url && host.contains([':', '%']) && !is_host(host) {
        return GAP.to_owned();
    }
    let shown = public_path(path, true);
    format!("{host}{shown}{}", if shown.len() < path.len() { GAP } else { "" })
}

/// Whether this is a host, perhaps with a port.
#[must_use]
pub(crate) fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((address, rest)) => {
            let is_address = address.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c));
            (if is_address { "ipv6" } else { "" }, rest.strip_prefix(':').or(rest.is_empty().then_some("")))
        }
        None => text.split_once(':').map_or((text, Some("")), |(host, port)| (host, Some(port))),
    };
    let is_name = !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "-._".contains(c));
    is_name && port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The path of a URL without its query, fragment and parameters. Elsewhere than in the web, they are a part of the path unless they
/// look like what they are not: `c#/x` is a directory.
#[must_use]
pub(crate) fn public_path(path: &str, is_web: bool) -> &str {
    let is_code = |at: usize, codes: &[&str]| {
        path.get(at..at + 3).is_some_and(|code| codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
    };
    let ends = |(at, c): &(usize, char)| match c {
        // A server may decode a question mark or number sign, and what follows one is not a name then.
        '%' => is_web && is_code(*at, &["%3f", "%23"]) || is_code(*at, &["%3b", "%26"]) && has_value(&path[*at..]),
        '&' => has_value(&path[*at..]),
        c if c.is_whitespace() => is_web && has_value(&path[*at..]),
        '?' => is_web || path[*at..].contains('='),
        '#' => is_web || path[*at..].contains('=') || !path[*at + 1..].chars().next().is_none_or(|c| "/.".contains(c)),
        ';' => path[*at..].contains('='),
        _ => false,
    };
    path.char_indices().find(ends).map_or(path, |(at, _)| &path[..at])
}

/// Whether something like `name=value` follows.
fn has_value(text: &str) -> bool {
    text.contains('=') || text.to_ascii_lowercase().contains("%3d")
}

/// The secrets of an address, as it is written there and as programs may write it again.
#[must_use]
pub(crate) fn secrets(user: Option<&str>, suffix: &str) -> Vec<String> {
    let mut all = Vec::new();
    let decoded_user = user.map(decoded);
    for user in user.into_iter().chain(decoded_user.as_deref()) {
        all.push(user);
        all.extend([':', ';'].iter().filter_map(|at| user.split_once(*at)).flat_map(|(name, rest)| [name, rest]));
    }
    // The secret may have such a character itself.
    let plain = decoded(suffix);
    for suffix in [suffix, plain.as_str()] {
        all.extend(suffix.split(['?', '#', ';', '&']).chain([suffix]));
    }
    let values: Vec<&str> = all.iter().filter_map(|part| part.split_once('=')).map(|(_, value)| value).collect();
    let all = all.into_iter().chain(values).flat_map(|secret| [secret.to_owned(), decoded(secret)]);
    let mut all: Vec<String> = all.filter(|secret| secret.len() >= MIN_SECRET).collect();
    // The longer one may hold the shorter one.
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    all.dedup();
    all
}

/// The text with `%41` as `A`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|code| str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What may be shown of a message of git's: none of the secrets that are known, and no credentials in any URL, whoever put them
/// there.
#[must_use]
pub(crate) fn hidden(message: &str, secrets: &[String]) -> String {
    // A URL: its scheme, all up to an `@`, and the rest; a password may have a quote in it. Or `user:password@`.
    static URL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)\b([a-z][a-z0-9+.-]*://)(\S*@)?([^\s'"`<>]*)|\b[\w.+-]+:[^\s/@:]+@"#).ok());
    let Some(url) = &*URL else { return String::new() };
    let message = secrets.iter().fold(message.to_owned(), |text, secret| text.replace(secret.as_str(), GAP));
    let public = |found: &Captures<'_>| {
        let part = |number| found.get(number).map_or("", |part| part.as_str());
        public_url(part(1), part(2), part(3))
    };
    url.replace_all(&message, public).into_owned()
}

fn public_url(scheme: &str, user: &str, rest: &str) -> String {
    // Nobody can tell what of it is secret.
    if user.contains(['?', '#']) || user.contains("://") {
        return format!("{scheme}{GAP}");
    }
    let end = rest.trim_end_matches(['.', ',', ':', ')']).len();
    let (rest, punctuation) = rest.split_at(end);
    // `https://host/@scope/x` has no user.
    let host = user.split_once('/').filter(|(host, _)| is_host(host) && !host.contains(':')).map_or("", |_| user);
    format!("{scheme}{host}{}{punctuation}", public_path(rest, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_not_an_address_is_shown_without_credentials() {
        for (text, expected) in [
            ("ftp://ann:secret@example.org/a", "ftp://example.org/a"),
            ("https://ann:sec/ret@example.org", "https://example.org"),
            ("https//ann:secret@example.org/a", "example.org/a"),
            ("gh:ann:secret@a", "a"),
            ("git@example.org:", "git@example.org:"),
            ("https://example.org", "https://example.org"),
            ("https://ann:secret%40example.org/a", "https://…"),
            ("https://secret%40example.org/a", "https://…"),
            ("https://ann:12secret%40example.org/a", "https://…"),
            ("https://ann:sec?ret@example.org/a", "https://…"),
            ("https://example.org?token=se@cret", "https://…"),
            ("https//example.org/a?private_token=secret", "https//example.org/a…"),
            ("example.org/a#secret", "example.org/a…"),
            ("ftp://example.org/a;password=secret/b", "ftp://example.org/a…"),
            ("ftp://example.org/a;password=se@cret/b", "ftp://…"),
            ("ann:sec://ret@example.org/a", "example.org/a"),
            ("/home/ann/C#/x", "/home/ann/C#/x"),
            ("../C#/x;y", "../C#/x;y"),
            ("there/is", "there/is"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(text), expected, "{text}");
        }
    }

    #[test]
    fn a_path_that_is_an_address_with_credentials_is_known() {
        for text in ["ann:secret@example.org/a", "//ann:secret@h/x", "https:/a:b@h", "a?token=x", "./a:b@c", "a/b#t=x"]
        {
            assert!(has_credentials(text), "{text}");
        }
        assert!(has_credentials("ann:secret\u{ff20}example.org/a"));
        assert_eq!(without_credentials("ann:secret\u{ff20}example.org/a"), "example.org/a");
        for text in ["a", "a@b", "C:\\a@b", "c:/a@b", "a:b", "C#/x", "../what?", "a@b:c", ""] {
            assert!(!has_credentials(text), "{text}");
        }
    }

    #[test]
    fn messages_are_shown_without_credentials() {
        for (text, expected) in [
            (
                "unable to access 'https://ann:s3'cr3t@x.org/a/': no; see HTTPS://tok@y/ and ssh://git:p@z/q",
                "unable to access 'https://x.org/a/': no; see HTTPS://y/ and ssh://z/q",
            ),
            ("'https://x.org/a?private_token=tok': no", "'https://x.org/a': no"),
            ("see https://x.org/a#tok, or https://x.org/b;password=tok.", "see https://x.org/a, or https://x.org/b."),
            ("https://ann:to/k@x.org/a", "https://x.org/a"),
            ("https://x.org?t=a@b", "https://…"),
            ("https://x.org/@scope/a", "https://x.org/@scope/a"),
            ("no repository ann:secret@x.org:a", "no repository x.org:a"),
            ("git@x.org: Permission denied", "git@x.org: Permission denied"),
            ("'https://y/?t=tok'en' is not there", "'https://y/' is not there"),
        ] {
            assert_eq!(hidden(text, &["tok'en".to_owned()]), expected, "{text}");
        }
    }

    #[test]
    fn the_secrets_of_an_address_are_known_in_every_spelling() {
        let found = secrets(Some("ann:s3%27cret"), "?private_token=tok%2Fen&x=1#fragment;password=hidden");
        for secret in ["s3%27cret", "s3'cret", "tok%2Fen", "tok/en", "fragment", "hidden"] {
            assert!(found.iter().any(|known| known == secret), "{secret} in {found:?}");
        }
        assert!(!found.iter().any(|known| known.len() < MIN_SECRET));
        assert_eq!(decoded("%4"), "%4");
        assert_eq!(decoded("%zz%41%"), "%zzA%");
    }

    #[test]
    fn hosts_are_told_from_what_is_not_one() {
        for host in ["example.org", "localhost:8080", "[::1]", "[::1]:80", "bücher.example", "a_b", "host:"] {
            assert!(is_host(host), "{host}");
        }
        for text in ["", "ann:secret", "a%40b", "[x]", "[::1]x", ":80", "a b", "a:1:2"] {
            assert!(!is_host(text), "{text}");
        }
    }
}
