//! `[placeholders]`: the questions, and what their authors may get wrong.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use super::{MAX_ENTRIES, Reader, Value, plain, quote_all};
use crate::diagnostic::{Code, Severity, did_you_mean, listed};
use crate::placeholders::built_in::Trait;
use crate::placeholders::choice::Choice;
use crate::placeholders::pattern::{Pattern, TooLong};
use crate::placeholders::{Input, Kind, Placeholder};
use crate::spanned::Spanned;

/// The type that `choices` should have.
const CHOICES: &str = "an array of strings, or of tables with `value` and `label`";

/// The choices of a placeholder: values with their places, and the label of each.
#[derive(Default)]
pub(super) struct Declared {
    values: Vec<Spanned>,
    labels: Vec<Option<String>>,
    /// Whether others were refused.
    is_partial: bool,
}

impl Declared {
    fn into_choices(self) -> Vec<Choice> {
        self.values.into_iter().zip(self.labels).map(|(value, label)| Choice { value: value.value, label }).collect()
    }
}

impl Reader {
    pub(super) fn placeholders(&mut self, table: &DeTable<'_>) -> Vec<Placeholder> {
        let left = MAX_ENTRIES.saturating_sub(self.placeholders);
        self.placeholders += table.len();
        self.check_number("placeholders", self.placeholders);
        let placeholders = table.iter().take(left);
        placeholders.filter_map(|(key, value)| self.placeholder(key.get_ref(), key.span(), value)).collect()
    }

    pub(super) fn placeholder(&mut self, name: &str, span: Range<usize>, value: &Value<'_>) -> Option<Placeholder> {
        const KEYS: &[&str] = &["type", "prompt", "choices", "default", "regex"];
        if Trait::Reserved.has(name) {
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
        Some(Placeholder { span, ..Placeholder::new(name, prompt?, kind) })
    }

    pub(super) fn kind(&mut self, name: &str, table: &DeTable<'_>) -> Option<Kind> {
        const TYPES: &[&str] = &["string", "text", "editor", "bool", "array"];
        let declared = match table.get("type") {
            Some(_) => self.string_at(table, "type")?,
            None => Spanned { value: "string".into(), span: 0..0 },
        };
        let regex = self.regex_at(table, "regex");
        let choices = self.choices_at(name, table);
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
                self.check_choices(default.as_deref().unwrap_or_default(), &choices);
                Some(Kind::Array { choices: choices.into_choices(), default: default.map(plain) })
            }
            other => {
                let help =
                    did_you_mean(other, TYPES.iter().copied()).unwrap_or_else(|| format!("use {}", quote_all(TYPES)));
                self.invalid(declared.span, &format!("unknown placeholder type `{other}`"), "not a type", help);
                None
            }
        }
    }

    pub(super) fn choice(
        &mut self,
        name: &str,
        table: &DeTable<'_>,
        choices: Declared,
        regex: Option<&Pattern>,
    ) -> Option<Kind> {
        if choices.values.is_empty() {
            if choices.is_partial {
                return None;
            }
            let span = table.get("choices").map_or(0..0, TomlSpanned::span);
            self.invalid(
                span,
                &format!("`{name}` has no choices"),
                "empty",
                "list at least one choice, or remove `choices`",
            );
            return None;
        }
        choices.values.iter().for_each(|choice| self.check_match(Some(choice), regex));
        let default = self.string_at(table, "default");
        self.check_choices(default.as_slice(), &choices);
        Some(Kind::Choice { choices: choices.into_choices(), default: default.map(|default| default.value) })
    }

    /// `choices`: each a string, or a table with the value and, maybe, a label for it.
    fn choices_at(&mut self, name: &str, table: &DeTable<'_>) -> Option<Declared> {
        let mut declared = Declared::default();
        for item in self.array("choices", table.get("choices")?)? {
            let choice = match item.get_ref() {
                DeValue::String(text) => Some((Spanned { value: text.to_string(), span: item.span() }, None)),
                DeValue::Table(table) => self.labelled(name, item.span(), table),
                _ => {
                    self.wrong_type("choices", item, CHOICES);
                    None
                }
            };
            match choice {
                Some((value, label)) => {
                    declared.values.push(value);
                    declared.labels.push(label);
                }
                None => declared.is_partial = true,
            }
        }
        Some(declared)
    }

    /// A choice with a label: its value, and the label where it has one.
    fn labelled(&mut self, name: &str, span: Range<usize>, table: &DeTable<'_>) -> Option<(Spanned, Option<String>)> {
        const KEYS: &[&str] = &["value", "label"];
        self.check_keys(table, "a choice", KEYS, Severity::Warning);
        if !table.contains_key("value") {
            let title = format!("a choice of `{name}` has no value");
            let help = r#"add value = "…": the label is only shown, the value is the answer"#;
            self.invalid(span, &title, "no `value` here", help);
        }
        let label = self.string_at(table, "label").map(|label| label.value);
        Some((self.string_at(table, "value")?, label))
    }

    pub(super) fn check_match(&mut self, value: Option<&Spanned>, regex: Option<&Pattern>) {
        let (Some(value), Some(regex)) = (value, regex) else { return };
        match regex.is_match(&value.value) {
            Ok(true) => {}
            Ok(false) => {
                let title = format!("`{}` does not match the placeholder's regex", value.value);
                let help = format!("it must match `{regex}`");
                self.invalid(value.span.clone(), &title, "does not match", help);
            }
            Err(TooLong) => {
                let help = || Some("shorten it, or the regular expression".to_owned());
                let title = "it takes too long to compare this with the placeholder's regex";
                self.report((Code::TooLarge, Severity::Error), value.span.clone(), title, "too long", help);
            }
        }
    }

    /// Checks that values are choices.
    pub(super) fn check_choices(&mut self, values: &[Spanned], choices: &Declared) {
        let labels = &choices.labels;
        let choices = &choices.values;
        let known: HashSet<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
        for value in values.iter().filter(|value| !known.contains(value.value.as_str())) {
            let all = || choices.iter().map(|choice| choice.value.as_str());
            let labelled = labels.iter().position(|label| label.as_ref() == Some(&value.value));
            let help = || {
                Some(match did_you_mean(&value.value, all()) {
                    _ if let Some(at) = labelled => format!("use the value of this label: `{}`", choices[at].value),
                    Some(near) => near,
                    None if choices.is_empty() => "add it to `choices`".to_owned(),
                    None => format!("the choices are {}", listed(all())),
                })
            };
            let title = format!("the default `{}` is not one of the choices", value.value);
            self.report((Code::ManifestValue, Severity::Error), value.span.clone(), &title, "not a choice", help);
        }
    }
}
