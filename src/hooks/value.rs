//! Answers as Rhai's values, and back.

use rhai::{Array, Dynamic};

use crate::placeholders::Answer;

/// An answer as scripts see it.
pub(super) fn of(answer: &Answer) -> Dynamic {
    match answer {
        Answer::Text(text) => text.clone().into(),
        Answer::Bool(value) => (*value).into(),
        Answer::Array(items) => items.iter().cloned().map(Dynamic::from).collect::<Array>().into(),
        Answer::Nested(items) => items.iter().map(of).collect::<Array>().into(),
    }
}

/// The answer that a script returned.
///
/// # Errors
///
/// If a variable cannot have such a value.
pub(super) fn answer(value: Dynamic) -> Result<Answer, String> {
    if let Ok(value) = value.as_bool() {
        return Ok(Answer::Bool(value));
    }
    if value.is_string() {
        return Ok(Answer::Text(value.into_string().unwrap_or_default()));
    }
    let kind = value.type_name();
    let Some(items) = value.try_cast::<Array>() else {
        return Err(format!("a variable is a string, a bool or an array, not of the type {kind}"));
    };
    let items = items.into_iter().map(answer).collect::<Result<Vec<Answer>, String>>()?;
    let texts = items.iter().map(|item| match item {
        Answer::Text(text) => Some(text.clone()),
        _ => None,
    });
    Ok(match texts.collect::<Option<Vec<String>>>() {
        Some(texts) => Answer::Array(texts),
        None => Answer::Nested(items),
    })
}
