//! What the project's own files tell of the answers: never what is behind a link, and never more than is worth it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::limits::{Budget, SETTINGS, is_deeply_nested, is_overfull_toml};
use crate::manifest::{Inference, Inferred};
use crate::rooted::{Failure, Root};
use crate::tree::RelPath;
use crate::workspace::Site;

/// The most that is searched, in bytes: each way to an answer looks through a file.
const SEARCHED: u64 = 256 << 20;

/// The project's files, each read and parsed once.
pub(super) struct Files<'a> {
    root: Option<Root>,
    directory: &'a Path,
    texts: BTreeMap<String, Option<Arc<str>>>,
    values: BTreeMap<String, Option<Value>>,
    searched: Budget,
}

impl<'a> Files<'a> {
    /// The files of an app.
    ///
    /// # Errors
    ///
    /// Where its directory cannot be opened.
    pub(super) fn open(site: &'a Site) -> Result<Self> {
        let (texts, values) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { root: open(site)?, directory: &site.app, texts, values, searched: Budget::new(SEARCHED) })
    }

    /// What one way leads to.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, and where the template has too many ways.
    pub(super) fn infer(&mut self, way: &Inference) -> Result<Option<String>> {
        let Some(text) = self.text(&way.file)? else { return Ok(None) };
        let pointer = match &way.place {
            Inferred::Pointer(pointer) => pointer,
            Inferred::Regex(_) if !self.searched.take(text.len() as u64) => {
                let title = format!("the template searches more than {} MiB for its answers", SEARCHED >> 20);
                return Err(Diagnostic::error(Code::TooLarge, title)
                    .help("shorten `[create-app.infer]` in its manifest, or give the answers with -d")
                    .into());
            }
            Inferred::Regex(regex) => {
                // What cannot be searched for tells nothing: the question is asked.
                return Ok(regex.first_group(&text).ok().flatten().map(str::to_owned));
            }
        };
        let value = self.values.entry(way.file.clone()).or_insert_with(|| parse(&way.file, &text));
        Ok(match value.as_ref().and_then(|value| value.pointer(pointer)) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Bool(value)) => Some(value.to_string()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        })
    }

    /// The text of a file; none where there is no such file of the project's own, or no text in it.
    fn text(&mut self, file: &str) -> Result<Option<Arc<str>>> {
        if !self.texts.contains_key(file) {
            let text = self.find(file)?;
            self.texts.insert(file.to_owned(), text);
        }
        Ok(self.texts.get(file).cloned().flatten())
    }

    fn find(&self, file: &str) -> Result<Option<Arc<str>>> {
        let (Some(root), Ok(path)) = (&self.root, RelPath::new(file)) else { return Ok(None) };
        match root.read(path.as_str(), SETTINGS) {
            Ok(bytes) => Ok(String::from_utf8(bytes).ok().map(Into::into)),
            Err(Failure::Io(error)) if error.kind() != ErrorKind::NotFound => {
                Err(Diagnostic::io("cannot read", &self.directory.join(file), &error).into())
            }
            Err(_) => Ok(None),
        }
    }
}

/// The app's directory, if it is there.
///
/// # Errors
///
/// Where it cannot be opened.
pub(super) fn open(site: &Site) -> Result<Option<Root>> {
    match Root::open(&site.app) {
        Ok(root) => Ok(Some(root)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Diagnostic::io("cannot read", &site.app, &error).into()),
    }
}

fn parse(file: &str, text: &str) -> Option<Value> {
    if is_deeply_nested(text) {
        return None;
    }
    match file.rsplit_once('.')?.1 {
        "toml" if is_overfull_toml(text) => None,
        "toml" => toml::from_str(text).ok(),
        "yml" | "yaml" => serde_yaml_ng::from_str(text).ok(),
        _ => jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default()).ok()?,
    }
}
