//! `[placeholders]`: the questions, and what their authors may get wrong.

use std::ops::Range;

use regex::Regex;
use toml::Spanned as TomlSpanned;
use toml::de::DeTable;

use super::{RESERVED, Reader, Value, plain, quote_all};
use crate::answers::placeholder::{Input, Kind, Placeholder};
use crate::diagnostic::{Severity, did_you_mean};
use crate::manifest::Spanned;

impl Reader {
    pub(super) fn placeholders(&mut self, table: &DeTable<'_>) -> Vec<Placeholder> {
        table.iter().filter_map(|(key, value)| self.placeholder(key.get_ref(), key.span(), value)).collect()
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
        Some(Placeholder { name: name.into(), prompt: prompt?, kind, secret: false, span })
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
                default.iter().flatten().for_each(|item| self.check_choice(item, &choices));
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
        Some(Kind::Choice { choices: plain(choices), default: default.map(|default| default.value) })
    }

    pub(super) fn check_match(&mut self, value: Option<&Spanned>, regex: Option<&Regex>) {
        if let (Some(value), Some(regex)) = (value, regex)
            && !regex.is_match(&value.value)
        {
            let title = format!("`{}` does not match the placeholder's regex", value.value);
            self.invalid(value.span.clone(), &title, "does not match", format!("it must match `{regex}`"));
        }
    }

    pub(super) fn check_choice(&mut self, value: &Spanned, choices: &[Spanned]) {
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
}
