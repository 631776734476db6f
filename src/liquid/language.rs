//! The Liquid dialect: cargo-generate's standard library and case filters, with everything that can be expensive watched.

use std::fmt;
use std::sync::LazyLock;

use heck::{
    ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutyKebabCase, ToShoutySnakeCase, ToSnakeCase, ToTitleCase,
    ToUpperCamelCase,
};
use liquid_core::parser::{FilterArguments, ParameterReflection};
use liquid_core::{
    Error, Filter, FilterReflection, Language, ParseBlock, ParseFilter, ParseTag, Result, Runtime, Value, ValueView,
};
use liquid_lib::stdlib;

use super::blocks::{CaptureBlock, CaseBlock, IfChangedBlock};
use super::date::Dated;
use super::filters::{
    Cost, DATE, ESCAPE, JOIN, Metered, NEWLINE_TO_BR, PLAIN, REPLACE, SLOW, SORT, SPLIT, TRUNCATE, TRUNCATE_WORDS,
    UNIQ, URL_ENCODE, WORDS,
};
use super::loops::{ForBlock, TableRowBlock};
use super::rhai::Rhai;

/// Liquid as cargo-generate 0.26 registers it.
pub(crate) fn shared() -> &'static Language {
    static LANGUAGE: LazyLock<Language> = LazyLock::new(create_app);
    &LANGUAGE
}

fn create_app() -> Language {
    let mut language = Language::empty();
    tags(&mut language);
    blocks(&mut language);
    filters(&mut language);
    language
}

fn tags(language: &mut Language) {
    macro_rules! register {
        ($($tag:ident),* $(,)?) => {
            $(let tag: Box<dyn ParseTag> = stdlib::$tag.into(); language.tags.register(tag.reflection().tag().to_owned(), tag);)*
        };
    }
    register!(AssignTag, BreakTag, ContinueTag, CycleTag, IncludeTag, IncrementTag, DecrementTag, RenderTag);
}

fn blocks(language: &mut Language) {
    let ours: [Box<dyn ParseBlock>; 5] = [
        Box::new(ForBlock),
        Box::new(TableRowBlock),
        Box::new(CaptureBlock),
        Box::new(IfChangedBlock),
        Box::new(CaseBlock),
    ];
    let theirs: [Box<dyn ParseBlock>; 4] =
        [stdlib::RawBlock.into(), stdlib::IfBlock.into(), stdlib::UnlessBlock.into(), stdlib::CommentBlock.into()];
    for block in ours.into_iter().chain(theirs) {
        language.blocks.register(block.reflection().start_tag().to_owned(), block);
    }
}

fn filters(language: &mut Language) {
    let mut register = |filter: Box<dyn ParseFilter>, cost: Cost| {
        let name = filter.reflection().name().to_owned();
        language.filters.register(name, Box::new(Metered { filter, cost }));
    };
    macro_rules! register {
        ($($cost:expr => $($filter:ident),*;)*) => { $($(register(stdlib::$filter.into(), $cost);)*)* };
    }
    register! {
        PLAIN => Abs, Append, AtLeast, AtMost, Ceil, Compact, Concat, Default, DividedBy, First, Floor, Last, Lstrip, Map,
            Minus, Modulo, Plus, Prepend, Remove, RemoveFirst, ReplaceFirst, Reverse, Round, Rstrip, Size, Strip, Times, Where;
        SLOW => Capitalize, Downcase, Slice, StripHtml, StripNewlines, Upcase, UrlDecode;
        JOIN => Join;
        REPLACE => Replace;
        SPLIT => Split;
        ESCAPE => Escape, EscapeOnce;
        NEWLINE_TO_BR => NewlineToBr;
        URL_ENCODE => UrlEncode;
        UNIQ => Uniq;
        SORT => Sort, SortNatural;
        TRUNCATE => Truncate;
        TRUNCATE_WORDS => TruncateWords;
    }
    register(Box::new(Dated(stdlib::Date.into())), DATE);
    register(Box::new(Rhai), SLOW);
    for case in CASES {
        register(Box::new(*case), WORDS);
    }
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
