//! Values of the document, each with its place, and what to say of those that are not what they should be.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::{MAX_ENTRIES, Reader, Value, article, quote_all};
use crate::diagnostic::{Code, Diagnostic, Place, Severity, did_you_mean};
use crate::placeholders::pattern::{Pattern, Unusable};
use crate::spanned::Spanned;

/// The label and the help for an expression that takes too much memory.
pub(in crate::manifest) const TOO_LARGE: &str = "the limit is 10 MiB, and 32 MiB for the whole manifest";
pub(in crate::manifest) const REPEAT_LESS: &str =
    "use fewer repetitions, or list characters instead of classes such as \\w";

impl Reader {
    /// Reports a problem; the help is only made where the problem is kept.
    pub(super) fn report(
        &mut self,
        (code, severity): (Code, Severity),
        span: Range<usize>,
        title: &str,
        label: &str,
        help: impl FnOnce() -> Option<String>,
    ) {
        // The TOML parser repeats itself where an array or a table is never closed.
        if self.last.as_ref().is_some_and(|(last, said)| *last == span && said == title) {
            return;
        }
        self.last = Some((span.clone(), title.to_owned()));
        let Self { name, text, found, .. } = self;
        found.push_with(code, severity, || {
            let place = Place::new(name.as_str(), Arc::clone(text), span);
            Diagnostic { severity, ..Diagnostic::error(code, title).at(place, label).maybe_help(help()) }
        });
    }

    pub(super) fn wrong_type(&mut self, key: &str, value: &Value<'_>, expected: &str) {
        let title = format!("`{key}` should be {expected}");
        let label = format!("this is {}", article(value.get_ref().type_str()));
        let help = || Some(format!("make `{key}` {expected}"));
        self.report((Code::ManifestType, Severity::Error), value.span(), &title, &label, help);
    }

    pub(super) fn invalid(&mut self, span: Range<usize>, title: &str, label: &str, help: impl Into<String>) {
        self.report((Code::ManifestValue, Severity::Error), span, title, label, || Some(help.into()));
    }

    /// Reports that there are too many of something; returns whether there are.
    pub(super) fn check_number(&mut self, what: &str, number: usize) -> bool {
        if number <= MAX_ENTRIES {
            return false;
        }
        let title = format!("the manifest has more than {MAX_ENTRIES} {what}");
        let help = || Some("split the template".to_owned());
        self.report((Code::TooLarge, Severity::Error), 0..0, &title, "in this file", help);
        true
    }

    /// The elements of a list, as many as a manifest may have; `what` says what they are.
    pub(super) fn items_at<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str, what: &str) -> Vec<&'t Value<'i>> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let Some(items) = self.array(key, value) else { return Vec::new() };
        let mut items: Vec<&Value<'_>> = items.collect();
        self.check_number(what, items.len());
        items.truncate(MAX_ENTRIES);
        items
    }

    /// Checks patterns, one by one and all together.
    pub(super) fn check_globs(&mut self, globs: &[Spanned]) {
        use crate::patterns::{check_pattern, check_patterns};
        const HELP: &str = "write patterns as in a .gitignore file";
        let Some(first) = globs.first() else { return };
        let mut all_right = true;
        // One with variables is checked when it has been rendered.
        for glob in globs.iter().take(MAX_ENTRIES).filter(|glob| !crate::liquid::has_liquid(&glob.value)) {
            if let Err(error) = check_pattern(&glob.value) {
                all_right = false;
                self.invalid(glob.span.clone(), "invalid glob", &error, HELP);
            }
        }
        let all = globs.iter().map(|glob| glob.value.as_str()).filter(|glob| !crate::liquid::has_liquid(glob));
        if all_right && let Err(error) = check_patterns(all) {
            let help = || Some("list directories instead of files".to_owned());
            let title = "too many patterns in a list";
            self.report((Code::TooLarge, Severity::Error), first.span.clone(), title, &error, help);
        }
    }

    /// Reports the keys of `table` that are not in `known`: cargo-generate ignores them in its own tables, so they only
    /// warn there; nobody else reads ours.
    pub(super) fn check_keys(&mut self, table: &DeTable<'_>, place: &str, known: &[&str], severity: Severity) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            let help = || {
                let near = did_you_mean(name, known.iter().copied());
                near.or_else(|| Some(format!("remove it; {place} takes {}", quote_all(known))))
            };
            let title = format!("unknown key `{name}` in {place}");
            self.report((Code::ManifestUnknownKey, severity), key.span(), &title, "not a key of this table", help);
        }
    }

    pub(super) fn regex_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<Pattern> {
        let pattern = self.string_at(table, key)?;
        self.readable(key, pattern.span, Pattern::compile(&pattern.value, &self.memory))
    }

    /// An expression that few commands use: whether it takes too much memory is found out by those.
    pub(super) fn rare_regex_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<(Pattern, Range<usize>)> {
        let pattern = self.string_at(table, key)?;
        let read = self.readable(key, pattern.span.clone(), Pattern::read(&pattern.value, &self.memory));
        Some((read?, pattern.span))
    }

    fn readable(&mut self, key: &str, span: Range<usize>, read: Result<Pattern, Unusable>) -> Option<Pattern> {
        match read {
            Ok(pattern) => return Some(pattern),
            Err(Unusable::Invalid(reason)) => {
                let title = format!("`{key}` is not a valid regular expression");
                self.invalid(span, &title, &reason, "correct the pattern");
            }
            Err(Unusable::TooLarge) => {
                let title = format!("the regular expression of `{key}` takes too much memory");
                self.report((Code::TooLarge, Severity::Error), span, &title, TOO_LARGE, || {
                    Some(REPEAT_LESS.to_owned())
                });
            }
        }
        None
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
