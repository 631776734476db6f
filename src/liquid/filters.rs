//! Every filter, watched: what it reads and makes is counted, and what it could make is judged before it does.

use std::fmt;

use liquid_core::model::{KStringCow, Value, ValueView};
use liquid_core::parser::FilterArguments;
use liquid_core::{Expression, Filter, FilterReflection, ParseFilter, Result, Runtime};

use super::meter::{Excess, Gauge, MAX_VALUE};

/// The most memory that a filter may need besides what it makes, in bytes.
const MAX_SCRATCH: usize = 16 << 20;

/// The cost of a filter beyond reading its input and writing its result once.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    /// How often it reads, or how long it thinks about, each byte of the input.
    pub(super) passes: usize,
    /// How large the result may get; `None` if it cannot be larger than input and arguments.
    pub(super) result: Option<fn(&Call<'_>) -> usize>,
    /// How much memory it needs meanwhile.
    pub(super) scratch: Option<fn(&Call<'_>) -> usize>,
    /// What it costs besides, in bytes that are read.
    pub(super) work: Option<fn(&Call<'_>) -> usize>,
}

/// A filter that makes no more than it gets.
pub(super) const PLAIN: Cost = Cost { passes: 1, result: None, scratch: None, work: None };
/// A filter that decides on each character.
pub(super) const SLOW: Cost = Cost { passes: 4, ..PLAIN };

/// A filter that looks for words: for each character it asks several tables, and writes most of them one by one.
pub(super) const WORDS: Cost = Cost { passes: 48, ..PLAIN };

/// The arguments of a filter.
pub(super) struct Call<'c> {
    /// The input.
    pub(super) input: &'c dyn ValueView,
    /// The size of the input in bytes.
    pub(super) size: usize,
    /// The positional arguments.
    pub(super) arguments: Vec<Value>,
}

impl Call<'_> {
    fn text(&self) -> KStringCow<'_> {
        self.input.to_kstr()
    }

    fn argument(&self, at: usize) -> KStringCow<'_> {
        self.arguments.get(at).map(ValueView::to_kstr).unwrap_or_default()
    }

    fn number(&self, at: usize) -> Option<usize> {
        let number = self.arguments.get(at)?.as_scalar()?.to_integer()?;
        Some(usize::try_from(number).unwrap_or(usize::MAX))
    }

    fn items(&self) -> usize {
        self.input.as_array().map_or(1, |items| usize::try_from(items.size()).unwrap_or(usize::MAX))
    }

    /// How often a text occurs in the input; an empty one is before each character, and after the last.
    fn occurrences(&self, needle: &str) -> usize {
        self.text().matches(needle).count()
    }

    fn count(&self, is_counted: fn(u8) -> bool) -> usize {
        self.text().bytes().filter(|&byte| is_counted(byte)).count()
    }
}

/// The items with a separator between them.
pub(super) const JOIN: Cost = Cost {
    result: Some(|call| {
        let separator = if call.arguments.is_empty() { 1 } else { call.argument(0).len() };
        // A number has a text, too.
        call.size.saturating_add(call.items().saturating_mul(separator.saturating_add(24)))
    }),
    ..PLAIN
};
pub(super) const REPLACE: Cost = Cost {
    passes: 2,
    result: Some(|call| {
        let (old, new) = (call.argument(0), call.argument(1).len());
        call.size.saturating_add(call.occurrences(&old).saturating_mul(new.saturating_sub(old.len())))
    }),
    ..PLAIN
};
pub(super) const SPLIT: Cost = Cost {
    passes: 2,
    result: Some(|call| {
        let parts = call.occurrences(&call.argument(0)).saturating_add(2);
        call.size.saturating_add(parts.saturating_mul(size_of::<Value>()))
    }),
    ..PLAIN
};
pub(super) const ESCAPE: Cost =
    Cost { result: Some(|call| call.size + 5 * call.count(|byte| b"<>&'\"".contains(&byte))), ..SLOW };
pub(super) const NEWLINE_TO_BR: Cost =
    Cost { result: Some(|call| call.size + 6 * call.count(|byte| byte == b'\n')), ..SLOW };
pub(super) const URL_ENCODE: Cost =
    Cost { result: Some(|call| call.size + 2 * call.count(|byte| !byte.is_ascii_alphanumeric())), ..SLOW };
/// Every item is compared with every other that is not the same.
pub(super) const UNIQ: Cost = Cost {
    work: Some(|call| {
        let items = call.items();
        let text = call.size.saturating_sub(items.saturating_mul(size_of::<Value>()));
        items.saturating_mul(items.saturating_mul(4).saturating_add(text / 2))
    }),
    ..PLAIN
};
pub(super) const SORT: Cost = Cost {
    work: Some(|call| call.size.saturating_mul(call.items().checked_ilog2().unwrap_or_default() as usize + 1)),
    ..SLOW
};
/// All characters that may stay are laid out.
pub(super) const TRUNCATE: Cost = Cost {
    passes: 16,
    scratch: Some(|call| {
        let kept = call.number(0).unwrap_or(50);
        if kept >= call.size { 0 } else { kept.saturating_mul(size_of::<&str>()) }
    }),
    ..PLAIN
};
/// All words are laid out.
pub(super) const TRUNCATE_WORDS: Cost =
    Cost { passes: 2, scratch: Some(|call| call.occurrences(" ").saturating_mul(size_of::<&str>())), ..PLAIN };
/// A field of the format has the width that the template asks for.
pub(super) const DATE: Cost = Cost {
    result: Some(|call| {
        let format = call.argument(0);
        let widths = format.split(|c: char| !c.is_ascii_digit()).filter(|width| !width.is_empty());
        let widths = widths.map(|width| width.parse().unwrap_or(usize::MAX)).fold(0, usize::saturating_add);
        // No field without a width has more characters.
        format.matches('%').count().saturating_mul(64).saturating_add(format.len()).saturating_add(widths)
    }),
    ..SLOW
};

/// A filter with its price.
#[derive(Clone)]
pub(super) struct Metered {
    pub(super) filter: Box<dyn ParseFilter>,
    pub(super) cost: Cost,
}

impl ParseFilter for Metered {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        let positional: Vec<Expression> = arguments.positional.collect();
        let judged = self.cost.result.is_some() || self.cost.scratch.is_some();
        let arguments_judged = if judged { positional.clone() } else { Vec::new() };
        let inner = FilterArguments { positional: Box::new(positional.into_iter()), keyword: arguments.keyword };
        let filter = self.filter.parse(inner)?;
        Ok(Box::new(MeteredFilter { filter, arguments: arguments_judged, cost: self.cost }))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self.filter.reflection()
    }
}

struct MeteredFilter {
    filter: Box<dyn Filter>,
    arguments: Vec<Expression>,
    cost: Cost,
}

impl fmt::Debug for MeteredFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}

impl fmt::Display for MeteredFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.filter, f)
    }
}

impl Filter for MeteredFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let meter = Gauge::of(runtime);
        let size = meter.value(input);
        meter.touch(size.saturating_mul(self.cost.passes));
        meter.check()?;
        // What is small cannot become large, but by a number.
        let cost = &self.cost;
        let arguments = self.arguments.iter().map(|argument| Ok(argument.evaluate(runtime)?.into_owned()));
        let call = Call { input, size, arguments: arguments.collect::<Result<_>>()? };
        if let Some(work) = cost.work {
            meter.touch(work(&call));
        }
        let result = cost.result.map_or(0, |result| result(&call));
        if result > MAX_VALUE || cost.scratch.is_some_and(|scratch| scratch(&call) > MAX_SCRATCH) {
            meter.exceed(Excess::Value);
        }
        meter.touch(result);
        meter.check()?;
        drop(call);
        let value = self.filter.evaluate(input, runtime)?;
        meter.value(value.as_view());
        meter.check()?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::liquid::meter;

    fn call<'c>(input: &'c Value, arguments: &[&str]) -> Call<'c> {
        let size = meter::size(input, 100).unwrap();
        Call { input, size, arguments: arguments.iter().map(|text| Value::scalar((*text).to_owned())).collect() }
    }

    #[test]
    fn what_a_filter_could_make_is_known_before() {
        let text = Value::scalar("a&b\nc");
        let list = Value::array(["a", "b", "c"].map(Value::scalar));
        let result = |cost: Cost, input: &Value, arguments: &[&str]| cost.result.unwrap()(&call(input, arguments));
        assert_eq!(result(REPLACE, &text, &["", "xy"]), 5 + 6 * 2);
        assert_eq!(result(REPLACE, &text, &["b", ""]), 5);
        assert_eq!(result(ESCAPE, &text, &[]), "a&amp;b\nc".len() + 1);
        assert_eq!(result(NEWLINE_TO_BR, &text, &[]), "a&b<br />\nc".len());
        assert_eq!(result(URL_ENCODE, &text, &[]), "a%26b%0Ac".len());
        assert!(result(SPLIT, &text, &[""]) >= 6 * size_of::<Value>());
        assert!(result(JOIN, &list, &["--"]) >= "a--b--c".len());
        assert!(result(DATE, &text, &["%1000000000Y"]) > 1_000_000_000);
        assert_eq!(result(DATE, &text, &["%99999999999999999999999999Y"]), usize::MAX);
    }
}
