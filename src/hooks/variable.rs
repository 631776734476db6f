//! The module `variable`.

use std::sync::Arc;

use rhai::{Array, Dynamic, Module, NativeCallContext as Context};

use super::engine::Native;
use super::failure::or;
use super::{Phase, Shared, State, lock, prompt, value};
use crate::placeholders::Answer;

pub(super) fn module(state: &Shared) -> Module {
    let mut module = Module::new();
    macro_rules! functions {
        ($($name:literal: $function:expr;)*) => { $({ let state = Arc::clone(state); module.set_native_fn($name, $function(state)); })* };
    }
    functions! {
        "is_set": |state: Shared| move |name: &str| -> Native<bool> { Ok(lock(&state).variables.contains_key(name)) };
        "get": |state: Shared| move |context: Context<'_>, name: &str| or(&context, get(&lock(&state), name));
        "set": |state: Shared| move |context: Context<'_>, name: &str, text: &str| {
            or(&context, set(&mut lock(&state), name, Answer::Text(text.to_owned())))
        };
        "set": |state: Shared| move |context: Context<'_>, name: &str, value: bool| {
            or(&context, set(&mut lock(&state), name, Answer::Bool(value)))
        };
        "set": |state: Shared| move |context: Context<'_>, name: &str, items: Array| {
            or(&context, value::answer(items.into()).and_then(|answer| set(&mut lock(&state), name, answer)))
        };
        "prompt": |state: Shared| move |context: Context<'_>, question: &str| -> Native<Dynamic> {
            prompt::text(&state, &context, question, None, None)
        };
        "prompt": |state: Shared| move |context: Context<'_>, question: &str, default: bool| -> Native<Dynamic> {
            prompt::yes_or_no(&state, &context, question, default)
        };
        "prompt": |state: Shared| move |context: Context<'_>, question: &str, default: &str| -> Native<Dynamic> {
            prompt::text(&state, &context, question, Some(default), None)
        };
        "prompt": |state: Shared| move |context: Context<'_>, question: &str, default: &str, regex: &str| -> Native<Dynamic> {
            prompt::text(&state, &context, question, Some(default), Some(regex))
        };
        "prompt": |state: Shared| move |context: Context<'_>, question: &str, default: &str, choices: Array| -> Native<Dynamic> {
            prompt::choice(&state, &context, question, default, choices)
        };
    }
    module
}

fn get(state: &State, name: &str) -> Result<Dynamic, String> {
    if state.secret.contains(name) {
        return Err(format!("`{name}` is secret: a value that a script derives from it would be recorded"));
    }
    Ok(state.variables.get(name).map_or_else(|| "".into(), value::of))
}

fn set(state: &mut State, name: &str, answer: Answer) -> Result<(), String> {
    if state.phase == Phase::Filter {
        return Err("a filter cannot set a variable: files render in any order".to_owned());
    }
    // What was given without a placeholder is text, whatever the script takes it for.
    let is_free = state.setting.given.contains_key(name) && matches!(state.variables.get(name), Some(Answer::Text(_)));
    match (state.variables.get(name), kind(&answer)) {
        (Some(before), now) if kind(before) != now && !is_free => {
            let title = format!("the variable `{name}` is {}, and cannot become {now}", kind(before));
            return Err(title);
        }
        _ => {}
    }
    state.variables.insert(name.to_owned(), answer);
    Ok(())
}

fn kind(answer: &Answer) -> &'static str {
    match answer {
        Answer::Text(_) => "a string",
        Answer::Bool(_) => "a bool",
        Answer::Array(_) | Answer::Nested(_) => "an array",
    }
}
