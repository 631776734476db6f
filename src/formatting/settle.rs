//! Lets formatting alone be neither an edit nor a change of the template.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use super::{Job, Places, Rustfmt, Setting, is_rust, warm};
use crate::digest::Digest;
use crate::lock::{Base, Recorded};
use crate::render::Secret;
use crate::tree::{Entry, RelPath, Tree};

/// The three sides of a merge.
pub(crate) struct Sides<'a> {
    /// What was rendered; empty in a project that has no record.
    pub(crate) base: &'a mut Base,
    /// The project's files.
    pub(crate) ours: &'a Tree,
    /// The template's current render; `None` if nothing is merged.
    pub(crate) theirs: Option<&'a mut Tree>,
    /// Whether the template wants its files formatted.
    pub(crate) wanted: bool,
    /// The files that depend on a secret answer.
    pub(crate) secret: &'a Secret,
}

/// The project's version of a file of the base.
#[derive(Clone, PartialEq, Eq)]
enum Form {
    /// As it was rendered.
    Rendered,
    /// The formatted render, which is this.
    Formatted(Bytes),
    /// Edited, and formatted before or after that; the render is this when it is formatted.
    Edited(Bytes),
    /// Anything else: the render counts as it is.
    Other,
}

/// Makes base and theirs what ours is. A file that is the formatted render is taken for the render itself; for one that was edited and is
/// formatted, or was so when it was written, base and theirs are formatted as well, or neither is. What rustfmt does not take stays as it was rendered.
pub(crate) fn settle(rustfmt: &Rustfmt, places: &mut Places<'_>, sides: Sides<'_>) {
    let Sides { base, ours, theirs, wanted, secret } = sides;
    let none = Tree::new();
    let now = theirs.as_deref().unwrap_or(&none);
    let mut view = View { rustfmt, settings: HashMap::new(), ours, theirs: theirs.is_some().then_some(now), wanted };
    let paths = base.keys().chain(now.keys()).filter(|path| is_rust(path) && !secret.contains_key(*path));
    view.settings = paths.filter_map(|path| Some((path.clone(), places.setting(path)?))).collect();
    view.warm(base);
    let mut forms = view.forms(base);
    let formatted = view.new_theirs(base, &mut forms);
    for (path, form) in forms {
        let (Form::Formatted(bytes) | Form::Edited(bytes)) = form else { continue };
        if let Some(recorded) = base.get_mut(&path) {
            recorded.pristine.digest = Some(Digest::of(&bytes));
            recorded.entry = crate::lock::entry(recorded.pristine.mode, &bytes);
        }
    }
    if let Some(theirs) = theirs {
        theirs.extend(formatted);
    }
}

type Forms = BTreeMap<RelPath, Form>;

struct View<'a> {
    rustfmt: &'a Rustfmt,
    settings: HashMap<RelPath, Setting>,
    ours: &'a Tree,
    theirs: Option<&'a Tree>,
    /// Whether the template wants its files formatted.
    wanted: bool,
}

impl View<'_> {
    /// The Rust files of the base that can be told from others by what was rendered.
    fn known<'b>(&self, base: &'b Base) -> impl Iterator<Item = (&'b RelPath, &'b Recorded)> {
        base.iter().filter(|(path, recorded)| self.settings.contains_key(*path) && recorded.pristine.bytes().is_some())
    }

    fn format(&self, path: &RelPath, bytes: &Bytes) -> Option<Bytes> {
        self.rustfmt.format(None, bytes, self.settings.get(path)?)
    }

    fn is_formatted(&self, path: &RelPath, bytes: &Bytes) -> bool {
        self.format(path, bytes).is_some_and(|formatted| formatted == *bytes)
    }

    /// Whether the template has a file as it had it, so that nothing is merged into it.
    fn is_unchanged(&self, path: &RelPath, recorded: &Recorded) -> bool {
        let digest = self.theirs.and_then(|theirs| file(theirs, path)).map(|bytes| Digest::of(bytes));
        digest.is_some() && digest == recorded.pristine.digest
    }

    /// Formats at once what is going to be compared.
    fn warm(&self, base: &Base) {
        let mut jobs = Vec::new();
        let mut add = |path: &RelPath, bytes: Option<&Bytes>| {
            let job = bytes.zip(self.settings.get(path));
            jobs.extend(job.map(|(bytes, setting)| Job::new(path, bytes, setting)));
        };
        for (path, recorded) in self.known(base) {
            let Some(now) = file(self.ours, path) else { continue };
            let is_same = recorded.bytes() == Some(now) || recorded.pristine.formatted == Some(Digest::of(now));
            if !is_same && !self.is_unchanged(path, recorded) {
                add(path, recorded.bytes());
                add(path, Some(now));
            }
        }
        for path in self.theirs.into_iter().flat_map(Tree::keys) {
            if !base.get(path).is_some_and(|recorded| self.is_unchanged(path, recorded)) {
                add(path, self.theirs.and_then(|theirs| file(theirs, path)));
            }
        }
        warm(self.rustfmt, jobs);
    }

    fn forms(&self, base: &Base) -> Forms {
        let mut by_digest: Option<HashMap<Digest, Bytes>> = None;
        let form = |(path, recorded): (&RelPath, &Recorded)| {
            let form = match file(self.ours, path) {
                Some(now) => self.form(path, recorded, now),
                // It may be elsewhere.
                None => {
                    let files = || self.ours.iter().filter(|(path, _)| is_rust(path)).map(|(path, _)| path);
                    let by_digest = by_digest.get_or_insert_with(|| {
                        let files = files().filter_map(|path| file(self.ours, path));
                        files.map(|bytes| (Digest::of(bytes), bytes.clone())).collect()
                    });
                    let moved = recorded.pristine.formatted.and_then(|digest| by_digest.get(&digest));
                    moved.map_or(Form::Other, |bytes| Form::Formatted(bytes.clone()))
                }
            };
            (path.clone(), form)
        };
        self.known(base).map(form).collect()
    }

    fn form(&self, path: &RelPath, recorded: &Recorded, now: &Bytes) -> Form {
        let digest = Digest::of(now);
        if recorded.pristine.digest == Some(digest) {
            return Form::Rendered;
        }
        if recorded.pristine.formatted == Some(digest) {
            return Form::Formatted(now.clone());
        }
        if self.is_unchanged(path, recorded) {
            return Form::Other;
        }
        match recorded.bytes().and_then(|rendered| self.format(path, rendered)) {
            Some(formatted) if formatted == *now => Form::Formatted(formatted),
            // It was edited as it was written, or formatted afterwards.
            Some(formatted)
                if recorded.pristine.formatted == Some(Digest::of(&formatted))
                    || self.wanted && recorded.bytes() == Some(&formatted)
                    || self.is_formatted(path, now) =>
            {
                Form::Edited(formatted)
            }
            _ => Form::Other,
        }
    }

    /// What of the template's files becomes another one. Where its new form is needed and is not available, the old one is not used either.
    fn new_theirs(&self, base: &Base, forms: &mut Forms) -> Tree {
        let Some(theirs) = self.theirs else { return Tree::new() };
        let rendered = |(path, form): (&RelPath, &Form)| match form {
            Form::Formatted(bytes) => Some((base.get(path)?.pristine.digest?, bytes.clone())),
            _ => None,
        };
        let known: HashMap<Digest, Bytes> = forms.iter().filter_map(rendered).collect();
        let mut formats_new = None;
        let mut changed = Tree::new();
        for (path, entry) in theirs.iter().filter(|(path, _)| self.settings.contains_key(*path)) {
            let Entry::File { bytes, executable } = entry else { continue };
            let same = known.get(&Digest::of(bytes)).cloned();
            let new = match forms.get(path) {
                Some(Form::Formatted(_)) => same.or_else(|| self.format(path, bytes)),
                Some(Form::Edited(_)) => self.format(path, bytes),
                Some(Form::Rendered) => {
                    let recorded = base.get(path).filter(|recorded| self.wanted && !self.is_unchanged(path, recorded));
                    let is_formatted =
                        recorded.and_then(Recorded::bytes).is_some_and(|old| self.is_formatted(path, old));
                    is_formatted.then(|| self.format(path, bytes)).flatten()
                }
                Some(Form::Other) => None,
                None if base.contains_key(path) => None,
                None => same.or_else(|| match file(self.ours, path) {
                    Some(now) if now == bytes => None,
                    Some(now) => self.format(path, bytes).filter(|new| new == now || self.is_formatted(path, now)),
                    None if self.wanted && *formats_new.get_or_insert_with(|| self.formats_new(base, forms)) => {
                        self.format(path, bytes)
                    }
                    None => None,
                }),
            };
            match new {
                Some(bytes) => drop(changed.insert(path.clone(), Entry::File { bytes, executable: *executable })),
                None if matches!(forms.get(path), Some(Form::Edited(_))) => {
                    drop(forms.insert(path.clone(), Form::Other));
                }
                None => {}
            }
        }
        changed
    }

    /// Whether new files are to be formatted: not in a project that has unformatted ones as they were rendered, on purpose or for want of a
    /// rustfmt.
    fn formats_new(&self, base: &Base, forms: &Forms) -> bool {
        let as_rendered = || self.known(base).filter(|(path, _)| forms.get(*path) == Some(&Form::Rendered));
        let is_formatted = |(path, recorded): (&RelPath, &Recorded)| {
            recorded.bytes().is_none_or(|bytes| self.format(path, bytes).is_none_or(|formatted| formatted == *bytes))
        };
        base.values().any(|recorded| recorded.pristine.formatted.is_some()) || as_rendered().all(is_formatted)
    }
}

fn file<'t>(tree: &'t Tree, path: &RelPath) -> Option<&'t Bytes> {
    match tree.get(path)? {
        Entry::File { bytes, .. } => Some(bytes),
        Entry::Symlink { .. } => None,
    }
}
