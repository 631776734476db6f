//! `[placeholders]`: the questions, and what their authors may get wrong.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned as TomlSpanned;
use toml::de::DeTable;

use super::{MAX_ENTRIES, RESERVED, Reader, Value, plain, quote_all};
use crate::answers::pattern::{Pattern, TooLong};
use crate::answers::placeholder::{Depends, Input, Kind, Placeholder};
use crate::diagnostic::{Code, Severity, did_you_mean, listed};
use crate::manifest::Spanned;

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
        Some(Placeholder { name: name.into(), prompt: prompt?, kind, secret: false, depends: Depends::default(), span })
    }

    pub(super) fn kind(&mut self, name: &str, table: &DeTable<'_>) -> Option<Kind> {
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
                self.check_choices(default.as_deref().unwrap_or_default(), &choices);
                Some(Kind::Array { choices: plain(choices), default: default.map(plain) })
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
        choices: Vec<Spanned>,
        regex: Option<&Pattern>,
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
        self.check_choices(default.as_slice(), &choices);
        Some(Kind::Choice { choices: plain(choices), default: default.map(|default| default.value) })
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
    pub(super) fn check_choices(&mut self, values: &[Spanned], choices: &[Spanned]) {
        let known: HashSet<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
        for value in values.iter().filter(|value| !known.contains(value.value.as_str())) {
            let all = || choices.iter().map(|choice| choice.value.as_str());
            let help = || {
                Some(match did_you_mean(&value.value, all()) {
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
