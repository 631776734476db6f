//! The result of a case: the tree of a render, or what an upgrade leaves and says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::case::{Case, From, Upgrade};
use super::{edit, old};
use crate::answers::given::{Given, GivenValues, Source, values_of};
use crate::cli::CommandArgs;
use crate::commands::migrating;
use crate::commands::pipeline::{Answered, Inputs, Person, Rendered, hooking, render};
use crate::date::Date;
use crate::deflated::decode;
use crate::diagnostic::{Place, Result, Severity};
use crate::digest::Digest;
use crate::liquid::{Lines, Total};
use crate::lock::Bases;
use crate::lock::{self, Record};
use crate::merge::{Options, merge};
use crate::migrations::{Due, Migrated};
use crate::patterns::Patterns;
use crate::placeholders::Answer;
use crate::placeholders::built_in;
use crate::plan::{Trees, applied};
use crate::report::plan::{Told, human};
use crate::template::Template;
use crate::tree::{Entry, Tree};
use crate::workspace;

/// The outcome of a case.
pub(super) struct Made {
    /// The files, those at the repository's root among them.
    pub(super) tree: Tree,
    /// The output of an upgrade.
    pub(super) summary: Option<String>,
}

/// The project of an upgrade as it was made, and what its record says.
struct Start {
    tree: Tree,
    record: Record,
    /// The recorded answers.
    given: GivenValues,
    /// The files that belonged at the repository's root.
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
    /// Whether the cases are among the template's files.
    pub(super) cases_inside: bool,
    /// The cost of all cases.
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
        let (answered, rendered) = self.rendered(&self.case.values, None)?;
        self.lint(&answered, &rendered)?;
        let tree = joined(rendered.trees);
        Ok(Made { tree, summary: None })
    }

    /// What the template renders to with these values, and the answers, with those that hooks asked for.
    fn rendered(&self, given: &GivenValues, date: Option<Date>) -> Result<(Answered, Rendered)> {
        let mut answered = self.answer(given, date)?;
        if self.cases_inside {
            render::refuse_rendered_cases(&self.template.files, &answered.resolved)?;
        }
        self.total.select(self.template.files.len());
        let rendered = answered.render_one(self.template, self.case.app_dir.as_ref(), self.total)?;
        Ok((answered, rendered))
    }

    /// The answers, with every warning as an error.
    fn answer(&self, given: &GivenValues, date: Option<Date>) -> Result<Answered> {
        let mut recorded = answers_of(given.clone());
        let questions = hooking::take_questions(self.template, &mut recorded);
        let mut given = given.clone();
        given.retain(|name, _| !questions.contains_key(name));
        let commands = self.commands;
        let consent = hooking::consent(commands, false);
        let date = Some(date.unwrap_or_default());
        let setting = hooking::setting(consent, commands, false, date, &given, questions);
        let inputs = Inputs {
            template: self.template,
            variables: built_in::variables(&self.case.facts()),
            given: &given,
            person: Person::Nobody,
            unused: Severity::Warning,
            remembered: None,
            strict: true,
            total: Some(self.total),
        };
        inputs.begin(setting)?.answer()
    }

    /// Refuses what looks wrong in the template.
    fn lint(&self, answered: &Answered, rendered: &Rendered) -> Result<()> {
        render::lint(self.template, &self.template.files, &answered.resolved, rendered)
    }

    fn record(&self, answered: &Answered, rendered: &Rendered) -> Record {
        // Its files are hashed, deflated and inflated again.
        rendered.trees.iter().for_each(|(_, tree)| self.total.handle_tree(tree));
        answered.record(self.template, rendered, self.case.app_dir.as_ref(), &BTreeSet::new())
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
        let mut ours = render::split(edit::edited(start.tree, upgrade)?, app_dir, &start.at_the_root);

        let due = Due::between(before.template.version.as_deref(), &self.template.manifest)?;
        let mut migrated = Migrated::of(&due, bases.files.entries().map(|(path, _)| path));
        let date = before.date.or_else(|| Date::from_unix(NEXT_DAY));
        let given = self.with(self.migrated(&due, start.given)?, &upgrade.values);
        let (answered, theirs) = self.rendered(&given, date)?;
        self.lint(&answered, &theirs)?;

        let mut declared = theirs.ownership.clone();
        declared.renamed.append(&mut migrated.renamed);
        self.run_commands(&mut migrated, &mut ours.app)?;
        let ownership = &declared;
        let version = ownership.version.clone().unwrap_or_default();
        let options = Options { version, secret: theirs.secret.clone(), ..Options::default() };
        let plan = merge(Some(&bases), &ours, &theirs.trees, ownership, &options);
        let mut lock = self.record(&answered, &theirs).lock;
        lock.moved.clone_from(&plan.moved);
        let changed = !plan.is_empty() || lock != before;
        // An old version is read from elsewhere, which is nothing new.
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
        let app = applied(&plan.files.app, &ours.app);
        let repository = applied(&plan.files.repository, &ours.repository);
        Ok(Made { tree: joined(Trees { app, repository }), summary: Some(human(&told)) })
    }

    /// Runs the commands of migrations where the command line agrees to them.
    fn run_commands(&self, migrated: &mut Migrated, app: &mut Tree) -> Result<()> {
        let is_file = |entry: &Entry| matches!(entry, Entry::File { .. });
        let files =
            || Ok(app.iter().filter(|(_, entry)| is_file(entry)).map(|(k, v)| (k.clone(), v.clone())).collect());
        let read = |directory: &Path, before: &Tree| workspace::left(None, directory, before);
        let edits = migrating::run(migrated, &self.template.manifest, (self.commands, false), files, read)?;
        migrating::put(app, edits.iter().map(|(path, [_, left])| (path, left.as_ref())));
        Ok(())
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
        let (answered, rendered) = maker.rendered(&self.case.values, None)?;
        let record = maker.record(&answered, &rendered);
        let given = values_of(record.lock.answers.clone());
        let at_the_root = Patterns::of(&rendered.ownership.repository);
        Ok(Start { tree: joined(rendered.trees), record, given, at_the_root })
    }

    /// A project whose files alone are known: recorded as if today's template had made them.
    fn recorded_base(&self, upgrade: &Upgrade, tree: &Tree) -> Result<Start> {
        let recorded = |(name, given): (&String, &Given)| (name.clone(), Given { by: Source::Lock, ..given.clone() });
        let given: GivenValues = self.case.values.iter().map(recorded).collect();
        let today = self.template.manifest.ownership.version.as_deref();
        let due = Due::between(upgrade.version.as_deref().or(today), &self.template.manifest)?;
        let values = self.with(self.migrated(&due, given.clone())?, &upgrade.values);
        let (answered, rendered) = self.rendered(&values, None)?;
        let at_the_root = Patterns::of(&rendered.ownership.repository);
        let trees = render::split(tree.clone(), self.case.app_dir.as_ref(), &at_the_root);
        let mut record = self.record(&answered, &Rendered { trees, date: Some(Date::default()), ..rendered });
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
