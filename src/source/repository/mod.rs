//! Templates in git: which commit is wanted, and how it gets into the cache.

mod budget;
mod commit;
mod problem;
mod submodule;

use std::ffi::OsStr;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use budget::Spot;
pub use commit::Commit;

#[cfg(fuzzing)]
pub(crate) use submodule::resolved;

use super::Address;
use super::cache::{Cache, Slot};
use crate::diagnostic::{Diagnostic, Result};
use crate::digest::hex;
use crate::git::{self, Contact, Failure, Format, Kind, Login, Mirror};
use crate::template::Reference;
use crate::trace;

/// The revision to fetch.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Where the repository is.
    pub address: &'a Address,
    /// A relative address is one below this directory.
    pub base: &'a Path,
    /// The branch, tag or commit that is wanted.
    pub reference: &'a Reference,
    /// The commit that the reference stood for, where it has to be that one.
    pub commit: Option<&'a str>,
    /// Whether the user may be asked for a password or the like.
    pub may_ask: bool,
    /// Whether the files of submodules belong to it.
    pub submodules: bool,
    /// What the command line says of how to get there.
    pub login: &'a Login,
    /// Whether a copy that cannot be brought up to date will do.
    pub offline: bool,
    /// Is told how far git has come.
    pub progress: &'a dyn Fn(&str),
}

impl<'a> Wanted<'a> {
    /// The name of the tag, where one is wanted.
    fn tag(&self) -> Option<&str> {
        self.reference.tag()
    }

    /// How git gets there.
    fn contact(&self, from: &'a OsStr) -> Contact<'a> {
        Contact {
            from,
            secrets: self.address.secrets(),
            may_ask: self.may_ask,
            login: self.login,
            progress: self.progress,
        }
    }
}

/// Fetches a commit, unless it is in the cache already.
///
/// # Errors
///
/// Says why it is not available, and what to do.
pub fn fetch(wanted: Wanted<'_>) -> Result<Commit<'_>> {
    fetch_at(wanted, Spot::default())
}

/// The same for a submodule.
fn fetch_at(wanted: Wanted<'_>, spot: Spot) -> Result<Commit<'_>> {
    problem::check_directory(&wanted)?;
    let cache = Cache::open()?;
    let slot = cache.slot(wanted.address, wanted.base);
    if let (Some(exact), Some(mirror)) = (exact(&wanted), slot.mirror())
        && let Ok(Some(commit)) = mirror.commit(exact)
        && is_of_tag(&wanted, &mirror, &commit)
    {
        trace::say(|| format!("cached: the commit {commit}; nothing is fetched"));
        return Ok(Commit::new(wanted, cache, mirror, commit, spot));
    }
    // Only the other side knows what the tag is.
    let wanted = if wanted.tag().is_some() { Wanted { commit: None, ..wanted } } else { wanted };
    let (mirror, commit, note) = refreshed(&wanted, &slot)?;
    let mut commit = Commit::new(wanted, cache, mirror, commit, spot);
    commit.note = note;
    Ok(commit)
}

/// Whether a commit is what a tag stood for when it was fetched; it need not be asked for then. Somebody may have edited the one in a
/// lock, and not the other.
fn is_of_tag(wanted: &Wanted<'_>, mirror: &Mirror, commit: &str) -> bool {
    if wanted.tag().is_none() {
        return true;
    }
    let ours = Route::to(&Wanted { commit: None, ..*wanted }).names;
    ours.first().and_then(|name| mirror.commit(name).ok().flatten()).is_some_and(|known| known == commit)
}

/// The newest commits that changed a folder, up to and including the one that is wanted, by first parents. All of the history is fetched; where it
/// cannot be, and a copy will do, what is there counts.
///
/// # Errors
///
/// As [`fetch`].
pub fn history(wanted: Wanted<'_>, folder: Option<&str>, most: usize) -> Result<Vec<String>> {
    let commit = fetch(wanted)?;
    {
        let _held = commit.cache.slot(wanted.address, wanted.base).hold(wanted.progress)?;
        let from = wanted.address.argument(wanted.base);
        let refspecs = Route::through_all("").refspecs;
        match commit.mirror.fetch(&wanted.contact(&from), &refspecs, true)? {
            Err(failure) if !wanted.offline => return Err(problem::of(&wanted, &failure).into()),
            _ => {}
        }
    }
    commit.mirror.history(&commit.name, folder, most)
}

/// The names of a repository's tags.
///
/// # Errors
///
/// When git is missing or fails, and if the repository cannot be reached.
pub fn tags(wanted: &Wanted<'_>) -> Result<Vec<String>> {
    problem::check_directory(wanted)?;
    let from = wanted.address.argument(wanted.base);
    let names = git::references(&wanted.contact(&from))?.map_err(|failure| problem::of(wanted, &failure))?;
    Ok(names.iter().filter_map(|name| name.strip_prefix("refs/tags/").map(str::to_owned)).collect())
}

/// The commit that is wanted, where that is known without asking anybody: no other one can ever have its name.
fn exact<'a>(wanted: &Wanted<'a>) -> Option<&'a str> {
    let is_full = |rev: &&str| [40, 64].contains(&rev.len()) && rev.bytes().all(|byte| byte.is_ascii_hexdigit());
    match wanted.reference {
        Reference::Rev(rev) => wanted.commit.or(Some(rev.as_str()).filter(is_full)),
        _ => wanted.commit,
    }
}

/// Brings the copy up to date. Where that fails, and a copy will do that is not, there is a note.
fn refreshed(wanted: &Wanted<'_>, slot: &Slot) -> Result<(Mirror, String, Option<Diagnostic>)> {
    let _held = slot.hold(wanted.progress)?;
    let route = Route::to(wanted);
    match update(slot, |mirror| route.take(wanted, mirror))? {
        Ok(mirror) => match route.arrived(&mirror)? {
            Some(commit) => {
                trace::say(|| format!("fetched: the commit {commit}"));
                Ok((mirror, commit, None))
            }
            None => Err(problem::unknown(wanted).into()),
        },
        Err(failure) => {
            let answered = matches!(failure.kind, Kind::NoReference | Kind::TooOld);
            let copy = slot.mirror().filter(|_| wanted.offline && !answered);
            if let Some(mirror) = copy
                && let Ok(Some(commit)) = route.arrived(&mirror)
            {
                trace::say(|| format!("cached: the commit {commit}, because nothing can be fetched"));
                let note = problem::offline(wanted, &failure, &commit);
                return Ok((mirror, commit, Some(note)));
            }
            Err(problem::of(wanted, &failure).into())
        }
    }
}

/// The objects to fetch for a commit, and what it is called then.
struct Route {
    refspecs: Vec<String>,
    /// Whether all of the history is needed, to find the commit in.
    history: bool,
    names: Vec<String>,
}

impl Route {
    fn to(wanted: &Wanted<'_>) -> Self {
        // The other side's names might contradict each other over time (`a`, then `a/b`): ours are flat.
        let one = |theirs: String| {
            let digest: [u8; 32] = Sha256::digest(&theirs).into();
            let key = hex(&digest[..16]);
            let ours = format!("refs/fetched/{key}");
            let refspecs = vec![format!("+{theirs}:{ours}")];
            Self { refspecs, history: false, names: vec![ours, theirs] }
        };
        if let Some(commit) = exact(wanted) {
            return Self { names: vec![commit.to_owned()], ..one(commit.to_owned()) };
        }
        match wanted.reference {
            Reference::Default => Self { names: one("HEAD".into()).names[..1].to_vec(), ..one("HEAD".into()) },
            Reference::Branch(name) => one(format!("refs/heads/{name}")),
            Reference::Tag(name) | Reference::Releases { tag: name, .. } => one(format!("refs/tags/{name}")),
            Reference::Rev(rev) => Self::through_all(rev),
        }
    }

    /// Everything, and the commit is in there.
    fn through_all(rev: &str) -> Self {
        let refspecs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"].map(str::to_owned).to_vec();
        Self { refspecs, history: true, names: vec![rev.to_owned()] }
    }

    fn take(&self, wanted: &Wanted<'_>, mirror: &Mirror) -> Result<std::result::Result<(), Failure>> {
        let from = wanted.address.argument(wanted.base);
        let contact = wanted.contact(&from);
        let outcome = mirror.fetch(&contact, &self.refspecs, self.history)?;
        match outcome {
            Err(failure) if failure.kind == Kind::NotShallow && !self.history => {
                mirror.fetch(&contact, &self.refspecs, true)
            }
            // Not every server hands out a commit that no branch or tag names.
            Err(failure) if failure.kind == Kind::NoReference && !self.history && exact(wanted).is_some() => {
                mirror.fetch(&contact, &Self::through_all("").refspecs, true)
            }
            outcome => Ok(outcome),
        }
    }

    fn arrived(&self, mirror: &Mirror) -> Result<Option<String>> {
        for name in &self.names {
            if let Some(commit) = mirror.commit(name)? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }
}

/// Fetches into the copy or, where there is none that will do, into a new one.
fn update(
    slot: &Slot,
    fetch: impl Fn(&Mirror) -> Result<std::result::Result<(), Failure>>,
) -> Result<std::result::Result<Mirror, Failure>> {
    if let Some(mirror) = slot.mirror() {
        slot.clear();
        match fetch(&mirror)? {
            Err(failure) if [Kind::Broken, Kind::OtherFormat].contains(&failure.kind) => {}
            outcome => return Ok(outcome.map(|()| mirror)),
        }
    }
    let mut outcome = make(slot, Format::Sha1, &fetch)?;
    if outcome.as_ref().is_err_and(|failure| failure.kind == Kind::OtherFormat) {
        outcome = make(slot, Format::Sha256, &fetch)?;
    }
    Ok(outcome)
}

/// Makes a new copy, whole or not at all.
fn make(
    slot: &Slot,
    format: Format,
    fetch: impl Fn(&Mirror) -> Result<std::result::Result<(), Failure>>,
) -> Result<std::result::Result<Mirror, Failure>> {
    let stage = slot.stage()?;
    let outcome = Mirror::create(&stage, format).and_then(|mirror| fetch(&mirror));
    match outcome {
        Ok(Ok(())) => slot.install().map(Ok),
        failed => {
            slot.unstage();
            failed.map(|failed| failed.map(|()| Mirror::at(&stage)))
        }
    }
}
