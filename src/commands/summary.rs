//! What a person reads when a project has been made.

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::{DIRECTORY, LOCK, Record};
use crate::manifest::Next;
use crate::plan::{Action, Change, Plan, Reason};
use crate::terminal::escape_control;
use crate::tree::{Mode, RelPath};
use crate::workspace::{self, Aside, Done, Site};
use crate::{git, report, shell};

/// Says what was made, and what to do next.
pub(super) fn made(site: &Site, plan: &Plan, inferred: &[String], next: &[Next]) -> Result<()> {
    let kept: Vec<_> = plan.kept().collect();
    let files = plan.app.len() + plan.repository.len() - kept.len();
    let noun = if files == 1 { "file" } else { "files" };
    report::line(&format!("Made {} ({files} {noun})", site.shown()))?;
    for path in plan.repository.iter().filter(|(_, change)| change.action != Action::Keep).map(|(path, _)| path) {
        report::line(&format!("  at the repository's root: {path}"))?;
    }
    let all = || plan.app.iter().chain(&plan.repository);
    for answer in inferred {
        report::line(&format!("  answer: {}", escape_control(answer)))?;
    }
    for (path, change) in all().filter(|(_, change)| matches!(change.action, Action::Update { .. })) {
        let what = if change.reason == Reason::Adopted { "the template's part was put into" } else { "replaced" };
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
            "\nThe template has other content for the files that were kept: the project may need it to work.",
        )?;
    }
    let is_elsewhere = site.app.as_path() != std::env::current_dir().unwrap_or_default();
    let mut commands: Vec<String> = Vec::new();
    commands.extend(is_elsewhere.then(|| format!("cd {}", shell::place(site.given()))));
    commands.extend(next.iter().map(|next| escape_control(&next.run).into_owned()));
    commands.extend(only_in_index(site, plan));
    if !commands.is_empty() {
        report::line("\nWhat now:\n")?;
    }
    for command in commands {
        report::line(&format!("  {command}"))?;
    }
    missing_programs(next)
}

/// The commands that tell git what this disk cannot keep: which files are executable, and which are links.
fn only_in_index(site: &Site, plan: &Plan) -> Vec<String> {
    let kept = workspace::kept_by_disk(site);
    let app = plan.app.iter().map(|(path, change)| (path.to_string(), change));
    let up = site.app_dir.as_ref().map(RelPath::way_up).unwrap_or_default();
    let all: Vec<(String, &Change)> =
        app.chain(plan.repository.iter().map(|(path, change)| (format!("{up}{path}"), change))).collect();
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
                "\n`{}` is not installed; get it with: {}",
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
        .help(format!("add {lines} below that rule: only what is committed can keep the project up to date"));
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
        let title = format!("`{}` was edited in the same moment, and was left", aside.path.display());
        let help = match &aside.other {
            Some(other) => format!("the template's is `{}`: compare them, and remove it", other.display()),
            None => "compare it with what is there now; remove what is no longer needed".to_owned(),
        };
        Diagnostic::warning(Code::TargetExists, title).help(help)
    };
    report::diagnostics(&asides.iter().map(warn).collect::<Vec<_>>());
}
