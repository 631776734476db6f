//! The error of a script, with its line.

use std::sync::Arc;

use rhai::{EvalAltResult, NativeCallContext, Position};

use super::engine::Native;
use super::{Script, State, view};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::template::Names;
use crate::terminal::beginning;

/// At most this much of what a script says is shown, in bytes.
const SHOWN: usize = 1_000;

/// The message for an error of Rhai's.
pub(super) fn diagnostic(state: &State, names: &Names, script: &Script, error: EvalAltResult) -> Diagnostic {
    let (inner, source) = innermost(error);
    let place = place(state, names, script, source.as_deref(), inner.position());
    let is_over = state.clock.is_over.load(std::sync::atomic::Ordering::Relaxed);
    if is_over || is_too_much(&inner) {
        let what = if is_over { "more than 5 seconds, or 128 MiB of memory".to_owned() } else { words(inner) };
        return Diagnostic::error(Code::TooLarge, format!("the hook takes too much work: {what}"))
            .at(place, "stopped here")
            .help("make sure that loops and recursion end, and keep texts and lists short");
    }
    let words = words(inner);
    if state.aborted.as_deref() == Some(words.as_str()) {
        return Diagnostic::error(Code::HookAborted, format!("the template aborted: {}", beginning(&words, SHOWN)))
            .at(place, "aborted here")
            .help("change your answers, or ask the template's author");
    }
    if let Some((_, facts)) = state.failed_command.as_ref().filter(|(failed, _)| *failed == words) {
        return Diagnostic::error(Code::CommandFailed, beginning(&words, SHOWN))
            .about(facts.clone())
            .at(place, "run here")
            .help("check what the command needs; to give it more time, pass `--command-timeout`");
    }
    Diagnostic::error(Code::HookFailed, format!("the hook failed: {}", beginning(&words, SHOWN)))
        .at(place, "here")
        .help("fix the script, or tell the template's author; nothing was written")
}

/// An error at a place of the script that runs.
pub(super) fn at(state: &State, code: Code, title: String, position: Position, label: &str) -> Diagnostic {
    let script = &state.script;
    let span = span(&script.text, position);
    Diagnostic::error(code, title).at(Place::new(&script.name, Arc::clone(&script.text), span), label)
}

/// What a function of ours has, or its error at the place of the call.
pub(super) fn or<T>(context: &NativeCallContext<'_>, outcome: Result<T, String>) -> Native<T> {
    outcome.map_err(|reason| EvalAltResult::ErrorRuntime(reason.into(), context.call_position()).into())
}

/// The error itself, without the calls that led to it, and the script or module that has it.
fn innermost(error: EvalAltResult) -> (EvalAltResult, Option<String>) {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => {
            let (inner, found) = innermost(*inner);
            (inner, found.or(Some(source).filter(|source| !source.is_empty())))
        }
        EvalAltResult::ErrorInModule(path, inner, _) => {
            let (inner, found) = innermost(*inner);
            (inner, found.or(Some(path)))
        }
        error => (error, None),
    }
}

fn is_too_much(error: &EvalAltResult) -> bool {
    use EvalAltResult as E;
    matches!(
        error,
        E::ErrorTooManyOperations(..)
            | E::ErrorTooManyVariables(..)
            | E::ErrorTooManyModules(..)
            | E::ErrorStackOverflow(..)
            | E::ErrorDataTooLarge(..)
            | E::ErrorTerminated(..)
    )
}

/// Rhai's own words, without the place, which is shown.
fn words(mut error: EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorRuntime(value, _) => value.to_string(),
        _ => {
            error.clear_position();
            error.to_string()
        }
    }
}

fn place(state: &State, names: &Names, script: &Script, source: Option<&str>, position: Position) -> Place {
    let other = source.filter(|source| *source != script.path && !source.is_empty());
    let module = other.and_then(|source| {
        let path = view::path(source).ok().flatten()?;
        let text = std::str::from_utf8(state.view.read(&path)?).ok()?;
        Some(Place::new(names.of(&path), text, span(text, position)))
    });
    module.unwrap_or_else(|| Place::new(&script.name, Arc::clone(&script.text), span(&script.text, position)))
}

/// The bytes of the word at a position.
pub(super) fn span(text: &str, position: Position) -> std::ops::Range<usize> {
    let Some(line) = position.line() else { return 0..0 };
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[start.min(text.len())..];
    let before = position.position().unwrap_or(1) - 1;
    let column = rest.char_indices().nth(before).map_or(rest.trim_end().len(), |(at, _)| at);
    let word = rest[column..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let end = column + word.unwrap_or(rest.len() - column).max(usize::from(column < rest.len()));
    start + column..start + end
}
