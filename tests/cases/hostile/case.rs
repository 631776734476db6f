//! A case as its file holds it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};
use walkdir::WalkDir;

/// One input: what is built, what is run, and what must and must not come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Case {
    /// What is attacked, and what is promised, in a sentence.
    why: String,
    /// The only system that can build this.
    only: Option<String>,
    /// What `app` is before the steps.
    #[serde(default)]
    pub(crate) project: Project,
    /// The files of `template`; without it, the standard ones.
    pub(crate) template: Option<BTreeMap<String, Content>>,
    #[serde(default)]
    pub(crate) build: Vec<Step>,
    pub(crate) run: Vec<Run>,
}

impl Case {
    pub(crate) fn is_ignored(&self) -> bool {
        self.only.as_ref().is_some_and(|system| system != std::env::consts::OS)
    }
}

/// What the attacker starts from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Project {
    /// Only the template.
    #[default]
    None,
    /// `app`, made from `template`, without git.
    Plain,
    /// The same as a repository in which everything is committed.
    Git,
    /// `app` is a repository, and the project is `app/apps/shop` in it, committed.
    Nested,
}

/// A step of building the setting. Paths are relative to the sandbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    Write(String, Content),
    Append(String, Content),
    /// A path, a text that is in the file exactly once, and what replaces it.
    Replace(String, String, String),
    /// A path, and where the link leads.
    Link(String, String),
    /// A path, and the file of which it is another name.
    HardLink(String, String),
    Fifo(String),
    Socket(String),
    Directory(String),
    /// A path and a size in bytes: a file that takes no room.
    Sparse(String, u64),
    Mode(String, u32),
    Remove(String),
    Rename(String, String),
    /// A directory, and the words of a command of git's.
    Git(String, String),
    /// The same, with something to read.
    GitReads(String, String, Content),
    /// The name of a variable, a directory, and the words of a command of git's, whose answer it holds.
    Ask(String, String, String),
    /// The same, with something to read.
    AskReads(String, String, String, Content),
    /// The words of a command line of create-app's, which must succeed.
    App(String),
    /// The same, and the step before which it is killed (docs/contributing.md).
    Killed(String, u64),
    /// A directory, and its copy, which keeps all that an archive keeps.
    Copy(String, String),
    /// A file of the app, a number of zero bytes, and their digest: the base and the lock then hold that as its pristine content.
    Bomb(String, u64, String),
    /// A repository, a number of zero bytes, and the name of the object that they are: git then has that file.
    LooseZeros(String, u64, String),
    /// A path, and the text of a journal, to which the line with its digest is added.
    Signed(String, Content),
    /// How often, and which steps; `@i@` is the round.
    Repeat(u64, Vec<Self>),
}

/// Bytes, in pieces.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Content {
    Text(String),
    Pieces(Vec<Piece>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Piece {
    Text(String),
    /// The same text again and again; `@n@` is the round.
    Repeated {
        text: String,
        times: usize,
    },
    /// Bytes that are not text, in hexadecimal.
    Hex {
        hex: String,
    },
}

/// Command lines of create-app's, and what must come of each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Run {
    pub(crate) commands: Vec<String>,
    /// The exit codes that are right.
    pub(crate) code: OneOrMore<i32>,
    /// What the output must say.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// What it must not say.
    #[serde(default)]
    pub(crate) never: Vec<String>,
    /// What may change, with all that is below it; everything else stays as it is, byte for byte.
    #[serde(default)]
    pub(crate) changes: Vec<String>,
    /// Files, and a text that each must hold afterwards.
    #[serde(default)]
    pub(crate) holds: BTreeMap<String, String>,
    /// What must not exist afterwards.
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    /// What is in no file and in no name that create-app keeps: the record, git, the cache; inflated where it is deflated.
    #[serde(default)]
    pub(crate) nowhere: Vec<String>,
    /// The directory to run in.
    #[serde(default)]
    pub(crate) at: String,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Whether it runs at a terminal.
    #[serde(default)]
    pub(crate) terminal: bool,
    /// Whether the output is the bytes of files, which may be anything.
    #[serde(default)]
    pub(crate) raw: bool,
    /// Processor time of the program and of all that it started.
    #[serde(default = "ten")]
    pub(crate) seconds: u64,
    /// The most that one process may have held.
    #[serde(default = "half_a_gibibyte")]
    pub(crate) mebibytes: u64,
    /// The most that may be printed.
    #[serde(default = "a_screenful_or_hundred")]
    pub(crate) kibibytes_printed: usize,
}

fn ten() -> u64 {
    10
}

fn half_a_gibibyte() -> u64 {
    512
}

fn a_screenful_or_hundred() -> usize {
    256
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T: PartialEq> OneOrMore<T> {
    pub(crate) fn has(&self, wanted: &T) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::More(more) => more.contains(wanted),
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

/// The inputs at which create-app is known to fail, by name, and how. They are shown as ignored, and `--include-ignored` runs them.
pub(crate) fn known_faults() -> BTreeMap<String, String> {
    toml::from_str(&fs_err::read_to_string(folder().join(KNOWN_FAULTS)).unwrap()).unwrap()
}

const KNOWN_FAULTS: &str = "known-faults.toml";

/// Every case with its name, such as `paths/lock_names_unsafe_path/parent`.
pub(crate) fn all() -> Vec<(String, Case)> {
    let files = WalkDir::new(folder()).sort_by_file_name().into_iter().map(Result::unwrap);
    let is_case = |path: &Path| path.extension().is_some_and(|extension| extension == "toml");
    let files = files.filter(|entry| is_case(entry.path()) && entry.file_name() != KNOWN_FAULTS);
    files.flat_map(|entry| read(entry.path())).collect()
}

fn read(path: &Path) -> Vec<(String, Case)> {
    let name = path.strip_prefix(folder()).unwrap().with_extension("").to_str().unwrap().to_owned();
    let text = fs_err::read_to_string(path).unwrap();
    let mut table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let inputs = table.remove("inputs").and_then(|inputs| inputs.as_table().cloned()).unwrap_or_default();
    let parse = |name: String, value: Value| {
        let case: Case = value.try_into().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!case.why.is_empty() && !case.run.is_empty(), "{name}: say why, and what to run");
        (name, case)
    };
    if inputs.is_empty() {
        return vec![parse(name, Value::Table(table))];
    }
    let expand = |(input, value): (&String, &Value)| {
        let mut case = Value::Table(table.clone());
        fill(&mut case, value);
        parse(format!("{name}/{input}"), case)
    };
    inputs.iter().map(expand).collect()
}

/// Puts an input where a case says `@input@` or, of an input with several parts, `@NAME@`. A text that is nothing but such a
/// place becomes the input itself, of whatever type it is; in a list, a list becomes its items.
fn fill(value: &mut Value, input: &Value) {
    match value {
        Value::String(text) => match whole(text, input) {
            Some(whole) => *value = whole.clone(),
            None => *text = filled(text, input),
        },
        Value::Array(items) => {
            let filled = std::mem::take(items).into_iter().flat_map(|mut item| {
                match item.as_str().and_then(|text| whole(text, input)) {
                    Some(Value::Array(parts)) => return parts.clone(),
                    _ => fill(&mut item, input),
                }
                vec![item]
            });
            *items = filled.collect();
        }
        Value::Table(table) => {
            let names = std::mem::take(table).into_iter();
            *table = names.map(|(name, value)| (filled(&name, input), value)).collect();
            table.iter_mut().for_each(|(_, value)| fill(value, input));
        }
        _ => {}
    }
}

fn whole<'v>(text: &str, input: &'v Value) -> Option<&'v Value> {
    part(input, text.strip_prefix('@')?.strip_suffix('@')?)
}

fn part<'v>(input: &'v Value, name: &str) -> Option<&'v Value> {
    let named = input.as_table().and_then(|parts| parts.get(name));
    named.or_else(|| Some(input).filter(|_| name == "input"))
}

fn filled(text: &str, input: &Value) -> String {
    let parts: Vec<(String, &Value)> = match input {
        Value::Table(parts) => parts.iter().map(|(name, value)| (name.clone(), value)).collect(),
        whole => vec![("input".to_owned(), whole)],
    };
    parts.iter().fold(text.to_owned(), |text, (name, value)| match value {
        Value::String(value) => text.replace(&format!("@{name}@"), value),
        value => text.replace(&format!("@{name}@"), &value.to_string()),
    })
}
