//! New files of a template beside files of the project that have the same name on some systems: two names that differ only in case, or in
//! the way in which their letters are encoded.

use std::collections::BTreeMap;
use std::path::Path;

use super::site::Site;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::lock::{Base, Bases};
use crate::plan::{Changes, Effect, Plan, Trees, effects};
use crate::rooted::{Reader, Root};
use crate::shell;
use crate::tree::{RelPath, Tree, differ_in, folded};

/// Refuses a plan that puts a file beside one of the project's that macOS or Windows takes for the same. Returns warnings of directories:
/// there, the files of both are in one.
///
/// # Errors
///
/// Every such file, on every system alike.
pub fn refuse_collisions(site: &Site, bases: Option<&Bases>, plan: &Plan, theirs: &Trees) -> Result<Vec<Diagnostic>> {
    let none = Bases::default();
    let bases = bases.unwrap_or(&none);
    let mut found = Found { site, problems: Vec::new(), warnings: BTreeMap::new() };
    found.side(&site.app, &bases.files.app, &plan.files.app, &theirs.app, |path| site.name_of(path));
    found.side(site.root(), &bases.files.repository, &plan.files.repository, &theirs.repository, str::to_owned);
    if found.problems.is_empty() {
        Ok(found.warnings.into_values().collect())
    } else {
        Err(Diagnostics(found.problems))
    }
}

struct Found<'a> {
    site: &'a Site,
    problems: Vec<Diagnostic>,
    /// By the directory of the project.
    warnings: BTreeMap<String, Diagnostic>,
}

impl Found<'_> {
    fn side(&mut self, root: &Path, base: &Base, changes: &Changes, theirs: &Tree, shown: impl Fn(&str) -> String) {
        let effects = effects(changes);
        // On a system that takes both for one, the plan is about what is there.
        let is_new = |(path, effect): &(&&RelPath, &Effect<'_>)| effect.after.is_some() && !base.contains_key(**path);
        let new: Vec<&RelPath> = effects.iter().filter(is_new).map(|(path, _)| *path).collect();
        // What cannot be opened is reported by whoever writes there.
        let Some(root) = Some(root).filter(|_| !new.is_empty()).and_then(|root| Root::open(root).ok()) else { return };
        let mut names = Names { reader: Reader::new(&root), known: BTreeMap::new() };
        let goes = |path: &str| {
            RelPath::new(path).is_ok_and(|path| effects.get(&path).is_some_and(|effect| effect.after.is_none()))
        };
        for path in new {
            let Some((ours, is_file)) = names.twin(path) else { continue };
            let own = RelPath::new(&*ours);
            let is_theirs = own.is_ok_and(|own| theirs.contains_key(&own) || changes.contains_key(&own));
            let below = format!("{ours}/");
            let leaves = goes(&ours)
                || !is_file && effects.keys().any(|path| path.as_str().starts_with(&below) && goes(path.as_str()));
            if is_theirs || leaves {
                continue;
            }
            let depth = ours.split('/').count();
            let new = path.as_str().split('/').take(depth).collect::<Vec<_>>().join("/");
            let [new, ours] = [&new, &ours].map(|path| shown(path));
            if is_file {
                self.problems.push(self.refuse(&new, &ours));
            } else {
                self.warnings.entry(ours.clone()).or_insert_with(|| warn(&new, &ours));
            }
        }
    }

    fn refuse(&self, new: &str, ours: &str) -> Diagnostic {
        let (what, [theirs_shown, ours_shown]) = differ_in(new, ours);
        let title = format!(
            "the template's `{theirs_shown}` and your `{ours_shown}` differ only in {what}: macOS or Windows treats \
             them as the same file"
        );
        let rename = if self.site.repository.is_some() { "git mv" } else { "mv" };
        let command = format!("{rename} {} {}", shell::path(ours), shell::path(new));
        let help =
            format!("rename yours (`{command}`) to have it merged with the template's; or rename the template's");
        Diagnostic::error(Code::PathCollision, title).help(help)
    }
}

fn warn(new: &str, ours: &str) -> Diagnostic {
    let (what, [theirs_shown, ours_shown]) = differ_in(new, ours);
    let title = format!(
        "the template's directory `{theirs_shown}` and your `{ours_shown}` differ only in {what}: macOS or Windows \
         treats them as the same directory"
    );
    Diagnostic::warning(Code::PathCollision, title).help("rename yours, or the template's")
}

/// The names in the project's directories, each read once.
struct Names<'a> {
    reader: Reader<'a>,
    known: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Names<'_> {
    /// What is at another spelling of a path, or of a directory on the way there, and whether it is at its end. None where the path is
    /// spelled as it is there, or nothing is there.
    fn twin(&mut self, path: &RelPath) -> Option<(String, bool)> {
        let mut above = String::new();
        let parts: Vec<&str> = path.as_str().split('/').collect();
        for (at, part) in parts.iter().enumerate() {
            let twins = self.folded(&above).get(&folded(part))?;
            let prefix = if above.is_empty() { String::new() } else { format!("{above}/") };
            if !twins.iter().any(|name| name == part) {
                return Some((format!("{prefix}{}", twins.first()?), at + 1 == parts.len()));
            }
            // The directory is there, and so is another one for some systems.
            above = format!("{prefix}{part}");
        }
        // The file itself is there: beside it may be another one.
        None
    }

    fn folded(&mut self, directory: &str) -> &BTreeMap<String, Vec<String>> {
        if !self.known.contains_key(directory) {
            let mut by_fold: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for name in self.reader.names(Path::new(directory)).unwrap_or_default() {
                by_fold.entry(folded(&name)).or_default().push(name);
            }
            by_fold.values_mut().for_each(|names| names.sort());
            self.known.insert(directory.to_owned(), by_fold);
        }
        &self.known[directory]
    }
}
