//! Asks before `create-app NAME` creates an app in the repository around it, which may not be what was meant.

use crate::answers::prompt;
use crate::diagnostic::Result;
use crate::plan::{Action, Change, Plan, Reason};
use crate::report;
use crate::terminal::escape_control;
use crate::tree::RelPath;
use crate::workspace::Site;

/// Shows where an app will be written in its repository, and asks whether it should be. Returns whether that was agreed to.
///
/// # Errors
///
/// The user cancelled, or the terminal failed.
pub(super) fn given(site: &Site, plan: &Plan) -> Result<bool> {
    report::status(&shown(site, plan));
    let is_agreed = prompt::confirm("Create the app in this repository?", false)?;
    if !is_agreed {
        report::status("Nothing was written.");
    }
    Ok(is_agreed)
}

/// The repository, the app's directory in it, and every file outside that.
fn shown(site: &Site, plan: &Plan) -> String {
    let is_written = |(_, change): &(&RelPath, &Change)| change.action != Action::Keep;
    let count = plan.files.app.iter().filter(is_written).count();
    let noun = if count == 1 { "file" } else { "files" };
    let app = format!("{}/ ({count} {noun})", escape_control(site.app_dir()));
    let outside = plan.files.repository.iter().filter(is_written).map(|(path, change)| match change.reason {
        Reason::Member => format!("{path}, whose workspace it becomes a member of"),
        _ => format!("{path}, at the repository's root"),
    });
    let mut text = format!("In the repository {}:", escape_control(&site.root().to_string_lossy()));
    for line in std::iter::once(app).chain(outside) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    text
}
