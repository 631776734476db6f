//! Why a repository could not be fetched: git's message, without secrets.

use std::borrow::Cow;

use crate::credentials::hidden;

/// The most of a line that a message repeats, in bytes.
const MAX_LINE: usize = 400;

/// The reason why git could not fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure.
    pub kind: Kind,
    /// Git's own words, on one line, without credentials.
    pub said: String,
}

/// The sorts of failure that call for different things to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The repository is there, and has no such branch, tag or commit.
    NoReference,
    /// There is no repository at the address, or none that may be seen.
    NoRepository,
    /// Somebody is there, and wants to know who asks.
    Refused,
    /// Nobody is there.
    Unreachable,
    /// The other side cannot cut history off, as plain files behind a web server cannot.
    NotShallow,
    /// The other repository names its objects by another hash.
    OtherFormat,
    /// Our own copy is broken.
    Broken,
    /// Git does not know an option that it is given.
    TooOld,
    /// The other side sends more than any template needs.
    TooMuch,
    /// Anything else.
    Other,
}

/// Messages of git, ssh and servers, in lower case, the most specific first.
const SIGNS: &[(Kind, &[&str])] = &[
    (Kind::TooMuch, &["exceeded maximum allowed tree depth"]),
    (
        Kind::Broken,
        &["fatal: not a git repository", "bad object", "unable to read", "is corrupt", "shallow file has changed"],
    ),
    (Kind::OtherFormat, &["mismatched algorithms", "mismatched object format", "is a sha-256 repository"]),
    (Kind::NotShallow, &["does not support shallow", "shallow capabilities"]),
    (
        Kind::NoReference,
        &[
            "couldn't find remote ref",
            "not our ref",
            "unadvertised object",
            "remote did not send all necessary objects",
            "invalid refspec",
        ],
    ),
    (
        Kind::Refused,
        &[
            "authentication failed",
            "could not read username",
            "could not read password",
            "permission denied",
            "terminal prompts disabled",
            "host key verification failed",
            "error: 401",
            "error: 403",
            "access denied",
        ],
    ),
    (
        Kind::Unreachable,
        &[
            "could not resolve host",
            "couldn't connect",
            "failed to connect",
            "unable to connect",
            "connection refused",
            "connection timed out",
            "connection reset",
            "connection closed",
            "network is unreachable",
            "no route to host",
            "name or service not known",
            "temporary failure in name resolution",
            "operation timed out",
            "ssl",
        ],
    ),
    (Kind::NoRepository, &["not found", "does not appear to be a git repository", "does not exist", "no such file"]),
];

impl Failure {
    /// Judges what git wrote to standard error before it ended with `code`. None of the `secrets` is repeated.
    #[must_use]
    pub fn of(stderr: &str, code: Option<i32>, secrets: &[String]) -> Self {
        let lower = stderr.to_ascii_lowercase();
        let sign = SIGNS.iter().find(|(_, signs)| signs.iter().any(|sign| lower.contains(sign)));
        let kind = if code == Some(129) { Kind::TooOld } else { sign.map_or(Kind::Other, |(kind, _)| *kind) };
        let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
        // The message of a server or ssh comes before git's own verdict, and says more.
        let told = lines().find(|line| line.starts_with("remote: ") || line.starts_with("ssh: "));
        let verdict = lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
        let told = told.filter(|_| verdict.is_none_or(|verdict| verdict.contains("Could not read from remote")));
        // Only this one says what is too much.
        let sign = sign.filter(|(kind, _)| *kind == Kind::TooMuch).and_then(|(_, signs)| signs.first());
        let line = sign.and_then(|sign| lines().find(|line| line.contains(sign)));
        let line = line.or(told).or(verdict).or_else(|| lines().next_back()).unwrap_or("it was stopped");
        let words =
            ["remote: ", "fatal: ", "error: "].iter().fold(line, |line, prefix| line.trim_start_matches(prefix));
        Self { kind, said: short(&hidden(words, secrets)).into_owned() }
    }
}

/// A line as a message may have it.
pub(super) fn short(line: &str) -> Cow<'_, str> {
    match line.floor_char_boundary(MAX_LINE) {
        end if end < line.len() => format!("{}…", &line[..end]).into(),
        _ => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_told_apart() {
        for (text, kind) in [
            ("fatal: couldn't find remote ref refs/heads/x\n", Kind::NoReference),
            ("fatal: remote error: upload-pack: not our ref 12\n", Kind::NoReference),
            ("error: Server does not allow request for unadvertised object 12\n", Kind::NoReference),
            ("remote: Repository not found.\nfatal: repository 'https://x/y/' not found\n", Kind::NoRepository),
            (
                "fatal: '/t' does not appear to be a git repository\nfatal: Could not read from remote\n",
                Kind::NoRepository,
            ),
            ("fatal: could not read Username for 'https://x': terminal prompts disabled\n", Kind::Refused),
            ("git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.\n", Kind::Refused),
            ("fatal: unable to access 'https://x/': Could not resolve host: x\n", Kind::Unreachable),
            (
                "ssh: connect to host x port 22: Connection refused\nfatal: Could not read from remote\n",
                Kind::Unreachable,
            ),
            ("fatal: dumb http transport does not support shallow capabilities\n", Kind::NotShallow),
            ("fatal: mismatched algorithms: client sha1; server sha256\n", Kind::OtherFormat),
            ("fatal: not a git repository: '/cache/x'\n", Kind::Broken),
            ("remote: fatal: exceeded maximum allowed tree depth\nfatal: protocol error\n", Kind::TooMuch),
            ("fatal: something new\n", Kind::Other),
        ] {
            assert_eq!(Failure::of(text, Some(128), &[]).kind, kind, "{text}");
        }
        assert_eq!(Failure::of("error: unknown option `x'\nusage: git fetch\n", Some(129), &[]).kind, Kind::TooOld);
    }

    #[test]
    fn the_most_telling_line_is_kept() {
        let said = |text: &str| Failure::of(text, Some(128), &[]).said;
        assert_eq!(said("hint: x\nfatal: no\nusage\n"), "no");
        assert_eq!(
            said("remote: Come back later.\nfatal: Could not read from remote repository.\n"),
            "Come back later."
        );
        assert_eq!(said(""), "it was stopped");
        assert_eq!(said(&"ä".repeat(1000)), "ä".repeat(200) + "…");
    }

    #[test]
    fn no_credentials_are_repeated() {
        let text = "fatal: unable to access 'https://ann:s3'cr3t@x.org/a/': no, hunter2\n";
        let said = Failure::of(text, Some(128), &["hunter2".to_owned()]).said;
        assert_eq!(said, "unable to access 'https://x.org/a/': no, …");
    }
}
