//! Rhai with the modules of cargo-generate's guide, and with a limit on everything.

use std::sync::Arc;
use std::thread::Builder;

use heck::{
    ToKebabCase as _, ToLowerCamelCase as _, ToPascalCase as _, ToShoutyKebabCase as _, ToShoutySnakeCase as _,
    ToSnakeCase as _, ToTitleCase as _, ToUpperCamelCase as _,
};
use rhai::{Dynamic, Engine, EvalAltResult, FLOAT, INT, Scope};

use super::clock::{Clock, Run};
use super::{Script, Shared, State, failure, files, lock, modules, system, variable};
use crate::diagnostic::{Diagnostic, Result};
use crate::placeholders::condition;
use crate::template::Names;
use crate::terminal::escape_control;

/// The largest script, in bytes.
pub(super) const MAX_SCRIPT: usize = 256 << 10;
/// The largest text, in bytes, and the longest list.
const SIZES: [usize; 2] = [256 << 10, 10_000];
/// What one script may do, in Rhai's operations: a loop of a million rounds takes some of them each.
const MAX_OPERATIONS: u64 = 10_000_000;
/// How deep functions may call each other.
const MAX_CALLS: usize = 32;
/// How many variables a function may have.
const MAX_VARIABLES: usize = 256;
/// How many functions a script may have, and how many modules.
const MAX_ITEMS: usize = 256;
/// How many lines all scripts of a run may print.
const MAX_PRINTED: usize = 1_000;
/// The longest line that is printed, in bytes.
const MAX_LINE: usize = 4 << 10;
/// Rhai recurses with the script: a thread of its own has the room for it, in bytes.
const STACK: usize = 64 << 20;

/// The result of native functions for Rhai.
pub(super) type Native<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Runs a script to its end.
pub(super) fn run(state: &Shared, names: &Names, script: &Script) -> Result<()> {
    evaluate(state, names, script).map(drop)
}

/// Runs a script to its end, and returns what it evaluates to.
pub(super) fn evaluate(state: &Shared, names: &Names, script: &Script) -> Result<Dynamic> {
    let outcome = std::thread::scope(|scope| {
        let evaluated = || evaluated(state, script);
        let thread = Builder::new().stack_size(STACK).spawn_scoped(scope, evaluated);
        let panicked = || EvalAltResult::ErrorSystem("Rhai gave up".to_owned(), "a bug in it".into()).into();
        match thread {
            Ok(thread) => Ok(thread.join().unwrap_or_else(|_| Err(panicked()))),
            Err(error) => Err(Diagnostic::io("cannot start a thread for", script.name.as_ref(), &error)),
        }
    });
    let outcome = outcome?;
    let mut state = lock(state);
    if let Some(failure) = state.failure.take() {
        return Err(failure);
    }
    let error = match outcome {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    Err(failure::diagnostic(&state, names, script, *error).into())
}

fn evaluated(state: &Shared, script: &Script) -> Native<Dynamic> {
    let clock = Arc::clone(&lock(state).clock);
    let run = Arc::new(clock.start());
    // To read a script takes time, too, and no operation.
    if clock.must_stop(&run, 0) {
        return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, rhai::Position::NONE).into());
    }
    let outcome = watched(state, script, &clock, &run);
    clock.end(&run);
    outcome
}

fn watched(state: &Shared, script: &Script, clock: &Arc<Clock>, run: &Arc<Run>) -> Native<Dynamic> {
    let mut engine = engine(state);
    let (watched, watch) = (Arc::clone(clock), Arc::clone(run));
    engine.on_progress(move |operations| watched.must_stop(&watch, operations).then_some(Dynamic::UNIT));
    let mut ast = engine.compile(&*script.text)?;
    ast.set_source(&script.path);
    engine.eval_ast_with_scope(&mut Scope::new(), &ast)
}

fn engine(state: &Shared) -> Engine {
    let mut engine = condition::engine(SIZES);
    engine
        .set_max_operations(MAX_OPERATIONS)
        .set_max_call_levels(MAX_CALLS)
        .set_max_variables(MAX_VARIABLES)
        .set_max_functions(MAX_ITEMS)
        .set_max_modules(MAX_ITEMS)
        .set_module_resolver(modules::Modules::new(state))
        .register_static_module("variable", variable::module(state).into())
        .register_static_module("file", files::module(state).into())
        .register_static_module("system", system::module(state).into())
        .register_static_module("env", system::environment(state).into());
    output(&mut engine, state);
    words(&mut engine, state);
    // Nobody has to wait for a template.
    engine.register_fn("sleep", |_: INT| ()).register_fn("sleep", |_: FLOAT| ());
    engine
}

fn output(engine: &mut Engine, state: &Shared) {
    let print = |state: &Shared, text: &str| {
        let mut state = lock(state);
        text.lines().for_each(|line| state.print(line));
    };
    let (printing, debugging) = (Arc::clone(state), Arc::clone(state));
    engine.on_print(move |text| print(&printing, text));
    engine.on_debug(move |text, source, position| {
        let place = position.line().map(|line| format!(":{line}")).unwrap_or_default();
        print(&debugging, &format!("{}{place}: {text}", source.unwrap_or_default()));
    });
}

impl State {
    /// Shows a line of a script's, as far as it may print: what acts on a terminal is spelled out.
    pub(super) fn print(&mut self, line: &str) {
        self.printed += 1;
        // A second pass says the same again.
        if self.passes <= 1 && self.printed <= MAX_PRINTED {
            (self.setting.tell)(&escape_control(&line[..line.floor_char_boundary(MAX_LINE)]));
        }
    }
}

fn words(engine: &mut Engine, state: &Shared) {
    engine
        .register_fn("to_kebab_case", |text: &str| text.to_kebab_case())
        .register_fn("to_lower_camel_case", |text: &str| text.to_lower_camel_case())
        .register_fn("to_pascal_case", |text: &str| text.to_pascal_case())
        .register_fn("to_shouty_kebab_case", |text: &str| text.to_shouty_kebab_case())
        .register_fn("to_shouty_snake_case", |text: &str| text.to_shouty_snake_case())
        .register_fn("to_snake_case", |text: &str| text.to_snake_case())
        .register_fn("to_title_case", |text: &str| text.to_title_case())
        .register_fn("to_upper_camel_case", |text: &str| text.to_upper_camel_case());
    let state = Arc::clone(state);
    engine.register_fn("abort", move |reason: &str| -> Native<()> {
        lock(&state).aborted = Some(reason.to_owned());
        Err(reason.into())
    });
}
