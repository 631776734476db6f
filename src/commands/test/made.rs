//! What comes of a case: the tree of a render, or what an upgrade leaves and says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::case::{self, Case, From, Upgrade};
use super::{edit, old};
use crate::answers::given::{Given, GivenValues, Source, values_of};
use crate::answers::placeholder::Answer;
use crate::answers::{Ask, Resolved, built_in, resolve_with};
use crate::commands::inputs;
use crate::commands::render::{self, Rendered, Setting};
use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Severity};
use crate::lock::base::decode;
use crate::lock::{self, Digest, Record};
use crate::merge::{Bases, Options, merge};
use crate::migrations::{Due, Migrated};
use crate::plan::{Trees, applied};
use crate::render::select::{Patterns, Selected, Selector};
use crate::render::{Lines, Total};
use crate::report::plan::{Told, human};
use crate::template::Template;
use crate::tree::{RelPath, Tree};

/// What came of a case.
pub(super) struct Made {
    /// The files, those at the repository's root among them.
    pub(super) tree: Tree,
    /// What an upgrade says.
    pub(super) summary: Option<String>,
}

/// The project of an upgrade as it was made, and what its record says.
struct Start {
    tree: Tree,
    record: Record,
    /// The recorded answers.
    given: GivenValues,
    /// What belonged at the repository's root.
    at_the_root: Patterns,
}

/// The day after the one on which the projects of cases are made: a render that is not given the recorded date shows it.
const NEXT_DAY: i64 = 24 * 60 * 60;

/// A case and the template that it is tried with.
pub(super) struct Maker<'a> {
    pub(super) case: &'a Case,
    /// The template's directory.
    pub(super) directory: &'a Path,
    pub(super) template: &'a Template,
    /// Whether the cases stand among the template's files.
    pub(super) cases_inside: bool,
    /// What all cases cost.
    pub(super) total: &'a Arc<Total>,
}

impl Maker<'_> {
    /// Renders the template as `new --silent --strict` does without the user's own environment, or upgrades the case's
    /// project to it.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the template or the case, warnings too.
    pub(super) fn make(&self) -> Result<Made> {
        if let Some(upgrade) = &self.case.upgrade {
            return self.upgraded(upgrade);
        }
        let resolved = self.answer(&self.case.values)?;
        let tree = joined(self.render(&resolved, Date::default())?.trees);
        Ok(Made { tree, summary: None })
    }

    /// The answers, with every warning as an error.
    fn answer(&self, given: &GivenValues) -> Result<Resolved> {
        let variables = built_in::variables(&self.case.facts());
        let lines = Lines::within(Some(self.total));
        let mut resolved = resolve_with(&self.template.manifest, variables, given, &mut Ask::Nobody, &lines)?;
        let mut warnings = std::mem::take(&mut resolved.warnings);
        warnings.extend(inputs::forget_unused(self.template, &mut resolved, Severity::Warning, Some(self.total)));
        crate::commands::warn(warnings, true)?;
        Ok(resolved)
    }

    fn render(&self, resolved: &Resolved, date: Date) -> Result<Rendered> {
        if self.cases_inside {
            refuse_rendered_cases(self.template, resolved)?;
        }
        self.total.select(self.template.files.len());
        let setting = Setting { app_dir: self.case.app_dir.as_ref(), date, strict: true, total: Some(self.total) };
        render::render(self.template, self.template.files.clone(), resolved, &setting)
    }

    fn record(&self, resolved: &Resolved, rendered: &Rendered) -> Record {
        // Its files are hashed, deflated and inflated again.
        [&rendered.trees.app, &rendered.trees.repository].into_iter().for_each(|tree| self.total.handle_tree(tree));
        let recorded = render::recorded(self.template, resolved, rendered, self.case.app_dir.as_ref());
        lock::record(&recorded, &BTreeSet::new())
    }

    /// The recorded values, and others that win over them.
    fn with(&self, mut recorded: GivenValues, others: &GivenValues) -> GivenValues {
        self.template.manifest.ownership.carry_over(&mut recorded);
        recorded.extend(others.clone());
        recorded
    }

    fn upgraded(&self, upgrade: &Upgrade) -> Result<Made> {
        let start = match &upgrade.from {
            From::Base(tree) => self.recorded_base(upgrade, tree)?,
            From::Revision(revision, place) => self.at_revision(revision, place)?,
        };
        let app_dir = self.case.app_dir.as_ref();
        let before = start.record.lock.clone();
        let bases = Bases::new(&before, &stored(&start.record));
        let ours = render::split(edit::edited(start.tree, upgrade)?, app_dir, &start.at_the_root);

        let due = Due::between(before.template.version.as_deref(), &self.template.manifest)?;
        let migrated = Migrated::of(&due, bases.app.keys().chain(bases.repository.keys()));
        let resolved = self.answer(&self.with(self.migrated(&due, start.given)?, &upgrade.values))?;
        let date = before.date.or_else(|| Date::from_unix(NEXT_DAY)).unwrap_or_default();
        let theirs = self.render(&resolved, date)?;

        let mut declared = theirs.ownership.clone();
        declared.renamed.extend(migrated.renamed);
        let ownership = &declared;
        let version = ownership.version.clone().unwrap_or_default();
        let options = Options { version, secret: theirs.secret.clone(), ..Options::default() };
        let plan = merge(Some(&bases), &ours, &theirs.trees, ownership, &options);
        let mut lock = self.record(&resolved, &theirs).lock;
        lock.moved.clone_from(&plan.moved);
        let changed = !plan.is_empty() || lock != before;
        // An old version is read from elsewhere, which is no news.
        let template = lock::LockedTemplate {
            source: lock.template.source.clone(),
            subfolder: lock.template.subfolder.clone(),
            ..before.template.clone()
        };
        let before = lock::Lock { template, ..before };
        let before = Some(&before);
        let shown = self.case.name.clone();
        let told = Told {
            shown,
            given: Path::new(&self.case.name),
            app_dir,
            before,
            made_from: None,
            lock: &lock,
            plan: &plan,
            backup: None,
            changed,
            to_commit: None,
            unresolved: &[],
            secret: ownership.secret_names(),
            inferred: BTreeMap::new(),
            is_downgrade: false,
            own_lock_files: const { &BTreeSet::new() },
            migrated: &migrated.steps,
        };
        let app = applied(&plan.app, &ours.app);
        let repository = applied(&plan.repository, &ours.repository);
        Ok(Made { tree: joined(Trees { app, repository }), summary: Some(human(&told)) })
    }

    /// The recorded answers, as today's version has them.
    fn migrated(&self, due: &Due<'_>, given: GivenValues) -> Result<GivenValues> {
        Ok(values_of(due.answers(
            &self.template.manifest,
            answers_of(given),
            Date::default(),
            &Lines::within(Some(self.total)),
        )?))
    }

    /// A project that an old version of the template makes.
    fn at_revision(&self, revision: &str, place: &Place) -> Result<Start> {
        let old = old::template(self.directory, revision, place)?;
        self.total.fetch();
        self.total.handle_tree(&old.files);
        let maker = Maker { template: &old, cases_inside: false, ..*self };
        let resolved = maker.answer(&self.case.values)?;
        let rendered = maker.render(&resolved, Date::default())?;
        let record = maker.record(&resolved, &rendered);
        let given = values_of(record.lock.answers.clone());
        let at_the_root = Patterns::of(&rendered.ownership.repository);
        Ok(Start { tree: joined(rendered.trees), record, given, at_the_root })
    }

    /// A project of which only the files are known: recorded as if today's template had made them.
    fn recorded_base(&self, upgrade: &Upgrade, tree: &Tree) -> Result<Start> {
        let recorded = |(name, given): (&String, &Given)| (name.clone(), Given { by: Source::Lock, ..given.clone() });
        let given: GivenValues = self.case.values.iter().map(recorded).collect();
        let today = self.template.manifest.ownership.version.as_deref();
        let due = Due::between(upgrade.version.as_deref().or(today), &self.template.manifest)?;
        let resolved = self.answer(&self.with(self.migrated(&due, given.clone())?, &upgrade.values))?;
        let rendered = self.render(&resolved, Date::default())?;
        let at_the_root = Patterns::of(&rendered.ownership.repository);
        let trees = render::split(tree.clone(), self.case.app_dir.as_ref(), &at_the_root);
        let mut record = self.record(&resolved, &Rendered { trees, date: Some(Date::default()), ..rendered });
        record.lock.template.revision = String::new();
        if upgrade.version.is_some() {
            record.lock.template.version.clone_from(&upgrade.version);
            record.lock.answers = answers_of(given.clone());
        }
        Ok(Start { tree: tree.clone(), record, given, at_the_root })
    }
}

/// Refuses cases that would be part of every project: `new`, and cargo-generate, know nothing of them.
fn refuse_rendered_cases(template: &Template, resolved: &Resolved) -> Result<()> {
    let selector = Selector::new(&template.files, &resolved.selection)?;
    let is_case = |path: &&RelPath| path.as_str().starts_with("tests/") && path.file_name() == case::FILE;
    let mut rendered = template.files.keys().filter(is_case).filter(|path| selector.select(path) != Selected::Drop);
    rendered.next().map_or(Ok(()), |path| {
        Err(Diagnostic::error(Code::TestCase, format!("the test case `{path}` would be part of every project"))
            .help("add `ignore = [\"tests\"]` to the table `[template]` of the manifest")
            .into())
    })
}

fn joined(trees: Trees) -> Tree {
    trees.app.into_iter().chain(trees.repository).collect()
}

fn answers_of(given: GivenValues) -> BTreeMap<String, Answer> {
    given.into_iter().filter_map(|(name, given)| Some((name, Answer::of(given.value)?))).collect()
}

/// The bytes that a record holds.
fn stored(record: &Record) -> BTreeMap<Digest, Bytes> {
    let decoded = record.base.iter().filter_map(|(digest, bytes)| Some((*digest, decode(*digest, bytes).ok()?.into())));
    decoded.collect()
}
