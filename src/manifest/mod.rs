//! `cargo-generate.toml`, typed once, with the places of everything that a later stage may find wrong.

mod migration;
mod pointer;
mod reader;
mod rename;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

pub use migration::{Action, Migration, Step};
pub use pointer::{Pointer, Spot};
pub use reader::read;
pub use rename::PathRename;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place};
use crate::placeholders::Placeholder;
use crate::placeholders::condition::Condition;
use crate::placeholders::pattern::Pattern;
use crate::spanned::Spanned;

/// A template's manifest: cargo-generate's own tables, and ours under `[create-app]`.
#[derive(Debug, Default)]
pub struct Manifest {
    /// The manifest's name in messages.
    pub name: String,
    /// The manifest's text, for the places in messages.
    pub text: Arc<str>,
    /// `[template]`: which files are rendered, copied or dropped.
    pub selection: Selection,
    /// `[template] sub_templates`: folders below this one, each a template.
    pub sub_templates: Vec<Spanned>,
    /// `[template] vcs = "None"`: the template wants no repository.
    pub no_vcs: bool,
    /// `[template] init`: as with `--init`.
    pub init: bool,
    /// `[template] fmt`: whether Rust files are formatted.
    pub fmt: Option<bool>,
    /// `[placeholders]`, in the order of the file.
    pub placeholders: Vec<Placeholder>,
    /// `[conditional.'…']`, in the order of the file.
    pub conditionals: Vec<Conditional>,
    /// `[hooks]`: the scripts of every phase.
    pub hooks: HookScripts,
    /// `[create-app]`.
    pub ownership: Ownership,
}

impl Manifest {
    /// A region of the manifest.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> Place {
        Place::new(&self.name, Arc::clone(&self.text), span)
    }

    /// The place of a region of a string; of all of it, if it has escapes.
    pub(crate) fn inside(&self, text: &Spanned, inner: Range<usize>) -> Range<usize> {
        text.inside(&self.text, inner)
    }

    /// The same, to be changed.
    pub(crate) fn declared_mut(&mut self) -> impl Iterator<Item = &mut Placeholder> {
        let conditional = self.conditionals.iter_mut().flat_map(|conditional| &mut conditional.placeholders);
        self.placeholders.iter_mut().chain(conditional)
    }

    /// Compiles the regular expressions that only adoption uses.
    ///
    /// # Errors
    ///
    /// Each that takes too much memory.
    pub fn check_inferences(&self) -> Result<(), Diagnostics> {
        let ways = self.ownership.infer.values().flatten();
        let patterns = ways.flat_map(|way| [("regex", &way.regex), ("unless", &way.unless)]);
        let problems: Vec<Diagnostic> = patterns
            .filter_map(|(key, pattern)| Some((key, pattern.as_ref()?)))
            .filter(|(_, (pattern, _))| pattern.check().is_err())
            .map(|(key, (_, span))| {
                Diagnostic::error(Code::TooLarge, format!("the regular expression of `{key}` takes too much memory"))
                    .at(self.place(span.clone()), reader::TOO_LARGE)
                    .help(reader::REPEAT_LESS)
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(Diagnostics(problems)) }
    }

    /// Every placeholder that the manifest declares, asked or not.
    pub fn declared(&self) -> impl Iterator<Item = &Placeholder> {
        self.placeholders.iter().chain(self.conditionals.iter().flat_map(|conditional| &conditional.placeholders))
    }
}

/// `[hooks]`: scripts of the template, by when they run.
#[derive(Debug, Clone, Default)]
pub struct HookScripts {
    /// Before any question.
    pub init: Vec<Spanned>,
    /// Before the template is rendered.
    pub pre: Vec<Spanned>,
    /// After it was rendered.
    pub post: Vec<Spanned>,
    /// Whether `fmt`, the name of cargo-generate's own post hook, is among these.
    pub formats: bool,
}

impl HookScripts {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Spanned> {
        self.init.iter().chain(&self.pre).chain(&self.post)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// Which files of a template are rendered, copied as they are, or dropped.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these are rendered, where given.
    pub include: Option<Vec<Spanned>>,
    /// These are copied as they are; not considered where `include` is given.
    pub exclude: Option<Vec<Spanned>>,
    /// These are dropped: literal paths.
    pub ignore: Vec<Spanned>,
}

impl Selection {
    /// Appends what a conditional adds.
    pub fn extend(&mut self, other: &Self) {
        let append = |ours: &mut Option<Vec<Spanned>>, theirs: &Option<Vec<Spanned>>| {
            if let Some(theirs) = theirs {
                ours.get_or_insert_default().extend(theirs.iter().cloned());
            }
        };
        append(&mut self.include, &other.include);
        append(&mut self.exclude, &other.exclude);
        self.ignore.extend(other.ignore.iter().cloned());
    }
}

/// `[conditional.'EXPRESSION']`: what holds when the expression is true of the answers.
#[derive(Debug)]
pub struct Conditional {
    /// A Rhai expression over the answers.
    pub expression: Spanned,
    /// The same, read; `None` if it can never hold.
    pub condition: Option<Condition>,
    /// What it adds to the selection.
    pub selection: Selection,
    /// The questions that are asked then.
    pub placeholders: Vec<Placeholder>,
}

/// `[create-app]`: what cargo-generate does not know, and ignores.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    /// The template's own version.
    pub version: Option<String>,
    /// The pattern that a project's name must match.
    pub name_pattern: Option<Pattern>,
    /// Rendered by `new`, then the app's own.
    pub once: Vec<Spanned>,
    /// Only the marked blocks belong to the template.
    pub blocks: Vec<Spanned>,
    /// Belongs at the repository's root.
    pub repository: Vec<Spanned>,
    /// Answers that are never recorded.
    pub secret: Vec<Spanned>,
    /// A project without a lock must have one of these files.
    pub adopt: Vec<Spanned>,
    /// How to answer placeholders for a project that has no lock.
    pub infer: BTreeMap<String, Vec<Inference>>,
    /// Settings to report in a project that has no lock.
    pub not_adopted: Vec<NotAdopted>,
    /// Files that the template has moved.
    pub renamed: Vec<Renamed>,
    /// The names of placeholders in older versions of the template: by their names now.
    pub renamed_placeholders: BTreeMap<String, Vec<String>>,
    /// A command to run once the project exists.
    pub next: Vec<Next>,
    /// How lists are merged.
    pub merge: Vec<ListRule>,
    /// The migrations from one version to another.
    pub migrations: Vec<Migration>,
}

/// How some lists of some files are merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRule {
    /// The files: a pattern as in `.gitignore`.
    pub file: String,
    /// The keys above the lists, joined with dots; `*` is any key, and `**` any number of keys.
    pub keys: String,
    /// Whether the order of elements has a meaning.
    pub order: ListOrder,
    /// The keys that identify an element: the first one that it has. None: as in lists without a rule.
    pub identity: Vec<String>,
}

/// Whether the order of the elements of a list has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOrder {
    /// It has none: what both sides add is kept.
    Set,
    /// It has one: what both sides add in one place is a conflict.
    Sequence,
}

impl Ownership {
    /// The placeholders whose answers are never recorded.
    #[must_use]
    pub fn secret_names(&self) -> BTreeSet<&str> {
        self.secret.iter().map(|secret| secret.value.as_str()).collect()
    }

    /// Gives what was recorded for a placeholder of an older version to the one that it has become, unless that has an answer itself.
    pub fn carry_over<V>(&self, recorded: &mut BTreeMap<String, V>) {
        for (name, old) in &self.renamed_placeholders {
            // All of them go: nothing asks for them any more.
            let found: Vec<V> = old.iter().filter_map(|old| recorded.remove(old)).collect();
            if let Some(value) = found.into_iter().next() {
                recorded.entry(name.clone()).or_insert(value);
            }
        }
    }
}

/// A command to run once the project is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The command line.
    pub run: String,
    /// How to get its program, where it is missing.
    pub get: Option<String>,
}

/// One way to answer a placeholder from a project's files.
#[derive(Debug, Clone)]
pub struct Inference {
    /// The files to look into, one after the other; empty where the answer is [`Inference::value`] in any case.
    pub files: Vec<String>,
    /// Where in JSON, TOML or YAML the answer is; without it, the text of the file is looked at.
    pub pointer: Option<Pointer>,
    /// Of what is found, the first group is the answer; what does not match is none. With its region in bytes of the manifest.
    pub regex: Option<(Pattern, Range<usize>)>,
    /// Values that match are not answers.
    pub unless: Option<(Pattern, Range<usize>)>,
    /// The answer, instead of what is found.
    pub value: Option<String>,
    /// Whether everything that is found is the answer, with commas between; else it is the first that is one.
    pub all: bool,
    /// Whether only the path of a file that the project has is an answer.
    pub exists: bool,
    /// Whether the file may be in a directory above the app as well, in its repository.
    pub above: bool,
}

/// Settings of an app that no answer can take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAdopted {
    /// The files that may have them.
    pub files: Vec<String>,
    /// Where they are.
    pub pointer: Pointer,
    /// The last parts of pointers that are nothing to tell.
    pub except: Vec<String>,
    /// What to do about it.
    pub help: String,
}

/// A file that the template has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Where it was.
    pub from: String,
    /// Where it is.
    pub to: String,
}
