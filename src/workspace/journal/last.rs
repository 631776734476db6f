//! The last upgrade, as long as it can be undone: its journal, and what it replaced. Undoing it is a change like any other,
//! staged and carried out under a journal of its own.

use std::path::Path;

use super::before::Before;
use super::busy::Busy;
use super::home::Home;
use super::operation::{Kind, Places, Root, Target};
use super::pending::{bytes, judge};
use super::script::{Script, Step};
use super::state::{Seen, is_same, is_similar, look};
use super::text::{Index, Journal};
use super::txn::{LAST, Txn};
use super::way::unreachable;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::git::{self, Indexed};
use crate::limits::PROJECT;
use crate::plan::Stamp;
use crate::rooted::{Failure as Unreached, Reader, Spot};
use crate::tree::{Entry, Mode};
use crate::workspace::backup::{Backup, Unheld, backup};
use crate::workspace::site::Site;

/// An upgrade that can be undone.
#[derive(Debug)]
pub(in crate::workspace) struct Last {
    txn: Txn,
    journal: Journal,
    before: Before,
}

/// What it takes to take an upgrade back.
pub(in crate::workspace) struct Undoing<'a> {
    /// The steps.
    steps: Vec<Step<'a>>,
    index: Index,
    /// The paths below the root that get back what they had.
    pub(in crate::workspace) paths: Vec<String>,
}

/// The last upgrade of the project that is held; `None` if there was none, or if something else has changed the project since.
///
/// # Errors
///
/// If what is there is not believed.
pub(in crate::workspace) fn last(site: &Site, busy: &Busy) -> Result<Option<Last>> {
    let home: &Home = busy.home();
    let refused = |what: String| Diagnostic::error(Code::NothingToAbort, what).help(HELP);
    let found = Txn::open_as(home.root(), LAST);
    let found = found.map_err(|foreign| refused(format!("`{}` {foreign}", home.root().path().join(LAST).display())))?;
    let Some(txn) = found else { return Ok(None) };
    let path = txn.path().display().to_string();
    let journal = judge(site, &txn).map_err(|problem| refused(problem.title.clone()))?;
    let before = bytes(&txn.before()).ok().flatten().and_then(|bytes| Before::parse(&bytes));
    let (Some(journal), Some(before)) = (journal, before) else {
        return Err(refused(format!("the record of the last upgrade in `{path}` is incomplete")).into());
    };
    if journal.made > 0 || journal.staging.is_some() {
        return Err(refused(format!("`{path}` was not left by an upgrade")).into());
    }
    Ok(Some(Last { txn, journal, before }))
}

const HELP: &str = "restore the files with git, as docs/upgrade.md says under \"Undoing an upgrade\"";

impl Last {
    /// Checks that nothing was committed since.
    ///
    /// # Errors
    ///
    /// If something was, and when git fails.
    pub(in crate::workspace) fn refuse_committed(&self, site: &Site) -> Result<()> {
        let now = site.repository.as_deref().map_or(Ok(None), git::head)?;
        if now == self.before.head {
            return Ok(());
        }
        let title = "the repository is no longer at the commit that the last upgrade started from";
        let help = "undo a committed upgrade with `git revert`; if it is not committed, go back to that commit first";
        Err(Diagnostic::error(Code::NothingToAbort, title).help(help).into())
    }

    /// Copies to make of what was edited since the upgrade: it is replaced.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub(in crate::workspace) fn backup(&self, site: &Site, reader: &mut Reader<'_>) -> Result<Option<Backup>> {
        let places = Places::new(site);
        let mut files = Vec::new();
        for (_, target, [_, after]) in self.files() {
            let now = stamp(&places, reader, target)?;
            let is_edited = now.is_some_and(|now| after.is_none_or(|after| !is_similar(now, after)));
            let had = self.had(target);
            if target.root() == Root::Record || !is_edited || now == had {
                continue;
            }
            let way = places.way(target);
            files.push((way.clone(), read(reader, &way, now)?));
        }
        Ok(backup(site, Unheld { files, staged: Vec::new() }))
    }

    /// The steps that bring back what was there.
    ///
    /// # Errors
    ///
    /// If that is not whole any more, if the project was changed by something else than edits, and if the disk fails.
    pub(in crate::workspace) fn undoing(&self, site: &Site, reader: &mut Reader<'_>) -> Result<Undoing<'static>> {
        let places = Places::new(site);
        let (mut steps, mut paths) = (Vec::new(), Vec::new());
        for (n, target, [before, after]) in self.files() {
            let now = stamp(&places, reader, target)?;
            if target.is_lock() && now != after {
                let title = format!("the record of `{}` was changed since the last upgrade", site.shown());
                return Err(Diagnostic::error(Code::NothingToAbort, title).help(HELP).into());
            }
            if now == before {
                continue;
            }
            let is_copy = target.root() == Root::Record && target.path().starts_with("backup/");
            if is_copy && now != after {
                continue;
            }
            let kept = match before {
                None => None,
                Some(stamp) => Some((self.kept(n, stamp)?, stamp)),
            };
            if target.root() != Root::Record {
                paths.push(places.way(target));
            }
            steps.push(Step::back(target.clone(), now, kept));
        }
        Ok(Undoing { steps, index: self.index(site, &places)?, paths })
    }

    /// Every file that the upgrade changed: its operation's number, and what was there before and after.
    fn files(&self) -> impl Iterator<Item = (usize, &Target, [Option<Stamp>; 2])> {
        self.journal.operations.iter().enumerate().filter_map(|(n, operation)| match operation.kind {
            Kind::Put { before, after } => Some((n, &operation.target, [before, Some(after)])),
            Kind::Delete { before } => Some((n, &operation.target, [Some(before), None])),
            Kind::MakeDir | Kind::RemoveDir => None,
        })
    }

    fn had(&self, wanted: &Target) -> Option<Stamp> {
        self.files().find(|(_, target, _)| *target == wanted).and_then(|(_, _, [before, _])| before)
    }

    /// Where what an operation replaced is, checked.
    fn kept(&self, n: usize, before: Stamp) -> Result<Spot> {
        let kept = self.txn.kept(n);
        let seen = look(&kept).map_err(|error| Diagnostic::io("cannot read", kept.path(), &error))?;
        if is_same(seen, before) {
            return Ok(kept);
        }
        let title = format!("`{}` is no longer what was there before the last upgrade", kept.path().display());
        Err(Diagnostic::error(Code::NothingToAbort, title).help(HELP).into())
    }

    /// The index's entries for the files that the upgrade changed, and what it had.
    fn index(&self, site: &Site, places: &Places<'_>) -> Result<Index> {
        let Some(root) = site.repository.as_deref().filter(|root| git::may_write(root)) else {
            return Ok(Index::default());
        };
        let ways: Vec<String> = self.files().map(|(_, target, _)| places.way(target)).collect();
        let conflicted = self.journal.index.before.iter().chain(&self.journal.index.after).map(|it| it.path.as_str());
        let paths = ways.iter().map(String::as_str).chain(conflicted).collect();
        let now = git::indexed(root, &paths)?;
        let of =
            |entries: &[Indexed], path: &str| entries.iter().filter(|it| it.path == path).cloned().collect::<Vec<_>>();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for path in paths {
            let [from, to] = [of(&now, path), of(&self.before.index, path)];
            if from != to {
                before.extend(from);
                after.extend(to);
            }
        }
        Ok(Index { before, after })
    }
}

impl<'a> Undoing<'a> {
    /// The whole change; `copies` are made of what was edited since.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub(in crate::workspace) fn script(
        self,
        site: &Site,
        reader: &mut Reader<'_>,
        copies: Option<&'a Backup>,
    ) -> Result<Script<'a>> {
        let mut script = Script::back(site, reader, self.steps, copies)?;
        script.journal.index = self.index;
        Ok(script)
    }
}

fn stamp(places: &Places<'_>, reader: &mut Reader<'_>, target: &Target) -> Result<Option<Stamp>> {
    let seen = match reader.spot(Path::new(&places.way(target))) {
        Err(failure) if failure.is_missing() => return Ok(None),
        // What is on the way was put there by the upgrade, or stops the change before anything is written.
        Err(Unreached::Link(_) | Unreached::NotADirectory(..)) => return Ok(None),
        Err(failure) => return Err(unreachable("cannot read", places, target, &failure)),
        Ok(spot) => look(&spot).map_err(|error| Diagnostic::io("cannot read", spot.path(), &error))?,
    };
    Ok(if let Seen::Entry(stamp) = seen { Some(stamp) } else { None })
}

fn read(reader: &mut Reader<'_>, way: &str, now: Option<Stamp>) -> Result<Entry> {
    let path = Path::new(way);
    let failed = |failure: crate::rooted::Failure| failure.diagnostic("cannot read", path);
    if now.is_some_and(|now| now.mode == Mode::Symlink) {
        let target = reader.link(path).map_err(failed)?;
        return Ok(Entry::Symlink { target: target.to_string_lossy().into_owned() });
    }
    let bytes = reader.regular(path).and_then(|file| file.read(PROJECT)).map_err(failed)?;
    Ok(Entry::File { bytes: bytes.into(), executable: now.is_some_and(|now| now.mode == Mode::Executable) })
}
