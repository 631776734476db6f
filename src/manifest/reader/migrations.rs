//! `[[create-app.migrations]]`.

use semver::{Version, VersionReq};
use toml::de::{DeTable, DeValue};

use super::{MAX_ENTRIES, Reader, Value, quote_all};
use crate::diagnostic::{Code, Severity, did_you_mean};
use crate::manifest::Manifest;
use crate::manifest::{Action, Migration, PathRename, Step};
use crate::placeholders::Answer;
use crate::placeholders::built_in::Trait;
use crate::spanned::Spanned;

const PLACE: &str = "`[[create-app.migrations]]`";
const STEP: &str = "a step of a migration";
/// What steps do, and the key that goes with it.
const ACTIONS: &[(&str, Option<&str>)] = &[
    ("rename", Some("to")),
    ("rename_answer", Some("to")),
    ("set_answer", Some("value")),
    ("delete_answer", None),
    ("note", None),
    ("run", None),
];
/// More steps that rename files than this would be a template's whole history.
const MAX_RENAMES: usize = 200;

impl Reader {
    pub(super) fn migrations(
        &mut self,
        table: &DeTable<'_>,
        version: Option<&Spanned>,
        manifest: &Manifest,
        secret: &[Spanned],
    ) -> Vec<Migration> {
        let Some(value) = table.get("migrations") else { return Vec::new() };
        let Some(items) = self.array("migrations", value) else { return Vec::new() };
        let items: Vec<&Value<'_>> = items.collect();
        if items.is_empty() {
            return Vec::new();
        }
        self.check_number("migrations", items.len());
        if version.is_none_or(|version| Version::parse(&version.value).is_err()) {
            let (span, label) = version
                .map_or_else(|| (value.span(), "has no version"), |it| (it.span.clone(), "not a semantic version"));
            let title = "migrations need the template's own version";
            self.invalid(
                span,
                title,
                label,
                "write version = \"1.2.3\" under `[create-app]`, and raise it with each release",
            );
        }
        let known = Known { manifest, secret };
        let migrations = items.into_iter().take(MAX_ENTRIES).filter_map(|item| self.migration(item, &known));
        let migrations: Vec<Migration> = migrations.collect();
        let steps = || migrations.iter().flat_map(|migration| &migration.steps);
        self.check_number("steps of migrations", steps().count());
        if let Some(step) = steps().filter(|step| matches!(step.action, Action::Rename(_))).nth(MAX_RENAMES) {
            let title = format!("the migrations have more than {MAX_RENAMES} steps that rename files");
            let help = || Some("rename whole directories, or by pattern".to_owned());
            self.report((Code::TooLarge, Severity::Error), step.span.clone(), &title, "one too many", help);
        }
        migrations
    }

    fn migration(&mut self, item: &Value<'_>, known: &Known<'_>) -> Option<Migration> {
        let table = self.table(PLACE, item)?;
        self.check_keys(table, PLACE, &["version", "steps"], Severity::Error);
        self.required(PLACE, item, table, "version")?;
        let version = self.string_at(table, "version")?;
        let Some(steps) = table.get("steps") else {
            self.invalid(
                item.span(),
                &format!("{PLACE} has no `steps`"),
                "does nothing",
                "add steps = [{ note = \"…\" }]",
            );
            return None;
        };
        let steps: Vec<&Value<'_>> = self.array("steps", steps)?.collect();
        let steps = steps
            .into_iter()
            .take(MAX_ENTRIES)
            .filter_map(|step| Some(Step { action: self.step(step, known)?, span: step.span() }));
        let steps = steps.collect();
        match VersionReq::parse(&version.value) {
            Ok(version) => Some(Migration { version, steps }),
            Err(error) => {
                let title = format!("`{:.100}` is not a version requirement: {error}", version.value);
                self.invalid(
                    version.span,
                    &title,
                    "cannot be read",
                    "write the first version that needs this, as in \">=2.0.0\"",
                );
                None
            }
        }
    }

    fn step(&mut self, value: &Value<'_>, known: &Known<'_>) -> Option<Action> {
        let table = self.table(STEP, value)?;
        let present: Vec<&(&str, Option<&str>)> =
            ACTIONS.iter().filter(|(name, _)| table.contains_key(*name)).collect();
        let [(name, companion)] = present[..] else {
            let names: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
            let all = quote_all(&names);
            let (title, label) = match present.len() {
                0 => ("a step of a migration has no known action", "no action"),
                _ => ("a step of a migration has more than one action", "one action too many"),
            };
            self.invalid(value.span(), title, label, format!("give each step one of {all}"));
            return None;
        };
        let keys: Vec<&str> = [Some(*name), *companion].into_iter().flatten().collect();
        self.check_keys(table, STEP, &keys, Severity::Error);
        let text = self.string_at(table, name)?;
        if ["rename_answer", "delete_answer"].contains(name) && Trait::Reserved.has(&text.value) {
            let title = format!("`{}` is not an answer that the template asks for", text.value);
            self.invalid(text.span, &title, "set by create-app", "use a placeholder that the template has or had");
            return None;
        }
        match *name {
            "rename" => {
                let to = self.required(STEP, value, table, "to")?;
                let rename = PathRename::new(&text.value, &to);
                rename
                    .map(Action::Rename)
                    .map_err(|reason| self.invalid(value.span(), &reason, "not a valid rename", RENAMES))
                    .ok()
            }
            "rename_answer" => {
                self.required(STEP, value, table, "to")?;
                let to = self.string_at(table, "to")?;
                self.is_declared(&to, known).then_some(Action::RenameAnswer { from: text.value, to: to.value })
            }
            "set_answer" => {
                if known.secret.iter().any(|secret| secret.value == text.value) {
                    let title = format!("`{}` is secret: its answer cannot be in the manifest", text.value);
                    self.invalid(text.span, &title, "would be public", "let the user answer it");
                    return None;
                }
                let answer = self.answer(value, table)?;
                self.is_declared(&text, known).then_some(Action::SetAnswer { name: text.value, value: answer })
            }
            "delete_answer" => Some(Action::DeleteAnswer(text.value)),
            "note" => Some(Action::Note(text.value)),
            _ => Some(Action::Run(text.value)),
        }
    }

    /// Whether a name is that of a placeholder; says so where it is not.
    fn is_declared(&mut self, name: &Spanned, known: &Known<'_>) -> bool {
        let declared = || known.manifest.declared().map(|placeholder| placeholder.name.as_str());
        if declared().any(|declared| declared == name.value) {
            return true;
        }
        let near = did_you_mean(&name.value, declared()).unwrap_or_else(|| "use a placeholder of this template".into());
        self.invalid(name.span.clone(), &format!("`{:.100}` is not a placeholder", name.value), "unknown", near);
        false
    }

    fn answer(&mut self, step: &Value<'_>, table: &DeTable<'_>) -> Option<Answer> {
        let Some(value) = table.get("value") else {
            self.invalid(step.span(), "`set_answer` has no `value`", "incomplete", "add value = \"…\"");
            return None;
        };
        match value.get_ref() {
            DeValue::String(text) => Some(Answer::Text(text.to_string())),
            DeValue::Boolean(value) => Some(Answer::Bool(*value)),
            DeValue::Array(_) => {
                let items = self.strings_at(table, "value")?;
                Some(Answer::Array(items.into_iter().map(|item| item.value).collect()))
            }
            _ => {
                self.wrong_type("value", value, "a string, a boolean or an array of strings");
                None
            }
        }
    }
}

const RENAMES: &str = "write paths below the project, as in { rename = \"src/**/*.js\", to = \"src/**/*.ts\" }";

/// The names that steps can use.
struct Known<'m> {
    manifest: &'m Manifest,
    secret: &'m [Spanned],
}
