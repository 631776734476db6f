//! Which texts depend on a secret answer: those that look its variable up while they are rendered.
//!
//! Whatever a template does with a value (filters, comparisons, loops, assignments), it has to look the variable up first, and
//! until then nothing in the render can depend on it. So a text that looks none of them up is the same for all values, and
//! whether a text does is the same for all values, too.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use liquid_core::ValueView as _;
use liquid_core::model::{KString, Object, ScalarCow};

use super::element::tag_name;
use super::engine::value;
use super::masked::marker;
use super::scan::Scan;
use crate::placeholders::Answer;

/// The secret variables.
#[derive(Default)]
pub(super) struct Secrets {
    names: BTreeSet<String>,
    /// All variables, with other values for these.
    pub(super) masked: Object,
}

impl Secrets {
    /// Those of `names` that have a value.
    pub(super) fn new(names: &BTreeSet<&str>, variables: &BTreeMap<String, Answer>, globals: &Object) -> Self {
        let given = variables.iter().filter(|(name, _)| names.contains(name.as_str()));
        let names: BTreeSet<String> = given.clone().map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return Self::default();
        }
        let mut masked = globals.clone();
        masked.extend(given.map(|(name, answer)| (KString::from_ref(name), value(&mask(name, answer)))));
        Self { names, masked }
    }

    /// Whether a text has each of them just put into its place: no filter changes it, and no tag decides or stores anything with it.
    pub(super) fn leave_holes(&self, text: &str, scan: &Scan) -> bool {
        let is_harmless = |element: &str| match tag_name(element) {
            None => {
                let inner = element.trim_start_matches('{').trim_end_matches('}');
                let inner = inner.strip_prefix('-').unwrap_or(inner);
                let inner = inner.strip_suffix('-').unwrap_or(inner);
                self.names.contains(inner.trim()) || !self.are_named_in(element)
            }
            // These look at what is written within them.
            Some("capture" | "endcapture" | "ifchanged" | "endifchanged") => false,
            Some(_) => !self.are_named_in(element),
        };
        !self.names.is_empty() && scan.tags().all(|tag| is_harmless(&text[tag]))
    }

    fn are_named_in(&self, element: &str) -> bool {
        self.names.iter().any(|name| element.contains(name.as_str()))
    }

    /// Remembers the first of them that is looked up.
    pub(super) fn notice(&self, path: &[ScalarCow<'_>], first: &OnceCell<String>) {
        if self.names.is_empty() {
            return;
        }
        let name = path.first().map(ScalarCow::to_kstr);
        if let Some(name) = name.filter(|name| self.names.contains(name.as_str())) {
            first.get_or_init(|| name.into_string());
        }
    }
}

/// The substitute for a secret where its value must have no effect.
fn mask(name: &str, answer: &Answer) -> Answer {
    match answer {
        Answer::Text(_) | Answer::Bool(_) => Answer::Text(marker(name)),
        Answer::Array(_) | Answer::Nested(_) => Answer::Array(vec![marker(name)]),
    }
}
