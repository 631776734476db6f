//! The filter `rhai`: the value of a script of the template.

use std::fmt;
use std::sync::Arc;

use liquid_core::parser::{FilterArguments, ParameterReflection};
use liquid_core::{Error, Filter, FilterReflection, ParseFilter, Result, Runtime, Value, ValueView};

use super::Scripts;

/// The data that the filter finds in the registers of a render.
#[derive(Debug, Default)]
pub(super) struct Runner(pub(super) Option<Arc<dyn Scripts>>);

#[derive(Debug, Clone, Copy)]
pub(super) struct Rhai;

impl fmt::Display for Rhai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rhai")
    }
}

impl FilterReflection for Rhai {
    fn name(&self) -> &'static str {
        "rhai"
    }

    fn description(&self) -> &'static str {
        "Runs a script of the template"
    }

    fn positional_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }

    fn keyword_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }
}

impl ParseFilter for Rhai {
    fn parse(&self, mut arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        if arguments.positional.next().is_some() || arguments.keyword.next().is_some() {
            return Err(Error::with_msg("`rhai` takes no argument"));
        }
        Ok(Box::new(*self))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self
    }
}

impl Filter for Rhai {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let scripts = runtime.registers().get_mut::<Runner>().0.clone();
        let name = input.to_kstr().into_string();
        let missing = || format!("there is no script `{name}` in the template");
        let outcome = scripts.ok_or_else(missing).and_then(|scripts| scripts.run(&name));
        outcome.map(Value::scalar).map_err(Error::with_msg)
    }
}
