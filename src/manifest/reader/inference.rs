//! `[create-app.infer]` and `[[create-app.not-adopted]]`: what the files of an app tell that create-app did not make.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::{Reader, Value};
use crate::diagnostic::Severity;
use crate::manifest::{Inference, NotAdopted, Pointer};

/// At most this many files are looked into for one answer.
const MAX_FILES: usize = 20;

impl Reader {
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
        const KEYS: &[&str] = &["file", "pointer", "regex", "unless", "value", "all", "exists", "above"];
        let table = self.table(PLACE, item)?;
        self.check_keys(table, PLACE, KEYS, Severity::Error);
        let files = self.files_at(table)?;
        let pointer = self.pointer_at(table)?;
        let regex = if table.contains_key("regex") { Some(self.rare_regex_at(table, "regex")?) } else { None };
        if regex.as_ref().is_some_and(|(regex, _)| !regex.has_group()) {
            let help = "put parentheses around the part that is the answer";
            self.invalid(item.span(), "`regex` has no group", "nothing to take the answer from", help);
        }
        let unless = if table.contains_key("unless") { Some(self.rare_regex_at(table, "unless")?) } else { None };
        let value = self.string_at(table, "value").map(|value| value.value);
        let [all, exists, above] = ["all", "exists", "above"].map(|key| self.bool_at(table, key).unwrap_or_default());
        let wrong = match () {
            () if files.is_empty() && value.is_none() => Some(("`file` or `value`", "it has neither")),
            () if files.is_empty()
                && KEYS.iter().any(|key| !matches!(*key, "file" | "value") && table.contains_key(*key)) =>
            {
                Some(("`file`", "there is nothing to search"))
            }
            () if pointer.is_none() && regex.is_none() && value.is_none() => {
                Some(("`pointer`, `regex` or `value`", "there is no answer"))
            }
            () if all && pointer.is_none() => Some(("`pointer`", "`all` needs a pointer")),
            () => None,
        };
        if let Some((missing, label)) = wrong {
            self.invalid(item.span(), &format!("{PLACE} needs {missing}"), label, format!("add {missing}"));
            return None;
        }
        Some(Inference { files, pointer, regex, unless, value, all, exists, above })
    }

    pub(super) fn not_adopted(&mut self, table: &DeTable<'_>) -> Vec<NotAdopted> {
        const PLACE: &str = "`[[create-app.not-adopted]]`";
        let mut found = Vec::new();
        for item in self.items_at(table, "not-adopted", "tables under `not-adopted`") {
            let Some(table) = self.table(PLACE, item) else { continue };
            self.check_keys(table, PLACE, &["file", "pointer", "except", "help"], Severity::Error);
            let files = self.files_at(table).unwrap_or_default();
            let pointer = self.pointer_at(table).flatten();
            let help = self.required(PLACE, item, table, "help");
            let except = super::plain(self.strings_at(table, "except").unwrap_or_default());
            match (pointer, help) {
                (Some(pointer), Some(help)) if !files.is_empty() => {
                    found.push(NotAdopted { files, pointer, except, help });
                }
                // That it has no `help` has been said.
                (_, None) => {}
                _ => self.invalid(
                    item.span(),
                    &format!("{PLACE} needs `file`, `pointer` and `help`"),
                    "incomplete",
                    "add them",
                ),
            }
        }
        found
    }

    /// `file`: one, or a list of several. None where it is something else.
    fn files_at(&mut self, table: &DeTable<'_>) -> Option<Vec<String>> {
        match table.get("file").map(|value| value.get_ref()) {
            None => Some(Vec::new()),
            Some(DeValue::Array(_)) => {
                let files = self.strings_at(table, "file")?;
                Some(super::plain(files.into_iter().take(MAX_FILES).collect()))
            }
            Some(_) => Some(vec![self.string_at(table, "file")?.value]),
        }
    }

    /// `pointer`, where there is one. None where it is something else.
    fn pointer_at(&mut self, table: &DeTable<'_>) -> Option<Option<Pointer>> {
        if !table.contains_key("pointer") {
            return Some(None);
        }
        let text = self.string_at(table, "pointer")?;
        let pointer = Pointer::parse(&text.value);
        if pointer.is_none() {
            let help = "write it as in `/scripts/dev`; a `*` stands for every key or element";
            self.invalid(text.span, "`pointer` is not a JSON pointer", "does not start with `/`", help);
        }
        pointer.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Code;
    use crate::manifest::read;

    #[test]
    fn an_expression_that_is_too_large_is_told_by_who_uses_it() {
        let text =
            "[create-app.infer]\na = [{ file = \"a\", regex = '(\\w{10000})' }, { file = \"b\", regex = '(b)' }]\n";
        let (manifest, warnings) = read("cargo-generate.toml", text).unwrap();
        assert!(warnings.is_empty());
        let problems = manifest.check_inferences().unwrap_err().0;
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert_eq!((problem.code, problem.place.as_ref().unwrap().line_column()), (Code::TooLarge, (2, 28)));
    }

    #[test]
    fn what_is_no_expression_is_told_at_once() {
        for (way, expected) in [
            ("{ file = \"a\", regex = '(' }", "`regex` is not a valid regular expression"),
            ("{ file = \"a\", regex = 'a' }", "`regex` has no group"),
            ("{ file = \"a\", value = \"x\", unless = ')' }", "`unless` is not a valid regular expression"),
        ] {
            let problems = read("cargo-generate.toml", &format!("[create-app.infer]\na = [{way}]\n")).unwrap_err().0;
            assert_eq!(problems[0].title, expected, "{way}");
        }
    }
}
