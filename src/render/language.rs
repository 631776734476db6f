//! The Liquid dialect: cargo-generate's standard library and case filters, and two guards.

use std::fmt;
use std::sync::LazyLock;

use heck::{
    ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutyKebabCase, ToShoutySnakeCase, ToSnakeCase, ToTitleCase,
    ToUpperCamelCase,
};
use liquid_core::parser::{FilterArguments, ParameterReflection};
use liquid_core::{
    Error, Expression, Filter, FilterReflection, Language, ParseFilter, ParseTag, Renderable, Result, Runtime,
    TagReflection, TagTokenIter, Value, ValueView,
};
use liquid_lib::stdlib;

use super::date::Dated;

/// The most rounds that a range may give a loop.
const MAX_RANGE: i64 = 1_000_000;
/// The largest text that a filter may make from its input and argument, in bytes.
const MAX_PRODUCT: usize = 64 << 20;
/// What is said of a loop over more than [`MAX_RANGE`] numbers.
pub(super) const TOO_LONG_RANGE: &str = "The range has more than a million numbers";
/// What is said of a result that could be larger than [`MAX_PRODUCT`].
pub(super) const TOO_LONG_RESULT: &str = "The result could have more than 64 MiB";
/// The tag that the renderer puts before a loop over a range.
pub(super) const RANGE_GUARD: &str = "create_app_range_guard";

/// Liquid as cargo-generate 0.23 registers it, but for its `rhai` filter.
pub(super) fn shared() -> &'static Language {
    static LANGUAGE: LazyLock<Language> = LazyLock::new(create_app);
    &LANGUAGE
}

fn create_app() -> Language {
    let mut language = Language::empty();
    tags(&mut language);
    blocks(&mut language);
    filters(&mut language);
    for case in CASES {
        language.filters.register(case.name.to_owned(), Box::new(*case));
    }
    language
}

fn tags(language: &mut Language) {
    macro_rules! register {
        ($($tag:ident),* $(,)?) => {
            $(let tag: Box<dyn ParseTag> = stdlib::$tag.into(); language.tags.register(tag.reflection().tag().to_owned(), tag);)*
        };
    }
    register!(AssignTag, BreakTag, ContinueTag, CycleTag, IncludeTag, IncrementTag, DecrementTag, RenderTag);
    language.tags.register(RANGE_GUARD.to_owned(), Box::new(RangeGuard));
}

fn blocks(language: &mut Language) {
    macro_rules! register {
        ($($block:ident),* $(,)?) => {$(
            let block: Box<dyn liquid_core::ParseBlock> = stdlib::$block.into();
            language.blocks.register(block.reflection().start_tag().to_owned(), block);
        )*};
    }
    register!(
        RawBlock,
        IfBlock,
        UnlessBlock,
        IfChangedBlock,
        ForBlock,
        TableRowBlock,
        CommentBlock,
        CaptureBlock,
        CaseBlock
    );
}

fn filters(language: &mut Language) {
    macro_rules! register {
        ($($filter:ident),* $(,)?) => {$(
            let filter: Box<dyn ParseFilter> = stdlib::$filter.into();
            language.filters.register(filter.reflection().name().to_owned(), filter);
        )*};
    }
    macro_rules! register_guarded {
        ($($filter:ident: $is_affordable:ident),* $(,)?) => {$(
            let filter: Box<dyn ParseFilter> = stdlib::$filter.into();
            let name = filter.reflection().name().to_owned();
            language.filters.register(name, Box::new(Guarded { filter, is_affordable: $is_affordable }));
        )*};
    }
    register!(
        Abs,
        Append,
        AtLeast,
        AtMost,
        Capitalize,
        Ceil,
        Compact,
        Concat,
        Default,
        DividedBy,
        Downcase,
        Escape,
        EscapeOnce,
        First,
        Floor,
        Last,
        Lstrip,
        Map,
        Minus,
        Modulo,
        NewlineToBr,
        Plus,
        Prepend,
        Remove,
        RemoveFirst,
        ReplaceFirst,
        Reverse,
        Round,
        Rstrip,
        Size,
        Slice,
        Sort,
        SortNatural,
        Split,
        Strip,
        StripHtml,
        StripNewlines,
        Times,
        Truncate,
        TruncateWords,
        Upcase,
        UrlDecode,
        UrlEncode,
        Where,
    );
    register_guarded!(Join: product, Replace: product, Uniq: square);
    let date = Guarded { filter: Box::new(Dated(stdlib::Date.into())), is_affordable: date };
    language.filters.register("date".to_owned(), Box::new(date));
}

/// A filter that changes the case of words.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    apply: fn(&str) -> String,
}

const CASES: &[Case] = &[
    Case { name: "kebab_case", apply: |text| text.to_kebab_case() },
    Case { name: "lower_camel_case", apply: |text| text.to_lower_camel_case() },
    Case { name: "pascal_case", apply: |text| text.to_pascal_case() },
    Case { name: "shouty_kebab_case", apply: |text| text.to_shouty_kebab_case() },
    Case { name: "shouty_snake_case", apply: |text| text.to_shouty_snake_case() },
    Case { name: "snake_case", apply: |text| text.to_snake_case() },
    Case { name: "title_case", apply: |text| text.to_title_case() },
    Case { name: "upper_camel_case", apply: |text| text.to_upper_camel_case() },
];

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl FilterReflection for Case {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &'static str {
        "Changes the case of words"
    }

    fn positional_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }

    fn keyword_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }
}

impl ParseFilter for Case {
    fn parse(&self, mut arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        if arguments.positional.next().is_some() || arguments.keyword.next().is_some() {
            return Err(Error::with_msg(format!("`{}` takes no argument", self.name)));
        }
        Ok(Box::new(*self))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self
    }
}

impl Filter for Case {
    fn evaluate(&self, input: &dyn ValueView, _: &dyn Runtime) -> Result<Value> {
        let text = input.as_scalar().ok_or_else(|| Error::with_msg("String expected"))?;
        Ok(Value::scalar((self.apply)(text.to_kstr().as_str())))
    }
}

/// A filter that can take far more than its input would suggest.
#[derive(Clone)]
struct Guarded {
    filter: Box<dyn ParseFilter>,
    is_affordable: IsAffordable,
}

/// Judges the number of the input's items, or bytes, and the arguments.
type IsAffordable = fn(usize, &[String]) -> bool;

/// The output can be as large as the input times the argument.
fn product(items: usize, arguments: &[String]) -> bool {
    let largest = arguments.iter().map(String::len).max().unwrap_or(0).max(1);
    items.saturating_mul(largest) <= MAX_PRODUCT
}

/// Every item is compared with every other.
fn square(items: usize, _: &[String]) -> bool {
    items <= 10_000
}

/// A field of the date's format has the width that the template asks for.
fn date(_: usize, arguments: &[String]) -> bool {
    arguments.iter().all(|format| format.split(|c: char| !c.is_ascii_digit()).all(|width| width.len() <= 3))
}

impl ParseFilter for Guarded {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        let positional: Vec<Expression> = arguments.positional.collect();
        let inner =
            FilterArguments { positional: Box::new(positional.clone().into_iter()), keyword: arguments.keyword };
        let filter = self.filter.parse(inner)?;
        Ok(Box::new(GuardedFilter { filter, arguments: positional, is_affordable: self.is_affordable }))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self.filter.reflection()
    }
}

#[derive(Debug)]
struct GuardedFilter {
    filter: Box<dyn Filter>,
    arguments: Vec<Expression>,
    is_affordable: IsAffordable,
}

impl fmt::Display for GuardedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}

impl Filter for GuardedFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let items = input
            .as_array()
            .map_or_else(|| input.to_kstr().len(), |array| usize::try_from(array.size()).unwrap_or(usize::MAX));
        let evaluate = |argument: &Expression| Ok(argument.evaluate(runtime)?.to_kstr().into_string());
        let arguments: Vec<String> = self.arguments.iter().map(evaluate).collect::<Result<_>>()?;
        if !(self.is_affordable)(items, &arguments) {
            return Err(Error::with_msg(TOO_LONG_RESULT));
        }
        self.filter.evaluate(input, runtime)
    }
}

/// Refuses a range that Liquid would first lay out in memory, round by round.
#[derive(Debug, Clone, Copy)]
struct RangeGuard;

impl TagReflection for RangeGuard {
    fn tag(&self) -> &str {
        RANGE_GUARD
    }

    fn description(&self) -> &'static str {
        "Refuses a range that is too long"
    }
}

impl ParseTag for RangeGuard {
    fn parse(&self, mut arguments: TagTokenIter<'_>, _: &Language) -> Result<Box<dyn Renderable>> {
        let range = arguments.expect_next("Range expected.")?;
        let (start, stop) = range.expect_range().into_result()?;
        Ok(Box::new(GuardedRange { start, stop }))
    }

    fn reflection(&self) -> &dyn TagReflection {
        self
    }
}

#[derive(Debug)]
struct GuardedRange {
    start: Expression,
    stop: Expression,
}

impl Renderable for GuardedRange {
    fn render_to(&self, _: &mut dyn std::io::Write, runtime: &dyn Runtime) -> Result<()> {
        let bound = |expression: &Expression| {
            let value = expression.try_evaluate(runtime)?;
            value.as_scalar()?.to_integer()
        };
        match (bound(&self.start), bound(&self.stop)) {
            (Some(start), Some(stop)) if stop.saturating_sub(start) >= MAX_RANGE => {
                Err(Error::with_msg(TOO_LONG_RANGE))
            }
            // Liquid itself says what is wrong with bounds that are no integers.
            _ => Ok(()),
        }
    }
}
