//! Infers answers from the project's own files: links are not followed, and the work is limited.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::By;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::limits::{Budget, SETTINGS, is_deeply_nested, is_overfull_toml};
use crate::manifest::{Inference, NotAdopted, Pointer, Spot};
use crate::plan::{Note, Subject};
use crate::rooted::{Failure, Root};
use crate::tree::RelPath;
use crate::workspace::Site;

/// The most that is searched, in bytes: each way to an answer looks through a file.
const SEARCHED: u64 = 256 << 20;

/// More of the app's settings than this are not reported.
const NOTES: usize = 100;

/// An answer that was found in a file.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) by: By,
    /// Where it is.
    pub(super) spots: Vec<(String, Spot)>,
}

impl Told {
    fn new(text: String, file: &str, spots: Vec<Spot>) -> Self {
        let keys = spots.iter().map(ToString::to_string).collect();
        let by = By::File { file: file.to_owned(), keys };
        Self { text, by, spots: spots.into_iter().map(|spot| (file.to_owned(), spot)).collect() }
    }
}

/// What of the project's files has become an answer.
#[derive(Default)]
pub(super) struct Taken(Vec<(String, Spot)>);

impl Taken {
    pub(super) fn extend(&mut self, spots: Vec<(String, Spot)>) {
        self.0.extend(spots);
    }
}

/// The app's directory, or one above it.
struct Level {
    root: Option<Root>,
    directory: PathBuf,
    /// How its files are called, seen from the app.
    prefix: String,
}

/// The project's files, each read and parsed once.
pub(super) struct Files {
    /// The app's directory, and those above it in its repository.
    levels: Vec<Level>,
    texts: BTreeMap<String, Option<Arc<str>>>,
    values: BTreeMap<String, Option<Value>>,
    searched: Budget,
}

impl Files {
    /// The files of an app.
    ///
    /// # Errors
    ///
    /// If its directory cannot be opened.
    pub(super) fn open(site: &Site) -> Result<Self> {
        let mut levels =
            vec![Level { root: Root::open_if_there(&site.app)?, directory: site.app.clone(), prefix: String::new() }];
        let depth = site.app_dir.as_ref().map_or(0, RelPath::depth);
        for (n, directory) in site.app.ancestors().skip(1).take(depth).enumerate() {
            let prefix = "../".repeat(n + 1);
            levels.push(Level { root: Root::open(directory).ok(), directory: directory.to_owned(), prefix });
        }
        let (texts, values) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { levels, texts, values, searched: Budget::new(SEARCHED) })
    }

    /// The app's directory, if it is there.
    pub(super) fn root(&self) -> &Option<Root> {
        &self.levels[0].root
    }

    /// The names, seen from the app, under which a way's files may be there, best first.
    fn names(&self, way: &Inference) -> Vec<String> {
        let levels = if way.above { &self.levels[..] } else { &self.levels[..1] };
        levels.iter().flat_map(|level| way.files.iter().map(|file| format!("{}{file}", level.prefix))).collect()
    }

    /// The directory that a name leads to, and the path below it. What is not a path leads nowhere.
    fn level(&self, name: &str) -> Option<(&Level, RelPath)> {
        let below = name.trim_start_matches("../");
        let level = self.levels.get((name.len() - below.len()) / "../".len())?;
        Some((level, RelPath::new(below).ok()?))
    }

    /// Whether the project has a file of its own of this name.
    fn has(&self, name: &str) -> bool {
        self.level(name).is_some_and(|(level, path)| super::is_file(&level.root, path.as_str()))
    }

    /// What one way leads to, where that is an answer.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, and if the template has too many ways.
    pub(super) fn infer(&mut self, way: &Inference, is_answer: impl Fn(&str) -> bool) -> Result<Option<Told>> {
        if let (true, Some(value)) = (way.files.is_empty(), &way.value) {
            let told = || Told { text: value.clone(), by: By::Template, spots: Vec::new() };
            return Ok(is_answer(value).then(told));
        }
        for file in &self.names(way) {
            if let (None, None, None, Some(value)) = (&way.pointer, &way.regex, &way.unless, &way.value) {
                // It may be binary, or large: that it is there is all that counts.
                if self.has(file) && is_answer(value) {
                    return Ok(Some(Told::new(value.clone(), file, Vec::new())));
                }
                continue;
            }
            let Some(text) = self.text(file)? else { continue };
            let mut found = match &way.pointer {
                Some(pointer) => self.leaves(file, pointer, &text, way.value.is_some())?,
                None => vec![(None, text.to_string())],
            };
            if let Some((unless, _)) = &way.unless {
                self.search(found.iter().map(|(_, text)| text.len()).sum())?;
                // What cannot be searched tells nothing: the question is asked.
                found.retain(|(_, text)| unless.is_match(text) == Ok(false));
            }
            if let Some((regex, _)) = &way.regex {
                self.search(found.iter().map(|(_, text)| text.len()).sum())?;
                let group = |text: &str| regex.first_group(text).ok().flatten().map(str::to_owned);
                found = found.into_iter().filter_map(|(spot, text)| Some((spot, group(&text)?))).collect();
            }
            if way.exists {
                found.retain(|(_, text)| !text.starts_with("../") && self.has(text));
            }
            if let Some(value) = &way.value {
                found = found.into_iter().take(1).map(|(spot, _)| (spot, value.clone())).collect();
            }
            if way.all && !found.is_empty() {
                found.retain(|(_, text)| is_answer(text));
                let texts: Vec<String> = found.iter().map(|(_, text)| text.clone()).collect();
                let spots = found.into_iter().filter_map(|(spot, _)| spot).collect();
                let told = Told::new(texts.join(","), file, spots);
                if !texts.is_empty() && is_answer(&told.text) {
                    return Ok(Some(told));
                }
                continue;
            }
            if let Some((spot, text)) = found.into_iter().find(|(_, text)| is_answer(text)) {
                return Ok(Some(Told::new(text, file, spot.into_iter().collect())));
            }
        }
        Ok(None)
    }

    /// What a file of another tool's has recorded; of a list, its items with commas between.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(super) fn recorded(&mut self, file: &str, pointer: &Pointer) -> Result<Option<Told>> {
        let Some(text) = self.text(file)? else { return Ok(None) };
        let Some(value) = self.value(file, &text) else { return Ok(None) };
        let Some((spot, value)) = pointer.find(value).pop() else { return Ok(None) };
        let text = match value {
            Value::Array(items) => items.iter().map(leaf).collect::<Option<Vec<_>>>().map(|items| items.join(",")),
            value => leaf(value),
        };
        Ok(text.map(|text| Told::new(text, file, vec![spot])))
    }

    /// What the template knows of an app's settings that no answer has taken over.
    ///
    /// # Errors
    ///
    /// As [`Files::infer`].
    pub(super) fn not_adopted(&mut self, all: &[NotAdopted], taken: &Taken) -> Result<Vec<Note>> {
        let (mut notes, mut seen) = (Vec::new(), BTreeSet::new());
        for NotAdopted { files, pointer, except, help } in all {
            for file in files {
                let Some(text) = self.text(file)? else { continue };
                let Ok(path) = RelPath::new(file.as_str()) else { continue };
                self.search(text.len())?;
                let Some(value) = self.value(file, &text) else { continue };
                for (spot, _) in pointer.find(value) {
                    let is_known = spot.key().is_some_and(|key| except.iter().any(|except| except == key));
                    let is_taken = taken.0.iter().any(|(other, below)| other == file && spot.holds(below));
                    if !is_known && !is_taken && notes.len() < NOTES && seen.insert((file.clone(), spot.clone())) {
                        let subject = Subject::NotTakenOver { key: spot.to_string(), help: help.clone() };
                        notes.push(Note { path: path.clone(), subject });
                    }
                }
            }
        }
        Ok(notes)
    }

    /// Takes what a search through so many bytes costs.
    fn search(&self, bytes: usize) -> Result<()> {
        if self.searched.take(bytes as u64) {
            return Ok(());
        }
        let title = format!("the template searches more than {} MiB to infer its answers", SEARCHED >> 20);
        Err(Diagnostic::error(Code::TooLarge, title)
            .help("shorten `[create-app.infer]` in its manifest, or pass the answers with -d")
            .into())
    }

    /// The texts, numbers and bools that a pointer leads to; maps and lists, too, where it only counts that they are there.
    fn leaves(
        &mut self,
        file: &str,
        pointer: &Pointer,
        text: &Arc<str>,
        takes_any: bool,
    ) -> Result<Vec<(Option<Spot>, String)>> {
        self.search(text.len())?;
        let Some(value) = self.value(file, text) else { return Ok(Vec::new()) };
        let text = |value: &Value| leaf(value).or_else(|| takes_any.then(String::new));
        Ok(pointer.find(value).into_iter().filter_map(|(spot, value)| Some((Some(spot), text(value)?))).collect())
    }

    fn value(&mut self, file: &str, text: &str) -> Option<&Value> {
        self.values.entry(file.to_owned()).or_insert_with(|| parse(file, text)).as_ref()
    }

    /// The text of a file; `None` if there is no such file of the project's own, or no text in it.
    fn text(&mut self, file: &str) -> Result<Option<Arc<str>>> {
        if !self.texts.contains_key(file) {
            let text = self.find(file)?;
            self.texts.insert(file.to_owned(), text);
        }
        Ok(self.texts.get(file).cloned().flatten())
    }

    fn find(&self, file: &str) -> Result<Option<Arc<str>>> {
        let Some((level, path)) = self.level(file) else { return Ok(None) };
        let Some(root) = &level.root else { return Ok(None) };
        match root.read(path.as_str(), SETTINGS) {
            Ok(bytes) => Ok(String::from_utf8(bytes).ok().map(Into::into)),
            Err(Failure::Io(error)) if error.kind() != ErrorKind::NotFound => {
                Err(Diagnostic::io("cannot read", &level.directory.join(path.as_str()), &error).into())
            }
            Err(_) => Ok(None),
        }
    }
}

/// The text of a value that is neither a map nor a list.
fn leaf(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn parse(file: &str, text: &str) -> Option<Value> {
    if is_deeply_nested(text) {
        return None;
    }
    match file.rsplit_once('.')?.1 {
        "toml" | "values" if is_overfull_toml(text) => None,
        "toml" | "values" => toml::from_str(text).ok(),
        "yml" | "yaml" => serde_yaml_ng::from_str(text).ok(),
        _ => jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default()).ok()?,
    }
}
