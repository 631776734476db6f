//! The changes of an upgrade: the template rendered again with the project's answers, and merged with the project's files.
//! `upgrade` applies it, and `diff` shows it.

mod answers;
mod deciding;
mod made_from;
mod merging;
mod nearest;
mod rendering;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use self::answers::{answer, known};
use super::adoption::{self, Inferred};
use super::migrating;
use super::origin::{self, Access};
use super::pipeline::{inputs, render};
use crate::answers::given::GivenValues;
use crate::answers::prompt;
use crate::cli::{CommandArgs, RenderArgs, SourceArgs};
use crate::diagnostic::{Diagnostic, Result};
use crate::formatting::{self, Rustfmt};
use crate::lock::{Base, Bases};
use crate::lock::{DIRECTORY, LOCK, Lock, LockedTemplate, Record};
use crate::merge;
use crate::migrations::{Due, Migrated, Taken};
use crate::plan::{Edits, Install, Plan, Trees, rebase};
use crate::report;
use crate::scope::Scope;
use crate::source::Loaded;
use crate::template::Template;
use crate::tree::{Entry, RelPath, Tree};
use crate::workspace::{self, Lent, Mixed, Needed, Project, Room, Site};

/// Everything that there is to know before anything is changed.
pub(super) struct Prospect {
    /// Where the project is.
    pub(super) site: Site,
    /// The record, from the lock and the base; of a project that is adopted, what they would, if that is known.
    pub(super) recorded: Option<Project>,
    /// Whether the project has no record yet.
    pub(super) is_adopted: bool,
    /// What the files of a project that is adopted told of the answers.
    pub(super) inferred: Inferred,
    /// The project's files.
    pub(super) ours: Trees,
    /// The template's current render.
    pub(super) theirs: Trees,
    /// The properties of the project's files that the disk does not keep.
    pub(super) lent: Lent,
    /// What is to be done.
    pub(super) plan: Plan,
    /// What is recorded then.
    pub(super) record: Record,
    /// The answers that the template calls secret.
    pub(super) secret: BTreeSet<String>,
    /// The label of the template now and before, if it would be an older one.
    pub(super) downgrade: Option<[String; 2]>,
    /// That the record has lost answers, if it has.
    pub(super) mixed: Option<Diagnostic>,
    /// The lock files of package managers that are the project's own.
    pub(super) own_lock_files: BTreeSet<(Scope, String)>,
    /// The steps of the template's migrations that were due.
    pub(super) migrated: Vec<Taken>,
}

impl Prospect {
    /// A project in which no file changes, with what is recorded of it then.
    fn unmerged(site: Site, project: Project, record: Record) -> Self {
        let plan = Plan { moved: record.lock.moved.clone(), ..Plan::default() };
        Self {
            site,
            recorded: Some(project),
            is_adopted: false,
            inferred: Inferred::default(),
            ours: Trees::default(),
            theirs: Trees::default(),
            lent: Lent::default(),
            plan,
            record,
            secret: BTreeSet::new(),
            downgrade: None,
            mixed: None,
            own_lock_files: BTreeSet::new(),
            migrated: Vec::new(),
        }
    }

    /// The lock files of package managers, below the repository's root, that commands to run bring up to date.
    pub(super) fn lock_files(&self) -> Vec<String> {
        let lock = &self.record.lock;
        let has =
            |scope, path: &str| self.own_lock_files.contains(&(scope, path.to_owned())) || lock.lists(scope, path);
        let mut found = Vec::new();
        for todo in self.plan.commands(self.site.app_dir.as_ref(), has) {
            let files = lock.files.of(todo.scope);
            let directory = todo.directory.as_deref();
            let is_here = |path: &&RelPath| path.ancestors().next() == directory;
            let own = self.own_lock_files.iter().filter(|(scope, _)| *scope == todo.scope);
            let own: Vec<RelPath> = own.filter_map(|(_, path)| RelPath::new(path.as_str()).ok()).collect();
            let of_it = files
                .keys()
                .chain(&own)
                .filter(is_here)
                .filter(|path| Install::of(path.file_name()) == Some(todo.install));
            let place = self.site.place(todo.scope);
            let is_there = |path: &&RelPath| path.below(place).symlink_metadata().is_ok();
            found.extend(of_it.filter(is_there).map(|path| match todo.scope {
                Scope::Repository => path.to_string(),
                Scope::App => self.site.in_repository(path.as_str()),
            }));
        }
        found
    }

    /// Whether nothing would change, the record included.
    pub(super) fn is_empty(&self) -> bool {
        let recorded = |project: &Project| {
            project.merging.is_none()
                && project.lock == self.record.lock
                && project.present.is_superset(&self.record.lock.base())
        };
        self.plan.is_empty() && self.on_record().is_some_and(recorded)
    }
}

impl Prospect {
    /// The record, from the lock and the base; none for a project that is adopted.
    pub(super) fn on_record(&self) -> Option<&Project> {
        self.recorded.as_ref().filter(|_| !self.is_adopted)
    }

    /// The lock before; where git left it in conflict, one side of it.
    pub(super) fn before(&self) -> Option<&Lock> {
        self.on_record().map(|project| project.merging.as_deref().unwrap_or(&project.lock))
    }

    /// The template's version that a project that is adopted was made from, if that is known.
    pub(super) fn made_from(&self) -> Option<&LockedTemplate> {
        self.recorded.as_ref().filter(|_| self.is_adopted).map(|project| &project.lock.template)
    }

    /// Says what there is to do with a lock that was made of two sides.
    pub(super) fn say_what_to_commit(&self) {
        if self.recorded.as_ref().is_some_and(|project| project.merging.is_some()) {
            let add = self.site.git_add(&[], &format!("{DIRECTORY}/{LOCK}"));
            report::status(&format!("The lock is merged from both sides: run `{add}`, then commit the merge."));
        }
    }

    /// The answers that are recorded as they are known of a project that is adopted, and the source of each.
    pub(super) fn still_inferred(&self) -> BTreeMap<&str, String> {
        let answers = &self.record.lock.answers;
        self.inferred.taken(answers).map(|(name, found)| (name, found.by.to_string())).collect()
    }
}

/// Whether the commands of hooks may run: a command that promises to run nothing has no such options.
pub(super) type Commands<'a> = Option<&'a CommandArgs>;

/// Whether there may be questions to a person.
pub(super) fn may_ask(args: &RenderArgs) -> bool {
    !args.silent && prompt::possible()
}

/// Reads the record; where git left the lock in conflict, the command line or a person decides between its sides. What the command line
/// gives is only read then, and once: it may be a pipe.
fn read(site: &Site, args: &RenderArgs, may_ask: bool, given: &mut Option<GivenValues>) -> Result<Project> {
    Project::read_deciding(site.clone(), &mut |contradiction| {
        if given.is_none() {
            *given = Some(inputs::given(args.values_file.as_deref(), &args.define)?);
        }
        deciding::decide(contradiction, given.as_ref(), args, may_ask)
    })
}

/// Makes one lock of the two sides that git left of it, and nothing else. None where git left no conflict of it.
///
/// # Errors
///
/// Everything that keeps it from being done.
pub(super) fn lock_alone(site: Site, args: &RenderArgs) -> Result<Option<Prospect>> {
    let project = read(&site, args, false, &mut None)?;
    if project.merging.is_none() {
        return Ok(None);
    }
    let record = Record::again(project.lock.clone(), &project.bases, &project.present);
    Ok(Some(Prospect::unmerged(site, project, record)))
}

/// `--rev nearest` for a project without a record is about what it was made from; it is merged with the newest version then.
fn nearest_as_base(site: &Site, args: &RenderArgs) -> Option<RenderArgs> {
    let is_meant = args.source.rev.as_deref() == Some(nearest::NEAREST) && !site.has_lock();
    is_meant.then(|| RenderArgs {
        from: args.from.clone().or_else(|| Some(nearest::NEAREST.to_owned())),
        source: SourceArgs { rev: None, ..args.source.clone() },
        ..args.clone()
    })
}

/// Reads the project, renders the template, and merges.
///
/// # Errors
///
/// Everything that keeps it from being done.
pub(super) fn find(site: Site, args: &RenderArgs, commands: Commands<'_>) -> Result<Prospect> {
    let with_base = nearest_as_base(&site, args);
    let args = with_base.as_ref().unwrap_or(args);
    let may_ask = may_ask(args);
    let mut given = None;
    if args.from.is_some() {
        made_from::refuse_recorded(&site)?;
    }
    let mut recorded = if site.has_lock() { Some(read(&site, args, may_ask, &mut given)?) } else { None };
    recorded.as_ref().map_or_else(|| workspace::refuse_absent(&site), |_| Ok(()))?;
    recorded.as_ref().map_or(Ok(()), Project::refuse_displaced)?;
    let is_adopted = recorded.is_none();
    let mut was_inferred = Inferred::default();
    if let Some(revision) = &args.from {
        let values = inputs::given(args.values_file.as_deref(), &args.define)?;
        let access = Access { may_ask, offline: true, stay: false };
        let (project, inferred) = made_from::project(&site, revision, (args, commands), values.clone(), access)?;
        (recorded, given, was_inferred) = (Some(project), Some(values), inferred);
    }
    let lock = recorded.as_ref().map(|project| &project.lock);
    // To make one lock of two sides is no reason to go on to a newer template.
    let stay = recorded.as_ref().is_some_and(|project| project.merging.is_some());
    let access = Access { may_ask, offline: true, stay };
    let Loaded { mut template, warnings } = origin::load(&site, lock, &args.source, access)?;
    super::warn(warnings, args.strict)?;
    let version = template.manifest.ownership.version.as_deref();
    let downgrade = lock.and_then(|lock| origin::older(&template.origin, version, &lock.template));

    let mut inferred = if is_adopted { adoption::answers(&site, &template)? } else { Inferred::default() };
    // What the version told that it was made from is what its files were rendered with.
    inferred.answers.extend(was_inferred.answers);
    let version = lock.map(|lock| lock.template.version.as_deref());
    let due = version.map_or_else(|| Ok(Due::default()), |version| Due::between(version, &template.manifest))?;
    let known = known(lock, &inferred, &template, &due)?;
    let mut answered = answer(&site, lock, known, &template, given, (args, commands), may_ask)?;
    let bases = recorded.iter().map(|project| &project.bases);
    let mut migrated = Migrated::of(&due, bases.flat_map(|bases| bases.files.entries().map(|(path, _)| path)));
    let progress = report::Progress::of_files(template.files.len(), site.shown());
    progress.step("rendering");
    let rendered = match rendering::render(args, &site, lock, &mut template, &mut answered) {
        Err(problems) if answered.hooks.is_as_recorded() => {
            return recorded.map_or(Err(problems), |project| as_recorded(site, project, &template));
        }
        rendered => rendered?,
    };
    let present = recorded.as_ref().map(|project| project.present.clone()).unwrap_or_default();
    let mut record = answered.record(&template, &rendered, site.app_dir.as_ref(), &present);
    let (mut theirs, mut ownership) = (rendered.trees, rendered.ownership);
    ownership.renamed.append(&mut migrated.renamed);
    let kinds = workspace::kinds(&site)?;
    let nested = workspace::nested(&site, &kinds, recorded.as_ref().map(|project| &project.bases), &theirs)?;
    let unwritten = nested.take(recorded.as_mut().map(|project| &mut project.bases), &mut theirs);
    let ours = match &mut recorded {
        Some(project) => {
            let ours = workspace::ours(&site, &project.bases, &theirs, &project.room)?;
            workspace::complete(project, &ours, Needed::ToMerge)?;
            ours
        }
        None => workspace::ours(&site, &Bases::default(), &theirs, &Room::default())?,
    };
    let mut ours = nested.without(ours);
    let lent = workspace::lent(&site, &kinds, &mut ours, &theirs)?;
    let rustfmt = Rustfmt::new();
    let mut none = Bases::default();
    let known = recorded.as_mut().map_or(&mut none, |project| &mut project.bases);
    let wanted = formatting::wanted(&template.manifest);
    formatting::settle_all(&rustfmt, &site, known, &ours, Some(&mut theirs), (wanted, &rendered.secret));
    rustfmt.told().iter().for_each(|line| report::status(line));
    let before = recorded.as_ref().filter(|_| !is_adopted).map(|project| &project.lock);
    formatting::note(&mut record.lock, &theirs, before);
    let bases = recorded.as_ref().map(|project| &project.bases);
    match bases {
        Some(bases) if is_adopted => adoption::refuse_unlike(&site, bases, &ours)?,
        Some(bases) => workspace::refuse_left_out(&site, bases, &ours)?,
        None => {
            let said = args.source.is_given();
            adoption::refuse_stranger(&site, said, &template.manifest.ownership, &ours, &theirs)?;
        }
    }
    let edits = match commands {
        Some(args) => run_commands(&site, &mut migrated, &template, (args, may_ask), &mut ours)?,
        None => Edits::new(),
    };
    let unknown = recorded.iter().flat_map(|project| project.lock.files.entries());
    let mut hidden: BTreeSet<RelPath> = rendered.secret.keys().cloned().collect();
    hidden.extend(unknown.filter(|(_, pristine)| pristine.digest.is_none()).map(|(path, _)| path.clone()));
    progress.step("merging");
    let mut options = merging::options(&site, &template, args, rendered.secret);
    options.unchosen = answered.resolved.unchosen;
    let mut plan = merging::merged(&site, bases, &mut ours, &theirs, &ownership, options)?;
    rebase(&mut plan.files.app, &ours.app, &edits);
    migrating::put(&mut ours.app, edits.iter().map(|(path, [stands, _])| (path, stands.as_ref())));
    unwritten.tell(&mut plan);
    plan.notes.extend(inferred.notes.iter().cloned());
    workspace::refuse_outside(&site, &plan)?;
    report::diagnostics(&workspace::refuse_collisions(&site, bases, &plan, &theirs)?);
    record.lock.moved = plan.moved.clone();
    record.lock.conflicts = merge::conflicts(&plan, &hidden);
    if let Some(project) = recorded.as_ref().filter(|_| plan.is_empty()) {
        keep_conflicts(&mut record.lock, &project.lock);
    }
    let secret = template.manifest.ownership.secret_names().into_iter().map(str::to_owned).collect();
    let mixed =
        recorded.as_ref().filter(|_| !is_adopted).map_or(Ok(None), |it| workspace::mixed(it, &ours, &record.lock))?;
    let mixed = mixed.map(|Mixed { warning, digests }| {
        record.spare = digests;
        warning
    });
    let own_lock_files = merging::own_lock_files(&site, &plan)?;
    let migrated = migrated.steps;
    Ok(Prospect {
        site,
        recorded,
        is_adopted,
        inferred,
        ours,
        theirs,
        lent,
        plan,
        record,
        secret,
        downgrade,
        mixed,
        own_lock_files,
        migrated,
    })
}

/// Runs the commands of migrations, as far as they are agreed to. The app's files are then as those left them.
fn run_commands(
    site: &Site,
    migrated: &mut Migrated,
    template: &Template,
    agreement: (&CommandArgs, bool),
    ours: &mut Trees,
) -> Result<Edits> {
    let read = |directory: &Path, before: &Tree| workspace::left(Some(site), directory, before);
    let mut edits = migrating::run(migrated, &template.manifest, agreement, || workspace::copied(site), read)?;
    for (path, [stands, left]) in &mut edits {
        // As git sees it, where the disk does not keep all of it.
        if let Some(entry) = ours.app.get(path) {
            let disk = stands.replace(entry.clone());
            if let (
                Some(Entry::File { executable: was, .. }),
                Entry::File { executable: is, .. },
                Some(Entry::File { executable, .. }),
            ) = (disk, entry, left.as_mut())
                && was == *executable
            {
                *executable = *is;
            }
        }
    }
    migrating::put(&mut ours.app, edits.iter().map(|(path, [_, left])| (path, left.as_ref())));
    Ok(edits)
}

/// Nothing would change: the template is the same, and so are the answers; what its commands would give now does not count.
fn as_recorded(site: Site, mut project: Project, template: &Template) -> Result<Prospect> {
    let known = |base: &Base| base.iter().filter_map(|(path, it)| Some((path.clone(), it.entry.clone()?))).collect();
    let theirs = project.bases.files.as_ref().map(known);
    let ours = workspace::ours(&site, &project.bases, &theirs, &project.room)?;
    workspace::complete(&mut project, &ours, Needed::ToMerge)?;
    let lock = Lock { template: render::locked(template), ..project.lock.clone() };
    let record = Record::again(lock, &project.bases, &project.present);
    Ok(Prospect { ours, theirs, ..Prospect::unmerged(site, project, record) })
}

/// What the last upgrade left is nothing new: where nothing else changes, it stays recorded.
fn keep_conflicts(lock: &mut Lock, before: &Lock) {
    if !before.conflicts.is_empty() && *before == (Lock { conflicts: before.conflicts.clone(), ..lock.clone() }) {
        lock.conflicts.clone_from(&before.conflicts);
    }
}
