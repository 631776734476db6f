//! The address of a repository: as git may see it, and as everybody else may.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::credentials::{AT, is_host, public_path, secrets};

/// The schemes that lead to git's own transports. Any other one names a program that git would run.
const SCHEMES: &[&str] = &["https", "http", "ssh", "git", "file"];

/// cargo-generate's abbreviations, and what is before and after the rest.
const ABBREVIATIONS: &[(&str, &str, &str)] = &[
    ("gh:", "https://github.com/", ".git"),
    ("gl:", "https://gitlab.com/", ".git"),
    ("bb:", "https://bitbucket.org/", ".git"),
    ("sr:", "https://git.sr.ht/~", ""),
];

/// Where a repository is.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A URL, or `host:path` for ssh.
    Url {
        /// For git alone: it may hold credentials.
        full: String,
        /// The same without credentials.
        shown: String,
        /// The credentials.
        secrets: Vec<String>,
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
    /// A scheme that is not one of git's own.
    #[error("has the scheme `{0}`, which is not one of https, http, ssh, git and file")]
    Scheme(String),
    /// A URL without a host or without a path.
    #[error("is missing a host, or a repository on it")]
    Incomplete,
    /// A host with a character that no host has: most likely, it is a part of a password.
    #[error(
        "has no valid host; in a password, write `@`, `:`, `/`, `?`, `#` and `%` as `%40`, `%3A`, `%2F`, `%3F`, `%23` and `%25`"
    )]
    Host,
    /// An abbreviation without an owner or without a repository.
    #[error("should be `{0}OWNER/REPO`")]
    Abbreviation(&'static str),
    /// `user:password@host`, which git would take for the path `password@host` on the machine `user`.
    #[error("has a password, and no scheme such as `https://` before it")]
    Bare,
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

    /// Its secret part.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        match self {
            Self::Url { secrets, .. } => secrets,
            Self::Path(_) => &[],
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

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({:?})", self.to_string())
    }
}

/// The characters of a URL's scheme, and so the name of a program that `name::` would run.
fn is_in_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-._".contains(c)
}

fn check_start(part: &str) -> Result<(), AddressError> {
    if part.starts_with('-') { Err(AddressError::Option) } else { Ok(()) }
}

/// Whether a text has the form `OWNER/REPO`, which cargo-generate takes for a repository on GitHub.
#[must_use]
pub fn is_owner_and_repository(text: &str) -> bool {
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
    Ok(Address::Url { full: url.clone(), shown: url, secrets: Vec::new() })
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
            Ok(Address::Url { shown: full.clone(), full, secrets: Vec::new() })
        } else {
            Err(AddressError::Incomplete)
        };
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    [user.unwrap_or(""), host, path.trim_start_matches('/')].into_iter().try_for_each(check_start)?;
    let shown = public_path(path, scheme != "ssh");
    if host.is_empty() {
        return Err(AddressError::Incomplete);
    }
    // Without a user before it, `host:12/a@b` may be the user `host` with the password `12/a`.
    let is_ambiguous = host.contains(':') && has_user(path);
    if !is_host(host) || user.is_none() && is_ambiguous {
        return Err(AddressError::Host);
    }
    if !path.starts_with('/') || shown.trim_matches('/').is_empty() {
        return Err(AddressError::Incomplete);
    }
    let secrets = secrets(user, &path[shown.len()..]);
    // With http the whole may be a token. With ssh the user is part of the address, and only a password is secret.
    let user = user.filter(|_| scheme == "ssh").map(user_name);
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    // What is shown is recorded, and has to be read again.
    let shown = if is_ambiguous && user.is_empty() { shown.replace('@', "%40") } else { shown.to_owned() };
    Ok(Address::Url { full, shown: format!("{scheme}://{user}{host}{shown}"), secrets })
}

/// Whether a path may be the end of a password with a slash in it, and then the host: `user:12/34@host/path`. A name that starts
/// with `@` is one of its own.
fn has_user(path: &str) -> bool {
    path.match_indices('@').any(|(at, _)| !path[..at].ends_with('/'))
}

/// `[user@]host:path`.
fn ssh(text: &str, host: &str, path: &str) -> Result<Address, AddressError> {
    // An address of IPv6 is in brackets.
    let (host, path) = match text.find("]:").filter(|_| host.contains('[')) {
        Some(end) => (&text[..=end], &text[end + 2..]),
        None => (host, path),
    };
    if path.contains(AT) && !host.contains('@') {
        return Err(AddressError::Bare);
    }
    let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
    [user, host, path].into_iter().try_for_each(check_start)?;
    let kept = public_path(path, false).len();
    if host.is_empty() || path[..kept].trim_matches('/').is_empty() {
        return Err(AddressError::Incomplete);
    }
    let name = user_name(user);
    let shown = format!("{name}{}", &text[user.len()..text.len() - (path.len() - kept)]);
    // A name alone is not a secret.
    let hidden = Some(user).filter(|user| user.len() > name.len());
    Ok(Address::Url { full: text.to_owned(), shown, secrets: secrets(hidden, &path[kept..]) })
}

/// The name of a user, without a password or parameters after it.
fn user_name(user: &str) -> &str {
    let is_end = |at: usize| {
        user[at..].starts_with([':', ';'])
            || user.get(at..at + 3).is_some_and(|code| ["%3a", "%3b"].iter().any(|end| code.eq_ignore_ascii_case(end)))
    };
    user.char_indices().find(|(at, _)| is_end(*at)).map_or(user, |(at, _)| &user[..at])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::credentials::{hidden, without_credentials};

    fn given(text: &str) -> Result<Address, AddressError> {
        Address::given(text, |path| path == Path::new("there/is"))
    }

    /// What git sees, and what everybody else sees.
    fn both(text: &str) -> (String, String) {
        let address = given(text).unwrap();
        (address.argument(Path::new("/base")).into_string().unwrap(), address.to_string())
    }

    #[test]
    fn an_address_that_is_nothing_without_its_secrets_is_refused() {
        for text in ["2:;:/#=", "host:?token=x", "host:#x", "https://host/?token=x"] {
            assert_eq!(given(text), Err(AddressError::Incomplete), "{text}");
        }
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
            ("https://example.org/a?private_token=secret", "https://example.org/a"),
            ("https://example.org/a.git#secret", "https://example.org/a.git"),
            ("https://example.org/a;password=sec/ret", "https://example.org/a"),
            ("https://example.org/a%3Fprivate_token=secret", "https://example.org/a"),
            ("https://example.org/a%23secret", "https://example.org/a"),
            ("https://example.org/a%3bpassword%3Dsecret", "https://example.org/a"),
            ("https://example.org/a&token=secret", "https://example.org/a"),
            ("https://example.org/a token=secret", "https://example.org/a"),
            ("https://example.org/a%20b%26c", "https://example.org/a%20b%26c"),
            ("ssh://ann;password=secret@example.org/a", "ssh://ann@example.org/a"),
            ("ssh://ann%3Asecret@example.org/a", "ssh://ann@example.org/a"),
            ("ssh://ann%3bpassword%3dsecret@example.org/a", "ssh://ann@example.org/a"),
            ("ann;password=secret@example.org:a", "ann@example.org:a"),
            ("git@example.org:a?token=secret", "git@example.org:a"),
            ("git@example.org:c#/a", "git@example.org:c#/a"),
            ("ssh://git@example.org/c#/a", "ssh://git@example.org/c#/a"),
            ("https://example.org:8443/@scope/a", "https://example.org:8443/@scope/a"),
            ("https://ann:secret@example.org:8443/a@b", "https://example.org:8443/a%40b"),
            ("https://ann:secret@example.org:/a@b", "https://example.org:/a%40b"),
            ("ssh://git:secret@example.org:22/a@b", "ssh://git@example.org:22/a@b"),
            ("file:///srv/c#/a", "file:///srv/c#/a"),
        ] {
            assert_eq!(both(text), (text.into(), shown.into()));
            assert!(!format!("{:?}", given(text)).contains("secret"), "{text}");
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
            ("ann:sec/ret@example.org:a", E::Bare),
            ("ann:secret\u{ff20}example.org/a", E::Bare),
            ("ann:secret\u{fe6b}example.org/a", E::Bare),
            ("https://ann:sec/ret@example.org/a", E::Host),
            ("https://ann:secret%40example.org/a", E::Host),
            ("https://ann:12/34@example.org/a", E::Host),
            ("https://ann:se?cret@example.org/a", E::Host),
            ("https://exa mple.org/a", E::Host),
            ("https://example.org?a=b", E::Incomplete),
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
        fn what_is_shown_is_read_back(
            scheme in "https?|ssh|git", user in "[a-z]{1,5}", host in "[a-z]{1,8}", path in "[a-z]{1,8}(/[a-z]{1,8})?",
        ) {
            let shown = given(&format!("{scheme}://{user}:hunter2@{host}/{path}?x=hunter2")).unwrap().to_string();
            prop_assert!(!shown.contains("hunter2"));
            prop_assert_eq!(Address::parse(&shown).unwrap().to_string(), shown);
        }

        /// Wherever a secret is, and whatever else is wrong with the address.
        #[test]
        fn no_secret_is_shown(
            before in "https?://|git://|HTTPS://|ftp://|https//|https:/|htps:/|//|",
            place in 0..7_usize,
            secret in "[A-Za-z0-9][-A-Za-z0-9_~.!$*'()+,:@?#&%]{7,11}[A-Za-z0-9]",
            slash in 1..9_usize,
            port in prop_oneof![Just(""), Just(":8443")],
            after in "|/|/more|\u{7}| x",
        ) {
            // With an `@` before the slash, it is a host and a path.
            let secret = if place == 1 { secret.replace('@', "") } else { secret };
            let mut slashed = secret.clone();
            slashed.insert(slash.min(slashed.len()), '/');
            let host = format!("example.org{port}");
            let text = match place {
                0 => format!("{before}ann:{secret}@{host}/owner/repo{after}"),
                1 => format!("{before}ann:{slashed}@{host}/owner/repo{after}"),
                // Without a scheme and a colon, nothing says that there is a user.
                2 => format!("https://{}@{host}/owner/repo{after}", secret.replace(':', "")),
                3 => format!("{before}{host}/owner/repo?private_token={slashed}{after}"),
                4 => format!("{before}{host}/owner/repo#{slashed}{after}"),
                5 => format!("{before}{host}/owner/repo;password={slashed}{after}"),
                _ => format!("ssh://git:{secret}@{host}/owner/repo{after}"),
            };
            let shown = match given(&text) {
                // If there is no such directory, which is what is said of it then, it is shown as something that is not an address.
                Ok(Address::Path(_)) | Err(_) => String::new(),
                Ok(address) => format!("{address} {}", address.repository()),
            };
            let shown = format!("{shown} {}", without_credentials(&text));
            let message = format!("fatal: unable to access '{text}/': The requested URL returned error: 403");
            let secrets = given(&text).map(|address| address.secrets().to_vec()).unwrap_or_default();
            let shown = if secrets.is_empty() { shown } else { format!("{shown} {}", hidden(&message, &secrets)) };
            let secret: Vec<char> = if [0, 2, 6].contains(&place) { &secret } else { &slashed }.chars().collect();
            for part in secret.windows(6) {
                let part: String = part.iter().collect();
                prop_assert!(!shown.contains(&part), "{part:?} of {text:?} in {shown:?}");
            }
        }
    }
}
