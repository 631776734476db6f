//! Decides between answers on which two sides of a lock differ: by the command line, or by asking.

use crate::answers::given::{GivenValues, spell};
use crate::answers::prompt;
use crate::cli::RenderArgs;
use crate::diagnostic::Result;
use crate::lock::Contradiction;
use crate::placeholders::{Answer, Kind, Placeholder};
use crate::workspace::Decision;

/// Decides about one contradiction.
///
/// # Errors
///
/// The user cancelled.
pub(super) fn decide(
    contradiction: &Contradiction,
    given: Option<&GivenValues>,
    args: &RenderArgs,
    may_ask: bool,
) -> Result<Decision> {
    match contradiction {
        Contradiction::Template { .. } if args.source.is_given() => Ok(Decision::Answer(None)),
        Contradiction::Template { .. } => Ok(Decision::Open),
        Contradiction::Answer { name, ours, theirs } => {
            if let Some(text) = given.and_then(|given| given.get(name)).and_then(|given| spell(&given.value)) {
                return Ok(Decision::Answer(Some(read(&text, ours.as_ref().or(theirs.as_ref())))));
            }
            match (ours, theirs) {
                (Some(ours), Some(theirs)) if may_ask => ask(name, [ours, theirs]),
                _ => Ok(Decision::Open),
            }
        }
    }
}

/// Reads an answer as one of the same type as another.
fn read(text: &str, like: Option<&Answer>) -> Answer {
    match like {
        Some(Answer::Bool(_)) if text.eq_ignore_ascii_case("true") => Answer::Bool(true),
        Some(Answer::Bool(_)) if text.eq_ignore_ascii_case("false") => Answer::Bool(false),
        Some(Answer::Array(_)) => {
            Answer::Array(text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect())
        }
        _ => Answer::Text(text.to_owned()),
    }
}

fn ask(name: &str, sides: [&Answer; 2]) -> Result<Decision> {
    let choices: Vec<String> = sides.iter().map(ToString::to_string).collect();
    let prompt = format!("Two branches have different answers for `{name}`. Which one do you want?");
    let kind = Kind::Choice { choices: choices.iter().cloned().map(Into::into).collect(), default: None };
    let chosen = prompt::ask(&Placeholder::new(name, prompt, kind))?.to_string();
    let side = if chosen == choices[0] { sides[0] } else { sides[1] };
    Ok(Decision::Answer(Some(side.clone())))
}
