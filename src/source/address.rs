//! The address of a repository: as git may see it, and as everybody else may.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The schemes that lead to git's own transports. Any other one names a program that git would run.
const SCHEMES: &[&str] = &["https", "http", "ssh", "git", "file"];

/// cargo-generate's abbreviations, and what stands before and after the rest.
const ABBREVIATIONS: &[(&str, &str, &str)] = &[
    ("gh:", "https://github.com/", ".git"),
    ("gl:", "https://gitlab.com/", ".git"),
    ("bb:", "https://bitbucket.org/", ".git"),
    ("sr:", "https://git.sr.ht/~", ""),
];

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A URL, or `host:path` for ssh.
    Url {
        /// For git alone: it may hold credentials.
        full: String,
        /// The same without credentials.
        shown: String,
    },
    /// A directory, as it was spelled.
    Path(PathBuf),
}

/// Why an address is refused. The texts complete "the address … ".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Nothing.
    #[error("is empty")]
    Empty,
    /// A line break, an escape sequence and the like.
    #[error("has a control character")]
    Control,
    /// Git or ssh would read it, or its host, user or path, as an option.
    #[error("has a part that starts with `-`, which is an option, not an address")]
    Option,
    /// `ext::…`, `fd::…` and other programs.
    #[error("starts with `{0}::`, which would run a program")]
    Helper(String),
    /// A scheme that is none of git's own.
    #[error("has the scheme `{0}`, which is none of https, http, ssh, git and file")]
    Scheme(String),
    /// A URL without a host or without a path.
    #[error("names no host or no repository on it")]
    Incomplete,
    /// An abbreviation without an owner or without a repository.
    #[error("should be `{0}OWNER/REPO`")]
    Abbreviation(&'static str),
    /// `user:password@host`, which git would take for the path `password@host` on the machine `user`.
    #[error("has a password, and no scheme such as `https://` before it")]
    Bare,
}

/// What may be said of a text that need not be an address: nothing that may be a user and a password.
#[must_use]
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    let start = text.find("://").map_or(0, |at| at + 3);
    match text[start..].rfind('@').map(|at| start + at) {
        // `git@host` tells nothing.
        Some(at) if start > 0 || text[..at].contains(':') => format!("{}{}", &text[..start], &text[at + 1..]).into(),
        _ => text.into(),
    }
}

impl Address {
    /// Reads what the user typed. As in cargo-generate, `owner/repo` is GitHub's where `is_directory` says that no such directory
    /// is there.
    ///
    /// # Errors
    ///
    /// Refuses what git would not take for the address of a repository, or would run.
    pub fn given(text: &str, is_directory: impl Fn(&Path) -> bool) -> Result<Self, AddressError> {
        match Self::parse(text)? {
            Self::Path(path) if is_owner_and_repository(text) && !is_directory(&path) => abbreviated("gh:", text),
            address => Ok(address),
        }
    }

    /// Reads what a lock holds; nothing is guessed there.
    ///
    /// # Errors
    ///
    /// As [`Address::given`]: the lock of somebody else's project is not trusted.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        check_start(text)?;
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.contains(char::is_control) {
            return Err(AddressError::Control);
        }
        if let Some((prefix, ..)) = ABBREVIATIONS.iter().find(|(prefix, ..)| text.starts_with(prefix)) {
            return abbreviated(prefix, &text[prefix.len()..]);
        }
        if let Some((helper, _)) = text.split_once("::").filter(|(before, _)| before.chars().all(is_in_scheme)) {
            return Err(AddressError::Helper(helper.to_owned()));
        }
        if let Some((scheme, rest)) = text.split_once("://").filter(|(before, _)| before.chars().all(is_in_scheme)) {
            return url(scheme, rest);
        }
        let drive = cfg!(windows) && matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
        match text.split_once(':') {
            Some((host, path)) if !drive && !host.contains(['/', '\\']) => ssh(text, host, path),
            _ => Ok(Self::Path(text.into())),
        }
    }

    /// What git is given; a relative path is one below `base`.
    #[must_use]
    pub fn argument(&self, base: &Path) -> OsString {
        match self {
            Self::Url { full, .. } => full.into(),
            Self::Path(path) => base.join(path).into(),
        }
    }

    /// The last part of the name, without `.git`.
    #[must_use]
    pub fn repository(&self) -> String {
        let text = self.to_string();
        let text = text.trim_end_matches(['/', '\\']);
        let name = text.rsplit(['/', '\\', ':']).find(|part| !part.is_empty() && *part != ".git").unwrap_or(text);
        name.strip_suffix(".git").unwrap_or(name).to_owned()
    }
}

impl fmt::Display for Address {
    /// The address as messages and locks may name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { shown, .. } => f.write_str(shown),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What a URL's scheme may consist of, and so the name of a program that `name::` would run.
fn is_in_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-._".contains(c)
}

fn check_start(part: &str) -> Result<(), AddressError> {
    if part.starts_with('-') { Err(AddressError::Option) } else { Ok(()) }
}

fn is_owner_and_repository(text: &str) -> bool {
    let is_name = |part: &str| {
        let plain = part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        plain && !part.is_empty() && !part.starts_with(['.', '-'])
    };
    text.split_once('/').is_some_and(|(owner, repository)| is_name(owner) && is_name(repository))
}

fn abbreviated(prefix: &str, rest: &str) -> Result<Address, AddressError> {
    let Some((name, before, after)) = ABBREVIATIONS.iter().find(|(name, ..)| *name == prefix) else {
        return Err(AddressError::Empty);
    };
    let is_part = |part: &str| {
        let plain = part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
        plain && !["", ".", ".."].contains(&part) && !part.starts_with('-')
    };
    if !rest.contains('/') || !rest.split('/').all(is_part) {
        return Err(AddressError::Abbreviation(name));
    }
    let after = if rest.ends_with(after) { "" } else { after };
    let url = format!("{before}{rest}{after}");
    Ok(Address::Url { full: url.clone(), shown: url })
}

fn url(scheme: &str, rest: &str) -> Result<Address, AddressError> {
    let scheme = scheme.to_ascii_lowercase();
    if !SCHEMES.contains(&scheme.as_str()) {
        return Err(AddressError::Scheme(scheme));
    }
    let full = format!("{scheme}://{rest}");
    if scheme == "file" {
        let is_absolute = rest.trim_start_matches('/').len() < rest.len() || cfg!(windows);
        return if is_absolute {
            Ok(Address::Url { shown: full.clone(), full })
        } else {
            Err(AddressError::Incomplete)
        };
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    [user.unwrap_or(""), host, path.trim_start_matches('/')].into_iter().try_for_each(check_start)?;
    if host.is_empty() || path.trim_matches('/').is_empty() {
        return Err(AddressError::Incomplete);
    }
    // With http the whole may be a token. With ssh the user is part of the address, and only a password is secret.
    let user = user.filter(|_| scheme == "ssh").map(|user| user.split(':').next().unwrap_or(user));
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    Ok(Address::Url { full, shown: format!("{scheme}://{user}{host}/{path}") })
}

/// `[user@]host:path`.
fn ssh(text: &str, host: &str, path: &str) -> Result<Address, AddressError> {
    // An address of IPv6 stands in brackets.
    let (host, path) = match text.find("]:").filter(|_| host.contains('[')) {
        Some(end) => (&text[..=end], &text[end + 2..]),
        None => (host, path),
    };
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if first.contains('@') && !host.contains('@') {
        return Err(AddressError::Bare);
    }
    let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
    [user, host, path].into_iter().try_for_each(check_start)?;
    if host.is_empty() || path.trim_matches('/').is_empty() {
        return Err(AddressError::Incomplete);
    }
    Ok(Address::Url { full: text.to_owned(), shown: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(text: &str) -> Result<Address, AddressError> {
        Address::given(text, |path| path == Path::new("there/is"))
    }

    /// What git sees, and what everybody else sees.
    fn both(text: &str) -> (String, String) {
        let address = given(text).unwrap();
        (address.argument(Path::new("/base")).into_string().unwrap(), address.to_string())
    }

    #[test]
    fn addresses_are_what_git_takes_them_for() {
        for (text, expected) in [
            ("gh:owner/repo", "https://github.com/owner/repo.git"),
            ("gh:owner/repo.git", "https://github.com/owner/repo.git"),
            ("gl:group/sub/repo", "https://gitlab.com/group/sub/repo.git"),
            ("bb:owner/repo", "https://bitbucket.org/owner/repo.git"),
            ("sr:owner/repo", "https://git.sr.ht/~owner/repo"),
            ("owner/repo", "https://github.com/owner/repo.git"),
            ("https://example.org/a/b", "https://example.org/a/b"),
            ("HTTPS://example.org/a", "https://example.org/a"),
            ("http://[::1]:8080/a", "http://[::1]:8080/a"),
            ("ssh://git@example.org:22/a.git", "ssh://git@example.org:22/a.git"),
            ("git://example.org/a", "git://example.org/a"),
            ("file:///srv/a", "file:///srv/a"),
            ("git@example.org:a/b.git", "git@example.org:a/b.git"),
            ("host:a", "host:a"),
            ("git@example.org:a@2", "git@example.org:a@2"),
            ("git@[::1]:a", "git@[::1]:a"),
        ] {
            assert_eq!(both(text), (expected.into(), expected.into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_a_directory() {
        for text in ["t", "./a", "../a/b", "/srv/a", "there/is", ".", "a/b/c", "./host:a", "a b", "ünï"] {
            assert_eq!(given(text), Ok(Address::Path(text.into())));
        }
        assert_eq!(given("../t").unwrap().argument(Path::new("/base/app")), "/base/app/../t");
        // A lock guesses nothing: what is gone must not become somebody else's repository.
        assert_eq!(Address::parse("owner/repo"), Ok(Address::Path("owner/repo".into())));
    }

    #[test]
    fn credentials_are_for_git_alone() {
        for (text, shown) in [
            ("https://ann:secret@example.org/a", "https://example.org/a"),
            ("https://token@example.org/a", "https://example.org/a"),
            ("https://a@b:c@example.org/a@b", "https://example.org/a@b"),
            ("ssh://git:secret@example.org/a", "ssh://git@example.org/a"),
        ] {
            assert_eq!(both(text), (text.into(), shown.into()));
        }
    }

    #[test]
    fn what_is_no_address_is_named_without_credentials() {
        for (text, expected) in [
            ("ftp://ann:secret@example.org/a", "ftp://example.org/a"),
            ("https://ann:sec/ret@example.org", "https://example.org"),
            ("https//ann:secret@example.org/a", "example.org/a"),
            ("gh:ann:secret@a", "a"),
            ("git@example.org:", "git@example.org:"),
            ("https://example.org", "https://example.org"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(text), expected);
        }
    }

    #[test]
    fn what_would_be_an_option_or_run_a_program_is_refused() {
        use AddressError as E;
        for (text, expected) in [
            ("", E::Empty),
            ("--upload-pack=touch x", E::Option),
            ("-u", E::Option),
            ("ext::sh -c touch% x", E::Helper("ext".into())),
            ("fd::17", E::Helper("fd".into())),
            ("http::https://example.org/a", E::Helper("http".into())),
            ("::x", E::Helper(String::new())),
            ("ext://x/y", E::Scheme("ext".into())),
            ("ftp://example.org/a", E::Scheme("ftp".into())),
            ("ssh://-oProxyCommand=x/a", E::Option),
            ("ssh://-l@example.org/a", E::Option),
            ("ssh://git@-host/a", E::Option),
            ("-host:a", E::Option),
            ("git@-host:a", E::Option),
            ("host:-a", E::Option),
            ("https://example.org", E::Incomplete),
            ("https:///a", E::Incomplete),
            ("file://relative", E::Incomplete),
            ("host:", E::Incomplete),
            (":a", E::Incomplete),
            ("ann:secret@example.org/a", E::Bare),
            ("https:/ann:secret@example.org/a", E::Bare),
            ("gh:owner", E::Abbreviation("gh:")),
            ("gh:../x", E::Abbreviation("gh:")),
            ("gh:owner/-x", E::Abbreviation("gh:")),
            ("gh:a/b?c=d", E::Abbreviation("gh:")),
            ("https://example.org/a\n", E::Control),
            ("a\u{1b}[2J", E::Control),
        ] {
            assert_eq!(given(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn a_repository_has_a_short_name() {
        let name = |text: &str| given(text).unwrap().repository();
        let all = ["gh:o/r", "https://x.org/a/r.git/", "git@x:r.git", "../r", "/a/r/.git", "r"].map(name);
        assert_eq!(all, ["r"; 6]);
    }

    proptest! {
        #[test]
        fn no_address_is_an_option_or_names_a_helper(text in "(ext::|fd::|-|--|ssh://|https://|gh:|git@)?[-a-z:@/%. \\[\\]]{0,12}") {
            if let Ok(address) = given(&text) {
                let argument = address.argument(Path::new("/base")).into_string().unwrap();
                prop_assert!(!argument.starts_with('-'), "{}", argument);
                let scheme: String = argument.chars().take_while(|c| is_in_scheme(*c)).collect();
                prop_assert!(!argument[scheme.len()..].starts_with("::"), "{}", argument);
                let host = argument[scheme.len()..].strip_prefix("://").unwrap_or("");
                prop_assert!(!host.starts_with('-'), "{}", argument);
            }
        }

        #[test]
        fn no_password_is_shown_and_what_is_shown_is_read_back(
            scheme in "https?|ssh|git", user in "[a-z]{1,5}", host in "[a-z]{1,8}", path in "[a-z]{1,8}(/[a-z]{1,8})?",
        ) {
            let shown = given(&format!("{scheme}://{user}:hunter2@{host}/{path}")).unwrap().to_string();
            prop_assert!(!shown.contains("hunter2"));
            prop_assert_eq!(Address::parse(&shown).unwrap().to_string(), shown);
        }
    }
}
