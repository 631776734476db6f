//! Values of the document, each with its place, and what to say of those that are not what they should be.

use std::ops::Range;
use std::sync::Arc;

use regex::Regex;
use toml::de::{DeTable, DeValue};

use super::{Reader, Value, article, quote_all};
use crate::diagnostic::{Code, Diagnostic, Place, Severity, did_you_mean};
use crate::manifest::Spanned;

impl Reader {
    pub(super) fn report(&mut self, code: Code, span: Range<usize>, title: &str, label: &str, help: Option<String>) {
        let place = Place::new(&self.name, Arc::clone(&self.text), span);
        let problem = Diagnostic::error(code, title).at(place, label).maybe_help(help);
        // The TOML parser repeats itself where an array or a table is never closed.
        if self.found.last() != Some(&problem) {
            self.found.push(problem);
        }
    }

    pub(super) fn wrong_type(&mut self, key: &str, value: &Value<'_>, expected: &str) {
        let title = format!("`{key}` should be {expected}");
        let label = format!("this is {}", article(value.get_ref().type_str()));
        self.report(Code::ManifestType, value.span(), &title, &label, Some(format!("make `{key}` {expected}")));
    }

    pub(super) fn invalid(&mut self, span: Range<usize>, title: &str, label: &str, help: impl Into<String>) {
        self.report(Code::ManifestValue, span, title, label, Some(help.into()));
    }

    /// Reports the keys of `table` that are not in `known`: cargo-generate ignores them in its own tables, so they only
    /// warn there; nobody else reads ours.
    pub(super) fn check_keys(&mut self, table: &DeTable<'_>, place: &str, known: &[&str], severity: Severity) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            let help = did_you_mean(name, known.iter().copied())
                .unwrap_or_else(|| format!("remove it; {place} takes {}", quote_all(known)));
            self.report(
                Code::ManifestUnknownKey,
                key.span(),
                &format!("unknown key `{name}` in {place}"),
                "not a key of this table",
                Some(help),
            );
            if severity == Severity::Warning {
                self.soften();
            }
        }
    }

    /// Makes a warning of the last problem.
    pub(super) fn soften(&mut self) {
        if let Some(last) = self.found.last_mut() {
            last.severity = Severity::Warning;
        }
    }

    pub(super) fn regex_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<Regex> {
        let pattern = self.string_at(table, key)?;
        match Regex::new(&pattern.value) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
                self.invalid(
                    pattern.span,
                    &format!("`{key}` is not a valid regular expression"),
                    &reason,
                    "mend the pattern",
                );
                None
            }
        }
    }

    pub(super) fn table_at<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
        let value = table.get(key)?;
        self.table(key, value)
    }

    pub(super) fn table<'t, 'i>(&mut self, key: &str, value: &'t Value<'i>) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, "a table");
        }
        table
    }

    pub(super) fn array<'t, 'i: 't>(
        &mut self,
        key: &str,
        value: &'t Value<'i>,
    ) -> Option<impl Iterator<Item = &'t Value<'i>> + use<'t, 'i>> {
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(key, value, "an array");
            return None;
        };
        Some(items.iter())
    }

    pub(super) fn string_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<Spanned> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Spanned { value: text.to_string(), span: value.span() }),
            _ => {
                self.wrong_type(key, value, "a string");
                None
            }
        }
    }

    pub(super) fn bool_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => {
                self.wrong_type(key, value, "true or false");
                None
            }
        }
    }

    pub(super) fn strings_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<Vec<Spanned>> {
        let value = table.get(key)?;
        let items = self.array(key, value)?;
        let strings = items.filter_map(|item| match item.get_ref() {
            DeValue::String(text) => Some(Spanned { value: text.to_string(), span: item.span() }),
            _ => {
                self.wrong_type(key, item, "an array of strings");
                None
            }
        });
        Some(strings.collect())
    }
}
