//! Where projects are made and changed: the only place that writes below them.
//!
//! ```text
//! let site = Site::locate(&path)?;                     // nothing is written, and git is not run
//! workspace::recover(&site)?;                          // a change that was interrupted is finished or taken back
//! site.check(existing)?;                               // an existing target, a file in the way, …
//! let record = lock::record(&rendered, &BTreeSet::new());
//! let ours = site.read(&app, &repository)?;            // what stands where the files go
//! let plan = Plan::new(app, repository, &ours, existing);
//! let aside = workspace::create(&site, &plan, &record, existing)?;
//! ```
//!
//! `upgrade` makes its plan otherwise: it takes the project for itself first ([`hold`]), and changes it with [`Held::upgrade`].
//!
//! All or nothing: a project whose directory does not exist is built beside its place and moved there in one step; an
//! existing one is changed under a journal, so that whatever stops the process leaves the old state, or one that the
//! next command finishes.

mod backup;
mod conflicts;
mod disk;
mod fresh;
#[cfg(any(test, debug_assertions))]
mod fuse;
mod guard;
mod inquiry;
mod journal;
mod leftovers;
mod ours;
mod project;
mod replace;
mod site;
mod sync;
#[cfg(test)]
mod tests;

pub use backup::{Backup, Unheld, backup};
pub use conflicts::only_staged;
pub use inquiry::{Findings, Inquiry};
#[cfg(fuzzing)]
pub(crate) use journal::reread;
pub use journal::{Aside, Recovered};
pub use leftovers::{Left, compares_modes, leftovers};
pub use ours::{ours, refuse_left_out};
pub use project::{Project, misplaced, record};
pub use replace::{replace_file, replace_tree};
pub use site::Site;

use self::disk::Disk;
use self::journal::{Busy, Index, Places, Script};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::{DIRECTORY, Digest, LOCK, Record};
use crate::plan::{Existing, Plan};

/// Finishes or takes back a change that was interrupted; none where nothing was, which costs one look at the disk.
///
/// # Errors
///
/// Where another process is still at it, where the disk cannot be written, and where somebody has to decide.
pub fn recover(site: &Site) -> Result<Option<Recovered>> {
    recover_with(&Disk::default(), site)
}

fn recover_with(disk: &Disk, site: &Site) -> Result<Option<Recovered>> {
    if !journal::is_pending(&site.app) {
        return Ok(None);
    }
    let busy = Busy::take(disk, &site.app)?;
    // Somebody else may have been at it until just now.
    if journal::is_pending(&site.app) { journal::recover(disk, site, busy).map(Some) } else { Ok(None) }
}

/// Makes a new project; returns what somebody edited in the same moment, and was left.
///
/// # Errors
///
/// Says what went wrong; nothing is left of the project then, nor of the directories that were made for it. With
/// [`Existing::Refuse`], a file that stands where the project's go is an error, and nothing is written at all.
pub fn create(site: &Site, plan: &Plan, record: &Record, existing: Existing) -> Result<Vec<Aside>> {
    create_with(&Disk::default(), site, plan, record, existing)
}

fn create_with(disk: &Disk, site: &Site, plan: &Plan, record: &Record, existing: Existing) -> Result<Vec<Aside>> {
    refuse_kept(plan, existing)?;
    if site.app.symlink_metadata().is_err() {
        return fresh::create(disk, site, plan, record);
    }
    recover_with(disk, site)?;
    let busy = Busy::take(disk, &site.app)?;
    apply(disk, site, plan, record, None, Index::default(), busy)
}

/// A project that nobody else changes until this is dropped.
#[derive(Debug)]
pub struct Held {
    disk: Disk,
    busy: Busy,
}

/// Takes a project for oneself, from before the first look at it until it is changed; a change that was interrupted is
/// finished or taken back first.
///
/// # Errors
///
/// As [`recover`].
pub fn hold(site: &Site) -> Result<(Held, Option<Recovered>)> {
    let disk = Disk::default();
    let mut recovered = None;
    loop {
        recovered = recover_with(&disk, site)?.or(recovered);
        let busy = Busy::take(&disk, &site.app)?;
        // Somebody else may have been killed just now.
        if !journal::is_under_way(&site.app) {
            return Ok((Held { disk, busy }, recovered));
        }
    }
}

impl Held {
    /// Changes the project by a plan that stands on a lock, and keeps what git does not hold; returns what somebody edited in
    /// the same moment, and was left. Conflicts are in git's index then.
    ///
    /// # Errors
    ///
    /// Says what went wrong; nothing has changed then.
    pub fn upgrade(
        self,
        site: &Site,
        plan: &Plan,
        record: &Record,
        backup: Option<&Backup>,
        stands_on: Option<Digest>,
    ) -> Result<Vec<Aside>> {
        let path = site.app.join(DIRECTORY).join(LOCK);
        let now = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            bytes => Some(Digest::of(&bytes.map_err(|error| Diagnostic::io("cannot read", &path, &error))?)),
        };
        // Others than create-app change it, too: git, for one.
        if now != stands_on {
            let title = format!("`{}` was changed while create-app was at work; nothing was written", site.shown());
            return Err(Diagnostic::error(Code::Busy, title).help("run the command again").into());
        }
        let index = conflicts::index(&self.disk, site, plan)?;
        apply(&self.disk, site, plan, record, backup, index, self.busy)
    }
}

/// Changes a project that is held.
fn apply(
    disk: &Disk,
    site: &Site,
    plan: &Plan,
    record: &Record,
    backup: Option<&Backup>,
    index: Index,
    busy: Busy,
) -> Result<Vec<Aside>> {
    let places = Places::new(&site.app, site);
    let files = record.files();
    let mut script = Script::new(site, &places, plan, record, &files, backup)?;
    script.journal.index = index;
    if script.journal.operations.is_empty() {
        return Ok(Vec::new());
    }
    journal::stage(disk, &site.app, &places, &script)?;
    journal::carry_out(disk, places, &script.journal, busy)
}

/// What stands in the way when nothing may.
fn refuse_kept(plan: &Plan, existing: Existing) -> Result<()> {
    if existing != Existing::Refuse {
        return Ok(());
    }
    let refused = plan.kept().map(|path| {
        let title = format!("`{path}` already exists, and differs from the template's");
        Diagnostic::error(Code::TargetExists, title)
            .help("move it out of the way, or give --init to keep it, or --overwrite to replace it")
    });
    let refused: Vec<Diagnostic> = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(crate::diagnostic::Diagnostics(refused)) }
}
