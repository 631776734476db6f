//! A change that was interrupted, as the next command finds it.

use super::busy::{self, Busy, in_use};
use super::home::{Found, Home, find, not_ours};
use super::mark::Mark;
use super::state::exists;
use super::text::{Bond, Journal, JournalError, LIMIT};
use super::txn::{Txn, is_own};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::rooted::{Failure as Unreached, Root, Spot};
use crate::workspace::disk::Disk;
use crate::workspace::site::Site;

/// A change of this project that was interrupted.
#[derive(Debug)]
pub(in crate::workspace) struct Pending {
    home: Home,
    pub(super) txn: Txn,
    /// None where the change was not decided on.
    pub(super) journal: Option<Journal>,
}

impl Pending {
    /// Whether files of the project may have changed.
    pub(in crate::workspace) fn is_decided(&self) -> bool {
        self.journal.is_some()
    }

    /// The directory of the change.
    #[cfg(test)]
    pub(in crate::workspace) fn path(&self) -> &std::path::Path {
        self.txn.path()
    }

    /// Whether somebody is at it in this moment.
    pub(in crate::workspace) fn is_under_way(&self) -> bool {
        busy::is_taken(&self.home)
    }

    /// Takes the right to change the project, to bring it in order; `None` if somebody else has just done so.
    pub(in crate::workspace) fn take(self, disk: &Disk, site: &Site) -> Result<Option<(Busy, Self)>> {
        let Some(busy) = Busy::try_take(disk, site, self.home.clone())? else { return Ok(None) };
        // Somebody else may have been at it until just now.
        let still = pending(site)?.0.filter(|pending| pending.txn.path() == self.txn.path());
        Ok(still.map(|pending| (busy, pending)))
    }
}

/// The change of this project that was interrupted, if one was; and what looks like one and is not believed, each with what to do.
/// Nothing is written to find out.
///
/// # Errors
///
/// If the disk fails.
pub(in crate::workspace) fn pending(site: &Site) -> Result<(Option<Pending>, Vec<Diagnostic>)> {
    let mark = directory(site).and_then(|root| root.metadata().ok()).map(|metadata| Mark::of_directory(&metadata));
    let (mut first, mut refused) = (None, Vec::new());
    for found in find(site, mark)? {
        match found {
            Found::Foreign(path, foreign) => refused.extend(not_ours(&path, foreign).0),
            Found::Txn(found) => {
                let (home, txn) = *found;
                match judge(site, &txn) {
                    Ok(journal) if first.is_none() => first = Some(Pending { home, txn, journal }),
                    // One after the other.
                    Ok(_) => {}
                    Err(problem) => refused.push(*problem),
                }
            }
        }
    }
    Ok((first, refused))
}

/// The app's directory, where there is one.
fn directory(site: &Site) -> Option<Root> {
    let name = site.app.file_name()?;
    Root::open(site.app.parent()?).ok()?.spot(name).open_directory().ok()
}

/// The journal, where there is one that was written here for this project; `None` if the change was not decided on.
pub(super) fn judge(site: &Site, txn: &Txn) -> std::result::Result<Option<Journal>, Box<Diagnostic>> {
    let Some(journal) = read(txn)? else { return Ok(None) };
    let Some(bond) = &journal.bond else { return Ok(None) };
    let foreign = |what: &str| Box::new(not_believed(txn, what));
    let seal = txn.mark().map_err(|_| foreign("has no seal"))?;
    if !bond.seal.is_seal(seal) {
        return Err(foreign("was not written here, but came with a copy or an archive"));
    }
    let project = project(site, &journal).ok_or_else(|| foreign(&format!("is for `{}`, which is gone", bond.at)))?;
    if !bond.project.is_directory(project, bond.seal, seal) {
        let what = format!("is for another directory than the one that is here now: for what was `{}`", bond.at);
        return Err(foreign(&what));
    }
    if journal.app_dir != site.app_dir() {
        return Err(Box::new(moved(&journal, bond, site)));
    }
    Ok(Some(journal))
}

/// The mark of the directory that a change is of: where the app was built, until it is in its place.
fn project(site: &Site, journal: &Journal) -> Option<Mark> {
    let staging = journal.staging.as_ref().and_then(|staging| {
        let above = Root::open(site.app.parent()?).ok()?;
        above.spot(staging.as_str()).open_directory().ok()
    });
    let metadata = staging.or_else(|| directory(site))?.metadata().ok()?;
    Some(Mark::of_directory(&metadata))
}

fn read(txn: &Txn) -> std::result::Result<Option<Journal>, Box<Diagnostic>> {
    let spot = txn.journal();
    let bytes = match bytes(&spot) {
        Err(Unreached::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(failure) => return Err(Box::new(failure.diagnostic("cannot read", spot.path()))),
        Ok(None) => return Err(Box::new(not_believed(txn, "belongs to another user"))),
        Ok(Some(bytes)) => bytes,
    };
    match Journal::parse(&bytes) {
        Ok(journal) => Ok(Some(journal)),
        Err(JournalError::Incomplete) => Ok(None),
        Err(error @ (JournalError::Version | JournalError::Line(_))) => {
            let title = format!("a change of this project was interrupted, and its journal {error}");
            let help = format!("finish it with the version that began it, or remove `{}`", txn.path().display());
            Err(Box::new(Diagnostic::error(Code::Interrupted, title).help(help)))
        }
    }
}

/// The bytes of the user's own file; `None` if it is another one's.
pub(super) fn bytes(spot: &Spot) -> std::result::Result<Option<Vec<u8>>, Unreached> {
    let file = spot.regular()?;
    let length = file.length();
    let file = file.into_file();
    if !is_own(&file.metadata()?) {
        return Ok(None);
    }
    if length > LIMIT {
        return Err(Unreached::TooLarge(LIMIT));
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LIMIT), &mut bytes)?;
    Ok(Some(bytes))
}

fn not_believed(txn: &Txn, what: &str) -> Diagnostic {
    let path = txn.path().display();
    let help = format!(
        "check the project with `git status`, restore what is half done, then remove `{path}` and run the command again"
    );
    Diagnostic::error(Code::Interrupted, format!("the journal in `{path}` {what}")).help(help)
}

fn moved(journal: &Journal, bond: &Bond, site: &Site) -> Diagnostic {
    let (then, now) = (&journal.app_dir, site.app_dir());
    let title = "a change of this project was interrupted, and the project was moved since";
    let help =
        format!("move it from `{now}` back to `{then}` of its repository (`{}`), and run the command again", bond.at);
    Diagnostic::error(Code::Interrupted, title).help(help)
}

/// The error for a command that only reads, where a change was interrupted.
pub(in crate::workspace) fn interrupted(pending: &Pending, site: &Site) -> Diagnostic {
    if pending.is_under_way() {
        return in_use(&site.app).0.remove(0);
    }
    let title = format!("a change of `{}` was interrupted: some of its files may be old, and others new", site.shown());
    let command = site.command("upgrade");
    let what = if exists(&pending.txn.abort()) { "undoes the change" } else { "finishes the change" };
    let help = format!("run `{command}`, which first {what}, and then upgrades as usual");
    Diagnostic::error(Code::Interrupted, title).help(help)
}
