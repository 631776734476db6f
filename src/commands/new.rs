//! `create-app new`: creates a project from a template and answers.

mod answers;
mod consent;
mod mistaken;
mod place;
mod rendering;

use std::collections::BTreeSet;
use std::path::PathBuf;

use self::answers::{answer, facts, given, known, say_that_nobody_was_asked};
use self::place::Placed;
use super::adoption::{self, Inferred};
use super::origin::{self, Access};
use super::pipeline::{Rendered, inputs, render};
use super::summary::Details;
use super::{Outcome, interrupted};
use crate::answers::prompt;
use crate::cli::{NewArgs, Vcs};
use crate::diagnostic::Result;
use crate::formatting::{self, Rustfmt};
use crate::lock::Record;
use crate::manifest::Ownership;
use crate::merge::{self, Options};
use crate::plan::{Existing, Plan, Trees};
use crate::render::Secret;
use crate::template::Template;
use crate::terminal::escape_control;
use crate::trace;
use crate::workspace::{self, Joined, Project, Site};
use crate::{git, report};

/// How the command was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// `create-app new PATH`.
    InFull,
    /// `create-app PATH`: the path may be a word that was meant for something else.
    Short,
}

/// Runs `create-app new`.
///
/// # Errors
///
/// Everything that stopped it; then nothing was written. What goes wrong when the project is complete is a warning.
pub(super) fn run(args: &NewArgs, typed: Typed) -> Result<Outcome> {
    made(args, typed).map(|(outcome, _)| outcome)
}

/// The same; says where the project is, unless none was made.
///
/// # Errors
///
/// As [`run`].
pub(super) fn made(args: &NewArgs, typed: Typed) -> Result<(Outcome, Option<PathBuf>)> {
    if let Some(path) = &args.path {
        mistaken::refuse_template(path, args)?;
    }
    let site = place::first(args)?;
    let mut run = Run { typed, has_written: interrupted::finish(&site)?, app: None };
    let made = make(args, site, &mut run);
    super::concluded(made, run.has_written).map(|outcome| (outcome, run.app))
}

/// The state of a run, also when it fails.
struct Run {
    typed: Typed,
    /// Whether a change that was interrupted was finished.
    has_written: bool,
    /// Where the project is, once it is.
    app: Option<PathBuf>,
}

fn make(args: &NewArgs, site: Site, run: &mut Run) -> Result<Outcome> {
    let may_ask = !args.silent && prompt::possible();
    let loaded = origin::load(&site, None, &args.source, Access { may_ask, offline: true, stay: false })?;
    let given = given(args)?;
    let mut template = loaded.template;
    let Placed { site, args, begun, has_written } = place::settled(args, site, &mut template, &given, may_ask)?;
    run.has_written |= has_written;
    let (site, args) = (&site, &args);
    let existing = existing(args);
    // A second template adds to the first one's project, and the record stays that of the first.
    let first = if args.layered && existing == Existing::Keep && site.has_lock() {
        Some(Project::read(site.clone())?)
    } else {
        site.check(existing)?;
        None
    };
    super::warn(loaded.warnings, args.strict)?;

    let mentioned = inputs::remembered(&template);
    let facts = facts(args, site, &template, &given, &mentioned)?;
    let inferred = if existing == Existing::Keep { adoption::answers(site, &template)? } else { Inferred::default() };
    let known = known(&inferred, given);
    let mut answered = answer(args, &template, (&facts, &mentioned), &known, begun, may_ask)?;
    say_that_nobody_was_asked(args, &template, may_ask);
    let progress = report::Progress::of_files(template.files.len(), site.shown());
    progress.step("rendering");
    // To render takes the files away.
    let files = (args.strict || args.verbose).then(|| template.files.clone());
    let rendered = rendering::render(args, site, &mut template, &mut answered)?;
    let resolved = &answered.resolved;
    let left_out = match &files {
        Some(files) if args.verbose => render::left_out(files, resolved)?,
        _ => Vec::new(),
    };
    if let Some(files) = files.filter(|_| args.strict) {
        render::refuse_rendered_cases(&files, resolved)?;
        render::lint(&template, &files, resolved, &rendered)?;
    }

    let trees = format(args, site, &template, &rendered);
    let record = match &first {
        Some(project) => Record::again(project.lock.clone(), &project.bases, &project.present),
        None => {
            let mut record = answered.record(&template, &rendered, site.app_dir.as_ref(), &BTreeSet::new());
            formatting::note(&mut record.lock, &trees, None);
            record
        }
    };
    let ours = site.read(&trees.app, &trees.repository)?;
    let Joined { membership, is_member, warning } = joined(args, site, &trees, &ours, existing);
    report::diagnostics(warning.as_slice());
    let mut plan = plan(trees, &ours, existing, &rendered.ownership, rendered.secret, &inferred);
    let membership = membership.and_then(|membership| membership.plan(site, &mut plan));
    workspace::refuse_outside(site, &plan)?;
    report::diagnostics(&workspace::refuse_collisions(site, None, &plan, &Trees::default())?);
    if wants_repository(args, site, &template, is_member) {
        // Who asks for a repository in so many words gets all or nothing.
        if args.vcs.is_some() {
            git::require()?;
        }
        git::refuse_remains(&site.app)?;
    }
    if may_ask && run.typed == Typed::Short && site.app_dir.is_some() {
        progress.clear();
        if !consent::given(site, &plan)? {
            return Ok(Outcome::Differences);
        }
    }
    progress.step("writing");
    let stage = trace::stage("writing");
    let done = workspace::create(site, &plan, &record, existing)?;
    drop(stage);
    run.app = Some(site.app.clone());

    drop(progress);
    let in_repository = start_repository(args, site, &template, is_member);
    let told = inferred.told(&resolved.answers);
    let joined = membership.filter(|membership| {
        let written = membership.write();
        let is_written = written.is_ok();
        super::warn_after_the_fact(written, "the project is complete, but it is not in the workspace yet");
        is_written
    });
    if args.fleeting {
        super::summary::warn_of(&done);
        return Ok(Outcome::Clean);
    }
    let details = Details {
        workspace: joined.as_ref().map(workspace::Membership::manifest),
        left_out: args.verbose.then_some(left_out.as_slice()),
    };
    let ownership = &template.manifest.ownership;
    let printed = if args.json {
        let next = ownership.next.iter().map(|next| next.run.as_str());
        let (shown, secret) = (site.shown().to_string(), ownership.secret_names());
        let place = (shown.as_str(), site.app_dir.as_ref());
        let is_created = in_repository && site.repository.is_none();
        report::result(&report::json::made(place, &record.lock, &secret, &plan, is_created, next))
    } else {
        super::summary::made(site, &plan, &told, &ownership.next, &details)
    };
    super::warn_after_the_fact(printed, "the project is complete");
    super::summary::warn_of(&done);
    if let Some(project) = first {
        let source = escape_control(&project.lock.template.source).into_owned();
        let update = site.command("upgrade");
        report::status(&format!("The project still follows its template `{source}`: to upgrade it, run `{update}`."));
    }
    if in_repository {
        report::diagnostics(&super::summary::ignored(site, &record));
    }
    Ok(Outcome::Clean)
}

/// The Cargo workspace around the project, by the manifest that it will have.
fn joined(args: &NewArgs, site: &Site, trees: &Trees, ours: &Trees, existing: Existing) -> Joined {
    if args.no_workspace {
        return Joined::default();
    }
    let find =
        |tree: &Trees| tree.app.iter().find(|(path, _)| path.as_str() == "Cargo.toml").map(|(_, entry)| entry.clone());
    let kept = find(ours).filter(|_| existing != Existing::Replace);
    workspace::joined(site, find(trees).map(|made| kept.unwrap_or(made)).as_ref())
}

/// The files as the project gets them: formatted, where that is wanted and can be done. Nothing fails for want of it.
fn format(args: &NewArgs, site: &Site, template: &Template, rendered: &Rendered) -> Trees {
    if args.no_fmt || !formatting::wanted(&template.manifest) {
        return rendered.trees.clone();
    }
    let rustfmt = Rustfmt::new();
    let trees = formatting::formatted(&rustfmt, site, &rendered.trees, &rendered.secret);
    rustfmt.told().iter().for_each(|line| report::status(line));
    trees
}

/// The files that are made; with `--init`, what is added to those that are there as well.
fn plan(
    trees: Trees,
    ours: &Trees,
    existing: Existing,
    ownership: &Ownership,
    secret: Secret,
    inferred: &Inferred,
) -> Plan {
    let additions = match existing {
        Existing::Keep => {
            let options = Options { modes: cfg!(unix), secret, ..Options::default() };
            merge::additions(ours, &trees, ownership, &options)
        }
        Existing::Refuse | Existing::Replace => Plan::default(),
    };
    let mut plan = Plan::new(trees, ours, existing);
    for (scope, changes) in additions.files {
        plan.files.of_mut(scope).extend(changes);
    }
    plan.notes = additions.notes.into_iter().chain(inferred.notes.iter().cloned()).collect();
    plan
}

fn existing(args: &NewArgs) -> Existing {
    match (args.overwrite, args.init) {
        (true, _) => Existing::Replace,
        (false, true) => Existing::Keep,
        (false, false) => Existing::Refuse,
    }
}

/// Whether the project is to become a repository.
fn wants_repository(args: &NewArgs, site: &Site, template: &Template, is_member: bool) -> bool {
    let wanted = match args.vcs {
        Some(vcs) => vcs == Vcs::Git,
        // A member of a workspace is a part of it.
        None => args.force_git_init || !template.manifest.no_vcs && !args.init && !is_member,
    };
    wanted && site.repository.is_none()
}

/// Makes the project a repository, where it is to be one. Returns whether it is in one now. The project is there, and complete:
/// what cannot be done is reported.
fn start_repository(args: &NewArgs, site: &Site, template: &Template, is_member: bool) -> bool {
    if !wants_repository(args, site, template, is_member) {
        return site.repository.is_some();
    }
    let started = git::init(&site.app);
    let is_started = started.is_ok();
    let help = format!("the project is complete; run `git init` in `{}` once git works", site.shown());
    super::warn_after_the_fact(started, &help);
    is_started
}
