//! Where projects are made and changed: the only place that writes below them.
//!
//! ```ignore
//! let site = Site::locate(&path)?;                     // nothing is written yet, and git is not run
//! site.check(existing)?;                               // an existing target, a file in the way, …
//! let record = lock::record(&rendered, &BTreeSet::new());
//! let ours = site.read(&app, &repository)?;            // what stands where the files go
//! let plan = Plan::new(app, repository, &ours, existing);
//! let done = workspace::create(&site, &plan, &record, existing)?;
//! ```
//!
//! All or nothing: a target that does not exist is built beside its place and moved there in one step ([`create`]); an
//! existing one is changed under a journal, so that whatever stops the process leaves the old state or can be finished.

mod disk;
mod fresh;
#[cfg(test)]
mod fuse;
mod guard;
mod replace;
mod site;
mod sync;
#[cfg(test)]
mod tests;

pub use replace::replace_tree;
pub use site::Site;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::Record;
use crate::plan::{Existing, Plan};

/// Makes a new project.
///
/// # Errors
///
/// Says what went wrong; nothing is left of the project then, nor of the directories that were made for it. With
/// [`Existing::Refuse`], a file that stands where the project's go is an error, and nothing is written at all.
pub fn create(site: &Site, plan: &Plan, record: &Record, existing: Existing) -> Result<()> {
    create_with(&disk::Disk::default(), site, plan, record, existing)
}

fn create_with(disk: &disk::Disk, site: &Site, plan: &Plan, record: &Record, existing: Existing) -> Result<()> {
    refuse_kept(plan, existing)?;
    if site.app.symlink_metadata().is_ok() || !plan.repository.is_empty() {
        let title =
            "making a project in an existing directory, or in a subfolder of a repository, is not supported yet";
        return Err(Diagnostic::error(Code::Unsupported, title).help("choose a path that does not exist").into());
    }
    fresh::create(disk, site, &plan.app, record)?;
    Ok(())
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
