//! The user's changes in a test case: a patch, files that are copied over the project, and files that are deleted.

use std::path::Path;

use super::case::Upgrade;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Result, did_you_mean};
use crate::rooted::Root;
use crate::tree::{RelPath, Tree};
use crate::{git, source, workspace};

/// The project after the edit.
///
/// # Errors
///
/// If the edit does not fit the project.
pub(super) fn edited(base: Tree, upgrade: &Upgrade) -> Result<Tree> {
    let mut tree = match &upgrade.patch {
        Some((file, patch)) => patched(&base, file, patch)?,
        None => base,
    };
    for (path, entry) in &upgrade.edit {
        // A file may take the place of a directory, and the other way round.
        let below = format!("{path}/");
        let alike =
            tree.range(path..).map(|(known, _)| known).take_while(|known| known.as_str().starts_with(path.as_str()));
        let covered = alike.filter(|known| known.as_str().starts_with(&below)).cloned();
        let covering = path.ancestors().filter_map(|directory| RelPath::new(directory).ok());
        covered.chain(covering).collect::<Vec<_>>().iter().for_each(|known| drop(tree.remove(known)));
        tree.insert(path.clone(), entry.clone());
    }
    delete(&mut tree, &upgrade.delete)?;
    Ok(tree)
}

fn delete(tree: &mut Tree, paths: &[(String, Place)]) -> Result<()> {
    let mut problems = Vec::new();
    for (path, place) in paths {
        let known = RelPath::new(path.as_str()).is_ok_and(|path| tree.remove(&path).is_some());
        if !known {
            let help = did_you_mean(path, tree.keys().map(RelPath::as_str));
            let problem = Diagnostic::error(Code::TestCase, format!("the project has no file `{path}` to delete"))
                .at(place.clone(), "no file of the old project")
                .help(help.unwrap_or_else(|| "use a file that the old template renders".to_owned()));
            problems.push(problem);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Diagnostics(problems)) }
}

fn patched(base: &Tree, file: &Path, patch: &[u8]) -> Result<Tree> {
    let failed = |error: std::io::Error| Diagnostic::io("cannot use", &std::env::temp_dir(), &error);
    let temporary = tempfile::tempdir().map_err(failed)?;
    let place = temporary.path().canonicalize().map_err(failed)?.join("project");
    workspace::replace_tree(&place, base)?;
    let complaints = git::apply(&place, patch)?;
    match complaints.first() {
        None => source::read_tree(&Root::open(&place).map_err(failed)?),
        Some(complaint) => Err(refuse(file, patch, complaint).into()),
    }
}

fn refuse(file: &Path, patch: &[u8], complaint: &str) -> Diagnostic {
    let text = String::from_utf8_lossy(patch).into_owned();
    let span = locate(&text, complaint).unwrap_or(0..0);
    Diagnostic::error(Code::TestCase, "the patch does not fit the old project")
        .at(Place::new(file.to_string_lossy().replace('\\', "/"), text, span), format!("git says: {complaint}"))
        .help("recreate it with `git diff` in a project that the old template rendered")
}

/// Where in a patch that is which git complains of: it names a line of the patch, or a file and a line in it.
fn locate(patch: &str, complaint: &str) -> Option<std::ops::Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in patch.split_inclusive('\n') {
        lines.push((start, line.trim_end()));
        start += line.len();
    }
    let span = |at: usize| lines.get(at).map(|(start, line)| *start..start + line.len());
    if let Some((_, number)) = complaint.split_once("corrupt patch at ") {
        let number: usize = number.rsplit([' ', ':']).next()?.parse().ok()?;
        return span(number.clamp(1, lines.len()) - 1);
    }
    let (name, line) = match complaint.strip_prefix("patch failed: ") {
        Some(place) => place.rsplit_once(':')?,
        None => complaint.split_once(": ")?,
    };
    let header = lines.iter().position(|(_, text)| {
        ["--- ", "+++ "].iter().any(|mark| text.strip_prefix(mark).is_some_and(|path| path.get(2..) == Some(name)))
    })?;
    let hunk = format!("@@ -{line}");
    let is_hunk = |text: &str| text.strip_prefix(&hunk).is_some_and(|rest| rest.starts_with([',', ' ']));
    let found = lines[header..].iter().position(|(_, text)| is_hunk(text)).map_or(header, |at| header + at);
    span(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_complains_of_is_found_in_the_patch() {
        let patch =
            "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/d/y\n+++ b/d/y\n@@ -3,2 +3 @@\n-a\n@@ -30,2 +29 @@\n-a\n";
        let line = |complaint: &str| locate(patch, complaint).map(|span| &patch[span]);
        assert_eq!(line("patch failed: x:1"), Some("@@ -1 +1 @@"));
        assert_eq!(line("patch failed: d/y:3"), Some("@@ -3,2 +3 @@"));
        assert_eq!(line("patch failed: d/y:30"), Some("@@ -30,2 +29 @@"));
        assert_eq!(line("d/y: No such file or directory"), Some("--- a/d/y"));
        assert_eq!(line("corrupt patch at line 4"), Some("-a"));
        assert_eq!(line("corrupt patch at <stdin>:400"), Some("-a"));
        assert_eq!(line("No valid patches in input"), None);
    }
}
