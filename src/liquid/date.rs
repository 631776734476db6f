//! The filter `date`, to which `now` is the date of the run: Liquid's own reads the clock, so no two renders were equal.

use std::fmt;

use liquid_core::error::Result;
use liquid_core::model::{DateTime, Value, ValueView};
use liquid_core::parser::{Filter, FilterArguments, FilterReflection, ParseFilter};
use liquid_core::runtime::Runtime;

/// The data that the filter finds in the registers of a render.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What `now` is.
    pub(super) now: DateTime,
    /// Whether anything has asked for it.
    pub(super) asked: bool,
}

/// Liquid's filter, with that clock instead of the machine's.
#[derive(Clone)]
pub(super) struct Dated(pub(super) Box<dyn ParseFilter>);

impl ParseFilter for Dated {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        Ok(Box::new(DatedFilter(self.0.parse(arguments)?)))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self.0.reflection()
    }
}

#[derive(Debug)]
struct DatedFilter(Box<dyn Filter>);

impl fmt::Display for DatedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Filter for DatedFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let asks = input.as_scalar().is_some_and(|scalar| is_now(scalar.to_kstr().as_str()));
        if !asks {
            return self.0.evaluate(input, runtime);
        }
        let now = {
            let mut clock = runtime.registers().get_mut::<Clock>();
            clock.asked = true;
            clock.now
        };
        self.0.evaluate(&Value::scalar(now), runtime)
    }
}

/// The words that Liquid takes for the present.
fn is_now(text: &str) -> bool {
    ["now", "today"].contains(&text.to_lowercase().trim())
}
