//! Where projects are made and changed: the only place that writes below them.
//!
//! ```text
//! let site = Site::locate(&path)?;                     // nothing is written, and git is not run
//! workspace::recover(&site)?;                          // a change that was interrupted is finished or undone
//! site.check(existing)?;                               // an existing target, a file in the way, …
//! let record = lock::record(&rendered, &BTreeSet::new());
//! let ours = site.read(&app, &repository)?;            // what is where the files go
//! let plan = Plan::new(app, repository, &ours, existing);
//! let done = workspace::create(&site, &plan, &record, existing)?;
//! ```
//!
//! `upgrade` makes its plan otherwise: it takes the project for itself first ([`hold`]), and changes it with [`Held::upgrade`].
//!
//! All or nothing: a project whose directory does not exist is built beside its place and moved there in one step; an
//! existing one is changed under a journal, so that whatever stops the process leaves the old state, or one that the
//! next command finishes.

mod above;
mod absent;
mod backup;
mod collisions;
mod complete;
mod conflicts;
mod copied;
mod disk;
mod files;
mod fresh;
#[cfg(any(test, debug_assertions))]
mod fuse;
mod guard;
mod inquiry;
mod journal;
mod leftovers;
mod lent;
mod lock;
mod locks;
mod member;
mod mixed;
mod nested;
mod ours;
mod project;
mod record;
mod replace;
mod site;
mod stored;
mod sync;
#[cfg(test)]
mod tests;
mod uncommitted;
mod walk;

pub use absent::{refuse_outside, refuse_unsettled};
pub use backup::{Backup, Unheld, backup};
pub use collisions::refuse_collisions;
pub use complete::{Needed, complete};
pub use conflicts::only_staged;
pub use copied::{copied, left};
pub use inquiry::{Findings, Inquiry};
#[cfg(fuzzing)]
pub(crate) use journal::reread;
pub use journal::{Aside, Done, Recovered};
pub use leftovers::{Leftovers, compares_modes, leftovers};
pub use lent::{Lent, judged, kept_by_disk, kinds, lent};
pub use lock::Decision;
pub use locks::{lock_bytes, others};
pub use member::{Joined, Membership, joined};
pub use mixed::{Mixed, mixed};
pub use nested::nested;
pub use ours::{ours, refuse_left_out};
pub use project::{Project, misplaced, refuse_absent};
pub use record::record;
pub use replace::{replace_file, replace_tree};
pub use site::Site;
pub(crate) use site::shown;
pub use stored::Room;
pub use uncommitted::Uncommitted;

use self::disk::Disk;
use self::journal::{Before, Busy, Index, Pending, Places, Script};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::digest::Digest;
use crate::lock::Record;
use crate::plan::{Existing, Plan};
use crate::rooted::{self, Reader, Root, Ways};

/// Refuses a project with a change that was interrupted, for a command that only reads: nothing is written to find out, which
/// costs a few looks at the disk. Returns warnings of what looks like such a change and is not believed.
///
/// # Errors
///
/// If a change was interrupted, or is under way, and if the disk fails.
pub fn refuse_interrupted(site: &Site) -> Result<Vec<Diagnostic>> {
    let (pending, mut warnings) = journal::pending(site)?;
    if let Some(pending) = pending.filter(Pending::is_decided) {
        return Err(journal::interrupted(&pending, site).into());
    }
    warnings.extend(journal::strangers(site));
    Ok(journal::as_warnings(warnings))
}

/// Finishes or undoes a change that was interrupted; `None` if nothing was, which costs a few looks at the disk.
///
/// # Errors
///
/// If another process is still at it, if the disk cannot be written, and where somebody has to decide: also about what
/// looks like such a change and is not believed.
pub fn recover(site: &Site) -> Result<Option<Recovered>> {
    recover_with(&Disk::default(), site)
}

fn recover_with(disk: &Disk, site: &Site) -> Result<Option<Recovered>> {
    loop {
        let (pending, mut refused) = journal::pending(site)?;
        refused.extend(journal::strangers(site));
        if !refused.is_empty() {
            return Err(Diagnostics(refused));
        }
        let Some(pending) = pending else { return Ok(None) };
        if let Some((_busy, pending)) = pending.take(disk, site)? {
            return journal::recover(disk, site, &pending).map(Some);
        }
    }
}

/// Makes a new project.
///
/// # Errors
///
/// Says what went wrong; nothing is left of the project then, nor of the directories that were made for it. With
/// [`Existing::Refuse`], a file that is where the project's go is an error, and nothing is written at all.
pub fn create(site: &Site, plan: &Plan, record: &Record, existing: Existing) -> Result<Done> {
    create_with(&Disk::default(), site, plan, record, existing)
}

fn create_with(disk: &Disk, site: &Site, plan: &Plan, record: &Record, existing: Existing) -> Result<Done> {
    refuse_kept(plan, existing)?;
    recover_with(disk, site)?;
    if site.app.symlink_metadata().is_err() {
        return fresh::create(disk, site, plan, record);
    }
    let busy = Busy::take(disk, site, &app(site)?)?;
    apply(disk, site, plan, record, Extras::default(), &busy)
}

/// The effects of an upgrade besides its plan.
#[derive(Default)]
struct Extras<'a> {
    /// Copies of what git does not hold.
    backup: Option<&'a Backup>,
    /// The change of git's index.
    index: Index,
    /// Whether the change can be undone when it is done.
    can_be_aborted: bool,
}

/// A project that nobody else changes until this is dropped.
#[derive(Debug)]
pub struct Held {
    disk: Disk,
    busy: Busy,
}

/// Locks the project, from before the first look at it until it is changed; a change that was interrupted is
/// finished or undone first. None where there is no directory to hold.
///
/// # Errors
///
/// As [`recover`].
pub fn hold(site: &Site) -> Result<(Option<Held>, Option<Recovered>)> {
    let disk = Disk::default();
    let mut recovered = None;
    loop {
        recovered = recover_with(&disk, site)?.or(recovered);
        if !site.app.is_dir() {
            return Ok((None, recovered));
        }
        let busy = Busy::take(&disk, site, &app(site)?)?;
        // Somebody else may have been killed just now.
        if journal::pending(site)?.0.is_none() {
            return Ok((Some(Held { disk, busy }), recovered));
        }
    }
}

impl Held {
    /// Changes the project by a plan that is based on a lock, and keeps what git does not hold. Conflicts, and what the disk cannot keep,
    /// are in git's index then.
    ///
    /// # Errors
    ///
    /// Says what went wrong; nothing has changed then.
    pub fn upgrade(
        self,
        site: &Site,
        plan: &Plan,
        record: &Record,
        lent: &Lent,
        backup: Option<&Backup>,
        stands_on: Option<Digest>,
    ) -> Result<Done> {
        let now = lock_bytes(&site.app)?.map(|bytes| Digest::of(&bytes));
        // Others than create-app change it, too: git, for one.
        if now != stands_on {
            let title = format!("`{}` was changed while create-app was running; nothing was written", site.shown());
            return Err(Diagnostic::error(Code::Busy, title).help("run the command again").into());
        }
        let index = conflicts::index(&self.disk, site, plan)?;
        let extras = Extras { backup, index, can_be_aborted: true };
        let on_disk = (!lent.is_nothing()).then(|| lent.on_disk(plan));
        apply(&self.disk, site, on_disk.as_ref().unwrap_or(plan), record, extras, &self.busy)
    }

    /// Undoes the last upgrade, as long as nothing was committed since: every file, and git's index, become what they were. What
    /// was edited since is copied first.
    ///
    /// # Errors
    ///
    /// If there is no such upgrade, if it was committed, and whatever keeps it from being undone; nothing has changed then.
    pub fn abort(self, site: &Site) -> Result<Aborted> {
        let Some(last) = journal::last(site, &self.busy)? else {
            let title = format!("there is no upgrade of `{}` to undo", site.shown());
            let help = "only the last upgrade can be undone, on the machine where it ran, until something is committed";
            return Err(Diagnostic::error(Code::NothingToAbort, title).help(help).into());
        };
        last.refuse_committed(site)?;
        let places = Places::new(site);
        let root = Root::open(places.root()).map_err(|error| Diagnostic::io("cannot open", places.root(), &error))?;
        let mut ways = Ways::new(root);
        let mut reader = Reader::new(ways.root());
        let backup = last.backup(site, &mut reader)?;
        let undoing = last.undoing(site, &mut reader)?;
        let mut paths = undoing.paths.clone();
        paths.sort();
        let script = undoing.script(site, &mut reader, backup.as_ref())?;
        drop(reader);
        let decided = journal::stage(&self.disk, &self.busy, &places, &mut ways, &app(site)?, script)?;
        let done = journal::carry_out(&self.disk, site, &decided)?;
        Ok(Aborted { paths, backup, done })
    }
}

/// The app's directory, which is not a link.
fn app(site: &Site) -> Result<Root> {
    let (above, name) = (site.app.parent().unwrap_or(&site.app), site.app.file_name().unwrap_or_default());
    let failed = |failure: &rooted::Failure| failure.diagnostic("cannot open", &site.app);
    let above = Root::open(above).map_err(|error| failed(&error.into()))?;
    if name.is_empty() {
        return Ok(above);
    }
    Ok(above.spot(name).open_directory().map_err(|failure| failed(&failure))?)
}

/// Changes a project that is held.
fn apply(disk: &Disk, site: &Site, plan: &Plan, record: &Record, extras: Extras<'_>, busy: &Busy) -> Result<Done> {
    let Extras { backup, index, can_be_aborted } = extras;
    let places = Places::new(site);
    let root = Root::open(places.root()).map_err(|error| Diagnostic::io("cannot open", places.root(), &error))?;
    let mut ways = Ways::new(root);
    let files = record.files();
    let mut script = Script::new(site, &mut Reader::new(ways.root()), plan, record, &files, backup)?;
    script.journal.index = index;
    if script.journal.operations.is_empty() {
        return Ok(Done::default());
    }
    // An upgrade that cannot be undone is as good as any other.
    script.before = if can_be_aborted { Before::of(site, &script.journal).ok() } else { None };
    let decided = journal::stage(disk, busy, &places, &mut ways, &app(site)?, script)?;
    journal::carry_out(disk, site, &decided)
}

/// The outcome of undoing an upgrade.
#[derive(Debug)]
pub struct Aborted {
    /// The files, below the repository's root, that are what they were.
    pub paths: Vec<String>,
    /// Copies of what was edited since.
    pub backup: Option<Backup>,
    /// The change that was made.
    pub done: Done,
}

/// The entry that is in the way.
fn refuse_kept(plan: &Plan, existing: Existing) -> Result<()> {
    if existing != Existing::Refuse {
        return Ok(());
    }
    let refused = plan.kept().map(|path| {
        let title = format!("`{path}` already exists, and differs from the template's");
        Diagnostic::error(Code::TargetExists, title)
            .help("move it out of the way, or pass --init to keep it, or --overwrite to replace it")
    });
    let refused: Vec<Diagnostic> = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(Diagnostics(refused)) }
}
