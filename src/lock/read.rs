//! Reads the lock by walking the TOML document, so that every problem has its place and all are reported at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Conflicted, Conflicts, FORMAT, Lock, LockedTemplate, MARKED, OLDEST, Pristine, SKIPPED};
use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, did_you_mean};
use crate::digest::Digest;
use crate::limits::is_overfull_toml;
use crate::placeholders::Answer;
use crate::scope::Scoped;
use crate::source::{Requirement, recorded};
use crate::template::Reference;
use crate::tree::{Mode, RelPath};

const KEYS: &[&str] = &[
    "format",
    "app_dir",
    "date",
    "template",
    "answers",
    "files",
    "repository-files",
    "moved",
    "conflicts",
    "repository-conflicts",
];
const TEMPLATE_KEYS: &[&str] =
    &["source", "requirement", "branch", "tag", "rev", "subfolder", "submodules", "version", "revision", "digest"];
/// At most this many problems are told apart; the rest is counted.
const MOST: usize = 64;
const RESTORE: &str = "restore the line from git; only create-app should write this file";

impl Lock {
    /// Reads a lock; `file_name` is what messages call it.
    ///
    /// # Errors
    ///
    /// Every problem, each with its place. A conflict that git left, or a newer format, is the only one that is reported.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, Diagnostics> {
        let mut reader = Reader { file: file_name, text: text.into(), found: Vec::new(), more: 0 };
        // What a disk that failed leaves; a parser would look at each of them.
        if let Some(at) = memchr::memchr(0, text.as_bytes()) {
            reader.report(at..at + 1, "the lock is not valid TOML", "this is a NUL character");
            return Err(reader.problems());
        }
        if is_overfull_toml(text) {
            reader.report(0..0, "the lock is too complex", "create-app did not write this");
            return Err(reader.problems());
        }
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            reader.syntax(text, &errors);
            return Err(reader.problems());
        }
        reader.format(document.get_ref())?;
        let lock = reader.lock(document.get_ref());
        match lock {
            Some(lock) if reader.found.is_empty() => Ok(lock),
            _ => Err(reader.problems()),
        }
    }
}

type Value<'i> = Spanned<DeValue<'i>>;

struct Reader<'f> {
    file: &'f str,
    text: Arc<str>,
    found: Vec<Diagnostic>,
    /// How many problems there are besides.
    more: usize,
}

impl Reader<'_> {
    /// All that was found.
    fn problems(mut self) -> Diagnostics {
        if self.more > 0 {
            let title = format!("the lock has {} more problems", self.more);
            self.found.push(Diagnostic::error(Code::LockInvalid, title).help(RESTORE));
        }
        Diagnostics(self.found)
    }

    fn problem(
        &self,
        code: Code,
        span: Range<usize>,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(code, title).at(Place::new(self.file, Arc::clone(&self.text), span), label)
    }

    fn report(&mut self, span: Range<usize>, title: impl Into<String>, label: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let problem = self.problem(Code::LockInvalid, span, title, label).help(RESTORE);
        self.found.push(problem);
    }

    /// Counts a problem, where there are enough of them.
    fn is_full(&mut self) -> bool {
        let is_full = self.found.len() >= MOST;
        self.more += usize::from(is_full);
        is_full
    }

    /// What keeps the text from being TOML: git's conflict markers, if there are any.
    fn syntax(&mut self, text: &str, errors: &[toml::de::Error]) {
        if let Some(span) = conflict_marker(text) {
            let title = "the lock has a merge conflict";
            let help = "run `create-app upgrade`: it reads both sides";
            let problem = self.problem(Code::LockInvalid, span, title, "left by git").help(help);
            self.found.push(problem);
            return;
        }
        for error in errors {
            self.report(error.span().unwrap_or(0..0), "the lock is not valid TOML", error.message());
        }
    }

    fn format(&mut self, document: &DeTable<'_>) -> Result<(), Diagnostics> {
        let missing = "the lock has no format";
        let Some(value) = document.get("format") else {
            self.report(0..0, missing, format!("`format = {OLDEST}` is missing"));
            return Ok(());
        };
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type("format", value, "an integer");
            return Ok(());
        };
        let format = u32::from_str_radix(integer.as_str(), integer.radix());
        match format {
            Ok(OLDEST..=FORMAT) => {}
            Ok(0) | Err(_) => self.report(value.span(), "unknown format", format!("should be {OLDEST} to {FORMAT}")),
            Ok(newer) => {
                let title = "the lock was written by a newer create-app";
                let label = format!("this version reads format {FORMAT}, not {newer}");
                let problem = self.problem(Code::LockNewer, value.span(), title, label);
                return Err(problem.help("install the newest create-app, then run the command again").into());
            }
        }
        Ok(())
    }

    /// The lock, as far as it can be read; it is one only if nothing was reported.
    fn lock(&mut self, document: &DeTable<'_>) -> Option<Lock> {
        self.check_keys(document, "the lock", KEYS);
        let app_dir = document.get("app_dir").and_then(|value| self.path_value("app_dir", value));
        let date = document.get("date").and_then(|value| self.date(value));
        let template = self.template(document);
        let mut answers = BTreeMap::new();
        for (name, value) in self.entries(document, "answers") {
            if let Some(answer) = self.answer(name.get_ref(), value) {
                answers.insert(name.get_ref().to_string(), answer);
            }
        }
        let files = Scoped {
            app: self.paths(document, "files", Self::pristine),
            repository: self.paths(document, "repository-files", Self::pristine),
        };
        let moved = self.paths(document, "moved", Self::path_value);
        let conflicts = Conflicts {
            app: self.paths(document, "conflicts", Self::conflicted),
            repository: self.paths(document, "repository-conflicts", Self::conflicted),
        };
        Some(Lock { template: template?, app_dir, date, answers, files, moved, conflicts })
    }

    fn template(&mut self, document: &DeTable<'_>) -> Option<LockedTemplate> {
        let Some(value) = document.get("template") else {
            self.report(0..0, "the lock does not say what its template is", "`[template]` is missing");
            return None;
        };
        let table = self.table("template", value)?;
        self.check_keys(table, "`[template]`", TEMPLATE_KEYS);
        let optional = |reader: &mut Self, key| table.get(key).and_then(|value| reader.string(key, value));
        let subfolder = optional(self, "subfolder");
        let submodules = optional(self, "submodules");
        if let (Some(word), Some(value)) = (&submodules, table.get("submodules"))
            && word != SKIPPED
        {
            self.report(value.span(), format!("`submodules` is `{word}`"), format!("it can only be `{SKIPPED}`"));
        }
        let skips_submodules = submodules.is_some();
        let version = optional(self, "version");
        let digest = optional(self, "digest");
        let reference = self.reference(table);
        for key in ["source", "revision"].into_iter().filter(|key| !table.contains_key(*key)) {
            self.report(value.span(), format!("`[template]` has no `{key}`"), "incomplete");
        }
        let source = optional(self, "source");
        let revision = table.get("revision").and_then(|value| self.filled("revision", value));
        let source = source.map(recorded);
        let (source, revision) = (source?, revision?);
        Some(LockedTemplate { source, reference, subfolder, skips_submodules, version, revision, digest })
    }

    /// The branch, tag or commit of a repository that is followed: one at most.
    fn reference(&mut self, table: &DeTable<'_>) -> Reference {
        let mut found = Reference::Default;
        for key in ["branch", "tag", "rev"] {
            let Some(value) = table.get(key) else { continue };
            if found != Reference::Default {
                self.report(value.span(), "the lock follows more than one thing", "one of `branch`, `tag` and `rev`");
            }
            found = self.filled(key, value).map_or(found, |name| Reference::of(key, name));
        }
        let Some(value) = table.get("requirement") else { return found };
        match (self.filled("requirement", value), found) {
            (Some(requirement), Reference::Tag(tag)) if Requirement::parse(&requirement).is_some() => {
                Reference::Releases { requirement, tag }
            }
            (Some(_), Reference::Tag(tag)) => {
                self.report(value.span(), "`requirement` is not a version requirement", "such as `^1` or `latest`");
                Reference::Tag(tag)
            }
            (_, found) => {
                self.report(value.span(), "`requirement` needs the tag that it resolved to", "`tag` is missing");
                found
            }
        }
    }

    fn date(&mut self, value: &Value<'_>) -> Option<Date> {
        let date = match value.get_ref() {
            DeValue::Datetime(text) => Date::parse(&text.to_string()),
            _ => None,
        };
        if date.is_none() {
            self.report(value.span(), "`date` should be a date with a time in UTC", "such as 2026-02-28T12:00:00Z");
        }
        date
    }

    fn answer(&mut self, name: &str, value: &Value<'_>) -> Option<Answer> {
        match value.get_ref() {
            DeValue::String(text) => Some(Answer::Text(text.to_string())),
            DeValue::Boolean(value) => Some(Answer::Bool(*value)),
            DeValue::Array(items) => {
                let items: Vec<Option<String>> = items.iter().map(|item| self.string(name, item)).collect();
                items.into_iter().collect::<Option<_>>().map(Answer::Array)
            }
            _ => {
                self.wrong_type(name, value, "a string, true or false, or an array of strings");
                None
            }
        }
    }

    /// A table whose keys are paths.
    fn paths<T>(
        &mut self,
        document: &DeTable<'_>,
        name: &str,
        read: impl Fn(&mut Self, &str, &Value<'_>) -> Option<T>,
    ) -> BTreeMap<RelPath, T> {
        let mut paths = BTreeMap::new();
        for (key, value) in self.entries(document, name) {
            let path = self.path(key.get_ref(), key.span());
            let value = read(self, key.get_ref(), value);
            if let (Some(path), Some(value)) = (path, value) {
                paths.insert(path, value);
            }
        }
        paths
    }

    fn pristine(&mut self, key: &str, value: &Value<'_>) -> Option<Pristine> {
        let text = self.string(key, value)?;
        match parse_pristine(&text) {
            Ok(pristine) => Some(pristine),
            Err(reason) => {
                self.report(value.span(), format!("the record of `{key}` is damaged"), reason);
                None
            }
        }
    }

    fn conflicted(&mut self, key: &str, value: &Value<'_>) -> Option<Conflicted> {
        if self.string(key, value)? == MARKED {
            return Some(Conflicted::File);
        }
        self.pristine(key, value).map(Conflicted::Beside)
    }

    fn path_value(&mut self, key: &str, value: &Value<'_>) -> Option<RelPath> {
        let text = self.string(key, value)?;
        self.path(&text, value.span())
    }

    fn path(&mut self, text: &str, span: Range<usize>) -> Option<RelPath> {
        match RelPath::new(text) {
            Ok(path) => Some(path),
            Err(error) => {
                self.report(span, format!("the path `{}` {error}", text.escape_debug()), "not a path of this project");
                None
            }
        }
    }

    fn check_keys(&mut self, table: &DeTable<'_>, place: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            if self.is_full() {
                continue;
            }
            let name = key.get_ref();
            let title = format!("unknown key `{}` in {place}", name.escape_debug());
            let problem = self.problem(Code::LockInvalid, key.span(), title, "not a key of this table");
            let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| RESTORE.into());
            self.found.push(problem.help(help));
        }
    }

    fn entries<'t, 'i>(&mut self, document: &'t DeTable<'i>, name: &str) -> Entries<'t, 'i> {
        let table = document.get(name).and_then(|value| self.table(name, value));
        table.into_iter().flat_map(|table| table.iter()).collect()
    }

    fn table<'t, 'i>(&mut self, key: &str, value: &'t Value<'i>) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, "a table");
        }
        table
    }

    /// A string that is not empty.
    fn filled(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        let text = self.string(key, value)?;
        if text.trim().is_empty() {
            self.report(value.span(), format!("`{key}` is empty"), "a name is missing");
            return None;
        }
        Some(text)
    }

    fn string(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(key, value, "a string");
            return None;
        };
        Some(text.to_string())
    }

    fn wrong_type(&mut self, key: &str, value: &Value<'_>, expected: &str) {
        let label = format!("this is of type {}", value.get_ref().type_str());
        self.report(value.span(), format!("`{}` should be {expected}", key.escape_debug()), label);
    }
}

type Entries<'t, 'i> = Vec<(&'t Spanned<std::borrow::Cow<'i, str>>, &'t Value<'i>)>;

const MODES: &str = "the mode should be 100644, 100755 or 120000";

/// Reads what [`Pristine`]'s `Display` writes; the error says what is wrong with it.
fn parse_pristine(text: &str) -> Result<Pristine, String> {
    let words: Vec<&str> = text.split(' ').collect();
    let (mode, digest, once, large) = match words[..] {
        [mode, "secret", masked] if masked != "once" && masked != "large" => {
            let mode = Mode::parse(mode).ok_or(MODES)?;
            let masked = Some(masked.parse::<Digest>().map_err(|error| format!("this {error}"))?);
            return Ok(Pristine { mode, digest: None, masked, formatted: None, once: false, large: false });
        }
        [mode, digest, "formatted", formatted] => {
            let mode = Mode::parse(mode).ok_or(MODES)?;
            let read = |text: &str| text.parse::<Digest>().map_err(|error| format!("this {error}"));
            let (digest, formatted) = (Some(read(digest)?), Some(read(formatted)?));
            return Ok(Pristine { mode, digest, masked: None, formatted, once: false, large: false });
        }
        [mode, digest] => (mode, digest, false, false),
        [mode, digest, "once"] => (mode, digest, true, false),
        [mode, digest, "large"] => (mode, digest, false, true),
        _ => return Err("should be a mode, a digest, and perhaps `once` or `large`".into()),
    };
    let mode = Mode::parse(mode).ok_or(MODES)?;
    let digest = match digest {
        "secret" => None,
        digest => Some(digest.parse::<Digest>().map_err(|error| format!("this {error}"))?),
    };
    Ok(Pristine { mode, digest, masked: None, formatted: None, once, large })
}

/// The first line that git left where two sides differ.
fn conflict_marker(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") {
            return Some(start..start + line.trim_end().len());
        }
        start += line.len();
    }
    None
}
