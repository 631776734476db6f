//! Tags that are releases: which one a requirement selects, and which are newer or older.

use std::path::Path;

use super::Access;
use crate::credentials::without_credentials;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git::Login;
use crate::lock::LockedTemplate;
use crate::report::{self, Progress};
use crate::source::{self, Address, Requirement, Wanted};
use crate::template::{Origin, Reference};
use crate::workspace::Site;

/// At most this many tags are named.
const LISTED: usize = 5;

/// A repository whose tags are asked for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) address: &'a Address,
    pub(super) base: &'a Path,
    pub(super) access: Access,
    pub(super) login: &'a Login,
}

impl Place<'_> {
    fn tags(&self) -> Result<Vec<String>> {
        let progress = Progress::new(&format!("Fetching {}", without_credentials(&self.address.to_string())));
        let step = |line: &str| progress.step(line);
        let tags = source::tags(&Wanted {
            address: self.address,
            base: self.base,
            reference: &Reference::Default,
            commit: None,
            submodules: true,
            may_ask: self.access.may_ask,
            login: self.login,
            offline: false,
            progress: &step,
        });
        progress.clear();
        tags
    }

    /// What the user asked for: a version requirement that is not a name of a tag follows releases.
    ///
    /// # Errors
    ///
    /// If no tag fits, and if the tags are not available.
    pub(super) fn chosen(&self, asked: Reference, like: Option<&str>) -> Result<Reference> {
        let Reference::Tag(text) = &asked else { return Ok(asked) };
        let Some(requirement) = Requirement::parse(text) else { return Ok(asked) };
        let tags = self.tags()?;
        if tags.contains(text) {
            return Ok(asked);
        }
        self.newest(&requirement, text, &tags, like)
    }

    /// What the lock follows now. If the tags are not available, and an old copy will do, it stays as it was.
    ///
    /// # Errors
    ///
    /// As [`Place::chosen`].
    pub(super) fn again(&self, locked: &Reference) -> Result<Reference> {
        let Reference::Releases { requirement: text, tag } = locked else { return Ok(locked.clone()) };
        let Some(requirement) = Requirement::parse(text) else { return Ok(locked.clone()) };
        match self.tags() {
            Ok(tags) => self.newest(&requirement, text, &tags, Some(tag)),
            Err(problems) if self.access.offline && problems.0.iter().all(|it| it.code == Code::SourceUnreachable) => {
                let help = format!("the project stays with the tag `{tag}` until its template can be fetched again");
                let warning =
                    |problem: &Diagnostic| Diagnostic::warning(problem.code, problem.title.clone()).help(help.clone());
                report::diagnostics(&problems.0.iter().map(warning).collect::<Vec<_>>());
                Ok(locked.clone())
            }
            Err(problems) => Err(problems),
        }
    }

    fn newest(&self, requirement: &Requirement, text: &str, tags: &[String], like: Option<&str>) -> Result<Reference> {
        if let Some(tag) = requirement.newest(tags, like) {
            return Ok(Reference::Releases { requirement: text.to_owned(), tag: tag.to_owned() });
        }
        let title = format!("`{}` has no release that matches `{text}`", self.address);
        let names: Vec<String> = tags.iter().rev().take(LISTED).map(|tag| format!("`{tag}`")).collect();
        let help = match names.as_slice() {
            [] => "it has no tags at all: leave out --tag to follow its branch".to_owned(),
            _ => format!("pass another requirement or a tag with --tag; there are {}", names.join(", ")),
        };
        Err(Diagnostic::error(Code::RevisionUnknown, title).help(help).into())
    }
}

/// The tags of the repository that a lock names; `None` if it names no repository.
///
/// # Errors
///
/// If they are not available.
pub(in crate::commands) fn tags(
    site: &Site,
    locked: &LockedTemplate,
    login: &Login,
    access: Access,
) -> Result<Vec<String>> {
    match Address::parse(&locked.source) {
        Ok(address) if locked.is_in_git() => Place { address: &address, base: &site.app, access, login }.tags(),
        _ => Ok(Vec::new()),
    }
}

/// What a template and the one of a lock are called, where it is certainly older: by the tags, else by the versions.
pub(in crate::commands) fn older(
    origin: &Origin,
    version: Option<&str>,
    locked: &LockedTemplate,
) -> Option<[String; 2]> {
    if origin.source != locked.source {
        return None;
    }
    if let (Some(new), Some(old)) = (origin.reference.tag(), locked.reference.tag())
        && let Some(is_older) = source::is_older(new, old)
    {
        return is_older.then(|| [new, old].map(str::to_owned));
    }
    let parse = |text: &str| semver::Version::parse(text).ok();
    let (new, old) = (version?, locked.version.as_deref()?);
    (parse(new)? < parse(old)?).then(|| [new, old].map(str::to_owned))
}
