//! A project without a lock: whether it comes from the template, and which answers can be inferred from its files.

mod inference;
mod recorded;

use std::collections::BTreeMap;
use std::fmt;

use self::recorded::Tool;
use crate::answers::name;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::lock::{Base, Bases};
use crate::manifest::Ownership;
use crate::placeholders::Answer;
use crate::plan::{Note, Subject, Trees};
use crate::rooted::{Kind, Root};
use crate::template::Template;
use crate::terminal::beginning;
use crate::tree::{RelPath, Tree};
use crate::workspace::{self, Site};

/// Refuses a project that another tool manages, unless the template was `said`, and one that does not look like a project of the template.
///
/// # Errors
///
/// Says why, and what to do instead.
pub(super) fn refuse_stranger(
    site: &Site,
    said: bool,
    ownership: &Ownership,
    ours: &Trees,
    theirs: &Trees,
) -> Result<()> {
    let shown = site.shown();
    let root = Root::open_if_there(&site.app)?;
    let other = recorded::manager(&root).filter(|_| !said);
    let (title, help) = match other {
        Some(Tool { file, name, .. }) => (
            format!("`{shown}` is managed by {name}: it has `{file}`"),
            "to manage it with create-app from now on, choose the template with --git, --path or --embedded: its answers are \
             reused"
                .to_owned(),
        ),
        None if is_alike(&root, ownership, ours, theirs) => return Ok(()),
        None if let Some(problem) = workspace::misplaced(site) => return Err(problem.into()),
        None => (
            format!("`{shown}` was not created by create-app, and it does not look like a project made from this \
                template"),
            what_to_give(ownership),
        ),
    };
    Err(Diagnostic::error(Code::LockMissing, title).help(help).into())
}

/// Refuses a project that has none of the files of the version that it is said to come from.
///
/// # Errors
///
/// Says so.
pub(super) fn refuse_unlike(site: &Site, bases: &Bases, ours: &Trees) -> Result<()> {
    let has = |base: &Base, ours: &Tree| base.keys().any(|path| ours.contains_key(path));
    if has(&bases.files.app, &ours.app) || has(&bases.files.repository, &ours.repository) {
        return Ok(());
    }
    let title = format!("`{}` has none of the files of the version that --from selects", site.shown());
    Err(Diagnostic::error(Code::LockMissing, title).help("pass the app's directory, or another revision").into())
}

/// Whether the project has one of the files that identify it; if the template lists none, any file of the template's.
fn is_alike(root: &Option<Root>, ownership: &Ownership, ours: &Trees, theirs: &Trees) -> bool {
    if ownership.adopt.is_empty() {
        return theirs.app.keys().any(|path| ours.app.contains_key(path));
    }
    ownership.adopt.iter().any(|file| is_file(root, &file.value))
}

/// Whether the project has a file of its own at a path: not what is behind a link.
fn is_file(root: &Option<Root>, path: &str) -> bool {
    root.as_ref().is_some_and(|root| matches!(root.kind(path), Ok(Some(Kind::File))))
}

fn what_to_give(ownership: &Ownership) -> String {
    let make = "create a new project with `create-app new`, or pass the directory of an app";
    let files: Vec<String> = ownership.adopt.iter().map(|file| format!("`{}`", file.value)).collect();
    match files.as_slice() {
        [] => make.to_owned(),
        [file] => format!("{make}: it has {file}"),
        [files @ .., last] => format!("{make}: it has {} or {last}", files.join(", ")),
    }
}

/// A known answer of a project without a lock.
#[derive(Debug)]
pub(super) struct Found {
    /// The answer.
    pub(super) answer: Answer,
    /// Its source.
    pub(super) by: By,
}

/// The source of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    /// A file of the project's, at these keys; of all of its text where there are none.
    File {
        /// The file.
        file: String,
        /// The keys, joined with dots where they are below others.
        keys: Vec<String>,
    },
    /// The name of its directory.
    Directory,
    /// The template's manifest, which has an answer for every project that is adopted.
    Template,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, keys } if keys.is_empty() => write!(f, "from {file}"),
            Self::File { file, keys } if keys.len() > KEYS => write!(f, "from {file}: {}, …", keys[..KEYS].join(", ")),
            Self::File { file, keys } => write!(f, "from {file}: {}", keys.join(", ")),
            Self::Directory => f.write_str("from the directory's name"),
            Self::Template => f.write_str("by default"),
        }
    }
}

/// At most this many keys of a file are named.
const KEYS: usize = 5;

/// The known answers for a project without a lock, and the settings that they do not carry over.
#[derive(Debug, Default)]
pub(super) struct Inferred {
    /// The known answers.
    pub(super) answers: BTreeMap<String, Found>,
    /// What they do not take over.
    pub(super) notes: Vec<Note>,
}

impl Inferred {
    /// The answers, as values.
    pub(super) fn values(&self) -> impl Iterator<Item = (String, Answer)> {
        self.answers.iter().map(|(name, found)| (name.clone(), found.answer.clone()))
    }

    /// Those that the project has: others were given, or the question is not asked.
    pub(super) fn taken<'a>(
        &'a self,
        answers: &BTreeMap<String, Answer>,
    ) -> impl Iterator<Item = (&'a str, &'a Found)> {
        let all = self.answers.iter().map(|(name, found)| (name.as_str(), found));
        all.filter(|(name, found)| answers.get(*name).is_some_and(|it| it.to_string() == found.answer.to_string()))
    }

    /// The answers that files told and that are taken, in words.
    pub(super) fn told(&self, answers: &BTreeMap<String, Answer>) -> Vec<String> {
        let of_files = self.taken(answers).filter(|(_, found)| matches!(found.by, By::File { .. }));
        of_files
            .map(|(name, found)| format!("{name}: \"{}\" ({})", beginning(&found.answer.to_string(), SHOWN), found.by))
            .collect()
    }
}

/// At most this much of an answer is shown, in bytes.
const SHOWN: usize = 400;

/// What other tools have recorded and the files tell of the answers, by the template's `[create-app.infer]`, as far as these are answers;
/// and a name.
///
/// # Errors
///
/// If one of these files cannot be read, or a regular expression of the template takes too much memory.
pub(super) fn answers(site: &Site, template: &Template) -> Result<Inferred> {
    const NAME: &str = "project-name";
    template.manifest.check_inferences()?;
    let ownership = &template.manifest.ownership;
    let is_answer = |name: &str, text: &str| {
        let placeholder = template.manifest.declared().find(|placeholder| placeholder.name == name);
        placeholder.is_none_or(|placeholder| placeholder.parse(text).is_ok())
    };
    let mut files = inference::Files::open(site)?;
    let mut answers = BTreeMap::new();
    let mut taken = inference::Taken::default();
    let mut notes = Vec::new();
    for placeholder in template.manifest.declared() {
        if let Some((answer, told)) = recorded::answer(&mut files, placeholder, &mut notes)? {
            answers.entry(placeholder.name.clone()).or_insert(Found { answer, by: told.by });
        }
    }
    for (name, ways) in &ownership.infer {
        if answers.contains_key(name) {
            continue;
        }
        for way in ways {
            if let Some(told) = files.infer(way, |text| is_answer(name, text))? {
                taken.extend(told.spots);
                answers.insert(name.clone(), Found { answer: Answer::Text(told.text), by: told.by });
                break;
            }
        }
    }
    let directory = site.app.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let recorded = recorded::name(&mut files)?.map(|told| (told.text, told.by));
    let inferred = answers.remove(NAME).map(|found| (found.answer.to_string(), found.by));
    let (known, by) = recorded.or(inferred).unwrap_or((directory, By::Directory));
    // The scope of a package is not a part of its name.
    let known = known.rsplit('/').next().unwrap_or_default();
    let named = name::nearest(known, ownership.name_pattern.as_ref());
    answers.insert(NAME.to_owned(), Found { answer: Answer::Text(named), by });
    notes.extend(files.not_adopted(&ownership.not_adopted, &taken)?);
    if let Some(Tool { file, name, .. }) = recorded::manager(files.root())
        && let Ok(path) = RelPath::new(*file)
    {
        notes.push(Note { path, subject: Subject::OtherTool(name) });
    }
    Ok(Inferred { answers, notes })
}
