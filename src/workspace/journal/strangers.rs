//! Files that look like a journal in the project itself. Older versions kept theirs there, where a checkout or an archive can put
//! one, too: it is named, and left alone.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lock::DIRECTORY;
use crate::rooted::{Kind, Root};
use crate::workspace::site::Site;

/// Every such thing: errors for a command that writes.
pub(in crate::workspace) fn strangers(site: &Site) -> Vec<Diagnostic> {
    let Ok(record) = Root::open(&site.app).and_then(|app| Ok(app.descend(DIRECTORY)?)) else { return Vec::new() };
    let name = |name: &str| site.name_of(&format!("{DIRECTORY}/{name}"));
    let mut found = Vec::new();
    // What cannot be read is for whoever reads the record to say.
    if matches!(record.spot("txn").kind(), Ok(Some(_))) {
        let name = name("txn");
        let title = format!(
            "`{name}` looks like an interrupted change, but create-app never continues one that is inside a project"
        );
        let help = format!(
            "check the project with `git status`, restore what is half done, then remove `{name}` and run the command again"
        );
        found.push(Diagnostic::error(Code::Interrupted, title).help(help));
    }
    let busy = record.spot("busy");
    match busy.kind() {
        Ok(None) | Err(_) => {}
        // Older versions leave it on some systems, and nothing is in it.
        Ok(Some(Kind::File)) if busy.metadata().is_ok_and(|metadata| metadata.len() == 0) => {}
        _ => {
            let name = name("busy");
            let title = format!("`{name}` is not as create-app made it");
            let help = format!("remove `{name}`, then run the command again");
            found.push(Diagnostic::error(Code::Interrupted, title).help(help));
        }
    }
    found
}

/// The same, for a command that only reads.
pub(in crate::workspace) fn as_warnings(strangers: Vec<Diagnostic>) -> Vec<Diagnostic> {
    strangers.into_iter().map(|stranger| Diagnostic { severity: Severity::Warning, ..stranger }).collect()
}
