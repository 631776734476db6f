//! Reads the manifest by walking the TOML document, so that every problem has its place and all are reported at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use regex::Regex;
use semver::{Version, VersionReq};
use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use super::{Conditional, Inference, Manifest, Next, Ownership, Renamed, Selection, Spanned};
use crate::answers::placeholder::{Input, Kind, Placeholder};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Severity, did_you_mean};

/// Placeholder names that cargo-generate reserves for its built-in variables.
const RESERVED: &[&str] =
    &["authors", "os-arch", "project-name", "crate_name", "crate_type", "within_cargo_project", "is_init"];

/// Reads a manifest; `name` is how messages call it.
///
/// Returns it with warnings: keys that cargo-generate ignores, too, are no reason to refuse a template.
///
/// # Errors
///
/// Every problem of the manifest, each with its place.
pub fn read(name: &str, text: &str) -> Result<(Manifest, Vec<Diagnostic>), Diagnostics> {
    let text: Arc<str> = text.into();
    let mut reader = Reader { name: name.to_owned(), text: Arc::clone(&text), found: Vec::new() };
    let (document, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        reader.report(
            Code::ManifestSyntax,
            span,
            "the manifest is not valid TOML",
            error.message(),
            Some("the manifest is TOML (https://toml.io): mend this line".into()),
        );
    }
    if !reader.found.is_empty() {
        return Err(Diagnostics(reader.found));
    }
    let mut manifest = reader.manifest(document.get_ref());
    manifest.name = reader.name;
    manifest.text = text;
    if reader.found.iter().any(Diagnostic::is_error) {
        return Err(Diagnostics(reader.found));
    }
    Ok((manifest, reader.found))
}

type Value<'i> = TomlSpanned<DeValue<'i>>;

struct Reader {
    name: String,
    text: Arc<str>,
    found: Vec<Diagnostic>,
}

impl Reader {
    fn report(&mut self, code: Code, span: Range<usize>, title: &str, label: &str, help: Option<String>) {
        let place = Place::new(&self.name, Arc::clone(&self.text), span);
        let problem = Diagnostic::error(code, title).at(place, label).maybe_help(help);
        // The TOML parser repeats itself where an array or a table is never closed.
        if self.found.last() != Some(&problem) {
            self.found.push(problem);
        }
    }

    fn wrong_type(&mut self, key: &str, value: &Value<'_>, expected: &str) {
        let title = format!("`{key}` should be {expected}");
        let label = format!("this is {}", article(value.get_ref().type_str()));
        self.report(Code::ManifestType, value.span(), &title, &label, Some(format!("make `{key}` {expected}")));
    }

    fn invalid(&mut self, span: Range<usize>, title: &str, label: &str, help: impl Into<String>) {
        self.report(Code::ManifestValue, span, title, label, Some(help.into()));
    }

    /// Reports the keys of `table` that are not in `known`: cargo-generate ignores them in its own tables, so they only
    /// warn there; nobody else reads ours.
    fn check_keys(&mut self, table: &DeTable<'_>, place: &str, known: &[&str], severity: Severity) {
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
    fn soften(&mut self) {
        if let Some(last) = self.found.last_mut() {
            last.severity = Severity::Warning;
        }
    }

    fn manifest(&mut self, document: &DeTable<'_>) -> Manifest {
        const TABLES: &[&str] = &["template", "placeholders", "conditional", "hooks", "create-app"];
        self.check_keys(document, "the manifest", TABLES, Severity::Warning);
        let mut manifest = Manifest::default();
        if let Some(table) = self.table_at(document, "template") {
            self.template(table, &mut manifest);
        }
        if let Some(table) = self.table_at(document, "placeholders") {
            manifest.placeholders = self.placeholders(table);
        }
        if let Some(table) = self.table_at(document, "conditional") {
            manifest.conditionals = table.iter().filter_map(|(key, value)| self.conditional(key, value)).collect();
        }
        if let Some(table) = self.table_at(document, "hooks") {
            const PHASES: &[&str] = &["init", "pre", "post"];
            self.check_keys(table, "`[hooks]`", PHASES, Severity::Warning);
            manifest.hooks = PHASES.iter().flat_map(|phase| self.strings_at(table, phase)).flatten().collect();
        }
        if let Some(table) = self.table_at(document, "create-app") {
            manifest.ownership = self.ownership(table, &manifest);
        }
        manifest
    }

    fn template(&mut self, table: &DeTable<'_>, manifest: &mut Manifest) {
        const KEYS: &[&str] =
            &["cargo_generate_version", "sub_templates", "include", "exclude", "ignore", "vcs", "init"];
        self.check_keys(table, "`[template]`", KEYS, Severity::Warning);
        manifest.selection = self.selection(table);
        manifest.sub_templates = self.strings_at(table, "sub_templates").unwrap_or_default();
        if let Some(value) = table.get("sub_templates").filter(|_| manifest.sub_templates.is_empty()) {
            self.invalid(
                value.span(),
                "the template has no sub-templates",
                "empty",
                "list the folders, or remove the key",
            );
        }
        if let Some(version) = self.string_at(table, "cargo_generate_version") {
            self.version(version);
        }
        manifest.init = self.bool_at(table, "init").unwrap_or_default();
        if let Some(vcs) = self.string_at(table, "vcs") {
            match vcs.value.to_lowercase().as_str() {
                "git" => {}
                "none" => manifest.no_vcs = true,
                _ => self.invalid(
                    vcs.span,
                    "unknown version control system",
                    "not one of them",
                    "use \"Git\" or \"None\"",
                ),
            }
        }
    }

    /// Refuses a template that was written for another cargo-generate than the one whose rules are followed here.
    fn version(&mut self, required: Spanned) {
        const OURS: Version = Version::new(0, 23, 14);
        let title = format!("the template needs cargo-generate {}", required.value);
        match VersionReq::parse(&required.value) {
            Ok(requirement) if requirement.matches(&OURS) => {}
            Ok(_) => {
                let help = "update create-app, or make the project with that cargo-generate";
                self.invalid(required.span, &title, &format!("create-app follows the rules of {OURS}"), help);
            }
            Err(error) => self.invalid(
                required.span,
                "invalid version requirement",
                &error.to_string(),
                "write it as in Cargo.toml",
            ),
        }
    }

    fn selection(&mut self, table: &DeTable<'_>) -> Selection {
        let include = self.strings_at(table, "include");
        let exclude = self.strings_at(table, "exclude");
        let ignore = self.strings_at(table, "ignore").unwrap_or_default();
        for pattern in include.iter().chain(&exclude).flatten() {
            if let Err(error) = crate::render::select::check_pattern(&pattern.value) {
                self.invalid(
                    pattern.span.clone(),
                    "invalid glob",
                    &error,
                    "patterns are written as in a .gitignore file",
                );
            }
        }
        Selection { include, exclude, ignore }
    }

    fn conditional(&mut self, key: &TomlSpanned<std::borrow::Cow<'_, str>>, value: &Value<'_>) -> Option<Conditional> {
        const KEYS: &[&str] = &["include", "exclude", "ignore", "placeholders"];
        let expression = Spanned { value: key.get_ref().to_string(), span: key.span() };
        let table = self.table(&format!("conditional.'{}'", expression.value), value)?;
        self.check_keys(table, "a `[conditional]` table", KEYS, Severity::Warning);
        if let Err(error) = crate::answers::condition::check(&expression.value) {
            let help = "a condition is a Rhai expression over the answers";
            self.invalid(expression.span.clone(), "this condition can never hold", &error, help);
            // cargo-generate takes it for false, and says nothing.
            self.soften();
        }
        let selection = self.selection(table);
        let placeholders = match self.table_at(table, "placeholders") {
            Some(table) => self.placeholders(table),
            None => Vec::new(),
        };
        Some(Conditional { expression, selection, placeholders })
    }

    fn placeholders(&mut self, table: &DeTable<'_>) -> Vec<Placeholder> {
        table.iter().filter_map(|(key, value)| self.placeholder(key.get_ref(), key.span(), value)).collect()
    }

    fn placeholder(&mut self, name: &str, span: Range<usize>, value: &Value<'_>) -> Option<Placeholder> {
        const KEYS: &[&str] = &["type", "prompt", "choices", "default", "regex"];
        if RESERVED.contains(&name) {
            let help = "rename the placeholder: built-in variables are always defined";
            self.invalid(span, &format!("`{name}` is a built-in variable"), "cannot be a placeholder", help);
            return None;
        }
        let table = self.table(name, value)?;
        self.check_keys(table, &format!("the placeholder `{name}`"), KEYS, Severity::Warning);
        let prompt = self.string_at(table, "prompt").map(|prompt| prompt.value);
        if prompt.is_none() && !table.contains_key("prompt") {
            let help = format!("add prompt = \"…\" to `{name}`");
            self.invalid(span.clone(), &format!("the placeholder `{name}` has no prompt"), "no `prompt` here", help);
        }
        let kind = self.kind(name, table)?;
        Some(Placeholder { name: name.into(), prompt: prompt?, kind, span })
    }

    fn kind(&mut self, name: &str, table: &DeTable<'_>) -> Option<Kind> {
        const TYPES: &[&str] = &["string", "text", "editor", "bool", "array"];
        let declared = match table.get("type") {
            Some(_) => self.string_at(table, "type")?,
            None => Spanned { value: "string".into(), span: 0..0 },
        };
        let regex = self.regex_at(table, "regex");
        let choices = self.strings_at(table, "choices");
        let forbid = |reader: &mut Self, key: &str| {
            if let Some(value) = table.get(key) {
                let title = format!("a placeholder of type {} takes no `{key}`", declared.value);
                reader.invalid(value.span(), &title, "not used", format!("remove `{key}` from `{name}`"));
            }
        };
        match declared.value.as_str() {
            "string" if choices.is_some() => self.choice(name, table, choices.unwrap_or_default(), regex.as_ref()),
            "string" | "text" | "editor" => {
                let input = match declared.value.as_str() {
                    "text" => Input::Lines,
                    "editor" => Input::Editor,
                    _ => Input::Line,
                };
                forbid(self, "choices");
                let default = self.string_at(table, "default");
                self.check_match(default.as_ref(), regex.as_ref());
                Some(Kind::Text { input, default: default.map(|default| default.value), regex })
            }
            "bool" => {
                forbid(self, "choices");
                forbid(self, "regex");
                Some(Kind::Bool { default: self.bool_at(table, "default") })
            }
            "array" => {
                forbid(self, "regex");
                let choices = choices.unwrap_or_default();
                let default = self.strings_at(table, "default");
                default.iter().flatten().for_each(|item| self.check_choice(item, &choices));
                Some(Kind::Array { choices: values(choices), default: default.map(values) })
            }
            other => {
                let help =
                    did_you_mean(other, TYPES.iter().copied()).unwrap_or_else(|| format!("use {}", quote_all(TYPES)));
                self.invalid(declared.span, &format!("unknown placeholder type `{other}`"), "not a type", help);
                None
            }
        }
    }

    fn choice(
        &mut self,
        name: &str,
        table: &DeTable<'_>,
        choices: Vec<Spanned>,
        regex: Option<&Regex>,
    ) -> Option<Kind> {
        if choices.is_empty() {
            let span = table.get("choices").map_or(0..0, TomlSpanned::span);
            self.invalid(
                span,
                &format!("`{name}` has no choices"),
                "empty",
                "list at least one choice, or remove `choices`",
            );
            return None;
        }
        choices.iter().for_each(|choice| self.check_match(Some(choice), regex));
        let default = self.string_at(table, "default");
        if let Some(default) = &default {
            self.check_choice(default, &choices);
        }
        Some(Kind::Choice { choices: values(choices), default: default.map(|default| default.value) })
    }

    fn check_match(&mut self, value: Option<&Spanned>, regex: Option<&Regex>) {
        if let (Some(value), Some(regex)) = (value, regex)
            && !regex.is_match(&value.value)
        {
            let title = format!("`{}` does not match the placeholder's regex", value.value);
            self.invalid(value.span.clone(), &title, "does not match", format!("it must match `{regex}`"));
        }
    }

    fn check_choice(&mut self, value: &Spanned, choices: &[Spanned]) {
        if !choices.iter().any(|choice| choice.value == value.value) {
            let known: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
            let help = match did_you_mean(&value.value, known.iter().copied()) {
                Some(near) => near,
                None if known.is_empty() => "add it to `choices`".to_owned(),
                None => format!("the choices are {}", quote_all(&known)),
            };
            self.invalid(
                value.span.clone(),
                &format!("the default `{}` is not one of the choices", value.value),
                "not a choice",
                help,
            );
        }
    }

    fn ownership(&mut self, table: &DeTable<'_>, manifest: &Manifest) -> Ownership {
        const KEYS: &[&str] =
            &["version", "name-pattern", "once", "blocks", "repository", "secret", "infer", "renamed", "next"];
        self.check_keys(table, "`[create-app]`", KEYS, Severity::Error);
        let ownership = Ownership {
            version: self.string_at(table, "version").map(|version| version.value),
            name_pattern: self.regex_at(table, "name-pattern"),
            once: self.globs_at(table, "once"),
            blocks: self.globs_at(table, "blocks"),
            repository: self.globs_at(table, "repository"),
            secret: self.strings_at(table, "secret").unwrap_or_default(),
            infer: self.infer(table),
            renamed: self.renamed(table),
            next: self.next(table),
        };
        for secret in &ownership.secret {
            if !manifest.declared().any(|placeholder| placeholder.name == secret.value) {
                let help =
                    did_you_mean(&secret.value, manifest.declared().map(|placeholder| placeholder.name.as_str()))
                        .unwrap_or_else(|| "name a placeholder of this template".into());
                self.invalid(secret.span.clone(), &format!("`{}` is not a placeholder", secret.value), "unknown", help);
            }
        }
        ownership
    }

    fn globs_at(&mut self, table: &DeTable<'_>, key: &str) -> Vec<Spanned> {
        let globs = self.strings_at(table, key).unwrap_or_default();
        for glob in &globs {
            if let Err(error) = crate::render::select::check_pattern(&glob.value) {
                self.invalid(glob.span.clone(), "invalid glob", &error, "patterns are written as in a .gitignore file");
            }
        }
        globs
    }

    fn infer(&mut self, table: &DeTable<'_>) -> BTreeMap<String, Vec<Inference>> {
        let Some(infer) = self.table_at(table, "infer") else { return BTreeMap::new() };
        let mut inferences = BTreeMap::new();
        for (name, value) in infer {
            let Some(items) = self.array(name.get_ref(), value) else { continue };
            let ways = items.filter_map(|item| {
                let [file, pointer] = self.two_strings("an inference", item, ["file", "pointer"])?;
                Some(Inference { file, pointer })
            });
            inferences.insert(name.get_ref().to_string(), ways.collect());
        }
        inferences
    }

    fn renamed(&mut self, table: &DeTable<'_>) -> Vec<Renamed> {
        let Some(value) = table.get("renamed") else { return Vec::new() };
        let Some(items) = self.array("renamed", value) else { return Vec::new() };
        let renamed = items.filter_map(|item| {
            let [from, to] = self.two_strings("`[[create-app.renamed]]`", item, ["from", "to"])?;
            Some(Renamed { from, to })
        });
        renamed.collect()
    }

    fn next(&mut self, table: &DeTable<'_>) -> Vec<Next> {
        const PLACE: &str = "`[[create-app.next]]`";
        let Some(value) = table.get("next") else { return Vec::new() };
        let Some(items) = self.array("next", value) else { return Vec::new() };
        let next = items.filter_map(|item| {
            let table = self.table(PLACE, item)?;
            self.check_keys(table, PLACE, &["run", "get"], Severity::Error);
            let run = self.required(PLACE, item, table, "run")?;
            Some(Next { run, get: self.string_at(table, "get").map(|get| get.value) })
        });
        next.collect()
    }

    fn required(&mut self, place: &str, value: &Value<'_>, table: &DeTable<'_>, key: &str) -> Option<String> {
        if !table.contains_key(key) {
            self.invalid(value.span(), &format!("{place} has no `{key}`"), "incomplete", format!("add {key} = \"…\""));
        }
        self.string_at(table, key).map(|text| text.value)
    }

    /// Reads a table of exactly two strings.
    fn two_strings(&mut self, place: &str, value: &Value<'_>, keys: [&str; 2]) -> Option<[String; 2]> {
        let table = self.table(place, value)?;
        self.check_keys(table, place, &keys, Severity::Error);
        let [first, second] = keys.map(|key| self.required(place, value, table, key));
        Some([first?, second?])
    }

    fn regex_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<Regex> {
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

    fn table_at<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
        let value = table.get(key)?;
        self.table(key, value)
    }

    fn table<'t, 'i>(&mut self, key: &str, value: &'t Value<'i>) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, "a table");
        }
        table
    }

    fn array<'t, 'i: 't>(
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

    fn string_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<Spanned> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Spanned { value: text.to_string(), span: value.span() }),
            _ => {
                self.wrong_type(key, value, "a string");
                None
            }
        }
    }

    fn bool_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => {
                self.wrong_type(key, value, "true or false");
                None
            }
        }
    }

    fn strings_at(&mut self, table: &DeTable<'_>, key: &str) -> Option<Vec<Spanned>> {
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

fn values(items: Vec<Spanned>) -> Vec<String> {
    items.into_iter().map(|item| item.value).collect()
}

fn article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn quote_all(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
