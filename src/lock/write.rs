//! Writes the lock: one line for each thing, sorted, and the same bytes for the same lock on every machine.
//!
//! Git merges it like any other text. It takes changes of neighbouring lines for one change, so empty lines are between what changes by
//! itself: answers and files. What belongs together is not spaced: of two upgrades, the lines of one template remain.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use super::{Conflicted, FORMAT, Lock, LockedTemplate, MARKED, OLDEST, Pristine, RELEASES, SKIPPED};
use crate::placeholders::Answer;
use crate::tree::RelPath;

const HEADER: &str = "\
# What made this project, for `create-app upgrade`, `diff` and `check`. Written by create-app: commit it, do not edit it.
# After a merge conflict in this file, run `create-app upgrade`: it reads both sides.
";

impl Lock {
    /// The lock as `.create-app/lock.toml` holds it.
    #[must_use]
    pub fn render(&self) -> String {
        let mut lines = self.files.entries().map(|(_, pristine)| pristine);
        let format = match self.template.reference.requirement() {
            _ if lines.any(|pristine| pristine.formatted.is_some()) => FORMAT,
            Some(_) => RELEASES,
            None => OLDEST,
        };
        let mut out = format!("{HEADER}format = {format}\n");
        if let Some(app_dir) = &self.app_dir {
            pair(&mut out, "app_dir", quote(app_dir.as_str()));
        }
        if let Some(date) = self.date {
            pair(&mut out, "date", date);
        }
        template(&mut out, &self.template);
        spaced(&mut out, "answers", self.answers.iter().map(|(name, answer)| (key(name), value(answer))));
        files(&mut out, "files", &self.files.app);
        files(&mut out, "repository-files", &self.files.repository);
        let moved = self.moved.iter().map(|(from, to)| (quote(from.as_str()), quote(to.as_str())));
        spaced(&mut out, "moved", moved);
        conflicts(&mut out, "conflicts", &self.conflicts.app);
        conflicts(&mut out, "repository-conflicts", &self.conflicts.repository);
        out
    }
}

fn template(out: &mut String, template: &LockedTemplate) {
    let (key, reference) = template.reference.pair().unzip();
    let lines = [
        ("source", Some(template.source.as_str())),
        ("requirement", template.reference.requirement()),
        (key.unwrap_or_default(), reference),
        ("subfolder", template.subfolder.as_deref()),
        ("submodules", template.skips_submodules.then_some(SKIPPED)),
        ("version", template.version.as_deref()),
        ("revision", Some(&template.revision)),
        ("digest", template.digest.as_deref()),
    ];
    section(out, "template", lines.into_iter().filter_map(|(name, text)| Some((name, quote(text?)))));
}

fn files(out: &mut String, name: &str, files: &BTreeMap<RelPath, Pristine>) {
    spaced(out, name, files.iter().map(|(path, pristine)| (quote(path.as_str()), quote(&pristine.to_string()))));
}

fn conflicts(out: &mut String, name: &str, conflicts: &BTreeMap<RelPath, Conflicted>) {
    let text = |left: &Conflicted| match left {
        Conflicted::File => MARKED.to_owned(),
        Conflicted::Beside(pristine) => pristine.to_string(),
    };
    spaced(out, name, conflicts.iter().map(|(path, left)| (quote(path.as_str()), quote(&text(left)))));
}

/// A table, left out where it is empty.
fn section<K: Display>(out: &mut String, name: &str, lines: impl Iterator<Item = (K, String)>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        out.push_str("\n[");
        out.push_str(name);
        out.push_str("]\n");
    }
    lines.for_each(|(key, value)| pair(out, key, value));
}

/// A table with an empty line above each line, left out where it is empty.
fn spaced<K: Display>(out: &mut String, name: &str, lines: impl Iterator<Item = (K, String)>) {
    let mut is_first = true;
    for (key, value) in lines {
        if std::mem::take(&mut is_first) {
            section(out, name, std::iter::once((&key, value)));
        } else {
            out.push('\n');
            pair(out, key, value);
        }
    }
}

fn pair(out: &mut String, key: impl Display, value: impl Display) {
    // Writing to a string cannot fail.
    let _: std::fmt::Result = writeln!(out, "{key} = {value}");
}

impl Display for Pristine {
    /// `100644 <digest>`, with `secret` for the digest of a file that depends on one, and `once` or `large` after it where that holds;
    /// after `secret`, the digest of what the base keeps instead; after `formatted`, that of the formatted file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.mode.as_str())?;
        match self.digest {
            Some(digest) => write!(f, " {digest}")?,
            None => f.write_str(" secret")?,
        }
        if let Some(masked) = self.masked {
            write!(f, " {masked}")?;
        }
        if let Some(formatted) = self.formatted {
            write!(f, " formatted {formatted}")?;
        }
        f.write_str(match self {
            Self { once: true, .. } => " once",
            Self { large: true, .. } => " large",
            _ => "",
        })
    }
}

fn value(answer: &Answer) -> String {
    match answer {
        Answer::Text(text) => quote(text),
        Answer::Bool(value) => value.to_string(),
        Answer::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| quote(item)).collect();
            format!("[{}]", items.join(", "))
        }
        Answer::Nested(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
    }
}

/// A bare key where TOML allows it.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quote(name) }
}

/// A string on one line. Every control character is escaped, so no answer can break the line or reach a terminal raw.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _: std::fmt::Result = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
