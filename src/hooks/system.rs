//! The modules `system` and `env`.

use std::sync::Arc;

use rhai::{Array, Dynamic, INT, Map, Module, NativeCallContext};

use super::engine::Native;
use super::{Shared, lock, view};

/// The start of `env::destination_directory`: no script learns where on this machine the project is.
const DESTINATION: &str = "/create-app/project";

pub(super) fn module(state: &Shared) -> Module {
    let mut module = Module::new();
    let shared = Arc::clone(state);
    module.set_native_fn("date", move || -> Native<Dynamic> { Ok(date(&shared)) });
    let shared = Arc::clone(state);
    module.set_native_fn("command", move |context: NativeCallContext<'_>, command: &str| -> Native<Dynamic> {
        super::command::call(&shared, &context, command, Array::new())
    });
    let shared = Arc::clone(state);
    module.set_native_fn(
        "command",
        move |context: NativeCallContext<'_>, command: &str, words: Array| -> Native<Dynamic> {
            super::command::call(&shared, &context, command, words)
        },
    );
    module
}

/// The module `env`.
pub(super) fn environment(state: &Shared) -> Module {
    let mut module = Module::new();
    module.set_var("working_directory", view::WORKING.to_owned());
    module.set_var("destination_directory", format!("{DESTINATION}/{}", lock(state).setting.name));
    module
}

/// The date of the run, which the record keeps.
fn date(state: &Shared) -> Dynamic {
    let mut state = lock(state);
    state.dated = true;
    let text = state.setting.date.to_string();
    let numbers = text.split(['-', 'T']).take(3).map(|part| part.parse::<INT>().unwrap_or_default());
    let parts = ["year", "month", "day"].into_iter().zip(numbers);
    parts.map(|(name, number)| (name.into(), Dynamic::from_int(number))).collect::<Map>().into()
}
