//! Steps that change recorded answers.

use std::collections::BTreeMap;

use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::liquid::Lines;
use crate::manifest::{Action, Manifest, Step};
use crate::placeholders::Answer;

/// The answers after a step.
pub(super) fn after(
    manifest: &Manifest,
    step: &Step,
    mut answers: BTreeMap<String, Answer>,
    (lines, date): (&Lines, Date),
) -> Result<BTreeMap<String, Answer>> {
    match &step.action {
        Action::RenameAnswer { from, to } => {
            // What has the new name already was given for the new version.
            if let (Some(answer), false) = (answers.remove(from), answers.contains_key(to)) {
                answers.insert(to.clone(), answer);
            }
        }
        Action::SetAnswer { name, value } => {
            let value = computed(manifest, step, value, &answers, (lines, date))?;
            answers.insert(name.clone(), value);
        }
        Action::DeleteAnswer(name) => drop(answers.remove(name)),
        Action::Rename(_) | Action::Note(_) | Action::Run(_) => {}
    }
    Ok(answers)
}

fn computed(
    manifest: &Manifest,
    step: &Step,
    value: &Answer,
    answers: &BTreeMap<String, Answer>,
    (lines, date): (&Lines, Date),
) -> Result<Answer> {
    let Answer::Text(text) = value else { return Ok(value.clone()) };
    // An answer that is not recorded, because its question was not asked, is empty.
    let empty = manifest.declared().map(|placeholder| (placeholder.name.clone(), Answer::Text(String::new())));
    let mut known: BTreeMap<String, Answer> = empty.collect();
    known.extend(answers.clone());
    lines.render(text, &known, date).map(Answer::Text).map_err(|reason| {
        Diagnostic::error(Code::ManifestValue, "the answer of a migration cannot be computed")
            .at(manifest.place(step.span.clone()), reason)
            .help("use the names of placeholders and of recorded answers")
            .into()
    })
}
