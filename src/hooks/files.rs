//! The module `file`.

use std::sync::Arc;

use rhai::{Array, Dynamic, Module, NativeCallContext as Context};

use super::failure::or;
use super::{Phase, Shared, State, lock};

pub(super) fn module(state: &Shared) -> Module {
    let mut module = Module::new();
    macro_rules! functions {
        ($($name:literal: $function:expr;)*) => { $({ let state = Arc::clone(state); module.set_native_fn($name, $function(state)); })* };
    }
    functions! {
        "exists": |state: Shared| move |context: Context<'_>, path: &str| or(&context, exists(&lock(&state), path));
        "listdir": |state: Shared| move |context: Context<'_>| or(&context, list(&state, "."));
        "listdir": |state: Shared| move |context: Context<'_>, path: &str| or(&context, list(&state, path));
        "rename": |state: Shared| move |context: Context<'_>, from: &str, to: &str| {
            or(&context, rename(&mut lock(&state), from, to))
        };
        "delete": |state: Shared| move |context: Context<'_>, path: &str| or(&context, delete(&mut lock(&state), path));
        "write": |state: Shared| move |context: Context<'_>, path: &str, text: &str| {
            or(&context, write(&mut lock(&state), path, text.to_owned()))
        };
        "write": |state: Shared| move |context: Context<'_>, path: &str, lines: Array| {
            let text = lines.iter().map(|line| format!("{line}\n")).collect();
            or(&context, write(&mut lock(&state), path, text))
        };
    }
    module
}

fn exists(state: &State, path: &str) -> Result<bool, String> {
    refuse_in_filter(state)?;
    state.view.exists(path)
}

fn list(state: &Shared, path: &str) -> Result<Array, String> {
    let state = lock(state);
    refuse_in_filter(&state)?;
    Ok(state.view.list(path)?.into_iter().map(Dynamic::from).collect())
}

/// Files render in any order, and several at once.
fn refuse_in_filter(state: &State) -> Result<(), String> {
    if state.phase == Phase::Filter {
        return Err("a filter cannot work with files: use a hook".to_owned());
    }
    Ok(())
}

fn rename(state: &mut State, from: &str, to: &str) -> Result<(), String> {
    refuse_in_filter(state)?;
    let (moves, replaced) = state.view.rename(from, to)?;
    let mut secret = Vec::new();
    if let Some(path) = &replaced {
        state.secret_files.remove(path);
        let line = format!("{}: `{from}` replaces `{path}`", state.script.path);
        state.print(&line);
    }
    for [from, to] in moves {
        secret.extend(state.secret_files.remove(&from).map(|masked| (to, masked)));
    }
    state.secret_files.extend(secret);
    Ok(())
}

fn delete(state: &mut State, path: &str) -> Result<(), String> {
    refuse_in_filter(state)?;
    for gone in state.view.delete(path)? {
        state.secret_files.remove(&gone);
    }
    Ok(())
}

fn write(state: &mut State, path: &str, text: String) -> Result<(), String> {
    refuse_in_filter(state)?;
    let path = state.view.write(path, text)?;
    state.secret_files.remove(&path);
    Ok(())
}
