//! The lock of a project, also one that git left in conflict: both sides of it are read then, and made one.

use super::locks::{lock_bytes, parse, understood};
use super::site::Site;
use crate::answers::given;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::digest::Digest;
use crate::git;
use crate::lock::{Contradiction, DIRECTORY, LOCK, Lock, LockedTemplate, Sides};
use crate::placeholders::Answer;
use crate::shell;

/// A lock that was read.
pub(super) struct Read {
    pub(super) lock: Lock,
    /// Of its text.
    pub(super) digest: Digest,
    /// One side, if git left the lock in conflict.
    pub(super) merging: Option<Box<Lock>>,
}

/// What is to become of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nobody knows: it is an error.
    Open,
    /// This is the answer. Of a template, it is said elsewhere.
    Answer(Option<Answer>),
}

/// Decides about contradictions of two locks.
pub type Decide<'a> = &'a mut dyn FnMut(&Contradiction) -> Result<Decision>;

/// Reads the lock; `None` if there is no file.
///
/// # Errors
///
/// If it cannot be read, and what nobody decides.
pub(super) fn read(site: &Site, decide: Decide<'_>) -> Result<Option<Read>> {
    let name = site.name_of(&format!("{DIRECTORY}/{LOCK}"));
    let Some(bytes) = lock_bytes(&site.app)? else { return Ok(None) };
    let digest = Digest::of(&bytes);
    let text = String::from_utf8(bytes).map_err(|_| {
        Diagnostic::error(Code::LockInvalid, format!("`{name}` is not UTF-8"))
            .help("restore it from git: `git checkout -- .create-app/lock.toml`")
    })?;
    let parsed = parse(&text, &name);
    let sides = match &parsed {
        Ok(_) => staged(site, &name, Some(&text))?,
        Err(_) => match Sides::texts(&text) {
            Some(texts) => {
                staged(site, &name, None)?.map_or_else(|| marked(texts, &name).map(Some), |it| Ok(Some(it)))?
            }
            None => None,
        },
    };
    let Some(sides) = sides else { return Ok(Some(Read { lock: parsed?, digest, merging: None })) };
    let (mut lock, contradictions) = sides.merged();
    let mut open = Vec::new();
    for contradiction in contradictions {
        match (decide(&contradiction)?, &contradiction) {
            (Decision::Open, _) => open.push(tell(&name, &contradiction)),
            (Decision::Answer(Some(answer)), Contradiction::Answer { name, .. }) => {
                lock.answers.insert(name.clone(), answer);
            }
            (Decision::Answer(None), Contradiction::Answer { name, .. }) => drop(lock.answers.remove(name)),
            (Decision::Answer(_), Contradiction::Template { .. }) => {}
        }
    }
    if !open.is_empty() {
        return Err(Diagnostics(open));
    }
    Ok(Some(Read { lock, digest, merging: Some(Box::new(sides.ours)) }))
}

/// The sides between the markers.
fn marked([base, ours, theirs]: [Option<String>; 3], name: &str) -> Result<Sides> {
    // With git's own markers, each side is what a create-app wrote. Without their base, both sides have made all that they have.
    let base = base.and_then(|text| understood(text.into_bytes()));
    let [ours, theirs] = [ours, theirs].map(|text| parse(&text.unwrap_or_default(), name));
    Ok(Sides { base, ours: ours?, theirs: theirs? })
}

/// The sides that git's index has; `None` if it has no conflict of the lock, and if `text`, which can be read, is neither of
/// them: then somebody decided already.
fn staged(site: &Site, name: &str, text: Option<&str>) -> Result<Option<Sides>> {
    let Some(root) = site.repository.as_deref() else { return Ok(None) };
    if text.is_some() && !git::may_be_merging(root) {
        return Ok(None);
    }
    let texts = git::stages(root, &site.in_repository(&format!("{DIRECTORY}/{LOCK}")))?;
    let [base, ours, theirs] = texts.map(|bytes| bytes.and_then(|bytes| String::from_utf8(bytes).ok()));
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return Ok(None) };
    let is_side = |text: &str| [&ours, &theirs].iter().any(|side| side.lines().eq(text.lines()));
    if text.is_some_and(|text| !is_side(text)) {
        return Ok(None);
    }
    let base = base.and_then(|text| understood(text.into_bytes()));
    Ok(Some(Sides { base, ours: parse(&ours, name)?, theirs: parse(&theirs, name)? }))
}

/// Says what excludes each other, and how to decide.
fn tell(lock: &str, contradiction: &Contradiction) -> Diagnostic {
    match contradiction {
        Contradiction::Answer { name, ours, theirs } => {
            let shown =
                |answer: &Option<Answer>| answer.as_ref().map_or("no answer".to_owned(), |it| format!("`{it}`"));
            let [ours_shown, theirs_shown] = [ours, theirs].map(shown);
            let title = format!(
                "`{lock}` has a merge conflict: `{name}` is {ours_shown} on one side and {theirs_shown} on the other"
            );
            let give = |answer: &Answer| given::option(name, answer).unwrap_or_else(|| "a --values-file".to_owned());
            let given: Vec<String> = [ours, theirs].into_iter().flatten().map(give).collect();
            let help = format!("run `create-app upgrade` with {}", given.join(" or "));
            Diagnostic::error(Code::LockInvalid, title).help(help)
        }
        Contradiction::Template { ours, theirs } => {
            let [ours, theirs] = [ours, theirs].map(|it| flags(it));
            let title = format!("`{lock}` has a merge conflict: its two sides follow different templates");
            let help = format!("run `create-app upgrade` with {ours}, or with {theirs}");
            Diagnostic::error(Code::LockInvalid, title).help(help)
        }
    }
}

/// The options that name a template.
fn flags(template: &LockedTemplate) -> String {
    let source = if template.is_in_git() { "--git" } else { "--path" };
    let mut words = vec![source.to_owned(), shell::word(&template.source).into_owned()];
    if let Some((key, name)) = template.reference.pair() {
        let name = template.reference.requirement().unwrap_or(name);
        words.extend([format!("--{key}"), shell::word(name).into_owned()]);
    }
    words.extend(
        template.subfolder.iter().flat_map(|folder| ["--subfolder".to_owned(), shell::word(folder).into_owned()]),
    );
    format!("`{}`", words.join(" "))
}

/// Says that git left the lock in conflict, although its sides fit together.
pub(super) fn in_conflict(site: &Site) -> Diagnostic {
    let lock = site.name_of(&format!("{DIRECTORY}/{LOCK}"));
    let help = "run `create-app upgrade`, which merges both sides; then `git add` the lock, and commit the merge";
    Diagnostic::error(Code::LockInvalid, format!("`{lock}` has a merge conflict")).help(help)
}
