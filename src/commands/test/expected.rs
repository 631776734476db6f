//! The expected output of a case: compared with the actual output, or rewritten.

use super::case::{EXPECTED, SUMMARY};
use super::difference::{self, Outcome, Shown};
use super::made::Made;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::limits::TEMPLATE;
use crate::liquid::Total;
use crate::rooted::{Failure, Kind, Root};
use crate::{source, workspace};

/// Writes what came out as what is expected.
///
/// # Errors
///
/// If that cannot be written, and if something else than a folder is in its place.
pub(super) fn bless(folder: &Root, made: &Made) -> Result<()> {
    for (name, expected) in [(EXPECTED, Kind::Directory), (SUMMARY, Kind::File)] {
        let failed = |failure: Failure| failure.diagnostic("cannot write", &folder.path().join(name));
        match folder.kind(name).map_err(failed)? {
            Some(Kind::Link) => return Err(failed(Failure::Link(name.into())).into()),
            Some(kind) if kind != expected => {
                let title = format!("cannot write `{}`: it is {kind}", folder.path().join(name).display());
                return Err(Diagnostic::error(Code::TestCase, title).help("remove it").into());
            }
            _ => {}
        }
    }
    workspace::replace_tree(&folder.path().join(EXPECTED), &made.tree)?;
    let summary = made.summary.as_ref();
    summary.map_or(Ok(()), |summary| workspace::replace_file(&folder.path().join(SUMMARY), summary.as_bytes()))
}

/// What differs from it; what is not there is an error. What it takes to compare is counted in `total`.
pub(super) fn judge(folder: &Root, made: &Made, shown: &mut Shown, total: &Total) -> Result<String> {
    let failed = |name: &str, failure: &Failure| match failure.is_missing() {
        true => {
            let kind = if name == EXPECTED { "folder" } else { "file" };
            Diagnostic::error(Code::TestCase, format!("the case has no {kind} `{name}`"))
                .help("run the same command with --bless to write it")
        }
        false => failure.diagnostic("cannot read", &folder.path().join(name)),
    };
    let expected = folder.descend(EXPECTED).map_err(|failure| failed(EXPECTED, &failure))?;
    let verb = if made.summary.is_some() { "upgraded" } else { "rendered" };
    let tree = source::read_tree(&expected)?;
    total.handle_tree(&tree);
    total.handle_tree(&made.tree);
    let read = || folder.read(SUMMARY, TEMPLATE).map_err(|failure| failed(SUMMARY, &failure));
    let summary = made.summary.is_some().then(read).transpose()?;
    let expected = Outcome { tree: &tree, summary: summary.as_deref() };
    let made = Outcome { tree: &made.tree, summary: made.summary.as_deref().map(str::as_bytes) };
    Ok(difference::between(&expected, &made, verb, shown))
}
