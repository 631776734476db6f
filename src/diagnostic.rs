//! One problem, its place, and how to fix it: data, drawn by [`crate::report`].

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Declares the stable codes once: variant, code and title, in the order of docs/errors.md.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// The stable code of a [`Diagnostic`]; docs/errors.md has a section for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is printed, such as `T003`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The code as a word for programs, such as `unknown-variable`.
            #[must_use]
            pub fn name(self) -> String {
                match self { $(Self::$name => heck::AsKebabCase(stringify!($name)).to_string(),)* }
            }
        }
    };
}

codes! {
    /// The Liquid of a file or path cannot be parsed.
    LiquidSyntax = "T001",
    /// The Liquid of a file or path fails when it is rendered.
    LiquidRender = "T002",
    /// A variable that nobody defines.
    UnknownVariable = "T003",
    /// A rendered path that may not be written.
    UnsafePath = "T004",
    /// Two template files render to one path, or to paths that some file systems take for one.
    PathCollision = "T005",
    /// A template that is larger, or works longer, than the limits allow.
    TooLarge = "T006",
    /// The template uses something that this version of create-app does not do.
    Unsupported = "T007",
    /// A rendered file that cannot be read as what it is.
    RenderedInvalid = "T008",
    /// A hook that does not parse, fails, or is not there.
    HookFailed = "H001",
    /// A hook that stops the run, and says why.
    HookAborted = "H002",
    /// A command of a hook that nobody agreed to.
    CommandRefused = "H003",
    /// A command of a hook or of a migration that failed.
    CommandFailed = "H004",
    /// The manifest is not TOML.
    ManifestSyntax = "M001",
    /// A key that the manifest's format does not know.
    ManifestUnknownKey = "M002",
    /// A value of the wrong type.
    ManifestType = "M003",
    /// A value of the right type that cannot be used: a bad regex, glob, expression or default.
    ManifestValue = "M004",
    /// A rule about files that is about none of them, or contradicts another.
    ManifestRule = "M005",
    /// A required answer that nobody gave, where nobody can be asked.
    AnswerMissing = "A001",
    /// An answer that its placeholder does not allow.
    AnswerInvalid = "A002",
    /// An answer to a question that the template does not ask.
    AnswerUnknown = "A003",
    /// A values file that cannot be read.
    ValuesFile = "A004",
    /// The prompt was cancelled, or the terminal failed.
    PromptCancelled = "A005",
    /// A configuration of cargo-generate that cannot be read.
    Configuration = "A006",
    /// The template cannot be found or read.
    TemplateNotFound = "S001",
    /// Several templates in one place, and none chosen.
    TemplateAmbiguous = "S002",
    /// An address, or what was said of it, that cannot be used.
    SourceInvalid = "S003",
    /// A repository that cannot be fetched from.
    SourceUnreachable = "S004",
    /// A branch, tag or commit that the repository does not have.
    RevisionUnknown = "S005",
    /// The template would be an older one.
    Downgrade = "S006",
    /// The project's name is not a valid name.
    ProjectName = "P001",
    /// The target is in the way.
    TargetExists = "P002",
    /// A file or directory cannot be read or written.
    Io = "P003",
    /// git is missing or failed.
    Git = "P004",
    /// Somebody else is changing the project at the same time.
    Busy = "P005",
    /// A change that was interrupted, and cannot be finished or undone.
    Interrupted = "P006",
    /// Changes that are not committed, and would be lost or mixed with new ones.
    Uncommitted = "P007",
    /// Files that a sparse checkout leaves out.
    NotCheckedOut = "P008",
    /// A link, or something else that is not a regular file, where a file is read.
    NotRegular = "P009",
    /// A file, or all that one run would read, above the limits.
    TooMuch = "P010",
    /// No upgrade that could be undone.
    NothingToAbort = "P011",
    /// A Cargo workspace that a new project could not be added to.
    WorkspaceUnchanged = "P012",
    /// The lock cannot be read.
    LockInvalid = "L001",
    /// The lock was written by a newer create-app.
    LockNewer = "L002",
    /// A base file is missing or was changed.
    BaseBroken = "L003",
    /// git ignores the lock or the base.
    LockIgnored = "L004",
    /// No lock: nothing says that create-app made the project.
    LockMissing = "L005",
    /// The lock places the project in a repository, and there is none around it.
    RepositoryMissing = "L006",
    /// The project's files do not fit the recorded answers.
    RecordMixed = "L007",
    /// A test case that is malformed.
    TestCase = "C001",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a diagnostic stops the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The command does nothing and exits with 2.
    Error,
    /// The command goes on.
    Warning,
}

/// At most this much of the lines of a place is shown, in bytes: a file may be a single line.
const MAX_SHOWN: usize = 2_000;
/// Where they are longer: so much before the region that is marked, in bytes, and so much of the region and after it.
const AROUND: [usize; 2] = [100, 400];
/// A text that is no longer is held as a whole.
const MAX_HELD: usize = 64 << 10;

/// A region of a text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the user knows it, with `/`.
    pub file: String,
    /// The file's whole text, or what [`Place::shrink`] leaves of it.
    pub text: Arc<str>,
    /// The line and column at which `text` begins, both from 1.
    begins: (usize, usize),
    /// The region in bytes of `text`.
    pub span: Range<usize>,
    /// Whether the text may be shown; if not, it is blank but for its line breaks.
    pub quoted: bool,
}

impl Place {
    /// A region of `text`, clamped to it and to character boundaries.
    pub fn new(file: impl Into<String>, text: impl Into<Arc<str>>, span: Range<usize>) -> Self {
        let text = text.into();
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
        Self { file: file.into(), text, begins: (1, 1), span: start..end, quoted: true }
    }

    /// A region of a text that may hold secrets: only where it is, and nothing of the text, is kept.
    pub fn unquoted(file: impl Into<String>, text: &str, span: Range<usize>) -> Self {
        let Self { file, text, span, .. } = Self::new(file, text, span);
        let blank = |text: &str| -> String { text.chars().map(|c| if c == '\n' { c } else { ' ' }).collect() };
        let [before, marked] = [&text[..span.start], &text[span]].map(blank);
        let span = before.len()..before.len() + marked.len();
        Self { file, text: [before, marked].concat().into(), begins: (1, 1), span, quoted: false }
    }

    /// Lets go of a long text but for what is shown of it. Otherwise, the problems of many files hold all of their texts.
    pub fn shrink(&mut self) {
        if self.text.len() <= MAX_HELD {
            return;
        }
        let (shown, _) = self.shown();
        self.begins = self.position(shown.start);
        self.span = self.span.start - shown.start..self.span.end.min(shown.end) - shown.start;
        self.text = self.text[shown].into();
    }

    /// The part of the text that is shown: the lines of the region, or a part of them where they are long. Says whether it begins a line.
    #[must_use]
    pub fn shown(&self) -> (Range<usize>, bool) {
        let (text, Range { start, end }) = (&*self.text, self.span.clone());
        let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let to = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
        let is_line = from > 0 || self.begins.1 == 1;
        if to - from <= MAX_SHOWN {
            return (from..to, is_line);
        }
        let cut = text.ceil_char_boundary(from.max(start.saturating_sub(AROUND[0])));
        (cut..text.floor_char_boundary(to.min(start + AROUND[1])), is_line && cut == from)
    }

    /// Line and column of the region's start, both from 1; the column counts characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        self.position(self.span.start)
    }

    fn position(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at];
        match before.rsplit_once('\n') {
            None => (self.begins.0, self.begins.1 + before.chars().count()),
            Some((lines, line)) => (self.begins.0 + lines.matches('\n').count() + 1, line.chars().count() + 1),
        }
    }
}

/// One problem: code, title, place where there is one, and help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// Whether it stops the command.
    pub severity: Severity,
    /// The problem, in one line.
    pub title: String,
    /// Where.
    pub place: Option<Box<Place>>,
    /// The problem of the marked region.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// How many others like it were found, and not kept.
    pub more: usize,
    /// What it is about, for those who have to know more than the code.
    pub facts: Option<Box<Facts>>,
}

/// What a problem is about, as values: nothing is read out of a title, which is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facts {
    /// A folder that the template does not have.
    NoFolder,
    /// A folder that cannot be one of the template.
    OutsideOfTemplate,
    /// No repository where one should be.
    NoRepository,
    /// A variable that has no answer.
    Unanswered(String),
    /// An answer that has an item which is not one of the choices.
    WrongItem {
        /// The variable.
        name: String,
        /// The answer.
        value: String,
    },
    /// A command that could not be run, or that failed.
    Command {
        /// The command.
        command: String,
        /// What it said, or why it could not be run.
        reason: String,
    },
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: Code, title: impl Into<String>) -> Self {
        let (title, label) = (title.into(), String::new());
        Self { code, severity: Severity::Error, title, place: None, label, help: None, more: 0, facts: None }
    }

    /// A warning without a place.
    pub fn warning(code: Code, title: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, title) }
    }

    /// An operating system error on `path`; `action` reads like "cannot write".
    pub fn io(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::error(Code::Io, format!("{action} `{}`: {}", path.display(), io_reason(error))).help(io_help(error))
    }

    /// The same, with what it is about.
    #[must_use]
    pub fn about(self, facts: Facts) -> Self {
        self.maybe_about(Some(facts))
    }

    /// The same, with what it is about, where there is more to know than the code.
    #[must_use]
    pub fn maybe_about(self, facts: Option<Facts>) -> Self {
        Self { facts: facts.map(Box::new), ..self }
    }

    /// The same, at a place, with a label under the caret.
    #[must_use]
    pub fn at(mut self, place: Place, label: impl Into<String>) -> Self {
        self.place = Some(Box::new(place));
        self.label = label.into();
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with what to do where that is known.
    #[must_use]
    pub fn maybe_help(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Whether it stops the command.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The reason alone: the standard library appends `(os error N)`, which tells a user nothing.
pub(crate) fn io_reason(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::InvalidData {
        return "it is not UTF-8".into();
    }
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

fn io_help(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => "check the permissions of the directory and of the file, then run the command again",
        Kind::StorageFull | Kind::QuotaExceeded => "free some space on this disk, then run the command again",
        Kind::ReadOnlyFilesystem => "the file system is mounted read-only: choose another directory",
        Kind::NotFound | Kind::NotADirectory => "check the path",
        Kind::IsADirectory => "pass the path of a file",
        Kind::InvalidData => "save the file as UTF-8",
        Kind::InvalidFilename => "choose a shorter name",
        _ => "nothing was left half-written: fix the cause, then run the command again",
    }
}

/// All the problems that stopped a stage, in the order in which they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

/// Of each kind, so many problems are kept, and shown: more help nobody, and there can be as many as a file has lines.
pub const SHOWN: usize = 20;

/// Problems as they are found: of each kind, the first [`SHOWN`] are kept, and the others are counted.
#[derive(Debug, Clone, Default)]
pub struct Found {
    kept: Vec<Diagnostic>,
    /// How many there are of each kind, and where the last of them is that was kept.
    kinds: BTreeMap<(Code, Severity), (usize, usize)>,
}

impl Found {
    /// Takes a problem.
    pub fn push(&mut self, problem: Diagnostic) {
        let (count, last) = self.kinds.entry((problem.code, problem.severity)).or_default();
        *count += 1;
        match self.kept.get_mut(*last) {
            Some(last) if *count > SHOWN => last.more += 1 + problem.more,
            _ => {
                *last = self.kept.len();
                self.kept.push(problem);
            }
        }
    }

    /// Takes a problem that is only made if it is kept.
    pub fn push_with(&mut self, code: Code, severity: Severity, make: impl FnOnce() -> Diagnostic) {
        match self.kinds.get_mut(&(code, severity)) {
            Some((count, last)) if *count >= SHOWN => {
                *count += 1;
                self.kept[*last].more += 1;
            }
            _ => self.push(make()),
        }
    }

    /// Whether any problem stops the command.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.kinds.keys().any(|(_, severity)| *severity == Severity::Error)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many there are, those that were only counted included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.kept.iter().map(|problem| 1 + problem.more).sum()
    }

    /// The problems that were kept, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.kept
    }
}

impl Extend<Diagnostic> for Found {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, problems: I) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }
}

impl FromIterator<Diagnostic> for Found {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(problems: I) -> Self {
        let mut found = Self::default();
        found.extend(problems);
        found
    }
}

/// The result of a stage that can fail.
pub type Result<T> = std::result::Result<T, Diagnostics>;

/// `did you mean …?` for the known word that is nearest to `word`, where one is near enough.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

/// Words in backticks, between commas; of very many, the first.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    const LISTED: usize = 20;
    let mut words = words.into_iter();
    let shown: Vec<String> = words.by_ref().take(LISTED).map(|word| format!("`{word}`")).collect();
    match words.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The known word that is nearest to `word`, if one is near enough to be a misspelling. If there are very many, only the first are
/// looked at; and words of more than 100 bytes are not.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const CANDIDATES: usize = 1_000;
    const LONGEST: usize = 100;
    if word.len() > LONGEST {
        return None;
    }
    known
        .into_iter()
        .take(CANDIDATES)
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|&(score, _)| score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let place = Place::new("a", "äb\nçd {{ x }}", 11..12);
        assert_eq!(place.line_column(), (2, 7));
        assert_eq!(&place.text[place.span.clone()], "x");
    }

    #[test]
    fn a_place_outside_the_text_is_clamped() {
        let place = Place::new("a", "ä", 1..99);
        assert_eq!(place.span, 0..2);
        assert_eq!(place.line_column(), (1, 1));
    }

    #[test]
    fn a_place_that_is_not_quoted_holds_nothing_of_the_text() {
        let place = Place::unquoted("a", "äb = 1\nçd = \"hunter2\"\n", 14..23);
        assert_eq!((place.line_column(), place.text.trim()), ((2, 6), ""));
        assert_eq!(place.line_column(), Place::new("a", "äb = 1\nçd = \"hunter2\"\n", 14..23).line_column());
    }

    #[test]
    fn many_problems_of_a_kind_are_counted() {
        let mut found: Found = (0..SHOWN + 5).map(|n| Diagnostic::error(Code::Io, n.to_string())).collect();
        found.push(Diagnostic::warning(Code::Io, "a warning is another kind"));
        found.push_with(Code::Io, Severity::Error, || unreachable!("it is not kept"));
        found.push_with(Code::Git, Severity::Error, || Diagnostic::error(Code::Git, "git"));
        assert_eq!((found.count(), found.has_errors()), (SHOWN + 8, true));
        // What was counted before stays counted.
        let mut other: Found = (0..SHOWN).map(|n| Diagnostic::error(Code::Io, n.to_string())).collect();
        other.extend(found.into_vec());
        assert_eq!(other.count(), 2 * SHOWN + 8);
        let kept = other.into_vec();
        assert_eq!(kept.len(), SHOWN + 2);
        assert_eq!(kept[SHOWN - 1].more, SHOWN + 6);
    }

    #[test]
    fn the_nearest_word_is_suggested_only_when_it_is_near() {
        assert_eq!(nearest("crate_nam", ["crate_name", "crate_type"]), Some("crate_name"));
        assert_eq!(nearest("zebra", ["crate_name"]), None);
    }
}
