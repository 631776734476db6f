//! The tags `for` and `tablerow`, as Liquid's standard library has them. Those lay a range out in memory before its first
//! round, and nobody can count what is looked up inside them.

use std::fmt::{self, Write as _};
use std::io::Write;

use liquid_core::error::{ResultLiquidExt, ResultLiquidReplaceExt};
use liquid_core::model::{KString, ObjectView, Scalar, Value, ValueCow, ValueView};
use liquid_core::parser::{BlockElement, TryMatchToken};
use liquid_core::runtime::{Interrupt, InterruptRegister};
use liquid_core::{
    BlockReflection, Error, Expression, Language, ParseBlock, Renderable, Result, Runtime, TagBlock, TagTokenIter,
    Template,
};

use super::meter::{Gauge, Held, Meter};
use super::runtime::{Round, Scope};

/// The most rounds that a range may give a loop.
const MAX_RANGE: i64 = 1_000_000;
/// The message about a loop over more than [`MAX_RANGE`] numbers.
pub(super) const TOO_LONG_RANGE: &str = "The range has more than a million numbers";

/// `{% for item in items %}`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForBlock;

/// `{% tablerow item in items %}`.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableRowBlock;

macro_rules! reflect {
    ($block:ident, $start:literal, $end:literal) => {
        impl BlockReflection for $block {
            fn start_tag(&self) -> &str {
                $start
            }

            fn end_tag(&self) -> &str {
                $end
            }

            fn description(&self) -> &str {
                ""
            }
        }
    };
}

reflect!(ForBlock, "for", "endfor");
reflect!(TableRowBlock, "tablerow", "endtablerow");

/// The common start of both tags.
#[derive(Debug)]
struct Head {
    name: KString,
    items: Items,
    limit: Option<Expression>,
    offset: Option<Expression>,
    reversed: bool,
    cols: Option<Expression>,
}

/// The items of a loop.
#[derive(Debug)]
enum Items {
    Value(Expression),
    Range(Expression, Expression),
}

impl Head {
    fn parse(arguments: &mut TagTokenIter<'_>, is_for: bool) -> Result<Self> {
        let name = arguments.expect_next("Identifier expected.")?.expect_identifier().into_result()?;
        arguments.expect_next("\"in\" expected.")?.expect_str("in").into_result_custom_msg("\"in\" expected.")?;
        let items = arguments.expect_next("Array or range expected.")?;
        let items = match items.expect_value() {
            TryMatchToken::Matches(value) => Items::Value(value),
            TryMatchToken::Fails(range) => {
                let (start, stop) = range.expect_range().into_result()?;
                Items::Range(start, stop)
            }
        };
        let name = KString::from_ref(name);
        let mut head = Self { name, items, limit: None, offset: None, reversed: false, cols: None };
        while let Some(token) = arguments.next() {
            match token.as_str() {
                "limit" => head.limit = Some(attribute(arguments)?),
                "offset" => head.offset = Some(attribute(arguments)?),
                "cols" if !is_for => head.cols = Some(attribute(arguments)?),
                "reversed" if is_for => head.reversed = true,
                _ if is_for => {
                    return token.raise_custom_error("\"limit\", \"offset\" or \"reversed\" expected.").into_err();
                }
                _ => return token.raise_custom_error("\"cols\", \"limit\" or \"offset\" expected.").into_err(),
            }
        }
        arguments.expect_nothing()?;
        Ok(head)
    }

    fn trace(&self) -> KString {
        format!("{{% for {} in {} %}}", self.name, self.items).into()
    }

    /// The items of the rounds, and how many there are.
    fn rounds<'v>(&self, found: &'v Found<'_>, runtime: &dyn Runtime) -> Result<Rounds<'v>> {
        let items = found.items()?;
        let limit = whole_number(self.limit.as_ref(), runtime)?;
        let offset = whole_number(self.offset.as_ref(), runtime)?.unwrap_or(0).min(items.len());
        // A limit is taken before the offset: rounds after the end have nothing.
        let length = limit.map_or(items.len() - offset, |limit| limit.min(items.len()));
        Ok(Rounds { items, offset, length, reversed: self.reversed })
    }
}

impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Range(start, stop) => write!(f, "({start}..{stop})"),
        }
    }
}

impl Items {
    fn evaluate<'r>(&'r self, runtime: &'r dyn Runtime) -> Result<Found<'r>> {
        match self {
            Self::Value(value) => Ok(Found::Value(value.evaluate(runtime)?)),
            Self::Range(start, stop) => {
                let bounds = (bound(start, runtime, "start")?, bound(stop, runtime, "end")?);
                if bounds.1.saturating_sub(bounds.0) >= MAX_RANGE {
                    return Err(Error::with_msg(TOO_LONG_RANGE));
                }
                Ok(Found::Range(bounds.0, bounds.1))
            }
        }
    }
}

/// The value of [`Items`].
enum Found<'r> {
    Value(ValueCow<'r>),
    Range(i64, i64),
}

impl Found<'_> {
    fn items(&self) -> Result<List<'_>> {
        let value = match self {
            Self::Value(value) => value,
            Self::Range(start, stop) => {
                let length = if stop < start { 0 } else { usize::try_from(stop - start).unwrap_or_default() + 1 };
                return Ok(List::Range(*start, length));
            }
        };
        if let Some(items) = value.as_array() {
            return Ok(List::Items(items.values().map(ValueCow::Borrowed).collect()));
        }
        if let Some(object) = value.as_object() {
            let pair = |(key, value): (liquid_core::model::KStringCow<'_>, &dyn ValueView)| {
                ValueCow::Owned(Value::Array(vec![Value::scalar(key.into_owned()), value.to_value()]))
            };
            return Ok(List::Items(object.iter().map(pair).collect()));
        }
        if value.is_state() || value.is_nil() {
            return Ok(List::Items(Vec::new()));
        }
        Err(Error::with_msg(format!("Expected array, found `{}`", value.type_name())))
    }
}

/// Items in a row; a range is not laid out.
enum List<'v> {
    Items(Vec<ValueCow<'v>>),
    Range(i64, usize),
}

impl List<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Items(items) => items.len(),
            Self::Range(_, length) => *length,
        }
    }
}

/// The items that a loop goes through, by its limit, offset and direction.
struct Rounds<'v> {
    items: List<'v>,
    offset: usize,
    length: usize,
    reversed: bool,
}

impl Rounds<'_> {
    fn item(&self, round: usize) -> ValueCow<'_> {
        let at = self.offset + if self.reversed { self.length - 1 - round } else { round };
        match &self.items {
            List::Items(items) => {
                items.get(at).map_or(ValueCow::Owned(Value::Nil), |item| ValueCow::Borrowed(item.as_view()))
            }
            List::Range(start, length) if at < *length => {
                ValueCow::Owned(Value::scalar(start + i64::try_from(at).unwrap_or_default()))
            }
            List::Range(..) => ValueCow::Owned(Value::Nil),
        }
    }
}

fn attribute(arguments: &mut TagTokenIter<'_>) -> Result<Expression> {
    arguments.expect_next("\":\" expected.")?.expect_str(":").into_result_custom_msg("\":\" expected.")?;
    arguments.expect_next("Value expected.")?.expect_value().into_result()
}

/// The value of an attribute. A negative number is a very large one, as in Liquid's own loops.
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "Liquid's own loops cast so")]
fn whole_number(attribute: Option<&Expression>, runtime: &dyn Runtime) -> Result<Option<usize>> {
    let Some(attribute) = attribute else { return Ok(None) };
    let value = attribute.evaluate(runtime)?;
    let number = value.as_scalar().and_then(|scalar| scalar.to_integer());
    number.map(|number| Some(number as usize)).ok_or_else(|| no_number(&value))
}

fn bound(bound: &Expression, runtime: &dyn Runtime, name: &'static str) -> Result<i64> {
    let value = bound.evaluate(runtime)?;
    let number = value.as_scalar().and_then(|scalar| scalar.to_integer());
    number.ok_or_else(|| no_number(&value).context(name, value.type_name()))
}

fn no_number(value: &ValueCow<'_>) -> Error {
    Error::with_msg(format!("Expected whole number, found `{}`", value.type_name()))
}

/// The memory of a loop while it runs: its items, where they are its own, and what `parentloop` is.
fn held<'m>(meter: &'m Meter, values: [Option<&ValueCow<'_>>; 2]) -> Held<'m> {
    let mut held = Held::new(meter, 0);
    for value in values.into_iter().flatten() {
        if let ValueCow::Owned(value) = value {
            held.grow(meter.value(value));
        }
    }
    held
}

impl ParseBlock for ForBlock {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        let head = Head::parse(&mut arguments, true)?;
        let (mut body, mut otherwise) = (Vec::new(), None);
        while let Some(element) = tokens.next()? {
            match element {
                BlockElement::Tag(mut tag) if tag.name() == "else" => {
                    tag.tokens().expect_nothing()?;
                    otherwise = Some(Template::new(tokens.parse_all(options)?));
                    break;
                }
                element => body.push(element.parse(&mut tokens, options)?),
            }
        }
        tokens.assert_empty();
        Ok(Box::new(For { head, body: Template::new(body), otherwise }))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

#[derive(Debug)]
struct For {
    head: Head,
    body: Template,
    otherwise: Option<Template>,
}

impl Renderable for For {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        let meter = Gauge::of(runtime);
        let found = self.head.items.evaluate(runtime).trace_with(|| self.head.trace())?;
        let parent = runtime.try_get(&[Scalar::new("forloop")]);
        let _held = held(&meter, [if let Found::Value(value) = &found { Some(value) } else { None }, parent.as_ref()]);
        let rounds = self.head.rounds(&found, runtime)?;
        meter.check()?;
        if rounds.length == 0 {
            return self.otherwise.as_ref().map_or(Ok(()), |otherwise| otherwise.render_to(writer, runtime));
        }
        for round in 0..rounds.length {
            let state = ForLoop::new(round, rounds.length, parent.as_ref().map(ValueCow::as_view));
            let item = rounds.item(round);
            let mut own = Round::new();
            own.insert("forloop".into(), &state);
            own.insert(self.head.name.as_ref(), &item);
            let scope = Scope::new(runtime, &own, &meter);
            self.body.render_to(writer, &scope).trace_with(|| self.head.trace())?;
            meter.check()?;
            // A `continue` has ended the round, and a `break` ends the loop.
            if let Some(Interrupt::Break) = scope.registers().get_mut::<InterruptRegister>().reset() {
                break;
            }
        }
        Ok(())
    }
}

/// `forloop`.
#[derive(Debug, Clone, ValueView, ObjectView)]
struct ForLoop<'p> {
    length: i64,
    parentloop: Option<&'p dyn ValueView>,
    index0: i64,
    index: i64,
    rindex0: i64,
    rindex: i64,
    first: bool,
    last: bool,
}

impl<'p> ForLoop<'p> {
    fn new(round: usize, length: usize, parentloop: Option<&'p dyn ValueView>) -> Self {
        let [round, length] = [round, length].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        Self {
            length,
            parentloop,
            index0: round,
            index: round + 1,
            rindex0: length - round - 1,
            rindex: length - round,
            first: round == 0,
            last: round == length - 1,
        }
    }
}

impl ParseBlock for TableRowBlock {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        let head = Head::parse(&mut arguments, false)?;
        let body = Template::new(tokens.parse_all(options)?);
        tokens.assert_empty();
        Ok(Box::new(TableRow { head, body }))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

#[derive(Debug)]
struct TableRow {
    head: Head,
    body: Template,
}

impl Renderable for TableRow {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        let meter = Gauge::of(runtime);
        let found = self.head.items.evaluate(runtime).trace_with(|| self.head.trace())?;
        let _held = held(&meter, [if let Found::Value(value) = &found { Some(value) } else { None }, None]);
        let cols = whole_number(self.head.cols.as_ref(), runtime)?;
        let rounds = self.head.rounds(&found, runtime)?;
        meter.check()?;
        let cols = cols.unwrap_or(rounds.length);
        if cols == 0 && rounds.length > 0 {
            return Err(Error::with_msg("Expected at least one column"));
        }
        for round in 0..rounds.length {
            let (row, col) = (round / cols, round % cols);
            let state = TableRowLoop::new(round, rounds.length, col, cols);
            let item = rounds.item(round);
            let mut own = Round::new();
            own.insert("tablerow".into(), &state);
            own.insert(self.head.name.as_ref(), &item);
            let mut begin = String::new();
            if state.col_first {
                // Writing to a string cannot fail.
                let _: fmt::Result = write!(begin, "<tr class=\"row{}\">", row + 1);
            }
            let _: fmt::Result = write!(begin, "<td class=\"col{}\">", col + 1);
            writer.write_all(begin.as_bytes()).replace("Failed to render")?;
            self.body.render_to(writer, &Scope::new(runtime, &own, &meter)).trace_with(|| self.head.trace())?;
            meter.check()?;
            let end = if state.col_last { "</td></tr>" } else { "</td>" };
            writer.write_all(end.as_bytes()).replace("Failed to render")?;
        }
        Ok(())
    }
}

/// `tablerow`, inside one.
#[derive(Debug, Clone, ValueView, ObjectView)]
struct TableRowLoop {
    length: i64,
    index0: i64,
    index: i64,
    rindex0: i64,
    rindex: i64,
    first: bool,
    last: bool,
    col0: i64,
    col: i64,
    col_first: bool,
    col_last: bool,
}

impl TableRowLoop {
    fn new(round: usize, length: usize, col: usize, cols: usize) -> Self {
        let [round, length, col, cols] = [round, length, col, cols].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let last = round == length - 1;
        Self {
            length,
            index0: round,
            index: round + 1,
            rindex0: length - round - 1,
            rindex: length - round,
            first: round == 0,
            last,
            col0: col,
            col: col + 1,
            col_first: col == 0,
            col_last: col == cols - 1 || last,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use liquid_core::parser;
    use liquid_core::runtime::RuntimeBuilder;
    use liquid_lib::stdlib;
    use proptest::prelude::*;

    use super::*;

    /// What both implementations make of a text; a panic of Liquid's own is a failure.
    fn rendered(text: &str) -> [Option<String>; 2] {
        let with = |blocks: [Box<dyn ParseBlock>; 2]| {
            let mut language = Language::empty();
            for block in blocks {
                language.blocks.register(block.reflection().start_tag().to_owned(), block);
            }
            language.blocks.register("if".into(), stdlib::IfBlock.into());
            language.tags.register("break".into(), stdlib::BreakTag.into());
            language.tags.register("continue".into(), stdlib::ContinueTag.into());
            language.tags.register("assign".into(), stdlib::AssignTag.into());
            let values: BTreeMap<_, _> = [
                ("list", Value::array(["a", "b", "c", "d"].map(Value::scalar))),
                ("object", Value::Object([("k".into(), Value::scalar("v"))].into_iter().collect())),
                ("text", Value::scalar("text")),
                ("n", Value::scalar(2)),
            ]
            .into();
            let globals = values.into_iter().map(|(name, value)| (KString::from_ref(name), value)).collect();
            let globals: liquid_core::Object = globals;
            let runtime = RuntimeBuilder::new().set_globals(&globals).build();
            let template = Template::new(parser::parse(text, &language).ok()?);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| template.render(&runtime).ok())).ok().flatten()
        };
        let ours: [Box<dyn ParseBlock>; 2] = [Box::new(ForBlock), Box::new(TableRowBlock)];
        [with(ours), with([stdlib::ForBlock.into(), stdlib::TableRowBlock.into()])]
    }

    #[test]
    fn loops_render_what_liquids_own_render() {
        for text in [
            "{% for i in (1..3) %}{{ i }}{{ forloop.index }}{{ forloop.last }}{% else %}no{% endfor %}",
            "{% for i in (3..1) %}{{ i }}{% else %}no{% endfor %}",
            "{% for p in object %}{{ p[0] }}={{ p[1] }}{% endfor %}",
            "{% for i in list %}{% for j in list %}{{ forloop.parentloop.index }}{{ i }}{{ j }}{% endfor %}{% endfor %}",
            "{% for i in list %}{% if i == 'b' %}{% continue %}{% endif %}{% if i == 'd' %}{% break %}{% endif %}{{ i }}{% endfor %}.",
            "{% for i in text %}{% endfor %}",
            "{% for i in nil %}{% else %}no{% endfor %}",
            "{% for i in unknown %}{% endfor %}",
            "{% for i in (text..3) %}{% endfor %}",
            "{% for i in list limit:text %}{% endfor %}",
            "{% for i in list cols:2 %}{% endfor %}",
            "{% tablerow i in list reversed %}{% endtablerow %}",
            "{% tablerow i in list cols:0 %}{% endtablerow %}",
            "{% tablerow i in (1..5) cols:n %}{{ i }}{{ tablerow.col }}{% endtablerow %}",
            "{% assign forloop = text %}{% for i in list %}{{ forloop.parentloop }}{% endfor %}{{ forloop }}",
        ] {
            let [ours, theirs] = rendered(text);
            assert_eq!(ours, theirs, "{text}");
        }
    }

    proptest! {
        #[test]
        fn limits_and_offsets_mean_what_they_mean_to_liquids_own(
            items in prop_oneof![Just("list"), Just("(1..4)"), Just("(n..9)"), Just("object")],
            limit in prop_oneof![Just(String::new()), (-2_i64..7).prop_map(|n| format!(" limit:{n}"))],
            offset in prop_oneof![Just(String::new()), (-2_i64..7).prop_map(|n| format!(" offset:{n}"))],
            reversed in prop_oneof![Just(""), Just(" reversed")],
            cols in prop_oneof![Just(String::new()), (1_i64..5).prop_map(|n| format!(" cols:{n}"))],
        ) {
            let text = format!("{{% for i in {items}{limit}{offset}{reversed} %}}{{{{ i }}}},{{% else %}}no{{% endfor %}}");
            let [ours, theirs] = rendered(&text);
            prop_assert_eq!(ours, theirs, "{}", text);
            let text = format!("{{% tablerow i in {items}{limit}{offset}{cols} %}}{{{{ i }}}}{{% endtablerow %}}");
            let [ours, theirs] = rendered(&text);
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }
}
