//! `[create-app]`: what cargo-generate does not know.

use std::collections::{BTreeMap, HashSet};

use toml::de::DeTable;

use super::{MAX_ENTRIES, Reader, Value};
use crate::answers::condition;
use crate::diagnostic::{Code, Severity, did_you_mean};
use crate::manifest::{
    Conditional, Inference, Inferred, ListOrder, ListRule, Manifest, Next, Ownership, Renamed, Spanned,
};

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
            "renamed",
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
            renamed: self.renamed(table),
            next: self.next(table),
            merge: self.merge(table),
        };
        let declared: HashSet<&str> = manifest.declared().map(|placeholder| placeholder.name.as_str()).collect();
        for secret in ownership.secret.iter().filter(|secret| !declared.contains(secret.value.as_str())) {
            let help = || {
                let near = did_you_mean(&secret.value, manifest.declared().map(|it| it.name.as_str()));
                near.or_else(|| Some("name a placeholder of this template".into()))
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
                let help = "ask another question for it: what a condition decides is recorded, and shown";
                self.invalid(expression.span.clone(), &title, "would show what it is", help);
            }
        }
    }

    pub(super) fn globs_at(&mut self, table: &DeTable<'_>, key: &str) -> Vec<Spanned> {
        let globs = self.strings_at(table, key).unwrap_or_default();
        self.check_globs(&globs);
        globs
    }

    pub(super) fn infer(&mut self, table: &DeTable<'_>) -> BTreeMap<String, Vec<Inference>> {
        let Some(infer) = self.table_at(table, "infer") else { return BTreeMap::new() };
        let mut inferences = BTreeMap::new();
        let mut all = 0;
        for (name, value) in infer {
            let Some(items) = self.array(name.get_ref(), value) else { continue };
            let items: Vec<&Value<'_>> = items.collect();
            all += items.len();
            if self.check_number("ways to find an answer", all) {
                break;
            }
            let ways = items.into_iter().filter_map(|item| self.inference(item));
            inferences.insert(name.get_ref().to_string(), ways.collect());
        }
        inferences
    }

    fn inference(&mut self, item: &Value<'_>) -> Option<Inference> {
        const PLACE: &str = "an inference";
        let table = self.table(PLACE, item)?;
        if !table.contains_key("regex") {
            let [file, pointer] = self.two_strings(PLACE, item, ["file", "pointer"])?;
            return Some(Inference { file, place: Inferred::Pointer(pointer) });
        }
        self.check_keys(table, PLACE, &["file", "regex"], Severity::Error);
        let file = self.required(PLACE, item, table, "file");
        let regex = self.regex_at(table, "regex")?;
        if !regex.has_group() {
            let help = "put brackets around what is the answer";
            self.invalid(item.span(), "`regex` has no group", "nothing to take the answer from", help);
        }
        Some(Inference { file: file?, place: Inferred::Regex(regex) })
    }

    pub(super) fn renamed(&mut self, table: &DeTable<'_>) -> Vec<Renamed> {
        let Some(value) = table.get("renamed") else { return Vec::new() };
        let Some(items) = self.array("renamed", value) else { return Vec::new() };
        let items: Vec<&Value<'_>> = items.collect();
        self.check_number("lines under `renamed`", items.len());
        let renamed = items.into_iter().take(MAX_ENTRIES).filter_map(|item| {
            let [from, to] = self.two_strings("`[[create-app.renamed]]`", item, ["from", "to"])?;
            Some(Renamed { from, to })
        });
        renamed.collect()
    }

    pub(super) fn next(&mut self, table: &DeTable<'_>) -> Vec<Next> {
        const PLACE: &str = "`[[create-app.next]]`";
        let Some(value) = table.get("next") else { return Vec::new() };
        let Some(items) = self.array("next", value) else { return Vec::new() };
        let items: Vec<&Value<'_>> = items.collect();
        self.check_number("commands under `next`", items.len());
        let next = items.into_iter().take(MAX_ENTRIES).filter_map(|item| {
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
        for (file, value) in merge {
            if let Err(error) = crate::render::select::check_pattern(file.get_ref()) {
                self.invalid(file.span(), "invalid glob", &error, "patterns are written as in a .gitignore file");
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
