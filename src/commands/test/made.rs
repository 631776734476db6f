//! What comes of a case: the tree of a render, or what an upgrade leaves and says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::case::{Case, From, Upgrade};
use super::{edit, old};
use crate::answers::given::{Given, GivenValues, Source, values_of};
use crate::answers::placeholder::Answer;
use crate::answers::{Ask, Resolved, built_in, resolve_with};
use crate::cli::CommandArgs;
use crate::commands::render::{self, Rendered, Setting};
use crate::commands::{hooking, inputs};
use crate::date::Date;
use crate::diagnostic::{Place, Result, Severity};
use crate::hooks::Hooks;
use crate::lock::base::decode;
use crate::lock::{self, Digest, Record};
use crate::merge::{Bases, Options, merge};
use crate::migrations::{Due, Migrated};
use crate::plan::{Trees, applied};
use crate::render::select::Patterns;
use crate::render::{Lines, Total};
use crate::report::plan::{Told, human};
use crate::template::Template;
use crate::tree::Tree;

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
    /// Whether the commands of hooks may run.
    pub(super) commands: &'a CommandArgs,
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
        let (resolved, rendered) = self.rendered(&self.case.values, None)?;
        self.lint(&resolved, &rendered)?;
        let tree = joined(rendered.trees);
        Ok(Made { tree, summary: None })
    }

    /// What the template renders to with these values, and the answers, with those that hooks asked for.
    fn rendered(&self, given: &GivenValues, date: Option<Date>) -> Result<(Resolved, Rendered)> {
        let (mut resolved, hooks) = self.answer(given, date)?;
        let rendered = self.render(&resolved, &hooks)?;
        resolved.answers.extend(hooks.asked());
        Ok((resolved, rendered))
    }

    /// The answers, with every warning as an error.
    fn answer(&self, given: &GivenValues, date: Option<Date>) -> Result<(Resolved, Hooks)> {
        let mut variables = built_in::variables(&self.case.facts());
        let mut recorded = answers_of(given.clone());
        let questions = hooking::take_questions(self.template, &mut recorded);
        let mut given = given.clone();
        given.retain(|name, _| !questions.contains_key(name));
        let commands = self.commands;
        let consent = hooking::consent(commands, false);
        let date = Some(date.unwrap_or_default());
        let setting = hooking::setting(consent, commands, false, date, &given, questions);
        let (hooks, name) = hooking::init(self.template, &mut variables, setting)?;
        let lines = Lines::within(Some(self.total));
        let mut resolved = resolve_with(&self.template.manifest, variables, &given, &mut Ask::Nobody, &lines)?;
        resolved.answers.extend(name.map(|name| ("project-name".to_owned(), name)));
        let mut warnings = std::mem::take(&mut resolved.warnings);
        warnings.extend(inputs::forget_unused(self.template, &mut resolved, Severity::Warning, Some(self.total)));
        crate::commands::warn(warnings, true)?;
        Ok((resolved, hooks))
    }

    fn render(&self, resolved: &Resolved, hooks: &Hooks) -> Result<Rendered> {
        if self.cases_inside {
            render::refuse_rendered_cases(&self.template.files, resolved)?;
        }
        self.total.select(self.template.files.len());
        let (app_dir, date) = (self.case.app_dir.as_ref(), hooks.date());
        let setting = Setting { app_dir, date, strict: true, total: Some(self.total), hooks };
        let rendered = render::render(self.template, self.template.files.clone(), resolved, &setting);
        self.total.scripts(hooks.spent());
        rendered
    }

    /// Refuses what looks wrong in the template.
    fn lint(&self, resolved: &Resolved, rendered: &Rendered) -> Result<()> {
        render::lint(self.template, &self.template.files, resolved, rendered)
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
        let date = before.date.or_else(|| Date::from_unix(NEXT_DAY));
        let given = self.with(self.migrated(&due, start.given)?, &upgrade.values);
        let (resolved, theirs) = self.rendered(&given, date)?;
        self.lint(&resolved, &theirs)?;

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
        let (resolved, rendered) = maker.rendered(&self.case.values, None)?;
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
        let values = self.with(self.migrated(&due, given.clone())?, &upgrade.values);
        let (resolved, rendered) = self.rendered(&values, None)?;
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
