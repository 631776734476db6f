//! `[create-app]`: what cargo-generate does not know.

use std::collections::{BTreeMap, HashSet};

use toml::de::DeTable;

use super::{Reader, Value};
use crate::diagnostic::{Code, Severity, did_you_mean};
use crate::manifest::{Conditional, ListOrder, ListRule, Manifest, Next, Ownership, Renamed};
use crate::placeholders::built_in::is_built_in;
use crate::placeholders::condition;
use crate::spanned::Spanned;

/// More rules for lists than this would be looked through for each list of each file.
const MAX_LISTS: usize = 200;

impl Reader {
    pub(super) fn ownership(&mut self, table: &DeTable<'_>, manifest: &Manifest) -> Ownership {
        const KEYS: &[&str] = &[
            "version",
            "name-pattern",
            "once",
            "blocks",
            "repository",
            "secret",
            "adopt",
            "infer",
            "not-adopted",
            "renamed",
            "placeholders",
            "next",
            "merge",
            "migrations",
        ];
        self.check_keys(table, "`[create-app]`", KEYS, Severity::Error);
        let version = self.string_at(table, "version");
        let secret = self.strings_at(table, "secret").unwrap_or_default();
        let ownership = Ownership {
            migrations: self.migrations(table, version.as_ref(), manifest, &secret),
            version: version.map(|version| version.value),
            name_pattern: self.regex_at(table, "name-pattern"),
            once: self.globs_at(table, "once"),
            blocks: self.globs_at(table, "blocks"),
            repository: self.globs_at(table, "repository"),
            secret,
            adopt: self.strings_at(table, "adopt").unwrap_or_default(),
            infer: self.infer(table),
            not_adopted: self.not_adopted(table),
            renamed: self.renamed(table),
            renamed_placeholders: self.renamed_placeholders(table, manifest),
            next: self.next(table),
            merge: self.merge(table),
        };
        let declared: HashSet<&str> = manifest.declared().map(|placeholder| placeholder.name.as_str()).collect();
        for secret in ownership.secret.iter().filter(|secret| !declared.contains(secret.value.as_str())) {
            let help = || {
                let near = did_you_mean(&secret.value, manifest.declared().map(|it| it.name.as_str()));
                near.or_else(|| Some("use a placeholder of this template".into()))
            };
            let title = format!("`{}` is not a placeholder", secret.value);
            self.report((Code::ManifestValue, Severity::Error), secret.span.clone(), &title, "unknown", help);
        }
        ownership
    }

    /// Marks the placeholders that are secret, and refuses what would depend on an answer of one: which files a project has,
    /// and what else is asked, can be seen in the lock.
    pub(super) fn secrets(&mut self, manifest: &mut Manifest) {
        let secret: Vec<String> = manifest.ownership.secret.iter().map(|secret| secret.value.clone()).collect();
        for placeholder in manifest.declared_mut().filter(|placeholder| secret.contains(&placeholder.name)) {
            placeholder.secret = true;
        }
        for Conditional { expression, .. } in &manifest.conditionals {
            if let Some(name) = secret.iter().find(|name| condition::reads(&expression.value, name)) {
                let title = format!("the condition depends on the secret answer `{name}`");
                let help = "ask a separate question for it: the effect of a condition is recorded and shown";
                self.invalid(expression.span.clone(), &title, "would reveal it", help);
            }
        }
    }

    pub(super) fn globs_at(&mut self, table: &DeTable<'_>, key: &str) -> Vec<Spanned> {
        let globs = self.strings_at(table, key).unwrap_or_default();
        self.check_globs(&globs);
        globs
    }

    pub(super) fn renamed(&mut self, table: &DeTable<'_>) -> Vec<Renamed> {
        let items = self.items_at(table, "renamed", "lines under `renamed`");
        let renamed = items.into_iter().filter_map(|item| {
            let [from, to] = self.two_strings("`[[create-app.renamed]]`", item, ["from", "to"])?;
            Some(Renamed { from, to })
        });
        renamed.collect()
    }

    /// `[create-app.placeholders.NAME] renamed`.
    fn renamed_placeholders(&mut self, table: &DeTable<'_>, manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
        let Some(placeholders) = self.table_at(table, "placeholders") else { return BTreeMap::new() };
        let declared: HashSet<&str> = manifest.declared().map(|it| it.name.as_str()).collect();
        let (mut renamed, mut seen, mut number) = (BTreeMap::new(), HashSet::new(), 0);
        for (name, value) in placeholders {
            let key = name.get_ref().to_string();
            let Some(entries) = self.table(&key, value) else { continue };
            self.check_keys(
                entries,
                "`[create-app.placeholders.NAME]`",
                &["renamed", "default", "when", "invalid", "example"],
                Severity::Error,
            );
            if !declared.contains(key.as_str()) {
                let near = || {
                    let near = did_you_mean(&key, declared.iter().copied());
                    near.or_else(|| Some("use a placeholder of this template".into()))
                };
                let title = format!("`{key}` is not a placeholder");
                self.report((Code::ManifestValue, Severity::Error), name.span(), &title, "unknown", near);
            }
            let old = self.strings_at(entries, "renamed").unwrap_or_default();
            number += old.len();
            if self.check_number("old names of placeholders", number) {
                break;
            }
            for old in &old {
                let wrong = match old.value.as_str() {
                    it if declared.contains(it) => "is still a placeholder",
                    it if is_built_in(it) => "is a built-in variable",
                    it if !seen.insert(it.to_owned()) => "is given twice",
                    _ => continue,
                };
                let title = format!("the old name `{}` {wrong}", old.value);
                self.invalid(
                    old.span.clone(),
                    &title,
                    "cannot be an old name",
                    "use a placeholder that the template no longer has",
                );
            }
            renamed.insert(key, old.into_iter().map(|old| old.value).collect());
        }
        renamed
    }

    pub(super) fn next(&mut self, table: &DeTable<'_>) -> Vec<Next> {
        const PLACE: &str = "`[[create-app.next]]`";
        let items = self.items_at(table, "next", "commands under `next`");
        let next = items.into_iter().filter_map(|item| {
            let table = self.table(PLACE, item)?;
            self.check_keys(table, PLACE, &["run", "get"], Severity::Error);
            let run = self.required(PLACE, item, table, "run")?;
            Some(Next { run, get: self.string_at(table, "get").map(|get| get.value) })
        });
        next.collect()
    }

    /// `[create-app.merge."FILES"]`: for keys, how the lists there are merged.
    fn merge(&mut self, table: &DeTable<'_>) -> Vec<ListRule> {
        let Some(merge) = self.table_at(table, "merge") else { return Vec::new() };
        let mut rules = Vec::new();
        let number: usize = merge.values().filter_map(|value| Some(value.get_ref().as_table()?.len())).sum();
        if number > MAX_LISTS {
            let title = format!("the manifest has more than {MAX_LISTS} rules for lists");
            let help = || Some("use patterns, and `**` for any keys".to_owned());
            self.report((Code::TooLarge, Severity::Error), 0..0, &title, "in this file", help);
            return rules;
        }
        for (file, value) in merge {
            if !crate::liquid::has_liquid(file.get_ref())
                && let Err(error) = crate::patterns::check_pattern(file.get_ref())
            {
                self.invalid(file.span(), "invalid glob", &error, "write patterns as in a .gitignore file");
            }
            let Some(lists) = self.table(file.get_ref(), value) else { continue };
            for (keys, value) in lists {
                rules.extend(self.list_rule(file.get_ref(), keys.get_ref(), value));
            }
        }
        rules
    }

    fn list_rule(&mut self, file: &str, keys: &str, value: &Value<'_>) -> Option<ListRule> {
        let table = self.table(keys, value)?;
        self.check_keys(table, "the rule of a list", &["order", "identity"], Severity::Error);
        let order = self.string_at(table, "order");
        let order = match order.as_ref().map(|order| order.value.as_str()) {
            None | Some("sequence") => ListOrder::Sequence,
            Some("set") => ListOrder::Set,
            Some(other) => {
                let span = order.as_ref().map_or(value.span(), |order| order.span.clone());
                let help = did_you_mean(other, ["set", "sequence"])
                    .unwrap_or_else(|| r#"write order = "set" or order = "sequence""#.into());
                self.invalid(span, &format!("unknown order `{other}`"), "not an order of a list", help);
                return None;
            }
        };
        let identity = self.strings_at(table, "identity").unwrap_or_default();
        let identity = identity.into_iter().map(|key| key.value).collect();
        Some(ListRule { file: file.to_owned(), keys: keys.to_owned(), order, identity })
    }

    pub(super) fn required(
        &mut self,
        place: &str,
        value: &Value<'_>,
        table: &DeTable<'_>,
        key: &str,
    ) -> Option<String> {
        if !table.contains_key(key) {
            self.invalid(value.span(), &format!("{place} has no `{key}`"), "incomplete", format!("add {key} = \"…\""));
        }
        self.string_at(table, key).map(|text| text.value)
    }

    /// Reads a table of exactly two strings.
    pub(super) fn two_strings(&mut self, place: &str, value: &Value<'_>, keys: [&str; 2]) -> Option<[String; 2]> {
        let table = self.table(place, value)?;
        self.check_keys(table, place, &keys, Severity::Error);
        let [first, second] = keys.map(|key| self.required(place, value, table, key));
        Some([first?, second?])
    }
}
