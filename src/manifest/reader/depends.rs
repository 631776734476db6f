//! `[create-app.placeholders.NAME]`: the `default` that follows from earlier answers, `when` the question is asked, and what is said of
//! wrong answers.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

use super::{MAX_ENTRIES, Reader};
use crate::diagnostic::did_you_mean;
use crate::liquid::Lines;
use crate::manifest::Manifest;
use crate::placeholders::built_in;
use crate::placeholders::condition;
use crate::placeholders::condition::Condition;
use crate::placeholders::{Depends, Kind, Placeholder, When, Wording};
use crate::spanned::Spanned;

impl Reader {
    pub(super) fn depends(&mut self, table: &DeTable<'_>, manifest: &mut Manifest) {
        let Some(placeholders) = table.get("placeholders").and_then(|value| value.get_ref().as_table()) else { return };
        let mut order = BTreeMap::new();
        for (at, placeholder) in manifest.declared().enumerate() {
            order.entry(placeholder.name.clone()).or_insert(at);
        }
        let secret = manifest.ownership.secret_names().into_iter().map(str::to_owned).collect();
        let mut questions = Questions { order, secret, at: 0, lines: Lines::default() };
        let mut found = BTreeMap::new();
        let mut wordings = BTreeMap::new();
        for (name, value) in placeholders.iter().take(MAX_ENTRIES) {
            let name = name.get_ref().as_ref();
            let (Some(entries), Some(&at)) = (value.get_ref().as_table(), questions.order.get(name)) else { continue };
            questions.at = at;
            let default = self.string_at(entries, "default").filter(|text| self.check_computed(text, &questions));
            let when = self.string_at(entries, "when").and_then(|expression| self.when(expression, &questions));
            let declared = manifest.declared().find(|placeholder| placeholder.name == name);
            if let Some(wording) = declared.and_then(|placeholder| self.wording(entries, placeholder)) {
                wordings.insert(name.to_owned(), wording);
            }
            if default.is_some() || when.is_some() {
                found.insert(name.to_owned(), Depends { default, when });
            }
        }
        for placeholder in manifest.declared_mut() {
            if let Some(depends) = found.get(&placeholder.name) {
                placeholder.depends = depends.clone();
            }
            if let Some(wording) = wordings.get(&placeholder.name) {
                placeholder.wording = wording.clone();
            }
        }
    }

    /// The author's messages about answers. An example has to be one, and only a regex can be missed.
    fn wording(&mut self, table: &DeTable<'_>, placeholder: &Placeholder) -> Option<Wording> {
        let invalid = self.string_at(table, "invalid");
        let example = self.string_at(table, "example");
        let regex = match &placeholder.kind {
            Kind::Text { regex, .. } => regex.as_ref(),
            _ => None,
        };
        if let Some(invalid) = invalid.as_ref().filter(|_| regex.is_none()) {
            let title = format!("`{}` has no `regex` that an answer could fail to match", placeholder.name);
            let help = format!("add `regex` to `{}`, or remove `invalid`", placeholder.name);
            self.invalid(invalid.span.clone(), &title, "never used", help);
        }
        match &placeholder.kind {
            Kind::Text { .. } => self.check_match(example.as_ref(), regex),
            _ => {
                if let Some(example) = &example {
                    let title =
                        format!("only free text can have an example, and `{}` is not free text", placeholder.name);
                    self.invalid(example.span.clone(), &title, "never shown", "remove it");
                }
            }
        }
        let [invalid, example] = [invalid, example].map(|text| text.map(|text| text.value));
        (invalid.is_some() || example.is_some()).then_some(Wording { invalid, example })
    }

    /// Checks what a default is rendered from; returns whether it can be.
    fn check_computed(&mut self, text: &Spanned, questions: &Questions) -> bool {
        match questions.lines.variables(&text.value) {
            Ok(used) => {
                for (name, inner) in used {
                    self.check_earlier(&name, text, inner, questions);
                }
                true
            }
            Err(reason) => {
                let help = "write it as in a file of the template, as in \"{{ project-name }}-db\"";
                self.invalid(text.span.clone(), "the default is not valid Liquid", &reason, help);
                false
            }
        }
    }

    fn when(&mut self, expression: Spanned, questions: &Questions) -> Option<When> {
        let condition = match Condition::parse(&expression.value) {
            Ok(condition) => condition,
            Err(reason) => {
                let help = "a condition is a Rhai expression over earlier answers, as in `kind == \"lib\"`";
                self.invalid(expression.span, "`when` is not a condition", &reason, help);
                return None;
            }
        };
        for (name, at) in condition::others(&expression.value, questions.usable()) {
            let inner = at..at + name.len();
            self.check_earlier(&name, &expression, inner, questions);
        }
        Some(When { condition, expression })
    }

    /// Reports a name that is not known when the question is asked.
    fn check_earlier(&mut self, name: &str, text: &Spanned, inner: Range<usize>, questions: &Questions) {
        let (title, label, help) = match questions.order.get(name) {
            Some(at) if *at < questions.at && questions.secret.iter().any(|secret| secret == name) => (
                format!("this depends on the secret answer `{name}`"),
                "would reveal it",
                "leave it out: everything that depends on it is shown and recorded".to_owned(),
            ),
            Some(at) if *at < questions.at => return,
            Some(at) if *at == questions.at => (
                format!("`{name}` depends on its own answer"),
                "not answered yet",
                "use the answers to earlier questions".to_owned(),
            ),
            Some(_) => (
                format!("`{name}` is asked later"),
                "not answered yet",
                format!("move `{name}` up: questions are asked in the order of the manifest"),
            ),
            None if built_in::is_built_in(name) => return,
            None => (
                format!("`{name}` is not a placeholder"),
                "unknown",
                did_you_mean(name, questions.usable())
                    .unwrap_or_else(|| "use built-in variables and the answers to earlier questions".to_owned()),
            ),
        };
        let span = self.inside(text, inner);
        self.invalid(span, &title, label, help);
    }

    /// The place of a region of a string; of all of it, if it has escapes.
    pub(super) fn inside(&self, text: &Spanned, inner: Range<usize>) -> Range<usize> {
        text.inside(&self.text, inner)
    }
}

/// The questions of a manifest, in the order in which they are asked.
struct Questions {
    order: BTreeMap<String, usize>,
    secret: Vec<String>,
    /// The one that is looked at.
    at: usize,
    lines: Lines,
}

impl Questions {
    /// The names that have a value when the question is asked, and may be shown.
    fn usable(&self) -> impl Iterator<Item = &str> {
        let earlier = self.order.iter().filter(|(name, at)| **at < self.at && !self.secret.contains(name));
        let built_in = built_in::names().filter(|name| !self.order.contains_key(*name));
        earlier.map(|(name, _)| name.as_str()).chain(built_in)
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::read;

    /// The problems of a manifest, with line and column.
    fn problems(ours: &str) -> Vec<String> {
        let text = format!(
            "[placeholders]\nfirst = {{ prompt = \"?\" }}\ntoken = {{ prompt = \"?\" }}\n\
             self_ = {{ prompt = \"?\" }}\nlater = {{ prompt = \"?\" }}\n\
             [create-app]\nsecret = [\"token\"]\n[create-app.placeholders.self_]\n{ours}\n"
        );
        let Err(problems) = read("cargo-generate.toml", &text) else { return Vec::new() };
        let told = problems.0.iter().map(|problem| {
            let (line, column) = problem.place.as_ref().unwrap().line_column();
            format!("{} {line}:{column} {}", problem.code.as_str(), problem.title)
        });
        told.collect()
    }

    #[test]
    fn what_is_known_when_the_question_is_asked_may_be_used() {
        for ours in [
            r#"default = "{{ project-name | upcase }}-{{ first }}""#,
            r#"default = "{% for part in first %}{{ part }}{{ forloop.index }}{% endfor %}""#,
            r#"default = "{% assign x = first | split: ',' %}{{ x | first | default: 'a' }}""#,
            r#"default = "plain""#,
            r#"when = 'first == "a" && !is_init'"#,
            r#"when = "[1].some(|it| it == first)""#,
        ] {
            assert_eq!(problems(ours), [""; 0], "{ours}");
        }
    }

    #[test]
    fn what_is_not_known_then_is_told_with_its_place() {
        for (ours, expected) in [
            (r#"default = "{{ later }}""#, "M004 9:15 `later` is asked later"),
            (r#"default = "{{ self_ }}""#, "M004 9:15 `self_` depends on its own answer"),
            (r#"default = "{{ fist }}""#, "M004 9:15 `fist` is not a placeholder"),
            (r#"default = "{{ token }}""#, "M004 9:15 this depends on the secret answer `token`"),
            (r#"default = "{% if first %}""#, "M004 9:11 the default is not valid Liquid"),
            (r#"default = "{{ 99999999999999999999 }}""#, "M004 9:11 the default is not valid Liquid"),
            ("default = 1", "M003 9:11 `default` should be a string"),
            (r#"when = "first == later""#, "M004 9:18 `later` is asked later"),
            (r#"when = "self_""#, "M004 9:9 `self_` depends on its own answer"),
            (r#"when = "first == fist""#, "M004 9:18 `fist` is not a placeholder"),
            (r#"when = "token == first""#, "M004 9:9 this depends on the secret answer `token`"),
            (r#"when = "first =""#, "M004 9:8 `when` is not a condition"),
            ("when = true", "M003 9:8 `when` should be a string"),
            (r#"invalid = "no""#, "M004 9:11 `self_` has no `regex` that an answer could fail to match"),
            ("example = 1", "M003 9:11 `example` should be a string"),
        ] {
            assert_eq!(problems(ours), [expected], "{ours}");
        }
    }
}
