//! The summary after a project has been created.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::{DIRECTORY, LOCK, Record};
use crate::manifest::Next;
use crate::plan::{Action, Change, Plan, Reason};
use crate::terminal::escape_control;
use crate::tree::{Mode, RelPath};
use crate::workspace::{self, Aside, Done, Site};
use crate::{git, report, shell};

/// Further details of a new project.
pub(super) struct Details<'a> {
    /// The manifest of a workspace outside any repository that it was added to.
    pub(super) workspace: Option<&'a Path>,
    /// The template's files that were left out, where those that were written are to be listed as well.
    pub(super) left_out: Option<&'a [RelPath]>,
}

/// Says what was made, and what to do next.
pub(super) fn made(site: &Site, plan: &Plan, inferred: &[String], next: &[Next], details: &Details<'_>) -> Result<()> {
    let kept: Vec<_> = plan.kept().collect();
    let is_member = |change: &Change| change.reason == Reason::Member;
    let joined = plan.files.repository.iter().find(|(_, change)| is_member(change)).map(|(path, _)| path);
    let files = plan.files.app.len() + plan.files.repository.len() - kept.len() - usize::from(joined.is_some());
    let noun = if files == 1 { "file" } else { "files" };
    report::line(&format!("Created {} ({files} {noun})", site.shown()))?;
    if let Some(manifest) = joined.map(|path| path.below(site.root())).as_deref().or(details.workspace) {
        report::line(&format!("  added to the workspace: {}", escape_control(&manifest.to_string_lossy())))?;
    }
    let is_made = |change: &Change| change.action != Action::Keep && !is_member(change);
    for path in plan.files.repository.iter().filter(|(_, change)| is_made(change)).map(|(path, _)| path) {
        report::line(&format!("  at the repository's root: {path}"))?;
    }
    let all = || plan.files.entries();
    if let Some(left_out) = details.left_out {
        for (path, _) in plan.files.app.iter().filter(|(_, change)| matches!(change.action, Action::Create(_))) {
            report::line(&format!("  written: {path}"))?;
        }
        for path in left_out {
            report::line(&format!("  left out: {path}"))?;
        }
    }
    for answer in inferred {
        report::line(&format!("  answer: {}", escape_control(answer)))?;
    }
    let is_updated = |change: &Change| matches!(change.action, Action::Update { .. }) && !is_member(change);
    for (path, change) in all().filter(|(_, change)| is_updated(change)) {
        let what = if change.reason == Reason::Adopted { "the template's part was added to" } else { "replaced" };
        report::line(&format!("  {what}: {path}"))?;
    }
    for note in &plan.notes {
        let subject = note.subject.to_string();
        report::line(&format!("  note: {}: {}", escape_control(note.path.as_str()), escape_control(&subject)))?;
    }
    for path in &kept {
        report::line(&format!("  kept as it was: {path}"))?;
    }
    if !kept.is_empty() {
        report::line(
            "\nThe template's versions of the files that were kept differ: the project may need them to work.",
        )?;
    }
    let is_elsewhere = site.app.as_path() != std::env::current_dir().unwrap_or_default();
    let mut commands: Vec<String> = Vec::new();
    commands.extend(is_elsewhere.then(|| format!("cd {}", shell::place(site.given()))));
    commands.extend(next.iter().map(|next| escape_control(&next.run).into_owned()));
    commands.extend(only_in_index(site, plan));
    if !commands.is_empty() {
        report::line("\nNext steps:\n")?;
    }
    for command in commands {
        report::line(&format!("  {command}"))?;
    }
    missing_programs(next)
}

/// The commands that tell git what this disk cannot keep: which files are executable, and which are links.
fn only_in_index(site: &Site, plan: &Plan) -> Vec<String> {
    let kept = workspace::kept_by_disk(site);
    let app = plan.files.app.iter().map(|(path, change)| (path.to_string(), change));
    let up = site.app_dir.as_ref().map(RelPath::way_up).unwrap_or_default();
    let all: Vec<(String, &Change)> =
        app.chain(plan.files.repository.iter().map(|(path, change)| (format!("{up}{path}"), change))).collect();
    let of_mode = |wanted: Mode| {
        all.iter().filter_map(move |(path, change)| match &change.action {
            Action::Create(after) | Action::Update { after, .. } if after.mode() == wanted => Some(shell::path(path)),
            _ => None,
        })
    };
    let mut commands = Vec::new();
    let executables: Vec<_> = if kept.modes { Vec::new() } else { of_mode(Mode::Executable).collect() };
    if !executables.is_empty() {
        commands.push(format!("git add --chmod=+x -- {}", executables.join(" ")));
    }
    if !kept.links {
        let link = |path| {
            format!("git add -- {path} && git update-index --cacheinfo 120000 $(git rev-parse :./{path}) {path}")
        };
        commands.extend(of_mode(Mode::Symlink).map(link));
    }
    commands
}

/// How to get the programs that the next commands need and that are not there.
fn missing_programs(next: &[Next]) -> Result<()> {
    let mut told = Vec::new();
    for Next { run, get } in next {
        let program = run.split_whitespace().next().unwrap_or("");
        if let Some(get) = get
            && !told.contains(&program)
            && !is_installed(program)
        {
            told.push(program);
            report::line(&format!(
                "\n`{}` is not installed; install it with: {}",
                escape_control(program),
                escape_control(get)
            ))?;
        }
    }
    Ok(())
}

fn is_installed(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|directory| {
        ["", ".exe", ".cmd"].iter().any(|extension| directory.join(format!("{program}{extension}")).is_file())
    })
}

/// A warning where git ignores the record: what is not committed is not there for the next upgrade.
pub(super) fn ignored(site: &Site, record: &Record) -> Vec<Diagnostic> {
    let base = record.base.keys().next().map(|digest| format!("{DIRECTORY}/base/{digest}"));
    let paths: Vec<String> =
        [Some(DIRECTORY.to_owned()), Some(format!("{DIRECTORY}/{LOCK}")), base].into_iter().flatten().collect();
    // Where git is missing or fails, the project is no worse for it.
    let ignored = git::check_ignore(&site.app, paths.iter().map(String::as_str)).unwrap_or_default();
    let Some(first) = ignored.first() else { return Vec::new() };
    // Git does not look into a directory that it ignores, whatever is said of the files in it.
    let lines = if first.path == DIRECTORY {
        format!("the lines `!{DIRECTORY}/` and `!**/{DIRECTORY}/**`")
    } else {
        format!("the line `!**/{DIRECTORY}/**`")
    };
    let title = format!("git ignores `{}` by the rule `{}` ({}:{})", first.path, first.pattern, first.file, first.line);
    let warning = Diagnostic::warning(Code::LockIgnored, title)
        .help(format!("add {lines} below that rule: a project can only be upgraded if its record is committed"));
    vec![warning]
}

/// Says what there is to know of a change that was made: what somebody edited meanwhile, and what went wrong afterwards.
pub(super) fn warn_of(done: &Done) {
    warn_of_asides(&done.asides);
    report::diagnostics(&done.warnings);
}

/// Warns of files that somebody edited while the project was being made.
pub(super) fn warn_of_asides(asides: &[Aside]) {
    let warn = |aside: &Aside| {
        let title = format!("`{}` was edited at the same time, and was left as it is", aside.path.display());
        let help = match &aside.other {
            Some(other) => format!("the template's version is `{}`: compare the two, then remove it", other.display()),
            None => "compare it with the current file; remove it when you no longer need it".to_owned(),
        };
        Diagnostic::warning(Code::TargetExists, title).help(help)
    };
    report::diagnostics(&asides.iter().map(warn).collect::<Vec<_>>());
}
