//! The questions of scripts: each question by its script, its words, and how often it was asked before. The record has it among the answers.

use std::collections::BTreeMap;

use crate::placeholders::Answer;

/// Whether a recorded answer is that of a script's question: no variable that can be given has such a name.
#[must_use]
pub fn is_question(name: &str) -> bool {
    name.contains(": ")
}

/// The name of what a script asks for the `n`-th time, from 1.
fn key(script: &str, question: &str, n: usize) -> String {
    // No path has a colon.
    let count = if n == 1 { String::new() } else { format!("{n}:") };
    format!("{script}:{count} {question}")
}

/// The questions of a run, and their answers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Everything that was asked.
    pub(super) asked: BTreeMap<String, Answer>,
    /// How often each question was asked in this phase.
    counts: BTreeMap<(String, String), usize>,
}

impl Answers {
    /// Starts a phase: the same template may be rendered twice.
    pub(super) fn begin(&mut self) {
        self.counts.clear();
    }

    /// The name of a question that is asked now.
    pub(super) fn next(&mut self, script: &str, question: &str) -> String {
        let count = self.counts.entry((script.to_owned(), question.to_owned())).or_default();
        *count += 1;
        key(script, question, *count)
    }

    /// How many questions were asked in this phase.
    pub(super) fn count(&self) -> usize {
        self.counts.values().sum()
    }
}
