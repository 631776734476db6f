//! Why a commit is not available, and how to fix it.

use super::Wanted;
use crate::credentials::without_credentials;
use crate::diagnostic::{Code, Diagnostic, Facts, Result, nearest};
use crate::git::{self, Failure, Kind};
use crate::shell::word;
use crate::source::Address;
use crate::template::{MANIFEST, Reference};

/// At most this many branches or tags are listed in a message.
const LISTED: usize = 8;

/// Checks that a directory is there at all.
pub(super) fn check_directory(wanted: &Wanted<'_>) -> Result<()> {
    let Address::Path(path) = wanted.address else { return Ok(()) };
    if wanted.base.join(path).is_dir() {
        return Ok(());
    }
    let spelling = path.to_string_lossy();
    let shown = without_credentials(&spelling);
    let title = format!("there is no repository at `{shown}`: the directory does not exist");
    let help = "pass its location with --git: a URL, or a directory that exists";
    Err(Diagnostic::error(Code::TemplateNotFound, title).about(Facts::NoRepository).help(help).into())
}

/// The reason why git cannot fetch.
pub(super) fn of(wanted: &Wanted<'_>, failure: &Failure) -> Diagnostic {
    let (address, said) = (wanted.address, &failure.said);
    let unreachable = Diagnostic::error(Code::SourceUnreachable, format!("cannot fetch `{address}`: {said}"));
    let by_git = format!("make `git ls-remote {}` work, then run the command again", word(&address.to_string()));
    match failure.kind {
        Kind::NoReference => unknown(wanted),
        Kind::NoRepository => no_repository(wanted, said),
        Kind::Refused => unreachable.help(by_git),
        Kind::Unreachable => unreachable.help("check the address and the network, then run the command again"),
        Kind::TooOld => Diagnostic::error(Code::Git, format!("git is too old to fetch templates: {said}"))
            .help("install git 2.30 or newer, then run the command again"),
        Kind::TooMuch => Diagnostic::error(Code::TooLarge, format!("the repository `{address}` is too large: {said}"))
            .help("keep the template in a repository of its own, or pass its directory with --path"),
        Kind::NotShallow | Kind::OtherFormat | Kind::Broken | Kind::Other => unreachable.help(by_git),
    }
}

/// The copy that is used because there is no newer one to be had.
pub(super) fn offline(wanted: &Wanted<'_>, failure: &Failure, commit: &str) -> Diagnostic {
    let title = format!("cannot fetch `{}`: {}", wanted.address, failure.said);
    let short = commit.get(..12).unwrap_or(commit);
    let help =
        format!("using the copy that was fetched before, at commit {short}; run the command again to get a newer one");
    Diagnostic::warning(Code::SourceUnreachable, title).help(help)
}

fn no_repository(wanted: &Wanted<'_>, said: &str) -> Diagnostic {
    let address = wanted.address;
    let problem = Diagnostic::error(Code::TemplateNotFound, format!("there is no repository at `{address}`: {said}"))
        .about(Facts::NoRepository);
    let Address::Path(path) = address else {
        return problem.help(format!("check the address: `git ls-remote {}` must find it", word(&address.to_string())));
    };
    let problem = Diagnostic::error(Code::TemplateNotFound, format!("`{address}` is not a git repository"));
    let directory = wanted.base.join(path);
    let directory = directory.canonicalize().unwrap_or(directory);
    let around = git::find_repository(&directory).filter(|root| *root != directory);
    match around.and_then(|root| Some((pathdiff::diff_paths(&directory, &root)?, root))) {
        Some((folder, root)) => problem.help(format!(
            "it is a folder of the repository `{}`: pass that one, with --subfolder {}",
            root.display(),
            crate::shell::path(&folder.display().to_string())
        )),
        None if directory.join(MANIFEST).is_file() => problem.help("pass it with --path"),
        None => problem.help("pass the directory of a repository, or a template's directory with --path"),
    }
}

/// A branch, tag or commit that the repository does not have.
pub(super) fn unknown(wanted: &Wanted<'_>) -> Diagnostic {
    let (address, reference) = (wanted.address, wanted.reference);
    if let Some(commit) = wanted.commit {
        let title = format!("`{address}` no longer has the commit {commit}, which the lock refers to");
        let help = "its history was rewritten: choose what to use instead with --branch, --tag or --rev";
        return Diagnostic::error(Code::RevisionUnknown, title).help(help);
    }
    let (title, help) = match reference {
        Reference::Default => (
            format!("the repository `{address}` has no commit on its default branch"),
            listed(wanted, "refs/heads/", "branch").unwrap_or_else(|| "pass a repository with a commit".to_owned()),
        ),
        Reference::Branch(name) => (
            format!("`{address}` has no branch `{name}`"),
            instead(wanted, name, ["refs/heads/", "branch"], ["refs/tags/", "tag"]),
        ),
        Reference::Tag(name) | Reference::Releases { tag: name, .. } => (
            format!("`{address}` has no tag `{name}`"),
            instead(wanted, name, ["refs/tags/", "tag"], ["refs/heads/", "branch"]),
        ),
        Reference::Rev(name) => (
            format!("`{address}` has no commit `{name}`, or several that start with it"),
            "pass more digits of the commit's name, or a branch or tag".to_owned(),
        ),
    };
    Diagnostic::error(Code::RevisionUnknown, title).help(help)
}

/// The likely meaning.
fn instead(wanted: &Wanted<'_>, name: &str, [space, kind]: [&str; 2], [other_space, other]: [&str; 2]) -> String {
    let all = references(wanted);
    if all.iter().any(|known| known.strip_prefix(other_space) == Some(name)) {
        return format!("it is a {other}: pass --{other} {name}");
    }
    match nearest(name, all.iter().filter_map(|known| known.strip_prefix(space))) {
        Some(near) => format!("did you mean `{near}`?"),
        None => listed(wanted, space, kind).unwrap_or_else(|| format!("it has no {kind} at all: leave out --{kind}")),
    }
}

/// The help that lists the existing branches or tags.
fn listed(wanted: &Wanted<'_>, space: &str, kind: &str) -> Option<String> {
    let all = references(wanted);
    let names: Vec<String> =
        all.iter().filter_map(|known| known.strip_prefix(space)).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > LISTED { " and more" } else { "" };
    (!names.is_empty())
        .then(|| format!("pass one of these with --{kind}: {}{more}", names[..names.len().min(LISTED)].join(", ")))
}

fn references(wanted: &Wanted<'_>) -> Vec<String> {
    let from = wanted.address.argument(wanted.base);
    let contact = wanted.contact(&from);
    // Without an answer there is just no suggestion.
    git::references(&contact).ok().and_then(std::result::Result::ok).unwrap_or_default()
}
